#include "pipelines/run/survey.h"

#include <string.h>

#include "base/file.h"
#include "pipelines/run/run_part.h"
#include "store/artifact/artifact.h"
#include "store/artifact/digests.h"

#define MANY_REASONS 8

const char *stage_state_word(enum stage_state s)
{
    static const char *const words[] = {
#define X(name, word, text) word,
        STAGE_STATES(X)
#undef X
    };
    return words[s];
}

static void because(struct stage_view *v, const char *line) { words_add(&v->why, line); }

/* ---- inputs ---- */

static const char *base_name(struct arena *a, const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return path_base(arena_strndup(a, path, n));
}

static bool is_artifact(const char *path)
{
    json_t *manifest = NULL;
    bool is = file_is_folder(path) && artifact_open(path, NULL, &manifest) == ST_OK;

    json_decref(manifest);
    return is;
}

static enum status look_outside(struct survey *s, const struct plan_input *in, struct stage_view *v,
                                struct input_value *out)
{
    const char *path = in->node->text;
    char digest[SHA256_HEX];
    enum status st;

    if (!file_exists(path)) {
        v->state = STAGE_BLOCKED;
        v->missing = in;
        because(v, arena_printf(s->arena, "%s: no such file or folder: '%s'", in->row->name, path));
        return ST_OK;
    }
    if (s->digests == NULL)
        s->digests = digest_cache_open(file_is_folder(s->work->path) ? s->work->digests : NULL);
    st = artifact_digest_in(s->digests, path, digest);
    if (st != ST_OK)
        return fail_within(st, "stage '%s' reads '%s': ", s->plan->names[v - s->views], path);
    out->digest = arena_strdup(s->arena, digest);
    if (!is_artifact(path))
        out->name = base_name(s->arena, path);
    return ST_OK;
}

static bool has_digest(const struct stage_view *v)
{
    return v->state == STAGE_CACHED || v->state == STAGE_KEPT;
}

/* Fills values; the view's state becomes WAITS or BLOCKED if not all are known. */
static enum status look_at_inputs(struct survey *s, const struct plan_stage *stage,
                                  struct stage_view *v, struct input_value *values)
{
    for (size_t k = 0; k < stage->input_count; k++) {
        struct plan_input *in = &stage->inputs[k];
        const struct stage_view *from;
        if (in->from == PLAN_OUTSIDE) {
            TRY(look_outside(s, in, v, &values[k]));
            continue;
        }
        from = &s->views[in->from];
        if (has_digest(from)) {
            values[k].digest = from->digest;
            in->node->text = from->artifact;
        } else if (v->state != STAGE_BLOCKED) {
            v->state = STAGE_WAITS;
        }
    }
    return ST_OK;
}

static void say_what_it_waits_for(struct survey *s, const struct plan_stage *stage,
                                  struct stage_view *v)
{
    for (size_t k = 0; k < stage->input_count; k++) {
        size_t from = stage->inputs[k].from;
        bool said = false;
        for (size_t j = 0; j < k; j++)
            said |= stage->inputs[j].from == from;
        if (from == PLAN_OUTSIDE || said || has_digest(&s->views[from]))
            continue;
        because(v, arena_printf(s->arena, "for stage %s", s->plan->names[from]));
    }
}

/* ---- history ---- */

/* The record of the newest artifact that was finished, or NULL. Owned by the caller. */
static json_t *last_record(struct survey *s, const struct journal_view *h)
{
    const char *name = json_text(h->done, "artifact");

    if (*name == 0 || path_base(name) != name)
        return NULL;
    return key_load(s->arena, workdir_artifact_named(s->arena, s->work, name), NULL);
}

static void explain_changes(struct survey *s, const struct plan_stage *stage, struct stage_view *v,
                            const struct journal_view *h)
{
    json_t *before = h->done == NULL ? NULL : last_record(s, h);
    size_t said = v->why.count;

    if (h->done == NULL) {
        because(v, h->start == NULL ? "never ran" : "never finished");
        return;
    }
    if (before != NULL)
        key_explain(s->plan, stage, before, v->record, MANY_REASONS, &v->why);
    else
        because(
            v, "options or inputs changed (what the last run was made from is not known any more)");
    json_decref(before);
    if (v->why.count == said && v->state == STAGE_RUN)
        because(v, "its last artifact is not this one");
}

