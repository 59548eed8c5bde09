/* The scanners make the pieces that the regular expression makes: on texts of corner cases, on every character of Unicode in
 * several places, on real text where it is there; on every level that this machine has. */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/rng.h"
#include "tokenize/making.h"
#include "tokenize/pretok/pretok_part.h"
#include "tokenize/pretok/unicode_table.h"

enum { LEVELS = 4 };
static const enum pretok_matcher matchers[LEVELS] = { PRETOK_REGEX, PRETOK_PORTABLE, PRETOK_AVX2,
                                                      PRETOK_AVX512 };

/* What has a scanner: the named patterns, and chains and cuts known by their texts. */
static const struct subject {
    const char *name;
    struct pretok_rule rules[PRETOK_DEEPSEEK_CUTS];
} unnamed[] = {
    { "marks", { { .pattern = "\xE2\x96\x81+[^\xE2\x96\x81]*" } } },
    { "spaces", { { .pattern = " +[^ ]*" } } },
    { "each mark", { { .pattern = "\xE2\x96\x81", .behavior = PRETOK_MERGED_WITH_NEXT } } },
};

/* The subject of a number, false behind the last one. */
static bool subject_at(size_t i, struct subject *out)
{
    size_t named = 0;

    *out = (struct subject){ 0 };
    while (pretok_patterns[named].name && named < i)
        named++;
    if (pretok_patterns[named].name) {
        out->name = pretok_patterns[named].name;
        out->rules[0].pattern = pretok_patterns[named].text;
    } else if (i == named) {
        out->name = "deepseek";
        for (size_t k = 0; k < PRETOK_DEEPSEEK_CUTS; k++)
            out->rules[k].pattern = pretok_deepseek[k];
    } else if (i - named <= sizeof unnamed / sizeof unnamed[0]) {
        *out = unnamed[i - named - 1];
    } else {
        return false;
    }
    return true;
}

/* One pattern, by regular expression and by each level. */
struct bench_of {
    const char *name;
    struct pretok *p[LEVELS];
    struct pretok_run *run[LEVELS];
};

static struct bench_of bench_open(const struct subject *s, int unicode)
{
    struct bench_of b = { .name = s->name };

    for (int i = 0; i < LEVELS; i++) {
        b.p[i] = pretok_new();
        assert_ok(pretok_set_unicode(b.p[i], unicode));
        if (!pretok_force(b.p[i], matchers[i])) {
            pretok_free(b.p[i]);
            b.p[i] = NULL;
            continue;
        }
        for (size_t k = 0; k < PRETOK_DEEPSEEK_CUTS && s->rules[k].pattern; k++) {
            struct pretok_rule rule = s->rules[k];

            rule.what = "test";
            assert_ok(pretok_add(b.p[i], &rule));
        }
        assert_true(i == 0 || b.p[i]->chain.scan || b.p[i]->cuts[0].scan);
        b.run[i] = pretok_run_new(b.p[i]);
    }
    assert_non_null(b.p[1]);
    return b;
}

static void bench_close(struct bench_of *b)
{
    for (int i = 0; i < LEVELS; i++) {
        pretok_run_free(b->run[i]);
        pretok_free(b->p[i]);
    }
}

/* Reads one end after the other. */
struct ends {
    struct pretok_run *run;
    const uint32_t *v;
    size_t n, i;
};

static uint32_t next_end(struct ends *e)
{
    if (e->i == e->n) {
        assert_ok(pretok_next(e->run, &e->v, &e->n));
        e->i = 0;
        if (e->n == 0)
            return 0;
    }
    return e->v[e->i++];
}

static void show_difference(const struct bench_of *b, int level, struct span text, uint32_t from, uint32_t want, uint32_t seen)
{
    struct buf hex = { 0 };
    size_t first = from < 80 ? 0 : from - 80, end = want > seen ? want : seen;

    for (size_t i = first; i < text.n && i < end + 8; i++)
        buf_printf(&hex, text.p[i] > ' ' && text.p[i] < 127 ? "%s%c" : "%s\\x%02x", i == from ? "<<" : "",
                   (unsigned char)text.p[i]);
    fail_msg("%s, level %d: the piece at byte %u ends at %u; want %u\n%s", b->name, level, from, seen, want, hex.p);
}

