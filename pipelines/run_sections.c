#include "pipelines/run_sections.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/page.h"
#include "store/corpus_page.h"
#include "store/documents.h"

#define KEPT_SAMPLES 3
#define SAMPLE_BYTES 600
#define LONGEST_TOKENS 24
#define SAMPLES_MOST ((uint64_t)4 << 20)

static const json_t *at(const json_t *o, const char *key) { return json_object_get(o, key); }

static void unreadable(const struct run_section *s)
{
    buf_adds(s->out, "<p class=\"bad\">Cannot be shown: ");
    page_escape(s->out, fail_message());
    buf_adds(s->out, "</p>\n");
}

/* The file as a JSON object, or NULL, and then the page says why. The caller owns it. */
static json_t *read_json(const struct run_section *s, const char *name)
{
    json_t *value = NULL;

    if (json_read_file(path_join(s->arena, s->folder, name), &value) == ST_OK
        && json_is_object(value))
        return value;
    if (value != NULL)
        (void)fail(ST_FORMAT, "'%s' is not a JSON object", name);
    json_decref(value);
    unreadable(s);
    return NULL;
}

static void cell_json(struct buf *out, const json_t *value)
{
    char *text;

    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        page_cell_count(out, (uint64_t)json_integer_value(value));
        return;
    }
    if (json_is_real(value)) {
        buf_printf(out, "<td class=\"n\">%.6g</td>", json_real_value(value));
        return;
    }
    if (json_is_string(value)) {
        page_cell_text(out, json_string_value(value));
        return;
    }
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    page_cell_code(out, text);
    free(text);
}

void run_section_members(struct buf *out, const char *caption, const json_t *object)
{
    const char *key;
    json_t *value;

    if (json_object_size(object) == 0)
        return;
    buf_adds(out, "<div class=\"scroll\"><table class=\"narrow\"><caption>");
    page_escape(out, caption);
    buf_adds(out, "</caption>\n");
    json_object_foreach((json_t *)object, key, value) {
        buf_adds(out, "<tr><th scope=\"row\">");
        page_escape(out, key);
        buf_adds(out, "</th>");
        cell_json(out, value);
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</table></div>\n");
}

/* ---- corpus ---- */

static void add_kept(const struct run_section *s, const struct document *d)
{
    size_t n = d->text.n < SAMPLE_BYTES ? d->text.n : SAMPLE_BYTES;

    while (n > 0 && n < d->text.n && ((unsigned char)d->text.p[n] & 0xC0) == 0x80)
        n--;      /* not within a character */
    buf_adds(s->out, "<p><code>");
    page_text(s->out, d->id.p, d->id.n);
    buf_adds(s->out, "</code></p>\n<pre>\n");
    page_text(s->out, d->text.p, n);
    buf_adds(s->out, n < d->text.n ? " \xE2\x80\xA6</pre>\n" : "</pre>\n");
}

static void kept_documents(const struct run_section *s)
{
    struct document_reader *r;
    struct document d;
    bool got = true;
    enum status st;

    buf_adds(s->out, "<h3>The first documents that were kept</h3>\n");
    if (document_reader_open(s->folder, &r) != ST_OK) {
        unreadable(s);
        return;
    }
    for (int i = 0; i < KEPT_SAMPLES && got; i++) {
        st = document_reader_next(r, &d, &got);
        if (st != ST_OK) {
            unreadable(s);
            break;
        }
        if (got)
            add_kept(s, &d);
    }
    document_reader_close(r);
}

static void corpus_section(const struct run_section *s)
{
    json_t *report = read_json(s, "report.json");

    if (report != NULL)
        corpus_page_sections(s->out, report);
    json_decref(report);
    kept_documents(s);
}

/* ---- tokenizer ---- */

/* Puts text among the longest, which stand in falling order of length. */
static void keep_longest(const char *longest[LONGEST_TOKENS], const char *text)
{
    for (int i = 0; i < LONGEST_TOKENS; i++)
        if (longest[i] == NULL || strlen(text) > strlen(longest[i])) {
            memmove(longest + i + 1, longest + i,
                    (size_t)(LONGEST_TOKENS - 1 - i) * sizeof *longest);
            longest[i] = text;
            return;
        }
}

static bool is_special(const json_t *added, const char *text)
{
    const json_t *one;
    size_t i;

    json_array_foreach(added, i, one)
        if (json_is_string(at(one, "content"))
            && strcmp(json_string_value(at(one, "content")), text) == 0)
            return true;
    return false;
}

static void longest_tokens(const struct run_section *s, const json_t *vocab, const json_t *added)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *longest[LONGEST_TOKENS] = { NULL }, *text;
    json_t *id;

    json_object_foreach((json_t *)vocab, text, id)
        if (strpbrk(text, letters) != NULL && !is_special(added, text))
            keep_longest(longest, text);
    buf_adds(s->out, "<h3>Longest tokens that have a letter</h3>\n"
                     "<p class=\"soft\">As the file writes them: one character a byte, &#288; is "
                     "a space.</p>\n<p>");
    for (int i = 0; i < LONGEST_TOKENS && longest[i] != NULL; i++) {
        buf_adds(s->out, "<code>");
        page_escape(s->out, longest[i]);
        buf_adds(s->out, "</code>\n");
    }
    buf_adds(s->out, "</p>\n");
}

