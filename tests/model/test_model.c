/* Forward, gradients and decoding against a plain float64 model; weight files. */
#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "model/decode.h"
#include "model/reference.h"
#include "store/formats/tensors.h"

enum { B = 2, T = 13, V = 37 };

static struct model_config config(bool tied)
{
    return (struct model_config){ .vocab = V,
                                  .width = 32,
                                  .layers = 2,
                                  .heads = 4,
                                  .kv_heads = 2,
                                  .head_width = 10,
                                  .ff = 44,
                                  .context = 40,
                                  .rope_theta = 10000,
                                  .norm_eps = 1e-5,
                                  .tied = tied,
                                  .end_of_text = 0 };
}

struct fixture {
    struct device *device;
    struct stream *stream;
    struct model *model;
    double *w; /* the weights in f64 */
    int32_t tokens[B * T], targets[B * T];
};

static void open_fixture(struct fixture *f, bool tied, enum dtype compute)
{
    struct model_config c = config(tied);

    assert_ok(device_open("cpu", &f->device));
    assert_ok(stream_open(f->device, &f->stream));
    assert_ok(model_new(&c, f->device, compute, &f->model));
    assert_ok(model_init(f->model, f->stream, 3));
    for (int64_t i = 0; i < model_params(f->model)->elements;
         i++) /* larger than at init: every path matters */
        model_weights(f->model)[i] *= 4;
    assert_ok(model_round(f->model, f->stream, 0, model_params(f->model)->elements));
    f->w = calloc((size_t)model_params(f->model)->elements, sizeof *f->w);
    for (int64_t i = 0; i < model_params(f->model)->elements; i++)
        f->w[i] = model_weights(f->model)[i];
    for (int i = 0; i < B * T; i++) {
        f->tokens[i] = (int32_t)(rng_at(5, 0, (uint64_t)i) % V);
        f->targets[i] = i % 7 == 3 ? -1 : (int32_t)(rng_at(5, 1, (uint64_t)i) % V);
    }
}

static void close_fixture(struct fixture *f)
{
    free(f->w);
    model_free(f->model);
    stream_close(f->stream);
    device_close(f->device);
}

static double forward_loss(struct fixture *f, bool gradients)
{
    struct pass *p;
    float losses[B * T];
    double sum = 0;

    assert_ok(pass_new(&(struct pass_args){ f->model, f->stream, B, T, gradients }, &p));
    assert_ok(pass_forward(
        p, &(struct pass_data){ .tokens = f->tokens, .targets = f->targets, .losses = losses }));
    for (int i = 0; i < B * T; i++) {
        if (f->targets[i] < 0)
            assert_true(losses[i] == 0);
        sum += losses[i];
    }
    pass_free(p);
    return sum;
}

static void losses_equal_a_float64_model(void **state)
{
    for (int tied = 0; tied < 2; tied++) {
        struct fixture f;
        double want;

        open_fixture(&f, tied, DT_F32);
        want = ref_loss(model_config_of(f.model), model_params(f.model), f.w, f.tokens, f.targets,
                        B, T);
        assert_true(fabs(forward_loss(&f, false) - want) < 1e-4 * want);
        assert_true(fabs(forward_loss(&f, true) - want) < 1e-4 * want);
        close_fixture(&f);
        open_fixture(&f, tied, DT_BF16);
        assert_true(fabs(forward_loss(&f, false) - want) < 3e-2 * want);
        close_fixture(&f);
    }
}

/* d loss / d w[i] by central differences in float64. */
static double slope(struct fixture *f, int64_t i)
{
    const struct model_config *c = model_config_of(f->model);
    const struct params *p = model_params(f->model);
    double eps = 1e-5, was = f->w[i], up, down;

    f->w[i] = was + eps;
    up = ref_loss(c, p, f->w, f->tokens, f->targets, B, T);
    f->w[i] = was - eps;
    down = ref_loss(c, p, f->w, f->tokens, f->targets, B, T);
    f->w[i] = was;
    return (up - down) / (2 * eps);
}

