#include "evaluate/bits_report.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/page.h"

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

static void add_row(struct buf *b, const char *name, double bits, double widest)
{
    buf_adds(b, "<tr>");
    page_cell_text(b, name);
    buf_printf(b, "<td class=\"n\">%.4f</td>", bits);
    page_cell_bar(b, bits, widest);
    buf_adds(b, "</tr>\n");
}

static void add_page(struct buf *b, const struct bits_result *r)
{
    double widest = r->xz > r->bits_per_byte ? r->xz : r->bits_per_byte;

    widest = r->xz_primed > widest ? r->xz_primed : widest;
    page_begin(b, "Evaluation");
    buf_printf(b,
               "<p>%llu held-out documents, %llu bytes, %llu tokens.</p>\n<table><tr><th>bits per "
               "byte</th><th></th><th>"
               "less is better</th></tr>\n",
               (unsigned long long)r->documents, (unsigned long long)r->bytes,
               (unsigned long long)r->tokens);
    add_row(b, "this model", r->bits_per_byte, widest);
    add_row(b, "xz -9", r->xz, widest);
    if (r->xz_primed >= 0)
        add_row(b, "xz -9 after the training text", r->xz_primed, widest);
    buf_printf(b,
               "</table>\n<p>%.4f nats a token, %.2f bytes a token. Scores of each document: "
               "<code>documents.jsonl</code>.</p>\n",
               r->nats_per_token, (double)r->bytes / (double)r->tokens);
    page_end(b);
}

enum status bits_report_write(const char *folder, const struct bits_result *r)
{
    struct arena a = { 0 };
    struct buf page = { 0 };
    json_t *metrics = metrics_of(r);
    enum status st = json_write_file(path_join(&a, folder, "metrics.json"), metrics);

    add_page(&page, r);
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
