#include "pipelines/registry/gate.h"

#include <math.h>
#include <string.h>

#include "pipelines/registry/gate_bootstrap.h"
#include "pipelines/registry/gate_report.h"
#include "pipelines/registry/registry.h"

const char *const gate_outcome_words[] = {
#define X(name, word) word,
    GATE_OUTCOMES(X)
#undef X
    NULL
};

static void decide(struct gate_result *out, bool passed, const char *words)
{
    out->outcome = passed ? GATE_PASSED : GATE_FAILED;
    out->words = words;
}

/* ---- against bounds ---- */

static void check_bounds(struct arena *a, const struct plan_gate *g, struct gate_result *out)
{
    double v = out->value;

    if (g->has_max && !(v <= g->max))
        decide(out, false, arena_printf(a, "%s %.6g is over %.6g by %.3g", g->metric, v, g->max,
                                        v - g->max));
    else if (g->has_min && !(v >= g->min))
        decide(out, false, arena_printf(a, "%s %.6g is under %.6g by %.3g", g->metric, v, g->min,
                                        g->min - v));
    else if (g->has_max && g->has_min)
        decide(out, true, arena_printf(a, "%s %.6g is between %.6g and %.6g", g->metric, v, g->min,
                                       g->max));
    else if (g->has_max || g->has_min)
        decide(out, true, arena_printf(a, "%s %.6g is at %s %.6g", g->metric, v,
                                       g->has_max ? "most" : "least", g->has_max ? g->max : g->min));
    else
        decide(out, true, arena_printf(a, "%s is %.6g, and nothing is asked of it", g->metric, v));
}

/* ---- against another, the values alone ---- */

static void compare_values(struct arena *a, const struct plan_gate *g, struct gate_result *out)
{
    const char *want = out->gain >= g->gain ? "" : arena_printf(a, ", want a gain of at least %.6g",
                                                               g->gain);

    if (out->gain == 0)
        decide(out, out->gain >= g->gain, arena_printf(a, "%s %.6g is that of %s%s", g->metric,
                                                       out->value, g->versus, want));
    else
        decide(out, out->gain >= g->gain,
               arena_printf(a, "%s %.6g is %s than the %.6g of %s by %.3g%s", g->metric, out->value,
                            out->gain > 0 ? "better" : "worse", out->other, g->versus,
                            fabs(out->gain), want));
}

/* ---- against another, document by document ---- */

void gate_pair(struct arena *a, const struct gate_documents *mine,
               const struct gate_documents *other, bool higher, struct gate_pairs *out)
{
    size_t most = mine->count < other->count ? mine->count : other->count, i = 0, k = 0;
    double all = 0;

    *out = (struct gate_pairs){ .difference = arena_array(a, most, sizeof(double)),
                                .weight = arena_array(a, most, sizeof(double)) };
    for (size_t n = 0; n < other->count; n++)
        all += other->v[n].weight;
    while (i < mine->count && k < other->count) {
        const struct gate_document *x = &mine->v[i], *y = &other->v[k];
        int order = strcmp(x->id, y->id);

        i += order <= 0;
        k += order >= 0;
        if (order == 0 && x->weight != y->weight) {
            out->other_text++;
        } else if (order == 0) {
            out->difference[out->count] =
                higher ? x->numerator - y->numerator : y->numerator - x->numerator;
            out->weight[out->count++] = x->weight;
            out->covered += x->weight;
        }
    }
    out->covered = all > 0 ? out->covered / all : 0;
}

/* ", 3 with another text left out" */
static const char *left_out(struct arena *a, const struct gate_pairs *pairs)
{
    return pairs->other_text == 0
               ? ""
               : arena_printf(a, ", %zu with another text left out", pairs->other_text);
}

static bool have_weight(const struct gate_pairs *pairs)
{
    double sum = 0;

    for (size_t i = 0; i < pairs->count; i++)
        sum += pairs->weight[i];
    return sum > 0;
}

