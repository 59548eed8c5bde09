/*
 * A source's rows under PACK_CONCAT. In a phase the source is a text: first what the phase before
 * has left of its last window (stretches of the endless sequence of tokens), then the sequence from
 * its place on. The text is cut every T tokens, and its rows are read in windows of
 * SAMPLE_SHUFFLE_ROWS, each in a seeded permutation: rows that stand side by side are of one
 * document, and a step that read one document alone would learn little.
 *
 * A window never goes over the end of what was left, nor of an epoch, nor of the cap; a row that
 * lies over one of the first two stands alone behind it. So no token is read twice before each has
 * been read once.
 */
#ifndef TUNDISH_STORE_SAMPLE_SHUFFLE_H
#define TUNDISH_STORE_SAMPLE_SHUFFLE_H

#include "store/sampling/sample_windows.h"

#define SAMPLE_SHUFFLE_ROWS ((uint64_t)1 << 16)

struct sample_shuffle {
    const struct sample_order *order;
    const struct sample_place *start;
    uint64_t length;  /* T */
    uint64_t limit;   /* rows; UINT64_MAX: without end */
    uint64_t *before; /* [start->rest_count + 1]: tokens of the text before each stretch */
};
struct sample_shuffle_args {
    const struct sample_order *order;
    const struct sample_place *start; /* outlives the shuffle */
    uint64_t length;
    uint64_t cap; /* tokens of the endless sequence; UINT64_MAX: none */
};
void sample_shuffle_init(struct sample_shuffle *h, const struct sample_shuffle_args *args);
void sample_shuffle_release(struct sample_shuffle *h);
struct sample_shuffle_row {
    uint64_t at;         /* where in the text it begins */
    uint64_t first, end; /* tokens of the endless sequence that its window holds; of what was left,
                            and of a row alone: 0, 0 */
};
/* The source's row `number`, below limit. */
struct sample_shuffle_row sample_shuffle_row(const struct sample_shuffle *h, uint64_t number);
/* Does a token of the text lie in what was left? */
bool sample_shuffle_left(const struct sample_shuffle *h, uint64_t at);
/* The token of the endless sequence that stands at `at` of the text, and how many follow one
 * another from it on, itself counted; at most `most`. */
uint64_t sample_shuffle_at(const struct sample_shuffle *h, uint64_t at, uint64_t most,
                           uint64_t *count);
/* Where the source stands once the rows [0, rows) have been read. out->rest is the caller's to
 * free. */
void sample_shuffle_place(const struct sample_shuffle *h, uint64_t rows, struct sample_place *out);

#endif
