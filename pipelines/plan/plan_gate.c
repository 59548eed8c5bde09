/* `gate` and `notify`: what must hold behind a stage, and who is told how a run ended. */
#include <math.h>
#include <string.h>

#include "pipelines/plan/metric.h"
#include "pipelines/plan/plan_part.h"
#include "pipelines/plan/program.h"

#define GATE_LIMIT 1000
#define TAIL_LEAST 10            /* resamples beyond the bound, so that it is one */

/* ---- gates ---- */

static enum status read_bound(struct arena *a, const struct yaml *map, const char *key, bool *has,
                              double *out)
{
    const struct yaml *n = yaml_get(map, key);

    *has = n != NULL;
    if (n != NULL && (!yaml_as_real(n, out) || !isfinite(*out)))
        return yaml_fail(n, "%s: want a number; found %s", key, yaml_describe(a, n));
    return ST_OK;
}

static enum status read_whole(struct arena *a, const struct yaml *map, const char *key,
                              long long least, long long most, long long *out)
{
    const struct yaml *n = yaml_get(map, key);

    if (n != NULL && (!yaml_as_int(n, out) || *out < least || *out > most))
        return yaml_fail(n, "%s: want a whole number, %lld to %lld; found %s", key, least, most,
                         yaml_describe(a, n));
    return ST_OK;
}

/* Of a metric that is known the direction need not be said, and cannot be said wrongly. */
static enum status read_better(struct arena *a, const struct yaml *map, struct plan_gate *g)
{
    const struct gate_metric *known = gate_metric_find(g->metric);
    const struct yaml *n = yaml_get(map, "better");

    if (n == NULL && known == NULL)
        return yaml_fail(map, "'better' is missing: lower or higher, which is better of '%s'?",
                         g->metric);
    g->higher_is_better = n != NULL ? n->kind == YAML_SCALAR && strcmp(n->text, "higher") == 0
                                    : known->higher_is_better;
    if (n != NULL && !g->higher_is_better
        && (n->kind != YAML_SCALAR || strcmp(n->text, "lower") != 0))
        return yaml_fail(n, "better: want lower or higher; found %s", yaml_describe(a, n));
    if (n != NULL && known != NULL && g->higher_is_better != known->higher_is_better)
        return yaml_fail(n, "of '%s', %s is better", g->metric,
                         known->higher_is_better ? "higher" : "lower");
    return ST_OK;
}

static enum status read_confidence(struct arena *a, const struct yaml *map, struct plan_gate *g)
{
    static const char *const of_bootstrap[] = { "resamples", "seed" };
    const struct yaml *n = yaml_get(map, "confidence");

    g->resamples = 2000;
    g->seed = 1;
    if (n != NULL && (!yaml_as_real(n, &g->confidence)
                      || !(g->confidence >= 0.5 && g->confidence <= 0.9999)))
        return yaml_fail(n, "confidence: want a number, 0.5 to 0.9999; found %s",
                         yaml_describe(a, n));
    for (size_t i = 0; n == NULL && i < 2; i++)
        if (yaml_get(map, of_bootstrap[i]) != NULL)
            return yaml_fail(yaml_get(map, of_bootstrap[i]),
                             "'%s' goes with 'confidence', which this gate lacks", of_bootstrap[i]);
    TRY(read_whole(a, map, "resamples", 100, 1000000, &g->resamples));
    if (n != NULL && (double)g->resamples * (1 - g->confidence) < TAIL_LEAST - 1e-9)
        return yaml_fail(n, "confidence %s wants 'resamples' of at least %.0f; found %lld", n->text,
                         ceil(TAIL_LEAST / (1 - g->confidence) - 1e-6), g->resamples);
    return read_whole(a, map, "seed", 0, INT64_MAX, &g->seed);
}

static enum status read_versus(struct arena *a, const struct yaml *map, struct plan_gate *g)
{
    const struct yaml *n = yaml_get(map, "versus");
    const char *slash = n->kind == YAML_SCALAR ? strrchr(n->text, '/') : NULL;
    bool has;

    if (g->has_max || g->has_min)
        return yaml_fail(n, "a gate has bounds ('max', 'min') or 'versus', not both");
    if (slash == NULL || slash == n->text || slash[1] == 0)
        return yaml_fail(n, "versus: want REGISTRY/ALIAS, such as \"registry/champion\"; found %s",
                         yaml_describe(a, n));
    g->versus = n->text;
    TRY(read_bound(a, map, "gain", &has, &g->gain));
    TRY(read_better(a, map, g));
    return read_confidence(a, map, g);
}

static enum status refuse_comparison(const struct yaml *map)
{
    static const char *const keys[] = { "better", "gain", "confidence", "resamples", "seed" };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (yaml_get(map, keys[i]) != NULL)
            return yaml_fail(yaml_get(map, keys[i]),
                             "'%s' goes with 'versus', which this gate lacks", keys[i]);
    return ST_OK;
}

