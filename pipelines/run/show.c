#include "pipelines/run/show.h"

#include <string.h>
#include <time.h>

#include "base/file.h"

#define PLAN_REASONS 2
#define PLAN_LINES 100   /* of more stages, those that are cached are only counted */

static int widest_name(const struct plan *p)
{
    size_t width = strlen("stage");

    for (size_t i = 0; i < p->count; i++)
        if (strlen(p->names[i]) > width)
            width = strlen(p->names[i]);
    return (int)width;
}

/* ---- the plan ---- */

static void add_reasons(struct buf *out, const struct words *why)
{
    for (size_t i = 0; i < why->count && i < PLAN_REASONS; i++)
        buf_printf(out, "%s%s", i ? "; " : "  ", why->v[i]);
    if (why->count > PLAN_REASONS)
        buf_printf(out, "; and %zu more", why->count - PLAN_REASONS);
}

static void add_counts(const struct survey *s, struct buf *out)
{
    static const char *const words[] = {
#define X(name, word, text) word,
        STAGE_STATES(X)
#undef X
    };
    size_t counts[sizeof words / sizeof *words] = { 0 };
    const char *before = ": ";

    for (size_t i = 0; i < s->plan->count; i++)
        counts[s->views[i].state]++;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (counts[k] > 0) {
            buf_printf(out, "%s%zu %s", before, counts[k], k == STAGE_RUN ? "to run" : words[k]);
            before = ", ";
        }
}

void show_plan(const struct survey *s, struct buf *out)
{
    int width = widest_name(s->plan);

    buf_printf(out, "pipeline %s, %zu stage%s", s->plan->name, s->plan->count,
               s->plan->count == 1 ? "" : "s");
    add_counts(s, out);
    buf_printf(out, " (work in %s)\n", s->work->path);
    for (size_t k = 0; k < s->plan->count; k++) {
        size_t i = s->plan->order[k];
        const struct stage_view *v = &s->views[i];
        if (s->plan->count > PLAN_LINES && v->state == STAGE_CACHED)
            continue;
        buf_printf(out, "  %-*s  %-7s", width, s->plan->names[i], stage_state_word(v->state));
        add_reasons(out, &v->why);
        while (out->n > 0 && out->p[out->n - 1] == ' ')
            out->p[--out->n] = 0;
        buf_addc(out, '\n');
    }
}

/* ---- the result ---- */

const char *result_word_of(const struct run_now *now, size_t i)
{
    const struct turn *t = now->turns != NULL ? &now->turns[i] : NULL;
    enum stage_state state = now->survey->views[i].state;

    if (t != NULL && t->state == TURN_DONE && t->attempt_count > 0)
        return "ran";
    if (t != NULL && (t->state == TURN_FAILED || t->state == TURN_STOPPED || t->state == TURN_GATED))
        return turn_state_word(t->state);
    if (t != NULL && t->state == TURN_PAUSED)      /* the run ended before its next attempt */
        return turn_state_word(TURN_FAILED);
    if (t != NULL && t->state == TURN_RUNNING)     /* and before its end */
        return turn_state_word(TURN_STOPPED);
    if (state == STAGE_CACHED || state == STAGE_KEPT)
        return stage_state_word(state);
    return now->selected[i] ? "not run" : "left out";
}

double result_seconds_of(const struct run_now *now, size_t i)
{
    double seconds = 0;

    for (size_t k = 0; now->turns != NULL && k < now->turns[i].attempt_count; k++)
        seconds += now->turns[i].attempts[k].end.seconds;
    return seconds;
}

void show_results(const struct run_now *now, struct buf *out)
{
    const struct survey *s = now->survey;
    int width = widest_name(s->plan);

    buf_printf(out, "%-*s  %-8s  %8s  %s\n", width, "stage", "result", "seconds", "artifact");
    for (size_t k = 0; k < s->plan->count; k++) {
        size_t i = s->plan->order[k];
        const struct stage_view *v = &s->views[i];
        bool has = v->state == STAGE_CACHED || v->state == STAGE_KEPT;
        buf_printf(out, "%-*s  %-8s  ", width, s->plan->names[i], result_word_of(now, i));
        if (now->turns[i].attempt_count == 0)
            buf_printf(out, "%8s", "-");
        else
            buf_printf(out, "%8.2f", result_seconds_of(now, i));
        buf_printf(out, "  %s\n", has ? v->artifact : "-");
    }
}

/* ---- status ---- */

static bool is_running(const struct journal_view *h)
{
    struct process_id id = journal_process(h->start);

    return h->start != NULL && h->end == NULL && process_is_alive(&id);
}

const char *status_word_of(const struct survey *s, size_t i)
{
    const struct stage_view *v = &s->views[i];
    struct journal_view h = journal_of(s->journal, s->plan->names[i]);

    if (is_running(&h))
        return "running";
    if (v->state == STAGE_CACHED)
        return v->shut != NULL ? "gate" : "done";
    if (v->state != STAGE_RUN)
        return stage_state_word(v->state);
    if (h.start != NULL && strcmp(json_text(h.start, "key"), v->key) == 0) {
        if (strcmp(json_text(h.end, "event"), "failed") == 0)
            return "failed";
        if (strcmp(json_text(h.end, "event"), "done") != 0)
            return "interrupted";
    }
    return h.done == NULL ? "never ran" : "out of date";
}

/* Of the done event, "" if it does not say. */
static const char *seconds_text(const json_t *done, char text[32])
{
    const json_t *seconds = json_object_get(done, "seconds");

    text[0] = 0;
    if (json_is_number(seconds))
        snprintf(text, 32, "%.2f", json_number_value(seconds));
    return *text ? text : "-";
}

