#include "base/file.h"
#include "curate/report/report.h"
#include "curate/report/report_part.h"

/* ---- the readers ---- */

static json_t *outcome_json(const struct source_stats *stats, enum source_outcome i)
{
    json_t *row = json_object(), *samples = json_array();

    for (int j = 0; j < 5 && stats->samples[i][j]; j++)
        json_array_append_new(samples, report_id_json(stats->samples[i][j]));
    json_object_set_new(row, "outcome", json_string(source_outcome_key(i)));
    json_object_set_new(row, "meaning", json_string(source_outcome_text(i)));
    json_object_set_new(row, "count", report_integer(stats->outcomes[i]));
    json_object_set_new(row, "samples", samples);
    return row;
}

static json_t *input_json(const struct report *r, const struct source_stats *stats)
{
    json_t *o = json_object(), *list = json_array();

    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++)
        if (stats->outcomes[i] > 0)
            json_array_append_new(list, outcome_json(stats, (enum source_outcome)i));
    json_object_set_new(o, "files", report_integer(stats->files));
    json_object_set_new(o, "bytes", report_integer(stats->bytes_in));
    json_object_set_new(o, "documents", report_integer(stats->documents));
    json_object_set_new(o, "document_bytes", report_integer(stats->document_bytes));
    json_object_set_new(o, "not_documents", list);
    json_object_set_new(o, "kinds", name_counts_json(&r->in.kinds));
    json_object_set_new(o, "sources", name_counts_json(&r->in.sources));
    return o;
}

/* ---- the steps ---- */

static json_t *reason_json(const struct report_reason *r)
{
    json_t *o = json_object();

    json_object_set_new(o, "reason", json_string(r->reason->key));
    json_object_set_new(o, "meaning", json_string(r->reason->meaning));
    json_object_set_new(o, "documents", report_integer(r->documents));
    json_object_set_new(o, "bytes", report_integer(r->bytes));
    json_object_set_new(o, "threshold", json_real(r->threshold));
    json_object_set_new(o, "value_min", json_real(r->least));
    json_object_set_new(o, "value_mean", json_real(r->sum / (double)r->documents));
    json_object_set_new(o, "value_max", json_real(r->most));
    json_object_set(o, "samples", r->samples);
    return o;
}

static json_t *values_json(const struct report_step *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->reason_count; i++)
        if (s->reasons[i].values) {
            json_t *o = rule_values_json(s->reasons[i].values);

            json_object_set_new(o, "rule", json_string(s->reasons[i].reason->key));
            json_object_set_new(o, "meaning", json_string(s->reasons[i].reason->meaning));
            json_array_append_new(list, o);
        }
    return list;
}

static json_t *step_json(const struct report_step *s)
{
    const struct step_kind *kind = s->step->kind;
    json_t *o = json_object(), *drops = json_array(), *counts = json_object();

    for (size_t i = 0; i < s->reason_count; i++)
        if (s->reasons[i].documents > 0)
            json_array_append_new(drops, reason_json(&s->reasons[i]));
    for (int i = 0; kind->counters && kind->counters[i]; i++)
        json_object_set_new(counts, kind->counters[i], report_integer(s->counts[i]));
    json_object_set_new(o, "step", json_string(s->step->label));
    json_object_set_new(o, "options", opt_record(kind->opts, s->step->cfg));
    json_object_set_new(o, "documents_in", report_integer(s->documents_in));
    json_object_set_new(o, "documents_out", report_integer(s->documents_out));
    json_object_set_new(o, "bytes_in", report_integer(s->bytes_in));
    json_object_set_new(o, "bytes_out", report_integer(s->bytes_out));
    json_object_set_new(o, "drops", drops);
    json_object_set_new(o, "values", values_json(s));
    json_object_set_new(o, "counts", counts);
    return o;
}

/* ---- what is left ---- */

