/* document_parse() on any bytes. What it takes is JSON by jansson, too, with the same texts; what jansson takes as a document
 * it takes; and printing gives a line that parses to the same document and prints the same. */
#include "base/json.h"
#include "store/documents/documents.h"
#include "tests/fuzz/fuzz_check.h"

static bool same(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void check_round_trip(const struct document *d)
{
    struct document_scan how = { 0 };
    struct arena a = { 0 };
    struct buf first = { 0 }, second = { 0 };
    struct document again;

    document_print(&first, d);
    CHECK(first.p[first.n - 1] == '\n' && memchr(first.p, '\n', first.n) == first.p + first.n - 1);
    CHECK(document_parse(&how, (struct span){ first.p, first.n - 1 }, &a, &again) == ST_OK);
    CHECK(same(d->id, again.id) && same(d->text, again.text) && same(d->source, again.source) &&
          same(d->created, again.created) && d->metadata.n == again.metadata.n);
    document_print(&second, &again);
    CHECK(first.n == second.n && memcmp(first.p, second.p, first.n) == 0);
    buf_release(&first);
    buf_release(&second);
    arena_release(&a);
}

static bool same_text(const json_t *object, const char *key, struct span seen)
{
    const json_t *value = json_object_get(object, key);

    return !json_is_string(value) ||
           same(seen, (struct span){ json_string_value(value), json_string_length(value) });
}

/* But for what jansson and we take differently on purpose: surrogates without a partner, numbers that do not fit, NUL in
 * names, deep nesting, names that stand twice; and a NUL byte behind a number, which jansson 2.14 lets pass. */
static void check_against_jansson(const uint8_t *p, size_t n, const struct document *d, enum status st)
{
    json_error_t e;
    json_t *object = json_loadb((const char *)p, n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &e);
    enum json_error_code why = object ? 0 : json_error_code(&e);

    if (object == NULL && st == ST_OK)
        CHECK(why == json_error_numeric_overflow || why == json_error_null_byte_in_key ||
              why == json_error_null_character || why == json_error_duplicate_key || why == json_error_stack_overflow ||
              strstr(e.text, "surrogate") || strstr(e.text, "Unicode"));
    if (object != NULL && st == ST_OK)
        CHECK(same_text(object, "id", d->id) && same_text(object, "text", d->text) &&
              same_text(object, "source", d->source) && same_text(object, "created", d->created));
    if (json_is_object(object) && st != ST_OK && json_is_string(json_object_get(object, "text")) &&
        json_is_string(json_object_get(object, "id")) && memchr(p, 0, n) == NULL)
        CHECK(strstr(fail_message(), "deeper") || strstr(fail_message(), " wants "));
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct document_scan ours = { 0 }, foreign = { .text_key = "content", .id_optional = true };
    struct arena a = { 0 };
    struct document d = { 0 };
    enum status st = document_parse(&ours, (struct span){ (const char *)p, n }, &a, &d);

    check_against_jansson(p, n, &d, st);
    if (st == ST_OK)
        check_round_trip(&d);
    arena_reset(&a);
    if (document_parse(&foreign, (struct span){ (const char *)p, n }, &a, &d) == ST_OK)
        check_round_trip(&d);
    arena_release(&a);
    return 0;
}
