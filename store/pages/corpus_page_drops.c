/* What did not come into a corpus. */
#include "store/pages/corpus_page_part.h"

/* ---- rows ---- */

static void add_sample(struct buf *out, const json_t *sample)
{
    char number[28];

    page_code(out, member_text(sample, "id"));
    buf_printf(out, " <span class=\"soft\">%s", page_number(member_real(sample, "value"), number));
    if (json_is_number(json_object_get(sample, "threshold")))
        buf_printf(out, ", threshold %s", page_number(member_real(sample, "threshold"), number));
    if (member_text(sample, "language")) {
        buf_adds(out, ", ");
        page_escape(out, member_text(sample, "language"));
    }
    buf_adds(out, "</span>");
    if (member_text(sample, "of")) {
        buf_adds(out, " <span class=\"soft\">of</span> ");
        page_code(out, member_text(sample, "of"));
    }
    buf_adds(out, "\n<pre class=\"lost\">\n");
    page_escape(out, member_text(sample, "text"));
    buf_adds(out, "</pre>\n");
}

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
    json_array_foreach(list, i, sample)
        add_sample(out, sample);
    page_more_end(out);
}

static void drop_row(struct buf *out, const json_t *drop, double most)
{
    char threshold[28], least[28], largest[28];

    buf_adds(out, "<tr><td>");
    page_code(out, member_text(drop, "reason"));
    buf_adds(out, "<br><span class=\"soft\">");
    page_escape(out, member_text(drop, "meaning"));
    buf_adds(out, "</span>");
    samples(out, json_object_get(drop, "samples"));
    buf_adds(out, "</td>");
    page_cell_count(out, member_count(drop, "documents"));
    page_cell_bytes(out, member_count(drop, "bytes"));
    buf_printf(out, "<td class=\"n\">%s</td><td class=\"n\">%s &ndash; %s</td>",
               page_number(member_real(drop, "threshold"), threshold),
               page_number(member_real(drop, "value_min"), least), page_number(member_real(drop, "value_max"), largest));
    page_cell_bar(out, 0, (double)member_count(drop, "documents"), most);
    buf_adds(out, "</tr>\n");
}

/* The drops of one step, which fold away as one. */
static void step_drops(struct buf *out, const json_t *step, double most)
{
    const json_t *drop, *drops = json_object_get(step, "drops");
    uint64_t all = 0;
    char n[28];
    struct arena a;
    size_t i;

    arena_init(&a);
    json_array_foreach(drops, i, drop)
        all += member_count(drop, "documents");
    buf_adds(out, "<details class=\"step\" open=\"\"><summary>");
    page_escape(out, member_text(step, "step"));
    buf_printf(out, " <span class=\"soft\">%s dropped</span></summary>\n", str_count(all, n));
    page_table_begin(out, "broad", arena_printf(&a, "What was dropped by %s", member_text(step, "step") ? member_text(step, "step") : "a step"),
                     "reason|#documents|#bytes|#threshold|#values|");
    json_array_foreach(drops, i, drop)
        drop_row(out, drop, most);
    page_table_end(out);
    page_more_end(out);
    arena_release(&a);
}

void corpus_page_drops(struct buf *out, const json_t *json)
{
    const json_t *step, *drop;
    uint64_t most = 1;
    size_t i, j;

    json_array_foreach(json_object_get(json, "steps"), i, step)
        json_array_foreach(json_object_get(step, "drops"), j, drop)
            most = member_count(drop, "documents") > most ? member_count(drop, "documents") : most;
    buf_adds(out, "<h3>What was dropped, and why</h3>\n");
    json_array_foreach(json_object_get(json, "steps"), i, step)
        if (json_array_size(json_object_get(step, "drops")) > 0)
            step_drops(out, step, (double)most);
}

/* ---- what was not read ---- */

static void outcome_row(struct buf *out, const json_t *row)
{
    const json_t *id;
    size_t i;

    buf_adds(out, "<tr><td>");
    page_code(out, member_text(row, "outcome"));
    buf_adds(out, " <span class=\"soft\">");
    page_escape(out, member_text(row, "meaning"));
    buf_adds(out, "</span>");
    page_more_begin(out, "examples");
    json_array_foreach(json_object_get(row, "samples"), i, id) {
        page_code(out, json_string_value(id));
        buf_adds(out, "<br>\n");
    }
    page_more_end(out);
    buf_adds(out, "</td>");
    page_cell_count(out, member_count(row, "count"));
    buf_adds(out, "</tr>\n");
}

void corpus_page_not_read(struct buf *out, const json_t *json)
{
    const json_t *row, *list = json_object_get(json_object_get(json, "input"), "not_documents");
    size_t i;

    if (json_array_size(list) == 0)
        return;
    page_table_begin(out, NULL, "What was not read", "outcome|#files, members or lines");
    json_array_foreach(list, i, row)
        outcome_row(out, row);
    page_table_end(out);
}
