/*
 * Gates of a run. What a gate that compares has let through stays let through: while the model
 * that it was compared with is still the promoted one, when it is the promoted one itself, and
 * when all behind it is done, so that a finished pipeline stays finished. If another model has
 * been promoted meanwhile, it is asked again, and so is a shut gate, by each run.
 */
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "pipelines/registry/registry.h"
#include "pipelines/run/run_part.h"
#include "store/artifact/artifact.h"

/* What the gate asks, so that another question gets an answer of its own. */
static json_t *question(const struct plan_gate *g)
{
    json_t *q = json_pack("{s:s}", "metric", g->metric);

    BUG_IF(q == NULL);
    if (g->has_max)
        json_object_set_new(q, "max", json_real(g->max));
    if (g->has_min)
        json_object_set_new(q, "min", json_real(g->min));
    if (g->versus != NULL)
        json_object_update_new(
            q, json_pack("{s:s, s:f, s:b, s:f, s:I, s:I}", "versus", g->versus, "gain", g->gain,
                         "higher_is_better", g->higher_is_better, "confidence", g->confidence,
                         "resamples", (json_int_t)g->resamples, "seed", (json_int_t)g->seed));
    return q;
}

/* What a gate is held against now: the version under its alias, "" if nothing is promoted, and the
 * digest of the report that came with it, "" if there is none. */
struct opponent {
    const char *version;
    char report[SHA256_HEX];
};

static enum status find_opponent(struct run *r, const struct plan_gate *g, struct opponent *out)
{
    struct registry_place place;
    const char *nearest;
    json_t *manifest;
    bool promoted;

    *out = (struct opponent){ .version = "" };
    TRY(registry_has(r->arena, g->versus, &promoted, &nearest));
    if (!promoted)
        return ST_OK;
    TRY(registry_resolve(r->arena, g->versus, &place));
    out->version = place.version;
    if (place.report == NULL)
        return ST_OK;
    TRY(artifact_open(place.report, NULL, &manifest));
    snprintf(out->report, sizeof out->report, "%s", artifact_digest(manifest));
    json_decref(manifest);
    return ST_OK;
}

/* Is everything done that waits for the stage? Then its gate has nothing to keep from running. */
static bool is_all_done_behind(const struct run *r, size_t i)
{
    size_t *stack = mem_array(r->plan->count, sizeof *stack), n = 0;
    bool *seen = mem_array(r->plan->count, sizeof *seen), done = true;

    stack[n++] = i;
    while (n > 0 && done) {
        size_t at = stack[--n];
        for (size_t k = r->arrows.first[at]; k > 0 && done; k = r->arrows.next[k - 1]) {
            size_t j = r->arrows.head[k - 1];
            done = r->survey->views[j].state == STAGE_CACHED;
            if (!seen[j])
                stack[n++] = j;
            seen[j] = true;
        }
    }
    free(stack);
    free(seen);
    return done;
}

/* A verdict that still holds: on the same opponent, or on one that has been replaced by what was
 * judged, or of a pipeline that is finished. */
static bool passed_before(struct run *r, size_t i, const char *asked, const struct opponent *now,
                          struct gate_result *out)
{
    const char *digest = r->survey->views[i].digest;
    const json_t *verdict = journal_verdict(r->journal, r->plan->names[i], digest, asked);
    const char *outcome = json_string_value(json_object_get(verdict, "outcome"));
    const char *words = json_string_value(json_object_get(verdict, "words"));
    const char *against = json_string_value(json_object_get(verdict, "against"));

    if (outcome == NULL || words == NULL || strcmp(outcome, gate_outcome_words[GATE_FAILED]) == 0)
        return false;
    if ((against == NULL || strcmp(against, now->version) != 0) && strcmp(now->report, digest) != 0
        && !is_all_done_behind(r, i))
        return false;
    *out = (struct gate_result){ .words = arena_strdup(r->arena, words) };
    out->outcome = strcmp(outcome, gate_outcome_words[GATE_OPEN]) == 0 ? GATE_OPEN : GATE_PASSED;
    out->value = json_number_value(json_object_get(verdict, "value"));
    out->other = json_number_value(json_object_get(verdict, "other"));
    out->gain = json_number_value(json_object_get(verdict, "gain"));
    out->low = json_number_value(json_object_get(verdict, "low"));
    out->high = json_number_value(json_object_get(verdict, "high"));
    out->documents = (size_t)json_integer_value(json_object_get(verdict, "documents"));
    return true;
}

/* JSON has no other numbers than finite ones. */
static json_t *plain(double x) { return json_real(isfinite(x) ? x : 0); }

static enum status write_verdict(struct run *r, size_t i, const char *asked, const char *against,
                                 const struct gate_result *g)
{
    json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "event", "gate", "stage",
                              r->plan->names[i], "digest", r->survey->views[i].digest, "gate",
                              asked, "against", against, "outcome",
                              gate_outcome_words[g->outcome], "words", g->words);

    BUG_IF(event == NULL);
    json_object_set_new(event, "value", plain(g->value));
    json_object_set_new(event, "other", plain(g->other));
    json_object_set_new(event, "gain", plain(g->gain));
    json_object_set_new(event, "low", plain(g->low));
    json_object_set_new(event, "high", plain(g->high));
    json_object_set_new(event, "documents", json_integer((json_int_t)g->documents));
    return journal_append(r->journal, event);
}

static enum status look_at(struct run *r, size_t i, const struct plan_gate *g,
                           struct gate_result *out)
{
    const char *artifact = r->survey->views[i].artifact;
    struct opponent now = { .version = "" };
    json_t *q = question(g);
    struct buf asked = { 0 };
    enum status st = ST_OK;

    json_canonical(&asked, q);
    json_decref(q);
    if (g->versus != NULL)
        st = find_opponent(r, g, &now);
    if (st == ST_OK && (g->versus == NULL || !passed_before(r, i, asked.p, &now, out))) {
        st = gate_check(r->arena, g, artifact, out);
        if (st == ST_OK)
            st = write_verdict(r, i, asked.p, now.version, out);
    }
    buf_release(&asked);
    return st;
}

enum status gates_look(struct run *r, size_t i, bool *open)
{
    const struct plan_stage *s = &r->plan->stages[i];
    struct turn *t = &r->turns[i];

    *open = true;
    if (s->gate_count == 0)
        return ST_OK;
    t->gates = arena_array(r->arena, s->gate_count, sizeof *t->gates);
    for (size_t k = 0; k < s->gate_count; k++) {
        TRY(look_at(r, i, &s->gates[k], &t->gates[k]));
        log_info("gate of %s: %s: %s", s->name, gate_outcome_words[t->gates[k].outcome],
                 t->gates[k].words);
        *open = *open && t->gates[k].outcome != GATE_FAILED;
    }
    return ST_OK;
}

const char *gates_were_shut(struct arena *a, const struct journal *j, const struct plan_stage *s,
                            const char *digest)
{
    const char *words = NULL;

    for (size_t k = 0; words == NULL && k < s->gate_count; k++) {
        json_t *q = question(&s->gates[k]);
        struct buf asked = { 0 };
        const json_t *verdict;
        const char *outcome;

        json_canonical(&asked, q);
        verdict = journal_verdict(j, s->name, digest, asked.p);
        outcome = json_string_value(json_object_get(verdict, "outcome"));
        if (outcome != NULL && strcmp(outcome, gate_outcome_words[GATE_FAILED]) == 0)
            words = arena_strdup(a, json_string_value(json_object_get(verdict, "words")));
        json_decref(q);
        buf_release(&asked);
    }
    return words;
}
