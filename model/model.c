#include "model/model.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "model/internal.h"

static int64_t offset_of(const struct model *m, const char *name)
{
    const struct param *p = params_find(&m->params, name);

    BUG_IF(p == NULL);
    return p->offset;
}

int64_t model_offset_embedding(const struct model *m)
{
    return offset_of(m, "model.embed_tokens.weight");
}
int64_t model_offset_norm(const struct model *m) { return offset_of(m, "model.norm.weight"); }
int64_t model_offset_head(const struct model *m)
{
    return m->config.tied ? model_offset_embedding(m) : offset_of(m, "lm_head.weight");
}

struct layer_offsets model_layer(const struct model *m, int64_t layer)
{
    char name[96];
    struct layer_offsets o;

#define AT(field, part)                                                                            \
    snprintf(name, sizeof name, "model.layers.%lld." part ".weight", (long long)layer);            \
    o.field = offset_of(m, name);
    AT(norm1, "input_layernorm")
    AT(qkv, "self_attn.q_proj")
    AT(o, "self_attn.o_proj")
    AT(norm2, "post_attention_layernorm")
    AT(gate_up, "mlp.gate_proj")
    AT(down, "mlp.down_proj")
#undef AT
    return o;
}

static enum status fill_rope(struct model *m)
{
    const struct model_config *c = &m->config;
    size_t bytes = (size_t)c->context * (size_t)c->head_width * sizeof(float);
    float *host = mem_alloc(bytes);
    struct stream *s = NULL;
    void *p;
    enum status st = device_alloc(m->device, bytes, &p);

    if (st == ST_OK) {
        m->rope = p;
        rope_fill(host, c->context, c->head_width, c->rope_theta);
        st = stream_open(m->device, &s);
    }
    if (st == ST_OK)
        st = stream_upload(s, m->rope, host, bytes);
    if (st == ST_OK)
        st = stream_wait(s);
    stream_close(s);
    free(host);
    return st;
}

enum status model_new(const struct model_config *c, struct device *d, enum dtype compute,
                      struct model **out)
{
    struct model *m = mem_alloc(sizeof *m);
    enum status st = model_config_check(c);
    void *p = NULL;

    m->config = *c;
    m->device = d;
    m->compute = compute;
    if (st == ST_OK) {
        params_init(&m->params, c);
        st = device_alloc(d, (size_t)m->params.elements * sizeof(float), &p);
        m->weights = p;
    }
    if (st == ST_OK && compute == DT_F32)
        m->copy = m->weights;
    else if (st == ST_OK)
        st = device_alloc(d, (size_t)m->params.elements * dtype_size(compute), &m->copy);
    if (st == ST_OK)
        st = fill_rope(m);
    if (st != ST_OK) {
        model_free(m);
        return st;
    }
    *out = m;
    return ST_OK;
}

void model_free(struct model *m)
{
    if (m == NULL)
        return;
    if (m->copy != m->weights)
        device_free(m->device, m->copy);
    device_free(m->device, m->weights);
    device_free(m->device, m->rope);
    params_release(&m->params);
    free(m);
}

const struct model_config *model_config_of(const struct model *m) { return &m->config; }
const struct params *model_params(const struct model *m) { return &m->params; }
struct device *model_device(const struct model *m) { return m->device; }
enum dtype model_compute(const struct model *m) { return m->compute; }
float *model_weights(struct model *m) { return m->weights; }
void *model_copy(struct model *m) { return m->copy; }

enum status model_init(struct model *m, struct stream *s, uint64_t seed)
{
    float *host = mem_alloc((size_t)m->params.elements * sizeof *host);
    enum status st;

    for (int i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.list[i];
        float *w = host + p->offset;

        for (int64_t k = 0; k < p->rows * p->cols; k++)
            w[k] = p->init_std == 0
                       ? 1.0f
                       : (float)(p->init_std * rng_normal_at(seed, (uint64_t)i, (uint64_t)k));
    }
    st = stream_upload(s, m->weights, host, (size_t)m->params.elements * sizeof *host);
    if (st == ST_OK)
        st = stream_wait(s);
    free(host);
    TRY(st);
    return model_round(m, s, 0, m->params.elements);
}

enum status model_round(struct model *m, struct stream *s, int64_t first, int64_t n)
{
    if (m->copy == m->weights)
        return ST_OK;
    return op_cast(s, &(struct cast_args){
                          .out = tensor_of((char *)m->copy + (size_t)first * dtype_size(m->compute),
                                           m->compute, 1, n),
                          .x = tensor_of(m->weights + first, DT_F32, 1, n) });
}

double model_flops_per_token(const struct model_config *c, int64_t T)
{
    double qkv = (double)(model_qkv_columns(c) * c->width);
    double o = (double)(c->heads * c->head_width * c->width);
    double mlp = 3.0 * (double)(c->ff * c->width);
    double matrices = (double)c->layers * (qkv + o + mlp) + (double)(c->vocab * c->width);
    double attention = (double)c->layers * (double)(c->heads * c->head_width) *
                       (double)T; /* q k^T and p v, half */

    return 6.0 * matrices + 6.0 * attention;
}
