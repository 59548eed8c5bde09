#include "pipelines/report/run_sections.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/page.h"
#include "store/documents/documents.h"
#include "store/pages/corpus_page.h"
#include "store/pages/scores_page.h"

#define KEPT_SAMPLES 3
#define SAMPLE_BYTES 420
#define TEXT_MOST ((uint64_t)4 << 20)

static const json_t *at(const json_t *o, const char *key) { return json_object_get(o, key); }

/* ---- pieces ---- */

void run_section_unreadable(const struct run_section *s)
{
    buf_adds(s->out, "<p class=\"bad\">Cannot be shown: ");
    page_escape(s->out, fail_message());
    buf_adds(s->out, "</p>\n");
}

json_t *run_section_json(const struct run_section *s, const char *name)
{
    json_t *value = NULL;

    if (json_read_file(path_join(s->arena, s->folder, name), &value) == ST_OK
        && json_is_object(value))
        return value;
    if (value != NULL)
        (void)fail(ST_FORMAT, "'%s' is not a JSON object", name);
    json_decref(value);
    run_section_unreadable(s);
    return NULL;
}

const char *run_section_count(const struct run_section *s, const char *name, char *text)
{
    return str_count((uint64_t)json_integer_value(at(at(s->manifest, "counts"), name)), text);
}

static void cell_json(struct buf *out, const json_t *value)
{
    char count[28];

    buf_adds(out, "<td>");
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        buf_adds(out, str_count((uint64_t)json_integer_value(value), count));
    } else if (json_is_real(value)) {
        buf_printf(out, "%.6g", json_real_value(value));
    } else if (json_is_string(value)) {
        page_escape(out, json_string_value(value));
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

        page_code(out, text);
        free(text);
    }
    buf_adds(out, "</td>");
}

static void add_row(struct buf *out, const char *name, const json_t *value)
{
    page_row(out, name);
    cell_json(out, value);
    buf_adds(out, "</tr>\n");
}

void run_section_members(struct buf *out, const char *caption, const json_t *object)
{
    const char *key;
    json_t *value;

    if (json_object_size(object) == 0)
        return;
    page_table_begin(out, "narrow", caption, "name|value");
    json_object_foreach((json_t *)object, key, value)
        add_row(out, key, value);
    page_table_end(out);
}

/* ---- corpus ---- */

static void add_kept(const struct run_section *s, const struct document *d)
{
    size_t n = d->text.n < SAMPLE_BYTES ? d->text.n : SAMPLE_BYTES;

    while (n > 0 && n < d->text.n && ((unsigned char)d->text.p[n] & 0xC0) == 0x80)
        n--;      /* not within a character */
    buf_adds(s->out, "<div><p class=\"small\"><code>");
    page_text(s->out, d->id.p, d->id.n);
    buf_adds(s->out, "</code></p>\n<pre>\n");
    page_text(s->out, d->text.p, n);
    buf_adds(s->out, n < d->text.n ? " \xE2\x80\xA6</pre></div>\n" : "</pre></div>\n");
}

static void kept_documents(const struct run_section *s)
{
    struct document_reader *r;
    struct document d;
    bool got = true;
    enum status st;

    buf_adds(s->out, "<h3>The first documents that were kept</h3>\n");
    if (document_reader_open(s->folder, &r) != ST_OK) {
        run_section_unreadable(s);
        return;
    }
    buf_adds(s->out, "<div class=\"pair\">\n");
    for (int i = 0; i < KEPT_SAMPLES && got; i++) {
        st = document_reader_next(r, &d, &got);
        if (st != ST_OK) {
            run_section_unreadable(s);
            break;
        }
        if (got)
            add_kept(s, &d);
    }
    buf_adds(s->out, "</div>\n");
    document_reader_close(r);
}

/* The speed of each step stands in the manifest alone: a corpus' own page knows nothing of time. */
static void step_speeds(const struct run_section *s)
{
    const json_t *steps = at(at(at(s->manifest, "aside"), "speed"), "steps"), *step;
    double whole = 0;
    size_t i;

    json_array_foreach((json_t *)steps, i, step)
        whole += json_number_value(at(step, "seconds"));
    if (whole <= 0)
        return;
    page_table_begin(s->out, NULL, "How fast the steps were", "step|#seconds of processors|#MB of text a second|share of the time");
    json_array_foreach((json_t *)steps, i, step) {
        const json_t *rate = at(step, "mb_per_second");
        double seconds = json_number_value(at(step, "seconds"));

        page_row(s->out, json_is_string(at(step, "step")) ? json_string_value(at(step, "step")) : "");
        buf_printf(s->out, "<td class=\"n\">%.2f</td><td class=\"n\">", seconds);
        if (json_is_number(rate))
            buf_printf(s->out, "%.0f", json_number_value(rate));
        buf_adds(s->out, "</td>");
        page_cell_bar(s->out, seconds, 0, whole);
        buf_adds(s->out, "</tr>\n");
    }
    page_table_end(s->out);
}

