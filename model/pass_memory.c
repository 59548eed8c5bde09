#include <string.h>

#include "base/arena.h"
#include "model/pass.h"

#define LOGIT_ELEMENTS (1 << 20) /* logits that exist at a time: 4 MiB in f32 */

struct builder {
    struct pass *p;
    enum status st;
};

static void *take(struct builder *b, size_t bytes)
{
    struct pass *p = b->p;
    void *block = NULL;

    if (b->st == ST_OK)
        b->st = device_alloc(p->model->device, bytes, &block);
    if (b->st == ST_OK) {
        p->memory = mem_grow(p->memory, (size_t)p->blocks + 1, sizeof *p->memory);
        p->memory[p->blocks++] = block;
    }
    return block;
}

static struct tensor make(struct builder *b, enum dtype type, int64_t rows, int64_t cols)
{
    return tensor_of(take(b, (size_t)rows * (size_t)cols * dtype_size(type)), type, rows, cols);
}

static void make_layer(struct builder *b, struct layer_state *s)
{
    const struct model_config *c = &b->p->model->config;
    enum dtype any = b->p->model->compute;
    int64_t N = b->p->N;

    s->x = make(b, DT_F32, N, c->width);
    s->rstd1 = make(b, DT_F32, 1, N);
    s->normed1 = make(b, any, N, c->width);
    s->qkv = make(b, any, N, model_qkv_columns(c));
    s->attended = make(b, any, N, c->heads * c->head_width);
    s->lse = make(b, DT_F32, N, c->heads);
    s->middle = make(b, DT_F32, N, c->width);
    s->rstd2 = make(b, DT_F32, 1, N);
    s->normed2 = make(b, any, N, c->width);
    s->gate_up = make(b, any, N, 2 * c->ff);
    s->inner = make(b, any, N, c->ff);
}

static void make_backward(struct builder *b)
{
    struct pass *p = b->p;
    const struct model_config *c = &p->model->config;
    enum dtype any = p->model->compute;

    p->dlogits = any == DT_F32 ? p->logits : make(b, any, p->chunk, c->vocab);
    p->dnormed = make(b, DT_F32, p->N, c->width);
    p->dx = make(b, DT_F32, p->N, c->width);
    p->dx_any = any == DT_F32 ? p->dx : make(b, any, p->N, c->width);
    p->dinner = make(b, any, p->N, c->ff);
    p->dgate_up = make(b, any, p->N, 2 * c->ff);
    p->dattended = make(b, any, p->N, c->heads * c->head_width);
    p->dqkv = make(b, any, p->N, model_qkv_columns(c));
}

static void make_layers(struct builder *b)
{
    struct pass *p = b->p;
    int64_t layers = p->model->config.layers;

    p->layers = mem_array((size_t)layers, sizeof *p->layers);
    p->offsets = mem_array((size_t)layers, sizeof *p->offsets);
    for (int64_t l = 0; l < layers; l++) {
        p->offsets[l] = model_layer(p->model, l);
        if (l == 0 || p->gradients)
            make_layer(b, &p->layers[l]);
        else
            p->layers[l] = p->layers[0];
    }
}

static void fill_positions(struct builder *b)
{
    struct pass *p = b->p;
    int32_t *host = mem_array((size_t)p->N, sizeof *host);

    for (int64_t n = 0; n < p->N; n++)
        host[n] = (int32_t)(n % p->T);
    if (b->st == ST_OK)
        b->st = stream_upload(p->stream, p->positions.p, host, (size_t)p->N * sizeof *host);
    if (b->st == ST_OK)
        b->st = stream_wait(p->stream);
    free(host);
}

enum status pass_new(const struct pass_args *args, struct pass **out)
{
    struct pass *p = mem_alloc(sizeof *p);
    struct builder b = { p, ST_OK };
    const struct model_config *c = &args->model->config;

    BUG_IF(args->batch < 1 || args->length < 1 || args->length > c->context);
    *p = (struct pass){ .model = args->model,
                        .stream = args->stream,
                        .B = args->batch,
                        .T = args->length,
                        .N = args->batch * args->length,
                        .gradients = args->gradients };
    p->chunk = LOGIT_ELEMENTS / c->vocab;
    p->chunk = p->chunk < 16 ? 16 : p->chunk > p->N ? p->N : p->chunk;
    make_layers(&b);
    p->x = make(&b, DT_F32, p->N, c->width);
    p->rstd = make(&b, DT_F32, 1, p->N);
    p->normed = make(&b, args->model->compute, p->N, c->width);
    p->logits = make(&b, DT_F32, p->chunk, c->vocab);
    p->losses = make(&b, DT_F32, 1, p->N);
    p->ids = make(&b, DT_I32, 1, p->N);
    p->targets = make(&b, DT_I32, 1, p->N);
    p->positions = make(&b, DT_I32, 1, p->N);
    p->first = make(&b, DT_I32, 1, p->N);
    p->first_memory = p->first.p;
    if (args->gradients)
        make_backward(&b);
    fill_positions(&b);
    if (b.st != ST_OK) {
        pass_free(p);
        return b.st;
    }
    *out = p;
    return ST_OK;
}

void pass_free(struct pass *p)
{
    if (p == NULL)
        return;
    for (int i = 0; i < p->blocks; i++)
        device_free(p->model->device, p->memory[i]);
    free(p->memory);
    free(p->layers);
    free(p->offsets);
    free(p);
}
