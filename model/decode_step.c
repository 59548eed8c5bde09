/*
 * One step. Every worker walks through the whole model, each on its share: of a product, some
 * columns; of the rest, some rows; with a barrier where one reads what others wrote. Norms are
 * cheap, and each worker makes all of them for itself, which saves the barrier behind them.
 */
#include "model/decode_part.h"

/* A share's columns begin at multiples of this: whole cache lines. */
enum { COLUMNS = 32 };

/* What a worker does: rows of the call, views of the work memory. */
struct share {
    struct step_worker *w;
    int number, of;
    int64_t rows, wanted;                                   /* of the call */
    int64_t first, count;                                   /* rows of this worker */
    struct tensor x, normed, qkv, attended, gate_up, inner; /* all rows */
    struct tensor sequences, positions;
};

struct call {
    struct kv_cache *cache;
    int64_t rows, wanted;
};

static void note(struct share *s, enum status st)
{
    if (st != ST_OK && s->w->failure.st == ST_OK)
        failure_save(&s->w->failure, st);
}

static void sync(struct share *s) { barrier_wait(&s->w->cache->barrier); }

/* Share `number` of n things in units of `unit`. */
static int64_t share_begin(int64_t n, int64_t unit, int number, int of)
{
    int64_t units = (n + unit - 1) / unit, at = units * number / of * unit;

    return at < n ? at : n;
}

static struct tensor my_rows(const struct share *s, struct tensor t)
{
    return tensor_rows(t, s->first, s->count);
}

static struct tensor my_row_numbers(const struct share *s, struct tensor t)
{
    return tensor_columns(t, s->first, s->count);
}

/* Columns of out = x w^T that are this worker's. */
static void product(struct share *s, struct tensor out, struct tensor x, struct tensor w, bool add)
{
    int64_t first = share_begin(w.rows, COLUMNS, s->number, s->of);
    int64_t count = share_begin(w.rows, COLUMNS, s->number + 1, s->of) - first;

    if (count > 0)
        note(s, op_matmul(s->w->stream,
                          &(struct matmul_args){ .out = tensor_columns(out, first, count),
                                                 .a = x,
                                                 .b = tensor_rows(w, first, count),
                                                 .transpose_b = true,
                                                 .accumulate = add,
                                                 .row_invariant = true }));
}

static void norm(struct share *s, struct tensor out, struct tensor x, int64_t weights)
{
    const struct model *m = s->w->cache->model;

    note(s, op_rmsnorm(s->w->stream,
                       &(struct rmsnorm_args){ .out = out,
                                               .x = x,
                                               .w = model_vector(m, weights, m->config.width),
                                               .eps = (float)m->config.norm_eps }));
}

static void rotate(struct share *s, struct tensor x)
{
    const struct model *m = s->w->cache->model;
    const struct model_config *g = &m->config;

    note(s,
         op_rope(s->w->stream, &(struct rope_args){ .x = my_rows(s, x),
                                                    .positions = my_row_numbers(s, s->positions),
                                                    .head_width = g->head_width,
                                                    .table = tensor_of(m->rope, DT_F32, g->context,
                                                                       g->head_width) }));
}

