#include "export/export_cmd.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "export/model_card.h"
#include "export/verify_export.h"
#include "store/artifact/artifact.h"
#include "tokenize/tokenizer.h"

struct export_options {
    const char *checkpoint, *corpus, *report, *out, *name;
    int format, dtype;
};

static const char *const formats[] = { "hf", NULL };
static const char *const dtypes[] = { "f32", "bf16", NULL };

static const struct opt options[] = {
#define S struct export_options
    OPT_INPUT(S, checkpoint, "checkpoint", "checkpoint to export", .flags = OPT_REQUIRED,
              .reads = "checkpoint"),
    OPT_OUTPUT(S, out, "out", "model folder to write", .flags = OPT_REQUIRED),
    OPT_INPUT(S, corpus, "corpus", "corpus it was trained on, for the model card",
              .reads = "corpus"),
    OPT_INPUT(S, report, "report", "evaluation, for the model card", .reads = "report"),
    OPT_STR(S, name, "name", "tundish model", "the model's name, for the model card"),
    OPT_CHOICE(S, format, "format", "hf", formats,
               "hf: a folder as Hugging Face's transformers reads it"),
    OPT_CHOICE(S, dtype, "dtype", "f32", dtypes, "type of the stored weights"),
#undef S
    OPT_END
};

struct exporter {
    const struct export_options *o;
    struct arena *a;
    struct device *device;
    struct model *model;
    enum dtype stored;
    const char *folder;
    json_t *checkpoint, *corpus, *report, *metrics;
};

/* A card must not praise a model with another one's scores. */
static enum status check_report(const struct exporter *e)
{
    const json_t *scored = json_object_get(json_object_get(e->report, "inputs"), "model");
    const char *digest = json_string_value(json_array_get(scored, 0));

    if (digest != NULL && strcmp(digest, artifact_digest(e->checkpoint)) == 0)
        return ST_OK;
    return fail(ST_CONFIG,
                "the report '%s' scores another model (%.12s) than the checkpoint '%s' (%.12s): "
                "evaluate this one, or leave --report out",
                e->o->report, digest == NULL ? "none" : digest, e->o->checkpoint,
                artifact_digest(e->checkpoint));
}

static enum status open_report(struct exporter *e)
{
    TRY(artifact_open(e->o->report, "report", &e->report));
    TRY(artifact_verify(e->o->report, e->report));
    TRY(check_report(e));
    return json_read_file(path_join(e->a, e->o->report, "metrics.json"), &e->metrics);
}

static enum status open_inputs(struct exporter *e)
{
    const struct export_options *o = e->o;

    TRY(artifact_open(o->checkpoint, "checkpoint", &e->checkpoint));
    TRY(artifact_verify(o->checkpoint, e->checkpoint));
    if (o->corpus != NULL)
        TRY(artifact_open(o->corpus, "corpus", &e->corpus));
    if (o->report != NULL)
        TRY(open_report(e));
    TRY(device_open("cpu", &e->device));
    return model_load(o->checkpoint, e->device, DT_F32, &e->model);
}

/* ---- the files ---- */

static enum status write_json(struct exporter *e, const char *name, json_t *value)
{
    enum status st = json_write_file(path_join(e->a, e->folder, name), value);

    json_decref(value);
    return st;
}

static enum status write_weights(struct exporter *e)
{
    const struct params *p = model_params(e->model);
    size_t bytes = (size_t)p->elements * sizeof(float);
    float *host = mem_alloc(bytes);
    struct stream *s = NULL;
    enum status st = stream_open(e->device, &s);

    if (st == ST_OK)
        st = stream_download(s, host, model_weights(e->model), bytes);
    if (st == ST_OK)
        st = stream_wait(s);
    if (st == ST_OK)
        st = weights_write(path_join(e->a, e->folder, "model.safetensors"),
                           &(struct weights_part){ p, host, "", e->stored }, 1);
    stream_close(s);
    free(host);
    return st;
}

/* The text of the end-of-text token; NULL when there is none, or it is no text. */
static enum status end_text(struct exporter *e, const char **out)
{
    int64_t id = model_config_of(e->model)->end_of_text;
    struct tokenizer *t;

