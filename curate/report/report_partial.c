/* A report as JSON that can be added to another one, and back. */
#include <inttypes.h>

#include "curate/report/report.h"
#include "curate/report/report_part.h"

#define COUNT_MOST ((json_int_t)1 << 53)
static const char what[] = "the partial report of a group";

/* ---- writing ---- */

static json_t *reason_partial(const struct report_reason *r)
{
    json_t *o = json_object();

    json_object_set_new(o, "reason", json_string(r->reason->key));
    json_object_set_new(o, "documents", report_integer(r->documents));
    json_object_set_new(o, "bytes", report_integer(r->bytes));
    json_object_set_new(o, "threshold", json_real(r->threshold));
    json_object_set_new(o, "least", json_real(r->least));
    json_object_set_new(o, "most", json_real(r->most));
    json_object_set_new(o, "sum", json_real(r->sum));
    if (r->samples)
        json_object_set(o, "samples", r->samples);
    if (r->values)
        json_object_set_new(o, "values", rule_values_partial(r->values));
    return o;
}

static json_t *integers(const uint64_t *v, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, report_integer(v[i]));
    return list;
}

static json_t *step_partial(const struct report_step *s)
{
    json_t *o = json_object(), *reasons = json_array();

    for (size_t i = 0; i < s->reason_count; i++)
        if (s->reasons[i].documents > 0 || s->reasons[i].values)
            json_array_append_new(reasons, reason_partial(&s->reasons[i]));
    json_object_set_new(o, "step", json_string(s->step->label));
    json_object_set_new(o, "documents_in", report_integer(s->documents_in));
    json_object_set_new(o, "documents_out", report_integer(s->documents_out));
    json_object_set_new(o, "bytes_in", report_integer(s->bytes_in));
    json_object_set_new(o, "bytes_out", report_integer(s->bytes_out));
    json_object_set_new(o, "seconds", json_real(value_finite(s->seconds)));
    json_object_set_new(o, "counts", integers(s->counts, STEP_COUNTERS));
    json_object_set_new(o, "reasons", reasons);
    json_object_set_new(o, "languages", name_counts_json(&s->languages));
    return o;
}

static json_t *stats_partial(const struct source_stats *stats)
{
    json_t *o = json_object(), *outcomes = json_object();

    json_object_set_new(o, "files", report_integer(stats->files));
    json_object_set_new(o, "bytes", report_integer(stats->bytes_in));
    json_object_set_new(o, "documents", report_integer(stats->documents));
    json_object_set_new(o, "document_bytes", report_integer(stats->document_bytes));
    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++) {
        json_t *samples = json_array();

        for (int j = 0; j < 5 && stats->samples[i][j]; j++)
            json_array_append_new(samples, report_id_json(stats->samples[i][j]));
        json_object_set_new(outcomes, source_outcome_key((enum source_outcome)i),
                            json_pack("{s:I,s:o}", "count", (json_int_t)stats->outcomes[i], "samples", samples));
    }
    json_object_set_new(o, "outcomes", outcomes);
    return o;
}

json_t *report_partial(const struct report *r, const struct source_stats *stats)
{
    json_t *o = json_object(), *steps = json_array();

    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(steps, step_partial(&r->steps[i]));
    json_object_set_new(o, "steps", steps);
    json_object_set_new(o, "source", stats_partial(stats));
    json_object_set_new(o, "in_kinds", name_counts_json(&r->in.kinds));
    json_object_set_new(o, "in_sources", name_counts_json(&r->in.sources));
    json_object_set_new(o, "documents", report_integer(r->out.documents));
    json_object_set_new(o, "bytes", report_integer(r->out.bytes));
    json_object_set_new(o, "renamed", report_integer(r->out.renamed));
    json_object_set_new(o, "length_documents", integers(r->out.length_documents, 64));
    json_object_set_new(o, "length_bytes", integers(r->out.length_bytes, 64));
    json_object_set_new(o, "kinds", name_counts_json(&r->out.kinds));
    json_object_set_new(o, "sources", name_counts_json(&r->out.sources));
    json_object_set_new(o, "languages", name_counts_json(&r->out.languages));
    json_object_set_new(o, "kept", kept_samples_json(&r->kept));
    return o;
}

