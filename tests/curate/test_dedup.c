/* The three methods of `dedup` against what can be counted by hand or by brute force. */
#include "curate/documents.h"

#include <math.h>

#include "curate/dedup/minhash.h"
#include "curate/dedup/shingles.h"

static struct documents docs;
static struct result result;

static void begin(void) { documents_begin(&docs); }

static void end(void)
{
    result_end(&result);
    documents_end(&docs);
}

/* ---- words and sets ---- */

static void shingles_see_letters_and_digits_alone(void **state)
{
    static const char *const same[] = {
        "One, two: THREE 4!", "one two three 4", "\xC3\x84pfel und B\xC3\x84ume", "\xC3\xA4pfel und b\xC3\xA4ume!",
        "\xE4\xBD\xA0\xE5\xA5\xBD", "\xE4\xBD\xA0 \xE5\xA5\xBD", "a\xE4\xBD\xA0" "b", "a \xE4\xBD\xA0 b", NULL
    };
    struct shingles a = { 0 }, b = { 0 };

    for (int i = 0; same[i]; i += 2) {
        shingles_of(&a, span_of(same[i]), 1);
        shingles_of(&b, span_of(same[i + 1]), 1);
        assert_int_equal(a.count, b.count);
        assert_memory_equal(a.v, b.v, a.count * sizeof *a.v);
    }
    shingles_of(&a, span_of("one two three four"), 5);
    assert_int_equal(a.count, 0);
    shingles_of(&a, span_of("version 12 of it"), 4);
    shingles_of(&b, span_of("version 13 of it"), 4);
    assert_true(a.v[0] != b.v[0]);
    /* letters that differ in one bit are not the same (ASCII letters are made small by that bit) */
    shingles_of(&a, span_of("\xC4\x81"), 1);
    shingles_of(&b, span_of("\xC4\xA1"), 1);
    assert_true(a.v[0] != b.v[0]);
    shingles_release(&a);
    shingles_release(&b);
}

static int by_size(const void *va, const void *vb)
{
    uint64_t a = *(const uint64_t *)va, b = *(const uint64_t *)vb;

    return a < b ? -1 : a > b;
}

/* Sets of any size and kind come out sorted and without doubles. */
static void sets_are_sorted(void **state)
{
    static const size_t sizes[] = { 0, 1, 31, 32, 33, 1000, 70000, 600000 };
    struct shingles s = { 0 };

    for (int kind = 0; kind < 3; kind++)
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            size_t n = sizes[k], distinct = 0;
            uint64_t *want = mem_array(n + 1, sizeof *want);

            s.v = mem_grow(s.v, s.cap = n + 1, sizeof *s.v);
            s.count = n;
            for (size_t i = 0; i < n; i++)       /* spread; many the same; all in one bucket */
                s.v[i] = want[i] = kind == 0 ? rng_at(1, 2, i) : kind == 1 ? rng_at(1, 2, i % 7) : rng_at(1, 2, i) >> 40;
            qsort(want, n, sizeof *want, by_size);
            for (size_t i = 0; i < n; i++)
                if (i == 0 || want[i] != want[i - 1])
                    want[distinct++] = want[i];
            shingles_set(&s);
            assert_int_equal(s.count, distinct);
            assert_int_equal(memcmp(s.v, want, distinct * sizeof *want), 0);
            free(want);
        }
    shingles_release(&s);
}

/* The share of agreeing minima is the Jaccard index, up to chance. */
static void minima_estimate_the_jaccard_index(void **state)
{
    struct minhash m;
    struct shingles a = { 0 }, b = { 0 };
    struct buf x = { 0 }, y = { 0 };
    uint32_t minima[2][1024];
    uint64_t keys[2][128];
    int agree = 0;
    double index;

    minhash_init(&m, 128, 8, 3);
    add_words(&x, 1, 0, 2000);
    add_words(&y, 1, 0, 1500);
    add_words(&y, 2, 0, 500);
    shingles_of(&a, (struct span){ x.p, x.n }, 5);
    shingles_of(&b, (struct span){ y.p, y.n }, 5);
    minhash_keys(&m, &a, minima[0], keys[0]);
    minhash_keys(&m, &b, minima[1], keys[1]);
    for (int i = 0; i < 1024; i++)
        agree += minima[0][i] == minima[1][i];
    shingles_set(&a);
    shingles_set(&b);
    index = shingles_jaccard(&a, &b);
    assert_true(fabs(index - 0.6) < 0.01);
    assert_true(fabs(agree / 1024.0 - index) < 0.06);
    minhash_release(&m);
    shingles_release(&a);
    shingles_release(&b);
    buf_release(&x);
    buf_release(&y);
}

/* ---- exact ---- */