static void check_gradients(enum dtype compute, bool tied, double tolerance)
{
    struct fixture f;
    struct pass *p;
    float *grads;

    open_fixture(&f, tied, compute);
    grads = calloc((size_t)model_params(f.model)->elements, sizeof *grads);
    assert_ok(pass_new(&(struct pass_args){ f.model, f.stream, B, T, true }, &p));
    assert_ok(pass_train(p, &(struct pass_data){ .tokens = f.tokens, .targets = f.targets }, 0.5f,
                         grads));
    assert_ok(pass_train(p, &(struct pass_data){ .tokens = f.tokens, .targets = f.targets }, 0.5f,
                         grads)); /* adds */
    for (int k = 0; k < model_params(f.model)->count; k++) {
        const struct param *q = &model_params(f.model)->list[k];
        double scale = 0;

        for (int64_t i = 0; i < q->rows * q->cols; i++)
            scale = fmax(scale, fabs((double)grads[q->offset + i]));
        assert_true(scale > 0); /* every parameter has a say */
        for (int n = 0; n < 8; n++) {
            int64_t i = q->offset + (int64_t)(rng_at(9, (uint64_t)k, (uint64_t)n) %
                                              (uint64_t)(q->rows * q->cols));
            double want = slope(&f, i);

            if (fabs((double)grads[i] - want) > tolerance * scale)
                fail_msg("%s element %lld: %g, want %g", q->name, (long long)(i - q->offset),
                         (double)grads[i], want);
        }
    }
    pass_free(p);
    free(grads);
    close_fixture(&f);
}

static void gradients_equal_finite_differences(void **state)
{
    check_gradients(DT_F32, true, 2e-4);
    check_gradients(DT_F32, false, 2e-4);
    check_gradients(DT_BF16, true, 8e-2);
}

static void decoding_equals_forward(void **state)
{
    const int chunks[] = { 1, 2, 5, 13 };

    for (enum dtype type = DT_F32; type <= DT_BF16; type++) {
        struct fixture f;
        struct pass *p;
        float whole[T * V], step[T * V];

        open_fixture(&f, true, type);
        assert_ok(pass_new(&(struct pass_args){ f.model, f.stream, 1, T, false }, &p));
        assert_ok(pass_logits(p, f.tokens, whole));
        pass_free(p);
        for (int k = 0; k < 4; k++) {
            struct kv_cache *c;
            float worst = 0;

            assert_ok(kv_cache_new(&(struct kv_cache_args){ .model = f.model,
                                                            .stream = f.stream,
                                                            .sequences = 1,
                                                            .pages = 3,
                                                            .max_rows = 16 },
                                   &c));
            for (int t = 0; t < T; t += chunks[k]) {
                struct decode_row rows[T];
                int n = T - t < chunks[k] ? T - t : chunks[k];

                for (int i = 0; i < n; i++)
                    rows[i] = (struct decode_row){ 0, t + i, f.tokens[t + i], true };
                assert_ok(kv_cache_reserve(c, 0, t + n));
                assert_ok(decode_step(c, rows, n, step + t * V));
            }
            for (int i = 0; i < T * V; i++)
                worst = fmaxf(worst, fabsf(step[i] - whole[i]));
            assert_true(worst < (type == DT_F32 ? 1e-4f : 0.15f));
            kv_cache_free(c);
        }
        close_fixture(&f);
    }
}

