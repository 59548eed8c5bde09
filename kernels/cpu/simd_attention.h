/*
 * Causal attention by tiles. For TILE_ROWS queries of a head: all their scores (one product),
 * softmax over whole rows, then the sum over the values (a second product). Keys and values of a
 * key head are packed once and serve its group of query heads. Memory: a few rows of scores, never
 * T x T. With bf16 units the probabilities are rounded to bf16 for the second product; everything
 * else is f32. Bound by arithmetic. Included behind simd_tile.h.
 */
#ifndef TUNDISH_KERNELS_CPU_SIMD_ATTENTION_H
#define TUNDISH_KERNELS_CPU_SIMD_ATTENTION_H

#include <math.h>

#include "kernels/cpu/cpu.h"

struct attention {
    const struct attention_args *args;
    int64_t length, width;          /* T, D */
    int64_t score_cols;             /* T rounded up to whole panels */
    char *keys;                     /* k^T: panels of T columns, K = D */
    char *values;                   /* v: panels of D columns, K = T */
    char *queries;                  /* packed rows, where they must be */
    float *scores; /* [TILE_ROWS, score_cols]; then probabilities as units, in place */
    float *sums;                    /* [TILE_ROWS, D rounded up] */
};

/* First position that position i of the sequence at row `start` may see. */
INLINE int64_t first_seen(const struct tensor *first, int64_t start, int64_t i)
{
    if (first->p == NULL)
        return 0;
    const int64_t f = ((const int32_t *)first->p)[start + i];
    BUG_IF(f < 0 || f > i);
    return f;
}

/* Scores of positions [from, to) (the columns of `row` begin at `base`, a multiple of VF) become
 * e^(scale (s - max)) as units, 0 outside, up to the next multiple of VF; writes every column from
 * base on. Returns the sum, sets *top to scale * max. */
static float softmax_row(float *row, int64_t base, int64_t from, int64_t to, float scale,
                         float *top)
{
    const vf low = vf_set(-INFINITY);
    vf best = low, sum = vf_zero();
    const int64_t inner = (from + VF - 1) / VF * VF;

    for (int64_t j = from / VF * VF; j < to; j += VF) {
        const vf s = vf_get(row + j - base);
        best = vf_max(best, j >= inner && j + VF <= to ? s : vf_between(s, from - j, to - j, low));
    }
    *top = vf_most(best) * scale;
    const vf shift = vf_set(*top), factor = vf_set(scale);
    for (int64_t j = base; j < to; j += VF) {
        vf p = vf_exp(vf_sub(vf_mul(vf_get(row + j - base), factor), shift));
        if (j < inner || j + VF > to)
            p = vf_between(p, from - j, to - j, vf_zero());
        sum = vf_add(sum, p);
        unit_put((char *)row, j - base, p);
    }
    return vf_sum(sum);
}

/* Queries [i, i + rows) of head h against columns [base, i + rows): scores. */
static void attention_scores(const struct attention *w, const struct tensor *q, int64_t i,
                             int64_t rows, int64_t base)
{
    struct tile t = { .units = units_of(w->width), .type = DT_F32, .out_stride = w->score_cols };

    tile_lay_rows(&t, q, i, rows, w->queries);
    for (int64_t j = base; j < i + rows; j += TILE_WIDTH) {
        t.b = w->keys + (size_t)(j * t.units) * 4;
        t.out = w->scores + (j - base);
        t.cols = TILE_WIDTH;
        if (i + rows - j <= TILE_WIDTH / 2)
            t.cols = TILE_WIDTH / 2;
        tile_run(&t, rows);
    }
}

static void attention_sums(const struct attention *w, int64_t i, int64_t rows, int64_t base)
{
    const int64_t padded = (w->width + TILE_WIDTH - 1) / TILE_WIDTH * TILE_WIDTH;
    struct tile t = {
        .a = (char *)w->scores,
        .a_row = w->score_cols * 4,
        .a_unit = 4,
        .units = units_of(i + rows - base),
        .type = DT_F32,
        .out_stride = padded,
    };
    const size_t panel = panel_bytes(units_of(w->length), TILE_WIDTH);

    for (int64_t c = 0; c < w->width; c += TILE_WIDTH) {
        t.b = w->values + (size_t)(c / TILE_WIDTH) * panel + panel_bytes(base / UNIT, TILE_WIDTH);
        t.out = w->sums + c;
        t.cols = least(TILE_WIDTH, w->width - c);
        tile_run(&t, rows);
    }
}