static void the_first_of_equal_texts_stays(void **state)
{
    begin();
    add_text(&docs, "a", "one text");
    add_text(&docs, "b", "another text");
    add_text(&docs, "c", "one text");
    add_text(&docs, "d", "one text ");
    add_text(&docs, "e", "another text");
    add_text(&docs, "f", "one text");
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: exact}}]", .samples = 9 }, &result));
    assert_string_equal(kept_ids(&result), "a b d");
    assert_int_equal(count_of_drops(&result, 1, "exact_duplicate"), 3);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(drops_of(&result, 1, "exact_duplicate"), "samples"), 1), "of")),
                        "b");
    end();
}

/* ---- minhash against brute force ---- */

#define FAMILIES 60
#define MEMBERS 5

static double true_index(struct span a, struct span b)
{
    struct shingles x = { 0 }, y = { 0 };
    double index;

    shingles_of(&x, a, 5);
    shingles_of(&y, b, 5);
    shingles_set(&x);
    shingles_set(&y);
    index = shingles_jaccard(&x, &y);
    shingles_release(&x);
    shingles_release(&y);
    return index;
}

/* Families of texts: a first one, and others with ever more of its words replaced. */
static void add_families(void)
{
    char id[32];

    for (uint64_t f = 0; f < FAMILIES; f++)
        for (uint64_t m = 0; m < MEMBERS; m++) {
            struct buf text = { 0 };

            for (uint64_t i = 0; i < 200 + f * 5; i++)      /* one word in so many is another */
                add_words(&text, m > 0 && rng_at(9, m, i) % (160 / m) == 0 ? 1000 + m : f, i, 1);
            snprintf(id, sizeof id, "%d.%d", (int)f, (int)m);
            add_bytes(&docs, id, text.p, text.n);
            buf_release(&text);
        }
}

static const struct made *made_of(const char *id)
{
    for (size_t i = 0; i < docs.count; i++)
        if (strcmp(docs.v[i].id, id) == 0)
            return &docs.v[i];
    return NULL;
}

/* Every drop is near a document that is kept, by the value that is told. */
static void check_drops(const char *reason)
{
    json_t *sample, *samples = json_object_get(drops_of(&result, 1, reason), "samples");
    size_t i;

    assert_int_equal(json_array_size(samples), docs.count - result.count);
    json_array_foreach(samples, i, sample) {
        const char *id = json_string_value(json_object_get(sample, "id"));
        const char *of = json_string_value(json_object_get(sample, "of"));
        double value = json_real_value(json_object_get(sample, "value"));

        assert_false(is_kept(&result, id));
        assert_true(is_kept(&result, of));
        assert_true(value >= 0.8);
        assert_true(fabs(value - true_index(made_of(id)->text, made_of(of)->text)) < 1e-12);
        assert_true(made_of(of)->text.n >= made_of(id)->text.n);
    }
}

static void minhash_drops_near_duplicates_and_nothing_else(void **state)
{
    int near_pairs = 0, missed = 0, very_near = 0;

    begin();
    add_families();
    for (size_t i = 0; i < docs.count; i++)
        for (size_t j = i / MEMBERS * MEMBERS; j < i; j++)
            near_pairs += true_index(docs.v[i].text, docs.v[j].text) >= 0.8;
    assert_true(near_pairs > 150);
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: minhash}}]", .samples = 1000 }, &result));
    check_drops("near_duplicate");
    for (size_t i = 0; i < result.count; i++)
        for (size_t j = 0; j < i; j++) {
            double index = true_index(result.kept[i].text, result.kept[j].text);
            missed += index >= 0.8;
            very_near += index >= 0.9;
        }
    print_message("%zu of %zu kept; %d near pairs, %d of them kept\n", result.count, docs.count, near_pairs, missed);
    assert_true(missed * 20 <= near_pairs);       /* the search finds a pair at 0.8 with 0.92 */
    assert_int_equal(very_near, 0);               /* and one at 0.9 with 0.9996 */
    for (int f = 0; f < FAMILIES; f++) {          /* no family is lost */
        bool any = false;
        for (int m = 0; m < MEMBERS; m++)
            any |= is_kept(&result, docs.v[f * MEMBERS + m].id);
        assert_true(any);
    }
    end();
}

/* Many more documents than a wave has: what an earlier wave kept is found again. */
static void copies_are_found_over_waves(void **state)
{
    begin();
    for (uint64_t i = 0; i < 2500; i++) {
        struct buf text = { 0 };
        char id[32];

        add_words(&text, i / 2, 0, 20);
        for (uint64_t k = 0; k < 2500 - i / 2; k++)      /* lengths set the order: families far apart */
            buf_addc(&text, ' ');
        if (i % 2)
            buf_adds(&text, "\n\n.");
        snprintf(id, sizeof id, "%d", (int)i);
        add_bytes(&docs, id, text.p, text.n);
        buf_release(&text);
    }
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: minhash}}]" }, &result));
    assert_int_equal(result.count, 1250);
    for (size_t i = 0; i < result.count; i++)            /* the longer one */
        assert_int_equal(atoi(result.kept[i].id.p) % 2, 1);
    end();
}

