/*
 * A source's rows under PACK_BEST_FIT: its documents are packed `window` at a time, a window never
 * goes over the end of an epoch, and a window's rows come in a seeded permutation, so that pieces
 * of one length do not stand together. First come the pieces that a phase before has left of its
 * last window, as a window of their own.
 *
 * How many rows a window has is known once it is packed. So to find a row all windows before it are
 * packed once; how many rows came before is kept for one window in SAMPLE_WINDOWS_DOCUMENTS
 * documents.
 */
#ifndef TUNDISH_STORE_SAMPLE_WINDOWS_H
#define TUNDISH_STORE_SAMPLE_WINDOWS_H

#include <stdbool.h>

#include "store/sampling/sample_order.h"
#include "store/sampling/sample_pack.h"

#define SAMPLE_WINDOWS_DOCUMENTS 1024

/* How far a source has been read. */
struct sample_place {
    uint64_t tokens;           /* PACK_CONCAT: of its endless sequence */
    uint64_t document;         /* PACK_BEST_FIT: the place of the next document to pack */
    struct sample_piece *rest; /* of what is before it, joined, in order; owned. PACK_CONCAT:
                                  offset is the first token, of the endless sequence */
    size_t rest_count;
};
void sample_place_copy(const struct sample_place *from, struct sample_place *to);

struct sample_windows {
    struct sample_order *order;
    const struct sample_place *start;
    uint64_t window; /* documents */
    uint64_t end;    /* documents from this place on are not packed */
    uint64_t *index; /* rows before window i * every */
    size_t count, capacity;
    uint64_t every;

    struct sample_pack pack; /* of the window `number`, which holds the rows from `first` on */
    uint64_t number, first;
    uint64_t begin, after; /* its documents' places; of the rest: where it ends, twice */
    bool loaded;
};
struct sample_windows_args {
    struct sample_order *order;
    const struct sample_place *start; /* outlives the windows */
    uint64_t length, window, end;
};
void sample_windows_init(struct sample_windows *w, const struct sample_windows_args *args);
void sample_windows_release(struct sample_windows *w);
/* How many rows there are; or, where that is more than `most`, some number above it. */
uint64_t sample_windows_rows(struct sample_windows *w, uint64_t most);
/* The pieces of a row, valid until the next call; NULL: the documents end before it. */
const struct sample_piece *sample_windows_row(struct sample_windows *w, uint64_t row,
                                              size_t *count);
/* Where the source stands once the rows [0, rows) have been read. out->rest is the caller's to
 * free. */
void sample_windows_place(struct sample_windows *w, uint64_t rows, struct sample_place *out);

#endif
