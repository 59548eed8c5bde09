/* An export is proven, not claimed: what differs from the model by one bit is found. What the card
 * says. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "export/model_card.h"
#include "export/verify_export.h"

static const struct model_config config = { .vocab = 11,
                                            .width = 8,
                                            .layers = 2,
                                            .heads = 2,
                                            .kv_heads = 1,
                                            .head_width = 4,
                                            .ff = 12,
                                            .context = 8,
                                            .rope_theta = 10000,
                                            .norm_eps = 1e-5,
                                            .tied = false,
                                            .end_of_text = 0 };

struct fixture {
    char folder[40];
    struct device *device;
    struct stream *stream;
    struct model *model;
};

static int begin(void **state)
{
    static struct fixture f;

    *state = &f;
    strcpy(f.folder, "/tmp/tundish-test-XXXXXX");
    assert_non_null(mkdtemp(f.folder));
    assert_ok(device_open("cpu", &f.device));
    assert_ok(stream_open(f.device, &f.stream));
    assert_ok(model_new(&config, f.device, DT_F32, &f.model));
    assert_ok(model_init(f.model, f.stream, 1));
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;

    model_free(f->model);
    stream_close(f->stream);
    device_close(f->device);
    return file_remove_tree(f->folder) != ST_OK;
}

static void write_folder(struct fixture *f, const struct model_config *c, enum dtype stored)
{
    struct arena a = { 0 };
    json_t *j = model_config_to_json(c, stored);
    struct weights_part part = { model_params(f->model), model_weights(f->model), "", stored };

    assert_ok(json_write_file(path_join(&a, f->folder, "config.json"), j));
    assert_ok(weights_write(path_join(&a, f->folder, "model.safetensors"), &part, 1));
    json_decref(j);
    arena_release(&a);
}

static void is_refused(struct fixture *f, enum dtype stored, const char *words)
{
    assert_int_equal(verify_export(f->folder, f->model, stored), ST_INTEGRITY);
    if (strstr(fail_message(), words) == NULL)
        fail_msg("'%s' lacks '%s'", fail_message(), words);
}

static void an_equal_folder_passes(void **state)
{
    struct fixture *f = *state;

    write_folder(f, &config, DT_F32);
    assert_ok(verify_export(f->folder, f->model, DT_F32));
    write_folder(f, &config, DT_BF16);
    assert_ok(verify_export(f->folder, f->model, DT_BF16));
}

/* The last bit of one weight of each parameter in turn. */
static void one_bit_of_any_tensor_is_found(void **state)
{
    struct fixture *f = *state;
    const struct params *p = model_params(f->model);

    for (int i = 0; i < p->count; i++) {
        float *w =
            model_weights(f->model) + p->list[i].offset + p->list[i].rows * p->list[i].cols - 1;
        const float was = *w;
        uint32_t bits;

        memcpy(&bits, w, 4);
        bits ^= 1;
        memcpy(w, &bits, 4);
        write_folder(f, &config, DT_F32);
        *w = was;
        is_refused(f, DT_F32, p->list[i].name);
    }
}

static void the_wrong_type_is_found(void **state)
{
    struct fixture *f = *state;

    write_folder(f, &config, DT_BF16);
    is_refused(f, DT_F32, "model.embed_tokens.weight");
    write_folder(f, &config, DT_F32); /* more exact than was asked for is not what was asked for */
    is_refused(f, DT_BF16, "model.embed_tokens.weight");
}

static void another_config_is_found(void **state)
{
    struct fixture *f = *state;
    struct model_config c = config;

    c.rope_theta = 20000;
    write_folder(f, &c, DT_F32);
    is_refused(f, DT_F32, "config.json");
}

/* ---- the card ---- */

static void has(const struct buf *b, const char *words)
{
    if (strstr(b->p, words) == NULL)
        fail_msg("the card lacks '%s':\n%s", words, b->p);
}

static void the_card_says_what_is_known(void **state)
{
    json_t *checkpoint = json_pack("{s:s, s:{s:i}, s:{s:{s:f, s:n}}}", "digest", "c0ffee", "counts",
                                   "step", 20, "made_by", "options", "lr", 0.001, "nothing");
    json_t *report = json_pack("{s:s}", "digest", "5c0e"),
           *metrics = json_pack("{s:f}", "bits_per_byte", 3.25);
    json_t *corpus = json_pack("{s:s, s:{s:i}}", "digest", "c0de", "counts", "documents", 34);
    struct model_card card = { .name = "a \"quoted\"\nname",
                               .config = &config,
                               .parameters = 1234567,
                               .stored = "bfloat16",
                               .checkpoint = checkpoint,
                               .corpus = corpus,
                               .report = report,
                               .metrics = metrics };
    struct buf b = { 0 };

    model_card_print(&b, &card);
    assert_int_equal(strncmp(b.p, "---\nlibrary_name: transformers\n", 31), 0);
    has(&b, "- name: \"a \\\"quoted\\\"\\nname\"\n");
    has(&b, "# a \"quoted\" name\n");
    has(&b, "{type: bits_per_byte, value: 3.2500}");
    has(&b, "1,234,567 parameters: 2 layers, width 8, 2 query and 1 key heads of width 4");
    has(&b, "Weights are bfloat16");
    has(&b, "| lr | 0.001 |\n");
    assert_null(strstr(b.p, "nothing |"));
    has(&b, "| documents | 34 |\n");
    has(&b, "| checkpoint | `c0ffee` |\n| corpus | `c0de` |\n| evaluation | `5c0e` |\n");
    has(&b, "It was scored on held-out documents");
    buf_clear(&b);
    card.report = card.metrics = card.corpus = NULL;
    model_card_print(&b, &card);
    assert_null(strstr(b.p, "bits_per_byte"));
    assert_null(strstr(b.p, "held-out"));
    has(&b, "It was not scored.");
    buf_release(&b);
    json_decref(checkpoint);
    json_decref(report);
    json_decref(metrics);
    json_decref(corpus);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = { T(an_equal_folder_passes),
                                        T(one_bit_of_any_tensor_is_found),
                                        T(the_wrong_type_is_found), T(another_config_is_found),
                                        cmocka_unit_test(the_card_says_what_is_known) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
