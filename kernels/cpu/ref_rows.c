/* Reference: operations that go row by row. */
#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/value.h"
#include "kernels/cpu/variants.h"

enum status ref_embed(struct stream *s, const struct embed_args *a)
{
    const int64_t n_rows = a->out.rows, width = a->out.cols;
    const int32_t *ids = a->ids.p;
    float *tmp = cpu_scratch(s, cpu_part(width, 4));

    for (int64_t n = 0; n < n_rows; n++) {
        BUG_IF(ids[n] < 0 || ids[n] >= a->table.rows);
        value_put(&a->out, n, 0, width, value_row(&a->table, ids[n], 0, width, tmp));
    }
    return ST_OK;
}

enum status ref_embed_grad(struct stream *s, const struct embed_grad_args *a)
{
    const int32_t *ids = a->ids.p;

    for (int64_t n = 0; n < a->dout.rows; n++) {
        BUG_IF(ids[n] < 0 || ids[n] >= a->dtable.rows);
        float *to = value_f32(&a->dtable, ids[n]);
        const float *from = value_f32(&a->dout, n);
        for (int64_t c = 0; c < a->dout.cols; c++)
            to[c] += from[c];
    }
    return ST_OK;
}

enum status ref_rmsnorm(struct stream *s, const struct rmsnorm_args *a)
{
    const int64_t width = a->x.cols;
    const float *w = a->w.p;
    float *tmp = cpu_scratch(s, cpu_part(width, 4));

    for (int64_t n = 0; n < a->x.rows; n++) {
        const float *x = value_f32(&a->x, n);
        double squares = 0;
        for (int64_t c = 0; c < width; c++)
            squares += (double)x[c] * x[c];
        const float rstd = (float)(1.0 / sqrt(squares / (double)width + a->eps));
        for (int64_t c = 0; c < width; c++)
            tmp[c] = x[c] * rstd * w[c];
        value_put(&a->out, n, 0, width, tmp);
        if (a->rstd.p != NULL)
            ((float *)a->rstd.p)[n] = rstd;
    }
    return ST_OK;
}

/* With y = x * rstd: dx = rstd * (g - y * mean(g * y)), g = dout * w. */
enum status ref_rmsnorm_grad(struct stream *s, const struct rmsnorm_grad_args *a)
{
    const int64_t width = a->x.cols;
    const float *w = a->w.p;
    float *dw = a->dw.p;
    float *tmp = cpu_scratch(s, cpu_part(width, 4));

    for (int64_t n = 0; n < a->x.rows; n++) {
        const float *x = value_f32(&a->x, n), *dout = value_row(&a->dout, n, 0, width, tmp);
        const float rstd = ((const float *)a->rstd.p)[n];
        float *dx = value_f32(&a->dx, n);
        double dot = 0;
        for (int64_t c = 0; c < width; c++)
            dot += (double)(dout[c] * w[c]) * (x[c] * rstd);
        const float mean = (float)(dot / (double)width);
        for (int64_t c = 0; c < width; c++) {
            const float y = x[c] * rstd;
            dx[c] += rstd * (dout[c] * w[c] - y * mean);
            dw[c] += dout[c] * y;
        }
    }
    return ST_OK;
}

static void rotate_head(float *x, const float *table, int64_t half, float sign)
{
    for (int64_t i = 0; i < half; i++) {
        const float cosine = table[i], sine = sign * table[half + i];
        const float low = x[i], high = x[half + i];
        x[i] = low * cosine - high * sine;
        x[half + i] = high * cosine + low * sine;
    }
}

enum status ref_rope(struct stream *s, const struct rope_args *a)
{
    const int64_t width = a->head_width;
    const int32_t *positions = a->positions.p;
    float *tmp = cpu_scratch(s, cpu_part(a->x.cols, 4));

    for (int64_t n = 0; n < a->x.rows; n++) {
        BUG_IF(positions[n] < 0 || positions[n] >= a->table.rows);
        const float *table = value_f32(&a->table, positions[n]);
        const float *x = value_row(&a->x, n, 0, a->x.cols, tmp);
        if (x != tmp)
            memcpy(tmp, x, (size_t)a->x.cols * 4);
        for (int64_t c = 0; c < a->x.cols; c += width)
            rotate_head(tmp + c, table, width / 2, a->inverse ? -1.0f : 1.0f);
        value_put(&a->x, n, 0, a->x.cols, tmp);
    }
    return ST_OK;
}

enum status ref_swiglu(struct stream *s, const struct swiglu_args *a)
{
    const int64_t width = a->gate.cols;
    float *tmp = cpu_scratch(s, 3 * cpu_part(width, 4));
    float *tmp2 = tmp + width, *out = tmp + 2 * width;

    for (int64_t n = 0; n < a->gate.rows; n++) {
        const float *gate = value_row(&a->gate, n, 0, width, tmp);
        const float *up = value_row(&a->up, n, 0, width, tmp2);
        for (int64_t c = 0; c < width; c++)
            out[c] = gate[c] / (1.0f + expf(-gate[c])) * up[c];
        value_put(&a->out, n, 0, width, out);
    }
    return ST_OK;
}

/* silu'(x) = sig(x) (1 + x (1 - sig(x))). */
enum status ref_swiglu_grad(struct stream *s, const struct swiglu_grad_args *a)
{
    const int64_t width = a->gate.cols;
    float *tmp = cpu_scratch(s, 5 * cpu_part(width, 4));
    float *dgate = tmp + 3 * width, *dup = tmp + 4 * width;

    for (int64_t n = 0; n < a->gate.rows; n++) {
        const float *gate = value_row(&a->gate, n, 0, width, tmp);
        const float *up = value_row(&a->up, n, 0, width, tmp + width);
        const float *dout = value_row(&a->dout, n, 0, width, tmp + 2 * width);
        for (int64_t c = 0; c < width; c++) {
            const float sig = 1.0f / (1.0f + expf(-gate[c]));
            dgate[c] = dout[c] * up[c] * sig * (1.0f + gate[c] * (1.0f - sig));
            dup[c] = dout[c] * gate[c] * sig;
        }
        value_put(&a->dgate, n, 0, width, dgate);
        value_put(&a->dup, n, 0, width, dup);
    }
    return ST_OK;
}

enum status ref_add(struct stream *s, const struct add_args *a)
{
    for (int64_t n = 0; n < a->x.rows; n++) {
        const float *x = value_f32(&a->x, n);
        float *out = value_f32(&a->out, n);
        for (int64_t c = 0; c < a->x.cols; c++)
            out[c] += a->alpha * x[c];
    }
    return ST_OK;
}

enum status ref_cast(struct stream *s, const struct cast_args *a)
{
    enum { PART = 1024 };
    float tmp[PART];

    for (int64_t n = 0; n < a->x.rows; n++)
        for (int64_t c = 0; c < a->x.cols; c += PART) {
            const int64_t count = a->x.cols - c < PART ? a->x.cols - c : PART;
            value_put(&a->out, n, c, count, value_row(&a->x, n, c, count, tmp));
        }
    return ST_OK;
}