/* Two sequences in one call, pages interleaved: the same bits as each one alone. */
static void a_sequence_decodes_the_same_among_others(void **state)
{
    struct fixture f;
    float alone[2][V], together[2 * V];
    struct kv_cache *c;

    open_fixture(&f, true, DT_F32);
    for (int s = 0; s < 2; s++) {
        assert_ok(kv_cache_new(
            &(struct kv_cache_args){
                .model = f.model, .stream = f.stream, .sequences = 2, .pages = 6, .max_rows = 16 },
            &c));
        assert_ok(kv_cache_reserve(c, s, 20));
        for (int t = 0; t < 20; t++)
            assert_ok(decode_step(c, &(struct decode_row){ s, t, f.tokens[t % T + s * T], t == 19 },
                                  1, alone[s]));
        kv_cache_free(c);
    }
    assert_ok(kv_cache_new(
        &(struct kv_cache_args){
            .model = f.model, .stream = f.stream, .sequences = 2, .pages = 6, .max_rows = 16 },
        &c));
    for (int t = 0; t < 20; t++) {
        const struct decode_row rows[] = { { 0, t, f.tokens[t % T], t == 19 },
                                           { 1, t, f.tokens[t % T + T], t == 19 } };

        assert_ok(kv_cache_reserve(c, 0, t + 1));
        assert_ok(kv_cache_reserve(c, 1, t + 1));
        assert_ok(decode_step(c, rows, 2, together));
    }
    assert_memory_equal(together, alone[0], sizeof alone[0]);
    assert_memory_equal(together + V, alone[1], sizeof alone[1]);
    kv_cache_free(c);
    close_fixture(&f);
}

static void pages_run_out_and_come_back(void **state)
{
    struct fixture f;
    struct kv_cache *c;

    open_fixture(&f, true, DT_F32);
    assert_ok(kv_cache_new(
        &(struct kv_cache_args){
            .model = f.model, .stream = f.stream, .sequences = 2, .pages = 3, .max_rows = 4 },
        &c));
    assert_ok(kv_cache_reserve(c, 0, 33));
    assert_int_equal(kv_cache_free_pages(c), 0);
    assert_int_equal(kv_cache_reserve(c, 1, 1), ST_LIMIT);
    assert_int_equal(kv_cache_reserve(c, 0, 41), ST_LIMIT); /* the context is 40 */
    kv_cache_drop(c, 0);
    assert_int_equal(kv_cache_free_pages(c), 3);
    assert_ok(kv_cache_reserve(c, 1, 1));
    kv_cache_free(c);
    close_fixture(&f);
}

static void save(struct fixture *f, const char *folder, enum dtype stored)
{
    char path[300];
    json_t *j = model_config_to_json(model_config_of(f->model), stored);

    snprintf(path, sizeof path, "%s/config.json", folder);
    assert_ok(json_write_file(path, j));
    json_decref(j);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_ok(weights_write(
        path, &(struct weights_part){ model_params(f->model), model_weights(f->model), "", stored },
        1));
}

static void weights_survive_their_files(void **state)
{
    char folder[] = "/tmp/tundish-test-XXXXXX";
    struct fixture f;
    struct model *again;
    const struct params *p;

    assert_non_null(mkdtemp(folder));
    open_fixture(&f, false, DT_F32);
    p = model_params(f.model);
    save(&f, folder, DT_F32);
    assert_ok(model_load(folder, f.device, DT_F32, &again));
    assert_memory_equal(model_weights(again), model_weights(f.model),
                        (size_t)p->elements * sizeof(float));
    model_free(again);
    save(&f, folder, DT_BF16);
    assert_ok(model_load(folder, f.device, DT_F32, &again));
    for (int64_t i = 0; i < p->elements; i++)
        assert_true(fabsf(model_weights(again)[i] - model_weights(f.model)[i]) <=
                    fabsf(model_weights(f.model)[i]) / 250);
    model_free(again);
    close_fixture(&f);

    open_fixture(&f, true,
                 DT_F32); /* a tied model's file lacks the head that an untied config asks for */
    p = model_params(f.model);
    {
        char path[300];

        snprintf(path, sizeof path, "%s/model.safetensors", folder);
        assert_ok(weights_write(
            path, &(struct weights_part){ p, model_weights(f.model), "", DT_F32 }, 1));
        assert_int_equal(model_load(folder, f.device, DT_F32, &again), ST_FORMAT);
        assert_non_null(strstr(fail_message(), "lm_head.weight"));
    }
    close_fixture(&f);
    assert_ok(file_remove_tree(folder));
}

