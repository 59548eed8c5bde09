/*
 * The labels of a shard that is being written: distinct pairs of source and language, numbered in
 * the order of their first appearance.
 */
#ifndef TUNDISH_STORE_TOKEN_LABELS_H
#define TUNDISH_STORE_TOKEN_LABELS_H

#include "base/arena.h"
#include "base/str.h"

/* Open addressing over hashes, at most half full. */
struct token_label_slot {
    struct span text; /* as token_label_print() makes it; p = NULL: free */
    uint64_t hash;
    uint32_t number;
};
struct token_labels {
    struct arena arena;
    struct buf text;
    struct token_label_slot *slots;
    size_t cap; /* a power of two */
    uint32_t count;
};
void token_labels_release(struct token_labels *l);
/* The number of a label; *added gets its text if it is new, else n = 0. */
uint32_t token_labels_number(struct token_labels *l, struct span source, struct span language,
                             struct span *added);

#endif