    *out = NULL;
    TRY(tokenizer_open(e->o->checkpoint, &t));
    if (id >= 0 && id < (int64_t)tokenizer_vocab(t)) {
        struct span s = tokenizer_bytes(t, (uint32_t)id);

        if (s.n > 0 && utf8_valid(s.p, s.n) && memchr(s.p, 0, s.n) == NULL)
            *out = arena_strndup(e->a, s.p, s.n);
    }
    tokenizer_close(t);
    return ST_OK;
}

static enum status write_tokenizer(struct exporter *e)
{
    const char *end;

    TRY(file_copy(path_join(e->a, e->o->checkpoint, "tokenizer.json"),
                  path_join(e->a, e->folder, "tokenizer.json")));
    TRY(end_text(e, &end));
    return write_json(e, "tokenizer_config.json",
                      json_pack("{s:s, s:s?, s:s?, s:I, s:b}", "tokenizer_class",
                                "PreTrainedTokenizerFast", "bos_token", end, "eos_token", end,
                                "model_max_length", (json_int_t)model_config_of(e->model)->context,
                                "clean_up_tokenization_spaces", 0));
}

static enum status write_generation_config(struct exporter *e)
{
    int64_t end = model_config_of(e->model)->end_of_text;
    json_t *j = json_pack("{s:b, s:f, s:f}", "do_sample", 1, "temperature", 0.8, "top_p", 0.95);

    if (end >= 0) {
        json_object_set_new(j, "bos_token_id", json_integer(end));
        json_object_set_new(j, "eos_token_id", json_integer(end));
    }
    return write_json(e, "generation_config.json", j);
}

static enum status write_card(struct exporter *e)
{
    struct buf text = { 0 };
    enum status st;

    model_card_print(&text,
                     &(struct model_card){ .name = e->o->name,
                                           .config = model_config_of(e->model),
                                           .parameters = model_params(e->model)->weights,
                                           .stored = e->stored == DT_BF16 ? "bfloat16" : "float32",
                                           .checkpoint = e->checkpoint,
                                           .corpus = e->corpus,
                                           .report = e->report,
                                           .metrics = e->metrics });
    st = file_write_atomic(path_join(e->a, e->folder, "README.md"), text.p, text.n);
    buf_release(&text);
    return st;
}

static enum status write_files(struct exporter *e)
{
    TRY(write_json(e, "config.json", model_config_to_json(model_config_of(e->model), e->stored)));
    TRY(write_weights(e));
    TRY(write_tokenizer(e));
    TRY(write_generation_config(e));
    TRY(write_card(e));
    return verify_export(e->folder, e->model, e->stored);
}

static enum status export_all(struct exporter *e)
{
    struct artifact *artifact;
    enum status st;
    char n[28];

    TRY(open_inputs(e));
    TRY(artifact_begin(&cmd_export, e->o, e->o->out, &artifact));
    e->folder = artifact_folder(artifact);
    st = write_files(e);
    if (st != ST_OK) {
        artifact_abort(artifact);
        return st;
    }
    artifact_set_counts(
        artifact, json_pack("{s:I}", "parameters", (json_int_t)model_params(e->model)->weights));
    log_info("%s parameters, loaded again and equal",
             str_count((uint64_t)model_params(e->model)->weights, n));
    return artifact_commit(artifact, NULL);
}

static enum status run(struct arena *a, void *cfg)
{
    const struct export_options *o = cfg;
    struct exporter e = { .o = o, .a = a, .stored = o->dtype == 1 ? DT_BF16 : DT_F32 };
    enum status st = export_all(&e);

    json_decref(e.checkpoint);
    json_decref(e.corpus);
    json_decref(e.report);
    json_decref(e.metrics);
    model_free(e.model);
    device_close(e.device);
    return st;
}

const struct command cmd_export = {
    .name = "export",
    .summary = "write a model folder for others, verified",
    .details = "Writes config.json, model.safetensors, tokenizer.json, generation_config.json and "
               "a model card (README.md) made from\n"
               "the manifests. The folder is loaded again and compared with the checkpoint before "
               "it gets its name.\n\n"
               "  tundish export --checkpoint checkpoint --out model",
    .opts = options,
    .cfg_size = sizeof(struct export_options),
    .stage_version = 1,
    .makes = "model",
    .run = run,
};
