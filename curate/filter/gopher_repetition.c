/* The repetition half of curate/filter/gopher.h. Everything is a hash from the scan. Most n-grams stand in a document once, and nine
 * rules look at all of them; so each first makes a mark by its hash, which takes a few instructions without a branch, and only those
 * whose mark was there (some of them by chance) go into a table. */
#include "curate/filter/gopher.h"
#include "base/hash.h"
#include "curate/text/words.h"

#define MIX UINT64_C(0x9E3779B97F4A7C15)
#define JOINED_ROOM 64      /* bytes behind joined words that may be read */

/* ---- tables ---- */

/* Room for n hashes at half load, `width` words each, all zero;
 * returns the number of slots' logarithm. */
static int make_table(struct gopher_scratch *g, size_t n, size_t width)
{
    int bits = 4;
    size_t words;

    while (((size_t)1 << bits) < n * 2)
        bits++;
    words = ((size_t)1 << bits) * width;
    if (words > g->slot_cap) {
        g->slot_cap = words;
        g->slots = mem_grow(g->slots, words, sizeof *g->slots);
    }
    memset(g->slots, 0, words * sizeof *g->slots);
    return bits;
}

/* Adds a hash to a set of width 1; true if it was there. 0 marks a free slot. */
static inline bool add_hash(uint64_t *slots, int bits, uint64_t hash)
{
    size_t mask = ((size_t)1 << bits) - 1, i = (hash * MIX) >> (64 - bits);

    hash += hash == 0;
    while (slots[i] != 0 && slots[i] != hash)
        i = (i + 1) & mask;
    if (slots[i] == hash)
        return true;
    slots[i] = hash;
    return false;
}

int gopher_set_begin(struct gopher_scratch *g, size_t n) { return make_table(g, n, 1); }
bool gopher_set_add(struct gopher_scratch *g, int bits, uint64_t hash) { return add_hash(g->slots, bits, hash); }

/* ---- paragraphs and lines ---- */

struct duplicates {
    size_t units, count;      /* all; those that stood before */
    uint64_t chars;           /* in the latter */
};

/* The bytes from..to, which begin with line i or in it. */
static struct text_line unit_of(const struct text_scan *s, size_t i, size_t from, size_t to)
{
    const char *p = s->text.p + from;
    size_t n = to - from;

    if (s->lines[i].at == from && s->lines[i].bytes == n)
        return s->lines[i];
    return (struct text_line){ xxh3(p, n), (uint32_t)from, (uint32_t)n, (uint32_t)(s->high ? utf8_length(p, n) : n) };
}

static void add_unit(struct duplicates *d, const struct gopher_scratch *g, int bits, struct text_line unit)
{
    d->units++;
    if (add_hash(g->slots, bits, unit.hash)) {
        d->count++;
        d->chars += unit.chars;
    }
}

/* Lines as re.split("\n+") gives them: those with bytes,
 * and an empty one before a first or behind a last line end. */
static struct duplicates duplicate_lines(struct gopher_scratch *g)
{
    const struct text_scan *s = &g->scan;
    struct duplicates d = { 0 };
    int bits = make_table(g, s->line_count, 1);

    for (size_t i = 0; i < s->line_count; i++)
        if (s->lines[i].bytes > 0 || i == 0 || i + 1 == s->line_count)
            add_unit(&d, g, bits, s->lines[i]);
    return d;
}

/* Paragraphs as re.split("\n{2,}") of the stripped text gives them: lines in a row that are not empty. */
static struct duplicates duplicate_paragraphs(struct gopher_scratch *g)
{
    const struct text_scan *s = &g->scan;
    struct span core = word_strip(s->classes, s->text);
    size_t from = (size_t)(core.p - s->text.p), to = from + core.n;
    struct duplicates d = { 0 };
    int bits = make_table(g, s->line_count, 1);

