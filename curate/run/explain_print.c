#include "base/log.h"
#include "curate/run/explain.h"

#define TEXT_LINES 6
#define LINE_COLUMNS 100
#define JSON_TEXT 2000           /* bytes of the text */

static const char *const side_keys[] = { "at_most", "at_least", "tells" };
static const char *const side_signs[] = { "<=", ">=", "" };

static void pad_to(struct buf *out, size_t start, size_t columns)
{
    size_t n = utf8_width(out->p + start, out->n - start);

    buf_printf(out, "%*s", n < columns ? (int)(columns - n) : 1, "");
}

static void add_bytes(struct buf *out, size_t n)
{
    char text[28];

    buf_printf(out, "%s bytes", str_count(n, text));
}

/* ---- steps ---- */

static void print_value(struct buf *out, const struct trace_value *v, size_t columns)
{
    size_t start = out->n;

    buf_printf(out, "  %c   %s", v->broken ? '!' : ' ', v->rule->key);
    pad_to(out, start, columns);
    start = out->n;
    buf_printf(out, "%.6g", v->value);
    pad_to(out, start, 12);
    start = out->n;
    if (v->side != TRACE_TELLS)
        buf_printf(out, "%s %.6g", side_signs[v->side], v->threshold);
    if (v->broken) {
        pad_to(out, start, 14);
        buf_printf(out, "BROKEN  %s", v->rule->meaning);
    }
    while (out->n > 0 && out->p[out->n - 1] == ' ')
        out->p[--out->n] = 0;
    buf_addc(out, '\n');
}

static void print_outcome(struct buf *out, const struct explain_step *s)
{
    if (!s->judged) {
        buf_adds(out, s->step->kind->each ? "has no text that it could look at" : "looks at all documents; not judged for one");
        return;
    }
    add_bytes(out, s->bytes_in);
    if (s->changed) {
        buf_adds(out, " -> ");
        add_bytes(out, s->bytes_out);
    }
    if (s->dropped != NULL)
        buf_printf(out, "  %s %s", s->behind ? "would drop it too:" : "DROPS IT:", s->dropped->key);
}

static void print_step(struct buf *out, const struct explain_step *s, size_t number, size_t columns)
{
    size_t start = out->n;
    bool told = false;

    buf_printf(out, "  %zu %s", number, s->step->label);
    pad_to(out, start, columns);
    print_outcome(out, s);
    buf_addc(out, '\n');
    for (size_t i = 0; i < s->value_count; i++) {
        print_value(out, &s->values[i], columns);
        told |= s->values[i].rule == s->dropped;
    }
    if (s->dropped != NULL && !told)
        print_value(out, &(struct trace_value){ s->dropped, s->value, s->threshold, TRACE_TELLS, true }, columns);
    for (int i = 0; s->judged && s->step->kind->counters && s->step->kind->counters[i]; i++)
        if (s->counts[i] > 0) {
            start = out->n;
            buf_printf(out, "      %s", s->step->kind->counters[i]);
            pad_to(out, start, columns);
            buf_printf(out, "%llu\n", (unsigned long long)s->counts[i]);
        }
}

/* ---- the text ---- */

/* At most n columns of a line. */
static size_t cut_columns(const char *p, size_t n, size_t columns)
{
    size_t at = 0, width = 0;

    while (at < n) {
        uint32_t cp = 0;
        size_t bytes = utf8_decode(p + at, p + n, &cp);
        size_t more = bytes ? (size_t)utf8_columns(cp) : 1;

        if (width + more > columns)
            break;
        width += more;
        at += bytes ? bytes : 1;
    }
    return at;
}

static void print_text(struct buf *out, const struct buf *text)
{
    size_t at = 0;

    buf_adds(out, "  text\n");
    for (int i = 0; i < TEXT_LINES && at < text->n; i++) {
        const char *end = memchr(text->p + at, '\n', text->n - at);
        size_t n = end ? (size_t)(end - text->p) - at : text->n - at, shown = cut_columns(text->p + at, n, LINE_COLUMNS);
        struct buf line = { 0 };

        buf_add(&line, text->p + at, shown);
        buf_adds(out, "    | ");
        log_add_plain(out, line.p ? line.p : "");
        buf_adds(out, shown < n ? " ...\n" : "\n");
        buf_release(&line);
        at += n + 1;
    }
    if (at < text->n)
        buf_adds(out, "    ...\n");
}

/* ---- all of it ---- */

static void print_verdict(struct buf *out, const struct explain_result *r)
{
    const struct explain_step *s = &r->steps[r->dropper];
    const struct trace_value *value = NULL;

    if (r->dropper == r->count) {
        buf_adds(out, "  verdict   stays\n");
        return;
    }
    for (size_t i = 0; value == NULL && i < s->value_count; i++)
        if (s->values[i].rule == s->dropped)
            value = &s->values[i];
    buf_printf(out, "  verdict   dropped by step %zu '%s': %s, %s", r->dropper + 1, s->step->label, s->dropped->key,
               s->dropped->meaning);
    if (value != NULL)
        buf_printf(out, " (%.6g, want %s %.6g)", s->value, side_signs[value->side], s->threshold);
    if (r->doc->said) {
        buf_adds(out, "; it said: ");
        log_add_plain(out, r->doc->said);
    }
    buf_addc(out, '\n');
}