static void tokenizer_section(const struct run_section *s)
{
    json_t *file = read_json(s, "tokenizer.json"), *one;
    const json_t *vocab = at(at(file, "model"), "vocab");
    char n[28];
    size_t i;

    if (file == NULL)
        return;
    buf_printf(s->out, "<p>%s entries. Special tokens:", str_count(json_object_size(vocab), n));
    json_array_foreach(at(file, "added_tokens"), i, one) {
        buf_adds(s->out, " <code>");
        page_escape(s->out, json_string_value(at(one, "content")));
        buf_adds(s->out, "</code>");
    }
    buf_adds(s->out, "</p>\n");
    longest_tokens(s, vocab, at(file, "added_tokens"));
    json_decref(file);
}

/* ---- token store ---- */

static void token_store_section(const struct run_section *s)
{
    static const char *const parts[] = { "train", "validation" };

    buf_adds(s->out, "<div class=\"scroll\"><table><caption>The two parts</caption>\n<tr><th>part"
                     "<th class=\"n\">documents<th class=\"n\">tokens<th class=\"n\">text"
                     "<th class=\"n\">bytes a token<th class=\"n\">shards</tr>\n");
    for (size_t i = 0; i < 2; i++) {
        const json_t *part = at(at(s->manifest, "counts"), parts[i]);
        uint64_t tokens = (uint64_t)json_integer_value(at(part, "tokens"));
        uint64_t bytes = (uint64_t)json_integer_value(at(part, "text_bytes"));

        buf_adds(s->out, "<tr>");
        page_cell_text(s->out, parts[i]);
        page_cell_count(s->out, (uint64_t)json_integer_value(at(part, "documents")));
        page_cell_count(s->out, tokens);
        page_cell_bytes(s->out, bytes);
        buf_printf(s->out, "<td class=\"n\">%.3f</td>",
                   tokens ? (double)bytes / (double)tokens : 0.0);
        page_cell_count(s->out, (uint64_t)json_integer_value(at(part, "shards")));
        buf_adds(s->out, "</tr>\n");
    }
    buf_adds(s->out, "</table></div>\n");
}

/* ---- report ---- */

static void bits_row(const struct run_section *s, const json_t *metrics, const char *key,
                     const char *name, double widest)
{
    const json_t *value = at(metrics, key);

    if (!json_is_number(value))
        return;
    buf_adds(s->out, "<tr>");
    page_cell_text(s->out, name);
    buf_printf(s->out, "<td class=\"n\">%.4f</td>", json_number_value(value));
    page_cell_bar(s->out, json_number_value(value), widest);
    buf_adds(s->out, "</tr>\n");
}

