/*
 * The model once more, in float64 and as plainly as the paper: what tests hold forward and
 * gradients against. Shares no code with the program but the parameter list.
 */
#ifndef TUNDISH_TESTS_MODEL_REFERENCE_H
#define TUNDISH_TESTS_MODEL_REFERENCE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

static const double *ref_weight(const struct params *p, const double *w, int layer,
                                const char *part)
{
    char name[96];

    if (layer < 0)
        snprintf(name, sizeof name, "%s", part);
    else
        snprintf(name, sizeof name, "model.layers.%d.%s.weight", layer, part);
    return w + params_find(p, name)->offset;
}

static void ref_norm(double *out, const double *x, const double *w, int64_t C, double eps)
{
    double sum = 0;

    for (int64_t i = 0; i < C; i++)
        sum += x[i] * x[i];
    for (int64_t i = 0; i < C; i++)
        out[i] = x[i] / sqrt(sum / (double)C + eps) * w[i];
}

/* out[r] = sum over k of w[r][k] x[k] */
static void ref_product(double *out, const double *x, const double *w, int64_t rows, int64_t cols)
{
    for (int64_t r = 0; r < rows; r++) {
        out[r] = 0;
        for (int64_t k = 0; k < cols; k++)
            out[r] += w[r * cols + k] * x[k];
    }
}

static void ref_rotate(double *x, int64_t D, int64_t position, double theta)
{
    for (int64_t i = 0; i < D / 2; i++) {
        double angle = (double)position * pow(theta, -2.0 * (double)i / (double)D);
        double a = x[i], b = x[i + D / 2];

        x[i] = a * cos(angle) - b * sin(angle);
        x[i + D / 2] = b * cos(angle) + a * sin(angle);
    }
}

static void ref_attend(const struct model_config *c, double *out, const double *q, const double *K,
                       const double *V, int64_t t)
{
    int64_t D = c->head_width, kc = c->kv_heads * D;
    double *p = calloc((size_t)t + 1, sizeof *p);

    for (int64_t h = 0; h < c->heads; h++) {
        int64_t kh = h * c->kv_heads / c->heads;
        double top = -INFINITY, sum = 0;

        for (int64_t j = 0; j <= t; j++) {
            p[j] = 0;
            for (int64_t d = 0; d < D; d++)
                p[j] += q[h * D + d] * K[j * kc + kh * D + d] / sqrt((double)D);
            top = fmax(top, p[j]);
        }
        for (int64_t j = 0; j <= t; j++)
            sum += p[j] = exp(p[j] - top);
        for (int64_t d = 0; d < D; d++) {
            out[h * D + d] = 0;
            for (int64_t j = 0; j <= t; j++)
                out[h * D + d] += p[j] / sum * V[j * kc + kh * D + d];
        }
    }
    free(p);
}

static void ref_layer(const struct model_config *c, const struct params *p, const double *w, int l,
                      double *x, int64_t T)
{
    int64_t C = c->width, D = c->head_width, qc = c->heads * D, kc = c->kv_heads * D, F = c->ff;
    double *n = calloc((size_t)C, sizeof *n), *q = calloc((size_t)qc, sizeof *q),
           *a = calloc((size_t)qc, sizeof *a);
    double *K = calloc((size_t)(T * kc), sizeof *K), *V = calloc((size_t)(T * kc), sizeof *V);
    double *g = calloc((size_t)F, sizeof *g), *u = calloc((size_t)F, sizeof *u),
           *o = calloc((size_t)C, sizeof *o);

    for (int64_t t = 0; t < T; t++) {
        ref_norm(n, x + t * C, ref_weight(p, w, l, "input_layernorm"), C, c->norm_eps);
        ref_product(q, n, ref_weight(p, w, l, "self_attn.q_proj"), qc, C);
        ref_product(K + t * kc, n, ref_weight(p, w, l, "self_attn.k_proj"), kc, C);
        ref_product(V + t * kc, n, ref_weight(p, w, l, "self_attn.v_proj"), kc, C);
        for (int64_t h = 0; h < c->heads; h++)
            ref_rotate(q + h * D, D, t, c->rope_theta);
        for (int64_t h = 0; h < c->kv_heads; h++)
            ref_rotate(K + t * kc + h * D, D, t, c->rope_theta);
        ref_attend(c, a, q, K, V, t);
        ref_product(o, a, ref_weight(p, w, l, "self_attn.o_proj"), C, qc);
        for (int64_t i = 0; i < C; i++)
            x[t * C + i] += o[i];
        ref_norm(n, x + t * C, ref_weight(p, w, l, "post_attention_layernorm"), C, c->norm_eps);
        ref_product(g, n, ref_weight(p, w, l, "mlp.gate_proj"), F, C);
        ref_product(u, n, ref_weight(p, w, l, "mlp.up_proj"), F, C);
        for (int64_t i = 0; i < F; i++)
            g[i] = g[i] / (1 + exp(-g[i])) * u[i];
        ref_product(o, g, ref_weight(p, w, l, "mlp.down_proj"), C, F);
        for (int64_t i = 0; i < C; i++)
            x[t * C + i] += o[i];
    }
    free(n), free(q), free(a), free(K), free(V), free(g), free(u), free(o);
}

/* Logits [T, V] of one sequence. */
static void ref_logits(const struct model_config *c, const struct params *p, const double *w,
                       const int32_t *tokens, int64_t T, double *logits)
{
    int64_t C = c->width;
    double *x = calloc((size_t)(T * C), sizeof *x), *n = calloc((size_t)C, sizeof *n);
    const double *embedding = ref_weight(p, w, -1, "model.embed_tokens.weight");

    for (int64_t t = 0; t < T; t++)
        memcpy(x + t * C, embedding + tokens[t] * C, (size_t)C * sizeof *x);
    for (int l = 0; l < c->layers; l++)
        ref_layer(c, p, w, l, x, T);
    for (int64_t t = 0; t < T; t++) {
        ref_norm(n, x + t * C, ref_weight(p, w, -1, "model.norm.weight"), C, c->norm_eps);
        ref_product(logits + t * c->vocab, n,
                    c->tied ? embedding : ref_weight(p, w, -1, "lm_head.weight"), c->vocab, C);
    }
    free(x), free(n);
}

/* Sum of losses of B sequences; targets < 0 are ignored. */
static double ref_loss(const struct model_config *c, const struct params *p, const double *w,
                       const int32_t *tokens, const int32_t *targets, int64_t B, int64_t T)
{
    double *logits = calloc((size_t)(T * c->vocab), sizeof *logits), loss = 0;

    for (int64_t b = 0; b < B; b++) {
        ref_logits(c, p, w, tokens + b * T, T, logits);
        for (int64_t t = 0; t < T; t++) {
            const double *row = logits + t * c->vocab;
            double top = -INFINITY, sum = 0;

            if (targets[b * T + t] < 0)
                continue;
            for (int64_t v = 0; v < c->vocab; v++)
                top = fmax(top, row[v]);
            for (int64_t v = 0; v < c->vocab; v++)
                sum += exp(row[v] - top);
            loss += top + log(sum) - row[targets[b * T + t]];
        }
    }
    free(logits);
    return loss;
}

#endif
