/* The table of op_cases.h, included by op_cases.c alone. */
#include "kernels/op_cases.h"

#define OP(name) .op = KERNEL_OP_##name
#define TF32 .type = DT_F32, .out = DT_F32
#define TBF16 .type = DT_BF16, .out = DT_BF16
#define TMIXED .type = DT_BF16, .out = DT_F32        /* bf16 in, f32 out */
#define TROUND .type = DT_F32, .out = DT_BF16

const struct op_case op_cases[] = {
    /* embedding */
    { OP(embed), .use = USE_TEST, TF32, .rows = 5, .cols = 37, .inner = 11 },
    { OP(embed), .use = USE_TEST, TMIXED, .rows = 33, .cols = 70, .inner = 50, .pad = 3 },
    { OP(embed), .use = USE_TEST, TROUND, .rows = 1, .cols = 16, .inner = 3 },
    { OP(embed), .use = USE_BENCH, TF32, .rows = 1024, .cols = 256, .inner = 4096 },
    { OP(embed_grad), .use = USE_TEST | USE_GRAD, TF32, .rows = 9, .cols = 21, .inner = 4, .tolerance = 1e-6 },
    { OP(embed_grad), .use = USE_TEST, TF32, .rows = 40, .cols = 64, .inner = 7, .pad = 1, .tolerance = 1e-6 },
    { OP(embed_grad), .use = USE_BENCH, TF32, .rows = 1024, .cols = 256, .inner = 4096 },

    /* rmsnorm */
    { OP(rmsnorm), .use = USE_TEST, TF32, .rows = 1, .cols = 1, .tolerance = 1e-6 },
    { OP(rmsnorm), .use = USE_TEST, TF32, .rows = 3, .cols = 45, .pad = 2, .tolerance = 1e-6 },
    { OP(rmsnorm), .use = USE_TEST, TROUND, .rows = 17, .cols = 256, .tolerance = 1e-5 },
    { OP(rmsnorm), .use = USE_TEST, TROUND, .rows = 2, .cols = 77, .pad = 5, .tolerance = 1e-5 },
    { OP(rmsnorm), .use = USE_BENCH, TROUND, .rows = 1024, .cols = 256 },
    { OP(rmsnorm_grad), .use = USE_TEST | USE_GRAD, TF32, .rows = 4, .cols = 19, .tolerance = 1e-5 },
    { OP(rmsnorm_grad), .use = USE_TEST, TF32, .rows = 11, .cols = 64, .pad = 3, .tolerance = 1e-5 },
    { OP(rmsnorm_grad), .use = USE_TEST, TBF16, .rows = 7, .cols = 131, .pad = 1, .tolerance = 1e-5 },
    { OP(rmsnorm_grad), .use = USE_BENCH, TBF16, .rows = 1024, .cols = 256 },

    /* matmul: all ways round, ragged, strided, one row, K over one block */
    { OP(matmul), .use = USE_TEST, TF32, .rows = 1, .cols = 1, .inner = 1, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST | USE_GRAD, TF32, .rows = 5, .cols = 7, .inner = 9, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST | USE_GRAD, TF32, .rows = 3, .cols = 6, .inner = 4, .transpose_b = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 37, .cols = 83, .inner = 29, .transpose_b = true, .pad = 3, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 70, .cols = 33, .inner = 65, .transpose_a = true, .pad = 1, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 50, .cols = 100, .inner = 40, .transpose_a = true, .accumulate = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 13, .cols = 130, .inner = 41, .transpose_a = true, .transpose_b = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 30, .cols = 40, .inner = 1300, .accumulate = true, .tolerance = 2e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 200, .cols = 1100, .inner = 8, .transpose_b = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 1, .cols = 65, .inner = 130, .transpose_b = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TBF16, .rows = 1, .cols = 3, .inner = 1, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TBF16, .rows = 37, .cols = 83, .inner = 29, .transpose_b = true, .pad = 3, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TBF16, .rows = 61, .cols = 48, .inner = 64, .transpose_b = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TBF16, .rows = 19, .cols = 70, .inner = 2601, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TMIXED, .rows = 33, .cols = 34, .inner = 35, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TMIXED, .rows = 70, .cols = 130, .inner = 51, .transpose_a = true, .accumulate = true, .pad = 5, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TMIXED, .rows = 21, .cols = 22, .inner = 23, .transpose_a = true, .transpose_b = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TROUND, .rows = 9, .cols = 31, .inner = 600, .transpose_b = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 1, .cols = 77, .inner = 53, .transpose_b = true, .row_invariant = true, .pad = 1, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 11, .cols = 35, .inner = 64, .transpose_b = true, .row_invariant = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TF32, .rows = 3, .cols = 9, .inner = 100, .transpose_b = true, .row_invariant = true, .accumulate = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TBF16, .rows = 7, .cols = 66, .inner = 127, .transpose_b = true, .row_invariant = true, .pad = 1, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TMIXED, .rows = 2, .cols = 130, .inner = 96, .transpose_b = true, .row_invariant = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_TEST, TMIXED, .rows = 14, .cols = 20, .inner = 31, .row_invariant = true, .tolerance = 1e-5 },
    { OP(matmul), .use = USE_BENCH, TBF16, .rows = 1024, .cols = 512, .inner = 256, .transpose_b = true },
    { OP(matmul), .use = USE_BENCH, TBF16, .rows = 1024, .cols = 1376, .inner = 256, .transpose_b = true },
    { OP(matmul), .use = USE_BENCH, TBF16, .rows = 1024, .cols = 256, .inner = 688, .transpose_b = true },
    { OP(matmul), .use = USE_BENCH, TMIXED, .rows = 1024, .cols = 4096, .inner = 256, .transpose_b = true },
    { OP(matmul), .use = USE_BENCH, TBF16, .rows = 1024, .cols = 256, .inner = 1376 },
    { OP(matmul), .use = USE_BENCH, TMIXED, .rows = 1376, .cols = 256, .inner = 1024, .transpose_a = true, .accumulate = true },
    { OP(matmul), .use = USE_BENCH, TF32, .rows = 1024, .cols = 1376, .inner = 256, .transpose_b = true },
    { OP(matmul), .use = USE_BENCH, TF32, .rows = 1376, .cols = 256, .inner = 1024, .transpose_a = true, .accumulate = true },
    { OP(matmul), .use = USE_BENCH, TBF16, .rows = 1, .cols = 4096, .inner = 1024, .transpose_b = true, .row_invariant = true },
    { OP(matmul), .use = USE_BENCH, TBF16, .rows = 8, .cols = 4096, .inner = 1024, .transpose_b = true, .row_invariant = true },
    { OP(matmul), .use = USE_BENCH, TBF16, .rows = 128, .cols = 4096, .inner = 1024, .transpose_b = true, .row_invariant = true },
    { OP(matmul), .use = USE_BENCH, TF32, .rows = 1, .cols = 4096, .inner = 1024, .transpose_b = true, .row_invariant = true },
    { OP(matmul), .use = USE_BENCH, TF32, .rows = 128, .cols = 4096, .inner = 1024, .transpose_b = true, .row_invariant = true },

    /* rope (transpose_a: inverse) */
    { OP(rope), .use = USE_TEST | USE_GRAD, TF32, .rows = 5, .heads = 3, .width = 10, .tolerance = 1e-6 },
    { OP(rope), .use = USE_TEST, TF32, .rows = 4, .heads = 2, .width = 64, .pad = 7, .transpose_a = true, .tolerance = 1e-6 },
    { OP(rope), .use = USE_TEST, TBF16, .rows = 6, .heads = 2, .width = 64, .tolerance = 1e-5 },
    { OP(rope), .use = USE_TEST, TBF16, .rows = 3, .heads = 1, .width = 46, .pad = 1, .transpose_a = true, .tolerance = 1e-5 },
    { OP(rope), .use = USE_BENCH, TBF16, .rows = 1024, .heads = 4, .width = 64 },

    /* attention: groups, documents, lengths that fill no block, narrow and wide heads, one row */
    { OP(attention), .use = USE_TEST, TF32, .rows = 1, .batch = 1, .heads = 1, .kv_heads = 1, .width = 8, .tolerance = 1e-5 },
    { OP(attention), .use = USE_TEST, TF32, .rows = 3 * 37, .batch = 3, .heads = 4, .kv_heads = 2, .width = 16, .documents = true, .pad = 3, .tolerance = 1e-5 },
    { OP(attention), .use = USE_TEST, TF32, .rows = 2 * 100, .batch = 2, .heads = 2, .kv_heads = 1, .width = 64, .tolerance = 1e-5 },
    { OP(attention), .use = USE_TEST, TF32, .rows = 19, .batch = 1, .heads = 3, .kv_heads = 3, .width = 50, .tolerance = 1e-5 },
    { OP(attention), .use = USE_TEST, TF32, .rows = 150, .batch = 1, .heads = 1, .kv_heads = 1, .width = 128, .documents = true, .tolerance = 1e-5 },
    { OP(attention), .use = USE_TEST, TBF16, .rows = 2 * 75, .batch = 2, .heads = 4, .kv_heads = 2, .width = 64, .documents = true, .tolerance = 0.03 },
    { OP(attention), .use = USE_TEST, TBF16, .rows = 200, .batch = 1, .heads = 2, .kv_heads = 2, .width = 33, .pad = 1, .tolerance = 0.03 },
    { OP(attention), .use = USE_TEST, TBF16, .rows = 5, .batch = 5, .heads = 2, .kv_heads = 1, .width = 128, .tolerance = 0.03 },
    { OP(attention), .use = USE_BENCH, TBF16, .rows = 1024, .batch = 4, .heads = 4, .kv_heads = 2, .width = 64 },
    { OP(attention), .use = USE_BENCH, TBF16, .rows = 2048, .batch = 1, .heads = 4, .kv_heads = 2, .width = 64 },
    { OP(attention), .use = USE_BENCH, TF32, .rows = 1024, .batch = 4, .heads = 4, .kv_heads = 2, .width = 64 },
    { OP(attention_grad), .use = USE_TEST | USE_GRAD, TF32, .rows = 2 * 7, .batch = 2, .heads = 4, .kv_heads = 2, .width = 6, .documents = true, .tolerance = 1e-4 },
    { OP(attention_grad), .use = USE_TEST | USE_GRAD, TF32, .rows = 9, .batch = 1, .heads = 2, .kv_heads = 2, .width = 4, .tolerance = 1e-4 },
    { OP(attention_grad), .use = USE_TEST, TF32, .rows = 3 * 37, .batch = 3, .heads = 4, .kv_heads = 2, .width = 16, .documents = true, .pad = 3, .tolerance = 1e-4 },
    { OP(attention_grad), .use = USE_TEST, TF32, .rows = 2 * 150, .batch = 2, .heads = 2, .kv_heads = 1, .width = 64, .tolerance = 1e-4 },
    { OP(attention_grad), .use = USE_TEST, TF32, .rows = 300, .batch = 1, .heads = 1, .kv_heads = 1, .width = 66, .documents = true, .tolerance = 1e-4 },
    { OP(attention_grad), .use = USE_TEST, TF32, .rows = 1, .batch = 1, .heads = 1, .kv_heads = 1, .width = 8, .tolerance = 1e-4 },
    { OP(attention_grad), .use = USE_TEST, TBF16, .rows = 2 * 75, .batch = 2, .heads = 4, .kv_heads = 2, .width = 64, .documents = true, .tolerance = 0.04 },
    { OP(attention_grad), .use = USE_TEST, TBF16, .rows = 290, .batch = 1, .heads = 2, .kv_heads = 2, .width = 33, .pad = 1, .tolerance = 0.04 },
    { OP(attention_grad), .use = USE_BENCH, TBF16, .rows = 1024, .batch = 4, .heads = 4, .kv_heads = 2, .width = 64 },
    { OP(attention_grad), .use = USE_BENCH, TBF16, .rows = 2048, .batch = 1, .heads = 4, .kv_heads = 2, .width = 64 },
    { OP(attention_grad), .use = USE_BENCH, TF32, .rows = 1024, .batch = 4, .heads = 4, .kv_heads = 2, .width = 64 },

    /* the cache */
    { OP(cache_store), .use = USE_TEST, TF32, .rows = 5, .batch = 2, .inner = 40, .heads = 1, .kv_heads = 2, .width = 9 },
    { OP(cache_store), .use = USE_TEST, TROUND, .rows = 8, .batch = 3, .inner = 33, .heads = 1, .kv_heads = 1, .width = 64 },
    { OP(cache_store), .use = USE_BENCH, TBF16, .rows = 64, .batch = 64, .inner = 256, .heads = 4, .kv_heads = 2, .width = 64 },
    { OP(attention_cached), .use = USE_TEST, TF32, .rows = 1, .batch = 1, .inner = 1, .heads = 1, .kv_heads = 1, .width = 8, .tolerance = 1e-5 },
    { OP(attention_cached), .use = USE_TEST, TF32, .rows = 13, .batch = 3, .inner = 75, .heads = 4, .kv_heads = 2, .width = 20, .tolerance = 1e-5 },
    { OP(attention_cached), .use = USE_TEST, TBF16, .rows = 9, .batch = 2, .inner = 130, .heads = 6, .kv_heads = 2, .width = 64, .tolerance = 1e-5 },
    { OP(attention_cached), .use = USE_TEST, TBF16, .rows = 4, .batch = 2, .inner = 50, .heads = 2, .kv_heads = 2, .width = 35, .tolerance = 1e-5 },
    { OP(attention_cached), .use = USE_BENCH, TBF16, .rows = 1, .batch = 1, .inner = 1024, .heads = 8, .kv_heads = 4, .width = 64 },
    { OP(attention_cached), .use = USE_BENCH, TBF16, .rows = 64, .batch = 64, .inner = 512, .heads = 8, .kv_heads = 4, .width = 64 },

    /* the feed-forward part */
    { OP(swiglu), .use = USE_TEST, TF32, .rows = 3, .cols = 35, .pad = 4, .tolerance = 2e-6 },
    { OP(swiglu), .use = USE_TEST, TBF16, .rows = 5, .cols = 71, .pad = 71, .tolerance = 1e-5 },
    { OP(swiglu), .use = USE_BENCH, TBF16, .rows = 1024, .cols = 688, .pad = 688 },
    { OP(swiglu_grad), .use = USE_TEST | USE_GRAD, TF32, .rows = 3, .cols = 11, .tolerance = 3e-6 },
    { OP(swiglu_grad), .use = USE_TEST, TF32, .rows = 2, .cols = 50, .pad = 9, .tolerance = 3e-6 },
    { OP(swiglu_grad), .use = USE_TEST, TBF16, .rows = 5, .cols = 71, .pad = 71, .tolerance = 1e-5 },
    { OP(swiglu_grad), .use = USE_BENCH, TBF16, .rows = 1024, .cols = 688, .pad = 688 },

    /* the loss */
    { OP(cross_entropy), .use = USE_TEST | USE_GRAD, TF32, .rows = 5, .cols = 13, .tolerance = 2e-5 },
    { OP(cross_entropy), .use = USE_TEST, TF32, .rows = 1, .cols = 1, .tolerance = 2e-5 },
    { OP(cross_entropy), .use = USE_TEST, TF32, .rows = 9, .cols = 97, .in_place = true, .pad = 3, .tolerance = 2e-5 },
    { OP(cross_entropy), .use = USE_TEST, TROUND, .rows = 4, .cols = 1000, .tolerance = 1e-5 },
    { OP(cross_entropy), .use = USE_BENCH, TROUND, .rows = 1024, .cols = 4096 },

    /* the rest */
    { OP(add), .use = USE_TEST, TF32, .rows = 3, .cols = 47, .pad = 2, .tolerance = 1e-6 },
    { OP(add), .use = USE_BENCH, TF32, .rows = 1024, .cols = 256 },
    { OP(cast), .use = USE_TEST, TROUND, .rows = 3, .cols = 53, .pad = 1 },
    { OP(cast), .use = USE_TEST, TMIXED, .rows = 2, .cols = 70 },
    { OP(cast), .use = USE_TEST, TF32, .rows = 2, .cols = 5, .pad = 4 },
    { OP(cast), .use = USE_BENCH, TROUND, .rows = 1024, .cols = 256 },
    { OP(sum_squares), .use = USE_TEST, TF32, .cols = 1 },
    { OP(sum_squares), .use = USE_TEST, TF32, .cols = 1000 },
    { OP(sum_squares), .use = USE_BENCH, TF32, .cols = 4000000 },
    { OP(adamw), .use = USE_TEST, TF32, .cols = 103, .tolerance = 1e-6 },
    { OP(adamw), .use = USE_BENCH, TF32, .cols = 4000000 },
};
#undef OP