    for (size_t i = 0; i < s->line_count && core.n > 0; i++) {
        size_t at = s->lines[i].at < from ? from : s->lines[i].at, end = s->lines[i].at + s->lines[i].bytes, first = i;

        if (s->lines[i].bytes == 0 || end <= from || at >= to)
            continue;
        while (i + 1 < s->line_count && s->lines[i + 1].bytes > 0)
            i++;
        end = s->lines[i].at + s->lines[i].bytes;
        add_unit(&d, g, bits, unit_of(s, first, at, end < to ? end : to));
    }
    return d;
}

/* ---- n-grams ---- */

static void grow_scratch(struct gopher_scratch *g)
{
    size_t words = g->scan.word_count, bytes = g->scan.text.n + JOINED_ROOM;

    if (words > g->gram_cap) {
        g->gram_cap = words * 5 / 4;
        g->grams = mem_grow(g->grams, g->gram_cap, sizeof *g->grams);
        g->repeated = mem_grow(g->repeated, g->gram_cap, sizeof *g->repeated);
        g->shorter = mem_grow(g->shorter, g->gram_cap, sizeof *g->shorter);
        g->groups = mem_grow(g->groups, g->gram_cap, sizeof *g->groups);
        g->limits = mem_grow(g->limits, g->gram_cap, sizeof *g->limits);
        g->starts = mem_grow(g->starts, g->gram_cap + 1, sizeof *g->starts);
        g->again = mem_grow(g->again, g->gram_cap + 1, sizeof *g->again);
    }
    if (bytes > g->joined_cap) {
        g->joined_cap = bytes * 5 / 4;
        g->joined = mem_grow(g->joined, g->joined_cap, 1);
    }
}

/* A longer gram of words that are kept apart by blanks. */
static inline uint64_t longer(uint64_t gram, uint64_t word) { return gram * UINT64_C(0x9FB21C651E98DF25) + word; }

static uint64_t gram_chars(const struct text_scan *s, size_t at, size_t n)
{
    uint64_t chars = 0;

    for (size_t i = at; i < at + n; i++)
        chars += s->words[i].chars;
    return chars;
}

#define MARKS_A_KEY 16

/* All marks 0, with room for so many keys. */
static uint8_t *clear_marks(struct gopher_scratch *g, size_t count)
{
    int log = 6;

    while (((size_t)1 << log) < count * MARKS_A_KEY)
        log++;
    if ((size_t)1 << log > g->mark_cap) {
        g->mark_cap = (size_t)1 << log;
        g->marks = mem_grow(g->marks, g->mark_cap, 1);
    }
    g->mark_shift = 64 - log;
    return memset(g->marks, 0, (size_t)1 << log);
}

/* Which mark is the key's. (Stores into marks may change anything to the compiler; so loops take what they need beforehand.) */
static inline size_t mark_of(int shift, uint64_t key) { return (key * MIX) >> shift; }

#define COUNT_MAX 255

/* Lists the 2-grams, all of them. */
static size_t find_pairs(struct gopher_scratch *g)
{
    const struct text_word *w = g->scan.words;
    size_t count = g->scan.word_count - 1;

    for (size_t i = 0; i < count; i++) {
        g->grams[i] = longer(w[i].hash, w[i + 1].hash);
        g->repeated[i] = (uint32_t)i;
    }
    g->again[count] = 0;
    return count;
}

/* From the grams listed to those of n words, one more: only where one that may be repeated begins, and another with the next word, can a
 * longer one stand that is. */
static size_t grow_grams(struct gopher_scratch *g, size_t n, size_t known)
{
    const struct text_word *last = g->scan.words + n - 1;
    uint32_t *list = g->repeated;
    uint64_t *grams = g->grams;
    uint8_t *again = g->again;
    size_t count = 0;

    for (size_t k = 0; k < known; k++) {
        size_t i = list[k];

        again[i] = again[i + 1];
        list[count] = (uint32_t)i;
        count += again[i];
    }
    for (size_t k = 0; k < count; k++)
        grams[list[k]] = longer(grams[list[k]], last[list[k]].hash);
    return count;
}

