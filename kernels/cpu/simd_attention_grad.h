/*
 * The gradient of causal attention by tiles, from the outputs and the log-sums that the forward
 * pass kept (Dao et al. 2022, alg. 4). For GRAD_ROWS queries x GRAD_COLS keys at a time:
 *
 *   S = q k^T, P = e^(scale S - lse), dP = dout v^T, dS = scale P (dP - dout out);
 *   dv += P^T dout, dk += dS^T q, dq += dS k.
 *
 * Five products by tiles; P and dS lie as units, written once by the step between. Sums stay in f32
 * until a head is done. With bf16 units P and dS are rounded to bf16. Included behind
 * simd_attention.h.
 */
#ifndef TUNDISH_KERNELS_CPU_SIMD_ATTENTION_GRAD_H
#define TUNDISH_KERNELS_CPU_SIMD_ATTENTION_GRAD_H

#include "kernels/cpu/simd_attention.h"

enum { GRAD_ROWS = 96, GRAD_COLS = 256 };

struct attention_grad {
    const struct attention_grad_args *args;
    int64_t length, width, padded;          /* T, D, D in whole panels */
    float scale;
    /* of this key head: b-panels of k^T, v^T [D, T] and k [T, D]; sums [T, padded] */
    char *keys_t, *values_t, *keys;
    float *dk, *dv;
    /* of this query head: b-panels of q and dout [T, D]; sums [T, padded]; a value each query */
    char *queries, *douts;
    struct tensor q, dout;
    float *dq, *lse, *delta;
    int64_t *first;
    /* of this block */
    char *rows_tmp;                         /* packed rows of q or dout */
    float *p, *ds; /* [GRAD_ROWS, GRAD_COLS]: S, dP; then P, dS as units over rows, in place */
    char *ds_rows; /* dS as units over columns, GRAD_COLS * 4 bytes a row */
};

/* rows x cols of a block: queries [i, i + rows), keys [j, j + cols) of the sequence. */
struct grad_block {
    int64_t i, rows, j, cols;
};

static float row_dot(const struct tensor *a, int64_t ra, const struct tensor *b, int64_t rb,
                     int64_t n)
{
    const void *x = value_at(a, ra, 0), *y = value_at(b, rb, 0);
    vf sum = vf_zero();

    for (int64_t i = 0, count; i < n; i += count) {
        count = least(VF, n - i);
        const vf left =
            a->type == DT_F32 ? vt_get(x, DT_F32, i, count) : vt_get(x, DT_BF16, i, count);
        const vf right =
            b->type == DT_F32 ? vt_get(y, DT_F32, i, count) : vt_get(y, DT_BF16, i, count);
        sum = vf_fma(left, right, sum);
    }
    return vf_sum(sum);
}

/* out[rows, cols] = a's rows times the panels `b` over D: S or dP. Tiles that lie above the
 * diagonal are left out. */
static void grad_scores(const struct attention_grad *w, const struct grad_block *g,
                        const struct tensor *a, const char *b, float *out)
{
    struct tile t = { .units = units_of(w->width), .type = DT_F32, .out_stride = GRAD_COLS };

    tile_lay_rows(&t, a, g->i, g->rows, w->rows_tmp);
    for (int64_t c = 0; c < g->cols; c += TILE_WIDTH) {
        const int64_t above = most(0, g->j + c - g->i) / TILE_ROWS * TILE_ROWS;
        struct tile part = t;
        part.a += above * t.a_row;
        part.b = b + (size_t)((g->j + c) * t.units) * 4;
        part.out = out + above * GRAD_COLS + c;
        part.cols = TILE_WIDTH;
        tile_rows(&part, g->rows - above);
    }
}

/* A row of a block: what P and dS need beside S and dP, and the columns that it sees. */
struct grad_row {
    const float *s, *dp;
    vf lse, delta;
    int64_t from, to;
};

static struct grad_row grad_row_of(const struct attention_grad *w, const struct grad_block *g,
                                   int64_t r)
{
    const int64_t i = least(g->i + r, w->length - 1);

    return (struct grad_row){
        .s = w->p + r * GRAD_COLS,
        .dp = w->ds + r * GRAD_COLS,
        .lse = vf_set(w->lse[i]),
        .delta = vf_set(w->delta[i]),
        .from = w->first[i] - g->j,
        .to = r < g->rows ? g->i + r + 1 - g->j : 0,
    };
}