static void a_config_is_refused(const char *text, enum status want, const char *words)
{
    struct model_config c;
    json_t *j;

    assert_ok(json_parse(text, strlen(text), "test", &j));
    assert_int_equal(model_config_from_json(j, "test", &c), want);
    if (strstr(fail_message(), words) == NULL)
        fail_msg("'%s' lacks '%s'", fail_message(), words);
    json_decref(j);
}

static void unknown_computations_are_refused(void **state)
{
#define SHAPE                                                                                      \
    "\"vocab_size\":10,\"hidden_size\":16,\"num_hidden_layers\":1,\"num_attention_heads\":4,"      \
    "\"intermediate_size\":8,"                                                                     \
    "\"max_position_embeddings\":8,\"rms_norm_eps\":1e-5"
    struct model_config c;
    json_t *j;
    const char *good = "{\"model_type\":\"llama\"," SHAPE ",\"eos_token_id\":[3,4]}";

    assert_ok(json_parse(good, strlen(good), "test", &j));
    assert_ok(model_config_from_json(j, "test", &c));
    assert_int_equal(c.kv_heads, 4);
    assert_int_equal(c.head_width, 4);
    assert_int_equal(c.end_of_text, 3);
    json_decref(j);
    a_config_is_refused("{\"model_type\":\"gpt2\"}", ST_UNSUPPORTED, "gpt2");
    a_config_is_refused("{\"model_type\":\"llama\"," SHAPE ",\"hidden_act\":\"gelu\"}",
                        ST_UNSUPPORTED, "gelu");
    a_config_is_refused("{\"model_type\":\"llama\"," SHAPE ",\"rope_scaling\":{\"factor\":2}}",
                        ST_UNSUPPORTED, "rope_scaling");
    a_config_is_refused("{\"model_type\":\"llama\"," SHAPE ",\"attention_bias\":true}",
                        ST_UNSUPPORTED, "attention_bias");
    a_config_is_refused("{\"model_type\":\"llama\"," SHAPE ",\"num_key_value_heads\":3}", ST_FORMAT,
                        "divide");
    a_config_is_refused("{\"model_type\":\"llama\"}", ST_FORMAT, "rms_norm_eps");
}

static void samples_follow_their_options(void **state)
{
    const float logits[] = { 0, 2, 1, 2, -5 };
    struct sample_options o = { .top_p = 1 };
    int counts[5] = { 0 };

    assert_int_equal(sample_token(logits, 5, &o, 0.9), 1); /* the lower id on a tie */
    o.temperature = 1;
    for (int i = 0; i < 10000; i++)
        counts[sample_token(logits, 5, &o, (i + 0.5) / 10000)]++;
    assert_in_range(counts[1], 3900, 4100); /* e^2 / (2 e^2 + e + 1 + e^-5) = 0.399 */
    assert_in_range(counts[4], 2, 8);
    o.top_k = 2;
    for (int i = 0; i < 100; i++)
        assert_int_equal(sample_token(logits, 5, &o, i / 100.0) % 2, 1);
    o = (struct sample_options){ .temperature = 1, .top_p = 0.5 };
    assert_int_equal(sample_token(logits, 5, &o, 0.99), 3);
    o = (struct sample_options){ .temperature = 1, .top_p = 1, .min_p = 0.2 };
    for (int i = 0; i < 100; i++)
        assert_in_range(sample_token(logits, 5, &o, i / 100.0), 1, 3);
    o = (struct sample_options){ .temperature = 1 };
    assert_int_equal(sample_token(logits, 5, &o, 0.99), 1); /* at least one stays */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_equal_a_float64_model),
        cmocka_unit_test(gradients_equal_finite_differences),
        cmocka_unit_test(decoding_equals_forward),
        cmocka_unit_test(a_sequence_decodes_the_same_among_others),
        cmocka_unit_test(pages_run_out_and_come_back),
        cmocka_unit_test(weights_survive_their_files),
        cmocka_unit_test(unknown_computations_are_refused),
        cmocka_unit_test(samples_follow_their_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
