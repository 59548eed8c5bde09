/* The same call gives the same bits: on any thread, beside another one, again, and wherever the
 * operands lie. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "kernels/op_cases.h"

static struct device *device;

static int open_device(void **state) { return device_open("cpu", &device) != ST_OK; }

static int close_device(void **state)
{
    device_close(device);
    return 0;
}

static uint64_t digest_of_outputs(const struct op_run *r)
{
    uint64_t h = 0;

    for (int i = 0; i < r->count; i++) {
        const struct tensor *t = &r->operands[i].t;
        for (int64_t n = 0; n < t->rows && r->operands[i].output; n++) {
            const unsigned char *p =
                (const unsigned char *)t->p + (size_t)(n * t->stride) * dtype_size(t->type);
            for (size_t b = 0; b < (size_t)t->cols * dtype_size(t->type); b++)
                h = (h ^ p[b]) * 0x100000001b3;      /* FNV-1a */
        }
    }
    return h;
}

/* All test cases in one stream; sums[i] is the digest of case i's results. */
struct job {
    uint64_t sums[256];
    enum status st;
};
static void *run_all(void *arg)
{
    struct job *job = arg;
    struct stream *s;

    job->st = stream_open(device, &s);
    for (int i = 0; i < op_cases_count && job->st == ST_OK; i++) {
        if (!(op_cases[i].use & USE_TEST))
            continue;
        struct op_run *r = op_run_new(&op_cases[i], s);
        job->st = op_run_go(r, s);
        job->sums[i] = digest_of_outputs(r);
        op_run_free(r);
    }
    if (job->st == ST_OK)
        stream_close(s);
    return NULL;
}

static void two_threads_give_the_bits_of_one(void **state)
{
    static struct job alone, two[2];
    pthread_t threads[2];

    assert_true(op_cases_count <= 256);
    run_all(&alone);
    assert_int_equal(alone.st, ST_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_all, &two[i]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(two[i].st, ST_OK);
        assert_memory_equal(two[i].sums, alone.sums, sizeof alone.sums);
    }
}

/* A matrix product with every operand moved by some elements in memory. */
static void alignment_does_not_change_bits(void **state)
{
    static const struct op_case c = { .op = KERNEL_OP_matmul,
                                      .type = DT_BF16,
                                      .out = DT_F32,
                                      .rows = 50,
                                      .cols = 70,
                                      .inner = 130,
                                      .transpose_b = true };
    struct stream *s;

    assert_int_equal(stream_open(device, &s), ST_OK);
    struct op_run *r = op_run_new(&c, s);
    const struct matmul_args at = r->args.matmul;
    assert_int_equal(op_run_go(r, s), ST_OK);
    const uint64_t want = digest_of_outputs(r);
    char *a = mem_alloc_aligned((size_t)(50 * 130 + 64) * 2),
         *b = mem_alloc_aligned((size_t)(70 * 130 + 64) * 2);
    for (int shift = 1; shift < 32; shift += 5) {
        r->args.matmul.a.p = memcpy(a + 2 * shift, at.a.p, 50 * 130 * 2);
        r->args.matmul.b.p = memcpy(b + 2 * (32 - shift), at.b.p, 70 * 130 * 2);
        assert_int_equal(op_run_go(r, s), ST_OK);
        assert_true(digest_of_outputs(r) == want);
    }
    mem_free_aligned(a);
    mem_free_aligned(b);
    op_run_free(r);
    stream_close(s);
}

/* More shapes than a stream keeps plans for. Small integers: every sum is exact. */
static void ever_new_shapes_give_right_products(void **state)
{
    enum { MOST = 47, K = 8 };
    static float a[MOST * K], b[K * MOST], out[MOST * MOST];
    struct stream *s;

    for (int i = 0; i < MOST * K; i++) {
        a[i] = (float)(i % 7 - 3);
        b[i] = (float)(i % 5 - 2);
    }
    assert_int_equal(stream_open(device, &s), ST_OK);
    for (int64_t m = 1; m <= MOST; m++)
        for (int64_t n = 1; n <= MOST; n++) {
            const struct matmul_args args = { .out = tensor_of(out, DT_F32, m, n),
                                              .a = tensor_of(a, DT_F32, m, K),
                                              .b = tensor_of(b, DT_F32, K, n) };
            assert_int_equal(op_matmul(s, &args), ST_OK);
            for (int64_t i = 0; i < m * n; i++) {
                float want = 0;
                for (int k = 0; k < K; k++)
                    want += a[i / n * K + k] * b[k * n + i % n];
                assert_true(out[i] == want);
            }
        }
    stream_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_give_the_bits_of_one),
        cmocka_unit_test(alignment_does_not_change_bits),
        cmocka_unit_test(ever_new_shapes_give_right_products),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
