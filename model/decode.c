#include "model/decode.h"

#include <string.h>

#include "base/arena.h"
#include "model/internal.h"

struct kv_cache {
    const struct model *model;
    struct stream *stream;
    int64_t sequences, pages, max_rows;
    int64_t max_pages;     /* of one sequence: the context's */
    void **keys, **values; /* one block a layer */
    int32_t *table;        /* host [sequences, max_pages] */
    int64_t *owned;        /* pages of each sequence */
    int32_t *free_list;    /* stack of free page numbers */
    int64_t free_count;
    struct tensor pages_table; /* device i32 [sequences, max_pages] */
    struct tensor ids, row_sequences, positions;
    struct tensor x, normed, qkv, attended, gate_up, inner, logits;
    struct layer_offsets *offsets;
    int32_t *host; /* [3, max_rows] */
    void *memory[16];
    int blocks;
    enum status st; /* of the allocations */
};

static struct tensor make(struct kv_cache *c, enum dtype type, int64_t rows, int64_t cols)
{
    void *p = NULL;

    BUG_IF(c->blocks == 16);
    if (c->st == ST_OK)
        c->st = device_alloc(c->model->device, (size_t)rows * (size_t)cols * dtype_size(type), &p);
    if (c->st == ST_OK)
        c->memory[c->blocks++] = p;
    return tensor_of(p, type, rows, cols);
}

static void make_work(struct kv_cache *c)
{
    const struct model_config *g = &c->model->config;
    enum dtype any = c->model->compute;
    int64_t R = c->max_rows;

    c->pages_table = make(c, DT_I32, c->sequences, c->max_pages);
    c->ids = make(c, DT_I32, 1, R);
    c->row_sequences = make(c, DT_I32, 1, R);
    c->positions = make(c, DT_I32, 1, R);
    c->x = make(c, DT_F32, R, g->width);
    c->normed = make(c, any, R, g->width);
    c->qkv = make(c, any, R, model_qkv_columns(g));
    c->attended = make(c, any, R, g->heads * g->head_width);
    c->gate_up = make(c, any, R, 2 * g->ff);
    c->inner = make(c, any, R, g->ff);
    c->logits = make(c, DT_F32, R, g->vocab);
}

static void make_pages(struct kv_cache *c)
{
    const struct model_config *g = &c->model->config;
    size_t bytes = (size_t)c->pages * KV_PAGE_TOKENS * (size_t)(g->kv_heads * g->head_width) *
                   dtype_size(c->model->compute);

    c->keys = mem_array((size_t)g->layers, sizeof *c->keys);
    c->values = mem_array((size_t)g->layers, sizeof *c->values);
    for (int64_t l = 0; l < g->layers && c->st == ST_OK; l++) {
        c->st = device_alloc(c->model->device, bytes, &c->keys[l]);
        if (c->st == ST_OK)
            c->st = device_alloc(c->model->device, bytes, &c->values[l]);
    }
}

enum status kv_cache_new(const struct kv_cache_args *args, struct kv_cache **out)
{
    struct kv_cache *c = mem_alloc(sizeof *c);
    const struct model_config *g = &args->model->config;

