#include "test.h"

#include <math.h>
#include <stdio.h>
#include <time.h>
#include <utf8proc.h>

#include "base/arena.h"
#include "base/rng.h"
#include "curate/steps/normalize.h"

static struct arena arena;
static struct step_work work;
static struct doc last;

/* The text after the step, or "(reason)". */
static const char *normalized(const char *yaml, const char *p, size_t n)
{
    struct normalize_cfg cfg = { 0 };
    struct yaml *options;
    const char *text;

    assert_ok(yaml_parse(&arena, "options", yaml, strlen(yaml), &options));
    assert_ok(opt_from_yaml(normalize_opts, &arena, options, &cfg));
    memset(&last, 0, sizeof last);
    memset(work.counts, 0, sizeof work.counts);
    buf_add(&last.text, p, n);
    last.ill_formed = !utf8_valid(p, n);
    assert_ok(normalize_each(&cfg, &last, &work));
    text = last.dropped ? arena_printf(&arena, "(%s)", last.dropped->key) : arena_strndup(&arena, last.text.p, last.text.n);
    buf_release(&last.text);
    return text;
}

static void check(const char *yaml, const char *text, const char *want)
{
    const char *once = normalized(yaml, text, strlen(text));

    assert_string_equal(once, want);
    if (*once != '(')
        assert_string_equal(normalized(yaml, once, strlen(once)), once);     /* twice is once */
}

static void lines_and_blanks_take_one_form(void **state)
{
    check("{}", "a\r\nb\rc\nd", "a\nb\nc\nd");
    check("{}", "a\vb\fc\xC2\x85" "d", "a\nb\nc\nd");
    check("{}", "a \t\nb\t ", "a\nb");
    check("{}", "\n \n  a\n\n\n\n\nb\n\n", "  a\n\n\nb");
    check("{}", "a\n \n\t\n \nb", "a\n\n\nb");
    check("{blank-lines: 0}", "a\n\n\nb\nc", "a\nb\nc");
    check("{trailing-spaces: false}", "a  \nb ", "a  \nb");
    check("{newlines: false}", "a\r\nb\rc", "a\r\nb\rc");
    check("{newlines: false}", "a\fb", "ab");
    check("{newlines: false, controls: false}", "a\fb", "a\fb");
}

static void controls_go_but_for_tab_and_line_feed(void **state)
{
    check("{}", "\xEF\xBB\xBF" "a\x01\tb\x7F\xC2\x80\xC2\x9F" "c\x1B[0m", "a\tbc[0m");
    check("{}", "\n\xEF\xBB\xBF\x02\xEF\xBB\xBF" "a\xEF\xBB\xBF\xEF\xBC\x81", "a\xEF\xBB\xBF\xEF\xBC\x81");
    check("{controls: false}", "a\x01" "b\xC2\x80", "a\x01" "b\xC2\x80");
    check("{}", "\xC2\xA0 x \xC3\x80", "\xC2\xA0 x \xC3\x80");
    assert_string_equal(normalized("{}", "a\0b", 3), "ab");
    assert_int_equal(work.counts[2], 1);
}

static void nothing_left_is_a_reason(void **state)
{
    check("{}", " \n\t\r\n\x01", "(empty)");
    assert_string_equal(normalized("{}", "", 0), "(empty)");
}

static void bytes_are_repaired_up_to_the_threshold(void **state)
{
    char text[101];

    memset(text, 'x', 100);
    memset(text, 0xFF, 5);
    assert_string_equal(normalized("{}", "na\xEFve caf\xE9 in Latin-1, and enough text around them to be kept", 61),
                        "na\xEF\xBF\xBDve caf\xEF\xBF\xBD in Latin-1, and enough text around them to be kept");
    assert_int_equal(work.counts[0], 2);
    assert_int_equal(work.counts[1], 1);
    assert_int_not_equal(normalized("{}", text, 100)[0], '(');       /* 5 of 100: not more than the share */
    text[5] = (char)0xFF;
    assert_string_equal(normalized("{}", text, 100), "(invalid_utf8)");
    assert_true(fabs(last.value - 0.06) < 1e-12 && last.threshold == 0.05);
    assert_int_not_equal(normalized("{max-invalid: 0.06}", text, 100)[0], '(');
    assert_string_equal(normalized("{repair: false}", "a long text with \xFF in it", 24), "(invalid_utf8)");
    assert_true(last.threshold == 0);
}

/* ---- NFC against utf8proc's own, over the whole text ---- */

static uint32_t odd_code_point(struct rng *r)
{
    static const uint32_t few[] = { 0x41, 0x65, 0x301, 0x327, 0x323, 0x307, 0x1E9B, 0x212B, 0x1100, 0x1161, 0x11A8, 0xAC00,
                                    0xAC01, 0x9C7, 0x9BE, 0x2F800, 0x1D15E, 0x11099, 0x110BA, 0x340, 0xF900, 0x3099, 0x304B };
    uint64_t draw = rng_below(r, 4);
    uint32_t cp;

    if (draw > 0)
        return few[rng_below(r, sizeof few / sizeof few[0])];
    do
        cp = (uint32_t)rng_below(r, 0x30000);
    while (cp == 0 || (cp >= 0xD800 && cp < 0xE000));
    return cp;
}