static void corpus_section(const struct run_section *s)
{
    json_t *report = run_section_json(s, "report.json");

    if (report != NULL)
        corpus_page_sections(s->out, report);
    json_decref(report);
    step_speeds(s);
    kept_documents(s);
}

static void corpus_figures(const struct run_section *s)
{
    const char *name;
    char kept[28], read[28];
    struct buf note = { 0 };
    json_t *part;

    buf_printf(&note, "of %s read", run_section_count(s, "documents_in", read));
    json_object_foreach((json_t *)at(at(s->manifest, "counts"), "parts"), name, part)
        buf_printf(&note, "; %s in %s", str_count((uint64_t)json_integer_value(at(part, "documents")), kept), name);
    page_figure(s->out, "Documents kept", run_section_count(s, "documents", kept), note.p);
    buf_release(&note);
}

/* ---- token store ---- */

static void token_store_figures(const struct run_section *s)
{
    const json_t *train = at(at(s->manifest, "counts"), "train");
    char tokens[28], bytes[24], note[64];

    snprintf(note, sizeof note, "from %s of text",
             str_bytes((uint64_t)json_integer_value(at(train, "text_bytes")), bytes));
    page_figure(s->out, "Tokens to train on",
                str_count((uint64_t)json_integer_value(at(train, "tokens")), tokens), note);
}

/* ---- checkpoint ---- */

static void checkpoint_figures(const struct run_section *s)
{
    char parameters[28], tokens[28], note[64];

    snprintf(note, sizeof note, "trained on %s tokens", run_section_count(s, "tokens", tokens));
    page_figure(s->out, "Parameters", run_section_count(s, "parameters", parameters), note);
}

/* ---- report ---- */

static void add_text(const struct run_section *s, const json_t *line, const char *key,
                     const char *title)
{
    const json_t *text = at(line, key);

    buf_printf(s->out, "<div><p class=\"soft small\">%s</p>\n<pre>\n", title);
    if (json_is_string(text))
        page_text(s->out, json_string_value(text), json_string_length(text));
    buf_adds(s->out, "</pre></div>\n");
}

static void add_sample(const struct run_section *s, const json_t *line)
{
    buf_adds(s->out, "<h4>");
    page_code(s->out, json_string_value(at(line, "id")));
    buf_adds(s->out, "</h4>\n");
    add_text(s, line, "prompt", "The document begins");
    buf_adds(s->out, "<div class=\"pair\">\n");
    add_text(s, line, "written", "The model goes on");
    add_text(s, line, "truth", "The document goes on");
    buf_adds(s->out, "</div>\n");
}

static void add_samples(const struct run_section *s)
{
    const json_t *heat = at(at(at(s->manifest, "made_by"), "options"), "temperature");
    struct buf text = { 0 };
    char *rest = NULL;

    if (at(at(s->manifest, "files"), "samples.jsonl") == NULL)
        return;
    buf_adds(s->out, "<h3>Samples</h3>\n<p class=\"soft\">From held-out documents, which the "
                     "model has not seen");
    if (json_is_number(heat))
        buf_printf(s->out, "; temperature %g", json_number_value(heat));
    buf_adds(s->out, ".</p>\n");
    if (file_read(path_join(s->arena, s->folder, "samples.jsonl"), TEXT_MOST, &text) != ST_OK)
        run_section_unreadable(s);
    for (char *line = text.n ? strtok_r(text.p, "\n", &rest) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        json_t *one = json_loads(line, JSON_ALLOW_NUL, NULL);
        if (json_is_object(one))
            add_sample(s, one);
        else
            buf_adds(s->out, "<p class=\"bad\">A line of samples.jsonl is damaged.</p>\n");
        json_decref(one);
    }
    buf_release(&text);
}

