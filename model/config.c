#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
/* The integers of a config: name in our options, key in config.json, field, bounds. */
#define CONFIG_INTS(X)                                                       \
    X("vocab",            "vocab_size",              vocab,      2, 16777216) \
    X("model.width",      "hidden_size",             width,      8, 1048576)  \
    X("model.layers",     "num_hidden_layers",       layers,     1, 4096)     \
    X("model.heads",      "num_attention_heads",     heads,      1, 16384)    \
    X("model.kv-heads",   "num_key_value_heads",     kv_heads,   1, 16384)    \
    X("model.head-width", "head_dim",                head_width, 2, 65536)    \
    X("model.ff",         "intermediate_size",       ff,         1, 16777216) \
    X("context",          "max_position_embeddings", context,    1, 16777216)
/* clang-format on */

/* Products of sizes that are fine one by one. */
static enum status check_size(const struct model_config *c)
{
    double table = (double)c->context * (double)c->head_width;

    if ((double)c->vocab * (double)c->width > 1e13 ||
        (double)c->layers * (double)c->width * (double)(c->ff + c->heads * c->head_width) > 1e14)
        return fail(ST_CONFIG, "the model would have more than 10^13 parameters");
    if (table > 1e10)
        return fail(ST_CONFIG,
                    "context times model.head-width is %.3g, want at most 1e10 (the table of "
                    "rotary positions)",
                    table);
    return ST_OK;
}

enum status model_config_check(const struct model_config *c)
{
#define X(option, key, field, lo, hi)                                                              \
    if (c->field < lo || c->field > hi)                                                            \
        return fail(ST_CONFIG, "%s is %lld, want %lld to %lld", option, (long long)c->field,       \
                    (long long)lo, (long long)hi);
    CONFIG_INTS(X)
#undef X
    if (c->heads % c->kv_heads != 0)
        return fail(ST_CONFIG, "model.kv-heads is %lld, which does not divide model.heads %lld",
                    (long long)c->kv_heads, (long long)c->heads);
    if (c->head_width % 2 != 0)
        return fail(ST_CONFIG, "model.head-width is %lld, want an even number (rotary pairs)",
                    (long long)c->head_width);
    if (!(c->rope_theta > 1 && c->rope_theta <= 1e15))
        return fail(ST_CONFIG, "rope theta is %g, want more than 1 and at most 1e15",
                    c->rope_theta);
    if (!(c->norm_eps >= 1e-15 && c->norm_eps < 1))
        return fail(ST_CONFIG, "the norms' epsilon is %g, want 1e-15 to less than 1", c->norm_eps);
    if (c->end_of_text >= c->vocab || c->end_of_text < -1)
        return fail(ST_CONFIG, "the end-of-text token is %lld, want one of the %lld in vocab",
                    (long long)c->end_of_text, (long long)c->vocab);
    return check_size(c);
}

json_t *model_config_to_json(const struct model_config *c, enum dtype stored)
{
    json_t *j = json_object();

    json_object_set_new(j, "architectures", json_pack("[s]", "LlamaForCausalLM"));
    json_object_set_new(j, "model_type", json_string("llama"));
#define X(option, key, field, lo, hi) json_object_set_new(j, key, json_integer(c->field));
    CONFIG_INTS(X)
#undef X
    json_object_set_new(j, "hidden_act", json_string("silu"));
    json_object_set_new(j, "rms_norm_eps", json_real(c->norm_eps));
    json_object_set_new(j, "rope_theta", json_real(c->rope_theta));
    json_object_set_new(j, "rope_scaling", json_null());
    json_object_set_new(j, "attention_bias", json_false());
    json_object_set_new(j, "mlp_bias", json_false());
    json_object_set_new(j, "attention_dropout", json_real(0));
    json_object_set_new(j, "initializer_range", json_real(0.02));
    json_object_set_new(j, "tie_word_embeddings", json_boolean(c->tied));
    json_object_set_new(j, "use_cache", json_true());
    json_object_set_new(j, "torch_dtype", json_string(stored == DT_BF16 ? "bfloat16" : "float32"));
    json_object_set_new(j, "bos_token_id",
                        c->end_of_text < 0 ? json_null() : json_integer(c->end_of_text));
    json_object_set_new(j, "eos_token_id",
                        c->end_of_text < 0 ? json_null() : json_integer(c->end_of_text));
    return j;
}