/* Counts the grams listed by their marks, and takes those from the list that stand there once for sure. Grams of one mark may differ, so
 * a count is at least that of each. *most: the largest; COUNT_MAX stands for all from there on. */
static size_t count_grams(struct gopher_scratch *g, size_t count, unsigned *most)
{
    const uint64_t *grams = g->grams;
    uint32_t *list = g->repeated;
    uint8_t *marks = clear_marks(g, count), *again = g->again;
    int shift = g->mark_shift;
    unsigned max = 0;
    size_t kept = 0;

    for (size_t k = 0; k < count; k++) {
        uint8_t *mark = &marks[mark_of(shift, grams[list[k]])];

        *mark = (uint8_t)(*mark + (*mark < COUNT_MAX));
    }
    for (size_t k = 0; k < count; k++) {
        uint32_t i = list[k];
        unsigned n = marks[mark_of(shift, grams[i])];

        max = n > max ? n : max;
        again[i] = n > 1;
        list[kept] = i;
        kept += n > 1;
    }
    *most = max;
    return kept;
}

/* Puts equal grams of those listed into groups, in the order of their first; returns the number of groups. */
static size_t group_grams(struct gopher_scratch *g, size_t count)
{
    int bits = make_table(g, (count + 1) / 2, 1);
    uint32_t *slots = (uint32_t *)(void *)g->slots;      /* two in a slot of the table */
    size_t mask = ((size_t)2 << bits) - 1, groups = 0;

    for (size_t k = 0; k < count; k++) {
        uint64_t hash = g->grams[g->repeated[k]];
        size_t i = (hash * MIX) >> (63 - bits);

        while (slots[i] != 0 && g->groups[slots[i] - 1].hash != hash)
            i = (i + 1) & mask;
        if (slots[i] == 0) {
            g->groups[groups] = (struct gram_group){ hash, g->repeated[k], 0 };
            slots[i] = (uint32_t)++groups;
        }
        g->groups[slots[i] - 1].count++;
    }
    return groups;
}

/* Characters of the commonest n-gram (of several, the one that comes first) with its spaces, times its count. */
static uint64_t top_gram(const struct gopher_scratch *g, size_t n, size_t groups)
{
    struct gram_group top = { 0, 0, 1 };      /* the first one is there at least */

    for (size_t i = 0; i < groups; i++)
        if (g->groups[i].count > top.count)
            top = g->groups[i];
    return (gram_chars(&g->scan, top.first, n) + n - 1) * top.count;
}

/* The same, where it can be seen without groups: no gram is there more often than `most` times, the largest count of a mark. The first
 * one whose mark has it is the commonest, and the first of those, unless it shares its mark. */
static uint64_t top_counted(struct gopher_scratch *g, size_t n, size_t count, unsigned most)
{
    const uint64_t *grams = g->grams;
    size_t same = 0, first = 0;

    if (count == 0 || most == COUNT_MAX)
        return top_gram(g, n, group_grams(g, count));
    while (g->marks[mark_of(g->mark_shift, grams[g->repeated[first]])] != most)
        first++;
    for (size_t k = first; k < count; k++)
        same += grams[g->repeated[k]] == grams[g->repeated[first]];
    if (same != most)
        return top_gram(g, n, group_grams(g, count));
    return (gram_chars(&g->scan, g->repeated[first], n) + n - 1) * most;
}

/* ---- n-grams without blanks ---- */

static void join_words(struct gopher_scratch *g)
{
    const struct text_scan *s = &g->scan;
    uint32_t at = 0;
    char *joined = g->joined;

    for (size_t i = 0; i < s->word_count; i++) {
        const struct text_word *w = &s->words[i];

        g->starts[i] = at;
        if (w->bytes <= 16 && s->text.n - w->at >= 16)
            memcpy(joined + at, s->text.p + w->at, 16);
        else
            memcpy(joined + at, s->text.p + w->at, w->bytes);
        at += w->bytes;
    }
    g->starts[s->word_count] = at;
    memset(joined + at, 0, JOINED_ROOM);
}

