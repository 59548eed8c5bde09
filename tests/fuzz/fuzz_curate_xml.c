/* Any bytes as XML: read as a source with options, and by the scanner in one piece and in pieces of one byte, which
 * must tell the same. */
#include "curate/source/xml_scan.h"
#include "tests/fuzz/curate_memory.h"
#include "tests/fuzz/fuzz_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct told {
    struct xml_text text;
    struct buf events;
    int depth;
};

static void on_open(void *ctx, const struct xml_tag *tag)
{
    struct told *t = ctx;

    CHECK(tag->depth == ++t->depth && tag->depth <= XML_DEPTH);
    buf_addc(&t->events, '<');
    buf_add(&t->events, tag->name.p, tag->name.n);
    for (size_t i = 0; i < tag->count; i++) {
        buf_add(&t->events, tag->attributes[i].name.p, tag->attributes[i].name.n);
        buf_add(&t->events, tag->attributes[i].value.p, tag->attributes[i].value.n);
    }
    xml_text_tag(&t->text, tag->name);
}

static void on_close(void *ctx, struct span name, int depth)
{
    struct told *t = ctx;

    CHECK(depth == t->depth--);
    buf_addc(&t->events, '>');
    buf_add(&t->events, name.p, name.n);
    xml_text_tag(&t->text, name);
}

static void on_text(void *ctx, struct span text)
{
    struct told *t = ctx;

    CHECK(text.n > 0 && t->depth > 0);
    buf_add(&t->events, text.p, text.n);
    xml_text_add(&t->text, text);
}

static void scan(const char *p, size_t n, size_t piece, struct told *t)
{
    static const struct xml_handler handler = { on_open, on_close, on_text };
    struct xml_scan *x = xml_scan_new(&handler, t, NULL);
    size_t at = 0;

    xml_text_begin(&t->text, 4096);
    while (at < n && xml_scan_fault(x) == NULL) {
        size_t want = n - at < piece ? n - at : piece;

        CHECK(xml_scan_take(x, (struct span){ p + at, want }) <= want);
        at += want;
    }
    if (xml_scan_fault(x) == NULL)
        xml_scan_end(x);
    buf_printf(&t->events, "|%s", xml_scan_fault(x) ? "fault" : "");
    CHECK(t->text.out.n <= 4096);
    xml_scan_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct told whole = { .depth = 0 }, pieces = { .depth = 0 };
    const char *s = (const char *)p;

    scan(s, n, n + 1, &whole);
    scan(s, n, n > 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0 ? 3 : 1, &pieces);
    CHECK(whole.events.n == pieces.events.n && memcmp(whole.events.p, pieces.events.p, whole.events.n) == 0);
    buf_release(&whole.events);
    buf_release(&whole.text.out);
    buf_release(&pieces.events);
    buf_release(&pieces.text.out);
    read_named(".xml", ", elements: [d, p/q], id: '@i/@j', metadata: [t, '@k', d]", p, n, NULL);
    read_named(".xml", ", elements: '*', encoding: windows-1252", p, n, NULL);
    return 0;
}
