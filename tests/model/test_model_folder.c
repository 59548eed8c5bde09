/* The list of parameters, model folders of others and of ours, and what is refused in them. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/half.h"
#include "model/model.h"
#include "model/model_folder.h"
#include "store/artifact/artifact.h"
#include "store/formats/tensors.h"

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
                                            .tied = true,
                                            .end_of_text = 0 };

static struct device *device;
static char folder[] = "/tmp/tundish-test-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[4][300];
    static int turn;

    snprintf(path[++turn % 4], sizeof path[0], "%s/%s", folder, name);
    return path[turn % 4];
}

static int begin(void **state)
{
    strcpy(folder, "/tmp/tundish-test-XXXXXX");
    return mkdtemp(folder) == NULL || device_open("cpu", &device) != ST_OK;
}

static int end(void **state)
{
    device_close(device);
    return file_remove_tree(folder) != ST_OK;
}

static int64_t end_of(const struct param *p) { return p->offset + p->rows * p->cols; }

static void stacked_parameters_touch(void **state)
{
    struct params p;
    int64_t end = 0;

    params_init(&p, &config);
    assert_int_equal(p.count, 1 + 2 * 9 + 1);
    assert_int_equal(p.elements % 16, 0);
    for (int i = 0; i < p.count; i++) {
        assert_true(p.list[i].offset >= end); /* in order, nothing twice */
        end = end_of(&p.list[i]);
    }
    assert_true(end <= p.elements);
    for (int l = 0; l < 2; l++) {
        const char *const runs[][3] = { { "self_attn.q", "self_attn.k", "self_attn.v" },
                                        { "mlp.gate", "mlp.up", NULL } };

        for (int r = 0; r < 2; r++)
            for (int k = 0; k + 1 < 3 && runs[r][k + 1] != NULL; k++) {
                char name[96], next[96];

                snprintf(name, sizeof name, "model.layers.%d.%s_proj.weight", l, runs[r][k]);
                snprintf(next, sizeof next, "model.layers.%d.%s_proj.weight", l, runs[r][k + 1]);
                assert_int_equal(params_find(&p, next)->offset, end_of(params_find(&p, name)));
            }
    }
    assert_null(params_find(&p, "lm_head.weight"));
    params_release(&p);
}

static void halves_are_converted(void **state)
{
    assert_true(half_from_f16(0x3c00) == 1 && half_from_f16(0xc000) == -2);
    assert_true(half_from_f16(0x0001) == 0x1p-24f && half_from_f16(0x83ff) == -1023 * 0x1p-24f);
    assert_true(half_from_f16(0x7bff) == 65504 && half_from_f16(0x7c00) == INFINITY);
    assert_true(half_from_f16(0) == 0 && signbit(half_from_f16(0x8000)));
    assert_true(isnan(half_from_f16(0x7e00)));
    for (uint32_t h = 0; h < 65536; h++) /* every bf16 comes back */
        if (!isnan(half_from_bf16((uint16_t)h)))
            assert_int_equal(half_to_bf16(half_from_bf16((uint16_t)h)), h);
    assert_int_equal(half_to_bf16(1 + 0x1p-8f), 0x3f80); /* a tie goes to even */
    assert_int_equal(half_to_bf16(1 + 0x3p-8f), 0x3f82);
    assert_true(isnan(half_from_bf16(half_to_bf16(NAN))));
}

/* ---- folders ---- */

static void write_config(void)
{
    json_t *j = model_config_to_json(&config, DT_F32);

    assert_ok(json_write_file(in_folder("config.json"), j));
    json_decref(j);
}

/* Element i of every tensor is i / 8: exact in every type. */
static float value_of(int64_t i) { return (float)(i % 64) / 8; }

/* Tensors [first, last) of the list, as F32 or BF16. */
static void write_shard(const char *name, int first, int last, enum tensor_dtype type)
{
    struct arena a = { 0 };
    struct params p;
    struct tensor_entry e[32];
    size_t n = 0;

    params_init(&p, &config);
    for (int i = first; i < last; i++) {
        const struct param *q = &p.list[i];
        int64_t count = q->rows * q->cols;
        uint16_t *half = arena_array(&a, (size_t)count, 2);
        float *full = arena_array(&a, (size_t)count, 4);

        for (int64_t k = 0; k < count; k++) {
            full[k] = value_of(k);
            half[k] = half_to_bf16(full[k]);
        }
        e[n++] = (struct tensor_entry){ .name = arena_strdup(&a, q->name),
                                        .dtype = type,
                                        .dims = q->dims,
                                        .shape = { q->dims == 1 ? q->cols : q->rows, q->cols },
                                        .data = type == TENSOR_BF16 ? (void *)half : full,
                                        .bytes = (uint64_t)count * tensor_dtype_size(type) };
    }
    assert_ok(tensors_write(in_folder(name), e, n, NULL));
    params_release(&p);
    arena_release(&a);
}

/* weight_map: the list's first `split` tensors in a, the others in b. */
static void write_index(int split, const char *a, const char *b)
{
    struct params p;
    json_t *map = json_object(), *index = json_pack("{s:o}", "weight_map", map);

    params_init(&p, &config);
    for (int i = 0; i < p.count; i++)
        json_object_set_new(map, p.list[i].name, json_string(i < split ? a : b));
    assert_ok(json_write_file(in_folder("model.safetensors.index.json"), index));
    json_decref(index);
    params_release(&p);
}