#define OPENING 12             /* bytes */

/* Marks by some bits of a key whether it stands there once (1) or again (3 and more). */
static inline void note_mark(uint8_t *mark) { *mark = (uint8_t)(*mark << 1 | 1); }
static inline bool noted_again(uint8_t mark) { return mark >> 1 & 1; }

/* Words joined without blanks are equal also where their bounds differ, so longer repeated ones do not follow from shorter ones. But
 * their first bytes are equal. Lists where n-grams of five words or more may stand that are repeated: those whose first OPENING bytes,
 * from the first word on, stand in the document again, and those that may be shorter than that. Into g->groups go those of the first
 * kind: a key of the bytes, and the place in the list; *same: how many. */
static size_t find_openings(struct gopher_scratch *g, size_t *same)
{
    size_t count = g->scan.word_count - 4, n = 0, m = 0;
    const uint32_t *starts = g->starts;
    const char *joined = g->joined;
    uint32_t *list = g->repeated, *limits = g->limits;
    struct gram_group *groups = g->groups;
    uint64_t *grams = g->grams;
    uint8_t *marks = clear_marks(g, count);
    int shift = g->mark_shift;

    for (size_t i = 0; i < count; i++) {
        const char *p = joined + starts[i];

        grams[i] = longer(word_load(p) * UINT64_C(0xD6E8FEB86659FD93), word_load(p + 4));
        note_mark(&marks[mark_of(shift, grams[i])]);
    }
    for (size_t i = 0; i < count; i++) {
        bool again = noted_again(marks[mark_of(shift, grams[i])]);

        list[n] = (uint32_t)i;
        limits[n] = OPENING;
        groups[m] = (struct gram_group){ grams[i], (uint32_t)n, 0 };
        m += again;
        n += again | (starts[i + 5] - starts[i] < OPENING);
    }
    *same = m;
    return n;
}

/* One step of find_limits(): those of g->groups whose first `bytes` bytes stand there again. */
static size_t keep_openings(struct gopher_scratch *g, size_t bytes, size_t count)
{
    uint8_t *marks = clear_marks(g, count);
    struct gram_group *groups = g->groups;
    const uint32_t *starts = g->starts, *list = g->repeated;
    uint32_t *limits = g->limits;
    const char *last = g->joined + bytes - 8;
    int shift = g->mark_shift;
    size_t kept = 0;

    for (size_t k = 0; k < count; k++) {
        groups[k].hash = longer(groups[k].hash, word_load(last + starts[list[groups[k].first]]));
        note_mark(&marks[mark_of(shift, groups[k].hash)]);
    }
    for (size_t k = 0; k < count; k++) {
        limits[groups[k].first] = (uint32_t)bytes;
        groups[kept] = groups[k];
        kept += noted_again(marks[mark_of(shift, groups[k].hash)]);
    }
    return kept;
}

/* Lists as find_openings(), and puts into g->limits for each how long no repeated n-gram from there is: the first of some numbers of bytes
 * that do not stand there again. */
static size_t find_limits(struct gopher_scratch *g)
{
    static const size_t steps[] = { 16, 20, 24, 32, 40 };
    size_t same, count;

    join_words(g);
    count = find_openings(g, &same);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && same > 0; i++)
        same = keep_openings(g, steps[i], same);
    for (size_t k = 0; k < same; k++)
        g->limits[g->groups[k].first] = UINT32_MAX;
    return count;
}

