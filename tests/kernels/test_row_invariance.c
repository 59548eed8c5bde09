/* A row's bits do not depend on what else is in the call: matmul with row_invariant, and
 * attention_cached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/rng.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/value.h"
#include "kernels/op_cases.h"

enum { ROWS = 64 };
static const int64_t counts[] = { 1, 2, 3, 7, 16, ROWS };

static struct device *device;
static struct stream *stream;

static int open_stream(void **state)
{
    return device_open("cpu", &device) != ST_OK || stream_open(device, &stream) != ST_OK;
}

static int close_stream(void **state)
{
    stream_close(stream);
    device_close(device);
    return 0;
}

/* Runs the case's rows [0, count) alone into `out`, for each count; the rows must have the bits of
 * all 64. */
static void check_rows(const struct op_case *c, void (*cut)(struct op_run *, int64_t count))
{
    struct op_run *all = op_run_new(c, stream);
    const struct tensor want = *op_run_operand(all, "out");
    const size_t row = (size_t)want.stride * dtype_size(want.type);
    char *first = mem_alloc((size_t)ROWS * row);

    assert_int_equal(op_run_go(all, stream), ST_OK);
    memcpy(first, want.p, (size_t)ROWS * row);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        memset(want.p, 0, (size_t)ROWS * row);
        cut(all, counts[i]);
        assert_int_equal(op_run_go(all, stream), ST_OK);
        assert_memory_equal(want.p, first, (size_t)counts[i] * row);
    }
    free(first);
    op_run_free(all);
}

static void cut_matmul(struct op_run *r, int64_t count)
{
    r->args.matmul.a.rows = r->args.matmul.out.rows = count;
}

static void cut_attention(struct op_run *r, int64_t count)
{
    struct attention_cached_args *a = &r->args.attention_cached;

    a->q.rows = a->out.rows = a->sequences.cols = a->positions.cols = count;
}

static void each_variant(const struct op_case *c, void (*cut)(struct op_run *, int64_t))
{
    for (const struct cpu_variant *v = cpu_variants; v->ops != NULL; v++) {
        if (!v->usable(cpu_features()) || !op_table_has(v->ops, c->op))
            continue;
        cpu_table(&(struct cpu_features){ 0 }, &device->ops);
        op_table_overlay(&device->ops, v->ops);
        check_rows(c, cut);
    }
}

static void matmul_rows_are_the_same_alone_and_among_others(void **state)
{
    static const struct op_case cases[] = {
        { .op = KERNEL_OP_matmul,
          .type = DT_F32,
          .out = DT_F32,
          .cols = 70,
          .inner = 333,
          .transpose_b = true },
        { .op = KERNEL_OP_matmul,
          .type = DT_BF16,
          .out = DT_F32,
          .cols = 70,
          .inner = 333,
          .transpose_b = true },
        { .op = KERNEL_OP_matmul,
          .type = DT_BF16,
          .out = DT_BF16,
          .cols = 256,
          .inner = 128,
          .transpose_b = true },
        { .op = KERNEL_OP_matmul, .type = DT_BF16, .out = DT_BF16, .cols = 33, .inner = 1200 },
        { .op = KERNEL_OP_matmul, .type = DT_F32, .out = DT_F32, .cols = 33, .inner = 100 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct op_case c = cases[i];
        c.rows = ROWS;
        c.row_invariant = true;
        each_variant(&c, cut_matmul);
    }
}

static void cached_attention_rows_are_the_same_alone_and_among_others(void **state)
{
    static const struct op_case cases[] = {
        { .op = KERNEL_OP_attention_cached,
          .type = DT_F32,
          .out = DT_F32,
          .rows = ROWS,
          .batch = 5,
          .inner = 90,
          .heads = 6,
          .kv_heads = 2,
          .width = 24 },
        { .op = KERNEL_OP_attention_cached,
          .type = DT_BF16,
          .out = DT_BF16,
          .rows = ROWS,
          .batch = 3,
          .inner = 150,
          .heads = 4,
          .kv_heads = 2,
          .width = 64 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        each_variant(&cases[i], cut_attention);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matmul_rows_are_the_same_alone_and_among_others),
        cmocka_unit_test(cached_attention_rows_are_the_same_alone_and_among_others),
    };
    return cmocka_run_group_tests(tests, open_stream, close_stream);
}
