/* Files as crawls and corpora come, made of a text in memory: WARC with a gzip member a record, JSONL in one frame of zstd.
 * Values are unpacked bytes; the yardstick unpacks the same bytes and does nothing with them, with the libraries that zcat's
 * and zstd's users know (zlib, libzstd). */
#include "curate/read_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "curate/source/source.h"
#include "store/documents/documents.h"

#define PAGE_BYTES ((size_t)48 << 10)
#define LINE_BYTES ((size_t)4 << 10)
#define REPEATS_MAX 64

/* n bytes or a few more, so that no character is cut. */
static struct span part(struct span text, size_t at, size_t n)
{
    n = text.n - at < n ? text.n - at : n;
    while (at + n < text.n && ((unsigned char)text.p[at + n] & 0xC0) == 0x80)
        n++;
    return (struct span){ text.p + at, n };
}

/* Appends a member of gzip. */
static void add_member(struct buf *to, const struct buf *record)
{
    z_stream z = { .next_in = (Bytef *)record->p, .avail_in = (uInt)record->n };

    BUG_IF(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK);
    buf_reserve(to, deflateBound(&z, record->n));
    z.next_out = (Bytef *)to->p + to->n;
    z.avail_out = (uInt)deflateBound(&z, record->n);
    BUG_IF(deflate(&z, Z_FINISH) != Z_STREAM_END);
    to->n = (size_t)((char *)z.next_out - to->p);
    deflateEnd(&z);
}

static uint64_t make_warc(struct span text, struct buf *to)
{
    struct buf page = { 0 }, record = { 0 };
    uint64_t bytes = 0;
    int number = 0;

    for (size_t at = 0; at < text.n; number++) {
        struct span s = part(text, at, PAGE_BYTES);
        buf_clear(&page);
        buf_adds(&page, "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nServer: none\r\n\r\n"
                        "<!DOCTYPE html>\n<html><head><title>A page</title></head>\n<body>\n<p>");
        buf_add(&page, s.p, s.n);
        buf_adds(&page, "</p></body></html>\n");
        buf_clear(&record);
        buf_printf(&record, "WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n"
                            "WARC-Record-ID: <urn:number:%d>\r\nWARC-Target-URI: https://example.org/%d\r\n"
                            "Content-Type: application/http; msgtype=response\r\nContent-Length: %zu\r\n\r\n",
                   number, number, page.n);
        buf_add(&record, page.p, page.n);
        buf_adds(&record, "\r\n\r\n");
        add_member(to, &record);
        bytes += record.n;
        at += s.n;
    }
    buf_release(&page);
    buf_release(&record);
    return bytes;
}

static uint64_t make_jsonl(struct span text, struct buf *to)
{
    struct buf lines = { 0 };
    uint64_t bytes;

    for (size_t at = 0; at < text.n;) {
        char id[32];
        struct document d = { .text = part(text, at, LINE_BYTES), .source = span_of("bench") };
        snprintf(id, sizeof id, "bench-%zu", at);
        d.id = span_of(id);
        document_print(&lines, &d);
        at += d.text.n;
    }
    buf_reserve(to, ZSTD_compressBound(lines.n));
    to->n = ZSTD_compress(to->p, to->cap, lines.p, lines.n, 3);
    BUG_IF(ZSTD_isError(to->n));
    bytes = lines.n;
    buf_release(&lines);
    return bytes;
}

/* --- yardsticks --- */

static volatile uint64_t sink;

static void unpack_zlib(struct span packed)
{
    static char out[256 << 10];
    z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n };
    int got = Z_OK;

    BUG_IF(inflateInit2(&z, 15 + 16) != Z_OK);
    while (z.avail_in > 0 || got == Z_OK) {
        if (got == Z_STREAM_END)
            inflateReset(&z);
        z.next_out = (Bytef *)out;
        z.avail_out = sizeof out;
        got = inflate(&z, Z_NO_FLUSH);
        BUG_IF(got != Z_OK && got != Z_STREAM_END);
        sink += (unsigned char)out[0];
    }
    inflateEnd(&z);
}

static void unpack_zstd(struct span packed)
{
    static char out[256 << 10];
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_inBuffer in = { packed.p, packed.n, 0 };
    size_t left = 1;

    BUG_IF(ctx == NULL);
    while (left != 0) {
        ZSTD_outBuffer o = { out, sizeof out, 0 };
        left = ZSTD_decompressStream(ctx, &o, &in);
        BUG_IF(ZSTD_isError(left));
        sink += (unsigned char)out[0];
    }
    ZSTD_freeDCtx(ctx);
}

/* --- the measurement --- */

static enum status read_file(const struct bench *b, int fd)
{
    const struct source_limits limits = { 16 << 20, UINT64_C(1) << 50, 1e9, 4, 1000, b->threads - 1 };
    struct raw_document *d = NULL;
    struct source *s;
    struct arena a;
    struct yaml *list;
    char path[64];
    enum status st;

    arena_init(&a);
    snprintf(path, sizeof path, "[/proc/self/fd/%d]", fd);
    st = yaml_parse(&a, "bench", path, strlen(path), &list);
    if (st == ST_OK)
        st = source_open(list, &limits, &s);
    if (st == ST_OK) {
        while ((st = source_next(s, &d)) == ST_OK && d != NULL) {
            sink += d->n;
            raw_document_free(d);
        }
        source_close(s);
    }
    arena_release(&a);
    return st;
}

struct file_case {
    uint64_t (*make)(struct span text, struct buf *to);
    void (*yardstick)(struct span packed);
    const char *yardstick_name;
};

static enum status measure_file(const struct bench *b, const struct file_case *c, const struct buf *packed, uint64_t bytes)
{
    int fd = memfd_create("bench", MFD_CLOEXEC), repeat = b->repeat < REPEATS_MAX ? b->repeat : REPEATS_MAX;
    double values[REPEATS_MAX], best = 0;
    enum status st = ST_OK;

    if (fd < 0 || write(fd, packed->p, packed->n) != (ssize_t)packed->n) {
        if (fd >= 0)
            close(fd);
        return fail_errno(ST_IO, "a file in memory of %zu bytes", packed->n);
    }
    for (int i = 0; st == ST_OK && i < repeat; i++) {
        double start = bench_now(), middle;
        st = read_file(b, fd);
        middle = bench_now();
        values[i] = (double)bytes / 1e6 / (middle - start);
        c->yardstick((struct span){ packed->p, packed->n });
        start = (double)bytes / 1e6 / (bench_now() - middle);
        best = start > best ? start : best;
    }
    close(fd);
    if (st == ST_OK)
        bench_report(b, &(struct bench_result){ .unit = "MB/s", .values = values, .count = repeat,
                                                .yardstick = c->yardstick_name, .yardstick_value = best });
    return st;
}

static enum status bench_file(const struct bench *b, struct span text, const struct file_case *c)
{
    struct buf packed = { 0 };
    uint64_t bytes = c->make(text, &packed);
    enum status st = measure_file(b, c, &packed, bytes);

    buf_release(&packed);
    return st;
}

enum status bench_read_warc(const struct bench *b, struct span text)
{
    return bench_file(b, text, &(struct file_case){ make_warc, unpack_zlib, "zlib inflate, one thread" });
}

enum status bench_read_jsonl(const struct bench *b, struct span text)
{
    return bench_file(b, text, &(struct file_case){ make_jsonl, unpack_zstd, "libzstd decompress, one thread" });
}
