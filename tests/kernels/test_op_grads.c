/*
 * Gradients against central differences of a forward pass in f64 that is written here, from the
 * formulas in ops.h alone. On the variants this machine chooses, over the rows of
 * kernels/op_cases.h with USE_GRAD.
 */
#include <math.h>
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

#define TOLERANCE 3e-4

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

/* The operands of a case in f64, dense, by name. */
struct point {
    const struct op_run *r;
    double *v[OP_OPERANDS];
};

static int index_of(const struct op_run *r, const char *name)
{
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->operands[i].name, name) == 0)
            return i;
    print_error("no operand '%s'\n", name);
    assert_true(false);
    return 0;
}

static double *widen(const struct tensor *t)
{
    double *v = mem_array((size_t)(t->rows * t->cols) + 1, sizeof *v);
    float tmp;

    for (int64_t r = 0; r < t->rows; r++)
        for (int64_t c = 0; c < t->cols; c++)
            v[r * t->cols + c] =
                t->type == DT_I32 ? value_i32(t, r)[c] : *value_row(t, r, c, 1, &tmp);
    return v;
}

static void point_init(struct point *p, const struct op_run *r)
{
    p->r = r;
    for (int i = 0; i < r->count; i++)
        p->v[i] = widen(&r->operands[i].t);
}

static void point_release(struct point *p)
{
    for (int i = 0; i < p->r->count; i++)
        free(p->v[i]);
}

static double *at(const struct point *p, const char *name) { return p->v[index_of(p->r, name)]; }

/* ---- forward passes; each returns the sum of the result times dout ---- */

static double embed_loss(const struct point *p)
{
    const struct op_case *c = p->r->c;
    const double *table = at(p, "dtable"), *dout = at(p, "dout"), *ids = at(p, "ids");
    double loss = 0;

    for (int64_t n = 0; n < c->rows; n++)
        for (int64_t i = 0; i < c->cols; i++)
            loss += dout[n * c->cols + i] * table[(int64_t)ids[n] * c->cols + i];
    return loss;
}

static double rmsnorm_loss(const struct point *p)
{
    const struct op_case *c = p->r->c;
    const double *x = at(p, "x"), *w = at(p, "w"), *dout = at(p, "dout");
    double loss = 0;

    for (int64_t n = 0; n < c->rows; n++, x += c->cols, dout += c->cols) {
        double squares = 0;
        for (int64_t i = 0; i < c->cols; i++)
            squares += x[i] * x[i];
        for (int64_t i = 0; i < c->cols; i++)
            loss += dout[i] * x[i] * w[i] / sqrt(squares / (double)c->cols + 1e-5);
    }
    return loss;
}

/* Query row n, head h. */
static double attention_row_loss(const struct point *p, int64_t n, int64_t h, const double *first)
{
    const struct op_case *c = p->r->c;
    const int64_t D = c->width, H = c->heads, K = c->kv_heads, T = c->rows / c->batch,
                  start = n / T * T;
    const int64_t from = start + (first ? (int64_t)first[n] : 0), kv = h * K / H;
    const double *q = at(p, "q") + (n * H + h) * D, *dout = at(p, "dout") + (n * H + h) * D;
    const double *k = at(p, "k"), *v = at(p, "v");
    double sum = 0, loss = 0;

    for (int64_t j = from; j <= n; j++) {
        double score = 0, value = 0;
        for (int64_t i = 0; i < D; i++) {
            score += q[i] * k[(j * K + kv) * D + i];
            value += dout[i] * v[(j * K + kv) * D + i];
        }
        const double e = exp(score / sqrt((double)D));
        sum += e;
        loss += e * value;
    }
    return loss / sum;
}

static double attention_loss(const struct point *p)
{
    const struct op_case *c = p->r->c;
    const double *first = c->documents ? at(p, "first") : NULL;
    double loss = 0;

    for (int64_t n = 0; n < c->rows; n++)
        for (int64_t h = 0; h < c->heads; h++)
            loss += attention_row_loss(p, n, h, first);
    return loss;
}

static double swiglu_loss(const struct point *p)
{
    const int64_t n = p->r->c->rows * p->r->c->cols;
    const double *gate = at(p, "gate"), *up = at(p, "up"), *dout = at(p, "dout");
    double loss = 0;

    for (int64_t i = 0; i < n; i++)
        loss += dout[i] * gate[i] / (1 + exp(-gate[i])) * up[i];
    return loss;
}