/* Of those listed, puts into g->shorter where an n-gram is shorter than its limit. */
static size_t within_limits(struct gopher_scratch *g, size_t n, size_t count)
{
    const uint32_t *starts = g->starts, *list = g->repeated, *limits = g->limits;
    uint32_t *out = g->shorter;
    size_t found = 0;

    while (count > 0 && list[count - 1] + n > g->scan.word_count)
        count--;
    for (size_t k = 0; k < count; k++) {
        uint32_t i = list[k];

        out[found] = i;
        found += starts[i + n] - starts[i] < limits[k];
    }
    return found;
}

/* Characters in n-grams that stood before the scan came to them; it jumps over each of those. The words it may find are in g->shorter. */
static uint64_t duplicate_grams(struct gopher_scratch *g, size_t n, size_t count)
{
    size_t next = 0;
    int bits = make_table(g, count, 1);
    uint64_t chars = 0;

    for (size_t k = 0; k < count; k++) {
        size_t i = g->shorter[k];

        if (i < next || !add_hash(g->slots, bits, xxh3(g->joined + g->starts[i], g->starts[i + n] - g->starts[i])))
            continue;
        chars += gram_chars(&g->scan, i, n);
        next = i + n;
    }
    return chars;
}

/* ---- the rules, in their order ---- */

struct judge {
    const struct gopher_cfg *c;
    struct doc *d;
    struct trace *t;
};

const struct space_rule gopher_repetition_rules[] = {
#define X(field, option, value, key, meaning) SPACE_RULE(field, option, value, TRACE_AT_MOST, key, meaning)
    GOPHER_REPETITION(X)
#undef X
};

static bool on(const struct judge *j, int first, int last)
{
    for (int i = first; i <= last; i++)
        if (space_rule_on(j->c->most[i], j->t))
            return true;
    return false;
}

static bool judge(const struct judge *j, int rule, double value)
{
    return on(j, rule, rule) && space_judge(j->d, j->t, &gopher_repetition_rules[rule], value, j->c->most[rule]);
}

static bool judge_units(const struct judge *j, struct gopher_scratch *g)
{
    double chars = (double)g->scan.chars;
    struct duplicates d = { 0 };

    if (on(j, GOPHER_dup_para, GOPHER_dup_para_char))
        d = duplicate_paragraphs(g);
    if (d.units == 0)      /* white space alone is one empty paragraph */
        d.units = 1;
    if (judge(j, GOPHER_dup_para, (double)d.count / (double)d.units) ||
        judge(j, GOPHER_dup_para_char, (double)d.chars / chars))
        return true;
    if (on(j, GOPHER_dup_line, GOPHER_dup_line_char))
        d = duplicate_lines(g);
    return judge(j, GOPHER_dup_line, (double)d.count / (double)d.units) ||
           judge(j, GOPHER_dup_line_char, (double)d.chars / chars);
}

bool gopher_repetition(const struct gopher_cfg *c, struct gopher_scratch *g, struct doc *d, struct trace *t)
{
    const struct judge j = { c, d, t };
    double chars = (double)g->scan.chars;
    size_t words = g->scan.word_count, repeated = 0;
    unsigned most;

    if (judge_units(&j, g))
        return true;
    grow_scratch(g);
    for (size_t n = 2; on(&j, GOPHER_top_2, GOPHER_top_4) && n <= 4 && n <= words; n++) {
        int rule = GOPHER_top_2 + (int)n - 2;

        repeated = count_grams(g, n == 2 ? find_pairs(g) : grow_grams(g, n, repeated), &most);
        if (judge(&j, rule, (double)top_counted(g, n, repeated, most) / chars))
            return true;
    }
    if (words < 5 || !on(&j, GOPHER_dup_5, GOPHER_dup_10))
        words = repeated = 0;
    else
        repeated = find_limits(g);
    for (size_t n = 5; n <= 10; n++) {
        int rule = GOPHER_dup_5 + (int)n - 5;

        if (judge(&j, rule, (double)duplicate_grams(g, n, within_limits(g, n, repeated)) / chars))
            return true;
    }
    return false;
}
