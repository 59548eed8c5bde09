/*
 * The work memory of one unit: private to model/. N = B * T rows; "any" is the model's compute
 * type.
 *
 * Accounting: gradients of parameters are added to; gradients of activations are written, but for
 * dx, the gradient of the residual stream, to which each branch adds.
 */
#ifndef TUNDISH_MODEL_PASS_H
#define TUNDISH_MODEL_PASS_H

#include "model/internal.h"

/* What a layer keeps for its backward pass. */
struct layer_state {
    struct tensor x;        /* f32 [N, C]  residual stream before the layer */
    struct tensor rstd1;    /* f32 [1, N] */
    struct tensor normed1;  /* any [N, C] */
    struct tensor qkv;      /* any [N, (H + 2 K) D], rotated */
    struct tensor attended; /* any [N, H D] */
    struct tensor lse;      /* f32 [N, H] */
    struct tensor middle;   /* f32 [N, C]  residual stream after attention */
    struct tensor rstd2;    /* f32 [1, N] */
    struct tensor normed2;  /* any [N, C] */
    struct tensor gate_up;  /* any [N, 2 F] */
    struct tensor inner;    /* any [N, F]  silu(gate) * up */
};

struct pass {
    const struct model *model;
    struct stream *stream;
    int64_t B, T, N;
    bool gradients;
    struct layer_state *layers; /* one a layer; all the same memory without gradients */
    struct layer_offsets *offsets;
    struct tensor x;      /* f32 [N, C]  residual stream after the last layer */
    struct tensor rstd;   /* f32 [1, N] */
    struct tensor normed; /* any [N, C] */
    int64_t chunk;        /* rows of logits that exist at a time */
    struct tensor logits; /* f32 [chunk, V] */
    struct tensor losses; /* f32 [1, N] */
    struct tensor ids, targets, positions, first; /* i32 [1, N]; first.p = NULL when unused */
    /* backward */
    struct tensor dlogits;   /* any [chunk, V] */
    struct tensor dnormed;   /* f32 [N, C] */
    struct tensor dx;        /* f32 [N, C] */
    struct tensor dx_any;    /* any [N, C]  rounded dx; dx itself when compute is f32 */
    struct tensor dinner;    /* any [N, F] */
    struct tensor dgate_up;  /* any [N, 2 F] */
    struct tensor dattended; /* any [N, H D] */
    struct tensor dqkv;      /* any [N, (H + 2 K) D] */
    void **memory;           /* every device block, to free */
    int blocks;
    int32_t *first_memory;
};

/* Embedding, layers and the last norm (pass.c). */
MUST_USE enum status pass_body(struct pass *p, const struct pass_data *data);
/* Rows [first, first + n) of the logits (n <= chunk). */
MUST_USE enum status pass_chunk_logits(struct pass *p, int64_t first, int64_t n);

#endif
