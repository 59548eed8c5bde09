#include "train/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/artifact.h"
#include "store/digests.h"
#include "store/unfinished.h"
#include "train/train_cmd.h"

const char *work_step_path(struct arena *a, const struct train_options *o, int64_t step)
{
    return arena_printf(a, "%s.work/step-%08lld", o->out, (long long)step);
}

/* ---- what makes two runs the same ---- */

static enum status add_input(struct arena *a, json_t *inputs, const char *name, const char *path)
{
    char digest[SHA256_HEX];

    if (path == NULL)
        return ST_OK;
    TRY(artifact_digest_path(path, digest_cache_default(a), digest));
    json_object_set_new(inputs, name, json_pack("[s]", digest));
    return ST_OK;
}

/* The members of a manifest that say how an artifact was made, as far as they decide its bytes. */
static enum status describe_run(struct work *w, const char *numeric_class)
{
    json_t *inputs = json_object();

    w->run = json_pack("{s:{s:i, s:o, s:s}, s:o}", "made_by", "version", cmd_train.stage_version,
                       "options", opt_record(cmd_train.opts, w->options), "numeric_class",
                       numeric_class, "inputs", inputs);
    TRY(add_input(&w->arena, inputs, "store", w->options->store));
    return add_input(&w->arena, inputs, "init", w->options->init);
}

/* ---- the folder ---- */

/* OUT can be written: else that would be found out when the run is done. */
static enum status try_out(struct work *w)
{
    const char *tmp;

    TRY(folder_begin(&w->arena, w->options->out, &tmp));
    folder_abort(tmp);
    return ST_OK;
}

enum status work_open(struct work *w, const struct train_options *o, const char *numeric_class)
{
    *w = (struct work){ .options = o, .lock = { -1 } };
    TRY(try_out(w));
    TRY(describe_run(w, numeric_class));
    w->path = arena_printf(&w->arena, "%s.work", o->out);
    TRY(file_make_folders(w->path));
    return file_lock_take(&w->lock, path_join(&w->arena, w->path, "lock"));
}

void work_close(struct work *w)
{
    if (w->path != NULL)
        file_lock_drop(&w->lock);
    json_decref(w->run);
    arena_release(&w->arena);
    *w = (struct work){ 0 };
}

enum status work_remove(struct work *w) { return unfinished_take_away(&w->arena, w->path, w->options->out); }

/* ---- its checkpoints ---- */

struct steps {
    int64_t *v;
    size_t count;
};

/* "step-00001200/manifest.json" is 1200; all other names are 0. */
static int64_t step_of(const char *name)
{
    long long step;
    char *end;

    if (strncmp(name, "step-", 5) != 0 || name[5] < '0' || name[5] > '9')
        return 0;
    errno = 0;
    step = strtoll(name + 5, &end, 10);
    return errno == 0 && strcmp(end, "/manifest.json") == 0 ? step : 0;
}

static int by_step(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Oldest first. */
static enum status list_steps(struct work *w, struct steps *out)
{
    struct file_list all;

    TRY(file_list_tree(&w->arena, w->path, &all));
    *out = (struct steps){ .v = arena_array(&w->arena, all.count + 1, sizeof *out->v) };
    for (size_t i = 0; i < all.count; i++)
        if (step_of(all.names[i]) > 0)
            out->v[out->count++] = step_of(all.names[i]);
    qsort(out->v, out->count, sizeof *out->v, by_step);
    return ST_OK;
}

enum status work_newest(struct work *w, int64_t *step)
{
    struct steps steps;
    const char *path;
    json_t *manifest;
    enum status st;

    *step = 0;
    TRY(list_steps(w, &steps));
    if (steps.count == 0)
        return ST_OK;
    *step = steps.v[steps.count - 1];
    path = work_step_path(&w->arena, w->options, *step);
    TRY(artifact_open(path, cmd_train.makes, &manifest));
    st = unfinished_same_run(path, w->run, manifest);
    json_decref(manifest);
    return st;
}

enum status work_prune(struct work *w)
{
    struct steps steps;

    TRY(list_steps(w, &steps));
    for (size_t i = 0; i + (size_t)w->options->keep < steps.count; i++) {
        const char *path = work_step_path(&w->arena, w->options, steps.v[i]);

        TRY(unfinished_take_away(&w->arena, path, path));
    }
    return ST_OK;
}

/* ---- its plan ---- */

static const char *plan_path(struct work *w) { return path_join(&w->arena, w->path, "plan.json"); }

enum status work_read_plan(struct work *w, int64_t *steps)
{
    const char *path = plan_path(w);
    json_t *plan;
    enum status st;

    *steps = 0;
    if (!file_exists(path))
        return ST_OK;
    TRY(json_read_file(path, &plan));
    if (json_equal(json_object_get(plan, "run"), w->run)) {
        st = json_get_int(plan, "steps", path, steps);
        if (st == ST_OK && *steps < 1)
            st = fail(ST_FORMAT, "%s: steps is %lld, want at least 1", path, (long long)*steps);
    } else {
        st = ST_OK;
    }
    json_decref(plan);
    return st;
}

enum status work_write_plan(struct work *w, int64_t steps)
{
    json_t *plan = json_pack("{s:I, s:O}", "steps", (json_int_t)steps, "run", w->run);
    enum status st = json_write_file(plan_path(w), plan);

    json_decref(plan);
    return st;
}
