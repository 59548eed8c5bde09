#include "curate/report/report.h"

#include <inttypes.h>
#include <math.h>

#include "base/file.h"
#include "base/log.h"

#define SAMPLE_CHARS 200
#define SAMPLE_BYTES (SAMPLE_CHARS * 4)

/* ---- gathering ---- */

static void init_step(struct report_step *s, const struct step *step, int samples)
{
    const struct drop_reason *const *reasons = step->kind->reasons;
    size_t n = 0;
    bool has_invalid = false;

    while (reasons[n])
        has_invalid |= reasons[n++] == &drop_invalid_utf8;
    s->step = step;
    s->samples = samples;
    s->reason_count = n + !has_invalid;
    s->reasons = mem_array(s->reason_count, sizeof *s->reasons);
    for (size_t i = 0; i < n; i++)
        s->reasons[i].reason = reasons[i];
    if (!has_invalid)
        s->reasons[n].reason = &drop_invalid_utf8;
}

struct report *report_new(const struct chain *chain, int samples)
{
    struct report *r = mem_alloc(sizeof *r);

    r->count = chain->count;
    r->steps = mem_array(chain->count, sizeof *r->steps);
    for (size_t i = 0; i < chain->count; i++)
        init_step(&r->steps[i], &chain->steps[i], samples);
    r->out.kinds = json_object();
    r->out.sources = json_object();
    return r;
}

void report_free(struct report *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++) {
        for (size_t j = 0; j < r->steps[i].reason_count; j++)
            json_decref(r->steps[i].reasons[j].samples);
        free(r->steps[i].reasons);
    }
    json_decref(r->out.kinds);
    json_decref(r->out.sources);
    free(r->steps);
    free(r);
}

/* The first characters of a text that may be anything. */
static json_t *sample_text(struct span text)
{
    struct buf good = { 0 };
    size_t n = 0;
    uint32_t cp;
    json_t *value;

    utf8_repair(&good, text.p, text.n < SAMPLE_BYTES ? text.n : SAMPLE_BYTES);
    for (int chars = 0; n < good.n && chars < SAMPLE_CHARS; chars++) {
        size_t bytes = utf8_decode(good.p + n, good.p + good.n, &cp);
        if (cp == 0)
            good.p[n] = ' ';
        n += bytes;
    }
    value = json_stringn(good.p ? good.p : "", n);
    buf_release(&good);
    return value;
}

static json_t *id_text(const char *id)
{
    json_t *value = json_string(id);

    return value ? value : sample_text(span_of(id));
}

static json_t *sample_of(const struct report_drop *drop)
{
    json_t *sample = json_object();

    json_object_set_new(sample, "id", id_text(drop->id));
    json_object_set_new(sample, "value", json_real(drop->value));
    json_object_set_new(sample, "text", sample_text(drop->text));
    if (drop->of)
        json_object_set_new(sample, "of", id_text(drop->of));
    return sample;
}

void report_add_drop(struct report_step *s, const struct report_drop *drop)
{
    struct report_reason *r = s->reasons;

    while (r->reason != drop->reason)
        BUG_IF(++r == s->reasons + s->reason_count);
    if (r->documents == 0) {
        r->least = r->most = drop->value;
        r->threshold = drop->threshold;
        r->samples = json_array();
    }
    r->documents++;
    r->bytes += drop->text.n;
    r->sum += drop->value;
    r->least = fmin(r->least, drop->value);
    r->most = fmax(r->most, drop->value);
    if (json_array_size(r->samples) < (size_t)s->samples)
        json_array_append_new(r->samples, sample_of(drop));
}

static void add_one(json_t *counts, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(counts, key));

    json_object_set_new(counts, key, json_integer(n + 1));
}

static int logarithm(uint64_t n) { return n ? 63 - __builtin_clzll(n) : 0; }

void report_add_kept(struct report *r, const struct doc *d, bool renamed)
{
    int length = logarithm(d->text.n);

    r->out.documents++;
    r->out.bytes += d->text.n;
    r->out.renamed += renamed;
    r->out.length_documents[length]++;
    r->out.length_bytes[length] += d->text.n;
    add_one(r->out.kinds, doc_kind_name(d->kind));
    if (d->source)
        add_one(r->out.sources, d->source);
}

/* ---- JSON ---- */

static json_t *integer(uint64_t n) { return json_integer((json_int_t)n); }

static json_t *source_json(const struct source_stats *stats)
{
    json_t *o = json_object(), *list = json_array();

    json_object_set_new(o, "files", integer(stats->files));
    json_object_set_new(o, "bytes", integer(stats->bytes_in));
    json_object_set_new(o, "documents", integer(stats->documents));
    json_object_set_new(o, "document_bytes", integer(stats->document_bytes));
    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++) {
        json_t *row = json_object(), *samples = json_array();

        for (int j = 0; j < 5 && stats->samples[i][j]; j++)
            json_array_append_new(samples, id_text(stats->samples[i][j]));
        json_object_set_new(row, "outcome",
                            json_string(source_outcome_key((enum source_outcome)i)));
        json_object_set_new(row, "meaning",
                            json_string(source_outcome_text((enum source_outcome)i)));
        json_object_set_new(row, "count", integer(stats->outcomes[i]));
        json_object_set_new(row, "samples", samples);
        if (stats->outcomes[i] > 0)
            json_array_append(list, row);
        json_decref(row);
    }
    json_object_set_new(o, "not_documents", list);
    return o;
}

