/*
 * Attention of single rows over a paged cache. A row and key head at a time: the scores of the
 * group's query heads against all keys, softmax over whole rows, the sum over the values, position
 * by position. Keys and values are read as they lie, once a group; bound by memory. What a row
 * gives depends on nothing but that row. Included behind simd_dots.h and simd_attention.h, with
 * units of f32.
 */
#ifndef TUNDISH_KERNELS_CPU_SIMD_CACHED_H
#define TUNDISH_KERNELS_CPU_SIMD_CACHED_H

#include "base/platform.h"
#include "kernels/cpu/paged.h"

enum { CACHED_HEADS = 4, CACHED_COLS = 4 };      /* heads and vectors of sums in registers */

struct cached {
    const struct attention_cached_args *args;
    float *q, *out;                  /* [H, D] of this row */
    float *sums;                     /* [H / K] */
    float *scores;                   /* [H / K, score_cols] */
    int64_t score_cols, group;
    int32_t sequence;
    int64_t seen;                    /* positions */
};

/* The page of position j, columns of key head g; *count: how many of its positions are seen. */
static struct tensor cached_page(const struct cached *w, const struct kv_pages *c, int64_t j,
                                 int64_t g, int64_t *count)
{
    const int64_t width = w->args->head_width, cols = w->args->kv_heads * width;
    struct tensor page = paged_row(c, &w->args->pages, w->sequence, (int32_t)j, cols);

    page.rows = *count = least(c->page_tokens, w->seen - j);
    return tensor_columns(page, g * width, width);
}

static void cached_scores(const struct cached *w, int64_t g)
{
    const int64_t width = w->args->head_width;
    struct dots d = { .a_row = width * 4, .depth = width, .out_stride = w->score_cols };

    for (int64_t j = 0, count; j < w->seen; j += count) {
        const struct tensor keys = cached_page(w, &w->args->k_cache, j, g, &count);
        d.b = &keys;
        for (int64_t c = 0; c < count; c += DOT_COLS) {
            for (int64_t i = 0; i < DOT_COLS; i++)
                d.col[i] = least(c + i, count - 1);
            for (int64_t h = 0; h < w->group;) {
                d.a = (const char *)(w->q + (g * w->group + h) * width);
                h += dot_rows(&d, w->group - h, w->scores + h * w->score_cols + j + c);
            }
        }
    }
}

struct cached_sums {
    const float *p;                  /* probabilities of the first head, stride score_cols */
    int64_t p_stride;
    const struct tensor *values;     /* a page */
    int64_t count, col, cols;        /* positions; columns of D, at most CACHED_COLS vectors */
    float *out;                      /* of the first head, stride D: added to */
    int64_t out_stride;
};

/* out[h] += sum over positions of p[h] v, in order. heads is a constant where it is inlined. */
INLINE void cached_body(const struct cached_sums *s, enum dtype t, const int heads)
{
    vf sum[CACHED_HEADS][CACHED_COLS];
    int64_t n[CACHED_COLS];

    PLATFORM_UNROLL
    for (int c = 0; c < CACHED_COLS; c++) {
        n[c] = least(VF, s->cols - c * VF);
        PLATFORM_UNROLL
        for (int h = 0; h < heads; h++)
            sum[h][c] = n[c] > 0 ? vt_get(s->out + h * s->out_stride, DT_F32, s->col + c * VF, n[c])
                                 : vf_zero();
    }
    for (int64_t j = 0; j < s->count; j++) {
        const void *v = value_at(s->values, j, s->col);
        PLATFORM_UNROLL
        for (int c = 0; c < CACHED_COLS; c++) {
            const vf x = n[c] > 0 ? vt_get(v, t, c * VF, n[c]) : vf_zero();
            PLATFORM_UNROLL
            for (int h = 0; h < heads; h++)
                sum[h][c] = vf_fma(vf_set(s->p[h * s->p_stride + j]), x, sum[h][c]);
        }
    }
    PLATFORM_UNROLL
    for (int c = 0; c < CACHED_COLS; c++)
        PLATFORM_UNROLL
        for (int h = 0; h < heads; h++)
            if (n[c] > 0)
                vt_put(s->out + h * s->out_stride, DT_F32, s->col + c * VF, n[c], sum[h][c]);
}

