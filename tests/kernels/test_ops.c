/* Every variant of every operation against the portable reference, over the table of
 * kernels/op_cases.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/value.h"
#include "kernels/op_cases.h"

#define complain(...)              \
    do {                           \
        print_error(__VA_ARGS__);  \
        print_error("\n");         \
        assert_true(false);        \
    } while (0)

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

/* The device's slots are the portable ones, with `over` on top (NULL: nothing). */
static void use_variant(const struct op_table *over)
{
    cpu_table(&(struct cpu_features){ 0 }, &device->ops);
    if (over != NULL)
        op_table_overlay(&device->ops, over);
}

static size_t operand_bytes(const struct tensor *t)
{
    return (size_t)(t->rows * t->stride) * dtype_size(t->type);
}

/* Copies of the operands' memory. */
struct saved {
    void *p[OP_OPERANDS];
};
static void save(const struct op_run *r, struct saved *to)
{
    for (int i = 0; i < r->count; i++) {
        to->p[i] = mem_alloc(operand_bytes(&r->operands[i].t) + 1);
        memcpy(to->p[i], r->operands[i].t.p, operand_bytes(&r->operands[i].t));
    }
}
static void restore(const struct op_run *r, const struct saved *from)
{
    for (int i = 0; i < r->count; i++)
        memcpy(r->operands[i].t.p, from->p[i], operand_bytes(&r->operands[i].t));
}
static void release(const struct op_run *r, struct saved *s)
{
    for (int i = 0; i < r->count; i++)
        free(s->p[i]);
}

static double value(const struct tensor *t, int64_t r, int64_t c)
{
    float tmp;

    return *value_row(t, r, c, 1, &tmp);
}

static double rms(const struct tensor *t)
{
    double squares = 0;

    for (int64_t r = 0; r < t->rows; r++)
        for (int64_t c = 0; c < t->cols; c++)
            squares += value(t, r, c) * value(t, r, c);
    return sqrt(squares / (double)(t->rows * t->cols));
}

/* Worst ratio of the difference to what is allowed. */
static double compare(const struct tensor *got, const struct tensor *want, double tolerance)
{
    const double size =
        fmax(rms(want), 0.05); /* what should be 0 may be a rounding of terms of about 1 */
    double worst = 0;

    if (tolerance == 0)
        return memcmp(got->p, want->p, operand_bytes(got)) == 0 ? 0 : INFINITY;
    if (got->type == DT_BF16)
        tolerance = fmax(tolerance, OP_CASE_BF16);
    for (int64_t r = 0; r < got->rows; r++)
        for (int64_t c = 0; c < got->cols; c++) {
            const double x = value(got, r, c), y = value(want, r, c);
            const double ratio = fabs(x - y) / (tolerance * (fabs(y) + size) + 1e-30);
            if (!(ratio <= worst))
                worst = ratio;
        }
    return worst;
}

/* Nothing was written between the columns and the stride, nor into an input. */
static void assert_untouched(const struct op_run *r, const struct saved *before)
{
    for (int i = 0; i < r->count; i++) {
        const struct tensor *t = &r->operands[i].t;
        const size_t size = dtype_size(t->type), row = (size_t)t->stride * size;
        for (int64_t n = 0; n < t->rows; n++) {
            const size_t from =
                (size_t)n * row + (r->operands[i].output ? (size_t)t->cols * size : 0);
            if (memcmp((char *)t->p + from, (char *)before->p[i] + from,
                       (size_t)(n + 1) * row - from) != 0)
                complain("%s was written where it must not be, row %d", r->operands[i].name,
                         (int)n);
        }
    }
}

static void check_case(const struct op_case *c, const struct op_table *variant)
{
    char name[96];
    struct saved before, want;

    use_variant(NULL);
    struct op_run *r = op_run_new(c, stream);
    save(r, &before);
    assert_int_equal(op_run_go(r, stream), ST_OK);
    save(r, &want);
    restore(r, &before);
    use_variant(variant);
    assert_int_equal(op_run_go(r, stream), ST_OK);
    assert_untouched(r, &before);
    for (int i = 0; i < r->count; i++) {
        struct tensor reference = r->operands[i].t;
        reference.p = want.p[i];
        const double worst =
            r->operands[i].output ? compare(&r->operands[i].t, &reference, c->tolerance) : 0;
        if (!(worst <= 1))
            complain("%s, variant %s: %s is %.3g times the tolerance away from the reference",
                     op_case_name(c, name), variant ? variant->name : "portable",
                     r->operands[i].name, worst);
    }
    release(r, &before);
    release(r, &want);
    op_run_free(r);
}

static void every_variant_agrees_with_the_reference(void **state)
{
    int checked = 0;

    for (const struct cpu_variant *v = cpu_variants; v->ops != NULL; v++) {
        if (!v->usable(cpu_features()))
            continue;
        for (int i = 0; i < op_cases_count; i++)
            if ((op_cases[i].use & USE_TEST) && op_table_has(v->ops, op_cases[i].op)) {
                check_case(&op_cases[i], v->ops);
                checked++;
            }
    }
    assert_true(checked >= op_cases_count / 2);
}

static void every_operation_has_a_case(void **state)
{
    for (int op = 0; op < KERNEL_OP_COUNT; op++) {
        unsigned use = 0;
        for (int i = 0; i < op_cases_count; i++)
            if ((int)op_cases[i].op == op)
                use |= op_cases[i].use;
        if (!(use & USE_TEST) || !(use & USE_BENCH))
            complain("operation %s lacks a case", kernel_op_name((enum kernel_op)op));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_a_case),
        cmocka_unit_test(every_variant_agrees_with_the_reference),
    };
    return cmocka_run_group_tests(tests, open_stream, close_stream);
}
