/*
 * Pieces and how often each was seen, by one thread.
 *
 * The one idea: a piece's slot is the top bits of its hash, and collisions go on to the next slot,
 * so that the table stands nearly in the order of hashes. Put in order it is a sorted run, which
 * merges with other tables and with runs on disk.
 */
#ifndef TUNDISH_TOKENIZE_PIECE_TABLE_H
#define TUNDISH_TOKENIZE_PIECE_TABLE_H

#include "base/str.h"
#include "tokenize/learn/count_key.h"

struct piece_entry {
    struct count_key key;
    uint64_t count;          /* 0: a free slot */
};
struct piece_table {
    struct piece_entry *slots;
    unsigned bits;           /* of the hash that choose a slot */
    size_t count;            /* pieces */
    size_t most;             /* bytes that slots may take */
    char *store;             /* long pieces: a uint32_t, their number of bytes, then these */
    size_t stored, store_cap, store_most;
};
/* memory: bytes that it may take in all. */
void piece_table_init(struct piece_table *t, uint64_t memory);
void piece_table_release(struct piece_table *t);
void piece_table_clear(struct piece_table *t);
/* Counts `by` occurrences of a piece, whose key is count_key_of() it. False: no room, and nothing
 * happened. An empty table always has room. */
bool piece_table_add(struct piece_table *t, struct count_key key, struct span piece, uint64_t by);
static inline struct piece_entry *piece_table_slot(const struct piece_table *t,
                                                   struct count_key key)
{
    return &t->slots[count_key_hash(key) >> (64 - t->bits)];
}
/* Asks the memory for where the piece is. */
static inline void piece_table_fetch(const struct piece_table *t, struct count_key key)
{
    __builtin_prefetch(piece_table_slot(t, key), 1);
}
/* Moves the entries to slots[0..count), in order. Afterwards only clear and release may follow. */
void piece_table_sort(struct piece_table *t);
/* The bytes of an entry that stays where it is. */
struct span piece_table_bytes(const struct piece_table *t, const struct piece_entry *e);

/* The order of pieces: by hash, short ones first, then by their bytes. */
struct piece_view {
    uint64_t hash;
    struct count_key key;
    struct span bytes;
};
int piece_order(const struct piece_view *a, const struct piece_view *b);

#endif