static double cross_entropy_loss(const struct point *p)
{
    const struct op_case *c = p->r->c;
    const double *logits = at(p, "logits"), *targets = at(p, "targets");
    double loss = 0;

    for (int64_t n = 0; n < c->rows; n++, logits += c->cols) {
        double sum = 0;
        for (int64_t i = 0; i < c->cols; i++)
            sum += exp(logits[i]);
        if (targets[n] >= 0)
            loss += log(sum) - logits[(int64_t)targets[n]];
    }
    return loss * p->r->args.cross_entropy.scale;
}

/* The result of the matrix product times weights that are drawn by element. */
static double weight(int64_t i) { return rng_normal_at(11, 0, (uint64_t)i); }

static double matmul_loss(const struct point *p)
{
    const struct op_case *c = p->r->c;
    const double *a = at(p, "a"), *b = at(p, "b");
    double loss = 0;

    for (int64_t m = 0; m < c->rows; m++)
        for (int64_t n = 0; n < c->cols; n++)
            for (int64_t k = 0; k < c->inner; k++)
                loss += weight(m * c->cols + n) * a[m * c->inner + k] *
                        (c->transpose_b ? b[n * c->inner + k] : b[k * c->cols + n]);
    return loss;
}

static double rope_loss(const struct point *p)
{
    const struct op_case *c = p->r->c;
    const int64_t half = c->width / 2, cols = c->heads * c->width;
    const double *x = at(p, "x"), *positions = at(p, "positions");
    double loss = 0;

    for (int64_t i = 0; i < c->rows * cols; i++) {
        const int64_t d = i % c->width, pair = d % half, low = i - d + pair;
        const double angle =
            positions[i / cols] * pow(10000, -2.0 * (double)pair / (double)c->width);
        const double turned = d < half ? x[low] * cos(angle) - x[low + half] * sin(angle)
                                       : x[low + half] * cos(angle) + x[low] * sin(angle);
        loss += weight(i) * turned;
    }
    return loss;
}

/* ---- the comparison ---- */

static double rms(const double *x, int64_t n)
{
    double squares = 0;

    for (int64_t i = 0; i < n; i++)
        squares += x[i] * x[i];
    return sqrt(squares / (double)n);
}

/* got: the gradient of loss by the named operand. */
static void check_gradient(const struct op_run *r, double (*loss)(const struct point *),
                           const char *name, const double *got)
{
    const struct tensor *t = &r->operands[index_of(r, name)].t;
    const int64_t n = t->rows * t->cols;
    double *want = mem_array((size_t)n, sizeof *want), *x, size;
    char text[96];
    struct point p;

    point_init(&p, r);
    x = at(&p, name);
    for (int64_t i = 0; i < n; i++) {
        const double h = 1e-4, old = x[i];
        x[i] = old + h;
        want[i] = loss(&p);
        x[i] = old - h;
        want[i] = (want[i] - loss(&p)) / (2 * h);
        x[i] = old;
    }
    size = rms(want, n);
    assert_true(size > 1e-3);
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(got[i] - want[i]) <= TOLERANCE * (fabs(want[i]) + size))) {
            print_error("%s: gradient by %s[%d] is %g, want %g\n", op_case_name(r->c, text), name,
                        (int)i, got[i], want[i]);
            assert_true(false);
        }
    free(want);
    point_release(&p);
}

/* Operations that give the gradient of `input` in `grad`; where they add, what was there before is
 * taken off. */
static const struct gradient {
    enum kernel_op op;
    const char *input, *grad;
    bool adds;
    double (*loss)(const struct point *);
} gradients[] = {
    { KERNEL_OP_embed_grad, "dtable", "dtable", true, embed_loss },
    { KERNEL_OP_rmsnorm_grad, "x", "dx", true, rmsnorm_loss },
    { KERNEL_OP_rmsnorm_grad, "w", "dw", true, rmsnorm_loss },
    { KERNEL_OP_attention_grad, "q", "dq", false, attention_loss },
    { KERNEL_OP_attention_grad, "k", "dk", false, attention_loss },
    { KERNEL_OP_attention_grad, "v", "dv", false, attention_loss },
    { KERNEL_OP_swiglu_grad, "gate", "dgate", false, swiglu_loss },
    { KERNEL_OP_swiglu_grad, "up", "dup", false, swiglu_loss },
    { KERNEL_OP_cross_entropy, "logits", "dlogits", false, cross_entropy_loss },
};

