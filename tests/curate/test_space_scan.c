/* The scan of words between white space: every CPU level gives the same, and the same as a plain walk over the text. */
#include "test.h"

#include "base/arena.h"
#include "base/rng.h"
#include "curate/text/char_class.h"
#include "curate/text/space_class.h"
#include "curate/text/space_scan.h"

/* Pieces that matter: white space of all kinds, letters, marks, characters of each length. */
static const char *const pieces[] = {
    "a", "the", "and", "B", "Zebra", "k", "i", "ki", "ps", "#", ":", ".", "0", "9", "(", "]", "{", " ", " ", " ", "\n", "\n\n", "\t", "\r",
    "\v", "\x1C", "\x1F", "\b", "\x7F", "\xC2\x85", "\xC2\xA0", "\xE2\x80\x83", "\xE3\x80\x80", "\xE2\x80\xA6", "\xC3\xA9", "\xD0\x96",
    "\xE0\xA4\x83", "\xE2\x85\xA7", "\xE2\x9F\xA8", "\xF0\x9F\x98\x80", "\xF0\x90\x90\x80", "averyveryverylongwordofmanyletters",
};

static void make(struct buf *out, struct rng *r, size_t n)
{
    buf_clear(out);
    buf_reserve(out, 1);
    while (out->n < n)
        buf_adds(out, pieces[rng_below(r, sizeof pieces / sizeof pieces[0])]);
}

struct plain {
    size_t words, lines;
    uint64_t chars, letters, alphabetics, marks, longest, tokens;
};

enum { GAP, WORD, SIGN };

static int token_kind(uint32_t cp)
{
    unsigned f = space_class(cp);

    if (f & SPACE_WORDY)
        return WORD;
    return (f & SPACE_WHITE) && !(cp >= 0x1C && cp <= 0x1F) ? GAP : SIGN;
}

static struct plain walk(struct span t)
{
    struct plain out = { .lines = 1 };
    unsigned any = 0, mark = 0;
    uint64_t length = 0;
    int last = GAP;

    for (size_t i = 0, n; i <= t.n; i += n) {
        uint32_t cp = ' ';
        unsigned f;

        n = i < t.n ? char_decode(t.p + i, &cp) : 1;
        f = space_class(cp);
        out.chars += i < t.n;
        out.tokens += token_kind(cp) != GAP && token_kind(cp) != last;
        last = token_kind(cp);
        out.lines += i < t.n && cp == '\n';
        if (f & SPACE_WHITE) {
            out.words += length > 0;
            out.letters += (any & SPACE_LETTER) != 0;
            out.alphabetics += (any & SPACE_ALPHABETIC) != 0;
            out.marks += mark;
            length = any = mark = 0;
            continue;
        }
        length++;
        any |= f;
        mark |= cp == '#' || cp == 0x2026;
        out.longest = length > out.longest ? length : out.longest;
    }
    return out;
}

static void same_as_walk(struct space_scan *s, struct span t)
{
    struct plain want = walk(t);

    assert_int_equal(s->word_count, want.words);
    assert_int_equal(s->line_count, want.lines);
    assert_int_equal(s->chars, want.chars);
    assert_int_equal(s->sums.letter_words, want.letters);
    assert_int_equal(s->sums.alphabetic_words, want.alphabetics);
    assert_int_equal(s->sums.tokens, want.tokens);
    assert_int_equal(s->sums.mark_words, want.marks);
    assert_int_equal(space_words(s)->longest, want.longest);
    for (size_t i = 0; i < s->word_count; i++) {
        const struct space_word *w = &s->list.words[i];

        assert_true(w->hash == space_word_hash(t.p + w->at, w->bytes));
        assert_int_equal(space_word_chars(&s->list, i, 1), utf8_length(t.p + w->at, w->bytes));
        assert_int_equal(space_chars(s, t.p + w->at, w->bytes), utf8_length(t.p + w->at, w->bytes));
    }
    assert_int_equal(space_word_chars(&s->list, 0, s->word_count), s->sums.word_chars);
}

static void triples_are_where_they_stand(struct space_scan *s, const char want[3])
{
    const uint64_t *found = space_triples(s, want);

    for (size_t i = 0; i < s->text.n; i++)
        assert_int_equal(found[i / 64] >> i % 64 & 1, i + 3 <= s->text.n && memcmp(s->text.p + i, want, 3) == 0);
}