static void is_read(void)
{
    struct model *m;

    assert_ok(model_load(folder, device, DT_F32, &m));
    for (int i = 0; i < model_params(m)->count; i++) {
        const struct param *q = &model_params(m)->list[i];

        for (int64_t k = 0; k < q->rows * q->cols; k++)
            assert_true(model_weights(m)[q->offset + k] == value_of(k));
    }
    model_free(m);
}

static void is_refused(enum status want, const char *words)
{
    struct model *m;

    assert_int_equal(model_load(folder, device, DT_F32, &m), want);
    if (strstr(fail_message(), words) == NULL)
        fail_msg("'%s' lacks '%s'", fail_message(), words);
}

static void shards_are_read_by_their_index(void **state)
{
    write_config();
    is_refused(ST_MISSING, "neither model.safetensors nor");
    write_shard("model-1.safetensors", 0, 7, TENSOR_F32);
    write_shard("model-2.safetensors", 7, 20, TENSOR_F32);
    write_shard("model-old.safetensors", 0, 3, TENSOR_F32); /* in no index: not read */
    write_index(7, "model-1.safetensors", "model-2.safetensors");
    is_read();
    write_shard("model-2.safetensors", 6, 20, TENSOR_F32);
    is_refused(ST_FORMAT, "also stands in an earlier file");
    write_shard("model-2.safetensors", 7, 19, TENSOR_F32);
    is_refused(ST_FORMAT, "tensor 'model.norm.weight' is missing");
    write_index(7, "model-1.safetensors", "../model-2.safetensors");
    is_refused(ST_FORMAT, "'../model-2.safetensors'");
    write_index(7, "model-1.safetensors", "/etc/passwd");
    is_refused(ST_FORMAT, "'/etc/passwd'");
    assert_ok(file_write_atomic(in_folder("model.safetensors.index.json"), "[]", 2));
    is_refused(ST_FORMAT, "weight_map");
}

static void links_are_followed(void **state)
{
    write_config();
    write_shard("blob", 0, 20, TENSOR_F32);
    assert_int_equal(symlink("blob", in_folder("model.safetensors")), 0);
    is_read();
}

/* One more space behind the header: all data moves to odd addresses. */
static void shift_data(const char *path)
{
    struct buf was = { 0 }, is = { 0 };
    uint64_t n;

    assert_ok(file_read(path, 1 << 20, &was));
    memcpy(&n, was.p, 8);
    n++;
    buf_add(&is, &n, 8);
    buf_add(&is, was.p + 8, n - 1);
    buf_addc(&is, ' ');
    buf_add(&is, was.p + 8 + n - 1, was.n - 8 - (n - 1));
    assert_ok(file_write_atomic(path, is.p, is.n));
    buf_release(&was);
    buf_release(&is);
}

static void data_may_begin_at_any_byte(void **state)
{
    write_config();
    for (int type = TENSOR_F32; type <= TENSOR_BF16; type++) {
        write_shard("model.safetensors", 0, 20, (enum tensor_dtype)type);
        is_read();
        shift_data(in_folder("model.safetensors"));
        is_read();
    }
}

static void a_wrong_shape_is_told(void **state)
{
    const float w[4] = { 0 };
    const struct tensor_entry e = { "model.embed_tokens.weight", TENSOR_F32, 2, { 1, 4 }, w, 16 };

    write_config();
    assert_ok(tensors_write(in_folder("model.safetensors"), &e, 1, NULL));
    is_refused(ST_FORMAT, "has shape 1 x 4, the config wants 11 x 8");
}

static void a_damaged_artifact_is_refused(void **state)
{
    static const struct opt no_options[] = { OPT_END };
    static const struct command maker = { .name = "make", .opts = no_options, .makes = "model" };
    struct arena arena = { 0 };
    struct artifact *a;

    assert_int_equal(model_folder_check(in_folder("nothing")), ST_MISSING);
    assert_int_equal(model_folder_check(folder), ST_MISSING);
    write_config();
    assert_ok(model_folder_check(folder)); /* another program's: nothing to compare with */
    assert_ok(file_write_atomic(in_folder("manifest.json"), "{\"name\": \"x\"}", 13));
    assert_ok(model_folder_check(folder));
    assert_ok(file_remove_tree(folder));
    assert_ok(artifact_begin(&maker, "", folder, &a));
    assert_ok(file_write_atomic(path_join(&arena, artifact_folder(a), "config.json"), "{}", 2));
    assert_ok(artifact_commit(a, NULL));
    arena_release(&arena);
    assert_ok(model_folder_check(folder));
    assert_ok(file_write_atomic(in_folder("config.json"), "[]", 2));
    assert_int_equal(model_folder_check(folder), ST_INTEGRITY);
}

static void another_tokenizer_is_refused(void **state)
{
    assert_ok(file_make_folders(in_folder("a")));
    assert_ok(file_make_folders(in_folder("b")));
    assert_ok(file_write_atomic(in_folder("a/tokenizer.json"), "{}", 2));
    assert_int_equal(model_folder_check_tokenizer(in_folder("a"), in_folder("b")), ST_MISSING);
    assert_ok(file_write_atomic(in_folder("b/tokenizer.json"), "{}", 2));
    assert_ok(model_folder_check_tokenizer(in_folder("a"), in_folder("b")));
    assert_ok(file_write_atomic(in_folder("b/tokenizer.json"), "[]", 2));
    assert_int_equal(model_folder_check_tokenizer(in_folder("a"), in_folder("b")), ST_CONFIG);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(stacked_parameters_touch),       T(halves_are_converted),
        T(shards_are_read_by_their_index), T(links_are_followed),
        T(data_may_begin_at_any_byte),     T(a_wrong_shape_is_told),
        T(a_damaged_artifact_is_refused),  T(another_tokenizer_is_refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
