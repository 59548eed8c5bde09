#include "store/pages/corpus_page.h"

#include "store/pages/corpus_page_part.h"

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
    uint64_t all = member_count(input, "documents");
    size_t i;

    page_table_begin(out, NULL, "What is left after each step",
                     "step|#documents|#bytes|share of documents; faint: dropped by the step");
    left_row(out, &(struct left){ "read", all, member_count(input, "document_bytes"), 0 }, all);
    json_array_foreach(json_object_get(json, "steps"), i, step) {
        uint64_t in = member_count(step, "documents_in"), kept = member_count(step, "documents_out");

        left_row(out, &(struct left){ member_text(step, "step"), kept, member_count(step, "bytes_out"),
                                      in > kept ? in - kept : 0 }, all);
    }
    page_table_end(out);
}

/* ---- steps ---- */

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

static void steps(struct buf *out, const json_t *json)
{
    const json_t *step;
    size_t i;

    page_more_begin(out, "Steps and their options");
    page_table_begin(out, "broad", "Steps and their options", "step|options|counts");
    json_array_foreach(json_object_get(json, "steps"), i, step) {
        buf_adds(out, "<tr>");
        page_cell_text(out, member_text(step, "step"));
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
               "<p>%s files gave %s documents; %s of them, %s of text, were kept.</p>\n",
               str_count(member_count(input, "files"), files),
               str_count(member_count(input, "documents"), read),
               str_count(member_count(output, "documents"), kept),
               str_bytes(member_count(output, "bytes"), bytes));
    funnel(out, json);
    corpus_page_drops(out, json);
    corpus_page_not_read(out, json);
    corpus_page_values(out, json);
    corpus_page_kept(out, json);
    steps(out, json);
}