/* The text is copied to a block of its own size, so that a sanitizer sees a read past its end. */
static void assert_equal_pieces(struct bench_of *b, struct span text)
{
    char *copy = malloc(text.n ? text.n : 1);

    memcpy(copy, text.p, text.n);
    for (int level = 1; level < LEVELS; level++) {
        struct ends want = { .run = b->run[0] }, seen = { .run = b->run[level] };
        uint32_t from = 0;

        if (b->p[level] == NULL)
            continue;
        pretok_begin(b->run[0], (struct span){ copy, text.n });
        pretok_begin(b->run[level], (struct span){ copy, text.n });
        for (;;) {
            uint32_t w = next_end(&want), s = next_end(&seen);

            if (w != s)
                show_difference(b, level, text, from, w, s);
            if (w == 0)
                break;
            from = w;
        }
        assert_int_equal(from, text.n);
    }
    free(copy);
}

/* ---- texts of corner cases ---- */

/* The patterns that have algebra of their own; the others are as one of these but for a number. */
static bool is_main(const char *name)
{
    return strcmp(name, "gpt2") == 0 || strcmp(name, "llama3") == 0 || strcmp(name, "o200k") == 0 || strcmp(name, "deepseek") == 0;
}

static const char *const bits[] = {
    " ", " ", " ", "  ", "\n", "\r\n", "\r", "\n\n", "\t", "\xC2\x85", "\xC2\xA0", "\xE1\xA0\x8E", "\xE3\x80\x80",
    "\xE2\x80\xA8", "\xE2\x80\x8B", "'", "'", "'s", "'S", "'t", "'ll", "'lL", "'re", "'VE", "'d", "'m", "'\xC5\xBF", "'x", "\xC5\xBF",
    "\xE2\x84\xAA", "a", "b", "z", "word", "A", "B", "Z", "Word", "HTTPServer", "1", "2", "12", "123", "1234567", "\xC2\xB2",
    "\xD9\xA3", "\xEF\xBC\x91", "\xE2\x85\xA7", "!", "/", "//", ".", ",", "-", "_", "(", "\"", "\xE2\x80\x99", "\xE3\x80\x82", "\xEF\xBC\x8C",
    "\xF0\x9F\x98\x80", "\xE2\x9D\xA4\xEF\xB8\x8F", "\xCC\x81", "\xCC\x88", "\xE0\xA4\xBE", "\xC3\xA9", "\xC3\x89", "\xC7\x85", "\xCA\xB0", "\xC2\xAA",
    "\xE4\xB8\xAD", "\xE6\x96\x87", "\xE3\x81\x82", "\xE3\x82\xA2", "\xE3\x83\xBC", "\xEA\xB0\x80", "\xD0\x96", "\xD0\xB6", "\xF0\x90\x90\x80", "\xF0\x90\x90\xA8",
    "\x01", "\x1F\x7F", "\xC2\xAD", "\xEE\x80\x80", "\xE2\x96\x81", "\xE2\x96\x81", "\xE3\x83\xBB", "\xE3\x81\x80", "\xE3\x82\x99", "\xE9\xBE\xA5", "\xE9\xBE\xA6",
    "\xE4\xB7\xBF", "\xE4\xB8\x80", "\xE3\x90\x80", "(x", "$", "\xF0\xA0\x80\x80", "\xF0\x9D\x9F\x98", "\xE1\x8F\x80", "\xEA\xAD\xB0", "\xE0\xB8\x81", "\xE0\xB8\xB1",
};
enum { BITS = sizeof bits / sizeof bits[0] };

/* Few kinds of bits a text, so that unlikely neighbours meet; some come in long runs. */
static void random_text(struct rng *r, struct buf *out)
{
    size_t kinds = 1 + rng_below(r, 8), set[8], parts = 1 + rng_below(r, 60);

    buf_clear(out);
    for (size_t i = 0; i < kinds; i++)
        set[i] = rng_below(r, BITS);
    for (size_t i = 0; i < parts; i++) {
        const char *bit = bits[rng_below(r, 20) ? set[rng_below(r, kinds)] : rng_below(r, BITS)];
        size_t times = rng_below(r, 12) ? 1 : 1 + rng_below(r, rng_below(r, 8) ? 6 : 90);

        for (size_t k = 0; k < times; k++)
            buf_adds(out, bit);
    }
}

static void on_texts_of_corner_cases(void **state)
{
    struct buf text = { 0 };
    struct subject subject;

    for (size_t s = 0; subject_at(s, &subject); s++) {
        struct bench_of b = bench_open(&subject, 160);
        struct rng r = { .seed = 11 };

        for (int i = 0; i < 250; i++) {
            random_text(&r, &text);
            assert_equal_pieces(&b, (struct span){ text.p, text.n });
        }
        bench_close(&b);
    }
    buf_release(&text);
}