static void report_section(const struct run_section *s)
{
    json_t *metrics = run_section_json(s, "metrics.json");

    if (metrics != NULL) {
        scores_page_sections(s->out, metrics);
        page_more_begin(s->out, "All metrics");
        run_section_members(s->out, "metrics.json", metrics);
        page_more_end(s->out);
    }
    json_decref(metrics);
    add_samples(s);
}

static void report_figures(const struct run_section *s)
{
    json_t *metrics = NULL;
    char bits[32], note[64] = "on held-out documents";

    /* the section itself says what is wrong with the file */
    if (json_read_file(path_join(s->arena, s->folder, "metrics.json"), &metrics) != ST_OK)
        return;
    snprintf(bits, sizeof bits, "%.3f", json_number_value(at(metrics, "bits_per_byte")));
    if (json_is_number(at(metrics, "xz9_bits_per_byte")))
        snprintf(note, sizeof note, "held out; xz -9: %.3f",
                 json_number_value(at(metrics, "xz9_bits_per_byte")));
    if (json_is_number(at(metrics, "bits_per_byte")))
        page_figure(s->out, "Bits per byte", bits, note);
    json_decref(metrics);
}

/* ---- model ---- */

static void add_facts(const struct run_section *s, const json_t *config)
{
    static const struct {
        const char *key, *name;
    } facts[] = {
        { "model_type", "family" },
        { "num_hidden_layers", "layers" },
        { "hidden_size", "width" },
        { "num_attention_heads", "heads" },
        { "num_key_value_heads", "heads of keys and values" },
        { "intermediate_size", "width of the feed-forward part" },
        { "vocab_size", "vocabulary" },
        { "max_position_embeddings", "context, tokens" },
        { "torch_dtype", "type of the weights" },
        { "dtype", "type of the weights" },
    };

    page_table_begin(s->out, "narrow", "The model", "what|value");
    add_row(s->out, "parameters", at(at(s->manifest, "counts"), "parameters"));
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const json_t *value = at(config, facts[i].key);

        if (json_is_string(value) || json_is_integer(value))
            add_row(s->out, facts[i].name, value);
    }
    page_table_end(s->out);
}

/* A file for people as it is, folded. */
static void add_file(const struct run_section *s, const char *title, const char *name)
{
    struct buf text = { 0 };

    if (at(at(s->manifest, "files"), name) == NULL)
        return;
    page_more_begin(s->out, title);
    if (file_read(path_join(s->arena, s->folder, name), TEXT_MOST, &text) != ST_OK)
        run_section_unreadable(s);
    buf_adds(s->out, "<pre>\n");
    page_text(s->out, text.p ? text.p : "", text.n);
    buf_adds(s->out, "</pre>\n");
    page_more_end(s->out);
    buf_release(&text);
}

static void model_section(const struct run_section *s)
{
    json_t *config = run_section_json(s, "config.json");

    buf_adds(s->out, "<p>The folder was loaded again and compared with its checkpoint before it "
                     "got its name: <code>export</code> leaves no folder that differs.</p>\n");
    if (config != NULL)
        add_facts(s, config);
    json_decref(config);
    add_file(s, "Model card", "README.md");
    add_file(s, "config.json", "config.json");
}

/* ---- by kind ---- */

static void counts_section(const struct run_section *s)
{
    run_section_members(s->out, "Counts", at(s->manifest, "counts"));
}

static void no_figures(const struct run_section *s) { (void)s; }

static const struct kind {
    const char *name;
    void (*write)(const struct run_section *s);
    void (*figures)(const struct run_section *s);
} kinds[] = {
    { "corpus", corpus_section, corpus_figures },
    { "tokenizer", run_section_tokenizer, no_figures },
    { "token-store", run_section_token_store, token_store_figures },
    { "token-blend", run_section_token_blend, no_figures },
    { "checkpoint", run_section_checkpoint, checkpoint_figures },
    { "report", report_section, report_figures },
    { "model", model_section, no_figures },
};

static const struct kind *kind_of(const json_t *manifest)
{
    static const struct kind other = { "", counts_section, no_figures };
    const char *name = json_string_value(at(manifest, "kind"));

    for (size_t i = 0; name != NULL && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(name, kinds[i].name) == 0)
            return &kinds[i];
    return &other;
}

void run_section_of_kind(const struct run_section *s) { kind_of(s->manifest)->write(s); }
void run_section_figures(const struct run_section *s) { kind_of(s->manifest)->figures(s); }
