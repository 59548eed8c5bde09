/* One vocabulary: how long its entries are, which are longest, most frequent, never used. */
#include "base/page.h"
#include "store/pages/tokenizer_page.h"

#define LENGTHS_MOST 64

static const json_t *at(const json_t *o, const char *key) { return json_object_get(o, key); }

static uint64_t count_of(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(at(o, key));
}

/* As text, or its bytes as \xNN. */
static void add_token(struct buf *out, const json_t *token)
{
    const json_t *text = at(token, "text");
    const char *hex = json_text(token, "bytes");

    if (json_is_string(text)) {
        tokenizer_page_token(out, json_string_value(text), json_string_length(text));
        return;
    }
    for (size_t i = 0; hex[i] && hex[i + 1]; i += 2) {
        buf_adds(out, "<span class=\"soft\">\\x</span>");
        page_text(out, hex + i, 2);
    }
}

static void chips(struct buf *out, const json_t *list)
{
    const json_t *token;
    size_t i;

    buf_adds(out, "<p class=\"chips\">");
    json_array_foreach(list, i, token) {
        buf_printf(out, "<code title=\"id %llu, occurs %llu times\">",
                   (unsigned long long)count_of(token, "id"),
                   (unsigned long long)count_of(token, "count"));
        add_token(out, token);
        buf_adds(out, "</code>\n");
    }
    buf_adds(out, "</p>\n");
}

static void lengths(struct buf *out, const json_t *t)
{
    double x[LENGTHS_MOST], entries[LENGTHS_MOST], tokens[LENGTHS_MOST];
    double all = (double)(count_of(t, "entries") - count_of(t, "special"));
    double occur = (double)count_of(t, "tokens");
    const json_t *row;
    size_t n = 0, i;

    json_array_foreach(at(t, "lengths"), i, row) {
        if (n == LENGTHS_MOST)
            break;
        x[n] = (double)count_of(row, "bytes");
        entries[n] = all > 0 ? 100 * (double)count_of(row, "entries") / all : 0;
        tokens[n++] = occur > 0 ? 100 * (double)count_of(row, "tokens") / occur : 0;
    }
    page_chart(out, &(struct page_chart){
                        .title = "Lengths of tokens, percent",
                        .x_name = "bytes of a token; the last is of all longer ones, too",
                        .lines = (const struct page_line[]){
                            { x, tokens, n, "smooth", "of the tokens of the text" },
                            { x, entries, n, "dots", "of the entries of the vocabulary" } },
                        .count = 2,
                        .width = 960,
                        .height = 280 });
}

static void frequent(struct buf *out, const json_t *t)
{
    const json_t *list = at(t, "frequent"), *token;
    double all = (double)count_of(t, "tokens");
    uint64_t most = count_of(json_array_get(list, 0), "count");
    size_t i;

    page_more_begin(out, "Most frequent tokens");
    page_table_begin(out, NULL, "Most frequent tokens", "token|#id|#occurs|#share|");
    json_array_foreach(list, i, token) {
        buf_adds(out, "<tr><td><code>");
        add_token(out, token);
        buf_adds(out, "</code></td>");
        page_cell_count(out, count_of(token, "id"));
        page_cell_count(out, count_of(token, "count"));
        buf_printf(out, "<td class=\"n\">%.2f %%</td>",
                   all > 0 ? 100 * (double)count_of(token, "count") / all : 0.0);
        page_cell_bar(out, (double)count_of(token, "count"), 0, (double)most);
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
    page_more_end(out);
}

static void listed(struct buf *out, const json_t *what, const char *words)
{
    char count[28], title[120];
    size_t n = json_array_size(at(what, "list"));

    if (count_of(what, "count") == 0)
        return;
    if (n < count_of(what, "count"))
        snprintf(title, sizeof title, "%s %s; the first %zu by id",
                 str_count(count_of(what, "count"), count), words, n);
    else
        snprintf(title, sizeof title, "%s %s", str_count(count_of(what, "count"), count), words);
    page_more_begin(out, title);
    chips(out, at(what, "list"));
    page_more_end(out);
}

static void say_kinds(struct buf *out, const json_t *t)
{
    char entries[28], special[28], bytes[28], unknown[28];

    buf_printf(out, "<p>%s entries, %s of them special. ", str_count(count_of(t, "entries"), entries),
               str_count(count_of(t, "special"), special));
    buf_printf(out, "%s tokens of the text are single bytes of a character, %s are unknown. ",
               str_count(count_of(t, "byte_tokens"), bytes),
               str_count(count_of(t, "unknown_tokens"), unknown));
    if (count_of(at(t, "changed"), "count") == 0 && count_of(at(t, "changed"), "asked") > 0)
        buf_printf(out, "Each of the %s entries that are a text encodes to itself.",
                   str_count(count_of(at(t, "changed"), "asked"), bytes));
    buf_adds(out, "</p>\n");
}

void tokenizer_page_vocab(struct buf *out, const json_t *t, bool alone)
{
    buf_adds(out, "<section>\n<h2>The vocabulary");
    if (!alone) {
        buf_adds(out, " of ");
        page_escape(out, json_text(t, "name"));
    }
    buf_adds(out, "</h2>\n");
    say_kinds(out, t);
    lengths(out, t);
    buf_adds(out, "<h3>Longest tokens</h3>\n");
    chips(out, at(t, "longest"));
    frequent(out, t);
    listed(out, at(t, "unused"), "entries that the text does not use");
    listed(out, at(t, "changed"), "entries whose own text encodes to other tokens");
    buf_adds(out, "</section>\n");
}