static void add_text(const struct run_section *s, const json_t *line, const char *key,
                     const char *title)
{
    const json_t *text = at(line, key);

    buf_printf(s->out, "<div><p class=\"soft\">%s</p>\n<pre>\n", title);
    if (json_is_string(text))
        page_text(s->out, json_string_value(text), json_string_length(text));
    buf_adds(s->out, "</pre></div>\n");
}

static void add_sample(const struct run_section *s, const json_t *line)
{
    buf_adds(s->out, "<h4><code>");
    page_escape(s->out, json_string_value(at(line, "id")));
    buf_adds(s->out, "</code></h4>\n");
    add_text(s, line, "prompt", "The document begins");
    buf_adds(s->out, "<div class=\"pair\">\n");
    add_text(s, line, "written", "The model goes on");
    add_text(s, line, "truth", "The document goes on");
    buf_adds(s->out, "</div>\n");
}

static void add_samples(const struct run_section *s)
{
    struct buf text = { 0 };
    char *rest = NULL;

    if (at(at(s->manifest, "files"), "samples.jsonl") == NULL)
        return;
    buf_adds(s->out, "<h3>Samples</h3>\n<p class=\"soft\">From held-out documents, which the "
                     "model has not seen.</p>\n");
    if (file_read(path_join(s->arena, s->folder, "samples.jsonl"), SAMPLES_MOST, &text) != ST_OK)
        unreadable(s);
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

static void add_metrics(const struct run_section *s, const json_t *metrics)
{
    static const struct {
        const char *key, *name;
    } rows[] = { { "bits_per_byte", "this model" },
                 { "xz9_bits_per_byte", "xz -9 alone" },
                 { "xz9_primed_bits_per_byte", "xz -9 after the training text" } };
    double widest = 0;

    for (size_t i = 0; i < 3; i++)
        if (json_number_value(at(metrics, rows[i].key)) > widest)
            widest = json_number_value(at(metrics, rows[i].key));
    buf_adds(s->out, "<div class=\"scroll\"><table><caption>Bits for each byte of the held-out "
                     "documents; less is better</caption>\n"
                     "<tr><th>who<th class=\"n\">bits per byte<td></tr>\n");
    for (size_t i = 0; i < 3; i++)
        bits_row(s, metrics, rows[i].key, rows[i].name, widest);
    buf_adds(s->out, "</table></div>\n");
    run_section_members(s->out, "All metrics", metrics);
}

static void report_section(const struct run_section *s)
{
    json_t *metrics = read_json(s, "metrics.json");

    if (metrics != NULL)
        add_metrics(s, metrics);
    json_decref(metrics);
    add_samples(s);
}

/* ---- model ---- */

static void model_section(const struct run_section *s)
{
    json_t *config = read_json(s, "config.json");

    buf_adds(s->out, "<p>The folder was loaded again and compared with its checkpoint before it "
                     "got its name: <code>export</code> leaves no folder that differs.</p>\n");
    run_section_members(s->out, "config.json", config);
    json_decref(config);
}

/* ---- by kind ---- */

static const struct {
    const char *kind;
    bool has_counts;             /* the section shows the manifest's counts itself */
    void (*write)(const struct run_section *s);
} sections[] = {
    { "corpus", false, corpus_section },
    { "tokenizer", false, tokenizer_section },
    { "token-store", true, token_store_section },
    { "checkpoint", false, run_section_checkpoint },
    { "report", true, report_section },
    { "model", false, model_section },
};
enum { KINDS = sizeof sections / sizeof *sections };

void run_section_of_kind(const struct run_section *s)
{
    const char *kind = json_string_value(at(s->manifest, "kind"));
    size_t i = 0;

    while (i < KINDS && (kind == NULL || strcmp(kind, sections[i].kind) != 0))
        i++;
    if (i == KINDS || !sections[i].has_counts)
        run_section_members(s->out, "Counts", at(s->manifest, "counts"));
    if (i < KINDS)
        sections[i].write(s);
}