/* UNIT rows from r on: P and dS from S and dP. */
static void grad_step(const struct attention_grad *w, const struct grad_block *g, int64_t r)
{
    const vf scale = vf_set(w->scale);
    struct grad_row row[UNIT];

    for (int u = 0; u < UNIT; u++)
        row[u] = grad_row_of(w, g, r + u);
    for (int64_t c = 0; c < g->cols; c += VF) {
        vf p[UNIT], ds[UNIT];
        for (int u = 0; u < UNIT; u++) {
            p[u] = vf_exp(vf_sub(vf_mul(vf_get(row[u].s + c), scale), row[u].lse));
            ds[u] = vf_mul(vf_mul(p[u], scale), vf_sub(vf_get(row[u].dp + c), row[u].delta));
            if (c < row[u].from || c + VF > row[u].to) {
                p[u] = vf_between(p[u], row[u].from - c, row[u].to - c, vf_zero());
                ds[u] = vf_between(ds[u], row[u].from - c, row[u].to - c, vf_zero());
            }
        }
        for (int u = 0; u < UNIT; u++)
            unit_put(w->ds_rows + (r + u) * GRAD_COLS * 4, c, ds[u]);
        unit_put_rows((char *)(w->p + r * GRAD_COLS), c, p);
        unit_put_rows((char *)(w->ds + r * GRAD_COLS), c, ds);
    }
}

/* to[keys, D] += x^T b: x is P or dS as units over rows; b-panels of dout or q. Rows before a key
 * are all 0. */
static void grad_keys(const struct attention_grad *w, const struct grad_block *g, const float *x,
                      const char *b, float *to)
{
    const size_t panel = panel_bytes(units_of(w->length), TILE_WIDTH);

    for (int64_t c = 0; c < w->width; c += TILE_WIDTH)
        for (int64_t r = 0; r < g->cols; r += TILE_ROWS) {
            const int64_t skip = most(0, g->j + r - g->i) / UNIT;
            const struct tile t = {
                .a = (const char *)(x + skip * UNIT * GRAD_COLS + r),
                .a_row = 4,
                .a_unit = UNIT * GRAD_COLS * 4,
                .b = b + (size_t)(c / TILE_WIDTH) * panel +
                     panel_bytes(g->i / UNIT + skip, TILE_WIDTH),
                .units = units_of(g->rows) - skip,
                .out = to + (g->j + r) * w->padded + c,
                .type = DT_F32,
                .out_stride = w->padded,
                .cols = least(TILE_WIDTH, w->width - c),
                .add = true,
            };
            tile_run(&t, least(TILE_ROWS, g->cols - r));
        }
}

/* dq[rows, D] += dS k. Keys behind a row are all 0. */
static void grad_queries(const struct attention_grad *w, const struct grad_block *g)
{
    const size_t panel = panel_bytes(units_of(w->length), TILE_WIDTH);

    for (int64_t c = 0; c < w->width; c += TILE_WIDTH)
        for (int64_t r = most(0, g->j - g->i) / TILE_ROWS * TILE_ROWS; r < g->rows;
             r += TILE_ROWS) {
            const int64_t rows = least(TILE_ROWS, g->rows - r);
            const struct tile t = {
                .a = w->ds_rows + r * GRAD_COLS * 4,
                .a_row = GRAD_COLS * 4,
                .a_unit = 4,
                .b = w->keys + (size_t)(c / TILE_WIDTH) * panel +
                     panel_bytes(g->j / UNIT, TILE_WIDTH),
                .units = units_of(least(g->cols, g->i + r + rows - g->j)),
                .out = w->dq + (g->i + r) * w->padded + c,
                .type = DT_F32,
                .out_stride = w->padded,
                .cols = least(TILE_WIDTH, w->width - c),
                .add = true,
            };
            tile_run(&t, rows);
        }
}

static void grad_block(const struct attention_grad *w, const struct grad_block *g)
{
    grad_scores(w, g, &w->q, w->keys_t, w->p);
    grad_scores(w, g, &w->dout, w->values_t, w->ds);
    for (int64_t r = 0; r < g->rows; r += UNIT)
        grad_step(w, g, r);
    grad_keys(w, g, w->p, w->douts, w->dv);
    grad_keys(w, g, w->ds, w->queries, w->dk);
    grad_queries(w, g);
}

static void grad_put(const struct tensor *to, int64_t row, int64_t col, const float *from,
                     int64_t rows, int64_t stride, int64_t width)
{
    for (int64_t r = 0; r < rows; r++, from += stride)
        if (to->type == DT_F32)
            row_times(value_at(to, row + r, col), DT_F32, from, 1.0f, width);
        else
            row_times(value_at(to, row + r, col), DT_BF16, from, 1.0f, width);
}

