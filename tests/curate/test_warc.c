#include "tests/test.h"

#include <zdict.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/curate/archives.h"

static char folder[] = "/tmp/tundish-warc-XXXXXX";
static struct reading got;

static int set_up(void **state)
{
    strcpy(folder, "/tmp/tundish-warc-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int tear_down(void **state)
{
    assert_ok(file_remove_tree(folder));
    return 0;
}

/* --- files --- */

static void add_record(struct buf *to, const char *fields, struct span block)
{
    buf_printf(to, "WARC/1.0\r\n%sContent-Length: %zu\r\n\r\n", fields, block.n);
    buf_add(to, block.p, block.n);
    buf_adds(to, "\r\n\r\n");
}

#define RESPONSE "WARC-Type: response\r\nContent-Type: application/http; msgtype=response\r\n"

static void add_answer(struct buf *to, const char *head, struct span body)
{
    struct buf block = { 0 };

    buf_adds(&block, head);
    buf_add(&block, body.p, body.n);
    add_record(to, RESPONSE, (struct span){ block.p, block.n });
    buf_release(&block);
}

static void add_page(struct buf *to, const char *text)
{
    struct buf body = { 0 };

    buf_printf(&body, "<html>%s", text);
    add_answer(to, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", (struct span){ body.p, body.n });
    buf_release(&body);
}

static void add_gzip(struct buf *to, struct span text, int window)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)text.p, .avail_in = (uInt)text.n };

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    buf_reserve(to, deflateBound(&z, text.n));
    z.next_out = (Bytef *)to->p + to->n;
    z.avail_out = (uInt)deflateBound(&z, text.n);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    to->n = (size_t)((char *)z.next_out - to->p);
    deflateEnd(&z);
}

static const char *read_bytes_as(const char *name, const struct buf *b, const struct source_limits *limits)
{
    char path[300], yaml[300];

    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(b->p, 1, b->n, f), b->n);
    assert_int_equal(fclose(f), 0);
    snprintf(yaml, sizeof yaml, "['%s']", folder);
    read_source(yaml, limits, folder, &got);
    assert_int_equal(unlink(path), 0);
    return got.text.p;
}

static const char *read_buf(const struct buf *b) { return read_bytes_as("a.warc", b, &wide_limits); }

/* --- tests --- */

