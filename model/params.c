#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define STD 0.02 /* GPT-2's choice for width 768 and up; also good at 256 */

/* clang-format off */
/* The one list of parameters, in the order of the flat array. Rows that must lie one behind the
 * other (q k v; gate up) stand one behind the other here. rows 0: a vector. std 0: ones.
 * C, Q, K, F: columns of the residual stream, of q, of k and v, of the feed-forward part.
 *    name in files                     rows cols std           decay */
#define LAYER_PARAMS(X)                                             \
    X("input_layernorm.weight",          0,   C,   0,            0) \
    X("self_attn.q_proj.weight",         Q,   C,   STD,          1) \
    X("self_attn.k_proj.weight",         K,   C,   STD,          1) \
    X("self_attn.v_proj.weight",         K,   C,   STD,          1) \
    X("self_attn.o_proj.weight",         C,   Q,   residual_std, 1) \
    X("post_attention_layernorm.weight", 0,   C,   0,            0) \
    X("mlp.gate_proj.weight",            F,   C,   STD,          1) \
    X("mlp.up_proj.weight",              F,   C,   STD,          1) \
    X("mlp.down_proj.weight",            C,   F,   residual_std, 1)
/* clang-format on */

struct row {
    const char *name;
    int64_t rows, cols;
    double std;
    bool decay;
};

static void add(struct params *p, int layer, const struct row *r)
{
    struct param *q = &p->list[p->count++];

    if (layer < 0)
        snprintf(q->name, sizeof q->name, "%s", r->name);
    else
        snprintf(q->name, sizeof q->name, "model.layers.%d.%s", layer, r->name);
    q->dims = r->rows == 0 ? 1 : 2;
    q->rows = r->rows == 0 ? 1 : r->rows;
    q->cols = r->cols;
    q->offset = p->elements;
    q->decay = r->decay;
    q->layer = layer;
    q->init_std = r->std;
    p->weights += q->rows * q->cols;
    p->elements += q->rows * q->cols;
    if (q->dims == 1) /* matrices follow each other without a gap: views over q k v need it */
        p->elements = (p->elements + 15) & ~(int64_t)15;
}

static void add_layer(struct params *p, const struct model_config *c, int layer)
{
    const int64_t C = c->width, Q = c->heads * c->head_width, K = c->kv_heads * c->head_width;
    const int64_t F = c->ff;
    double residual_std =
        STD / sqrt(2.0 * (double)c->layers); /* Radford et al. 2019, section 2.3 */
    const struct row rows[] = {
#define X(name, rows, cols, std, decay) { name, rows, cols, std, decay },
        LAYER_PARAMS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        add(p, layer, &rows[i]);
    p->elements = (p->elements + 15) & ~(int64_t)15;
}

void params_init(struct params *p, const struct model_config *c)
{
    memset(p, 0, sizeof *p);
    p->list = mem_array((size_t)c->layers * 9 + 3, sizeof *p->list);
    add(p, -1, &(struct row){ "model.embed_tokens.weight", c->vocab, c->width, STD, true });
    p->elements = (p->elements + 15) & ~(int64_t)15;
    for (int64_t l = 0; l < c->layers; l++)
        add_layer(p, c, (int)l);
    add(p, -1, &(struct row){ "model.norm.weight", 0, c->width, 0, false });
    if (!c->tied)
        add(p, -1, &(struct row){ "lm_head.weight", c->vocab, c->width, STD, true });
    p->elements = (p->elements + 15) & ~(int64_t)15;
}

void params_release(struct params *p)
{
    free(p->list);
    memset(p, 0, sizeof *p);
}

const struct param *params_find(const struct params *p, const char *name)
{
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->list[i].name, name) == 0)
            return &p->list[i];
    return NULL;
}