static void cached_run(const struct cached_sums *s, int64_t heads)
{
    const bool wide = s->values->type == DT_F32;

    if (heads == 4 && wide)
        cached_body(s, DT_F32, 4);
    else if (heads == 4)
        cached_body(s, DT_BF16, 4);
    else if (heads >= 2 && wide)
        cached_body(s, DT_F32, 2);
    else if (heads >= 2)
        cached_body(s, DT_BF16, 2);
    else if (wide)
        cached_body(s, DT_F32, 1);
    else
        cached_body(s, DT_BF16, 1);
}

static void cached_values(const struct cached *w, int64_t g)
{
    const int64_t width = w->args->head_width;

    for (int64_t j = 0, count; j < w->seen; j += count) {
        const struct tensor values = cached_page(w, &w->args->v_cache, j, g, &count);
        for (int64_t c = 0; c < width; c += CACHED_COLS * VF)
            for (int64_t h = 0, heads; h < w->group; h += heads) {
                const struct cached_sums s = {
                    .p = w->scores + h * w->score_cols + j,
                    .p_stride = w->score_cols,
                    .values = &values,
                    .count = count,
                    .col = c,
                    .cols = least(CACHED_COLS * VF, width - c),
                    .out = w->out + (g * w->group + h) * width,
                    .out_stride = width,
                };
                heads = w->group - h >= 4 ? 4 : w->group - h >= 2 ? 2 : 1;
                cached_run(&s, heads);
            }
    }
}

static void cached_row(struct cached *w, int64_t n)
{
    const struct attention_cached_args *a = w->args;
    const int64_t width = a->head_width;
    const float scale = 1.0f / sqrtf((float)width);

    w->sequence = ((const int32_t *)a->sequences.p)[n];
    w->seen = (int64_t)((const int32_t *)a->positions.p)[n] + 1;
    BUG_IF(w->seen < 1 || w->seen > w->score_cols);
    pack_rows(&a->q, n, 1, 0, a->q.cols, (char *)w->q);
    memset(w->out, 0, (size_t)a->q.cols * 4);
    for (int64_t g = 0; g < a->kv_heads; g++) {
        float top;
        cached_scores(w, g);
        for (int64_t h = 0; h < w->group; h++)
            w->sums[h] = softmax_row(w->scores + h * w->score_cols, 0, 0, w->seen, scale, &top);
        cached_values(w, g);
        for (int64_t h = 0; h < w->group; h++) {
            const int64_t col = (g * w->group + h) * width;
            if (a->out.type == DT_F32)
                row_times(value_at(&a->out, n, col), DT_F32, w->out + col, 1.0f / w->sums[h],
                          width);
            else
                row_times(value_at(&a->out, n, col), DT_BF16, w->out + col, 1.0f / w->sums[h],
                          width);
        }
    }
}

static enum status simd_attention_cached(struct stream *s, const struct attention_cached_args *a)
{
    const int64_t positions = a->pages.cols * a->k_cache.page_tokens,
                  group = a->heads / a->kv_heads;
    struct cached w = { .args = a,
                        .group = group,
                        .score_cols = (positions + VF - 1) / VF * VF + DOT_COLS };
    const size_t row = cpu_part(a->q.cols, 4), scores = cpu_part(group * w.score_cols + VF, 4);
    char *p = cpu_scratch(s, 2 * row + scores + cpu_part(group, 4));

    w.q = (float *)p;
    w.out = (float *)(p + row);
    w.scores = (float *)(p + 2 * row);
    w.sums = (float *)(p + 2 * row + scores);
    for (int64_t n = 0; n < a->q.rows; n++)
        cached_row(&w, n);
    return ST_OK;
}

#endif