/* Queries [i, i + rows) of head h in the sequence that begins at row `start`. */
static void attention_tile(const struct attention *w, const struct tensor *q, int64_t start,
                           int64_t h, int64_t i, int64_t rows)
{
    const struct attention_args *a = w->args;
    const int64_t padded = (w->width + TILE_WIDTH - 1) / TILE_WIDTH * TILE_WIDTH;
    const float scale = 1.0f / sqrtf((float)w->width);
    int64_t base = i;
    float sums[TILE_ROWS];

    for (int64_t r = 0; r < rows; r++)
        base = least(base, first_seen(&a->first, start, i + r));
    base = base / TILE_WIDTH * TILE_WIDTH;
    attention_scores(w, q, i, rows, base);
    for (int64_t r = 0; r < rows; r++) {
        float *row = w->scores + r * w->score_cols, top;
        sums[r] =
            softmax_row(row, base, first_seen(&a->first, start, i + r), i + r + 1, scale, &top);
        for (int64_t j = (i + r + VF) / VF * VF; j < i + rows; j += VF)
            unit_put((char *)row, j - base, vf_zero());
        if (a->lse.p != NULL)
            value_f32(&a->lse, start + i + r)[h] = top + logf(sums[r]);
    }
    attention_sums(w, i, rows, base);
    for (int64_t r = 0; r < rows; r++) {
        void *out = value_at(&a->out, start + i + r, h * w->width);
        if (a->out.type == DT_F32)
            row_times(out, DT_F32, w->sums + r * padded, 1.0f / sums[r], w->width);
        else
            row_times(out, DT_BF16, w->sums + r * padded, 1.0f / sums[r], w->width);
    }
}

/* Key head g of the sequence at row `start`, and the query heads of its group. */
static void attention_group(const struct attention *w, int64_t start, int64_t g)
{
    const struct attention_args *a = w->args;
    const int64_t group = a->heads / a->kv_heads;
    const struct tensor k =
        tensor_columns(tensor_rows(a->k, start, w->length), g * w->width, w->width);
    const struct tensor v =
        tensor_columns(tensor_rows(a->v, start, w->length), g * w->width, w->width);

    pack_all(&(struct panel){ &k, 0, w->width, 0, w->length }, true, w->keys);
    pack_all(&(struct panel){ &v, 0, w->length, 0, w->width }, false, w->values);
    for (int64_t h = g * group; h < (g + 1) * group; h++) {
        const struct tensor q =
            tensor_columns(tensor_rows(a->q, start, w->length), h * w->width, w->width);
        for (int64_t i = 0; i < w->length; i += TILE_ROWS)
            attention_tile(w, &q, start, h, i, least(TILE_ROWS, w->length - i));
    }
}

static enum status simd_attention(struct stream *s, const struct attention_args *a)
{
    const int64_t length = a->q.rows / a->batch, width = a->head_width;
    const int64_t cols = (length + TILE_WIDTH - 1) / TILE_WIDTH * TILE_WIDTH;
    const size_t keys = panel_bytes(units_of(width), length),
                 values = panel_bytes(units_of(length), width);
    const size_t queries = cpu_part(TILE_ROWS * units_of(width), 4),
                 scores = cpu_part(TILE_ROWS * cols, 4);
    char *p = cpu_scratch(s, keys + values + queries + scores + panel_bytes(TILE_ROWS, width));
    const struct attention w = {
        .args = a,
        .length = length,
        .width = width,
        .score_cols = cols,
        .keys = p,
        .values = p + keys,
        .queries = p + keys + values,
        .scores = (float *)(p + keys + values + queries),
        .sums = (float *)(p + keys + values + queries + scores),
    };

    for (int64_t start = 0; start < a->q.rows; start += length)
        for (int64_t g = 0; g < a->kv_heads; g++)
            attention_group(&w, start, g);
    return ST_OK;
}

#endif
