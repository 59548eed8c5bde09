/*
 * Cases of operations: one table {operation, shapes, types, tolerance} that tests walk (every
 * variant against the reference, gradients against finite differences) and benchmarks time.
 *
 * op_run_new() makes the operands of a case: inputs from seeded random numbers, outputs zero (or
 * random, where an operation adds).
 *
 * To add a case: a row in op_cases.c. To add an operation: a build function there.
 */
#ifndef TUNDISH_KERNELS_OP_CASES_H
#define TUNDISH_KERNELS_OP_CASES_H

#include "kernels/backend.h"

enum op_case_use {
    USE_TEST = 1,       /* small: against the reference */
    USE_GRAD = 2,       /* tiny: against finite differences */
    USE_BENCH = 4,      /* a shape of training or serving */
};
struct op_case {
    enum kernel_op op;
    unsigned use;                       /* enum op_case_use */
    enum dtype type, out; /* of the operands that may be "any"; of the result where it may differ */
    int64_t rows, cols, inner;          /* N or M; C, F, V or N; K */
    int64_t batch, heads, kv_heads, width;
    bool transpose_a, transpose_b, accumulate, row_invariant;
    bool documents;                     /* attention: with `first` */
    bool in_place;                      /* cross_entropy: dlogits is logits */
    int pad;                            /* stride is wider than the columns by this */
    /* Against the reference: |x - y| <= tolerance * (|y| + rms(y)). For results in bf16 at least
     * OP_CASE_BF16: a unit in the last place (2^-8) for a sum that falls on the other side, and a
     * little. */
    double tolerance;
};
#define OP_CASE_BF16 0.0042
extern const struct op_case op_cases[];
extern const int op_cases_count;

enum { OP_OPERANDS = 12 };
struct op_operand {
    const char *name;                   /* as in ops.h */
    struct tensor t;
    bool output;
};
union op_args {
#define X(op) struct op##_args op;
    KERNEL_OPS(X)
#undef X
};
struct op_run {
    const struct op_case *c;
    union op_args args;
    struct op_operand operands[OP_OPERANDS];
    int count;
    double flops, bytes;                /* of one run: what must be computed, and moved at least */
};
/* setup: a stream on which what must come before (attention, before its gradient) is computed. */
struct op_run *op_run_new(const struct op_case *c, struct stream *setup);
void op_run_free(struct op_run *r);
enum status op_run_go(const struct op_run *r, struct stream *s);
struct tensor *op_run_operand(struct op_run *r, const char *name);
/* "matmul bf16 1024x512x256 tb" into out (at least 96 bytes). */
const char *op_case_name(const struct op_case *c, char *out);

#endif
