#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "store/artifact.h"
#include "store/tensors.h"
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

static enum status read_state(const char *file, struct checkpoint_state *s)
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
    return st;
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
    TRY(read_state(path_join(a, path, "state.json"), s));
    st = file_read(path_join(a, path, "metrics.jsonl"), 1u << 30, &lines);
    if (st == ST_OK && lines.n > 0)
        buf_add(s->metrics, lines.p, lines.n);
    buf_release(&lines);
    return st;
}

enum status checkpoint_read(const struct checkpoint_args *args, const char *path,
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

/* ---- the work folder ---- */

const char *checkpoint_path(struct arena *a, const struct train_options *o, int64_t step)
{
    return arena_printf(a, "%s.work/step-%08lld", o->out, (long long)step);
}

/* Names "step-NNNNNNNN" in OUT.work, newest last. */
static enum status list_steps(struct arena *a, const struct train_options *o, struct file_list *out)
{
    struct file_list all;
    const char *work = arena_printf(a, "%s.work", o->out);
    size_t n = 0;

    *out = (struct file_list){ 0 };
    if (!file_is_folder(work))
        return ST_OK;
    TRY(file_list_tree(a, work, &all));
    out->names = arena_array(a, all.count + 1, sizeof *out->names);
    for (size_t i = 0; i < all.count; i++)
        if (strncmp(all.names[i], "step-", 5) == 0 &&
            strlen(all.names[i]) == 13 + strlen("/manifest.json") &&
            strcmp(all.names[i] + 13, "/manifest.json") == 0)
            out->names[n++] = arena_strndup(a, all.names[i], 13);
    out->count = n;
    return ST_OK;
}

/* The first option that differs, told as the failure. */
static enum status tell_difference(const char *path, const json_t *was, const json_t *is)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)is, key, value)
    {
        json_t *old = json_object_get(was, key);
        char *a, *b;
        enum status st;

        if (old != NULL && json_equal(old, value))
            continue;
        a = old == NULL ? NULL : json_dumps(old, JSON_ENCODE_ANY | JSON_COMPACT);
        b = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        st = fail(ST_CONFIG,
                  "'%s' belongs to a run with %s %s, this one has %s: go on with that, or remove "
                  "the .work folder, or "
                  "choose another --out",
                  path, key, a == NULL ? "(absent)" : a, b);
        free(a);
        free(b);
        return st;
    }
    return ST_OK;
}

static enum status same_run(const char *path, const struct train_options *o)
{
    json_t *manifest, *now = opt_record(cmd_train.opts, o);
    char digest[SHA256_HEX];
    const char *store;
    enum status st = artifact_open(path, cmd_train.makes, &manifest);

    if (st != ST_OK) {
        json_decref(now);
        return st;
    }
    st = tell_difference(path, json_object_get(json_object_get(manifest, "made_by"), "options"),
                         now);
    if (st == ST_OK)
        st = artifact_digest_path(o->store, NULL, digest);
    store = json_string_value(
        json_array_get(json_object_get(json_object_get(manifest, "inputs"), "store"), 0));
    if (st == ST_OK && (store == NULL || strcmp(store, digest) != 0))
        st = fail(ST_CONFIG,
                  "'%s' belongs to a run over another token store: remove the .work folder or "
                  "choose another --out",
                  path);
    json_decref(manifest);
    json_decref(now);
    return st;
}

enum status checkpoint_find(struct arena *a, const struct train_options *o, const char **path)
{
    struct file_list steps;

    *path = NULL;
    TRY(list_steps(a, o, &steps));
    if (steps.count == 0)
        return ST_OK;
    *path = arena_printf(a, "%s.work/%s", o->out, steps.names[steps.count - 1]);
    return same_run(*path, o);
}

enum status checkpoint_prune(struct arena *a, const struct train_options *o)
{
    struct file_list steps;

    TRY(list_steps(a, o, &steps));
    for (size_t i = 0; i + (size_t)o->keep < steps.count; i++)
        TRY(file_remove_tree(arena_printf(a, "%s.work/%s", o->out, steps.names[i])));
    return ST_OK;
}
