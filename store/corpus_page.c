#include "store/corpus_page.h"

#include <inttypes.h>

#include "base/page.h"

/* ---- pieces ---- */

static const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static uint64_t number_of(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* ---- sections ---- */

static void funnel_row(struct buf *out, const char *name, uint64_t documents, uint64_t bytes,
                       uint64_t all)
{
    buf_adds(out, "<tr>");
    page_cell_text(out, name);
    page_cell_count(out, documents);
    page_cell_bytes(out, bytes);
    page_cell_bar(out, (double)documents, (double)all);
    buf_adds(out, "</tr>\n");
}

static void funnel(struct buf *out, const json_t *json)
{
    const json_t *input = json_object_get(json, "input"), *step;
    uint64_t all = number_of(input, "documents");
    size_t i;

    buf_adds(out, "<h3>What is left after each step</h3>\n<div class=\"scroll\"><table>\n"
                  "<tr><th>step<th class=\"n\">documents<th class=\"n\">bytes"
                  "<th>share of documents</tr>\n");
    funnel_row(out, "read", all, number_of(input, "document_bytes"), all);
    json_array_foreach(json_object_get(json, "steps"), i, step)
        funnel_row(out, text_of(step, "step"), number_of(step, "documents_out"),
                   number_of(step, "bytes_out"), all);
    buf_adds(out, "</table></div>\n");
}

static void samples(struct buf *out, const json_t *list)
{
    const json_t *sample;
    size_t i;

    if (json_array_size(list) == 0)
        return;
    buf_printf(out, "<details><summary class=\"soft\">%zu sample%s</summary>\n",
               json_array_size(list), json_array_size(list) == 1 ? "" : "s");
    json_array_foreach(list, i, sample) {
        buf_adds(out, "<code>");
        page_escape(out, text_of(sample, "id"));
        buf_printf(out, "</code> <span class=\"soft\">%.4g</span>",
                   json_real_value(json_object_get(sample, "value")));
        if (text_of(sample, "of")) {
            buf_adds(out, " <span class=\"soft\">of</span> <code>");
            page_escape(out, text_of(sample, "of"));
            buf_adds(out, "</code>");
        }
        buf_adds(out, "\n<pre class=\"lost\">\n");
        page_escape(out, text_of(sample, "text"));
        buf_adds(out, "</pre>\n");
    }
    buf_adds(out, "</details>");
}

static void drop_row(struct buf *out, const char *step, const json_t *drop)
{
    buf_adds(out, "<tr>");
    page_cell_text(out, step);
    buf_adds(out, "<td><code>");
    page_escape(out, text_of(drop, "reason"));
    buf_adds(out, "</code><br><span class=\"soft\">");
    page_escape(out, text_of(drop, "meaning"));
    buf_adds(out, "</span>");
    samples(out, json_object_get(drop, "samples"));
    buf_adds(out, "</td>");
    page_cell_count(out, number_of(drop, "documents"));
    page_cell_bytes(out, number_of(drop, "bytes"));
    buf_printf(out, "<td class=\"n\">%.4g</td><td class=\"n\">%.4g &hellip; %.4g</td></tr>\n",
               json_real_value(json_object_get(drop, "threshold")),
               json_real_value(json_object_get(drop, "value_min")),
               json_real_value(json_object_get(drop, "value_max")));
}

static void drops(struct buf *out, const json_t *json)
{
    const json_t *step, *drop;
    size_t i, j;

    buf_adds(out, "<h3>What was dropped, and why</h3>\n<div class=\"scroll\"><table>\n"
                  "<tr><th>step<th>reason<th class=\"n\">documents"
                  "<th class=\"n\">bytes<th class=\"n\">threshold<th class=\"n\">values</tr>\n");
    json_array_foreach(json_object_get(json, "steps"), i, step)
        json_array_foreach(json_object_get(step, "drops"), j, drop)
            drop_row(out, text_of(step, "step"), drop);
    buf_adds(out, "</table></div>\n");
}

static void not_read(struct buf *out, const json_t *json)
{
    const json_t *row, *id;
    const json_t *list = json_object_get(json_object_get(json, "input"), "not_documents");
    size_t i, j;

    if (json_array_size(list) == 0)
        return;
    buf_adds(out, "<h3>What was not read</h3>\n<div class=\"scroll\"><table>\n"
                  "<tr><th>outcome<th class=\"n\">files or members</tr>\n");
    json_array_foreach(list, i, row) {
        buf_adds(out, "<tr><td><code>");
        page_escape(out, text_of(row, "outcome"));
        buf_adds(out, "</code> <span class=\"soft\">");
        page_escape(out, text_of(row, "meaning"));
        buf_adds(out, "</span><details><summary class=\"soft\">samples</summary>\n");
        json_array_foreach(json_object_get(row, "samples"), j, id) {
            buf_adds(out, "<code>");
            page_escape(out, json_string_value(id));
            buf_adds(out, "</code><br>\n");
        }
        buf_adds(out, "</details></td>");
        page_cell_count(out, number_of(row, "count"));
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</table></div>\n");
}

static void lengths(struct buf *out, const json_t *json)
{
    const json_t *row, *list = json_object_get(json_object_get(json, "output"), "lengths");
    uint64_t most = 0;
    size_t i;

    json_array_foreach(list, i, row)
        most = number_of(row, "documents") > most ? number_of(row, "documents") : most;
    buf_adds(out, "<h3>Lengths of what is left</h3>\n<div class=\"scroll\"><table>\n"
                  "<tr><th>text, from<th class=\"n\">documents<th class=\"n\">bytes<th></tr>\n");
    json_array_foreach(list, i, row) {
        char text[24];

        funnel_row(out, str_bytes(number_of(row, "from_bytes"), text), number_of(row, "documents"),
                   number_of(row, "bytes"), most);
    }
    buf_adds(out, "</table></div>\n");
}

/* "name value, name value" in a cell. */
static void cell_members(struct buf *out, const json_t *object)
{
    const char *name, *before = "";
    json_t *value;

    buf_adds(out, "<td>");
    json_object_foreach((json_t *)object, name, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));

        buf_printf(out, "%s<span class=\"soft\">", before);
        page_escape(out, name);
        buf_adds(out, "</span> <code>");
        page_escape(out, json_is_string(value) ? json_string_value(value) : text);
        buf_adds(out, "</code>");
        before = ", ";
        free(text);
    }
    buf_adds(out, "</td>");
}

static void steps(struct buf *out, const json_t *json)
{
    const json_t *step;
    size_t i;

    buf_adds(out, "<h3>Steps and their options</h3>\n<div class=\"scroll\"><table>\n"
                  "<tr><th>step<th>options<th>counts</tr>\n");
    json_array_foreach(json_object_get(json, "steps"), i, step) {
        buf_adds(out, "<tr>");
        page_cell_text(out, text_of(step, "step"));
        cell_members(out, json_object_get(step, "options"));
        cell_members(out, json_object_get(step, "counts"));
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</table></div>\n");
}

void corpus_page_sections(struct buf *out, const json_t *json)
{
    const json_t *input = json_object_get(json, "input"), *output = json_object_get(json, "output");
    char files[28], read[28], kept[28], bytes[24];

    buf_printf(out,
               "<p>%s files gave %s documents; %s of them, %s of text, are in the corpus.</p>\n",
               str_count(number_of(input, "files"), files),
               str_count(number_of(input, "documents"), read),
               str_count(number_of(output, "documents"), kept),
               str_bytes(number_of(output, "bytes"), bytes));
    funnel(out, json);
    drops(out, json);
    not_read(out, json);
    lengths(out, json);
    steps(out, json);
}
