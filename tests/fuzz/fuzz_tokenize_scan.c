/* Scanners and the regular expression make the same pieces of any text, at every level, in two versions of Unicode; a safe cut
 * changes no piece; a text's well-formed beginning is found. The first byte chooses the pattern and the version. */
#include <stdlib.h>

#include "tests/fuzz/fuzz_check.h"
#include "tokenize/pretok/pretok.h"

enum { PATTERNS = 16, LEVELS = 4, ENDS = 1 << 16 };

static struct pretok *made[PATTERNS][2][LEVELS];
static struct pretok_run *runs[PATTERNS][2][LEVELS];
static uint32_t want[ENDS], seen[ENDS];

/* Behind the named patterns: DeepSeek's chain, and cuts before marks. */
static const struct pretok_rule marks[] = {
    { .pattern = "\xE2\x96\x81+[^\xE2\x96\x81]*" },
    { .pattern = " +[^ ]*" },
    { .pattern = "\xE2\x96\x81", .behavior = PRETOK_MERGED_WITH_NEXT },
};
enum { MARKS = sizeof marks / sizeof marks[0] };

static int named_count(void)
{
    int count = 0;

    while (pretok_patterns[count].name)
        count++;
    return count;
}

static void add_rules(struct pretok *p, int i)
{
    int behind = i - named_count();
    struct pretok_rule rule = { 0 };

    if (behind > 0)
        rule = marks[behind - 1];
    rule.what = "fuzz";
    for (int k = 0; k < (behind == 0 ? PRETOK_DEEPSEEK_CUTS : 1); k++) {
        if (behind <= 0)
            rule.pattern = behind == 0 ? pretok_deepseek[k] : pretok_patterns[i].text;
        CHECK(pretok_add(p, &rule) == ST_OK);
    }
}

static void open_pattern(int i, int v)
{
    for (int level = 0; level < LEVELS; level++) {
        struct pretok *p = pretok_new();

        CHECK(pretok_set_unicode(p, v ? 140 : 160) == ST_OK);
        if (!pretok_force(p, (enum pretok_matcher)level)) {
            pretok_free(p);
            continue;
        }
        add_rules(p, i);
        made[i][v][level] = p;
        runs[i][v][level] = pretok_run_new(p);
    }
}

static size_t cut(struct pretok_run *run, struct span text, uint32_t at, uint32_t *out)
{
    const uint32_t *ends;
    size_t n, count = 0;

    pretok_begin(run, text);
    for (;;) {
        CHECK(pretok_next(run, &ends, &n) == ST_OK);
        if (n == 0)
            return count;
        for (size_t i = 0; i < n; i++)
            out[count++] = at + ends[i];
    }
}

static void check(int i, int v, struct span text)
{
    size_t n = cut(runs[i][v][0], text, 0, want), place, before;

    CHECK(text.n == 0 || want[n - 1] == text.n);
    for (int level = 1; level < LEVELS; level++)
        if (runs[i][v][level] != NULL) {
            CHECK(cut(runs[i][v][level], text, 0, seen) == n);
            CHECK(n == 0 || memcmp(want, seen, n * sizeof *want) == 0);
        }
    place = pretok_safe_cut(made[i][v][0], text, text.n / 2 + 1);
    if (place == 0)
        return;
    before = cut(runs[i][v][0], (struct span){ text.p, place }, 0, seen);
    before += cut(runs[i][v][0], (struct span){ text.p + place, text.n - place }, (uint32_t)place, seen + before);
    CHECK(before == n && memcmp(want, seen, n * sizeof *want) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int count = named_count() + 1 + MARKS, i, v;
    struct buf text = { 0 };
    char *copy;

    if (size < 1 || size > ENDS / 4)
        return 0;
    i = data[0] % count;
    v = data[0] / count % 2;
    if (made[i][v][0] == NULL)
        open_pattern(i, v);
    utf8_repair(&text, (const char *)data + 1, size - 1);
    CHECK(pretok_well_formed((struct span){ text.p, text.n }) == text.n);
    CHECK((pretok_well_formed((struct span){ (const char *)data + 1, size - 1 }) == size - 1) ==
          utf8_valid((const char *)data + 1, size - 1));
    copy = malloc(text.n ? text.n : 1);
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    check(i, v, (struct span){ copy, text.n });
    free(copy);
    buf_release(&text);
    return 0;
}