static void levels_are_the_same(void **state)
{
    struct rng r = { .seed = 11 };
    struct space_scan *a = mem_alloc(sizeof *a), *b = mem_alloc(sizeof *b);
    struct buf text = { 0 };

    space_class_init();
    for (size_t n = 0; n < 400; n++) {
        struct span t;

        make(&text, &r, n < 200 ? n : 40 * n - 7900);
        t = (struct span){ text.p, text.n };
        space_scan_with(a, t, space_level(0));
        same_as_walk(a, t);
        for (size_t i = 1; space_level(i); i++) {
            size_t words;

            space_scan_with(b, t, space_level(i));
            same_as_walk(b, t);
            triples_are_where_they_stand(a, "a a");
            triples_are_where_they_stand(b, "a a");
            assert_memory_equal(&a->counts, &b->counts, sizeof a->counts);
            words = (t.n + 63) / 64;
#define X(name) assert_memory_equal(a->bits.name, b->bits.name, words * sizeof *a->bits.name);
            SPACE_BITS(X)
#undef X
        }
    }
    buf_release(&text);
    space_scan_free(a);
    space_scan_free(b);
}

/* The commonest n-gram and the copies of repeated ones, by comparing each with each. */
static void grams_are_those_of_a_plain_count(void **state)
{
    struct rng r = { .seed = 12 };
    struct space_scan *s = mem_alloc(sizeof *s);
    struct buf text = { 0 };

    for (int round = 0; round < 60; round++) {
        buf_clear(&text);
        for (int i = 0; i < 80; i++)
            buf_printf(&text, "%c%c ", 'a' + (char)rng_below(&r, 1 + (uint64_t)round % 5), 'x');
        space_scan_with(s, (struct span){ text.p, text.n }, space_level(0));
        for (size_t n = 2; n <= SPACE_GRAM_MAX; n++) {
            const struct space_grams *g = space_grams(s, (int)n);
            uint64_t most = 0, repeated = 0, all = 0;
            size_t first = 0;

            for (size_t i = 0; i + n <= s->word_count; i++) {
                uint64_t copies = 0;

                for (size_t j = 0; j + n <= s->word_count; j++)
                    copies += memcmp(text.p + 3 * i, text.p + 3 * j, 3 * n) == 0;
                first = copies > most ? i : first;
                most = copies > most ? copies : most;
                repeated += copies > 1 ? 2 * n : 0;
                all += 2 * n;
            }
            if (n > SPACE_GRAM_MOST_MAX) {
                assert_int_equal(g->repeated_chars, repeated);
                assert_int_equal(g->all_chars, all);
            } else {
                assert_int_equal(g->most, most);
                assert_int_equal(g->first, first);
            }
        }
    }
    buf_release(&text);
    space_scan_free(s);
}

static void units_of(const char *text, enum space_unit kind, uint64_t count, uint64_t distinct, uint64_t repeated)
{
    struct space_scan *s = mem_alloc(sizeof *s);
    const struct space_units *u;

    space_scan_with(s, span_of(text), space_level(0));
    u = space_units(s, kind);
    assert_int_equal(u->count, count);
    assert_int_equal(u->distinct, distinct);
    assert_int_equal(u->repeated, repeated);
    space_scan_free(s);
}

static void lines_and_paragraphs_are_pythons(void **state)
{
    units_of("", SPACE_LINES, 1, 1, 0);
    units_of("a\nb\na\n", SPACE_LINES, 4, 3, 2);
    units_of("\n\na\n\n\nb\n", SPACE_LINES, 7, 3, 5);
    units_of("\n\na\n\n\nb\n", SPACE_FILLED, 4, 3, 2);
    units_of("a\n \nb\n\t\n", SPACE_SENTENCES, 2, 2, 0);
    units_of("a\n\nb", SPACE_PARAGRAPHS, 2, 2, 0);
    units_of("a\n\n", SPACE_PARAGRAPHS, 2, 2, 0);
    units_of("a\n", SPACE_PARAGRAPHS, 1, 1, 0);
    units_of("a\n\n\nb", SPACE_PARAGRAPHS, 2, 2, 0);
    units_of("a\n\n\n\na", SPACE_PARAGRAPHS, 3, 2, 2);
    units_of("\n\n\n\n", SPACE_PARAGRAPHS, 3, 1, 3);
}

static void a_scan_is_kept_while_the_text_stays(void **state)
{
    struct space_scan *s = NULL;
    struct space_key key = { .number = 1, .text = span_of("one two") };
    char text[] = "three four five";

    assert_int_equal(space_scan_of(&s, key)->word_count, 2);
    assert_int_equal(space_units(s, SPACE_LINES)->count, 1);
    assert_true(s->has_units[SPACE_LINES]);
    space_scan_of(&s, key);
    assert_true(s->has_units[SPACE_LINES]);
    key.text = span_of(text);
    key.edits++;
    assert_int_equal(space_scan_of(&s, key)->word_count, 3);
    assert_false(s->has_units[SPACE_LINES]);
    space_scan_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_the_same),
        cmocka_unit_test(grams_are_those_of_a_plain_count),
        cmocka_unit_test(lines_and_paragraphs_are_pythons),
        cmocka_unit_test(a_scan_is_kept_while_the_text_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
