#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "store/artifact/artifact.h"
#include "store/formats/tensors.h"
#include "train/train_cmd.h"

#define STATE_VERSION 1

/* ---- writing ---- */

static float *download(const struct checkpoint_args *args, const float *device_p, enum status *st)
{
    size_t n = (size_t)model_params(args->model)->elements;
    float *host = mem_array(n, sizeof *host);

    if (*st == ST_OK)
        *st = stream_download(args->stream, host, device_p, n * sizeof *host);
    if (*st == ST_OK)
        *st = stream_wait(args->stream);
    return host;
}

static enum status write_tensors(const struct checkpoint_args *args, struct arena *a,
                                 const char *folder)
{
    const struct params *p = model_params(args->model);
    enum status st = ST_OK;
    float *w = download(args, model_weights(args->model), &st);
    float *m = download(args, optimizer_m(args->optimizer), &st);
    float *v = download(args, optimizer_v(args->optimizer), &st);
    const struct weights_part weights = { p, w, "", DT_F32 };
    const struct weights_part moments[] = { { p, m, "m.", DT_F32 }, { p, v, "v.", DT_F32 } };

    if (st == ST_OK)
        st = weights_write(path_join(a, folder, "model.safetensors"), &weights, 1);
    if (st == ST_OK)
        st = weights_write(path_join(a, folder, "optimizer.safetensors"), moments, 2);
    free(w);
    free(m);
    free(v);
    return st;
}

static enum status write_json(struct arena *a, const char *folder, const char *name, json_t *value)
{
    enum status st = json_write_file(path_join(a, folder, name), value);

    json_decref(value);
    return st;
}

static enum status write_files(const struct checkpoint_args *args, struct arena *a,
                               const char *folder, const struct checkpoint_state *s)
{
    TRY(write_tensors(args, a, folder));
    TRY(write_json(a, folder, "config.json",
                   model_config_to_json(model_config_of(args->model), DT_F32)));
    TRY(write_json(
        a, folder, "state.json",
        json_pack("{s:i, s:I, s:I, s:I, s:s}", "version", STATE_VERSION, "step",
                  (json_int_t)s->step, "steps", (json_int_t)s->steps, "tokens",
                  (json_int_t)s->tokens, "numeric_class",
                  device_numeric_class(model_device(args->model), model_compute(args->model)))));
    TRY(file_copy(path_join(a, args->options->store, "tokenizer.json"),
                  path_join(a, folder, "tokenizer.json")));
    return file_write_atomic(path_join(a, folder, "metrics.jsonl"),
                             s->metrics->p == NULL ? "" : s->metrics->p, s->metrics->n);
}

enum status checkpoint_write(const struct checkpoint_args *args, const char *path,
                             const struct checkpoint_state *s)
{
    struct arena a = { 0 };
    struct artifact *artifact;
    enum status st = artifact_begin(&cmd_train, args->options, path, &artifact);

    if (st != ST_OK)
        return st;
    if (args->inputs)
        artifact_set_inputs(artifact, args->inputs);
    st = write_files(args, &a, artifact_folder(artifact), s);
    arena_release(&a);
    if (st != ST_OK) {
        artifact_abort(artifact);
        return st;
    }
    artifact_set_counts(artifact, json_pack("{s:I, s:I, s:I}", "step", (json_int_t)s->step,
                                            "tokens", (json_int_t)s->tokens, "parameters",
                                            (json_int_t)model_params(args->model)->weights));
    return artifact_commit(artifact, NULL);
}

/* ---- reading ---- */

static enum status upload(const struct checkpoint_args *args, const char *file, const char *prefix,
                          float *device_p)
{
    struct tensor_file *f;
    float *host;
    enum status st;

    TRY(tensors_open(file, &f));
    host = mem_array((size_t)model_params(args->model)->elements, sizeof *host);
    st = weights_read(f, file, model_params(args->model), prefix, host);
    if (st == ST_OK)
        st = stream_upload(args->stream, device_p, host,
                           (size_t)model_params(args->model)->elements * sizeof *host);
    if (st == ST_OK)
        st = stream_wait(args->stream);
    free(host);
    tensors_close(f);
    return st;
}

/* A state that no run of these options leaves is refused, digest or not. */
static enum status check_state(const char *file, const struct checkpoint_state *s,
                               const struct read_plan *plan)
{
    uint64_t want;

    if (s->step < 1 || s->step > s->steps || read_plan_tokens(plan, (uint64_t)s->steps) > INT64_MAX)
        return fail(ST_FORMAT, "%s: step %lld of %lld, want 1 to the run's steps", file,
                    (long long)s->step, (long long)s->steps);
    want = read_plan_tokens(plan, (uint64_t)s->step);
    if (s->tokens != (int64_t)want)
        return fail(ST_FORMAT, "%s: tokens is %lld, want %llu (step times batch-tokens)", file,
                    (long long)s->tokens, (unsigned long long)want);
    return ST_OK;
}

static enum status read_state(const char *file, const struct read_plan *plan,
                              struct checkpoint_state *s)
{
    json_t *j;
    int64_t version;
    enum status st;

    TRY(json_read_file(file, &j));
    st = json_get_int(j, "version", file, &version);
    if (st == ST_OK && version != STATE_VERSION)
        st = fail(ST_FORMAT, "%s: version %lld, want %d", file, (long long)version, STATE_VERSION);
    if (st == ST_OK)
        st = json_get_int(j, "step", file, &s->step);
    if (st == ST_OK)
        st = json_get_int(j, "steps", file, &s->steps);
    if (st == ST_OK)
        st = json_get_int(j, "tokens", file, &s->tokens);
    json_decref(j);
    return st == ST_OK ? check_state(file, s, plan) : st;
}

static enum status read_files(const struct checkpoint_args *args, struct arena *a, const char *path,
                              struct checkpoint_state *s)
{
    const char *optimizer = path_join(a, path, "optimizer.safetensors");
    struct buf lines = { 0 };
    enum status st;

    TRY(upload(args, path_join(a, path, "model.safetensors"), "", model_weights(args->model)));
    TRY(upload(args, optimizer, "m.", optimizer_m(args->optimizer)));
    TRY(upload(args, optimizer, "v.", optimizer_v(args->optimizer)));
    TRY(model_round(args->model, args->stream, 0, model_params(args->model)->elements));
    TRY(read_state(path_join(a, path, "state.json"), args->plan, s));
    st = file_read(path_join(a, path, "metrics.jsonl"), 1u << 30, &lines);
    if (st == ST_OK && lines.n > 0)
        buf_add(s->metrics, lines.p, lines.n);
    buf_release(&lines);
    return st;
}

static enum status read_checked(const struct checkpoint_args *args, const char *path,
                                struct checkpoint_state *s)
{
    struct arena a = { 0 };
    json_t *manifest;
    enum status st;

    TRY(artifact_open(path, cmd_train.makes, &manifest));
    st = artifact_verify(path, manifest);
    json_decref(manifest);
    if (st == ST_OK)
        st = read_files(args, &a, path, s);
    arena_release(&a);
    return st;
}

enum status checkpoint_read(const struct checkpoint_args *args, const char *path,
                            struct checkpoint_state *s)
{
    enum status st = read_checked(args, path, s);

    if (st == ST_OK)
        return ST_OK;
    return fail_within(st,
                       "cannot go on from '%s' (remove it to go on from what was before): ", path);
}
