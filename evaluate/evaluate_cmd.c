#include "evaluate/evaluate_cmd.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "evaluate/bits_per_byte.h"
#include "evaluate/bits_report.h"
#include "evaluate/samples.h"
#include "model/compute.h"
#include "model/model_folder.h"
#include "store/artifact/artifact.h"

struct evaluate_options {
    const char *model, *store, *out;
    struct opt_list tasks;
    int64_t length, seed;
    double temperature;
    uint64_t prime_bytes;
    int dtype;
    const char *device;
    int64_t threads;
};

static enum status check_tasks(const struct yaml *value)
{
    const struct yaml *one = value;

    for (size_t i = 0; i < (value->kind == YAML_LIST ? value->count : 1); i++) {
        one = value->kind == YAML_LIST ? value->items[i] : value;
        if (one->kind != YAML_SCALAR
            || (strcmp(one->text, "bits_per_byte") != 0 && strcmp(one->text, "samples") != 0))
            return yaml_fail(one, "no such task; there are 'bits_per_byte' and 'samples'");
    }
    return ST_OK;
}

static const struct opt options[] = {
#define S struct evaluate_options
    OPT_INPUT(S, model, "model", "checkpoint or model folder", .flags = OPT_REQUIRED,
              .reads = "checkpoint model"),
    OPT_INPUT(S, store, "store", "token store, or blend, whose validation part is scored",
              .flags = OPT_REQUIRED, .reads = "token-store token-blend"),
    OPT_OUTPUT(S, out, "out", "report folder to write", .flags = OPT_REQUIRED),
    OPT_LIST(S, tasks, "tasks", "bits_per_byte, which is always scored, and samples",
             .fallback = "bits_per_byte", .check = check_tasks),
    OPT_INT(S, length, "length", "0", 0, 16777216, "tokens of a window; 0: the model's context"),
    OPT_SIZE(S, prime_bytes, "prime-bytes", "64M", 0, 1099511627776,
             "training text that the primed yardstick reads; 0: none"),
    OPT_INT(S, seed, "seed", "1", 0, 4294967295, "of the task samples"),
    OPT_REAL(S, temperature, "temperature", "0.8", 0, 100,
             "of the task samples; 0: always the most likely token"),
    OPT_CHOICE(S, dtype, "dtype", "f32", compute_names,
               "type of matrix products; auto: bf16 where the hardware has it"),
    OPT_STR(S, device, "device", "auto", "auto, cpu or cuda", .flags = OPT_NEUTRAL),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: all processors",
            .flags = OPT_NEUTRAL),
#undef S
    OPT_END
};

static enum status check_length(const struct evaluate_options *o, const struct model_config *c)
{
    if (c->context < 2)
        return fail(ST_CONFIG, "the model '%s' has context %lld, want at least 2", o->model,
                    (long long)c->context);
    if (o->length > c->context || o->length % 2 != 0)
        return fail(ST_CONFIG,
                    "length is %lld, want an even number, at most the model's context %lld",
                    (long long)o->length, (long long)c->context);
    return ST_OK;
}

struct parts {
    struct device *device;
    struct model *model;
    struct pool *pool;
    struct blend blend;
    struct tokenizer *tokenizer;
};

static enum status parts_open(const struct evaluate_options *o, struct parts *p)
{
    const struct model_config *c;

    TRY(model_folder_check(o->model));
    TRY(blend_open(o->store, &p->blend));
    TRY(model_folder_check_tokenizer(o->model, o->store));
    TRY(tokenizer_open(o->model, &p->tokenizer));
    TRY(device_open(o->device, &p->device));
    p->pool = pool_new((int)o->threads);
    TRY(model_load(o->model, p->device, compute_type(o->dtype, p->device), &p->model));
    c = model_config_of(p->model);
    if (c->vocab < blend_vocab(&p->blend))
        return fail(ST_CONFIG, "the model has %lld vocabulary entries, the token store %u",
                    (long long)c->vocab, blend_vocab(&p->blend));
    return check_length(o, c);
}