/* ---- reading ---- */

static enum status read_count(const json_t *o, const char *key, uint64_t *out)
{
    int64_t n;

    TRY(json_get_int(o, key, what, &n));
    if (n < 0 || n > COUNT_MOST)
        return fail(ST_FORMAT, "%s: '%s' is %" PRId64 ", want a count", what, key, n);
    *out = (uint64_t)n;
    return ST_OK;
}

static enum status read_counts(const json_t *o, const char *key, size_t n, uint64_t *out)
{
    const json_t *list = json_object_get(o, key), *item;
    size_t i;

    if (json_array_size(list) != n)
        return fail(ST_FORMAT, "%s: '%s' is not a list of %zu counts", what, key, n);
    json_array_foreach(list, i, item) {
        json_int_t v = json_integer_value(item);

        if (!json_is_integer(item) || v < 0 || v > COUNT_MOST)
            return fail(ST_FORMAT, "%s: '%s' has what is not a count", what, key);
        out[i] = (uint64_t)v;
    }
    return ST_OK;
}

static enum status read_sample(const json_t *sample)
{
    const char *text;
    double value;

    TRY(json_get_str(sample, "id", what, &text));
    TRY(json_get_str(sample, "text", what, &text));
    TRY(json_get_real(sample, "value", what, &value));
    return json_get_real(sample, "threshold", what, &value);
}

static enum status read_samples(const json_t *o, struct report_reason *r)
{
    json_t *list = json_object_get(o, "samples"), *sample;
    size_t i;

    if (!json_is_array(list))
        return fail(ST_FORMAT, "%s: the reason '%s' has no list of samples", what, r->reason->key);
    r->samples = json_incref(list);
    json_array_foreach(list, i, sample)
        TRY(read_sample(sample));
    return ST_OK;
}

static enum status read_reason(const json_t *o, struct report_step *s)
{
    struct report_reason *r = s->reasons, *end = s->reasons + s->reason_count;
    const json_t *values = json_object_get(o, "values");
    const char *key;

    TRY(json_get_str(o, "reason", what, &key));
    while (r < end && strcmp(r->reason->key, key) != 0)
        r++;
    if (r == end)
        return fail(ST_FORMAT, "%s: step '%s' has no reason '%.60s'", what, s->step->label, key);
    if (r->samples || r->values)
        return fail(ST_FORMAT, "%s: the reason '%s' stands twice in step '%s'", what, key, s->step->label);
    TRY(read_count(o, "documents", &r->documents));
    TRY(read_count(o, "bytes", &r->bytes));
    TRY(json_get_real(o, "threshold", what, &r->threshold));
    TRY(json_get_real(o, "least", what, &r->least));
    TRY(json_get_real(o, "most", what, &r->most));
    TRY(json_get_real(o, "sum", what, &r->sum));
    if (r->documents > 0)
        TRY(read_samples(o, r));
    return values ? rule_values_read(values, what, &r->values) : ST_OK;
}

static enum status read_step(const json_t *o, struct report_step *s)
{
    const json_t *reasons = json_object_get(o, "reasons"), *row;
    const char *label;
    size_t i;

    TRY(json_get_str(o, "step", what, &label));
    if (strcmp(label, s->step->label) != 0)
        return fail(ST_FORMAT, "%s has step '%.60s', want '%s'", what, label, s->step->label);
    TRY(read_count(o, "documents_in", &s->documents_in));
    TRY(read_count(o, "documents_out", &s->documents_out));
    TRY(read_count(o, "bytes_in", &s->bytes_in));
    TRY(read_count(o, "bytes_out", &s->bytes_out));
    TRY(json_get_real(o, "seconds", what, &s->seconds));
    TRY(read_counts(o, "counts", STEP_COUNTERS, s->counts));
    if (name_counts_read(&s->languages, json_object_get(o, "languages"), "languages") != ST_OK)
        return fail_within(ST_FORMAT, "%s: ", what);
    if (!json_is_array(reasons))
        return fail(ST_FORMAT, "%s: step '%s' has no list of reasons", what, label);
    json_array_foreach(reasons, i, row)
        TRY(read_reason(row, s));
    return ST_OK;
}