static void short_documents_are_left_alone(void **state)
{
    begin();
    add_text(&docs, "a", "four words are few");
    add_text(&docs, "b", "four words are few!");
    add_text(&docs, "c", "but five words are enough");
    add_text(&docs, "d", "But five words are enough.");
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: minhash}}]" }, &result));
    assert_string_equal(kept_ids(&result), "a b d");
    end();
}

static void without_verification_a_band_is_enough(void **state)
{
    begin();
    add_families();
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: minhash, verify: false}}]", .samples = 1 }, &result));
    assert_true(count_of_drops(&result, 1, "near_duplicate_unverified") > 3 * FAMILIES);
    assert_int_equal(count_of_drops(&result, 1, "near_duplicate"), 0);
    end();
}

/* ---- containment ---- */

#define EXACTLY "sample: 1"

/* Coverage of document i by the other kept ones, by brute force. */
static double coverage_of(const struct result *r, size_t i)
{
    struct shingles own = { 0 }, all = { 0 }, one = { 0 };
    size_t covered = 0;
    double coverage;

    for (size_t k = 0; k < r->count; k++) {
        if (k == i)
            continue;
        shingles_of(&one, r->kept[k].text, 8);
        all.v = mem_grow(all.v, all.cap = all.count + one.count, sizeof *all.v);
        memcpy(all.v + all.count, one.v, one.count * sizeof *all.v);
        all.count += one.count;
    }
    shingles_set(&all);
    shingles_of(&own, r->kept[i].text, 8);
    shingles_set(&own);
    for (size_t k = 0; k < own.count; k++)
        covered += bsearch(&own.v[k], all.v, all.count, sizeof *all.v, by_size) != NULL;
    coverage = own.count ? (double)covered / (double)own.count : 0;
    shingles_release(&own);
    shingles_release(&all);
    shingles_release(&one);
    return coverage;
}

static void assert_no_kept_document_is_covered(void)
{
    for (size_t i = 0; i < result.count; i++)
        assert_true(coverage_of(&result, i) < 0.7);
}

/* Pages of a book: page p has words [300 p, 300 (p + 1)) of the book's text. */
static void add_part(const char *id, uint64_t book, uint64_t first, size_t words)
{
    struct buf text = { 0 };

    add_words(&text, book, first, words);
    add_bytes(&docs, id, text.p, text.n);
    buf_release(&text);
}

static void add_pages(int pages)
{
    char id[32];

    for (int p = 0; p < pages; p++) {
        snprintf(id, sizeof id, "page%d", p);
        add_part(id, 50, (uint64_t)p * 300, 300);
    }
}

static void a_book_goes_when_its_pages_are_there(void **state)
{
    begin();
    add_pages(4);
    add_part("book", 50, 0, 1200);
    add_part("other", 51, 0, 500);
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: containment, " EXACTLY "}}]" }, &result));
    assert_string_equal(kept_ids(&result), "page0 page1 page2 page3 other");
    assert_no_kept_document_is_covered();
    end();
}

static void its_pages_go_when_the_book_has_more_to_say(void **state)
{
    begin();
    add_pages(4);
    add_part("book", 50, 0, 2400);
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: containment, " EXACTLY "}}]" }, &result));
    assert_string_equal(kept_ids(&result), "book");
    end();
}

static void the_larger_side_stays_if_wanted(void **state)
{
    begin();
    add_pages(4);
    add_part("book", 50, 0, 1200);
    add_part("volume", 50, 600, 600);
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: containment, keep: larger, " EXACTLY "}}]" }, &result));
    assert_string_equal(kept_ids(&result), "book");
    end();
}

/* Two whole editions and the pages: both editions go, one after the other. */
static void editions_go_one_after_the_other(void **state)
{
    begin();
    add_part("edition1", 50, 0, 1200);
    add_part("edition2", 50, 0, 1190);
    add_pages(4);
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: containment, " EXACTLY "}}]" }, &result));
    assert_string_equal(kept_ids(&result), "page0 page1 page2 page3");
    end();
}