static json_t *reason_json(const struct report_reason *r)
{
    json_t *o = json_object();

    json_object_set_new(o, "reason", json_string(r->reason->key));
    json_object_set_new(o, "meaning", json_string(r->reason->meaning));
    json_object_set_new(o, "documents", integer(r->documents));
    json_object_set_new(o, "bytes", integer(r->bytes));
    json_object_set_new(o, "threshold", json_real(r->threshold));
    json_object_set_new(o, "value_min", json_real(r->least));
    json_object_set_new(o, "value_mean", json_real(r->sum / (double)r->documents));
    json_object_set_new(o, "value_max", json_real(r->most));
    json_object_set(o, "samples", r->samples);
    return o;
}

static json_t *step_json(const struct report_step *s)
{
    const struct step_kind *kind = s->step->kind;
    json_t *o = json_object(), *drops = json_array(), *counts = json_object();

    for (size_t i = 0; i < s->reason_count; i++)
        if (s->reasons[i].documents > 0)
            json_array_append_new(drops, reason_json(&s->reasons[i]));
    for (int i = 0; kind->counters && kind->counters[i]; i++)
        json_object_set_new(counts, kind->counters[i], integer(s->counts[i]));
    json_object_set_new(o, "step", json_string(s->step->label));
    json_object_set_new(o, "options", opt_record(kind->opts, s->step->cfg));
    json_object_set_new(o, "documents_in", integer(s->documents_in));
    json_object_set_new(o, "documents_out", integer(s->documents_out));
    json_object_set_new(o, "bytes_in", integer(s->bytes_in));
    json_object_set_new(o, "bytes_out", integer(s->bytes_out));
    json_object_set_new(o, "drops", drops);
    json_object_set_new(o, "counts", counts);
    return o;
}

static json_t *lengths_json(const struct report *r)
{
    json_t *list = json_array();

    for (int i = 0; i < 64; i++) {
        json_t *row;

        if (r->out.length_documents[i] == 0)
            continue;
        row = json_object();
        json_object_set_new(row, "from_bytes", integer((uint64_t)1 << i));
        json_object_set_new(row, "documents", integer(r->out.length_documents[i]));
        json_object_set_new(row, "bytes", integer(r->out.length_bytes[i]));
        json_array_append_new(list, row);
    }
    return list;
}

json_t *report_json(const struct report *r, const struct source_stats *stats)
{
    json_t *o = json_object(), *steps = json_array(), *out = json_object();

    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(steps, step_json(&r->steps[i]));
    json_object_set_new(out, "documents", integer(r->out.documents));
    json_object_set_new(out, "bytes", integer(r->out.bytes));
    json_object_set_new(out, "renamed_ids", integer(r->out.renamed));
    json_object_set(out, "kinds", r->out.kinds);
    json_object_set(out, "sources", r->out.sources);
    json_object_set_new(out, "lengths", lengths_json(r));
    json_object_set_new(o, "report", json_string("curate"));
    json_object_set_new(o, "input", source_json(stats));
    json_object_set_new(o, "steps", steps);
    json_object_set_new(o, "output", out);
    return o;
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

/* ---- words ---- */

static void summary_step(const struct report_step *s, int width)
{
    char documents[28], bytes[24], rate[32] = "";

    if (s->seconds > 0)
        snprintf(rate, sizeof rate, "%.0f MB/s", (double)s->bytes_in / 1e6 / s->seconds);
    log_info("%-*s %12s docs %10s %9.2f s %12s", width, s->step->label,
             str_count(s->documents_out, documents), str_bytes(s->bytes_out, bytes), s->seconds,
             rate);
    for (size_t i = 0; i < s->reason_count; i++)
        if (s->reasons[i].documents > 0)
            log_info("%-*s %12s dropped %s", width, "",
                     str_count(s->reasons[i].documents, documents), s->reasons[i].reason->key);
}

void report_summary(const struct report *r, const struct source_stats *stats, double seconds)
{
    char a[28], b[24], c[28];
    int width = 8;

    for (size_t i = 0; i < r->count; i++)
        if ((int)strlen(r->steps[i].step->label) > width)
            width = (int)strlen(r->steps[i].step->label);
    log_info("%-*s %12s docs %10s in %s files", width, "sources", str_count(stats->documents, a),
             str_bytes(stats->document_bytes, b), str_count(stats->files, c));
    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++)
        if (stats->outcomes[i] > 0)
            log_info("%-*s %12s not read %s", width, "", str_count(stats->outcomes[i], a),
                     source_outcome_key((enum source_outcome)i));
    for (size_t i = 0; i < r->count; i++)
        summary_step(&r->steps[i], width);
    log_info("%-*s %12s docs %10s %9.2f s %7.0f MB/s", width, "corpus",
             str_count(r->out.documents, a), str_bytes(r->out.bytes, b), seconds,
             (double)stats->document_bytes / 1e6 / (seconds > 0 ? seconds : 1));
}

enum status report_nothing_left(const struct report *r, const struct source_stats *stats)
{
    struct buf why = { 0 };

    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++)
        if (stats->outcomes[i] > 0)
            buf_printf(&why, "%s%" PRIu64 " not read (%s)", why.n ? ", " : "", stats->outcomes[i],
                       source_outcome_key((enum source_outcome)i));
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < r->steps[i].reason_count; j++) {
            const struct report_reason *reason = &r->steps[i].reasons[j];
            if (reason->documents > 0)
                buf_printf(&why, "%s%" PRIu64 " dropped by '%s' (%s)", why.n ? ", " : "",
                           reason->documents, r->steps[i].step->label, reason->reason->key);
        }
    fail(ST_FAILED,
         "no document is left of %" PRIu64 " in %" PRIu64 " files%s%s; nothing was written",
         stats->documents, stats->files, why.n ? ": " : "", why.n ? why.p : "");
    buf_release(&why);
    return ST_FAILED;
}