/* The last attempt was at this very key: what became of it. */
static void explain_attempt(struct survey *s, struct stage_view *v, const struct journal_view *h)
{
    bool about_this = strcmp(json_text(h->end, "key"), v->key) == 0;

    if (!about_this || strcmp(json_text(h->end, "event"), "interrupted") == 0)
        because(v, "was interrupted; goes on from there");
    else if (strcmp(json_text(h->end, "event"), "failed") == 0)
        because(v, arena_printf(s->arena, "failed last time with exit code %lld, see %s/%s",
                                (long long)json_integer_value(json_object_get(h->end, "code")),
                                s->work->logs, json_text(h->end, "log")));
    else
        because(v, "its artifact is missing");
}

static void explain_run(struct survey *s, const struct plan_stage *stage, struct stage_view *v,
                        const struct cache_look *look)
{
    struct journal_view h = journal_of(s->journal, stage->name);

    v->clear_away = look->state != CACHE_ABSENT;
    if (look->state == CACHE_DAMAGED)
        because(v, arena_printf(s->arena, "its artifact is damaged: %s", look->why));
    else if (look->state == CACHE_FOREIGN)
        because(v,
                arena_printf(s->arena, "what is in '%s' is not known: %s", v->artifact, look->why));
    else if (strcmp(json_text(h.start, "key"), v->key) == 0)
        explain_attempt(s, v, &h);
    else if (strcmp(json_text(h.done, "key"), v->key) == 0)
        because(v, "its artifact is missing");
    else
        explain_changes(s, stage, v, &h);
}

/* An artifact that was never written down as done, and that no process of this boot has made, may
 * have lost bytes with the power: its files are hashed before it is believed. */
static void distrust(struct survey *s, const struct plan_stage *stage, const struct stage_view *v,
                     struct cache_look *look)
{
    const json_t *start;
    json_t *manifest = NULL;

    if (look->state != CACHE_VALID || journal_has_done(s->journal, stage->name, v->key))
        return;
    start = journal_of(s->journal, stage->name).start;
    if (strcmp(json_text(start, "key"), v->key) == 0
        && strcmp(json_text(start, "boot"), process_boot()) == 0)
        return;
    if (artifact_open(v->artifact, NULL, &manifest) != ST_OK
        || artifact_verify(v->artifact, manifest) != ST_OK) {
        look->state = CACHE_DAMAGED;
        look->why = arena_strdup(s->arena, fail_message());
    }
    json_decref(manifest);
}

/* What was done to the store in place is not in the one that is made now. */
static void look_at_last(struct survey *s, const struct plan_stage *stage, struct stage_view *v)
{
    const char *last = path_join(s->arena, s->work->current, stage->slug), *changed;

    if (strcmp(stage->command->makes, "token-store") != 0)
        return;
    changed = cache_changed_since(s->arena, last);
    if (changed != NULL)
        because(v, arena_printf(s->arena, "the store it made last was %s; a new one holds what its corpus holds", changed));
}

/* ---- judging ---- */

static void judge(struct survey *s, size_t i, const struct plan_stage *stage, struct stage_view *v)
{
    struct cache_look look;

    key_of_record(v->record, v->key);
    v->artifact = workdir_artifact(s->arena, s->work, stage->slug, v->key);
    look = cache_look_at(s->arena, &(struct cache_question){ v->artifact, v->key,
                                                             stage->command->makes, v->record });
    distrust(s, stage, v, &look);
    if (s->forced != NULL && s->forced[i]) {
        v->state = STAGE_RUN;
        v->clear_away = true;
        because(v, "forced");
    } else if (look.state == CACHE_VALID) {
        v->state = STAGE_CACHED;
        memcpy(v->digest, look.digest, sizeof v->digest);
        v->changed = look.changed;
        if (v->changed != NULL)
            because(v, v->changed);
        v->shut = gates_were_shut(s->arena, s->journal, stage, v->digest);
        if (v->shut != NULL)
            because(v, arena_printf(s->arena, "its gate was shut when last asked: %s", v->shut));
    } else {
        v->state = STAGE_RUN;
        explain_run(s, stage, v, &look);
        look_at_last(s, stage, v);
    }
}

