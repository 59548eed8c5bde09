/* Several tokenizers: what their vocabularies share, and where they part. */
#include "base/page.h"
#include "store/pages/tokenizer_page.h"

static const json_t *at(const json_t *o, const char *key) { return json_object_get(o, key); }

static uint64_t count_of(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(at(o, key));
}

static void cell_share(struct buf *out, uint64_t part, uint64_t whole)
{
    buf_printf(out, "<td class=\"n\">%.2f %%</td>",
               whole ? 100 * (double)part / (double)whole : 0.0);
}

static void cell_two(struct buf *out, const json_t *two)
{
    char first[28], this[28];

    buf_printf(out, "<td class=\"n\">%s<br>%s</td>",
               str_count((uint64_t)json_integer_value(json_array_get(two, 0)), first),
               str_count((uint64_t)json_integer_value(json_array_get(two, 1)), this));
}

static void pairs(struct buf *out, const json_t *metrics)
{
    const json_t *corpus = at(metrics, "corpus"), *pair;
    const json_t *shared = json_array_get(at(metrics, "overlap"), 0);
    size_t i;

    page_table_begin(out, "broad", "Each against the first",
                     "tokenizer|#shared entries|#of one id|#texts of same ids|#of same pieces|"
                     "#bytes in these|#places that differ|#tokens there");
    json_array_foreach(at(metrics, "pairs"), i, pair) {
        const json_t *cell = json_array_get(shared, i + 1), *tokens = at(pair, "span_tokens");

        page_row(out, tokenizer_page_name(metrics, i + 1));
        page_cell_count(out, count_of(cell, "shared"));
        page_cell_count(out, count_of(cell, "same_id"));
        cell_share(out, count_of(pair, "texts_same_ids"), count_of(corpus, "texts"));
        cell_share(out, count_of(pair, "texts_same_pieces"), count_of(corpus, "texts"));
        cell_share(out, count_of(pair, "bytes_same_pieces"), count_of(corpus, "bytes"));
        page_cell_count(out, count_of(pair, "spans"));
        cell_two(out, tokens);
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
    buf_adds(out, "<p class=\"soft small\">A text is of the same pieces where both cut it at the "
                  "same bytes; the bytes are those of all tokens that stand in both. Of the tokens "
                  "at places that differ, the upper number is the first tokenizer's.</p>\n");
}

/* How many entries of the column's vocabulary are in the row's, too. */
static void overlap(struct buf *out, const json_t *metrics)
{
    const json_t *row, *cell;
    struct buf heads = { 0 };
    size_t i, k;

    json_array_foreach(at(metrics, "tokenizers"), i, row) {
        buf_adds(&heads, "|#");
        for (const char *p = json_text(row, "name"); *p; p++)
            buf_addc(&heads, *p == '|' ? '/' : *p);
    }
    page_table_begin(out, json_array_size(at(metrics, "overlap")) > 4 ? "broad" : NULL,
                     "Entries that two vocabularies share", heads.p ? heads.p : "");
    json_array_foreach(at(metrics, "overlap"), i, row) {
        page_row(out, tokenizer_page_name(metrics, i));
        json_array_foreach(row, k, cell)
            page_cell_count(out, count_of(cell, "shared"));
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
    buf_release(&heads);
}

static void side(struct buf *out, const char *name, const json_t *tokens)
{
    const json_t *text, *id;
    size_t i;

    buf_adds(out, "<div><p class=\"soft small\">");
    page_escape(out, name);
    buf_adds(out, "</p>\n<pre class=\"tokens\">\n");
    json_array_foreach(at(tokens, "texts"), i, text) {
        buf_printf(out, "<i class=\"t%zu\">", i % 4);
        tokenizer_page_token(out, json_string_value(text), json_string_length(text));
        buf_adds(out, "</i>");
    }
    if (json_array_size(at(tokens, "texts")) < count_of(tokens, "count"))
        buf_adds(out, " \xE2\x80\xA6");
    buf_adds(out, "\n<span class=\"soft\">");
    json_array_foreach(at(tokens, "ids"), i, id)
        buf_printf(out, i ? " %lld" : "%lld", (long long)json_integer_value(id));
    buf_adds(out, "</span></pre></div>\n");
}

static void place(struct buf *out, const json_t *metrics, size_t other, const json_t *p)
{
    buf_printf(out, "<p class=\"small\"><code>");
    page_escape(out, json_text(p, "id"));
    buf_printf(out, "</code>, byte %llu: <span class=\"soft\">",
               (unsigned long long)count_of(p, "byte"));
    page_escape(out, json_text(p, "before"));
    buf_adds(out, "</span><span class=\"bad\">");
    tokenizer_page_token(out, json_text(p, "text"), json_string_length(at(p, "text")));
    buf_adds(out, "</span><span class=\"soft\">");
    page_escape(out, json_text(p, "after"));
    buf_adds(out, "</span></p>\n<div class=\"pair\">\n");
    side(out, tokenizer_page_name(metrics, 0), json_array_get(at(p, "sides"), 0));
    side(out, tokenizer_page_name(metrics, other), json_array_get(at(p, "sides"), 1));
    buf_adds(out, "</div>\n");
}

static void places(struct buf *out, const json_t *metrics, size_t other)
{
    const json_t *pair = json_array_get(at(metrics, "pairs"), other - 1), *p;
    size_t n = json_array_size(at(pair, "places")), i;
    char title[200];

    if (n == 0)
        return;
    snprintf(title, sizeof title, "Where %.60s and %.60s part first, in %zu texts",
             tokenizer_page_name(metrics, 0), tokenizer_page_name(metrics, other), n);
    page_more_begin(out, title);
    json_array_foreach(at(pair, "places"), i, p)
        place(out, metrics, other, p);
    page_more_end(out);
}

void tokenizer_page_pairs(struct buf *out, const json_t *metrics)
{
    buf_adds(out, "<section>\n<h2 id=\"pairs\">What they share, where they part</h2>\n");
    overlap(out, metrics);
    pairs(out, metrics);
    for (size_t i = 1; i < json_array_size(at(metrics, "tokenizers")); i++)
        places(out, metrics, i);
    buf_adds(out, "</section>\n");
}
