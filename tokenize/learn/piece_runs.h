/*
 * Sorted runs of counted pieces: in a file, or a table in memory that is in order; and their merge,
 * in which each piece comes once, with the sum of its counts.
 *
 * A record in the file: its number of bytes (one byte; 255: four more follow with it), the count
 * (LEB128), the bytes.
 */
#ifndef TUNDISH_TOKENIZE_PIECE_RUNS_H
#define TUNDISH_TOKENIZE_PIECE_RUNS_H

#include "base/status.h"
#include "tokenize/learn/piece_table.h"

struct bpe_word {
    const char *p;
    uint32_t n;
    uint64_t count;
};

struct piece_run {
    uint64_t at, bytes;      /* in the file */
    uint64_t pieces, places; /* places: bytes of the pieces, and one for each */
};

void piece_record_print(struct buf *out, const struct bpe_word *word);

/* Writes the pieces of a table, which it sorts, at `at` of the file. buffer: about so many bytes are
 * written at a time. */
MUST_USE enum status piece_run_write(int fd, uint64_t at, struct piece_table *t, size_t buffer,
                                     struct piece_run *out);
/* Bytes that the run of a table will have, and its pieces and places. */
struct piece_run piece_run_plan(const struct piece_table *t);

struct run_merge;
struct run_merge *run_merge_new(void);
void run_merge_free(struct run_merge *m);
/* A source; neither may change while the merge is read. buffer: bytes read at a time. */
void run_merge_add_run(struct run_merge *m, int fd, const struct piece_run *run, size_t buffer);
void run_merge_add_table(struct run_merge *m, const struct piece_table *sorted);
/* The next piece in order; its bytes are valid until the next call. */
MUST_USE enum status run_merge_next(struct run_merge *m, struct bpe_word *out, bool *got);

#endif
