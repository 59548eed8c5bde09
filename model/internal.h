/*
 * What the files of model/ share: the model's insides and views of one layer's parameters. Private.
 */
#ifndef TUNDISH_MODEL_INTERNAL_H
#define TUNDISH_MODEL_INTERNAL_H

#include "model/model.h"

struct model {
    struct model_config config;
    struct params params;
    struct device *device;
    enum dtype compute;
    float *weights; /* f32 masters */
    void *copy;     /* compute type; == weights when f32 */
    float *rope;    /* f32 [context, D] */
};

/* Offsets (elements) of the parameters that a layer's operations read: q stands for the stacked q k
 * v, gate for gate and up. */
struct layer_offsets {
    int64_t norm1, qkv, o, norm2, gate_up, down;
};
struct layer_offsets model_layer(const struct model *m, int64_t layer);
int64_t model_offset_embedding(const struct model *m);
int64_t model_offset_norm(const struct model *m);
int64_t model_offset_head(const struct model *m); /* the embedding's when tied */

/* Columns of the stacked projection: (H + 2 K) D. */
static inline int64_t model_qkv_columns(const struct model_config *c)
{
    return (c->heads + 2 * c->kv_heads) * c->head_width;
}
/* Views into the compute copy (matrices), the masters (vectors) and a gradient array. */
static inline struct tensor model_matrix(const struct model *m, int64_t offset, int64_t rows,
                                         int64_t cols)
{
    return tensor_of((char *)m->copy + (size_t)offset * dtype_size(m->compute), m->compute, rows,
                     cols);
}
static inline struct tensor model_vector(const struct model *m, int64_t offset, int64_t cols)
{
    return tensor_of(m->weights + offset, DT_F32, 1, cols);
}

/* One tensor of a file into its parameter's place (weights.c); a wrong shape or type is named. */
struct tensor_entry;
MUST_USE enum status weights_take(const struct tensor_entry *e, const char *what,
                                  const struct param *p, float *weights);

#endif
