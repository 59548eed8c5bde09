/* Pre-tokenization: every behavior of Split as the peer has it (golden/make_splits.py), in batches. */
#include "test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "tokenize/making.h"

/* ---- Hugging Face's Split ---- */

static const char *const behaviors[] = { "Isolated", "Removed", "MergedWithPrevious", "MergedWithNext",
                                         "Contiguous" };

static struct pretok *chain_of(const json_t *rules)
{
    struct pretok *p = pretok_new();

    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        const char *name = json_string_value(json_array_get(rule, 1));
        struct pretok_rule r = { .what = "golden", .pattern = json_string_value(json_array_get(rule, 0)),
                                 .invert = json_is_true(json_array_get(rule, 2)) };

        while (strcmp(behaviors[r.behavior], name) != 0)
            r.behavior++;
        assert_ok(pretok_add(p, &r));
    }
    return p;
}

/* Prints the pieces that are kept as the golden file has them, "[[0, 3], [3, 4]]". */
static void print_pieces(const struct pretok *p, struct span text, struct buf *out)
{
    struct pretok_run *run = pretok_run_new(p);
    const uint32_t *ends;
    size_t n, from = 0;

    pretok_begin(run, text);
    buf_adds(out, "[");
    for (;;) {
        assert_ok(pretok_next(run, &ends, &n));
        if (n == 0)
            break;
        for (size_t i = 0; i < n; i++) {
            size_t end = ends[i] & ~PRETOK_DROPPED;

            assert_in_range(end, from + 1, text.n);
            if (end == ends[i])
                buf_printf(out, "%s[%zu, %zu]", out->n > 1 ? ", " : "", from, end);
            else
                assert_true(pretok_drops(p));
            from = end;
        }
    }
    assert_int_equal(from, text.n);
    buf_adds(out, "]");
    pretok_run_free(run);
}

static void check_split(const char *line, size_t n)
{
    json_t *c = json_loadb(line, n, 0, NULL);
    struct pretok *p = chain_of(json_object_get(c, "rules"));
    char *want = json_dumps(json_object_get(c, "pieces"), 0);
    struct buf seen = { 0 };

    print_pieces(p, span_of(json_string_value(json_object_get(c, "text"))), &seen);
    if (strcmp(seen.p, want) != 0)
        fail_msg("%.*s\nmade %s", (int)n, line, seen.p);
    buf_release(&seen);
    free(want);
    pretok_free(p);
    json_decref(c);
}

static void splits_are_those_of_the_peer(void **state)
{
    struct buf file = { 0 };
    int cases = 0;

    assert_ok(file_read(making_golden("splits", "jsonl"), 1 << 20, &file));
    for (const char *line = file.p, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, cases++)
        check_split(line, (size_t)(end - line));
    assert_in_range(cases, 900, 5000);
    buf_release(&file);
}

/* ---- sets ---- */

/* The 4096 code points from `first` on, but zero and surrogates; its length. */
static size_t code_points(uint32_t first, char text[4 * 4096])
{
    size_t n = 0;

    for (uint32_t cp = first; cp < first + 4096; cp++)
        if (cp > 0 && (cp < 0xD800 || cp > 0xDFFF))
            n += utf8_encode(cp, text + n);
    return n;
}

/* Counts the kept pieces; mix goes on: a hash of where they begin and end, as make_splits.py has it. */
static size_t hash_pieces(const struct pretok *p, struct span text, uint32_t *mix)
{
    struct pretok_run *run = pretok_run_new(p);
    const uint32_t *ends;
    size_t n, from = 0, count = 0;

    for (pretok_begin(run, text);;) {
        assert_ok(pretok_next(run, &ends, &n));
        if (n == 0)
            break;
        for (size_t i = 0; i < n; i++) {
            uint32_t end = ends[i] & ~PRETOK_DROPPED;

            if (end == ends[i]) {
                *mix = ((*mix ^ (uint32_t)from) * 16777619u ^ end) * 16777619u;
                count++;
            }
            from = end;
        }
    }
    pretok_run_free(run);
    return count;
}

static void check_set(const char *line, size_t n)
{
    json_t *c = json_loadb(line, n, 0, NULL);
    struct pretok *p = pretok_new();
    bool removed = strcmp(json_string_value(json_object_get(c, "behavior")), "Removed") == 0;
    uint32_t mix = 0;
    size_t count = 0;
    char text[4 * 4096];

    assert_ok(pretok_add(p, &(struct pretok_rule){ .what = "golden", .invert = removed,
                                .pattern = json_string_value(json_object_get(c, "pattern")),
                                .behavior = removed ? PRETOK_REMOVED : PRETOK_ISOLATED }));
    for (uint32_t first = 0; first < 0x110000; first += 4096)
        count += hash_pieces(p, (struct span){ text, code_points(first, text) }, &mix);
    if ((json_int_t)count != json_integer_value(json_object_get(c, "pieces")) ||
        (json_int_t)mix != json_integer_value(json_object_get(c, "mix")))
        fail_msg("%.*s\nmade %zu pieces, %u", (int)n, line, count, (unsigned)mix);
    pretok_free(p);
    json_decref(c);
}

static void sets_are_those_of_the_peer_on_all_code_points(void **state)
{
    struct buf file = { 0 };
    int cases = 0;

    assert_ok(file_read(making_golden("sets", "jsonl"), 1 << 20, &file));
    for (const char *line = file.p, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, cases++)
        check_set(line, (size_t)(end - line));
    assert_in_range(cases, 25, 200);
    buf_release(&file);
}

/* ---- batches ---- */

static void a_long_text_comes_in_bounded_batches(void **state)
{
    enum { N = 300000 };
    struct pretok *p = pretok_new();
    struct pretok_run *run;
    char *text = mem_alloc(N);
    const uint32_t *ends;
    size_t n, from = 0, batches = 0;

    memset(text, 'a', N);
    for (size_t i = 0; i < N; i += 3)
        text[i] = '-';
    assert_ok(pretok_add(p, &(struct pretok_rule){ .what = "t", .pattern = "-" }));
    assert_ok(pretok_add(p, &(struct pretok_rule){ .what = "t", .pattern = "a", .behavior = PRETOK_MERGED_WITH_NEXT }));
    run = pretok_run_new(p);
    pretok_begin(run, (struct span){ text, N });
    for (;; batches++) {
        assert_ok(pretok_next(run, &ends, &n));
        if (n == 0)
            break;
        assert_in_range(n, 1, 4096);
        for (size_t i = 0; i < n; i++, from++)
            assert_int_equal(ends[i], from + 1);
    }
    assert_int_equal(from, N);
    assert_true(batches > 50);
    assert_false(pretok_drops(p));
    free(text);
    pretok_run_free(run);
    pretok_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_are_those_of_the_peer),
        cmocka_unit_test(sets_are_those_of_the_peer_on_all_code_points),
        cmocka_unit_test(a_long_text_comes_in_bounded_batches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
