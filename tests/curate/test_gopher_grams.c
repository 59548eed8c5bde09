/* The n-gram rules of gopher@datatrove rule out what cannot be repeated before they compare anything. Here they are done the plain way,
 * each gram against all in front of it, over made texts whose words are few, short, and equal when joined elsewhere ("x" "yx" and
 * "xy" "x"); and the values must be the same. */
#include "one_chain.h"

#define WORDS_MAX 700

struct made {
    struct buf text;
    struct span words[WORDS_MAX];
    size_t count;
};

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*seed >> 33) % below);
}

/* Words of the first `kinds`; from time to time a stretch that stood before. */
static void make(struct made *m, uint64_t *seed, size_t count, uint32_t kinds)
{
    static const char *const words[] = { "x", "yx", "xy", "y", "zq", "q", "qzzq", "zqxyzqxyzqxy", "wordword", "w\xc3\xb6rd", "word", "yxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxy" };
    const char *picks[WORDS_MAX];
    const char *p;

    for (size_t i = 0; i < count; i++) {
        size_t back = 1 + draw(seed, 60), n = draw(seed, 16) == 0 ? 4 + draw(seed, 12) : 0;

        for (; n > 0 && i >= back && i + 1 < count; n--, i++)
            picks[i] = picks[i - back];
        picks[i] = words[draw(seed, kinds)];
    }
    buf_clear(&m->text);
    for (size_t i = 0; i < count; i++)
        buf_printf(&m->text, i > 0 ? " %s" : "%s", picks[i]);
    p = m->text.p;
    for (size_t i = 0; i < count; i++) {
        m->words[i] = (struct span){ p, strlen(picks[i]) };
        p += m->words[i].n + 1;
    }
    m->count = count;
}

static size_t characters(const char *p, const char *end)
{
    size_t n = 0;

    for (; p < end; p++)
        n += ((unsigned char)*p & 0xC0) != 0x80;
    return n;
}

/* With the blanks between its words. */
static struct span gram_of(const struct made *m, size_t at, size_t n)
{
    const struct span *last = &m->words[at + n - 1];

    return (struct span){ m->words[at].p, (size_t)(last->p + last->n - m->words[at].p) };
}

static bool same(struct span a, struct span b) { return a.n == b.n && memcmp(a.p, b.p, a.n) == 0; }

static double plain_top(const struct made *m, size_t n)
{
    size_t most = 0;
    struct span top = { 0 };

    for (size_t i = 0; i + n <= m->count; i++) {
        size_t count = 0;

        for (size_t k = i; k + n <= m->count; k++)
            count += same(gram_of(m, i, n), gram_of(m, k, n));
        if (count > most) {
            most = count;
            top = gram_of(m, i, n);
        }
    }
    return (double)(characters(top.p, top.p + top.n) * most) / (double)characters(m->text.p, m->text.p + m->text.n);
}

/* A gram's bytes without blanks. */
static struct span joined(const struct made *m, size_t at, size_t n, char *room)
{
    size_t bytes = 0;

    for (size_t i = at; i < at + n; i++) {
        memcpy(room + bytes, m->words[i].p, m->words[i].n);
        bytes += m->words[i].n;
    }
    return (struct span){ room, bytes };
}

static double plain_duplicates(const struct made *m, size_t n)
{
    size_t seen[WORDS_MAX], count = 0, chars = 0, step;
    char here[1000], there[1000];

    for (size_t i = 0; i + n <= m->count; i += step) {
        struct span gram = joined(m, i, n, here);
        size_t k = 0;

        while (k < count && !same(gram, joined(m, seen[k], n, there)))
            k++;
        step = k < count ? n : 1;
        if (k < count)
            chars += characters(gram.p, gram.p + gram.n);
        else
            seen[count++] = i;
    }
    return (double)chars / (double)characters(m->text.p, m->text.p + m->text.n);
}

static double value_of(const struct trace *t, const char *key)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->values[i].rule->key, key) == 0)
            return t->values[i].value;
    fail_msg("no rule %s", key);
    return 0;
}

static void check(struct one_chain *c, const struct made *m)
{
    char key[40];

    trace_clear(&c->work.trace);
    assert_ok(one_chain_pass(c, "made", (struct span){ m->text.p, m->text.n }));
    for (size_t n = 2; n <= 10; n++) {
        double want = n < 5 ? plain_top(m, n) : plain_duplicates(m, n), have;

        snprintf(key, sizeof key, n < 5 ? "top_%zu_gram" : "duplicated_%zu_n_grams", n);
        have = value_of(&c->work.trace, key);
        if (want != have)
            fail_msg("%s: want %.17g, have %.17g, in '%.*s'", key, want, have, (int)m->text.n, m->text.p);
    }
}

static void grams_are_counted_as_the_plain_way_does(void **state)
{
    struct one_chain c;
    struct made m = { .count = 0 };
    uint64_t seed = 7;

    one_chain_begin(&c, "[{filter: {profile: gopher@datatrove}}]");
    c.work.trace.full = true;
    for (int i = 0; i < 150; i++) {
        uint32_t kinds = 1 + draw(&seed, 12);

        make(&m, &seed, 10 + draw(&seed, 100), kinds);
        check(&c, &m);
    }
    make(&m, &seed, 600, 1);       /* one gram, more often than a mark counts */
    check(&c, &m);
    make(&m, &seed, WORDS_MAX, 2);
    check(&c, &m);
    buf_release(&m.text);
    one_chain_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(grams_are_counted_as_the_plain_way_does) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
