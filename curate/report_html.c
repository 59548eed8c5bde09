/* report.json as a page. */
#include "base/page.h"
#include "curate/report.h"
#include "store/corpus_page.h"

void report_html(struct buf *out, const json_t *json)
{
    page_begin(out, "Curation report");
    corpus_page_sections(out, json);
    page_end(out);
}