static void wherever_a_block_begins(void **state)
{
    static const char tail[] = "it's 1234567 \n\n  x!!\r\n a'LLb  HTTPServer \xE4\xB8\xAD\xE6\x96\x87""A\xCC\x81 !\n/x'\xC5\xBF \t \n \xE3\x80\x80 ";
    struct buf text = { 0 };
    struct subject subject;

    for (size_t s = 0; subject_at(s, &subject); s++) {
        struct bench_of b = bench_open(&subject, 160);

        for (size_t kind = s % 4; kind < BITS; kind += is_main(subject.name) ? 4 : 9)
            for (size_t before = 0; before < 70; before++) {
                buf_clear(&text);
                for (size_t i = 0; i < before; i++)
                    buf_adds(&text, i % 7 == 3 ? " " : "q");
                buf_adds(&text, bits[kind]);
                buf_adds(&text, tail);
                assert_equal_pieces(&b, (struct span){ text.p, text.n });
            }
        bench_close(&b);
    }
    buf_release(&text);
}

/* ---- every character ---- */

/* A text in which each character of a part of Unicode stands in several places; of many neighbours of one category, one in 64. */
static void add_contexts(struct buf *text, const uint8_t *category, uint32_t first, uint32_t end)
{
    static const char *const around[][2] = { { "\n", "\n" }, { "a ", "" }, { "", "a" }, { "a", "a" }, { " ", "A" },
        { "'", " " }, { "!", "x" }, { "1", "1" }, { "Ab", "B" } };
    char utf8[4];

    for (uint32_t cp = first; cp < end; cp++) {
        size_t n = utf8_encode(cp, utf8);
        bool alike = cp > first && cp + 1 < end && category[cp - 1] == category[cp] && category[cp + 1] == category[cp];

        if ((cp >= 0xD800 && cp <= 0xDFFF) || (alike && cp > 0x300 && cp % 64))
            continue;
        for (size_t k = 0; k < sizeof around / sizeof around[0]; k++) {
            buf_adds(text, around[k][0]);
            buf_add(text, utf8, n);
            if (k == 1)
                buf_add(text, utf8, n);
            buf_adds(text, around[k][1]);
        }
    }
}

static void on_every_character(void **state)
{
    static const int versions[] = { 140, 150, 151, 160, 170 };
    uint8_t *category = mem_alloc(UNICODE_POINTS);
    struct buf text = { 0 };
    struct subject subject;

    for (size_t v = 0; v < 5; v++) {
        unicode_fill(versions[v], category);
        buf_clear(&text);
        add_contexts(&text, category, 0, UNICODE_POINTS);
        for (size_t s = 0; subject_at(s, &subject); s++) {
            struct bench_of b;

            /* in one version all patterns, in each of the others one */
            if (v != 3 && s != (v == 0 ? 5 : v == 4 ? 3 : v == 2 ? 7 : 0))
                continue;
            b = bench_open(&subject, versions[v]);
            assert_equal_pieces(&b, (struct span){ text.p, text.n });
            bench_close(&b);
        }
    }
    buf_release(&text);
    free(category);
}

/* ---- real text ---- */

/* At most 400 KB of a file of the shared corpora, unpacked, with what is no UTF-8 replaced. False: it is not there. */
static bool read_corpus(const char *name, struct buf *out)
{
    const char *source = getenv("TUNDISH_SOURCE");
    char command[1200];
    char *raw = mem_alloc(400000);
    FILE *f;
    size_t n;

    snprintf(command, sizeof command, "gzip -dcf '%s/../shared/corpora/%s' 2>/dev/null", source ? source : ".", name);
    f = popen(command, "r");
    assert_non_null(f);
    n = fread(raw, 1, 400000, f);
    pclose(f);
    buf_clear(out);
    utf8_repair(out, raw, n);
    free(raw);
    return n > 0;
}

static void on_real_text(void **state)
{
    static const char *const names[] = { "general/wikitext-2.test.txt", "evals/lambada_test.jsonl", "multilingual/udhr-xml.tar.gz" };
    struct buf text = { 0 };
    struct subject subject;
    int read = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!read_corpus(names[i], &text))
            continue;
        read++;
        for (size_t s = 0; subject_at(s, &subject); s++) {
            struct bench_of b = bench_open(&subject, 160);

            if (is_main(subject.name) || i == 0)
                assert_equal_pieces(&b, (struct span){ text.p, text.n });
            bench_close(&b);
        }
    }
    buf_release(&text);
    if (read == 0)
        skip();
}

/* ---- well-formed text ---- */

