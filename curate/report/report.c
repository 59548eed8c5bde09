#include "curate/report/report.h"

#include <math.h>

#include "curate/report/report_part.h"

#define SAMPLE_CHARS 200
#define KEPT_CHARS 500

/* ---- a report ---- */

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

    arena_init(&r->arena);
    r->count = chain->count;
    r->steps = mem_array(chain->count, sizeof *r->steps);
    for (size_t i = 0; i < chain->count; i++)
        init_step(&r->steps[i], &chain->steps[i], samples);
    r->kept.most = (size_t)samples;
    return r;
}

struct report *report_like(const struct report *r)
{
    struct report *like = mem_alloc(sizeof *like);

    arena_init(&like->arena);
    like->count = r->count;
    like->steps = mem_array(r->count, sizeof *like->steps);
    for (size_t i = 0; i < r->count; i++)
        init_step(&like->steps[i], r->steps[i].step, r->steps[i].samples);
    like->kept.most = r->kept.most;
    return like;
}

static void release_step(struct report_step *s)
{
    for (size_t i = 0; i < s->reason_count; i++) {
        json_decref(s->reasons[i].samples);
        free(s->reasons[i].values);
    }
    name_counts_release(&s->languages);
    free(s->reasons);
}

void report_free(struct report *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        release_step(&r->steps[i]);
    name_counts_release(&r->in.kinds);
    name_counts_release(&r->in.sources);
    name_counts_release(&r->out.kinds);
    name_counts_release(&r->out.sources);
    name_counts_release(&r->out.languages);
    kept_samples_release(&r->kept);
    arena_release(&r->arena);
    free(r->steps);
    free(r);
}

/* ---- examples ---- */

/* The first characters of a text that may be anything. */
static json_t *sample_text(struct span text, int most)
{
    struct buf good = { 0 };
    size_t n = 0, bytes = (size_t)most * 4;
    uint32_t cp;
    json_t *value;

    utf8_repair(&good, text.p, text.n < bytes ? text.n : bytes);
    for (int chars = 0; n < good.n && chars < most; chars++) {
        size_t length = utf8_decode(good.p + n, good.p + good.n, &cp);
        if (cp == 0)
            good.p[n] = ' ';
        n += length;
    }
    value = json_stringn(good.p ? good.p : "", n);
    buf_release(&good);
    return value;
}

json_t *report_integer(uint64_t n) { return json_integer((json_int_t)n); }

json_t *report_id_json(const char *id)
{
    json_t *value = json_string(id);

    return value ? value : json_text_of(id);
}

static json_t *drop_sample(const struct report_drop *drop)
{
    json_t *sample = json_object();

    json_object_set_new(sample, "id", report_id_json(drop->id));
    json_object_set_new(sample, "value", json_real(value_finite(drop->value)));
    json_object_set_new(sample, "threshold", json_real(value_finite(drop->threshold)));
    json_object_set_new(sample, "text", sample_text(drop->text, SAMPLE_CHARS));
    if (drop->of)
        json_object_set_new(sample, "of", report_id_json(drop->of));
    if (drop->language)
        json_object_set_new(sample, "language", report_id_json(drop->language));
    return sample;
}

static json_t *kept_sample(const struct doc *d)
{
    json_t *sample = json_object();

    json_object_set_new(sample, "id", report_id_json(d->id));
    json_object_set_new(sample, "bytes", report_integer(d->text.n));
    json_object_set_new(sample, "text", sample_text((struct span){ d->text.p, d->text.n }, KEPT_CHARS));
    if (d->language)
        json_object_set_new(sample, "language", report_id_json(d->language));
    return sample;
}

/* Ids and names are compared as JSON has them, so that it makes no difference whether a report went through it. */
static void add_kept_sample(struct report *r, const struct doc *d)
{
    json_t *id = report_id_json(d->id), *source = report_id_json(d->source ? d->source : "");

    if (kept_samples_want(&r->kept, json_string_value(source), json_string_value(id)))
        kept_samples_add(&r->kept, json_string_value(source), json_string_value(id), kept_sample(d));
    json_decref(id);
    json_decref(source);
}

/* ---- documents ---- */

static size_t reason_place(const struct report_step *s, const struct drop_reason *reason, size_t begin)
{
    for (size_t i = 0; i < s->reason_count; i++) {
        size_t at = (begin + i) % s->reason_count;

        if (s->reasons[at].reason == reason)
            return at;
    }
    bug_here(__FILE__, __LINE__, "a rule that its step does not list");
}

void report_add_read(struct report *r, const struct doc *d, size_t bytes)
{
    name_counts_add(&r->in.kinds, &(struct name_count){ doc_kind_name(d->kind), 1, bytes });
    if (d->source)
        name_counts_add(&r->in.sources, &(struct name_count){ d->source, 1, bytes });
}

