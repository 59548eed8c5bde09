#include "train/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/artifact/artifact.h"
#include "store/artifact/digests.h"
#include "store/artifact/unfinished.h"
#include "store/sampling/read_plan.h"
#include "train/phases.h"
#include "train/train_cmd.h"

#define PHASES "phases"

const char *work_step_path(struct arena *a, const struct train_options *o, int64_t step)
{
    return arena_printf(a, "%s.work/step-%08lld", o->out, (long long)step);
}

/* ---- what makes two runs the same ---- */

/* The digests of one option's inputs. */
struct input_list {
    struct arena *arena;
    json_t *inputs;
    const char *name;
};

static enum status add_input(struct input_list *list, const char *path)
{
    json_t *digests = json_object_get(list->inputs, list->name);
    char digest[SHA256_HEX];

    TRY(artifact_digest_path(path, digest_cache_default(list->arena), digest));
    if (digests == NULL) {
        digests = json_array();
        json_object_set_new(list->inputs, list->name, digests);
    }
    json_array_append_new(digests, json_string(digest));
    return ST_OK;
}

static enum status add_path(void *ctx, struct yaml *path) { return add_input(ctx, path->text); }

/* The members of a manifest that say how an artifact was made, as far as they decide its bytes. */
static enum status describe_run(struct work *w, const char *numeric_class)
{
    json_t *inputs = json_object();
    const struct train_options *o = w->options;

    w->run = json_pack("{s:{s:i, s:o, s:s}, s:o}", "made_by", "version", cmd_train.stage_version,
                       "options", opt_record(cmd_train.opts, w->options), "numeric_class",
                       numeric_class, "inputs", inputs);
    TRY(add_input(&(struct input_list){ &w->arena, inputs, "store" }, o->store));
    if (o->phases != NULL)
        TRY(phases_paths(o->phases, add_path, &(struct input_list){ &w->arena, inputs, "phases" }));
    return o->init == NULL ? ST_OK
                           : add_input(&(struct input_list){ &w->arena, inputs, "init" }, o->init);
}

/* ---- phases ---- */

/* What a run reads, and the digests of its stores. */
struct reading {
    struct read_plan plan;
    const json_t *inputs;
};

static enum status read_reading(struct arena *a, const char *what, const json_t *run,
                                struct reading *out)
{
    const json_t *made_by = json_object_get(run, "made_by");

    out->inputs = json_object_get(run, "inputs");
    return read_plan_of(a, json_object_get(made_by, "options"), what, &out->plan);
}

static const json_t *store_at(const struct reading *r, const struct read_phase *p)
{
    return p->input == 0 ? json_array_get(json_object_get(r->inputs, "store"), 0)
                         : json_array_get(json_object_get(r->inputs, PHASES), p->input - 1);
}

/* How many phases begin before a step. */
static size_t begun_before(const struct reading *r, uint64_t step)
{
    size_t n = 0;

    while (n < r->plan.count && r->plan.phases[n].step < step)
        n++;
    return n;
}

static bool same_phase(const struct reading *x, const struct reading *y, size_t i)
{
    const struct read_phase *p = &x->plan.phases[i], *q = &y->plan.phases[i];

    return p->step == q->step && p->context == q->context && p->batch_tokens == q->batch_tokens &&
           json_equal(store_at(x, p), store_at(y, q));
}

/* The phases that began before `step` are the same in both. One that changes nothing counts, too:
 * where it begins the order begins anew. */
static enum status same_begun(const char *path, const struct reading *was, const struct reading *is,
                              int64_t step)
{
    size_t a = begun_before(was, (uint64_t)step), b = begun_before(is, (uint64_t)step), i = 0;
    uint64_t from = UINT64_MAX;

    while (i < a && i < b && same_phase(was, is, i))
        i++;
    if (i < a)
        from = was->plan.phases[i].step;
    if (i < b && is->plan.phases[i].step < from)
        from = is->plan.phases[i].step;
    if (i < a || i < b)
        return fail(ST_CONFIG,
                    "'%s' has gone %lld steps, and from step %llu on it read otherwise than "
                    "the phases of this run say: phases can change from step %lld on; or "
                    "remove the newer checkpoints, or choose another --out",
                    path, (long long)step, (unsigned long long)from, (long long)step);
    return ST_OK;
}

static enum status same_phases(struct work *w, const char *path, const json_t *manifest,
                               int64_t step)
{
    struct reading was, is;

    TRY(read_reading(&w->arena, path, manifest, &was));
    TRY(read_reading(&w->arena, "train", w->run, &is));
    return same_begun(path, &was, &is, step);
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

enum status work_remove(struct work *w)
{
    return unfinished_take_away(&w->arena, w->path, w->options->out);
}

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
    st = unfinished_same_run(path, w->run, manifest, PHASES);
    if (st == ST_OK)
        st = same_phases(w, path, manifest, *step);
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