/* Wide enough for the names of all steps and rules. */
static size_t name_columns(const struct explain_result *r)
{
    size_t most = 24;

    for (size_t i = 0; i < r->count; i++) {
        const struct explain_step *s = &r->steps[i];

        most = strlen(s->step->label) > most ? strlen(s->step->label) : most;
        for (size_t j = 0; j < s->value_count; j++)
            most = strlen(s->values[j].rule->key) > most ? strlen(s->values[j].rule->key) : most;
    }
    return most + 8;
}

void explain_print_text(struct buf *out, const struct explain_result *r)
{
    log_add_plain(out, r->id);
    buf_addc(out, '\n');
    if (r->place) {
        buf_adds(out, "  lies at   ");
        log_add_plain(out, r->place);
        buf_addc(out, '\n');
    }
    buf_printf(out, "  kind      %s\n", doc_kind_name(r->kind));
    if (r->doc->language)
        buf_printf(out, "  language  %s (%.4g)\n", r->doc->language, r->doc->language_score);
    print_verdict(out, r);
    for (size_t i = 0; i < r->count; i++)
        print_step(out, &r->steps[i], i + 1, name_columns(r));
    print_text(out, &r->doc->text);
}

/* ---- JSON ---- */

static json_t *real_or_null(double x) { return x - x == 0 ? json_real(x) : json_null(); }

static json_t *drop_to_json(const struct explain_step *s)
{
    if (s->dropped == NULL)
        return json_null();
    return json_pack("{s:s, s:s, s:o, s:o}", "reason", s->dropped->key, "meaning", s->dropped->meaning, "value",
                     real_or_null(s->value), "threshold", real_or_null(s->threshold));
}

static json_t *step_to_json(const struct explain_step *s)
{
    json_t *rules = json_array(), *counts = json_object();

    for (size_t i = 0; i < s->value_count; i++) {
        const struct trace_value *v = &s->values[i];

        json_array_append_new(rules, json_pack("{s:s, s:s, s:o, s:o, s:s, s:b}", "rule", v->rule->key, "meaning",
                                               v->rule->meaning, "value", real_or_null(v->value), "threshold",
                                               v->side == TRACE_TELLS ? json_null() : real_or_null(v->threshold), "side",
                                               side_keys[v->side], "broken", v->broken));
    }
    for (int i = 0; s->step->kind->counters && s->step->kind->counters[i]; i++)
        json_object_set_new(counts, s->step->kind->counters[i], json_integer((json_int_t)s->counts[i]));
    return json_pack("{s:s, s:b, s:b, s:b, s:I, s:I, s:o, s:o, s:o}", "step", s->step->label, "judged", s->judged,
                     "behind", s->behind, "changed", s->changed, "bytes_in", (json_int_t)s->bytes_in, "bytes_out",
                     (json_int_t)s->bytes_out, "rules", rules, "counts", counts, "dropped", drop_to_json(s));
}

/* The text's beginning, as UTF-8. */
static json_t *text_to_json(const struct buf *text)
{
    size_t n = text->n < JSON_TEXT ? text->n : JSON_TEXT;
    struct buf repaired = { 0 };
    json_t *value;

    while (n > 0 && n < text->n && (text->p[n] & 0xC0) == 0x80)
        n--;
    utf8_repair(&repaired, text->p ? text->p : "", n);
    value = json_stringn(repaired.p ? repaired.p : "", repaired.n);
    buf_release(&repaired);
    return value;
}

json_t *explain_to_json(const struct explain_result *r)
{
    json_t *steps = json_array(), *out;
    bool stays = r->dropper == r->count;

    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(steps, step_to_json(&r->steps[i]));
    out = json_pack("{s:o, s:s, s:b, s:o, s:o}", "id", json_text_of(r->id), "kind", doc_kind_name(r->kind), "stays", stays,
                    "steps", steps, "text", text_to_json(&r->doc->text));
    BUG_IF(out == NULL);
    if (r->place)
        json_object_set_new(out, "place", json_text_of(r->place));
    if (r->doc->language) {
        json_object_set_new(out, "language", json_text_of(r->doc->language));
        json_object_set_new(out, "language_score", real_or_null(r->doc->language_score));
    }
    if (!stays) {
        json_object_set_new(out, "dropped_by", json_string(r->steps[r->dropper].step->label));
        json_object_set_new(out, "reason", json_string(r->steps[r->dropper].dropped->key));
    }
    if (r->doc->said)
        json_object_set_new(out, "said", json_text_of(r->doc->said));
    return out;
}
