/*
 * What a key-value cache is made of: decode.c makes it and gives pages, decode_step.c runs the model
 * over it. Private.
 */
#ifndef TUNDISH_MODEL_DECODE_PART_H
#define TUNDISH_MODEL_DECODE_PART_H

#include "base/barrier.h"
#include "model/decode.h"
#include "model/internal.h"

/* What one thread of a step has for itself. */
struct step_worker {
    struct kv_cache *cache;
    struct stream *stream;
    struct tensor normed, picked; /* any [max_rows, C]; f32 [max_wanted, C] */
    struct failure failure;
};

struct kv_cache {
    const struct model *model;
    struct pool *pool;
    int64_t sequences, pages, max_rows, max_wanted;
    int64_t max_pages;     /* of one sequence: the context's */
    void **keys, **values; /* one block a layer */
    int32_t *table;        /* host [sequences, max_pages] */
    int64_t *owned;        /* pages of each sequence */
    int32_t *free_list;    /* stack of free page numbers */
    int64_t free_count;
    struct tensor pages_table; /* device i32 [sequences, max_pages] */
    struct tensor ids, row_sequences, positions, wanted;
    struct tensor x, qkv, attended, gate_up, inner, logits; /* shared by the workers */
    struct layer_offsets *offsets;
    int32_t *host; /* [4, max_rows] */
    struct step_worker *workers;
    int worker_count;
    struct barrier barrier;
    void **memory;
    size_t blocks;
    enum status st; /* of the allocations */
};

#endif