static enum status compare_documents(struct arena *a, const struct plan_gate *g,
                                     const struct gate_pairs *pairs, struct gate_result *out)
{
    struct bootstrap_result b;

    out->documents = pairs->count;
    if (pairs->count < GATE_DOCUMENTS_LEAST || !have_weight(pairs)) {
        decide(out, false,
               arena_printf(a, "%zu documents are in this report and in that of %s%s, want at least "
                               "%d: score both models on the same store",
                            pairs->count, g->versus, left_out(a, pairs), GATE_DOCUMENTS_LEAST));
        return ST_OK;
    }
    if (pairs->covered < GATE_COVERED_LEAST) {
        decide(out, false,
               arena_printf(a, "%zu documents with %.3g %% of the text that %s was scored on are in "
                               "this report%s, want at least %.3g %%: score both models on the same "
                               "store",
                            pairs->count, 100 * pairs->covered, g->versus, left_out(a, pairs),
                            100 * GATE_COVERED_LEAST));
        return ST_OK;
    }
    TRY(bootstrap_gain(&(struct bootstrap_args){ pairs->difference, pairs->weight, pairs->count,
                                                 g->resamples, (uint64_t)g->seed, g->confidence },
                       &b));
    out->gain = b.gain;
    out->low = b.low;
    out->high = b.high;
    decide(out, b.low >= g->gain,
           arena_printf(a, "%s %.6g, %s has %.6g: the gain is %.3g, at least %.3g at %.6g %% "
                           "confidence (up to %.3g; %zu documents%s), want at least %.6g",
                        g->metric, out->value, g->versus, out->other, b.gain, b.low,
                        100 * g->confidence, b.high, pairs->count, left_out(a, pairs), g->gain));
    return ST_OK;
}

static enum status read_pairs(struct arena *a, const struct plan_gate *g, const char *report,
                              const char *other_report, struct gate_pairs *out)
{
    const struct gate_metric *m = gate_metric_find(g->metric);
    struct gate_documents mine, other;

    TRY(gate_documents_read(a, m, report, &mine));
    TRY(gate_documents_read(a, m, other_report, &other));
    gate_pair(a, &mine, &other, g->higher_is_better, out);
    return ST_OK;
}

static enum status no_documents(struct arena *a, const struct plan_gate *g)
{
    const char *names = "";

    for (const struct gate_metric *m = gate_metrics; m->name != NULL; m++)
        if (m->file != NULL)
            names = arena_printf(a, "%s%s%s", names, *names ? ", " : "", m->name);
    return fail(ST_CONFIG,
                "'%s' has no scores of single documents, so nothing is known of it with confidence "
                "(of these it is: %s); leave `confidence` out to compare the values alone",
                g->metric, names);
}

/* ---- against another ---- */

/* The report of what is promoted; *place->report is set on success. */
static enum status find_other(struct arena *a, const struct plan_gate *g,
                              struct registry_place *place)
{
    TRY(registry_resolve(a, g->versus, place));
    if (place->report == NULL)
        return fail(ST_CONFIG,
                    "'%s' (version %s) has no report to compare with; give it one: tundish promote "
                    "%s --to %s --report REPORT",
                    g->versus, place->version, place->model, g->versus);
    return ST_OK;
}

/* A name that nearly is one of the registry's would else let everything through for ever. */
static enum status leave_open(struct arena *a, const struct plan_gate *g, const char *nearest,
                              struct gate_result *out)
{
    if (nearest != NULL)
        return fail(ST_CONFIG,
                    "nothing is promoted as '%s'; did you mean '%s'? If not, promote its first "
                    "model by hand (tundish promote MODEL --to %s --report REPORT)",
                    g->versus, nearest, g->versus);
    out->outcome = GATE_OPEN;
    out->words = arena_printf(a, "%s %.6g; nothing is promoted as %s yet, so there is nothing to "
                                 "be better than", g->metric, out->value, g->versus);
    return ST_OK;
}

static enum status check_versus(struct arena *a, const struct plan_gate *g, const char *report,
                                struct gate_result *out)
{
    const struct gate_metric *m = gate_metric_find(g->metric);
    struct registry_place place;
    struct gate_numbers numbers;
    struct gate_pairs pairs;
    const char *nearest;
    bool promoted;

    if (g->confidence > 0 && (m == NULL || m->file == NULL))
        return no_documents(a, g);
    TRY(registry_has(a, g->versus, &promoted, &nearest));
    if (!promoted)
        return leave_open(a, g, nearest, out);
    TRY(find_other(a, g, &place));
    TRY(gate_numbers_read(a, place.report, &numbers));
    TRY(gate_numbers_find(&numbers, place.report, g->metric, &out->other));
    out->gain = g->higher_is_better ? out->value - out->other : out->other - out->value;
    if (!(g->confidence > 0)) {
        compare_values(a, g, out);
        return ST_OK;
    }
    TRY(read_pairs(a, g, report, place.report, &pairs));
    return compare_documents(a, g, &pairs, out);
}

enum status gate_check(struct arena *a, const struct plan_gate *g, const char *report,
                       struct gate_result *out)
{
    struct gate_numbers numbers;

    *out = (struct gate_result){ 0 };
    TRY(gate_numbers_read(a, report, &numbers));
    TRY(gate_numbers_find(&numbers, report, g->metric, &out->value));
    if (g->versus != NULL)
        return check_versus(a, g, report, out);
    check_bounds(a, g, out);
    return ST_OK;
}
