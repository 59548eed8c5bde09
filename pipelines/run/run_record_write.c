#include "pipelines/run/run_record_write.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/platform.h"
#include "pipelines/plan/options.h"
#include "pipelines/plan/param.h"
#include "pipelines/run/run_record.h"
#include "pipelines/run/show.h"

#define METRICS_LIMIT (1u << 20)

/* ---- the id ---- */

void run_record_name(struct arena *a, struct run_now *now)
{
    struct timespec t;
    struct tm utc;
    char text[32];

    clock_gettime(CLOCK_REALTIME, &t);
    now->began_clock = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    now->began = bench_now();
    gmtime_r(&t.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H-%M-%SZ", &utc);
    now->id = arena_strdup(a, text);
}

/* ---- its parts ---- */

static json_t *text_or_null(const char *text)
{
    return text != NULL && *text != 0 ? json_string(text) : json_null();
}

static json_t *yaml_json(const struct yaml *n)
{
    long long whole;
    double real;
    bool truth;
    json_t *out;

    if (n->kind == YAML_SCALAR) {
        if (n->plain && yaml_as_int(n, &whole))
            return json_integer(whole);
        if (n->plain && yaml_as_real(n, &real))
            return json_real(real);
        if (n->plain && yaml_as_bool(n, &truth))
            return json_boolean(truth);
        return n->plain && yaml_is_null(n) ? json_null() : json_string(n->text);
    }
    out = n->kind == YAML_MAP ? json_object() : json_array();
    for (size_t i = 0; i < n->count; i++)
        if (n->kind == YAML_MAP)
            json_object_set_new(out, n->keys[i]->text, yaml_json(n->items[i]));
        else
            json_array_append_new(out, yaml_json(n->items[i]));
    return out;
}

static json_t *params_json(const struct params *p)
{
    json_t *out = json_object();

    for (size_t i = 0; p != NULL && i < p->count; i++)
        json_object_set_new(out, p->names[i], yaml_json(p->values[i]));
    return out;
}

static json_t *attempts_json(const struct turn *t)
{
    json_t *out = json_array();

    for (size_t k = 0; k < t->attempt_count; k++) {
        const struct attempt *a = &t->attempts[k];
        json_array_append_new(
            out, json_pack("{s:f, s:f, s:f, s:I, s:i, s:i, s:s?, s:s}", "begun", a->begun,
                           "seconds", a->end.seconds, "cpu_seconds", a->end.cpu_seconds,
                           "peak_memory", (json_int_t)a->end.peak_memory, "code", a->end.code,
                           "signal", a->end.signal, "cause", a->cause < 0 ? NULL : fail_cause_words[a->cause], "log",
                           path_base(a->log)));
    }
    return out;
}

static json_t *gates_json(const struct plan_stage *s, const struct turn *t)
{
    json_t *out = json_array();

    for (size_t k = 0; t->gates != NULL && k < s->gate_count; k++) {
        const struct gate_result *g = &t->gates[k];
        if (g->words != NULL)
            json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:f}", "metric",
                                                 s->gates[k].metric, "outcome",
                                                 gate_outcome_words[g->outcome], "words", g->words,
                                                 "value", g->value));
    }
    return out;
}

static void keep_numbers(json_t *value)
{
    const char *key;
    json_t *one;
    void *next;

    json_object_foreach_safe(value, next, key, one) {
        if (json_is_object(one))
            keep_numbers(one);
        else if (!json_is_number(one))
            json_object_del(value, key);
    }
}

/* The numbers of its metrics.json, or null. */
static json_t *metrics_json(struct arena *a, const struct stage_view *v)
{
    const char *path = path_join(a, v->artifact, "metrics.json");
    uint64_t bytes = 0;
    json_t *out = NULL;

    if (!file_exists(path) || file_size(path, &bytes) != ST_OK || bytes > METRICS_LIMIT
        || json_read_file(path, &out) != ST_OK || !json_is_object(out)) {
        json_decref(out);
        return json_null();
    }
    keep_numbers(out);
    return out;
}

static json_t *after_json(const struct plan *p, const struct plan_stage *s)
{
    json_t *out = json_array();

    for (size_t k = 0; k < s->after_count; k++) {
        bool told = false;
        for (size_t j = 0; j < k; j++)
            told |= s->after[j].from == s->after[k].from;
        if (!told)
            json_array_append_new(out, json_string(p->names[s->after[k].from]));
    }
    return out;
}

