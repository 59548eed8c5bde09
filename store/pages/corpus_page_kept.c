/* What a corpus holds. */
#include <math.h>

#include "store/pages/corpus_page_part.h"

#define SHOWN 25               /* rows of a table before what unfolds */

/* ---- lengths ---- */

static void lengths(struct buf *out, const json_t *output)
{
    const json_t *row, *list = json_object_get(output, "lengths");
    uint64_t most = 0;
    size_t i;

    json_array_foreach(list, i, row)
        most = member_count(row, "documents") > most ? member_count(row, "documents") : most;
    page_table_begin(out, NULL, "Lengths of what is left", "text, from|#documents|#bytes|");
    json_array_foreach(list, i, row) {
        char text[24];

        buf_adds(out, "<tr>");
        page_cell_text(out, str_bytes(member_count(row, "from_bytes"), text));
        page_cell_count(out, member_count(row, "documents"));
        page_cell_bytes(out, member_count(row, "bytes"));
        page_cell_bar(out, (double)member_count(row, "documents"), 0, (double)most);
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
}

/* ---- counts by name ---- */

struct row {
    const char *name;
    uint64_t read, kept, bytes;      /* bytes: of the kept */
};
struct rows {
    const char *caption, *heads;
    bool with_bytes;
    struct row *v;
    size_t count;
};

static int most_first(const void *va, const void *vb)
{
    const struct row *a = va, *b = vb;

    if (a->read != b->read)
        return a->read < b->read ? 1 : -1;
    return strcmp(a->name, b->name);
}

static void add_rows(struct buf *out, const struct rows *r, size_t from, size_t to)
{
    page_table_begin(out, NULL, r->caption, r->heads);
    for (size_t i = from; i < to; i++) {
        const struct row *row = &r->v[i];

        buf_adds(out, "<tr>");
        page_cell_text(out, row->name);
        page_cell_count(out, row->read);
        page_cell_count(out, row->kept);
        if (r->with_bytes)
            page_cell_bytes(out, row->bytes);
        page_cell_bar(out, (double)row->kept, row->read > row->kept ? (double)(row->read - row->kept) : 0,
                      (double)r->v[0].read);
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
}

/* Sorted, the largest first; the long tail unfolds. */
static void add_table(struct buf *out, struct rows *r)
{
    char title[60], n[28];

    if (r->count == 0)
        return;
    qsort(r->v, r->count, sizeof *r->v, most_first);
    add_rows(out, r, 0, r->count < SHOWN ? r->count : SHOWN);
    if (r->count <= SHOWN)
        return;
    snprintf(title, sizeof title, "%s more", str_count(r->count - SHOWN, n));
    page_more_begin(out, title);
    add_rows(out, r, SHOWN, r->count);
    page_more_end(out);
}

static void languages(struct buf *out, const json_t *output)
{
    json_t *list = json_object_get(output, "languages"), *row;
    struct rows r = { "Languages; faint: dropped", "language|#found|#kept|#bytes|", true, NULL, 0 };
    const char *name;

    r.v = mem_array(json_object_size(list) + 1, sizeof *r.v);
    json_object_foreach(list, name, row) {
        uint64_t kept = member_count(row, "documents");

        r.v[r.count++] = (struct row){ name, kept + member_count(row, "dropped"), kept, member_count(row, "bytes") };
    }
    add_table(out, &r);
    free(r.v);
}

/* What readers gave of each name, and what of it is left. */
static void by_name(struct buf *out, const json_t *json, const char *key, struct rows r)
{
    json_t *read = json_object_get(json_object_get(json, "input"), key), *row;
    const json_t *kept = json_object_get(json_object_get(json, "output"), key);
    const char *name;

    r.v = mem_array(json_object_size(read) + 1, sizeof *r.v);
    json_object_foreach(read, name, row)
        r.v[r.count++] = (struct row){ name, member_count(row, "documents"), member_count(kept, name), 0 };
    add_table(out, &r);
    free(r.v);
}

/* ---- examples ---- */

static void sample(struct buf *out, const json_t *s)
{
    char bytes[24];

    buf_adds(out, "<div><p>");
    page_code(out, member_text(s, "id"));
    buf_printf(out, " <span class=\"soft small\">%s", str_bytes(member_count(s, "bytes"), bytes));
    if (member_text(s, "language")) {
        buf_adds(out, ", ");
        page_escape(out, member_text(s, "language"));
    }
    buf_adds(out, "</span></p>\n<pre class=\"kept-text\">\n");
    page_escape(out, member_text(s, "text"));
    buf_adds(out, "</pre></div>\n");
}

static void samples(struct buf *out, const json_t *output)
{
    const json_t *source, *s, *list = json_object_get(output, "samples");
    size_t i, j;

    if (json_array_size(list) == 0)
        return;
    buf_adds(out, "<h3>Samples of what is left</h3>\n<p class=\"soft small\">A few documents of each source, chosen by a "
                  "hash of their ids.</p>\n");
    json_array_foreach(list, i, source) {
        const char *name = member_text(source, "source");

        page_more_begin(out, name && *name ? name : "documents without a source");
        buf_adds(out, "<div class=\"pair two\">\n");
        json_array_foreach(json_object_get(source, "samples"), j, s)
            sample(out, s);
        buf_adds(out, "</div>\n");
        page_more_end(out);
    }
}

void corpus_page_kept(struct buf *out, const json_t *json)
{
    const json_t *output = json_object_get(json, "output");

    lengths(out, output);
    languages(out, output);
    by_name(out, json, "sources", (struct rows){ "Sources; faint: dropped", "source|#read|#kept|", false, NULL, 0 });
    by_name(out, json, "kinds", (struct rows){ "What readers found; faint: dropped", "kind|#read|#kept|", false, NULL, 0 });
    samples(out, output);
}