void report_add_drop(struct report_step *s, const struct report_drop *drop)
{
    struct report_reason *r = &s->reasons[reason_place(s, drop->reason, 0)];
    double value = value_finite(drop->value);

    if (r->documents == 0) {
        r->least = r->most = value;
        r->threshold = value_finite(drop->threshold);
    }
    if (r->samples == NULL)
        r->samples = json_array();
    r->documents++;
    r->bytes += drop->text.n;
    r->sum = value_finite(r->sum + value);
    r->least = fmin(r->least, value);
    r->most = fmax(r->most, value);
    if (json_array_size(r->samples) < (size_t)s->samples)
        json_array_append_new(r->samples, drop_sample(drop));
    if (drop->language)
        name_counts_add(&s->languages, &(struct name_count){ drop->language, 1, drop->text.n });
}

void report_add_dropped(struct report *r, const struct doc *d)
{
    struct report_drop drop = {
        .reason = d->dropped, .value = d->value, .threshold = d->threshold, .id = d->id,
        .language = d->language, .text = { d->text.p, d->text.n },
    };

    report_add_drop(&r->steps[d->dropped_by], &drop);
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
    name_counts_add(&r->out.kinds, &(struct name_count){ doc_kind_name(d->kind), 1, d->text.n });
    if (d->source)
        name_counts_add(&r->out.sources, &(struct name_count){ d->source, 1, d->text.n });
    if (d->language)
        name_counts_add(&r->out.languages, &(struct name_count){ d->language, 1, d->text.n });
    add_kept_sample(r, d);
}

/* ---- values ---- */

void report_note_trace(struct report_notes *n, const struct report *r, size_t index, const struct trace *t)
{
    size_t at = 0;

    for (size_t i = 0; i < t->count; i++) {
        const struct trace_value *v = &t->values[i];

        if (n->count == n->cap) {
            n->cap = n->cap ? 2 * n->cap : 256;
            n->v = mem_grow(n->v, n->cap, sizeof *n->v);
        }
        at = reason_place(&r->steps[index], v->rule, at);
        n->v[n->count++] = (struct report_note){
            (uint32_t)index, (uint32_t)at, { v->value, v->threshold, v->side, v->broken },
        };
    }
}

void report_add_notes(struct report *r, struct report_notes *n)
{
    for (size_t i = 0; i < n->count; i++)
        rule_values_add(&r->steps[n->v[i].step].reasons[n->v[i].reason].values, &n->v[i].value);
    n->count = 0;
}

void report_notes_release(struct report_notes *n)
{
    free(n->v);
    *n = (struct report_notes){ 0 };
}

/* ---- adding up ---- */

static void merge_samples(struct report_reason *r, const struct report_reason *from, int most)
{
    json_t *sample;
    size_t i;

    if (r->samples == NULL)
        r->samples = json_array();
    json_array_foreach(from->samples, i, sample)
        if (json_array_size(r->samples) < (size_t)most)
            json_array_append(r->samples, sample);
}

static void merge_reason(struct report_reason *r, const struct report_reason *from, int most)
{
    rule_values_merge(&r->values, from->values);
    if (from->documents == 0)
        return;
    if (r->documents == 0) {
        r->threshold = from->threshold;
        r->least = from->least;
        r->most = from->most;
    }
    r->documents += from->documents;
    r->bytes += from->bytes;
    r->sum = value_finite(r->sum + from->sum);
    r->least = fmin(r->least, from->least);
    r->most = fmax(r->most, from->most);
    merge_samples(r, from, most);
}

static void merge_step(struct report_step *s, const struct report_step *from)
{
    s->documents_in += from->documents_in;
    s->bytes_in += from->bytes_in;
    s->documents_out += from->documents_out;
    s->bytes_out += from->bytes_out;
    s->seconds += from->seconds;
    for (int i = 0; i < STEP_COUNTERS; i++)
        s->counts[i] += from->counts[i];
    for (size_t i = 0; i < s->reason_count; i++)
        merge_reason(&s->reasons[i], &from->reasons[i], s->samples);
    name_counts_merge(&s->languages, &from->languages);
}

void report_merge(struct report *r, const struct report *from)
{
    for (size_t i = 0; i < r->count; i++)
        merge_step(&r->steps[i], &from->steps[i]);
    name_counts_merge(&r->in.kinds, &from->in.kinds);
    name_counts_merge(&r->in.sources, &from->in.sources);
    r->out.documents += from->out.documents;
    r->out.bytes += from->out.bytes;
    r->out.renamed += from->out.renamed;
    for (int i = 0; i < 64; i++) {
        r->out.length_documents[i] += from->out.length_documents[i];
        r->out.length_bytes[i] += from->out.length_bytes[i];
    }
    name_counts_merge(&r->out.kinds, &from->out.kinds);
    name_counts_merge(&r->out.sources, &from->out.sources);
    name_counts_merge(&r->out.languages, &from->out.languages);
    kept_samples_merge(&r->kept, &from->kept);
}
