/*
 * `dedup`: documents that say what another one says.
 *
 * exact        Texts that are equal, byte by byte; the first stays.
 *              (Found by hash, decided by comparing.)
 *
 * minhash      Texts whose sets of word n-grams have a Jaccard index of at least `threshold`.
 *              Documents are taken from the longest to the shortest (bytes; ties: first come
 *              first); one that is near enough to a document already kept is dropped, all others
 *              are kept. So every drop has a kept document that is near it, and, but for pairs that
 *              the search misses, no two kept documents are near each other.
 *              The search: bands * rows minimum hashes, and a pair is looked at when all rows of
 *              some band agree, which for a pair of similarity s happens with probability
 *              1 - (1 - s^rows)^bands (14 bands of 8: 0.92 at 0.8, 0.9996 at 0.9; datatrove's
 *              numbers). With `verify` the true index of the two sets decides; without, the
 *              agreement of one band is enough. At most CANDIDATES kept documents are looked at for
 *              one document, those that agree in most bands first. Documents with fewer than
 *              `ngram` words are kept.
 *              Memory: at most 24 bytes a band and kept document; time: linear.
 *
 * containment  Documents most of whose word n-grams stand in other documents: a page that is also
 *              part of a book, or a book that is also there page by page. With G(d) a fixed
 *              sample (one in `sample`, by hash) of the n-grams of d, the coverage of d is the
 *              share of G(d) that stands in some other document that is alive. Documents are
 *              taken in a fixed order, and one is dropped when its coverage, at its turn, is at
 *              least `threshold`:
 *                keep: smaller   from the longest to the shortest: a book goes if its pages stand
 *                                alone; the pages go only if the book has more to say and stays
 *                keep: larger    from the shortest to the longest: the pages go, the book stays
 *              Drops only lower the coverage of the others, so in the end no kept document is
 *              covered to `threshold` by other kept ones: one text does not stand on both sides of
 *              a split into training and validation. What the drops lose is counted: n-grams that
 *              stand in no kept document (`lost_grams` of `grams`). Documents with fewer than
 *              MIN_GRAMS sampled n-grams are not judged. The default is `smaller`, because a split
 *              by document is better with many small ones.
 *              Memory: 8 bytes per distinct sampled n-gram at a load of at most 3/4 (while the
 *              table doubles, 1.5 times); 3 to 6 bytes a word of text with sample 4. Time:
 *              linear, two passes.
 *
 * Words here: maximal runs of letters and digits (with marks), in small letters; a character of a
 * script without spaces is a word. Numbers stay what they are: two lab reports that differ in their
 * values are two documents.
 */
#ifndef TUNDISH_CURATE_DEDUP_H
#define TUNDISH_CURATE_DEDUP_H

#include "curate/chain/step.h"

struct dedup_exact_cfg {
    int method;
};
extern const struct opt dedup_exact_opts[];
extern const struct drop_reason *const dedup_exact_reasons[];
MUST_USE enum status dedup_exact_all(const void *cfg, struct corpus *c);

struct dedup_minhash_cfg {
    int method;
    double threshold;
    int64_t ngram, bands, rows;
    bool verify;
};
extern const struct opt dedup_minhash_opts[];
extern const struct drop_reason *const dedup_minhash_reasons[];
extern const char *const dedup_minhash_counters[];
MUST_USE enum status dedup_minhash_check(const void *cfg, const struct yaml *at);
MUST_USE enum status dedup_minhash_all(const void *cfg, struct corpus *c);

struct dedup_containment_cfg {
    int method, keep;
    double threshold;
    int64_t ngram, sample;
};
extern const struct opt dedup_containment_opts[];
extern const struct drop_reason *const dedup_containment_reasons[];
extern const char *const dedup_containment_counters[];
MUST_USE enum status dedup_containment_all(const void *cfg, struct corpus *c);

#endif
