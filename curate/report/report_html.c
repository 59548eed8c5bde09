/* report.json as a page. */
#include "base/page.h"
#include "curate/report/report.h"
#include "store/pages/corpus_page.h"

void report_html(struct buf *out, const json_t *json)
{
    page_begin(out, "Corpus", "Curation report");
    buf_adds(out, "</header>\n");
    corpus_page_sections(out, json);
    page_end(out);
}
