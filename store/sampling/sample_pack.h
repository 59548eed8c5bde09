/*
 * Best fit: pieces of documents are put into rows of T tokens, longest first (equal ones in the
 * order they came in), each into the row with the least room that will do (of equal ones the last
 * that came to have this room), or a new one. O(n log n) for n pieces: rows hang on lists by their
 * room, and a tree of bits finds the next room that has one.
 */
#ifndef TUNDISH_STORE_SAMPLE_PACK_H
#define TUNDISH_STORE_SAMPLE_PACK_H

#include <stddef.h>
#include <stdint.h>

struct sample_piece {
    uint64_t place;         /* of its document (sample_order.h) */
    uint64_t document;      /* its number in the store */
    uint64_t offset, count; /* tokens of the document */
};

#define SAMPLE_ROOM_LEVELS 4 /* 64^4 = 2^24 */
struct sample_pack {
    uint64_t length;                     /* T, at most 2^24 - 1 */
    uint64_t *rooms[SAMPLE_ROOM_LEVELS]; /* bits: is there a row with this room? a bit of a level
                                            stands for a word of the one below */
    uint32_t *heads; /* [T + 1]: by room the last row that came to have it, + 1 */

    struct sample_piece *pieces, *sorted; /* sorted: row after row */
    uint64_t *keys;
    uint32_t *row_of, *next; /* of a sorted piece; of a row in its list */
    uint64_t *room, *begin;  /* of a row; its first piece in sorted, rows + 1 of them */
    size_t count, capacity, rows;
};
void sample_pack_init(struct sample_pack *p, uint64_t length);
void sample_pack_release(struct sample_pack *p);
/* Forgets pieces and rows. */
void sample_pack_clear(struct sample_pack *p);
/* Adds a piece of any length, cut every T tokens. In all less than 2^32 of T tokens. */
void sample_pack_add(struct sample_pack *p, const struct sample_piece *piece);
/* Puts them into rows. */
void sample_pack_fit(struct sample_pack *p);
/* The pieces of a row, valid until the next change. */
const struct sample_piece *sample_pack_row(const struct sample_pack *p, uint64_t row,
                                           size_t *count);
/* Sorts pieces by document and offset, and joins those that touch; returns how many are left. */
size_t sample_pieces_join(struct sample_piece *pieces, size_t count);

#endif