static json_t *stage_json(struct arena *a, const struct run_now *now, size_t i)
{
    const struct plan_stage *s = &now->plan->stages[i];
    const struct stage_view *v = &now->survey->views[i];
    const struct turn *t = &now->turns[i];
    bool there = v->state == STAGE_CACHED || v->state == STAGE_KEPT;
    const json_t *done = there && t->attempt_count == 0 ? journal_done(now->journal, s->name, v->key)
                                                        : NULL;
    json_t *why = json_array(), *out;

    for (size_t k = 0; k < v->why.count; k++)
        json_array_append_new(why, json_text_of(v->why.v[k]));
    out = json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:O?, s:O?}", "name", s->name, "uses",
                    s->command->name, "after", after_json(now->plan, s), "result",
                    result_word_of(now, i), "why", why, "key", text_or_null(v->key), "artifact",
                    text_or_null(there ? path_base(v->artifact) : NULL), "digest",
                    text_or_null(there ? v->digest : NULL), "options",
                    json_object_get(v->record, "options"), "inputs",
                    json_object_get(v->record, "inputs"));
    BUG_IF(out == NULL);
    json_object_set_new(out, "asked",
                        json_pack("{s:I, s:I, s:I, s:f}", "ranks", (json_int_t)s->ranks, "threads",
                                  (json_int_t)s->threads, "memory", (json_int_t)s->memory,
                                  "timeout", s->timeout));
    json_object_set_new(out, "attempts", attempts_json(t));
    json_object_set(out, "saved_seconds", json_object_get(done, "seconds"));
    if (json_object_get(out, "saved_seconds") == NULL)
        json_object_set_new(out, "saved_seconds", json_null());
    json_object_set_new(out, "gates", gates_json(s, t));
    json_object_set_new(out, "metrics", there ? metrics_json(a, v) : json_null());
    return out;
}

/* ---- the whole ---- */

const char *run_record_outcome(enum status st)
{
    return st == ST_OK ? "done" : st == ST_GATE ? "gate" : st == ST_INTERRUPTED ? "interrupted"
                                                                                 : "failed";
}

json_t *run_record_json(const struct run_now *now, const struct run_args *args, const char *outcome,
                        const char *message)
{
    const struct capacity *m = &now->machine;
    json_t *words = json_array(), *stages = json_array(), *out;

    for (size_t i = 0; args->words != NULL && i < args->words->count; i++)
        json_array_append_new(words, json_text_of(args->words->v[i]));
    for (size_t i = 0; now->turns != NULL && i < now->plan->count; i++)
        json_array_append_new(stages, stage_json(args->arena, now, i));
    out = json_pack(
        "{s:i, s:s, s:s, s:s?, s:s, s:f, s:f, s:s, s:o, s:o, s:o, s:o}", "tundish", 1, "run",
        now->id, "pipeline", now->plan->name, "site", now->plan->site, "program", TUNDISH_VERSION,
        "begun", now->began_clock, "seconds", run_seconds(now), "outcome", outcome, "message",
        json_text_of(message), "words", words, "params", params_json(now->plan->params), "machine",
        json_pack("{s:s, s:I, s:I, s:I}", "host", host_name(), "jobs", (json_int_t)m->jobs,
                  "threads", (json_int_t)m->threads, "memory", (json_int_t)m->memory));
    BUG_IF(out == NULL);
    json_object_set_new(out, "stages", stages);
    return out;
}

static enum status write_file(struct run_now *now, const struct run_args *args,
                              const json_t *record)
{
    return json_write_file(run_record_path(args->arena, now->work->path, now->id), record);
}

enum status run_record_begin(struct run_now *now, const struct run_args *args)
{
    const char *id = now->id;
    json_t *record;
    enum status st;

    if (now->recorded)
        return ST_OK;
    now->recorded = true;
    for (int n = 2; file_exists(run_record_path(args->arena, now->work->path, now->id)); n++)
        now->id = arena_printf(args->arena, "%s-%d", id, n);
    record = run_record_json(now, args, "running", "");
    st = write_file(now, args, record);
    json_decref(record);
    return st;
}

enum status run_record_write(struct run_now *now, const struct run_args *args, const json_t *record)
{
    return write_file(now, args, record);
}