/* The same reasons may stand twice in a list of steps; order tells them apart. */
static enum status read_steps(const json_t *partial, struct report *r)
{
    const json_t *steps = json_object_get(partial, "steps"), *row;
    size_t i;

    if (json_array_size(steps) != r->count)
        return fail(ST_FORMAT, "%s has %zu steps, want %zu", what, json_array_size(steps), r->count);
    json_array_foreach(steps, i, row)
        TRY(read_step(row, &r->steps[i]));
    return ST_OK;
}

static enum status read_outcome(const json_t *outcomes, int i, struct source_stats *stats)
{
    const char *key = source_outcome_key((enum source_outcome)i);
    const json_t *o = json_object_get(outcomes, key), *samples = json_object_get(o, "samples"), *id;
    size_t j;

    if (!json_is_array(samples) || json_array_size(samples) > 5)
        return fail(ST_FORMAT, "%s: the outcome '%s' has no list of at most 5 samples", what, key);
    TRY(read_count(o, "count", &stats->outcomes[i]));
    json_array_foreach(samples, j, id) {
        if (!json_is_string(id))
            return fail(ST_FORMAT, "%s: a sample of the outcome '%s' is no text", what, key);
        stats->samples[i][j] = json_string_value(id);
    }
    return ST_OK;
}

static enum status read_stats(const json_t *partial, struct source_stats *stats)
{
    const json_t *o = json_object_get(partial, "source");

    TRY(read_count(o, "files", &stats->files));
    TRY(read_count(o, "bytes", &stats->bytes_in));
    TRY(read_count(o, "documents", &stats->documents));
    TRY(read_count(o, "document_bytes", &stats->document_bytes));
    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++)
        TRY(read_outcome(json_object_get(o, "outcomes"), i, stats));
    return ST_OK;
}

static enum status read_report(const json_t *partial, struct report *r)
{
    const struct {
        const char *key;
        struct name_counts *to;
    } names[] = {
        { "in_kinds", &r->in.kinds }, { "in_sources", &r->in.sources }, { "kinds", &r->out.kinds },
        { "sources", &r->out.sources }, { "languages", &r->out.languages },
    };

    if (!json_is_object(partial))
        return fail(ST_FORMAT, "%s is not a JSON object", what);
    TRY(read_steps(partial, r));
    TRY(read_count(partial, "documents", &r->out.documents));
    TRY(read_count(partial, "bytes", &r->out.bytes));
    TRY(read_count(partial, "renamed", &r->out.renamed));
    TRY(read_counts(partial, "length_documents", 64, r->out.length_documents));
    TRY(read_counts(partial, "length_bytes", 64, r->out.length_bytes));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name_counts_read(names[i].to, json_object_get(partial, names[i].key), names[i].key) != ST_OK)
            return fail_within(ST_FORMAT, "%s: ", what);
    return kept_samples_read(&r->kept, json_object_get(partial, "kept"), what);
}

static void merge_stats(struct report *into, struct source_stats *stats, const struct source_stats *from)
{
    stats->files += from->files;
    stats->bytes_in += from->bytes_in;
    stats->documents += from->documents;
    stats->document_bytes += from->document_bytes;
    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++) {
        int at = 0;

        stats->outcomes[i] += from->outcomes[i];
        while (at < 5 && stats->samples[i][at])
            at++;
        for (int j = 0; at < 5 && j < 5 && from->samples[i][j]; j++)
            stats->samples[i][at++] = arena_strdup(&into->arena, from->samples[i][j]);
    }
}

enum status report_add_partial(struct report *into, struct source_stats *stats, const json_t *partial)
{
    struct report *r = report_like(into);
    struct source_stats read = { 0 };
    enum status st = read_report(partial, r);

    if (st == ST_OK)
        st = read_stats(partial, &read);
    if (st == ST_OK) {
        report_merge(into, r);
        merge_stats(into, stats, &read);
    }
    report_free(r);
    return st;
}