/* Names with a dot between; none is empty. */
static bool metric_is_good(const char *metric)
{
    size_t n = strlen(metric);

    return n > 0 && n <= 200 && metric[0] != '.' && metric[n - 1] != '.'
           && strstr(metric, "..") == NULL;
}

static enum status read_gate(struct arena *a, const struct yaml *map, struct plan_gate *g)
{
    const struct yaml *metric = yaml_get(map, "metric");

    TRY(plan_check_keys(a, map, SCHEMA_GATE));
    g->at = map;
    if (metric == NULL)
        return yaml_fail(map, "'metric' is missing: the number that the gate is about");
    if (metric->kind != YAML_SCALAR || !metric_is_good(metric->text))
        return yaml_fail(metric,
                         "metric: want a member of metrics.json, such as bits_per_byte or "
                         "arc.accuracy; found %s",
                         yaml_describe(a, metric));
    g->metric = metric->text;
    TRY(read_bound(a, map, "max", &g->has_max, &g->max));
    TRY(read_bound(a, map, "min", &g->has_min, &g->min));
    if (g->has_max && g->has_min && g->min > g->max)
        return yaml_fail(yaml_get(map, "min"), "min: more than `max`, so nothing could pass");
    if (yaml_get(map, "versus") != NULL)
        return read_versus(a, map, g);
    if (!g->has_max && !g->has_min)
        return yaml_fail(map, "a gate wants 'max', 'min' or 'versus'");
    return refuse_comparison(map);
}

static bool has_metrics(const struct command *c)
{
    return c->makes != NULL && (strcmp(c->makes, "report") == 0 || strcmp(c->makes, "files") == 0);
}

enum status plan_gates_read(struct arena *a, struct plan_stage *s, struct yaml *gate)
{
    size_t count = plan_item_count(gate);

    if (!has_metrics(s->command))
        return yaml_fail(gate,
                         "gate: '%s' makes a %s, which has no metrics; gates belong to stages that "
                         "make a report, and to programs",
                         s->command->name, s->command->makes);
    if (count == 0 || count > GATE_LIMIT)
        return yaml_fail(gate, "gate: want 1 to %d gates; found %zu", GATE_LIMIT, count);
    s->gates = arena_array(a, count, sizeof *s->gates);
    for (; s->gate_count < count; s->gate_count++)
        TRY(read_gate(a, plan_item(gate, s->gate_count), &s->gates[s->gate_count]));
    return ST_OK;
}

/* ---- notify ---- */

static const char *const endings[] = { "done", "failed", "gate", "interrupted", NULL };

static enum status read_ending(struct arena *a, const struct yaml *word, struct plan_notify *n)
{
    bool *const flags[] = { &n->on_done, &n->on_failed, &n->on_gate, &n->on_interrupted };
    const char *hint;

    for (size_t i = 0; word->kind == YAML_SCALAR && endings[i] != NULL; i++)
        if (strcmp(word->text, endings[i]) == 0) {
            *flags[i] = true;
            return ST_OK;
        }
    hint = word->kind == YAML_SCALAR ? hint_nearest(a, word->text, endings) : "";
    return yaml_fail(word, "notify: want how a run ended, of %s; found %s%s",
                     plan_words(a, endings), yaml_describe(a, word), hint);
}

static enum status read_notify(struct arena *a, const struct yaml *map, struct plan_notify *n)
{
    struct yaml *run = yaml_get(map, "run"), *on = yaml_get(map, "on");
    const char **argv;

    TRY(plan_check_keys(a, map, SCHEMA_NOTIFY));
    if (run == NULL)
        return yaml_fail(map, "'run' is missing: the program that is told, as a list of words");
    TRY(program_check_words(a, run, "run"));
    argv = arena_array(a, run->count + 1, sizeof *argv);
    for (size_t i = 0; i < run->count; i++)
        argv[i] = run->items[i]->text;
    n->argv = argv;
    if (on == NULL)
        n->on_done = n->on_failed = n->on_gate = n->on_interrupted = true;
    else if (plan_item_count(on) == 0)
        return yaml_fail(on, "notify: an empty list of endings; leave 'on' out for all of them");
    for (size_t i = 0; on != NULL && i < plan_item_count(on); i++)
        TRY(read_ending(a, plan_item(on, i), n));
    return ST_OK;
}

enum status plan_notify_read(struct plan *p, struct yaml *notify)
{
    size_t count = plan_item_count(notify);
    struct plan_notify *all = arena_array(p->arena, p->notify_count + count, sizeof *all);

    if (count == 0)
        return yaml_fail(notify, "notify: an empty list; leave it out");
    if (p->notify_count > 0)
        memcpy(all, p->notify, p->notify_count * sizeof *all);
    p->notify = all;
    for (size_t i = 0; i < count; i++, p->notify_count++)
        TRY(read_notify(p->arena, plan_item(notify, i), &all[p->notify_count]));
    return ST_OK;
}