static void check_case(const struct op_case *c, const struct gradient *g)
{
    struct op_run *r = op_run_new(c, stream);
    const int grad = index_of(r, g->grad);
    const struct tensor *t = &r->operands[grad].t;
    double *before = widen(t);

    assert_int_equal(op_run_go(r, stream), ST_OK);
    double *got = widen(t);
    for (int64_t i = 0; i < t->rows * t->cols && g->adds; i++)
        got[i] -= before[i];
    check_gradient(r, g->loss, g->input, got);
    free(before);
    free(got);
    op_run_free(r);
}

static void gradients_agree_with_finite_differences(void **state)
{
    for (size_t g = 0; g < sizeof gradients / sizeof gradients[0]; g++) {
        int checked = 0;
        for (int i = 0; i < op_cases_count; i++)
            if ((op_cases[i].use & USE_GRAD) && op_cases[i].op == gradients[g].op) {
                check_case(&op_cases[i], &gradients[g]);
                checked++;
            }
        assert_true(checked > 0);
    }
}

static struct tensor weights_of(int64_t rows, int64_t cols)
{
    const struct tensor t =
        tensor_of(mem_alloc_aligned((size_t)(rows * cols) * 4), DT_F32, rows, cols);

    for (int64_t i = 0; i < rows * cols; i++)
        ((float *)t.p)[i] = (float)weight(i);
    return t;
}

static void check_product(const struct op_run *r, const struct matmul_args *args, const char *by)
{
    assert_int_equal(op_matmul(stream, args), ST_OK);
    double *got = widen(&args->out);
    check_gradient(r, matmul_loss, by, got);
    free(got);
    mem_free_aligned(args->out.p);
}

/* How a model takes them: da = dout b^T or dout b; db = dout^T a or a^T dout. */
static void products_give_the_gradients_of_a_product(void **state)
{
    for (int i = 0; i < op_cases_count; i++) {
        const struct op_case *c = &op_cases[i];
        if (c->op != KERNEL_OP_matmul || !(c->use & USE_GRAD))
            continue;
        struct op_run *r = op_run_new(c, stream);
        const struct matmul_args f = r->args.matmul;
        const struct tensor dout = weights_of(c->rows, c->cols);
        const struct tensor da = weights_of(c->rows, c->inner), db = weights_of(f.b.rows, f.b.cols);
        check_product(
            r,
            &(struct matmul_args){ .out = da, .a = dout, .b = f.b, .transpose_b = !c->transpose_b },
            "a");
        if (c->transpose_b)
            check_product(
                r, &(struct matmul_args){ .out = db, .a = dout, .b = f.a, .transpose_a = true },
                "b");
        else
            check_product(
                r, &(struct matmul_args){ .out = db, .a = f.a, .b = dout, .transpose_a = true },
                "b");
        mem_free_aligned(dout.p);
        op_run_free(r);
    }
}

static void rotating_back_is_the_gradient_of_rope(void **state)
{
    for (int i = 0; i < op_cases_count; i++) {
        const struct op_case *c = &op_cases[i];
        if (c->op != KERNEL_OP_rope || !(c->use & USE_GRAD))
            continue;
        struct op_run *r = op_run_new(c, stream);
        const struct tensor dx = weights_of(c->rows, c->heads * c->width);
        struct rope_args back = r->args.rope;
        back.x = dx;
        back.inverse = true;
        assert_int_equal(op_rope(stream, &back), ST_OK);
        double *got = widen(&dx);
        check_gradient(r, rope_loss, "x", got);
        free(got);
        mem_free_aligned(dx.p);
        op_run_free(r);
    }
}

/* The portable reference and what this machine chooses. */
static void choose(bool portable)
{
    cpu_table(portable ? &(struct cpu_features){ 0 } : cpu_features(), &device->ops);
}

static int use_portable(void **state)
{
    choose(true);
    return 0;
}
static int use_best(void **state)
{
    choose(false);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gradients_agree_with_finite_differences, use_portable),
        cmocka_unit_test_setup(products_give_the_gradients_of_a_product, use_portable),
        cmocka_unit_test_setup(rotating_back_is_the_gradient_of_rope, use_portable),
        cmocka_unit_test_setup(gradients_agree_with_finite_differences, use_best),
        cmocka_unit_test_setup(products_give_the_gradients_of_a_product, use_best),
        cmocka_unit_test_setup(rotating_back_is_the_gradient_of_rope, use_best),
    };
    return cmocka_run_group_tests(tests, open_stream, close_stream);
}