/* Rows see what other rows of the call have stored: a barrier lies between. */
static void attention(struct share *s, int64_t l)
{
    struct kv_cache *c = s->w->cache;
    const struct model_config *g = &c->model->config;
    int64_t qc = g->heads * g->head_width, kc = g->kv_heads * g->head_width;
    struct tensor q = tensor_columns(s->qkv, 0, qc), k = tensor_columns(s->qkv, qc, kc);
    struct tensor v = tensor_columns(s->qkv, qc + kc, kc);
    struct kv_pages keys = { c->keys[l], c->model->compute, c->pages, KV_PAGE_TOKENS };
    struct kv_pages values = { c->values[l], c->model->compute, c->pages, KV_PAGE_TOKENS };
    struct tensor sequences = my_row_numbers(s, s->sequences);
    struct tensor positions = my_row_numbers(s, s->positions);

    if (s->count > 0) {
        rotate(s, q);
        rotate(s, k);
        note(s, op_cache_store(s->w->stream, &(struct cache_store_args){ .k_cache = keys,
                                                                         .v_cache = values,
                                                                         .k = my_rows(s, k),
                                                                         .v = my_rows(s, v),
                                                                         .pages = c->pages_table,
                                                                         .sequences = sequences,
                                                                         .positions = positions }));
    }
    sync(s);
    if (s->count > 0)
        note(s, op_attention_cached(
                    s->w->stream, &(struct attention_cached_args){ .out = my_rows(s, s->attended),
                                                                   .q = my_rows(s, q),
                                                                   .k_cache = keys,
                                                                   .v_cache = values,
                                                                   .pages = c->pages_table,
                                                                   .sequences = sequences,
                                                                   .positions = positions,
                                                                   .heads = g->heads,
                                                                   .kv_heads = g->kv_heads,
                                                                   .head_width = g->head_width }));
}

/* inner = silu(gate) * up: this worker's columns of all three. */
static void feed_forward(struct share *s, struct tensor gate_up)
{
    int64_t ff = s->inner.cols;
    int64_t first = share_begin(ff, COLUMNS, s->number, s->of);
    int64_t count = share_begin(ff, COLUMNS, s->number + 1, s->of) - first;
    struct tensor gate = tensor_columns(s->gate_up, 0, ff);
    struct tensor up = tensor_columns(s->gate_up, ff, ff);

    product(s, gate, s->normed, tensor_rows(gate_up, 0, ff), false);
    product(s, up, s->normed, tensor_rows(gate_up, ff, ff), false);
    if (count > 0)
        note(s, op_swiglu(s->w->stream,
                          &(struct swiglu_args){ .out = tensor_columns(s->inner, first, count),
                                                 .gate = tensor_columns(gate, first, count),
                                                 .up = tensor_columns(up, first, count) }));
}

static void layer(struct share *s, int64_t l)
{
    const struct model *m = s->w->cache->model;
    const struct model_config *g = &m->config;
    const struct layer_offsets *o = &s->w->cache->offsets[l];

    norm(s, s->normed, s->x, o->norm1);
    product(s, s->qkv, s->normed, model_matrix(m, o->qkv, model_qkv_columns(g), g->width), false);
    sync(s);
    attention(s, l);
    sync(s);
    product(s, s->x, s->attended, model_matrix(m, o->o, g->width, g->heads * g->head_width), true);
    sync(s);
    norm(s, s->normed, s->x, o->norm2);
    feed_forward(s, model_matrix(m, o->gate_up, 2 * g->ff, g->width));
    sync(s);
    product(s, s->x, s->inner, model_matrix(m, o->down, g->width, g->ff), true);
    sync(s);
}

static enum status embed(struct share *s, struct tensor out, struct tensor table, struct tensor ids)
{
    return op_embed(s->w->stream, &(struct embed_args){ .out = out, .table = table, .ids = ids });
}

/* Logits of the wanted rows, brought together first: one product, however they lie in the call. */
static void head(struct share *s)
{
    struct kv_cache *c = s->w->cache;
    const struct model *m = c->model;
    const struct model_config *g = &m->config;
    struct tensor picked = tensor_rows(s->w->picked, 0, s->wanted);
    struct tensor normed = tensor_rows(s->w->normed, 0, s->wanted);

    if (s->wanted == 0)
        return;
    note(s, embed(s, picked, s->x, tensor_columns(c->wanted, 0, s->wanted)));
    norm(s, normed, picked, model_offset_norm(m));
    product(s, tensor_rows(c->logits, 0, s->wanted), normed,
            model_matrix(m, model_offset_head(m), g->vocab, g->width), false);
}

static struct share share_of(const struct call *call, int number)
{
    struct kv_cache *c = call->cache;
    struct step_worker *w = &c->workers[number];
    int64_t n = call->rows;
    int64_t first = share_begin(n, 1, number, c->worker_count);