static void parts_close(struct parts *p)
{
    model_free(p->model);
    blend_close(&p->blend);
    tokenizer_close(p->tokenizer);
    pool_free(p->pool);
    device_close(p->device);
}

static void tell(const struct bits_result *r)
{
    log_info("bits per byte: %.4f on %llu documents, %llu bytes", r->bits_per_byte,
             (unsigned long long)r->documents, (unsigned long long)r->bytes);
    log_info("     xz -9 alone: %.4f", r->xz);
    if (r->xz_primed >= 0)
        log_info("xz -9 after the training text: %.4f", r->xz_primed);
}

static bool has_task(const struct evaluate_options *o, const char *name)
{
    for (size_t i = 0; i < o->tasks.count; i++)
        if (strcmp(o->tasks.v[i], name) == 0)
            return true;
    return false;
}

static enum status add_samples(const struct evaluate_options *o, const struct parts *p,
                               const char *folder)
{
    struct arena a = { 0 };
    struct buf text = { 0 };
    enum status st = samples_write(&(struct samples_args){ p->model, p->device, p->pool, &p->blend,
                                                           p->tokenizer, (uint64_t)o->seed,
                                                           o->temperature },
                                   &text);

    if (st == ST_OK)
        st = file_write_atomic(path_join(&a, folder, "samples.jsonl"), text.p ? text.p : "",
                               text.n);
    buf_release(&text);
    arena_release(&a);
    return st;
}

static enum status evaluate(const struct evaluate_options *o, const struct parts *p,
                            struct artifact *artifact)
{
    struct bits_result r;
    enum status st = bits_per_byte(
        &(struct bits_args){ p->model, p->pool, &p->blend, p->tokenizer, o->length, o->prime_bytes },
        &r);

    if (st == ST_OK) {
        tell(&r);
        st = bits_report_write(artifact_folder(artifact), &r);
    }
    if (st == ST_OK && has_task(o, "samples"))
        st = add_samples(o, p, artifact_folder(artifact));
    buf_release(&r.documents_jsonl);
    if (st != ST_OK)
        return st;
    artifact_set_counts(artifact,
                        json_pack("{s:I, s:I, s:I}", "documents", (json_int_t)r.documents, "bytes",
                                  (json_int_t)r.bytes, "tokens", (json_int_t)r.tokens));
    return ST_OK;
}

static enum status run(struct arena *a, void *cfg)
{
    const struct evaluate_options *o = cfg;
    struct parts p = { 0 };
    struct artifact *artifact = NULL;
    enum status st = parts_open(o, &p);

    if (st == ST_OK) /* before the work: what cannot be written is known at once */
        st = artifact_begin(&cmd_evaluate, o, o->out, &artifact);
    if (st == ST_OK)
        st = evaluate(o, &p, artifact);
    parts_close(&p);
    if (st != ST_OK) {
        artifact_abort(artifact);
        return st;
    }
    return artifact_commit(artifact, NULL);
}

static const char *numeric_class(const void *cfg)
{
    const struct evaluate_options *o = cfg;

    return compute_numeric_class(o->device, o->dtype);
}

const struct command cmd_evaluate = {
    .name = "evaluate",
    .summary = "score a model on held-out documents",
    .details = "Writes a report: metrics.json, a line for each document in documents.jsonl, and "
               "report.html.\n"
               "bits_per_byte is the model's cost of each byte of the validation documents; beside "
               "it stands what xz -9 needs\n"
               "for the same bytes, alone and after it has read the training text. samples adds "
               "samples.jsonl: what the\n"
               "model writes behind the first tokens of a few of these documents, and how they "
               "go on.\n\n"
               "  tundish evaluate --model checkpoint --store tokens --out score",
    .opts = options,
    .cfg_size = sizeof(struct evaluate_options),
    .stage_version = 4,
    .makes = "report",
    .numeric_class = numeric_class,
    .run = run,
};