static void of_equal_documents_the_first_stays(void **state)
{
    static const char *const chains[] = { "[{dedup: {method: containment, sample: 1}}]",
                                          "[{dedup: {method: containment, sample: 1, keep: larger}}]" };

    for (int i = 0; i < 2; i++) {
        begin();
        add_part("a", 50, 0, 100);
        add_part("b", 51, 0, 100);
        add_part("a2", 50, 0, 100);
        add_part("a3", 50, 0, 100);
        assert_ok(run_documents(&docs, (struct how){ .steps = chains[i] }, &result));
        assert_string_equal(kept_ids(&result), "a b");
        end();
    }
}

/* 100 words have 93 8-grams; sharing the first 72 words is 65 of them (0.699), 73 words 66 (0.7097). */
static void the_threshold_is_where_it_is_said(void **state)
{
    struct buf text = { 0 };

    for (size_t shared = 72; shared <= 73; shared++) {
        begin();
        add_part("long", 50, 0, 1000);
        buf_clear(&text);
        add_words(&text, 50, 0, shared);
        add_words(&text, 60, 0, 100 - shared);
        add_bytes(&docs, "part", text.p, text.n);
        assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: containment, " EXACTLY "}}]", .samples = 1 }, &result));
        assert_string_equal(kept_ids(&result), shared == 72 ? "long part" : "long");
        if (shared == 73)
            assert_true(fabs(json_real_value(json_object_get(drops_of(&result, 1, "contained"), "value_max")) - 66.0 / 93) <
                        1e-12);
        end();
    }
    buf_release(&text);
}

/* Random pieces of a few books, many over each other: in the end nothing kept is covered by what else is kept, and what was lost
 * is counted. */
static void in_the_end_no_kept_document_is_covered(void **state)
{
    static const char *const chains[] = { "[{dedup: {method: containment, sample: 1}}]",
                                          "[{dedup: {method: containment, sample: 1, keep: larger}}]" };

    for (int c = 0; c < 2; c++) {
        json_t *counts;
        char id[32];

        begin();
        for (uint64_t i = 0; i < 150; i++) {
            snprintf(id, sizeof id, "%d", (int)i);
            add_part(id, 70 + rng_at(1, 1, i) % 3, rng_at(1, 2, i) % 3000, 60 + rng_at(1, 3, i) % 600);
        }
        assert_ok(run_documents(&docs, (struct how){ .steps = chains[c] }, &result));
        assert_true(result.count > 5 && result.count < 100);
        assert_no_kept_document_is_covered();
        counts = json_object_get(json_array_get(json_object_get(result.report, "steps"), 1), "counts");
        assert_true(json_integer_value(json_object_get(counts, "lost_grams")) <
                    json_integer_value(json_object_get(counts, "grams")) / 4);
        end();
    }
}

/* With a sample the decisions of clear cases are the same. */
static void a_sample_decides_clear_cases_alike(void **state)
{
    begin();
    add_pages(6);
    add_part("book", 50, 0, 1800);
    add_part("other", 51, 0, 1800);
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{dedup: {method: containment, sample: 8}}]" }, &result));
    assert_string_equal(kept_ids(&result), "page0 page1 page2 page3 page4 page5 other");
    end();
}

/* ---- bounds ---- */

static void too_little_memory_is_a_clear_failure(void **state)
{
    static const char *const chains[] = { "[{dedup: {method: exact}}]", "[{dedup: {method: minhash}}]",
                                          "[{dedup: {method: containment}}]" };

    for (int i = 0; i < 3; i++) {
        begin();
        add_families();
        assert_int_equal(run_documents(&docs, (struct how){ .steps = chains[i], .memory = 8000 }, &result), ST_LIMIT);
        if (strstr(fail_message(), "more than memory 8.0 KB allows") == NULL)
            fail_msg("%s", fail_message());
        assert_non_null(strstr(fail_message(), "--memory"));
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shingles_see_letters_and_digits_alone),
        cmocka_unit_test(sets_are_sorted),
        cmocka_unit_test(minima_estimate_the_jaccard_index),
        cmocka_unit_test(the_first_of_equal_texts_stays),
        cmocka_unit_test(minhash_drops_near_duplicates_and_nothing_else),
        cmocka_unit_test(copies_are_found_over_waves),
        cmocka_unit_test(short_documents_are_left_alone),
        cmocka_unit_test(without_verification_a_band_is_enough),
        cmocka_unit_test(a_book_goes_when_its_pages_are_there),
        cmocka_unit_test(its_pages_go_when_the_book_has_more_to_say),
        cmocka_unit_test(the_larger_side_stays_if_wanted),
        cmocka_unit_test(editions_go_one_after_the_other),
        cmocka_unit_test(of_equal_documents_the_first_stays),
        cmocka_unit_test(the_threshold_is_where_it_is_said),
        cmocka_unit_test(in_the_end_no_kept_document_is_covered),
        cmocka_unit_test(a_sample_decides_clear_cases_alike),
        cmocka_unit_test(too_little_memory_is_a_clear_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