    return (struct share){ .w = w,
                           .number = number,
                           .of = c->worker_count,
                           .rows = n,
                           .wanted = call->wanted,
                           .first = first,
                           .count = share_begin(n, 1, number + 1, c->worker_count) - first,
                           .x = tensor_rows(c->x, 0, n),
                           .normed = tensor_rows(w->normed, 0, n),
                           .qkv = tensor_rows(c->qkv, 0, n),
                           .attended = tensor_rows(c->attended, 0, n),
                           .gate_up = tensor_rows(c->gate_up, 0, n),
                           .inner = tensor_rows(c->inner, 0, n),
                           .sequences = tensor_columns(c->row_sequences, 0, n),
                           .positions = tensor_columns(c->positions, 0, n) };
}

/* One share, whatever thread takes it: each is taken by one of as many threads as there are
 * shares, so all of them run side by side and meet at the barriers. */
static enum status walk(void *ctx, size_t item, int thread)
{
    const struct call *call = ctx;
    struct share s = share_of(call, (int)item);
    struct kv_cache *c = call->cache;
    const struct model *m = c->model;

    s.w->failure.st = ST_OK;
    if (s.count > 0)
        note(&s, embed(&s, my_rows(&s, s.x),
                       tensor_of(m->weights + model_offset_embedding(m), DT_F32, m->config.vocab,
                                 m->config.width),
                       my_row_numbers(&s, tensor_columns(c->ids, 0, s.rows))));
    sync(&s);
    for (int64_t l = 0; l < m->config.layers; l++)
        layer(&s, l);
    head(&s);
    note(&s, stream_wait(s.w->stream));
    return s.w->failure.st == ST_OK ? ST_OK : failure_restore(&s.w->failure);
}

static enum status upload(struct kv_cache *c, const struct decode_row *rows, int64_t n,
                          int64_t *wanted)
{
    int32_t *ids = c->host, *sequences = ids + n, *positions = sequences + n, *want = positions + n;
    struct stream *s = c->workers[0].stream;
    size_t bytes = (size_t)n * sizeof *ids;

    *wanted = 0;
    for (int64_t i = 0; i < n; i++) {
        BUG_IF(rows[i].sequence < 0 || rows[i].sequence >= c->sequences);
        BUG_IF(rows[i].position < 0 ||
               rows[i].position >= c->owned[rows[i].sequence] * KV_PAGE_TOKENS);
        ids[i] = rows[i].token;
        sequences[i] = rows[i].sequence;
        positions[i] = rows[i].position;
        if (rows[i].want_logits)
            want[(*wanted)++] = (int32_t)i;
    }
    BUG_IF(*wanted > c->max_wanted);
    TRY(stream_upload(s, c->ids.p, ids, bytes));
    TRY(stream_upload(s, c->row_sequences.p, sequences, bytes));
    TRY(stream_upload(s, c->positions.p, positions, bytes));
    if (*wanted > 0)
        TRY(stream_upload(s, c->wanted.p, want, (size_t)*wanted * sizeof *want));
    TRY(stream_upload(s, c->pages_table.p, c->table,
                      (size_t)(c->sequences * c->max_pages) * sizeof *c->table));
    return stream_wait(s);
}

enum status decode_step(struct kv_cache *c, const struct decode_row *rows, int64_t count,
                        float *logits)
{
    struct call call = { .cache = c, .rows = count };
    struct stream *s = c->workers[0].stream;

    BUG_IF(count < 1 || count > c->max_rows);
    TRY(upload(c, rows, count, &call.wanted));
    if (c->pool == NULL)
        TRY(walk(&call, 0, 0));
    else
        TRY(pool_for(c->pool, (size_t)c->worker_count, walk, &call));
    if (call.wanted > 0)
        TRY(stream_download(s, logits, c->logits.p,
                            (size_t)(call.wanted * c->model->config.vocab) * sizeof *logits));
    return stream_wait(s);
}
