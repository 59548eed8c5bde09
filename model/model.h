/*
 * The model: one definition of parameters and forward pass, used by train, evaluate, export and
 * serve.
 *
 * A Llama-family decoder: token embedding; per layer RMSNorm, grouped-query attention with rotary
 * positions, RMSNorm, SwiGLU; a last RMSNorm and a head that may be tied to the embedding. No
 * biases. Names, shapes and the half-split rotary pairing are those of Hugging Face's
 * LlamaForCausalLM.
 *
 * Numerics: parameters are f32 masters; with compute type bf16 there is a rounded copy for the
 * matrix products, and what goes between operations inside a layer is bf16; the residual stream,
 * logits, losses and all gradients of parameters are f32.
 */
#ifndef TUNDISH_MODEL_MODEL_H
#define TUNDISH_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"
#include "kernels/ops.h"

struct model_config {
    int64_t vocab;      /* V */
    int64_t width;      /* C */
    int64_t layers;     /* L */
    int64_t heads;      /* H */
    int64_t kv_heads;   /* K, divides H */
    int64_t head_width; /* D, even; H * D need not be C */
    int64_t ff;         /* F */
    int64_t context;    /* longest sequence it is trained on */
    double rope_theta;
    double norm_eps;
    bool tied;           /* the head is the embedding */
    int64_t end_of_text; /* token id, -1: none; goes to config.json as eos and bos */
};
/* Checks ranges and divisibility; ST_CONFIG names the option and what it must be. */
MUST_USE enum status model_config_check(const struct model_config *c);
/* Hugging Face's config.json (LlamaConfig), both ways. Reading refuses what would change the
 * computation and is not known (rope_scaling, attention_bias, another activation ...), naming it.
 */
json_t *model_config_to_json(const struct model_config *c, enum dtype stored);
MUST_USE enum status model_config_from_json(const json_t *j, const char *what,
                                            struct model_config *c);

/* ---- parameters: one list (params.c), one flat f32 array ---- */
struct param {
    char name[96];      /* "model.layers.0.self_attn.q_proj.weight" */
    int64_t rows, cols; /* vectors: rows = 1 */
    int dims;           /* 1 or 2, in files */
    int64_t offset;     /* elements from the start of the flat array; a multiple of 16 */
    bool decay;         /* weight decay applies */
    int layer;          /* -1: outside the layers */
    double init_std;    /* normal(0, std); 0: ones */
};
/* q, k, v of a layer lie one behind the other, so that one matrix product makes all three; gate and
 * up likewise. */
struct params {
    struct param *list;
    int count;
    int64_t elements; /* length of the flat array, padding (always 0) included */
    int64_t weights;  /* true number of parameters */
};
void params_init(struct params *p, const struct model_config *c);
void params_release(struct params *p);
const struct param *params_find(const struct params *p, const char *name);

/* ---- the model on a device ---- */
struct model;
MUST_USE enum status model_new(const struct model_config *c, struct device *d, enum dtype compute,
                               struct model **out);
void model_free(struct model *m);
const struct model_config *model_config_of(const struct model *m);
const struct params *model_params(const struct model *m);
struct device *model_device(const struct model *m);
enum dtype model_compute(const struct model *m);
float *model_weights(struct model *m); /* f32 masters [params.elements], device memory */
void *
model_copy(struct model *m); /* the compute-type copy; the masters themselves when compute is f32 */
/* Seeded init: a pure function of (seed, parameter, element). Normal(0, 0.02), output projections /
 * sqrt(2 L), norms 1. */
MUST_USE enum status model_init(struct model *m, struct stream *s, uint64_t seed);
/* Rounds elements [first, first + n) of the masters into the copy; nothing to do for f32. */
MUST_USE enum status model_round(struct model *m, struct stream *s, int64_t first, int64_t n);
/* Floating-point operations of forward plus backward for one token at sequence length T (causal
 * attention counted half). */
double model_flops_per_token(const struct model_config *c, int64_t T);

/* Reads weights (and config) from a folder in Hugging Face's form: config.json and either
 * model.safetensors or the files that model.safetensors.index.json names; a checkpoint is one too.
 * Any of F32, BF16, F16. A missing, extra, double or misshapen tensor is named. What comes before:
 * model_folder.h. */
MUST_USE enum status model_load(const char *folder, struct device *d, enum dtype compute,
                                struct model **out);
MUST_USE enum status model_config_load(const char *folder, struct model_config *c);
/* Writes `weights` (host f32 [params.elements], laid out as in params) under the parameters' names,
 * each with `prefix` in front (none for the model itself), to one safetensors file; stored as F32
 * or BF16 (rounded to nearest even). */
struct weights_part {
    const struct params *params;
    const float *weights;
    const char *prefix;
    enum dtype stored;
};
MUST_USE enum status weights_write(const char *path, const struct weights_part *parts,
                                   size_t count);
/* Reads the parameters named prefix + name from an open file into weights. A missing or misshapen
 * tensor is named. */
struct tensor_file;
MUST_USE enum status weights_read(const struct tensor_file *f, const char *what,
                                  const struct params *p, const char *prefix, float *weights);

/* ---- whole sequences: training and scoring ---- */
/* Work memory for one unit of B sequences of T tokens, owned by one stream. */
struct pass;
struct pass_args {
    const struct model *model;
    struct stream *stream;
    int64_t batch, length; /* B, T <= context */
    bool gradients;        /* keep activations for a backward pass */
};
MUST_USE enum status pass_new(const struct pass_args *args, struct pass **out);
void pass_free(struct pass *p);
/* tokens, targets: host i32 [B * T]; targets < 0 are ignored. losses: host f32 [B * T], NULL: not
 * wanted. */
struct pass_data {
    const int32_t *tokens, *targets;
    const int32_t
        *first; /* i32 [B * T]: first position each token may see in its row; NULL: all before it */
    float *losses;
};
MUST_USE enum status pass_forward(struct pass *p, const struct pass_data *data);
/* Forward and backward: grads (device f32 [params.elements]) += scale * d(sum of losses). */
MUST_USE enum status pass_train(struct pass *p, const struct pass_data *data, float scale,
                                float *grads);
/* Forward only; logits: host f32 [B * T, V]. */
MUST_USE enum status pass_logits(struct pass *p, const int32_t *tokens, float *logits);

#endif