    *c = (struct kv_cache){ .model = args->model,
                            .stream = args->stream,
                            .sequences = args->sequences,
                            .pages = args->pages,
                            .max_rows = args->max_rows };
    BUG_IF(c->sequences < 1 || c->pages < 1 || c->max_rows < 1);
    c->max_pages = (g->context + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
    c->table = mem_array((size_t)(c->sequences * c->max_pages), sizeof *c->table);
    c->owned = mem_array((size_t)c->sequences, sizeof *c->owned);
    c->free_list = mem_array((size_t)c->pages, sizeof *c->free_list);
    c->host = mem_array((size_t)c->max_rows * 3, sizeof *c->host);
    c->offsets = mem_array((size_t)g->layers, sizeof *c->offsets);
    for (int64_t i = 0; i < c->pages; i++)
        c->free_list[i] = (int32_t)(c->pages - 1 - i);
    c->free_count = c->pages;
    for (int64_t l = 0; l < g->layers; l++)
        c->offsets[l] = model_layer(c->model, l);
    make_work(c);
    make_pages(c);
    if (c->st != ST_OK) {
        enum status st = c->st;

        kv_cache_free(c);
        return st;
    }
    *out = c;
    return ST_OK;
}

void kv_cache_free(struct kv_cache *c)
{
    if (c == NULL)
        return;
    for (int i = 0; i < c->blocks; i++)
        device_free(c->model->device, c->memory[i]);
    for (int64_t l = 0; c->keys != NULL && l < c->model->config.layers; l++) {
        device_free(c->model->device, c->keys[l]);
        device_free(c->model->device, c->values[l]);
    }
    free(c->keys);
    free(c->values);
    free(c->table);
    free(c->owned);
    free(c->free_list);
    free(c->host);
    free(c->offsets);
    free(c);
}

enum status kv_cache_reserve(struct kv_cache *c, int64_t sequence, int64_t length)
{
    int64_t want = (length + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
    int64_t more = want - c->owned[sequence];

    if (length > c->model->config.context)
        return fail(ST_LIMIT, "a sequence of %lld tokens, the model's context is %lld",
                    (long long)length, (long long)c->model->config.context);
    if (more <= 0)
        return ST_OK;
    if (more > c->free_count)
        return fail(ST_LIMIT,
                    "the key-value cache has %lld free pages of %d tokens, %lld more are wanted",
                    (long long)c->free_count, KV_PAGE_TOKENS, (long long)more);
    while (c->owned[sequence] < want)
        c->table[sequence * c->max_pages + c->owned[sequence]++] = c->free_list[--c->free_count];
    return ST_OK;
}

void kv_cache_drop(struct kv_cache *c, int64_t sequence)
{
    while (c->owned[sequence] > 0)
        c->free_list[c->free_count++] = c->table[sequence * c->max_pages + --c->owned[sequence]];
}

int64_t kv_cache_free_pages(const struct kv_cache *c) { return c->free_count; }

/* ---- one step ---- */

/* The rows of this call as views of the work memory. */
struct step {
    struct tensor ids, sequences, positions, x, normed, qkv, attended, gate_up, inner;
};

static struct step step_views(const struct kv_cache *c, int64_t n)
{
    return (
        struct step){ tensor_columns(c->ids, 0, n),       tensor_columns(c->row_sequences, 0, n),
                      tensor_columns(c->positions, 0, n), tensor_rows(c->x, 0, n),
                      tensor_rows(c->normed, 0, n),       tensor_rows(c->qkv, 0, n),
                      tensor_rows(c->attended, 0, n),     tensor_rows(c->gate_up, 0, n),
                      tensor_rows(c->inner, 0, n) };
}

static enum status product(struct kv_cache *c, struct tensor out, struct tensor x, struct tensor w,
                           bool add)
{
    return op_matmul(c->stream, &(struct matmul_args){ .out = out,
                                                       .a = x,
                                                       .b = w,
                                                       .transpose_b = true,
                                                       .accumulate = add,
                                                       .row_invariant = true });
}

static enum status norm(struct kv_cache *c, struct tensor out, struct tensor x, int64_t w)
{
    const struct model_config *g = &c->model->config;

    return op_rmsnorm(c->stream, &(struct rmsnorm_args){ .out = out,
                                                         .x = x,
                                                         .w = model_vector(c->model, w, g->width),
                                                         .eps = (float)g->norm_eps });
}

static enum status rotate(struct kv_cache *c, struct tensor x, struct tensor positions)
{
    const struct model_config *g = &c->model->config;

    return op_rope(c->stream, &(struct rope_args){ .x = x,
                                                   .positions = positions,
                                                   .head_width = g->head_width,
                                                   .table = tensor_of(c->model->rope, DT_F32,
                                                                      g->context, g->head_width) });
}

static enum status step_attention(struct kv_cache *c, const struct step *v, int64_t l)
{
    const struct model_config *g = &c->model->config;
    int64_t qc = g->heads * g->head_width, kc = g->kv_heads * g->head_width;
    struct tensor q = tensor_columns(v->qkv, 0, qc), k = tensor_columns(v->qkv, qc, kc);
    struct kv_pages keys = { c->keys[l], c->model->compute, c->pages, KV_PAGE_TOKENS };
    struct kv_pages values = { c->values[l], c->model->compute, c->pages, KV_PAGE_TOKENS };

