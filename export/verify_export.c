#include "export/verify_export.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/half.h"
#include "base/rng.h"

static float rounded(float f, enum dtype stored)
{
    return stored == DT_BF16 ? half_from_bf16(half_to_bf16(f)) : f;
}

static enum status compare_configs(const struct model_config *a, const struct model_config *b)
{
    json_t *x = model_config_to_json(a, DT_F32), *y = model_config_to_json(b, DT_F32);
    enum status st =
        json_equal(x, y)
            ? ST_OK
            : fail(ST_INTEGRITY, "the exported config.json reads back as another model");

    json_decref(x);
    json_decref(y);
    return st;
}

/* Bit by bit: of NaNs and zeros, too. */
static enum status compare_param(const struct param *p, const float *x, const float *y,
                                 enum dtype stored)
{
    for (int64_t k = 0; k < p->rows * p->cols; k++) {
        float want = rounded(x[p->offset + k], stored), seen = y[p->offset + k];

        if (memcmp(&want, &seen, sizeof want) != 0)
            return fail(ST_INTEGRITY,
                        "exported tensor '%s' differs at element %lld: %.9g, want %.9g", p->name,
                        (long long)k, (double)seen, (double)want);
    }
    return ST_OK;
}

static enum status compare_weights(struct stream *s, struct model *a, struct model *b,
                                   enum dtype stored)
{
    const struct params *p = model_params(a);
    size_t bytes = (size_t)p->elements * sizeof(float);
    float *x = mem_alloc(bytes), *y = mem_alloc(bytes);
    enum status st = stream_download(s, x, model_weights(a), bytes);

    if (st == ST_OK)
        st = stream_download(s, y, model_weights(b), bytes);
    if (st == ST_OK)
        st = stream_wait(s);
    for (int i = 0; i < p->count && st == ST_OK; i++)
        st = compare_param(&p->list[i], x, y, stored);
    free(x);
    free(y);
    return st;
}

static enum status logits_of(struct stream *s, struct model *m, const int32_t *tokens, int64_t T,
                             float *logits)
{
    struct pass *p;
    enum status st;

    TRY(pass_new(&(struct pass_args){ .model = m, .stream = s, .batch = 1, .length = T }, &p));
    st = pass_logits(p, tokens, logits);
    pass_free(p);
    return st;
}

static enum status compare_values(const float *x, const float *y, int64_t n, enum dtype stored)
{
    double largest = 0, worst = 0;

    for (int64_t i = 0; i < n; i++) {
        double d = fabs((double)x[i] - (double)y[i]);

        largest = fmax(largest, fabs((double)x[i]));
        worst = d > worst || isnan(d) ? d : worst;
    }
    if (worst <= (stored == DT_F32 ? 0 : 0.05 * largest))
        return ST_OK;
    return fail(ST_INTEGRITY, "the exported model's logits differ by %.3g (largest logit %.3g)",
                worst, largest);
}

static enum status compare_logits(struct stream *s, struct model *a, struct model *b,
                                  enum dtype stored)
{
    const struct model_config *c = model_config_of(a);
    int64_t T = c->context < 64 ? c->context : 64, n = T * c->vocab;
    int32_t tokens[64];
    float *x = mem_array((size_t)n, sizeof *x), *y = mem_array((size_t)n, sizeof *y);
    enum status st;

    for (int64_t t = 0; t < T; t++)
        tokens[t] = (int32_t)(rng_at(1, 0, (uint64_t)t) % (uint64_t)c->vocab);
    st = logits_of(s, a, tokens, T, x);
    if (st == ST_OK)
        st = logits_of(s, b, tokens, T, y);
    if (st == ST_OK)
        st = compare_values(x, y, n, stored);
    free(x);
    free(y);
    return st;
}

enum status verify_export(const char *folder, struct model *model, enum dtype stored)
{
    struct model *again;
    struct stream *s = NULL;
    enum status st;

    TRY(model_load(folder, model_device(model), model_compute(model), &again));
    st = stream_open(model_device(model), &s);
    if (st == ST_OK)
        st = compare_configs(model_config_of(model), model_config_of(again));
    if (st == ST_OK)
        st = compare_weights(s, model, again, stored);
    if (st == ST_OK)
        st = compare_logits(s, model, again, stored);
    stream_close(s);
    model_free(again);
    return st;
}
