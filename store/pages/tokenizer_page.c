#include "store/pages/tokenizer_page.h"

#include <math.h>

#include "base/page.h"

#define GROUPS_SHOWN 16               /* rows that stand open */
#define GROUPS_MOST 200              /* rows on the page */

static const json_t *at(const json_t *o, const char *key) { return json_object_get(o, key); }

static uint64_t count_of(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(at(o, key));
}

static double ratio(double part, double whole) { return whole > 0 ? part / whole : NAN; }

const char *tokenizer_page_name(const json_t *metrics, size_t i)
{
    return json_text(json_array_get(at(metrics, "tokenizers"), i), "name");
}

static void cell_real(struct buf *out, double x, bool best)
{
    if (isfinite(x))
        buf_printf(out, best ? "<td class=\"n\"><b>%.3f</b></td>" : "<td class=\"n\">%.3f</td>", x);
    else
        buf_adds(out, "<td class=\"n\">&ndash;</td>");
}

static void cell_percent(struct buf *out, double part, double whole)
{
    if (whole > 0)
        buf_printf(out, "<td class=\"n\">%.1f %%</td>", 100 * part / whole);
    else
        buf_adds(out, "<td class=\"n\">&ndash;</td>");
}

/* ---- the main figures ---- */

static void say_corpus(struct buf *out, const json_t *corpus)
{
    char texts[28], bytes[24], all[28], of[24];

    buf_printf(out, "<p>Measured on %s texts, %s, %s words",
               str_count(count_of(corpus, "texts"), texts),
               str_bytes(count_of(corpus, "bytes"), bytes),
               str_count(count_of(corpus, "words"), all));
    if (json_is_true(at(corpus, "sampled")))
        buf_printf(out, ": a sample of %s texts, %s, in which long documents stand in parts",
                   str_count(count_of(corpus, "of_texts"), all),
                   str_bytes(count_of(corpus, "of_bytes"), of));
    buf_adds(out, ". A word is what stands between white space; Chinese, Japanese and Thai have none "
                  "in that sense.</p>\n");
}

static void percent_text(char *out, size_t size, double part, double whole)
{
    if (whole > 0)
        snprintf(out, size, "%.*f %%", part * 100 < whole ? 2 : 1, 100 * part / whole);
    else
        snprintf(out, size, "\xE2\x80\x93");
}

static void figures(struct buf *out, const json_t *t)
{
    char value[40], note[80], number[28];
    uint64_t ordinary = count_of(t, "entries") - count_of(t, "special");
    uint64_t unused = count_of(at(t, "unused"), "count");

    buf_adds(out, "<dl class=\"figures\">\n");
    snprintf(value, sizeof value, "%.3f", json_number_value(at(t, "bytes_per_token")));
    snprintf(note, sizeof note, "%.3f characters",
             json_number_value(at(t, "characters_per_token")));
    page_figure(out, "bytes a token", value, note);
    snprintf(value, sizeof value, "%.3f", json_number_value(at(t, "tokens_per_word")));
    snprintf(note, sizeof note, "%s tokens", str_count(count_of(t, "tokens"), number));
    page_figure(out, "tokens a word", value, note);
    percent_text(value, sizeof value, (double)count_of(t, "whole_pieces"),
                 (double)count_of(t, "pieces"));
    snprintf(note, sizeof note, "of %s pieces", str_count(count_of(t, "pieces"), number));
    page_figure(out, "pieces that are one token", value, note);
    percent_text(value, sizeof value, (double)(ordinary - unused), (double)ordinary);
    snprintf(note, sizeof note, "of %s entries", str_count(ordinary, number));
    page_figure(out, "vocabulary in use", value, note);
    percent_text(value, sizeof value, (double)count_of(t, "part_tokens"),
                 (double)count_of(t, "tokens"));
    page_figure(out, "parts of characters", value, "of all tokens");
    buf_adds(out, "</dl>\n");
}

static double best_of(const json_t *list, const char *key)
{
    const json_t *t;
    double best = 0;
    size_t i;

    json_array_foreach(list, i, t)
        best = fmax(best, json_number_value(at(t, key)));
    return best;
}

