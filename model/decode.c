#include <string.h>

#include "base/arena.h"
#include "model/decode_part.h"

static struct tensor make(struct kv_cache *c, enum dtype type, int64_t rows, int64_t cols)
{
    void *p = NULL;

    if (c->st == ST_OK)
        c->st = device_alloc(c->model->device, (size_t)rows * (size_t)cols * dtype_size(type), &p);
    if (c->st == ST_OK) {
        c->memory = mem_grow(c->memory, c->blocks + 1, sizeof *c->memory);
        c->memory[c->blocks++] = p;
    }
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
    c->wanted = make(c, DT_I32, 1, R);
    c->x = make(c, DT_F32, R, g->width);
    c->qkv = make(c, any, R, model_qkv_columns(g));
    c->attended = make(c, any, R, g->heads * g->head_width);
    c->gate_up = make(c, any, R, 2 * g->ff);
    c->inner = make(c, any, R, g->ff);
    c->logits = make(c, DT_F32, c->max_wanted, g->vocab);
}

static void make_workers(struct kv_cache *c, struct stream *first)
{
    const struct model_config *g = &c->model->config;

    c->worker_count = c->pool == NULL ? 1 : pool_threads(c->pool);
    c->workers = mem_array((size_t)c->worker_count, sizeof *c->workers);
    barrier_init(&c->barrier, c->worker_count);
    for (int i = 0; i < c->worker_count; i++) {
        struct step_worker *w = &c->workers[i];

        w->cache = c;
        w->normed = make(c, c->model->compute, c->max_rows, g->width);
        w->picked = make(c, DT_F32, c->max_wanted, g->width);
        if (i == 0)
            w->stream = first;
        else if (c->st == ST_OK)
            c->st = stream_open(c->model->device, &w->stream);
    }
}

uint64_t kv_page_bytes(const struct model *m)
{
    const struct model_config *g = &m->config;

    return (uint64_t)(2 * g->layers * KV_PAGE_TOKENS * g->kv_heads * g->head_width) *
           dtype_size(m->compute);
}

static void make_pages(struct kv_cache *c)
{
    const struct model_config *g = &c->model->config;
    size_t bytes = (size_t)c->pages * (size_t)(kv_page_bytes(c->model) / 2 / (uint64_t)g->layers);

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
                            .pool = args->pool,
                            .sequences = args->sequences,
                            .pages = args->pages,
                            .max_rows = args->max_rows,
                            .max_wanted = args->max_wanted ? args->max_wanted : args->max_rows };
    BUG_IF(c->sequences < 1 || c->pages < 1 || c->max_rows < 1);
    c->max_pages = (g->context + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
    c->table = mem_array((size_t)(c->sequences * c->max_pages), sizeof *c->table);
    c->owned = mem_array((size_t)c->sequences, sizeof *c->owned);
    c->free_list = mem_array((size_t)c->pages, sizeof *c->free_list);
    c->host = mem_array((size_t)c->max_rows * 4, sizeof *c->host);
    c->offsets = mem_array((size_t)g->layers, sizeof *c->offsets);
    for (int64_t i = 0; i < c->pages; i++)
        c->free_list[i] = (int32_t)(c->pages - 1 - i);
    c->free_count = c->pages;
    for (int64_t l = 0; l < g->layers; l++)
        c->offsets[l] = model_layer(c->model, l);
    make_work(c);
    make_workers(c, args->stream);
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
    for (int i = 1; c->workers != NULL && i < c->worker_count; i++)
        if (c->workers[i].stream != NULL)
            stream_close(c->workers[i].stream);
    for (size_t i = 0; i < c->blocks; i++)
        device_free(c->model->device, c->memory[i]);
    free(c->memory);
    free(c->workers);
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
