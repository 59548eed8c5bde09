/* report.json as a page. */
#include "base/page.h"
#include "curate/report/report.h"
#include "store/pages/corpus_page.h"

static uint64_t count_of(const json_t *json, const char *part, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(json_object_get(json, part), key));
}

static void figures(struct buf *out, const json_t *json)
{
    uint64_t read = count_of(json, "input", "documents"), kept = count_of(json, "output", "documents");
    uint64_t languages = json_object_size(json_object_get(json_object_get(json, "output"), "languages"));
    char value[40], note[60], text[28];

    buf_adds(out, "<dl class=\"figures\">\n");
    snprintf(note, sizeof note, "of %s read", str_count(read, text));
    page_figure(out, "Documents kept", str_count(kept, value), note);
    snprintf(value, sizeof value, "%.1f %%", read ? 100.0 * (double)kept / (double)read : 0);
    page_figure(out, "Share of documents", value, "of those that were read");
    snprintf(note, sizeof note, "of %s read", str_bytes(count_of(json, "input", "document_bytes"), text));
    page_figure(out, "Text kept", str_bytes(count_of(json, "output", "bytes"), value), note);
    snprintf(note, sizeof note, "%s on disk", str_bytes(count_of(json, "input", "bytes"), text));
    page_figure(out, "Files", str_count(count_of(json, "input", "files"), value), note);
    if (languages > 0)
        page_figure(out, "Languages", str_count(languages, value), "found in documents");
    buf_adds(out, "</dl>\n");
}

void report_html(struct buf *out, const json_t *json)
{
    page_begin(out, "Corpus", "Curation report");
    figures(out, json);
    buf_adds(out, "</header>\n<h2>What became of the documents</h2>\n");
    corpus_page_sections(out, json);
    buf_adds(out, "<p class=\"soft small\">This page tells nothing of time, so that the same inputs always give the same "
                  "page. How fast each step was stands at the end of what <code>curate</code> printed, in "
                  "<code>manifest.json</code> under <code>aside</code>, and on the page of a pipeline's run.</p>\n");
    page_end(out);
}