static void wait_for_others(struct survey *s, size_t i, const struct plan_stage *stage,
                            struct stage_view *v)
{
    struct journal_view h = journal_of(s->journal, stage->name);

    say_what_it_waits_for(s, stage, v);
    if (s->forced != NULL && s->forced[i]) {
        v->state = STAGE_RUN;
        because(v, "forced");
    } else if (h.done != NULL) {
        explain_changes(s, stage, v, &h);
    }
}

/* A stage that is not selected is not run: its last artifact serves, whatever changed since. */
static void keep_last(struct survey *s, const struct plan_stage *stage, struct stage_view *v)
{
    struct journal_view h = journal_of(s->journal, stage->name);
    const char *name = json_text(h.done, "artifact");
    struct cache_look look = { .state = CACHE_ABSENT };

    if (*name != 0 && path_base(name) == name) {
        v->artifact = workdir_artifact_named(s->arena, s->work, name);
        look = cache_look_at(s->arena, &(struct cache_question){ .artifact = v->artifact,
                                                                 .kind = stage->command->makes });
    }
    v->clear_away = false;
    v->state = look.state == CACHE_VALID ? STAGE_KEPT : STAGE_ABSENT;
    memcpy(v->digest, look.digest, sizeof v->digest);
}

static void say_gates_in_front(struct survey *s, const struct plan_stage *stage,
                               struct stage_view *v)
{
    for (size_t k = 0; k < stage->after_count; k++) {
        size_t from = stage->after[k].from;
        if (s->views[from].shut != NULL)
            because(v, arena_printf(s->arena, "behind the gate of stage %s", s->plan->names[from]));
    }
}

enum status survey_stage(struct survey *s, size_t i)
{
    const struct plan_stage *stage = &s->plan->stages[i];
    struct stage_view *v = &s->views[i];
    struct input_value *values = arena_array(s->arena, stage->input_count + 1, sizeof *values);

    json_decref(v->record);
    *v = (struct stage_view){ .state = STAGE_RUN, .why = { .arena = s->arena } };
    TRY(look_at_inputs(s, stage, v, values));
    TRY(key_record(s->arena, stage, values, &v->record));
    if (v->state == STAGE_RUN)
        judge(s, i, stage, v);
    else if (v->state == STAGE_WAITS)
        wait_for_others(s, i, stage, v);
    if (v->state != STAGE_CACHED)
        say_gates_in_front(s, stage, v);
    if (v->state != STAGE_CACHED && s->selected != NULL && !s->selected[i])
        keep_last(s, stage, v);
    return ST_OK;
}

enum status survey_begin(struct survey *s)
{
    s->views = arena_array(s->arena, s->plan->count, sizeof *s->views);
    for (size_t k = 0; k < s->plan->count; k++)
        TRY(survey_stage(s, s->plan->order[k]));
    return ST_OK;
}

static const char *recorded_digest(const json_t *record, const struct plan_input *in)
{
    const json_t *of_option = json_object_get(json_object_get(record, "inputs"), in->row->name);
    const json_t *value = json_array_get(of_option, in->index);
    const char *digest =
        json_string_value(json_is_object(value) ? json_object_get(value, "digest") : value);

    return digest != NULL ? digest : "";
}

bool survey_inputs_stand(struct survey *s, size_t i, const char **path)
{
    const struct plan_stage *stage = &s->plan->stages[i];

    for (size_t k = 0; k < stage->input_count; k++) {
        const struct plan_input *in = &stage->inputs[k];
        char digest[SHA256_HEX];
        if (in->from != PLAN_OUTSIDE)
            continue;
        *path = in->node->text;
        if (artifact_digest_in(s->digests, *path, digest) != ST_OK
            || strcmp(digest, recorded_digest(s->views[i].record, in)) != 0)
            return false;
    }
    return true;
}

void survey_release(struct survey *s)
{
    digest_cache_close(s->digests);      /* writes down what it learnt */
    s->digests = NULL;
    for (size_t i = 0; s->views != NULL && i < s->plan->count; i++)
        json_decref(s->views[i].record);
    s->views = NULL;
}