static void records_become_documents(void **state)
{
    struct buf b = { 0 };

    add_record(&b, "WARC-Type: warcinfo\r\nContent-Type: application/warc-fields\r\n", span_of("a: b\r\n"));
    add_record(&b, "WARC-Type: request\r\nContent-Type: application/http; msgtype=request\r\n", span_of("GET / HTTP/1.1\r\n\r\n"));
    add_page(&b, "a page");
    add_answer(&b, "HTTP/1.0 404 Not Found\r\nContent-Type: text/html\r\n\r\n", span_of("<html>not here"));
    add_answer(&b, "HTTP/1.0 301 Moved\r\nLocation: /x\r\n\r\n", span_of(""));
    add_answer(&b, "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n", span_of("\x89PNG\r\n\x1a\n"));
    add_answer(&b, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", span_of("{\"a\": 1}"));
    add_answer(&b, "HTTP/1.1 200 OK\nContent-Type: Text/Plain\n\n", span_of("plain words"));
    add_answer(&b, "HTTP/1.1 200 OK\r\n\r\n", span_of("<!DOCTYPE html><p>untold"));
    add_answer(&b, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", span_of("  \r\n "));
    add_answer(&b, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", span_of("PK\3\4 a zip, whatever it says"));
    add_answer(&b, "no answer at all", span_of(", some words"));
    add_record(&b, "WARC-Type: resource\r\nContent-Type: text/html; charset=x\r\n", span_of("<html>resource"));
    add_record(&b, "WARC-Type: conversion\r\nContent-Type: text/plain\r\n", span_of("converted"));
    add_record(&b, "WARC-Type: revisit\r\nContent-Type: application/http; msgtype=response\r\n",
               span_of("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"));
    assert_string_equal(read_buf(&b), "html a.warc#3: <html>a page\n"
                                      "text a.warc#8: plain words\n"
                                      "html a.warc#9: <!DOCTYPE html><p>untold\n"
                                      "text a.warc#12: no answer at all, some words\n"
                                      "html a.warc#13: <html>resource\n"
                                      "text a.warc#14: converted\n"
                                      "! empty 1 a.warc#10\n"
                                      "! binary 1 a.warc#11\n"
                                      "! skipped_kind 2 a.warc#6\n"
                                      "! other_warc_record 3 a.warc#1\n"
                                      "! http_status 2 a.warc#4\n");
    buf_release(&b);
}

/* The first document of the bytes, as a file. */
static struct raw_document *first_document(const struct buf *b)
{
    struct raw_document *d;
    struct source *s;
    struct yaml *list;
    struct arena a;
    char path[300];

    snprintf(path, sizeof path, "%s/one", folder);
    assert_ok(file_write_atomic(path, b->p, b->n));
    arena_init(&a);
    assert_ok(yaml_parse(&a, "y", path, strlen(path), &list));
    assert_ok(source_open(list, &wide_limits, &s));
    assert_ok(source_next(s, &d));
    source_close(s);
    arena_release(&a);
    assert_non_null(d);
    return d;
}

static void fields_become_metadata(void **state)
{
    struct buf b = { 0 };
    struct raw_document *d;

    add_record(&b, "warc-type:response\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n"
                   "WARC-Target-URI:\r\n https://example.org/a\r\n\t?b\r\nContent-Type: application/http\r\n"
                   "WARC-Truncated: length\r\nWARC-Identified-Content-Language: deu,eng\r\n",
               span_of("HTTP/2 206 Part\r\nContent-type: text/html ; Charset=\"windows-1252\"\r\n\r\n<html>\xe4"));
    d = first_document(&b);
    assert_string_equal(d->line_id, "urn:uuid:1");
    assert_string_equal(d->created, "2024-05-18T01:58:10Z");
    assert_string_equal(d->charset, "windows-1252");
    assert_string_equal(d->bytes, "<html>\xe4");
    assert_string_equal(d->metadata, "{\"url\":\"https://example.org/a   ?b\",\"content_type\":\"text/html\","
                                     "\"http_status\":206,\"languages\":\"deu,eng\",\"truncated\":\"length\"}");
    raw_document_free(d);
    buf_clear(&b);      /* nothing usable: no id, no date; an address that is not UTF-8 */
    add_record(&b, "WARC-Type: resource\r\nWARC-Record-ID: <two words>\r\nWARC-Date: now\r\nWARC-Target-URI: <x\xff>\r\n",
               span_of("words"));
    d = first_document(&b);
    assert_null(d->line_id);
    assert_null(d->created);
    assert_string_equal(d->metadata, "{\"url\":\"x\xef\xbf\xbd\"}");
    raw_document_free(d);
    buf_release(&b);
}

static void bodies_are_unpacked(void **state)
{
    struct buf b = { 0 }, packed = { 0 }, twice = { 0 };
    const char *text = "<html>some words that are long enough";
    static const unsigned char brotli[] = {      /* the same, by brotli 1.0.9 */
        0x1b, 0x24, 0x00, 0x00, 0x04, 0x5a, 0x72, 0xa4, 0x47, 0x14, 0x79, 0x10, 0xb6, 0xb6, 0x7f, 0xd8,
        0x80, 0x03, 0x97, 0x30, 0xa1, 0x40, 0x17, 0x3a, 0xaf, 0x2d, 0xe5, 0x92, 0x30, 0xfa, 0x35, 0xd0,
        0xe7, 0x95, 0x9b, 0x2f, 0x68, 0x49, 0x02
    };
    char zstd[200];
    size_t n;

#define ANSWER(fields) "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" fields "\r\n\r\n"
    add_gzip(&packed, span_of(text), 31);
    add_answer(&b, ANSWER("Content-Encoding: gzip"), (struct span){ packed.p, packed.n });
    add_answer(&b, ANSWER("Content-Encoding: gzip"), (struct span){ packed.p, packed.n - 9 });     /* cut */
    add_gzip(&twice, (struct span){ packed.p, packed.n }, 31);
    add_answer(&b, ANSWER("Content-Encoding: gzip, x-gzip"), (struct span){ twice.p, twice.n });
    buf_clear(&packed);
    add_gzip(&packed, span_of(text), 15);
    add_answer(&b, ANSWER("Content-Encoding: deflate"), (struct span){ packed.p, packed.n });
    buf_clear(&packed);
    add_gzip(&packed, span_of(text), -15);
    add_answer(&b, ANSWER("Content-Encoding: Deflate"), (struct span){ packed.p, packed.n });
    add_answer(&b, ANSWER("Content-Encoding: br"), (struct span){ (const char *)brotli, sizeof brotli });
    n = ZSTD_compress(zstd, sizeof zstd, text, strlen(text), 1);
    add_answer(&b, ANSWER("Content-Encoding: zstd"), (struct span){ zstd, n });
    add_answer(&b, ANSWER("Content-Encoding: gzip"), span_of(text));                               /* it is not */
    add_answer(&b, ANSWER("Content-Encoding: sdch"), span_of(text));
    add_answer(&b, ANSWER("Transfer-Encoding: chunked"),
               span_of("b\r\n<html>some \r\n001a;x=y\r\nwords that are long enough\r\n0\r\n\r\n"));
    add_answer(&b, ANSWER("Transfer-Encoding: chunked"), span_of("6\r\n<html>\r\nff\r\nsome"));      /* cut */
    add_answer(&b, ANSWER("Transfer-Encoding: chunked"), span_of("6\r\n<html>\r\nno length\r\n"));   /* broken */
    add_answer(&b, ANSWER("Transfer-Encoding: chunked"), span_of(text));                            /* none */
    read_buf(&b);
    for (int i = 1; i <= 13; i++) {
        char line[100];
        bool cut = i == 2 || i == 11 || i == 12;
        snprintf(line, sizeof line, "html a.warc#%d: %.40s", i, i == 9 || cut ? "" : "<html>some words that are long enough\n");
        if ((strstr(got.text.p, line) != NULL) != (i != 9))
            fail_msg("record %d: no line '%s' in\n%s", i, line, got.text.p);
    }
    assert_non_null(strstr(got.text.p, "html a.warc#11: <html>some\n"));
    assert_non_null(strstr(got.text.p, "! cut_warc_record 3 a.warc#2\n! unknown_encoding 1 a.warc#9\n"));
    buf_release(&b);
    buf_release(&packed);
    buf_release(&twice);
}

/* A body that unpacks to more than is allowed is told, and the next record is read. */
static void bodies_that_are_bombs(void **state)
{
    struct buf b = { 0 }, packed = { 0 };
    char *zeros = mem_alloc(8 << 20);
    struct source_limits limits = wide_limits;

    memset(zeros, 'a', 8 << 20);
    add_gzip(&packed, (struct span){ zeros, 8 << 20 }, 31);
    add_answer(&b, ANSWER("Content-Encoding: gzip"), (struct span){ packed.p, packed.n });
    add_page(&b, "next");
    assert_string_equal(read_buf(&b), "html a.warc#2: <html>next\n! size_limit 1 a.warc#1\n");
    limits.max_document = 16 << 20;
    assert_string_equal(read_bytes_as("a.warc", &b, &limits), "html a.warc#2: <html>next\n! ratio_limit 1 a.warc#1\n");
    limits.max_expanded = 4 << 20;
    assert_string_equal(read_bytes_as("a.warc", &b, &limits), "! size_limit 1 a.warc\n");
    buf_release(&b);
    buf_release(&packed);
    free(zeros);
}

static void wrong_records_cost_themselves(void **state)
{
    struct buf b = { 0 };

    buf_adds(&b, "\r\n\n");
    add_page(&b, "1");
    b.n -= 4;                                                       /* no line ends behind */
    add_page(&b, "2");
    b.n -= 2;                                                       /* one */
    add_page(&b, "3");
    buf_adds(&b, "\r\n\r\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n");    /* many */
    buf_adds(&b, "WARC/0.18\nWARC-Type: resource\nContent-Length: 5\n\nwords\n\n");      /* old, without carriage returns */
    buf_adds(&b, "WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 5000\r\n\r\ntoo long a length\r\n\r\n");
    add_page(&b, "6");
    buf_adds(&b, "WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 7\r\n\r\ntoo short a length\r\nin lines\r\n\r\n");
    add_page(&b, "8");
    buf_adds(&b, "WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: x\r\n\r\nno number\r\n\r\n");
    add_page(&b, "10");
    buf_adds(&b, "WARC/1.1\r\nWARC-Type: resource\r\n\r\nno length\r\n\r\n");
    add_page(&b, "12");
    buf_adds(&b, "garbage\r\nof several lines\n\n");
    add_page(&b, "13");
    buf_adds(&b, "WARC/1.1\r\nWARC-Type: resource\r\n");             /* a head cut off */
    add_page(&b, "15");
    buf_adds(&b, "WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 99999999999999999999999\r\n\r\nendless\r\n\r\n");
    add_page(&b, "17");
    buf_adds(&b, "WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 99999999999\r\n\r\nlarge\r\n\r\n");
    add_page(&b, "19");
    assert_string_equal(read_buf(&b), "html a.warc#1: <html>1\n"
                                      "html a.warc#2: <html>2\n"
                                      "html a.warc#3: <html>3\n"
                                      "text a.warc#4: words\n"
                                      "text a.warc#5: too long a length\n"
                                      "html a.warc#6: <html>6\n"
                                      "text a.warc#7: too sho\n"
                                      "html a.warc#8: <html>8\n"
                                      "html a.warc#10: <html>10\n"
                                      "html a.warc#12: <html>12\n"
                                      "html a.warc#13: <html>13\n"
                                      "html a.warc#15: <html>15\n"
                                      "html a.warc#17: <html>17\n"
                                      "html a.warc#19: <html>19\n"
                                      "! size_limit 1 a.warc#18\n"
                                      "! bad_warc_record 7 a.warc#5\n");
    buf_release(&b);
}

/* Cut anywhere, a file gives all records before the cut, and of the one that was cut what there is. */
static void cut_anywhere(void **state)
{
    struct buf b = { 0 };
    size_t at[5] = { 0 };

    for (int i = 0; i < 4; i++) {
        char text[20];
        snprintf(text, sizeof text, "page %d", i);
        add_page(&b, text);
        at[i + 1] = b.n;
    }
    for (size_t n = at[1]; n < b.n; n++) {
        struct buf cut = { b.p, n, n };
        size_t whole = 1, documents, faults;
        while (whole < 4 && at[whole + 1] <= n + 4)     /* the line ends behind a record may be missing */
            whole++;
        read_buf(&cut);
        documents = got.stats.documents;
        faults = got.stats.outcomes[SOURCE_CUT_RECORD] + got.stats.outcomes[SOURCE_BAD_RECORD] +
                 got.stats.outcomes[SOURCE_EMPTY];
        if (documents < whole || documents > whole + 1 || faults > 1 || (documents > whole && faults == 0))
            fail_msg("cut at %zu: %zu documents of %zu, %zu faults\n%s", n, documents, whole, faults, got.text.p);
        if (n > at[whole] + 4 && faults == 0 && documents == whole && n < at[whole + 1] - 4 && whole < 4)
            fail_msg("cut at %zu: nothing is told\n%s", n, got.text.p);
    }
    buf_release(&b);
}

/* A record a member: damage costs the records that it lies in. */
static void damaged_members_are_gaps(void **state)
{
    struct buf record = { 0 }, b = { 0 }, bad = { 0 };
    size_t at[41];

    for (int i = 0; i < 40; i++) {
        struct buf page = { 0 };
        for (int k = 0; k < 3000; k++)
            buf_printf(&page, "%d ", (k * 7919 + i * 104729) % 100000);
        buf_clear(&record);
        add_page(&record, page.p);
        at[i] = b.n;
        add_gzip(&b, (struct span){ record.p, record.n }, 31);
        buf_release(&page);
    }
    at[40] = b.n;
    read_bytes_as("a.warc.gz", &b, &wide_limits);
    assert_int_equal(got.stats.documents, 40);
    for (int i = 0; i < 39; i += 6) {
        buf_clear(&bad);
        buf_add(&bad, b.p, at[i] + 3000);
        buf_add(&bad, b.p + at[i] + 5000, b.n - at[i] - 5000);      /* bytes are missing in record i */
        read_bytes_as("a.warc.gz", &bad, &wide_limits);
        assert_in_range(got.stats.documents, 39, 40);
        assert_int_equal(got.stats.outcomes[SOURCE_DAMAGED], 1);
        buf_clear(&bad);
        buf_add(&bad, b.p, at[i + 1]);
        buf_adds(&bad, "garbage between members");
        buf_add(&bad, b.p + at[i + 1], b.n - at[i + 1]);
        read_bytes_as("a.warc.gz", &bad, &wide_limits);
        assert_int_equal(got.stats.documents, 40);
        assert_int_equal(got.stats.outcomes[SOURCE_DAMAGED], 1);
    }
    buf_clear(&bad);
    buf_add(&bad, b.p, b.n - 2000);
    read_bytes_as("a.warc.gz", &bad, &wide_limits);
    assert_int_equal(got.stats.documents, 40);
    assert_int_equal(got.stats.outcomes[SOURCE_TRUNCATED], 1);
    assert_int_equal(got.stats.outcomes[SOURCE_CUT_RECORD], 1);
    buf_release(&record);
    buf_release(&b);
    buf_release(&bad);
}

/* Thousands of heads, each with a length that covers all that follows: linear time, every record found or told. */
static void lengths_that_cover_all(void **state)
{
    struct buf b = { 0 };
    struct source_limits limits = wide_limits;

    for (int i = 0; i < 40000; i++)
        buf_adds(&b, "WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 8000000\r\n\r\nx\r\n\r\n");
    limits.max_document = 8 << 20;
    read_bytes_as("a.warc", &b, &limits);
    assert_true(got.stats.documents > 0);
    assert_true(got.stats.outcomes[SOURCE_BAD_RECORD] > 0);
    buf_release(&b);
}

/* Frames that share a dictionary, which stands in the first (Common Crawl's and Archive Team's WARC.zst). */
static void zstd_with_a_dictionary(void **state)
{
    struct buf b = { 0 }, record = { 0 }, samples = { 0 };
    size_t sizes[200], n;
    char dictionary[8192], packed[20000];
    unsigned char head[8] = { 0x5d, 0x2a, 0x4d, 0x18 };
    ZSTD_CCtx *c = ZSTD_createCCtx();

    for (int i = 0; i < 200; i++) {
        size_t before = samples.n;
        buf_printf(&samples, "WARC/1.0\r\nWARC-Type: response\r\nx: %d\r\n", i);
        for (int k = 0; k < 50; k++)
            buf_printf(&samples, "some words %d that come again ", (i * 31 + k * 7) % 1000);
        sizes[i] = samples.n - before;
    }
    n = ZDICT_trainFromBuffer(dictionary, sizeof dictionary, samples.p, sizes, 200);
    assert_false(ZDICT_isError(n));
    for (int i = 0; i < 4; i++)
        head[4 + i] = (unsigned char)(n >> 8 * i);
    buf_add(&b, head, sizeof head);
    buf_add(&b, dictionary, n);
    for (int i = 0; i < 3; i++) {
        buf_clear(&record);
        add_page(&record, "some words that come again");
        n = ZSTD_compress_usingDict(c, packed, sizeof packed, record.p, record.n, dictionary, head[4] | (size_t)head[5] << 8, 3);
        assert_false(ZSTD_isError(n));
        buf_add(&b, packed, n);
    }
    assert_string_equal(read_bytes_as("a.warc.zst", &b, &wide_limits),
                        "html a.warc.zst#1: <html>some words that come again\n"
                        "html a.warc.zst#2: <html>some words that come again\n"
                        "html a.warc.zst#3: <html>some words that come again\n");
    ZSTD_freeCCtx(c);
    buf_release(&b);
    buf_release(&record);
    buf_release(&samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_become_documents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fields_become_metadata, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bodies_are_unpacked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bodies_that_are_bombs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_records_cost_themselves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_members_are_gaps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lengths_that_cover_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zstd_with_a_dictionary, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
