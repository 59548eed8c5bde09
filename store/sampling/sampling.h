/*
 * Which tokens stand in which row of which step: a pure function of (seed, step, row), whatever the
 * number of threads or ranks, so that resuming needs nothing but the number of the step.
 *
 * A source is the train part of a store. Its documents come in a seeded permutation each epoch
 * (base/rng.h: O(1) memory), epoch after epoch: one endless sequence of documents. Packing makes
 * rows of T tokens of it:
 *
 *   PACK_CONCAT    the documents' tokens one after the other, cut every T; these rows come
 * shuffled, up to 65,536 of an epoch at a time (a step that read one long document alone would
 * learn little). The last token's target is the one that follows it. Nothing is left out, nothing
 * is filled. PACK_BEST_FIT  the next `window` documents at a time: each is cut into pieces of at
 * most T tokens, and the pieces are put into as few rows as best fit decreasing finds; what is left
 * of a row is filling. Nothing is left out; a document that fits into a row stands in one.
 *
 * Where each row's documents begin is given too (`first`, cu_seqlens), for attention that does not
 * look over their edges. A target is -1 (ignored) on filling, where the store says that a token is
 * not to be learnt, and on the last token of a document in PACK_BEST_FIT and, with `apart`, in
 * PACK_CONCAT (what follows has nothing to do with it). A piece that ends within its document has
 * the document's next token as its last target. So each token of a document but its first is a
 * target exactly once an epoch (in PACK_CONCAT without `apart` the first as well).
 *
 * Several sources: row i of a phase belongs to the source that a tree of Beatty sequences says
 * (each inner node sends floor((i + 1) a) - floor(i a) to the left), so that after any i rows each
 * source has had its share to within a few rows, and any i is found in O(log sources). A source
 * with a cap of epochs leaves when the next row would go past it; the others' shares grow in
 * proportion. When none is left the data is at its end: sampling_steps() says so beforehand.
 * (FORMATS.md, "order of samples", says all of it so that it can be made again.)
 *
 * Phases: from a step on, other sources, weights, lengths or rows a step. A source's place in its
 * sequence of documents goes on (sources are known by their store's content digest), so that over
 * a change, too, each of its tokens is read exactly once an epoch. Phases that are appended change
 * nothing of the steps before.
 */
#ifndef TUNDISH_STORE_SAMPLING_H
#define TUNDISH_STORE_SAMPLING_H

#include "store/tokens/tokens.h"

enum packing { PACK_CONCAT, PACK_BEST_FIT, PACKINGS };
extern const char *const packing_names[]; /* "concat", "best-fit", NULL */
#define SAMPLING_SOURCES_MOST 256

struct sampling_source {
    const struct token_store *store; /* open for as long as the sampling */
    const char *name;                /* for messages: its path */
    double weight;                   /* > 0; its share of the rows, in proportion to the others' */
    double epochs; /* at most so often in the whole run, rounded down to whole tokens
                      (PACK_CONCAT) or documents; 0: without end */
};
struct sampling_phase {
    uint64_t step;   /* the first that it holds for; 0 for phase 0; ascending */
    uint64_t length; /* T, at least 2 */
    uint64_t rows;   /* of a step, at least 1 */
    const struct sampling_source *sources;
    size_t source_count;
};
struct sampling_args {
    uint64_t seed;
    enum packing packing;
    uint64_t window; /* PACK_BEST_FIT: documents packed at a time, 1 to 65,536 */
    bool apart;
    const struct sampling_phase *phases;
    size_t phase_count;
    uint64_t steps; /* no step from this one on is asked for: what is read before it is the same,
                       and opening looks no further; 0: none such */
};
struct sampling;
/* Copies what it needs but the stores. ST_CONFIG for what cannot be (no documents, a weight that is
 * none ...), naming the source. Memory: of each source a byte a document of the epoch under way
 * (where the documents of the order begin), at most 64 MiB, twice where rows straddle an epoch's
 * end; in PACK_CONCAT 16 bytes a document of the window that is read, at most 8 MiB; in
 * PACK_BEST_FIT a window, and 8 bytes per 1,024 documents read.
 *
 * Time: a row takes a few microseconds. To find a row elsewhere takes, once, about 0.2 us for each
 * document of its epoch before it (PACK_CONCAT), or 0.6 us for each document read before it
 * (PACK_BEST_FIT, where the number of a window's rows is known when it is packed). Whoever reads
 * one row in n, as one of n ranks does, takes this for the rows between, too. In PACK_BEST_FIT
 * a later phase costs this when it is opened; and a cap that `steps` may reach, to there. */
MUST_USE enum status sampling_open(const struct sampling_args *args, struct sampling **out);
void sampling_close(struct sampling *s);
/* How many whole steps the data last, at most args->steps; UINT64_MAX: without end. */
uint64_t sampling_steps(const struct sampling *s);
/* T and rows at a step. */
uint64_t sampling_length(const struct sampling *s, uint64_t step);
uint64_t sampling_rows(const struct sampling *s, uint64_t step);

struct sampling_batch {
    int32_t *tokens, *targets; /* [rows * T] */
    int32_t *first; /* [rows * T]: where in its row the token's document begins; may be NULL */
};
/* Rows [row, row + rows) of a step below sampling_steps(). Any order of calls; one after the other
 * is fastest. One thread at a time. */
MUST_USE enum status sampling_read(struct sampling *s, uint64_t step, uint64_t row, uint64_t rows,
                                   const struct sampling_batch *out);
/* Of a row's `first` (T of it) where its segments begin, and at last T, as attention kernels want
 * cu_seqlens: into out (room for T + 1). Returns how many segments there are; filling counts as
 * one. */
uint64_t sampling_cu_seqlens(const int32_t *first, uint64_t length, int32_t *out);

/* A piece of a document in a row. */
struct sampling_piece {
    size_t source;          /* of the phase at the step */
    uint64_t document;      /* of the store's train part */
    uint64_t offset, count; /* tokens of the document */
    uint64_t at;            /* in the row */
    uint64_t epoch;
};
/* What stands in a row: pieces in order (filling behind them, or none). *pieces is valid until the
 * next call. */
MUST_USE enum status sampling_pieces(struct sampling *s, uint64_t step, uint64_t row,
                                     const struct sampling_piece **pieces, size_t *count);
/* How many tokens of a document were read at least once in the steps [0, steps), be it as input or
 * as target. digest: of the source's store. After the first call for the same `steps` O(1) a
 * document. */
MUST_USE enum status sampling_seen(struct sampling *s, uint64_t steps, const char *digest,
                                   uint64_t document, uint64_t *tokens);

#endif