/* Keys whose other values would change the computation in a way this program does not have. */
static enum status refuse_unknown(const json_t *j, const char *what)
{
    const char *type = json_string_value(json_object_get(j, "model_type"));
    const char *act = json_string_value(json_object_get(j, "hidden_act"));
    const json_t *scaling = json_object_get(j, "rope_scaling");
    const char *const biases[] = { "attention_bias", "mlp_bias" };

    if (type == NULL || strcmp(type, "llama") != 0)
        return fail(ST_UNSUPPORTED, "%s: model_type is '%s', this program computes 'llama'", what,
                    type == NULL ? "(absent)" : type);
    if (act != NULL && strcmp(act, "silu") != 0)
        return fail(ST_UNSUPPORTED, "%s: hidden_act is '%s', this program computes 'silu'", what,
                    act);
    if (scaling != NULL && !json_is_null(scaling))
        return fail(ST_UNSUPPORTED, "%s: rope_scaling is set, which this program does not compute",
                    what);
    for (size_t i = 0; i < 2; i++) {
        const json_t *bias = json_object_get(j, biases[i]);

        if (bias != NULL && !json_is_null(bias) && !json_is_false(bias))
            return fail(ST_UNSUPPORTED, "%s: %s is set, which this program does not compute", what,
                        biases[i]);
    }
    return ST_OK;
}

/* rope_theta stands at the top, or (since transformers 5) in rope_parameters. */
static enum status read_rope(const json_t *j, const char *what, struct model_config *c)
{
    const json_t *p = json_object_get(j, "rope_parameters");
    const char *type = json_string_value(json_object_get(p, "rope_type"));

    c->rope_theta = 10000;
    if (type != NULL && strcmp(type, "default") != 0)
        return fail(ST_UNSUPPORTED, "%s: rope_type is '%s', which this program does not compute",
                    what, type);
    if (json_object_get(p, "rope_theta") != NULL)
        return json_get_real(p, "rope_theta", what, &c->rope_theta);
    if (json_object_get(j, "rope_theta") != NULL)
        return json_get_real(j, "rope_theta", what, &c->rope_theta);
    return ST_OK;
}

enum status model_config_from_json(const json_t *j, const char *what, struct model_config *c)
{
    const json_t *eos = json_object_get(j, "eos_token_id"); /* one, or a list: then the first */
    int64_t value;

    memset(c, 0, sizeof *c);
    TRY(refuse_unknown(j, what));
#define X(option, key, field, lo, hi)                                                              \
    if (json_object_get(j, key) != NULL && !json_is_null(json_object_get(j, key))) {               \
        TRY(json_get_int(j, key, what, &value));                                                   \
        c->field = value;                                                                          \
    }
    CONFIG_INTS(X)
#undef X
    if (c->kv_heads == 0)
        c->kv_heads = c->heads;
    if (c->head_width == 0 && c->heads > 0)
        c->head_width = c->width / c->heads;
    c->tied = json_is_true(json_object_get(j, "tie_word_embeddings"));
    TRY(read_rope(j, what, c));
    TRY(json_get_real(j, "rms_norm_eps", what, &c->norm_eps));
    if (json_is_array(eos))
        eos = json_array_get(eos, 0);
    c->end_of_text =
        json_is_integer(eos) && json_integer_value(eos) >= 0 ? json_integer_value(eos) : -1;
    if (model_config_check(c) != ST_OK)
        return fail_within(ST_FORMAT, "%s: ", what);
    return ST_OK;
}