static const char *time_text(const json_t *event, char text[32])
{
    const json_t *t = json_object_get(event, "t");
    time_t when = (time_t)json_number_value(t);
    struct tm local;

    if (!json_is_number(t) || localtime_r(&when, &local) == NULL
        || strftime(text, 32, "%Y-%m-%d %H:%M:%S", &local) == 0)
        return "-";
    return text;
}

/* The newest success, if it is the one of this very key. */
static const json_t *done_of_key(const struct survey *s, size_t i)
{
    const json_t *done = journal_of(s->journal, s->plan->names[i]).done;

    return done != NULL && strcmp(json_text(done, "key"), s->views[i].key) == 0 ? done : NULL;
}

void show_status(const struct survey *s, struct buf *out)
{
    int width = widest_name(s->plan);
    char seconds[32], finished[32];

    buf_printf(out, "%-*s  %-11s  %8s  %-19s  %s\n", width, "stage", "state", "seconds", "finished",
               "artifact");
    for (size_t k = 0; k < s->plan->count; k++) {
        size_t i = s->plan->order[k];
        const struct stage_view *v = &s->views[i];
        const json_t *done = v->state == STAGE_CACHED ? done_of_key(s, i) : NULL;
        buf_printf(out, "%-*s  %-11s  %8s  %-19s  %s\n", width, s->plan->names[i],
                   status_word_of(s, i), seconds_text(done, seconds), time_text(done, finished),
                   v->state == STAGE_CACHED ? v->artifact : "-");
    }
}

static json_t *text_or_null(const char *text)
{
    return text != NULL && *text != 0 ? json_string(text) : json_null();
}

static json_t *stage_json(const struct survey *s, size_t i)
{
    const struct stage_view *v = &s->views[i];
    const json_t *done = v->state == STAGE_CACHED ? done_of_key(s, i) : NULL;
    json_t *why = json_array(), *seconds = json_object_get(done, "seconds");
    json_t *finished = json_object_get(done, "t");

    for (size_t k = 0; k < v->why.count; k++)
        json_array_append_new(why, json_text_of(v->why.v[k]));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:O?, s:O?}", "name", s->plan->names[i],
                     "uses", s->plan->stages[i].command->name, "state", status_word_of(s, i), "why",
                     why, "key", text_or_null(v->key), "artifact",
                     text_or_null(v->state == STAGE_CACHED ? v->artifact : NULL), "digest",
                     text_or_null(v->digest), "seconds", seconds, "finished", finished);
}

json_t *status_json(const struct survey *s)
{
    json_t *stages = json_array(), *all;

    for (size_t k = 0; k < s->plan->count; k++)
        json_array_append_new(stages, stage_json(s, s->plan->order[k]));
    all = json_pack("{s:s, s:o, s:o}", "pipeline", s->plan->name, "work",
                    json_text_of(s->work->path), "stages", stages);
    BUG_IF(all == NULL);
    return all;
}

/* ---- explain ---- */

static void explain_one(const struct survey *s, size_t i, struct buf *out)
{
    const struct stage_view *v = &s->views[i];

    buf_printf(out, "%s: %s\n", s->plan->names[i], stage_state_word(v->state));
    for (size_t k = 0; k < v->why.count; k++)
        buf_printf(out, "  %s\n", v->why.v[k]);
}

static void explain_inputs(const struct survey *s, size_t i, struct buf *out)
{
    const struct plan_stage *stage = &s->plan->stages[i];

    for (size_t k = 0; k < stage->input_count; k++) {
        const struct plan_input *in = &stage->inputs[k];
        const json_t *all = json_object_get(json_object_get(s->views[i].record, "inputs"),
                                            in->row->name);
        const json_t *value = json_array_get(all, in->index);
        const char *digest = json_is_object(value) ? json_text(value, "digest")
                                                   : json_string_value(value);
        buf_printf(out, "input %s: ", in->row->name);
        if (in->from != PLAN_OUTSIDE)
            buf_printf(out, "artifact of stage %s", s->plan->names[in->from]);
        else
            buf_printf(out, "'%s'", in->node->text);
        buf_printf(out, ", digest %s\n", digest != NULL ? digest : "not known yet");
    }
}

static void explain_history(const struct survey *s, size_t i, struct buf *out)
{
    struct journal_view h = journal_of(s->journal, s->plan->names[i]);
    char text[32], seconds[32];

    if (h.start != NULL)
        buf_printf(out, "last attempt: number %lld, %s, log %s/%s\n", h.attempts,
                   time_text(h.start, text), s->work->logs, json_text(h.start, "log"));
    if (h.done != NULL)
        buf_printf(out, "last success: %s, %s seconds, %s\n", time_text(h.done, text),
                   seconds_text(h.done, seconds), json_text(h.done, "artifact"));
}

void show_explain(const struct survey *s, size_t i, struct buf *out)
{
    if (i == PLAN_OUTSIDE) {
        for (size_t k = 0; k < s->plan->count; k++)
            explain_one(s, s->plan->order[k], out);
        return;
    }
    explain_one(s, i, out);
    buf_printf(out, "kind: %s, version %d\n", s->plan->stages[i].command->name,
               s->plan->stages[i].command->stage_version);
    buf_printf(out, "key: %s\n", *s->views[i].key ? s->views[i].key : "not known yet");
    explain_inputs(s, i, out);
    explain_history(s, i, out);
}
