/* The quick check of NFC: the parts it names, normalized, and the rest as it is, are the NFC of the whole. */
#include "test.h"

#include <string.h>

#include "base/rng.h"
#include "tokenize/encode/nfc_quick.h"
#include "tokenize/encode/token_nfc.h"

/* Returns how many bytes lay in parts. */
static size_t normalize_by_parts(const struct nfc_quick *q, struct token_nfc *s, struct span text, struct buf *out)
{
    size_t done = 0, first, last, changed = 0;

    buf_clear(out);
    while (nfc_quick_next(q, text, done, &first, &last)) {
        assert_true(first >= done && last > first && last <= text.n);
        buf_add(out, text.p + done, first - done);
        token_nfc(s, (struct span){ text.p + first, last - first }, FORM_NFC, out);
        changed += last - first;
        done = last;
    }
    buf_add(out, text.p + done, text.n - done);
    return changed;
}

static void check(const struct nfc_quick *q, struct token_nfc *s, const struct buf *text)
{
    static struct buf parts, whole;
    struct span all = { text->p, text->n };

    normalize_by_parts(q, s, all, &parts);
    buf_clear(&whole);
    token_nfc(s, all, FORM_NFC, &whole);
    assert_int_equal(parts.n, whole.n);
    assert_memory_equal(parts.p, whole.p, whole.n);
}

static void add(struct buf *out, uint32_t c)
{
    char utf8[4];

    buf_add(out, utf8, utf8_encode(c, utf8));
}

static void every_code_point_by_itself_and_between_others(void **state)
{
    static const uint32_t before[] = { 'a', 'e', 0x1100, 0xAC00, 0x9C7, 0x301, 0x915 }, after[] = { 0x301, 0x323, 0x1161, 0x11A8, 0x9BE, 0x93C };
    struct nfc_quick *q = nfc_quick_new();
    struct token_nfc s = { 0 };
    struct buf text = { 0 };

    for (uint32_t c = 0; c < 0x110000; c++) {
        /* utf8proc 2.8 takes U+11A7 for a final consonant and loses it; in parts it is never behind a syllable */
        if ((c >= 0xD800 && c < 0xE000) || c == 0x11A7 || (c > 0x30000 && c % 0x1003))
            continue;
        buf_clear(&text);
        for (size_t i = 0; i < 6; i++) {
            add(&text, before[i]);
            add(&text, c);
            add(&text, after[i]);
        }
        add(&text, before[6]);
        add(&text, c);
        add(&text, c);
        check(q, &s, &text);
    }
    token_nfc_release(&s);
    buf_release(&text);
    nfc_quick_free(q);
}

static void random_texts_of_what_composes(void **state)
{
    static const uint32_t from[] = { 0x20, 0xC0, 0x300, 0x340, 0x9B0, 0x1100, 0x1160, 0x11A0, 0x1E00, 0x3040, 0xAC00, 0xF900, 0xFB1D, 0x11099, 0x1D15E, 0x2F800 };
    struct nfc_quick *q = nfc_quick_new();
    struct token_nfc s = { 0 };
    struct buf text = { 0 };
    struct rng r = { .seed = 5 };

    for (int round = 0; round < 3000; round++) {
        size_t n = rng_below(&r, 60);

        buf_clear(&text);
        buf_adds(&text, "");
        for (size_t i = 0; i < n; i++)
            add(&text, from[rng_below(&r, sizeof from / sizeof *from)] + (uint32_t)rng_below(&r, 0x60));
        check(q, &s, &text);
    }
    token_nfc_release(&s);
    buf_release(&text);
    nfc_quick_free(q);
}

/* Else it would be no quick check. */
static void plain_text_has_no_part(void **state)
{
    static const char *const texts[] = { "Plain ASCII, and more of it.", "Größe, façade, naïve", "東京は日本の首都です。你好，世界！", "Москва и река",
                                         "안녕하세요", "שלום", "🙂 — “quotes” … €" };
    struct nfc_quick *q = nfc_quick_new();
    size_t first, last;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(nfc_quick_next(q, span_of(texts[i]), 0, &first, &last));
    assert_true(nfc_quick_next(q, span_of("plain cafe\xCC\x81 plain"), 0, &first, &last));
    assert_int_equal(first, 9);
    assert_int_equal(last, 12);
    nfc_quick_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_by_itself_and_between_others),
        cmocka_unit_test(random_texts_of_what_composes),
        cmocka_unit_test(plain_text_has_no_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