static void nfc_is_what_utf8proc_makes_of_the_whole(void **state)
{
    struct rng r = { .seed = 5 };
    struct nfc_scratch *scratch = NULL;
    struct buf text = { 0 }, out = { 0 };
    int changed = 0;

    for (int round = 0; round < 4000; round++) {
        utf8proc_uint8_t *want;
        utf8proc_ssize_t n;
        uint64_t kept = 0;
        char one[4];

        buf_clear(&text);
        buf_clear(&out);
        for (uint64_t i = 0, chars = rng_below(&r, 40); i < chars; i++)
            buf_add(&text, one, utf8_encode(odd_code_point(&r), one));
        n = utf8proc_map((const utf8proc_uint8_t *)(text.p ? text.p : ""), (utf8proc_ssize_t)text.n, &want,
                         UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        assert_true(n >= 0);
        if (nfc_append(&out, (struct span){ text.p ? text.p : "", text.n }, &kept, &scratch)) {
            assert_int_equal(out.n, n);
            assert_memory_equal(out.p, want, (size_t)n);
            changed++;
        } else {
            assert_int_equal(text.n, n);
            assert_int_equal(memcmp(text.p ? text.p : "", want, (size_t)n), 0);
        }
        free(want);
    }
    assert_true(changed > 1000);
    buf_release(&text);
    buf_release(&out);
    nfc_scratch_free(scratch);
}

/* Every code point alone, and behind a letter. */
static void nfc_knows_every_code_point(void **state)
{
    struct nfc_scratch *scratch = NULL;
    struct buf out = { 0 };

    for (uint32_t cp = 1; cp < 0x110000; cp += cp == 0xD7FF ? 0x801 : 1) {
        char text[8] = "e";
        size_t bytes = 1 + utf8_encode(cp, text + 1);
        utf8proc_int32_t parts[16];
        char want[64];
        uint64_t kept = 0;
        utf8proc_ssize_t n = utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes, parts, 16,
                                                UTF8PROC_STABLE | UTF8PROC_COMPOSE);

        assert_true(n > 0 && n < 16);
        n = utf8proc_reencode(parts, n, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        memcpy(want, parts, (size_t)n);
        buf_clear(&out);
        if (!nfc_append(&out, (struct span){ text, bytes }, &kept, &scratch))
            buf_add(&out, text, bytes);
        if (out.n != (size_t)n || memcmp(out.p, want, (size_t)n) != 0)
            fail_msg("U+%04X", (unsigned)cp);
    }
    buf_release(&out);
    nfc_scratch_free(scratch);
}

/* Marks are sorted in quadratic time by whoever sorts them naively: a megabyte of them must not take long. */
static void a_long_run_of_marks_stays_and_takes_no_time(void **state)
{
    struct buf text = { 0 };
    clock_t start = clock();
    const char *got;

    buf_addc(&text, 'e');
    for (int i = 0; i < 250000; i++)
        buf_adds(&text, i % 2 ? "\xCC\x81" : "\xCC\xA7");
    buf_adds(&text, "\ne\xCC\x81");
    got = normalized("{}", text.p, text.n);
    assert_int_equal(strlen(got), text.n - 1);
    assert_int_equal(work.counts[3], 1);
    assert_string_equal(got + strlen(got) - 3, "\n\xC3\xA9");
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
    buf_release(&text);
}

/* What a control character kept apart is composed when it is gone. */
static void cleaning_comes_before_composing(void **state)
{
    check("{}", "e\x01\xCC\x81", "\xC3\xA9");
    check("{unicode: none}", "e\xCC\x81", "e\xCC\x81");
}

static int tear_down(void **state)
{
    step_work_release(NULL, &work);
    arena_release(&arena);
    return 0;
}

/* Half of Russian that was read as ISO 8859-1 is control characters: they go only where they are none of it. */
static void mojibake_is_mended_where_it_is_asked_for(void **state)
{
    const char *bad = "caf\xC3\x83\xC2\xA9 one\n\xC3\x90\xC2\x9C\xC3\x90\xC2\xB8\xC3\x91\xC2\x80\n\xC2\x85 x";

    check("{}", "caf\xC3\x83\xC2\xA9", "caf\xC3\x83\xC2\xA9");
    check("{mojibake: true}", bad, "caf\xC3\xA9 one\n\xD0\x9C\xD0\xB8\xD1\x80\n\n x");
    normalized("{mojibake: true}", bad, strlen(bad));
    for (int i = 0; normalize_counters[i] != NULL; i++)
        if (strncmp(normalize_counters[i], "mojibake_", 9) == 0)
            assert_int_equal(work.counts[i], strcmp(normalize_counters[i], "mojibake_documents") == 0 ? 1 : 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_blanks_take_one_form),
        cmocka_unit_test(controls_go_but_for_tab_and_line_feed),
        cmocka_unit_test(nothing_left_is_a_reason),
        cmocka_unit_test(bytes_are_repaired_up_to_the_threshold),
        cmocka_unit_test(nfc_is_what_utf8proc_makes_of_the_whole),
        cmocka_unit_test(nfc_knows_every_code_point),
        cmocka_unit_test(a_long_run_of_marks_stays_and_takes_no_time),
        cmocka_unit_test(cleaning_comes_before_composing),
        cmocka_unit_test(mojibake_is_mended_where_it_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
