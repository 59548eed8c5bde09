#include "tokenize/measure/tokenizer_report.h"

#include "base/file.h"
#include "base/page.h"
#include "store/pages/tokenizer_page.h"
#include "tokenize/measure/measure_json.h"

enum status tokenizer_report_measure(const struct tokenizer_report_args *args, json_t **metrics)
{
    struct token_measure m;
    enum status st = token_measure(args->pool, &args->measure, &m);

    *metrics = NULL;
    if (st == ST_OK)
        st = measure_json(&args->measure, args->names, &m, metrics);
    token_measure_release(&m, args->measure.count);
    return st;
}

static void add_page(struct buf *b, const json_t *metrics)
{
    size_t n = json_array_size(json_object_get(metrics, "tokenizers"));

    page_begin(b, n > 1 ? "Tokenizers" : "Tokenizer",
               n > 1 ? "Tokenizers compared" : "What the tokenizer makes of its text");
    buf_adds(b, "</header>\n");
    tokenizer_page_sections(b, metrics);
    page_end(b);
}

enum status tokenizer_report_write(const char *folder, const json_t *metrics)
{
    struct arena a = { 0 };
    struct buf page = { 0 };
    enum status st = json_write_file(path_join(&a, folder, "metrics.json"), metrics);

    if (st == ST_OK) {
        add_page(&page, metrics);
        st = file_write_atomic(path_join(&a, folder, "report.html"), page.p, page.n);
    }
    buf_release(&page);
    arena_release(&a);
    return st;
}

enum status tokenizer_report(const struct tokenizer_report_args *args)
{
    json_t *metrics;
    enum status st = tokenizer_report_measure(args, &metrics);

    if (st == ST_OK)
        st = tokenizer_report_write(args->folder, metrics);
    json_decref(metrics);
    return st;
}