static json_t *lengths_json(const struct report *r)
{
    json_t *list = json_array();

    for (int i = 0; i < 64; i++) {
        json_t *row;

        if (r->out.length_documents[i] == 0)
            continue;
        row = json_object();
        json_object_set_new(row, "from_bytes", report_integer((uint64_t)1 << i));
        json_object_set_new(row, "documents", report_integer(r->out.length_documents[i]));
        json_object_set_new(row, "bytes", report_integer(r->out.length_bytes[i]));
        json_array_append_new(list, row);
    }
    return list;
}

/* Documents of each name. */
static json_t *documents_json(const struct name_counts *c)
{
    json_t *o = json_object();

    for (size_t i = 0; i < c->count; i++)
        json_object_set_new(o, c->v[i].name, report_integer(c->v[i].documents));
    return o;
}

/* Every language that some document was found to be in: {"documents", "bytes", "dropped"}. */
static json_t *languages_json(const struct report *r)
{
    struct name_counts all = { 0 }, dropped = { 0 };
    json_t *o = json_object();

    for (size_t i = 0; i < r->count; i++)
        name_counts_merge(&dropped, &r->steps[i].languages);
    name_counts_merge(&all, &r->out.languages);
    name_counts_merge(&all, &dropped);
    for (size_t i = 0; i < all.count; i++) {
        struct name_count kept = name_counts_get(&r->out.languages, all.v[i].name);
        struct name_count lost = name_counts_get(&dropped, all.v[i].name);
        json_t *row = json_object();

        json_object_set_new(row, "documents", report_integer(kept.documents));
        json_object_set_new(row, "bytes", report_integer(kept.bytes));
        json_object_set_new(row, "dropped", report_integer(lost.documents));
        json_object_set_new(o, all.v[i].name, row);
    }
    name_counts_release(&all);
    name_counts_release(&dropped);
    return o;
}

static json_t *output_json(const struct report *r)
{
    json_t *o = json_object();

    json_object_set_new(o, "documents", report_integer(r->out.documents));
    json_object_set_new(o, "bytes", report_integer(r->out.bytes));
    json_object_set_new(o, "renamed_ids", report_integer(r->out.renamed));
    json_object_set_new(o, "kinds", documents_json(&r->out.kinds));
    json_object_set_new(o, "sources", documents_json(&r->out.sources));
    json_object_set_new(o, "languages", languages_json(r));
    json_object_set_new(o, "lengths", lengths_json(r));
    json_object_set_new(o, "samples", kept_samples_json(&r->kept));
    return o;
}

json_t *report_json(const struct report *r, const struct source_stats *stats)
{
    json_t *o = json_object(), *steps = json_array();

    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(steps, step_json(&r->steps[i]));
    json_object_set_new(o, "report", json_string("curate"));
    json_object_set_new(o, "input", input_json(r, stats));
    json_object_set_new(o, "steps", steps);
    json_object_set_new(o, "output", output_json(r));
    return o;
}

json_t *report_speed_json(const struct report *r)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < r->count; i++) {
        const struct report_step *s = &r->steps[i];
        json_t *row = json_object();

        json_object_set_new(row, "step", json_string(s->step->label));
        json_object_set_new(row, "seconds", json_real(s->seconds));
        if (s->seconds > 0)
            json_object_set_new(row, "mb_per_second",
                                json_real(value_finite((double)s->bytes_in / 1e6 / s->seconds)));
        json_array_append_new(steps, row);
    }
    return json_pack("{s:o}", "steps", steps);
}

enum status report_write(const struct report *r, const struct source_stats *stats,
                         const char *folder)
{
    struct arena a;
    struct buf page = { 0 };
    json_t *json = report_json(r, stats);
    enum status st;

    arena_init(&a);
    st = json_write_file(path_join(&a, folder, "report.json"), json);
    if (st == ST_OK) {
        report_html(&page, json);
        st = file_write_atomic(path_join(&a, folder, "report.html"), page.p, page.n);
    }
    buf_release(&page);
    json_decref(json);
    arena_release(&a);
    return st;
}