static void well_formed_text_is_known(void **state)
{
    struct buf text = { 0 };
    struct rng r = { .seed = 5 };

    for (int i = 0; i < 5000; i++) {
        size_t want = 0, n;
        uint32_t cp;

        random_text(&r, &text);
        for (uint64_t wrong = rng_below(&r, 3); wrong > 0; wrong--)
            text.p[rng_below(&r, text.n)] = (char)rng_below(&r, 256);
        while (want < text.n && (n = utf8_decode(text.p + want, text.p + text.n, &cp)) > 0)
            want += n;
        assert_int_equal(pretok_well_formed((struct span){ text.p, text.n }), want);
    }
    buf_release(&text);
}

/* ---- safe cuts ---- */

static void assert_cut_changes_nothing(struct bench_of *b, struct span text, size_t place)
{
    struct pretok_run *run = b->run[0];
    static uint32_t parts[1 << 16];
    size_t n = 0, at = 0;

    for (int half = 0; half < 2; half++) {
        struct ends e = { .run = run };

        pretok_begin(run, half ? (struct span){ text.p + place, text.n - place } : (struct span){ text.p, place });
        for (uint32_t end; (end = next_end(&e)) != 0; n++)
            parts[n] = (uint32_t)(half ? place : 0) + end;
    }
    pretok_begin(run, text);
    for (struct ends e = { .run = run }; at < n; at++)
        if (next_end(&e) != parts[at])
            show_difference(b, 0, text, at ? parts[at - 1] : 0, 0, parts[at]);
}

/* The claim of pretok_safe_cut(): split apart, the two parts have the pieces of the whole. */
static void a_safe_cut_changes_no_piece(void **state)
{
    struct buf text = { 0 };
    struct subject subject;

    for (size_t s = 0; subject_at(s, &subject); s++) {
        struct bench_of b = bench_open(&subject, 160);
        struct rng r = { .seed = 4 };
        int cuts = 0;

        for (int i = 0; i < 600; i++) {
            size_t limit, place;

            random_text(&r, &text);
            limit = 1 + rng_below(&r, text.n);
            place = pretok_safe_cut(b.p[0], (struct span){ text.p, text.n }, limit);
            if (place == 0)
                continue;
            cuts++;
            assert_in_range(place, 1, limit);
            assert_cut_changes_nothing(&b, (struct span){ text.p, text.n }, place);
        }
        assert_in_range(cuts, pretok_safe_cut(b.p[0], span_of("a b"), 3) ? 120 : 0, 600);
        bench_close(&b);
    }
    buf_release(&text);
}

static void safe_cuts_are_found_where_there_is_no_space(void **state)
{
    static const char *const texts[] = {
        "\xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82\xE4\xB8\xAD\xE6\x96\x87",          /* full stop */
        "\xE4\xB8\xAD\xE6\x96\x87\n\xE4\xB8\xAD\xE6\x96\x87", "\xE3\x81\x82\xE3\x80\x81\xE3\x82\xA2", "word,word",
    };
    static const size_t want[] = { 6, 7, 3, 4 };
    struct subject subject;

    for (size_t s = 0; subject_at(s, &subject); s++) {
        struct bench_of b = bench_open(&subject, 160);
        bool none = strstr(subject.name, "mark") || strcmp(subject.name, "spaces") == 0;

        for (size_t i = 0; i < 4; i++)
            assert_int_equal(pretok_safe_cut(b.p[0], span_of(texts[i]), 1000), none ? 0 : want[i]);
        assert_int_equal(pretok_safe_cut(b.p[0], span_of("word'swordword"), 1000), 0);
        bench_close(&b);
    }
}

/* ---- versions of Unicode ---- */

static void count_range(void *ctx, uint32_t first, uint32_t last)
{
    size_t *count = ctx;

    *count += last - first + 1;
}

static void differences_between_versions_are_listed(void **state)
{
    static const struct {
        const char *pattern;
        size_t want;                 /* from 14 to 16: counted with Python's unicodedata2 */
    } cases[] = { { "\\p{L}", 9272 }, { "[\\p{N}\\p{M}]", 213 }, { "\\d", 100 }, { "a", 0 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pretok *p = pretok_new();
        size_t seen = 0;

        assert_ok(pretok_add(p, &(struct pretok_rule){ .what = "test", .pattern = cases[i].pattern }));
        pretok_unicode_difference(p, 140, count_range, &seen);
        assert_int_equal(seen, cases[i].want);
        pretok_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_texts_of_corner_cases),
        cmocka_unit_test(wherever_a_block_begins),
        cmocka_unit_test(on_every_character),
        cmocka_unit_test(on_real_text),
        cmocka_unit_test(well_formed_text_is_known),
        cmocka_unit_test(a_safe_cut_changes_no_piece),
        cmocka_unit_test(safe_cuts_are_found_where_there_is_no_space),
        cmocka_unit_test(differences_between_versions_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