/* lse, dout out and first of each query of head h. */
static void grad_prepare(const struct attention_grad *w, int64_t start, int64_t h)
{
    const struct attention_grad_args *a = w->args;
    const struct tensor out = tensor_columns(a->out, h * w->width, w->width);

    for (int64_t i = 0; i < w->length; i++) {
        w->first[i] = first_seen(&a->first, start, i);
        w->lse[i] = value_f32(&a->lse, start + i)[h];
        w->delta[i] = row_dot(&w->dout, i, &out, start + i, w->width);
    }
}

/* Whether any query of the block sees one of its keys. */
static bool grad_sees(const struct attention_grad *w, const struct grad_block *g)
{
    for (int64_t r = 0; r < g->rows; r++)
        if (w->first[g->i + r] < g->j + g->cols)
            return true;
    return false;
}

/* All blocks of a query head: keys outside, so that their sums stay near. */
static void grad_head(const struct attention_grad *w)
{
    for (int64_t j = 0; j < w->length; j += GRAD_COLS)
        for (int64_t i = j / GRAD_ROWS * GRAD_ROWS; i < w->length; i += GRAD_ROWS) {
            const int64_t rows = least(GRAD_ROWS, w->length - i);
            const struct grad_block g = { i, rows, j, least(GRAD_COLS, i + rows - j) };
            if (grad_sees(w, &g))
                grad_block(w, &g);
        }
}

/* Key head g of the sequence at row `start`, and the query heads of its group. */
static void grad_group(struct attention_grad *w, int64_t start, int64_t g)
{
    const struct attention_grad_args *a = w->args;
    const int64_t group = a->heads / a->kv_heads, length = w->length, width = w->width;
    const struct tensor k = tensor_columns(tensor_rows(a->k, start, length), g * width, width);
    const struct tensor v = tensor_columns(tensor_rows(a->v, start, length), g * width, width);

    pack_all(&(struct panel){ &k, 0, width, 0, length }, true, w->keys_t);
    pack_all(&(struct panel){ &v, 0, width, 0, length }, true, w->values_t);
    pack_all(&(struct panel){ &k, 0, length, 0, width }, false, w->keys);
    memset(w->dk, 0, (size_t)(length * w->padded) * 4);
    memset(w->dv, 0, (size_t)(length * w->padded) * 4);
    for (int64_t h = g * group; h < (g + 1) * group; h++) {
        w->q = tensor_columns(tensor_rows(a->q, start, length), h * width, width);
        w->dout = tensor_columns(tensor_rows(a->dout, start, length), h * width, width);
        pack_all(&(struct panel){ &w->q, 0, length, 0, width }, false, w->queries);
        pack_all(&(struct panel){ &w->dout, 0, length, 0, width }, false, w->douts);
        memset(w->dq, 0, (size_t)(length * w->padded) * 4);
        grad_prepare(w, start, h);
        grad_head(w);
        grad_put(&a->dq, start, h * width, w->dq, length, w->padded, width);
    }
    grad_put(&a->dk, start, g * width, w->dk, length, w->padded, width);
    grad_put(&a->dv, start, g * width, w->dv, length, w->padded, width);
}

static enum status simd_attention_grad(struct stream *s, const struct attention_grad_args *a)
{
    const int64_t length = a->q.rows / a->batch, width = a->head_width;
    const int64_t padded = (width + TILE_WIDTH - 1) / TILE_WIDTH * TILE_WIDTH;
    const size_t across = panel_bytes(units_of(width), length),
                 along = panel_bytes(units_of(length), width);
    const size_t sums = cpu_part(length * padded, 4), block = cpu_part(GRAD_ROWS * GRAD_COLS, 4);
    const size_t rows = cpu_part(GRAD_ROWS * units_of(width), 4), each = cpu_part(length, 8);
    char *p = cpu_scratch(s, 2 * across + 3 * along + 3 * sums + 3 * block + 3 * each + rows);
    struct attention_grad w = { .args = a, .length = length, .width = width, .padded = padded };

    w.scale = 1.0f / sqrtf((float)width);
    w.keys_t = p;
    w.values_t = p += across;
    w.keys = p += across;
    w.queries = p += along;
    w.douts = p += along;
    w.dk = (float *)(p += along);
    w.dv = (float *)(p += sums);
    w.dq = (float *)(p += sums);
    w.p = (float *)(p += sums);
    w.ds = (float *)(p += block);
    w.ds_rows = p += block;
    w.lse = (float *)(p += block);
    w.delta = (float *)(p += each);
    w.first = (int64_t *)(p += each);
    w.rows_tmp = p + each;
    for (int64_t start = 0; start < a->q.rows; start += length)
        for (int64_t g = 0; g < a->kv_heads; g++)
            grad_group(&w, start, g);
    return ST_OK;
}

#endif
