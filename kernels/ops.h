/*
 * The one list of operations. Each row is a function op_NAME(stream, &(struct NAME_args){...}) that
 * checks shapes, types and strides at the front door (ST_CONFIG would be our fault: it is a BUG_IF)
 * and hands over to the device's table. The same list makes the tables, the start-up check that a
 * device is complete, and what tests and benchmarks walk.
 *
 * Letters: N rows (tokens), C width, F inner width of the feed-forward part, H query heads, K
 * key/value heads, D head width, V vocabulary, B sequences, T positions. "any" means f32 or bf16.
 * Sums run in f32, in an order that depends on the shapes alone: the same call gives the same bits
 * on every thread.
 *
 * To add an operation: a row here, its args, its check in ops.c, its reference in cpu/, its case in
 * tests/kernels.
 */
#ifndef TUNDISH_KERNELS_OPS_H
#define TUNDISH_KERNELS_OPS_H

#include <stdbool.h>

#include "kernels/device.h"

#define KERNEL_OPS(X)                                                                        \
    X(embed) X(embed_grad) X(rmsnorm) X(rmsnorm_grad) X(matmul) X(rope) X(attention)         \
    X(attention_grad) X(cache_store) X(attention_cached) X(swiglu) X(swiglu_grad)            \
    X(cross_entropy) X(add) X(cast) X(sum_squares) X(adamw)

/* out[n] = table[ids[n]].  out: any [N, C]; table: any [V, C]; ids: i32 [1, N], each in [0, V). */
struct embed_args {
    struct tensor out, table, ids;
};
/* dtable[ids[n]] += dout[n], n in order.  dtable: f32 [V, C]; dout: f32 [N, C]. */
struct embed_grad_args {
    struct tensor dtable, dout, ids;
};
/* out = x * rstd * w, rstd[n] = 1 / sqrt(mean(x[n]^2) + eps) (Zhang and Sennrich 2019, eq. 4).
 * out: any [N, C]; x: f32 [N, C]; w: f32 [1, C]; rstd: f32 [1, N], written; p = NULL: not kept. */
struct rmsnorm_args {
    struct tensor out, x, w, rstd;
    float eps;
};
/* dx += d(out)/dx, dw += sum over n.  dx: f32 [N, C]; dw: f32 [1, C]; dout: any [N, C]. */
struct rmsnorm_grad_args {
    struct tensor dx, dw, dout, x, w, rstd;
};
/* out[M, N] (+)= op(a)[M, K] op(b)[K, N], sums in f32.  a, b: the same type, any; out: any.
 * transpose_a: a is stored [K, M]; transpose_b: b is stored [N, K]. accumulate: adds to out (f32
 * only). row_invariant: a row of out has the same bits whatever M is and whatever the other rows
 * hold (what decoding needs: the same tokens alone and among others). */
struct matmul_args {
    struct tensor out, a, b;
    bool transpose_a, transpose_b, accumulate, row_invariant;
};
/* Rotary position embedding in place (Su et al. 2021, eq. 34; the half-split pairing (i, i + D/2)
 * of Hugging Face's Llama). x: any [N, heads * D]; positions: i32 [1, N]; table: f32 [positions,
 * D], row p = D/2 cosines then D/2 sines (rope_fill). inverse: rotates back (the gradient). */
struct rope_args {
    struct tensor x, positions, table;
    int64_t head_width;
    bool inverse;
};
/* Causal softmax(q k^T / sqrt(D)) v for B rows of T positions, N = B * T; query head h reads key
 * head h * K / H. q, out: any [N, H * D]; k, v: the same type [N, K * D]; lse: f32 [N, H], log of
 * the sum of exponentials, kept for the gradient (p = NULL: not kept). first: i32 [1, N], the first
 * position of its row that n may see (document start; p = NULL: 0). */
struct attention_args {
    struct tensor out, q, k, v, lse, first;
    int64_t batch, heads, kv_heads, head_width;
};
/* dq, dk, dv are written (not added).  Types as above; dout, dq, dk, dv: the type of q. */
struct attention_grad_args {
    struct tensor dq, dk, dv, dout, out, q, k, v, lse, first;
    int64_t batch, heads, kv_heads, head_width;
};
/* A paged cache of keys or values: page i holds page_tokens rows of K * D elements, from element
 * i * page_tokens * K * D on. */
struct kv_pages {
    void *p;
    enum dtype type;
    int64_t pages, page_tokens;
};
/* Row n of k and v goes to position positions[n] of sequence sequences[n]; pages: i32 [S,
 * max_pages], page numbers by sequence. */
struct cache_store_args {
    struct kv_pages k_cache, v_cache;
    /* k, v: any [N, K * D]; sequences, positions: i32 [1, N] */
    struct tensor k, v, pages, sequences, positions;
};
/* Row n attends to positions 0 .. positions[n] of its sequence in the cache (prefill and decode
 * alike; keys must have been stored). Row-invariant.  q, out: any [N, H * D]. */
struct attention_cached_args {
    struct tensor out, q;
    struct kv_pages k_cache, v_cache;
    struct tensor pages, sequences, positions;
    int64_t heads, kv_heads, head_width;
};
/* out = silu(gate) * up (Shazeer 2020, eq. 6).  All any, one type, [N, F]. */
struct swiglu_args {
    struct tensor out, gate, up;
};
struct swiglu_grad_args {
    struct tensor dgate, dup, dout, gate, up;
};
/* losses[n] = -log softmax(logits[n])[targets[n]], 0 where targets[n] < 0.  logits: f32 [N, V];
 * losses: f32 [1, N]. dlogits: any [N, V] = (softmax - onehot) * scale, 0 where ignored; p = NULL:
 * not wanted; may be logits itself (f32). */
struct cross_entropy_args {
    struct tensor losses, dlogits, logits, targets;
    float scale;
};
/* out += alpha * x.  f32, same shape. */
struct add_args {
    struct tensor out, x;
    float alpha;
};
/* out = x converted (round to nearest even).  any to any, same shape. */
struct cast_args {
    struct tensor out, x;
};
/* *out = sum of x^2 in f64, in a fixed tree.  x: f32 [1, n]; out: device memory, f64. */
struct sum_squares_args {
    double *out;
    struct tensor x;
};
/* One AdamW step (Loshchilov and Hutter 2019, alg. 2), in one pass over memory; all [1, n], f32;
 * copy: bf16, the rounded parameters (p = NULL: none). g is multiplied by scale first (clipping).
 * step counts from 1. */
struct adamw_args {
    struct tensor param, grad, m, v, copy;
    float lr, beta1, beta2, eps, decay, scale;
    int64_t step;
};

#define X(op) MUST_USE enum status op_##op(struct stream *s, const struct op##_args *args);
KERNEL_OPS(X)
#undef X

/* Fills host memory: table[p][i] = cos(p * theta^(-2i/D)), table[p][D/2 + i] = sin(...), i < D/2;
 * in f64, rounded once. */
void rope_fill(float *table, int64_t positions, int64_t head_width, double theta);

#endif
