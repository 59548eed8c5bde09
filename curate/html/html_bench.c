#include <string.h>
#include <strings.h>
#include <zstd.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/rng.h"
#include "curate/html/html.h"

#define PAGES_BYTES ((size_t)16 << 20)
#define PAGES_MAX ((uint64_t)1 << 30)
#define REPEATS_MAX 64

/* --- pages as news sites have them: more scripts, styles and links than text --- */

static void add_words(struct buf *out, struct rng *r, int n)
{
    static const char *const common[] = { "the", "of", "and", "to", "that", "be", "with", "have" };

    for (int i = 0; i < n; i++) {
        uint64_t draw = rng_below(r, 30000), letters = 2 + (draw * 7 + draw % 13) % 9;
        if (draw % 4 == 0)
            buf_adds(out, common[draw / 4 % 8]);
        for (uint64_t k = 0; draw % 4 != 0 && k < letters; k++)
            buf_addc(out, (char)('a' + (draw * 7 + k * (draw % 5 + 3)) % 26));
        buf_adds(out, draw % 61 == 0 ? "&nbsp;" : draw % 71 == 0 ? " \xe2\x80\x9c" : " ");
    }
}

static void add_links(struct buf *out, struct rng *r, const char *name, int n)
{
    buf_printf(out, "<ul class=\"%s__list list--plain u-clear\">\n", name);
    for (int i = 0; i < n; i++) {
        buf_printf(out, "<li class=\"%s__item\" data-track=\"click:%d\"><a href=\"https://example.org/%s/%d?ref=%d\" title=\"to\"><span class=icon></span>",
                   name, i, name, i, i * 7);
        add_words(out, r, 3);
        buf_adds(out, "</a></li>\n");
    }
    buf_adds(out, "</ul>\n");
}

static void add_code(struct buf *out, struct rng *r, const char *tag, int lines)
{
    buf_printf(out, "<%s>\n", tag);
    for (int i = 0; i < lines; i++)
        buf_printf(out, "window.state[%d]={\"id\":%d,\"name\":\"a<b&&c>d\",\"open\":true,\"x\":[%d,%d]};\n", i,
                   (int)rng_below(r, 100000), i, i * 3);
    buf_printf(out, "</%s>\n", tag);
}

static void add_page(struct buf *out, struct rng *r)
{
    buf_adds(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>A page</title>\n");
    for (int i = 0; i < 20; i++)
        buf_printf(out, "<meta property=\"og:item%d\" content=\"https://example.org/a/b/%d.png\">\n", i, i);
    add_code(out, r, "script", 200);
    add_code(out, r, "style", 150);
    buf_adds(out, "</head><body class=\"page has-sidebar\"><header><nav class=\"nav-main\">");
    add_links(out, r, "menu", 60);
    buf_adds(out, "</nav></header><div class=\"layout\"><main><article class=\"story\"><h1>");
    add_words(out, r, 8);
    buf_adds(out, "</h1><div class=\"article-body\">");
    for (int i = 0; i < 25; i++) {
        buf_adds(out, "<p class=\"article-body__paragraph\">");
        add_words(out, r, 40);
        buf_adds(out, "<a href=\"/about\">");
        add_words(out, r, 2);
        buf_adds(out, "</a> <em>");
        add_words(out, r, 20);
        buf_adds(out, "</em></p>\n");
    }
    buf_adds(out, "</div></article></main><aside class=\"sidebar\">");
    for (int i = 0; i < 30; i++) {
        buf_adds(out, "<div class=\"teaser card\"><div class=\"card__media\"><img src=\"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP\" alt=\"\"></div><h3>");
        add_links(out, r, "teaser", 2);
        buf_adds(out, "</h3></div>");
    }
    buf_adds(out, "</aside></div><footer>");
    add_links(out, r, "footer", 50);
    buf_adds(out, "</footer>");
    add_code(out, r, "script", 200);
    buf_adds(out, "</body></html>\n");
}

static enum status bench_pages(const struct bench *b, struct buf *out)
{
    struct rng r = { .seed = 7, .stream = 0, .index = 0 };

    while (b->in == NULL && out->n < PAGES_BYTES)
        add_page(out, &r);
    if (b->in != NULL)
        TRY(file_read(b->in, PAGES_MAX, out));
    return out->n > 0 ? ST_OK : fail(ST_USAGE, "the benchmark needs a file with at least one page of HTML");
}

/* --- measuring --- */

/* The page at p ends behind its </html>. */
static size_t page_length(const char *p, size_t n)
{
    static const char close[] = "</html>";
    const char *at = p, *end = p + n;

    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        if ((size_t)(end - at) >= sizeof close - 1 && strncasecmp(at, close, sizeof close - 1) == 0)
            return (size_t)(at - p) + sizeof close - 1;
        at++;
    }
    return n;
}

static enum status extract_all(const struct buf *pages, struct buf *text)
{
    struct html_result r = { .title = NULL };

    for (size_t at = 0, n; at < pages->n; at += n) {
        n = page_length(pages->p + at, pages->n - at);
        buf_clear(text);
        TRY(html_main_text(pages->p + at, n, text, &r));
    }
    return ST_OK;
}

static volatile uint64_t sink;

static double scan_speed(const struct buf *pages)
{
    double start = bench_now();

    sink += xxh3(pages->p, pages->n);
    return (double)pages->n / 1e6 / (bench_now() - start);
}

static double unpack_speed(const struct buf *pages)
{
    struct buf packed = { 0 }, again = { 0 };
    double start;

    buf_reserve(&packed, ZSTD_compressBound(pages->n));
    packed.n = ZSTD_compress(packed.p, packed.cap, pages->p, pages->n, 3);
    buf_reserve(&again, pages->n);
    start = bench_now();
    sink += ZSTD_decompress(again.p, again.cap, packed.p, packed.n);
    start = bench_now() - start;
    buf_release(&packed);
    buf_release(&again);
    return (double)pages->n / 1e6 / start;
}

enum status html_bench(struct bench *b)
{
    int count = b->repeat < REPEATS_MAX ? b->repeat : REPEATS_MAX;
    struct buf pages = { 0 }, text = { 0 };
    enum status st = bench_pages(b, &pages);
    double values[REPEATS_MAX], start;

    for (int i = 0; st == ST_OK && i < count; i++) {
        start = bench_now();
        st = extract_all(&pages, &text);
        values[i] = (double)pages.n / 1e6 / (bench_now() - start);
    }
    if (st == ST_OK) {
        bench_report(b, &(struct bench_result){ .unit = "MB/s", .values = values, .count = count,
                                                .yardstick = "xxh3", .yardstick_value = scan_speed(&pages) });
        bench_report(b, &(struct bench_result){ .variant = "against zstd", .unit = "MB/s", .values = values, .count = count,
                                                .yardstick = "zstd -d", .yardstick_value = unpack_speed(&pages) });
    }
    buf_release(&pages);
    buf_release(&text);
    return st;
}