static void summary(struct buf *out, const json_t *list)
{
    double best = best_of(list, "bytes_per_token");
    const json_t *t;
    size_t i;

    page_table_begin(out, "broad", "The tokenizers",
                     "tokenizer|#entries|#tokens|#bytes a token||#tokens a word|"
                     "#pieces of one token|#parts of characters|#unused");
    json_array_foreach(list, i, t) {
        double rate = json_number_value(at(t, "bytes_per_token"));

        page_row(out, json_text(t, "name"));
        page_cell_count(out, count_of(t, "entries"));
        page_cell_count(out, count_of(t, "tokens"));
        cell_real(out, rate, rate >= best);
        page_cell_bar(out, rate, 0, best);
        cell_real(out, json_number_value(at(t, "tokens_per_word")), false);
        cell_percent(out, (double)count_of(t, "whole_pieces"), (double)count_of(t, "pieces"));
        cell_percent(out, (double)count_of(t, "part_tokens"), (double)count_of(t, "tokens"));
        cell_percent(out, (double)count_of(at(t, "unused"), "count"),
                     (double)(count_of(t, "entries") - count_of(t, "special")));
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
}

/* ---- by source, language, script ---- */

static double rate_of(const json_t *group, size_t i)
{
    return ratio((double)count_of(group, "bytes"),
                 (double)json_integer_value(json_array_get(at(group, "tokens"), i)));
}

static void group_cells(struct buf *out, const json_t *group, size_t tokenizers)
{
    double best = 0;

    for (size_t i = 0; i < tokenizers; i++)
        best = fmax(best, rate_of(group, i));
    for (size_t i = 0; i < tokenizers; i++)
        cell_real(out, rate_of(group, i), tokenizers > 1 && rate_of(group, i) >= best);
}

static void group_row(struct buf *out, const json_t *group, size_t tokenizers, double most)
{
    const char *name = json_text(group, "name");
    double tokens = (double)json_integer_value(json_array_get(at(group, "tokens"), 0));

    page_row(out, *name ? name : "(not said)");
    page_cell_count(out, count_of(group, "texts"));
    page_cell_bytes(out, count_of(group, "bytes"));
    group_cells(out, group, tokenizers);
    if (tokenizers == 1) {
        cell_real(out, ratio((double)count_of(group, "characters"), tokens), false);
        cell_real(out, ratio(tokens, (double)count_of(group, "words")), false);
        page_cell_bar(out, rate_of(group, 0), 0, most);
    }
    buf_adds(out, "</tr>\n");
}

/* The names of the tokenizers as heads of columns; what would end one becomes '/'. */
static void add_heads(struct buf *heads, const json_t *metrics, size_t tokenizers)
{
    for (size_t i = 0; i < tokenizers; i++) {
        size_t from = heads->n;

        buf_printf(heads, "|#%s", tokenizer_page_name(metrics, i));
        for (from++; from < heads->n; from++)
            if (heads->p[from] == '|')
                heads->p[from] = '/';
    }
}

struct group_table {
    const json_t *metrics, *list;
    size_t tokenizers;
    double most;                     /* bytes a token */
    const char *caption;
};

static void group_table(struct buf *out, const struct group_table *g, size_t from, size_t to)
{
    struct buf heads = { 0 };

    buf_adds(&heads, "|#texts|#bytes");
    if (g->tokenizers == 1)
        buf_adds(&heads, "|#bytes a token|#characters a token|#tokens a word|");
    else
        add_heads(&heads, g->metrics, g->tokenizers);
    page_table_begin(out, g->tokenizers > 3 ? "broad" : NULL, g->caption, heads.p);
    for (size_t i = from; i < to; i++)
        group_row(out, json_array_get(g->list, i), g->tokenizers, g->most);
    page_table_end(out);
    buf_release(&heads);
}

static void groups(struct buf *out, const json_t *metrics, const char *key, const char *caption)
{
    const json_t *list = at(metrics, key), *group;
    struct group_table g = { metrics, list, json_array_size(at(metrics, "tokenizers")), 0, caption };
    size_t n = json_array_size(list), open = n < GROUPS_SHOWN ? n : GROUPS_SHOWN, i;
    char title[80];

    json_array_foreach(list, i, group)
        g.most = fmax(g.most, rate_of(group, 0));
    if (n < 2) {
        if (n == 1) {
            buf_adds(out, "<p>");
            page_escape(out, caption);
            buf_adds(out, ": all of it is <b>");
            page_escape(out, json_text(json_array_get(list, 0), "name"));
            buf_adds(out, "</b>.</p>\n");
        }
        return;
    }
    group_table(out, &g, 0, open);
    if (n == open)
        return;
    n = n < GROUPS_MOST ? n : GROUPS_MOST;
    snprintf(title, sizeof title, "the next %zu of %zu", n - open, json_array_size(list));
    page_more_begin(out, title);
    group_table(out, &g, open, n);
    page_more_end(out);
}

/* ---- samples ---- */

void tokenizer_page_token(struct buf *out, const char *p, size_t n)
{
    for (size_t i = 0, from = 0; i <= n; i++) {
        const char *sign = i == n ? "" : p[i] == ' ' ? "\xC2\xB7" : p[i] == '\n' ? "\xE2\x86\xB5"
                         : p[i] == '\t' ? "\xE2\x86\x92" : NULL;

        if (sign == NULL)
            continue;
        page_text(out, p + from, i - from);
        if (i < n)
            buf_printf(out, "<span class=\"soft\">%s</span>", sign);
        from = i + 1;
    }
}

/* Runs of text keep their spaces and lines; each line feed shows that it is there. */
static void add_run(struct buf *out, const char *p, size_t n)
{
    for (size_t i = 0, from = 0; i <= n; i++) {
        if (i < n && p[i] != '\n')
            continue;
        page_text(out, p + from, i - from);
        if (i < n)
            buf_adds(out, "<span class=\"soft\">\xE2\x86\xB5</span>\n");
        from = i + 1;
    }
}

static bool is_boundary(const char *text, size_t n, size_t i)
{
    return i >= n || ((unsigned char)text[i] & 0xC0) != 0x80;
}

/* Each token in the colour after its neighbour's. Tokens that share a character are shown as one,
 * underlined. */
static void add_coloured(struct buf *out, const json_t *sample)
{
    const char *text = json_text(sample, "text");
    size_t n = json_string_length(at(sample, "text")), from = 0, colour = 0, tokens = 0, i;
    const json_t *ends = at(sample, "ends"), *end, *ids = at(sample, "ids");
    struct buf title = { 0 };

    buf_adds(out, "<pre class=\"tokens\">\n");
    json_array_foreach(ends, i, end) {
        size_t to = (size_t)json_integer_value(end);

        buf_printf(&title, tokens++ ? ", %lld" : "%lld",
                   (long long)json_integer_value(json_array_get(ids, i)));
        if (to > n || to < from || !is_boundary(text, n, to))
            continue;
        buf_printf(out, "<i class=\"t%zu%s\" title=\"%s\">", colour++ % 4,
                   tokens > 1 ? " cut" : "", title.p);
        add_run(out, text + from, to - from);
        buf_adds(out, "</i>");
        from = to;
        tokens = 0;
        buf_clear(&title);
    }
    buf_adds(out, "</pre>\n");
    buf_release(&title);
}

static void sample_title(struct buf *out, const json_t *sample)
{
    buf_adds(out, "<h3><code>");
    page_escape(out, json_text(sample, "id"));
    buf_adds(out, "</code>");
    if (*json_text(sample, "source")) {
        buf_adds(out, " <span class=\"soft small\">");
        page_escape(out, json_text(sample, "source"));
        buf_adds(out, "</span>");
    }
    buf_adds(out, "</h3>\n");
}

static void samples(struct buf *out, const json_t *metrics)
{
    const json_t *list = at(metrics, "samples"), *sample, *one;
    size_t n = json_array_size(at(metrics, "tokenizers")), i, k;

    if (json_array_size(list) == 0)
        return;
    buf_adds(out, "<section>\n<h2 id=\"samples\">Texts, coloured by token</h2>\n<p class=\"soft\">The "
                  "beginnings of some texts. A character that several tokens share is underlined; the "
                  "ids stand under the pointer.</p>\n");
    json_array_foreach(list, i, sample) {
        sample_title(out, sample);
        if (n > 1)
            buf_printf(out, "<div class=\"pair%s\">\n", n == 2 ? " two" : "");
        json_array_foreach(at(sample, "tokens"), k, one) {
            if (n > 1) {
                buf_adds(out, "<div><p class=\"soft small\">");
                page_escape(out, tokenizer_page_name(metrics, k));
                buf_printf(out, ": %zu tokens</p>\n", json_array_size(at(one, "ends")));
            }
            if (json_is_object(one))
                add_coloured(out, one);
            else
                buf_adds(out, "<pre>what the tokens spell is no text</pre>\n");
            if (n > 1)
                buf_adds(out, "</div>\n");
        }
        if (n > 1)
            buf_adds(out, "</div>\n");
    }
    buf_adds(out, "</section>\n");
}

/* ---- the whole ---- */

void tokenizer_page_sections(struct buf *out, const json_t *metrics)
{
    const json_t *list = at(metrics, "tokenizers"), *t;
    size_t i;

    say_corpus(out, at(metrics, "corpus"));
    if (json_array_size(list) == 1)
        figures(out, json_array_get(list, 0));
    else
        summary(out, list);
    buf_adds(out, "<section>\n<h2 id=\"groups\">By language and source</h2>\n");
    if (json_array_size(list) > 1)
        buf_adds(out, "<p class=\"soft\">Bytes of text a token: more is better.</p>\n");
    groups(out, metrics, "languages", "By language, as the documents say");
    groups(out, metrics, "scripts", "By the script that most letters are of");
    groups(out, metrics, "sources", "By source");
    buf_adds(out, "</section>\n");
    if (json_array_size(list) > 1)
        tokenizer_page_pairs(out, metrics);
    samples(out, metrics);
    json_array_foreach(list, i, t)
        tokenizer_page_vocab(out, t, json_array_size(list) == 1);
}