    TRY(rotate(c, q, v->positions));
    TRY(rotate(c, k, v->positions));
    TRY(op_cache_store(c->stream,
                       &(struct cache_store_args){ .k_cache = keys,
                                                   .v_cache = values,
                                                   .k = k,
                                                   .v = tensor_columns(v->qkv, qc + kc, kc),
                                                   .pages = c->pages_table,
                                                   .sequences = v->sequences,
                                                   .positions = v->positions }));
    return op_attention_cached(c->stream,
                               &(struct attention_cached_args){ .out = v->attended,
                                                                .q = q,
                                                                .k_cache = keys,
                                                                .v_cache = values,
                                                                .pages = c->pages_table,
                                                                .sequences = v->sequences,
                                                                .positions = v->positions,
                                                                .heads = g->heads,
                                                                .kv_heads = g->kv_heads,
                                                                .head_width = g->head_width });
}

static enum status step_layer(struct kv_cache *c, const struct step *v, int64_t l)
{
    const struct model *m = c->model;
    const struct model_config *g = &m->config;
    const struct layer_offsets *o = &c->offsets[l];

    TRY(norm(c, v->normed, v->x, o->norm1));
    TRY(product(c, v->qkv, v->normed, model_matrix(m, o->qkv, model_qkv_columns(g), g->width),
                false));
    TRY(step_attention(c, v, l));
    TRY(product(c, v->x, v->attended, model_matrix(m, o->o, g->width, g->heads * g->head_width),
                true));
    TRY(norm(c, v->normed, v->x, o->norm2));
    TRY(product(c, v->gate_up, v->normed, model_matrix(m, o->gate_up, 2 * g->ff, g->width), false));
    TRY(op_swiglu(c->stream,
                  &(struct swiglu_args){ .out = v->inner,
                                         .gate = tensor_columns(v->gate_up, 0, g->ff),
                                         .up = tensor_columns(v->gate_up, g->ff, g->ff) }));
    return product(c, v->x, v->inner, model_matrix(m, o->down, g->width, g->ff), true);
}

static enum status step_upload(struct kv_cache *c, const struct decode_row *rows, int64_t n)
{
    int32_t *ids = c->host, *sequences = ids + n, *positions = sequences + n;
    size_t bytes = (size_t)n * sizeof *ids;

    for (int64_t i = 0; i < n; i++) {
        BUG_IF(rows[i].sequence < 0 || rows[i].sequence >= c->sequences);
        BUG_IF(rows[i].position < 0 ||
               rows[i].position >= c->owned[rows[i].sequence] * KV_PAGE_TOKENS);
        ids[i] = rows[i].token;
        sequences[i] = rows[i].sequence;
        positions[i] = rows[i].position;
    }
    TRY(stream_upload(c->stream, c->ids.p, ids, bytes));
    TRY(stream_upload(c->stream, c->row_sequences.p, sequences, bytes));
    TRY(stream_upload(c->stream, c->positions.p, positions, bytes));
    TRY(stream_upload(c->stream, c->pages_table.p, c->table,
                      (size_t)(c->sequences * c->max_pages) * sizeof *c->table));
    return stream_wait(c->stream);
}

/* Logits of the wanted rows only, one product a row run: row r's bits do not depend on the run's
 * length. */
static enum status step_logits(struct kv_cache *c, const struct decode_row *rows, int64_t n,
                               float *logits)
{
    const struct model *m = c->model;
    int64_t V = m->config.vocab, done = 0;

    for (int64_t i = 0; i < n;) {
        int64_t end = i;

        while (end < n && rows[end].want_logits)
            end++;
        if (end > i) {
            struct tensor out = tensor_rows(c->logits, 0, end - i);

            TRY(product(c, out, tensor_rows(c->normed, i, end - i),
                        model_matrix(m, model_offset_head(m), V, m->config.width), false));
            TRY(stream_download(c->stream, logits + done * V, out.p,
                                (size_t)((end - i) * V) * sizeof(float)));
            done += end - i;
        }
        i = end > i ? end : i + 1;
    }
    return stream_wait(c->stream);
}

enum status decode_step(struct kv_cache *c, const struct decode_row *rows, int64_t count,
                        float *logits)
{
    const struct model *m = c->model;
    struct step v;

    BUG_IF(count < 1 || count > c->max_rows);
    v = step_views(c, count);
    TRY(step_upload(c, rows, count));
    TRY(op_embed(c->stream, &(struct embed_args){
                                .out = v.x,
                                .ids = v.ids,
                                .table = tensor_of(m->weights + model_offset_embedding(m), DT_F32,
                                                   m->config.vocab, m->config.width) }));
    for (int64_t l = 0; l < m->config.layers; l++)
        TRY(step_layer(c, &v, l));
    TRY(norm(c, v.normed, v.x, model_offset_norm(m)));
    return step_logits(c, rows, count, logits);
}
