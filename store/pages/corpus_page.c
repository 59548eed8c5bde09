#include "store/pages/corpus_page.h"

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

/* "name value, name value" in a cell. */
static void cell_members(struct buf *out, const json_t *object)
{
    const char *name, *before = "";
    json_t *value;

    buf_adds(out, "<td>");
    json_object_foreach((json_t *)object, name, value) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));

        buf_printf(out, "%s<span class=\"soft\">", before);
        page_escape(out, name);
        buf_adds(out, "</span> ");
        page_code(out, json_is_string(value) ? json_string_value(value) : text);
        before = ", ";
        free(text);
    }
    buf_adds(out, "</td>");
}

/* ---- what is left ---- */

struct left {
    const char *name;
    uint64_t documents, bytes;
    uint64_t lost;               /* documents, to get here */
};

static void left_row(struct buf *out, const struct left *row, uint64_t all)
{
    buf_adds(out, "<tr>");
    page_cell_text(out, row->name);
    page_cell_count(out, row->documents);
    page_cell_bytes(out, row->bytes);
    page_cell_bar(out, (double)row->documents, (double)row->lost, (double)all);
    buf_adds(out, "</tr>\n");
}

static void funnel(struct buf *out, const json_t *json)
{
    const json_t *input = json_object_get(json, "input"), *step;
    uint64_t all = number_of(input, "documents");
    size_t i;

    page_table_begin(out, NULL, "What is left after each step",
                     "step|#documents|#bytes|share of documents; faint: dropped by the step");
    left_row(out, &(struct left){ "read", all, number_of(input, "document_bytes"), 0 }, all);
    json_array_foreach(json_object_get(json, "steps"), i, step) {
        uint64_t in = number_of(step, "documents_in"), kept = number_of(step, "documents_out");

        left_row(out, &(struct left){ text_of(step, "step"), kept, number_of(step, "bytes_out"),
                                      in > kept ? in - kept : 0 }, all);
    }
    page_table_end(out);
}

static void lengths(struct buf *out, const json_t *json)
{
    const json_t *row, *list = json_object_get(json_object_get(json, "output"), "lengths");
    uint64_t most = 0;
    size_t i;

    json_array_foreach(list, i, row)
        most = number_of(row, "documents") > most ? number_of(row, "documents") : most;
    page_table_begin(out, NULL, "Lengths of what is left", "text, from|#documents|#bytes|");
    json_array_foreach(list, i, row) {
        char text[24];

        left_row(out, &(struct left){ str_bytes(number_of(row, "from_bytes"), text),
                                      number_of(row, "documents"), number_of(row, "bytes"), 0 },
                 most);
    }
    page_table_end(out);
}

/* ---- what is not ---- */

static void samples(struct buf *out, const json_t *list)
{
    const json_t *sample;
    char title[40];
    size_t i;

    if (json_array_size(list) == 0)
        return;
    snprintf(title, sizeof title, "%zu example%s", json_array_size(list),
             json_array_size(list) == 1 ? "" : "s");
    page_more_begin(out, title);
    json_array_foreach(list, i, sample) {
        page_code(out, text_of(sample, "id"));
        buf_printf(out, " <span class=\"soft\">%.4g</span>",
                   json_real_value(json_object_get(sample, "value")));
        if (text_of(sample, "of")) {
            buf_adds(out, " <span class=\"soft\">of</span> ");
            page_code(out, text_of(sample, "of"));
        }
        buf_adds(out, "\n<pre class=\"lost\">\n");
        page_escape(out, text_of(sample, "text"));
        buf_adds(out, "</pre>\n");
    }
    page_more_end(out);
}

static void drop_row(struct buf *out, const char *step, const json_t *drop)
{
    buf_adds(out, "<tr>");
    page_cell_text(out, step);
    buf_adds(out, "<td>");
    page_code(out, text_of(drop, "reason"));
    buf_adds(out, "<br><span class=\"soft\">");
    page_escape(out, text_of(drop, "meaning"));
    buf_adds(out, "</span>");
    samples(out, json_object_get(drop, "samples"));
    buf_adds(out, "</td>");
    page_cell_count(out, number_of(drop, "documents"));
    page_cell_bytes(out, number_of(drop, "bytes"));
    buf_printf(out, "<td class=\"n\">%.4g</td><td class=\"n\">%.4g &ndash; %.4g</td></tr>\n",
               json_real_value(json_object_get(drop, "threshold")),
               json_real_value(json_object_get(drop, "value_min")),
               json_real_value(json_object_get(drop, "value_max")));
}

static void drops(struct buf *out, const json_t *json)
{
    const json_t *step, *drop;
    size_t i, j;

    page_table_begin(out, "broad", "What was dropped, and why",
                     "step|reason|#documents|#bytes|#threshold|#values");
    json_array_foreach(json_object_get(json, "steps"), i, step)
        json_array_foreach(json_object_get(step, "drops"), j, drop)
            drop_row(out, text_of(step, "step"), drop);
    page_table_end(out);
}

static void not_read(struct buf *out, const json_t *json)
{
    const json_t *row, *id;
    const json_t *list = json_object_get(json_object_get(json, "input"), "not_documents");
    size_t i, j;

    if (json_array_size(list) == 0)
        return;
    page_table_begin(out, NULL, "What was not read", "outcome|#files or members");
    json_array_foreach(list, i, row) {
        buf_adds(out, "<tr><td>");
        page_code(out, text_of(row, "outcome"));
        buf_adds(out, " <span class=\"soft\">");
        page_escape(out, text_of(row, "meaning"));
        buf_adds(out, "</span>");
        page_more_begin(out, "examples");
        json_array_foreach(json_object_get(row, "samples"), j, id) {
            page_code(out, json_string_value(id));
            buf_adds(out, "<br>\n");
        }
        page_more_end(out);
        buf_adds(out, "</td>");
        page_cell_count(out, number_of(row, "count"));
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
}

/* ---- the whole ---- */

static void steps(struct buf *out, const json_t *json)
{
    const json_t *step;
    size_t i;

    page_more_begin(out, "Steps and their options");
    page_table_begin(out, "broad", "Steps and their options", "step|options|counts");
    json_array_foreach(json_object_get(json, "steps"), i, step) {
        buf_adds(out, "<tr>");
        page_cell_text(out, text_of(step, "step"));
        cell_members(out, json_object_get(step, "options"));
        cell_members(out, json_object_get(step, "counts"));
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
    page_more_end(out);
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
