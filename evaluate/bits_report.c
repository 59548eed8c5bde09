#include "evaluate/bits_report.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/page.h"
#include "store/pages/scores_page.h"

static json_t *metrics_of(const struct bits_result *r)
{
    json_t *m = json_object();

    json_object_set_new(m, "bits_per_byte", json_real(r->bits_per_byte));
    json_object_set_new(m, "nats_per_token", json_real(r->nats_per_token));
    json_object_set_new(m, "bytes_per_token", json_real((double)r->bytes / (double)r->tokens));
    json_object_set_new(m, "xz9_bits_per_byte", json_real(r->xz));
    if (r->xz_primed >= 0)
        json_object_set_new(m, "xz9_primed_bits_per_byte", json_real(r->xz_primed));
    json_object_set_new(m, "documents", json_integer((json_int_t)r->documents));
    json_object_set_new(m, "tokens", json_integer((json_int_t)r->tokens));
    json_object_set_new(m, "bytes", json_integer((json_int_t)r->bytes));
    return m;
}

static void add_page(struct buf *b, const json_t *metrics)
{
    page_begin(b, "Model", "Evaluation");
    buf_adds(b, "</header>\n");
    scores_page_sections(b, metrics);
    buf_adds(b, "<p>Scores of each document: <code>documents.jsonl</code>.</p>\n");
    page_end(b);
}

enum status bits_report_write(const char *folder, const struct bits_result *r)
{
    struct arena a = { 0 };
    struct buf page = { 0 };
    json_t *metrics = metrics_of(r);
    enum status st = json_write_file(path_join(&a, folder, "metrics.json"), metrics);

    add_page(&page, metrics);
    if (st == ST_OK)
        st = file_write_atomic(path_join(&a, folder, "documents.jsonl"), r->documents_jsonl.p,
                               r->documents_jsonl.n);
    if (st == ST_OK)
        st = file_write_atomic(path_join(&a, folder, "report.html"), page.p, page.n);
    json_decref(metrics);
    buf_release(&page);
    arena_release(&a);
    return st;
}
