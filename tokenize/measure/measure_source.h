/*
 * The texts that are measured: all of a corpus, or a sample of bounded size.
 *
 * The sample is chosen by the hash of each text, so that it does not depend on the order of
 * documents. The corpus is read twice for it: once to learn how many bytes have which hash, then to
 * hand out those below the greatest hash that keeps the bound. For a sample, long documents are cut
 * at line ends into parts of about 64 KiB, each chosen by itself, so that one large file can be
 * sampled, too. A corpus within the bound is handed out whole and uncut.
 */
#ifndef TUNDISH_TOKENIZE_MEASURE_SOURCE_H
#define TUNDISH_TOKENIZE_MEASURE_SOURCE_H

#include "store/documents/documents.h"
#include "tokenize/corpus_text.h"

struct measure_source;
struct measure_source_args {
    const char *corpus;              /* as for corpus_text_open() */
    uint64_t most;                   /* bytes of text; 0: all of it. If the first part alone is
                                        larger, that part */
    uint64_t seed;                   /* another one chooses another sample */
};
/* Shows a progress bar while it reads ahead. */
MUST_USE enum status measure_source_open(const struct measure_source_args *args,
                                         struct measure_source **out);
/* The next text, valid until the next call; *got false at the end. Parts have their document's id. */
MUST_USE enum status measure_source_next(struct measure_source *s, struct document *d, bool *got);
void measure_source_close(struct measure_source *s);

/* What there is, known once the end was reached: texts and bytes of the whole corpus (parts count as
 * texts), and whether only a sample of it was handed out. */
struct measure_source_totals {
    uint64_t texts, bytes;
    bool sampled;
};
struct measure_source_totals measure_source_totals(const struct measure_source *s);

#endif
