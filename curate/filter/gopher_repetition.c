/* The repetition half of curate/filter/gopher.h. Everything is a hash from the scan. Most n-grams stand in
 * a document once, and nine rules look at all of them; so each first marks bits by hash, one for
 * "seen" and one for "seen again", which takes a few instructions without a branch and a few KB,
 * and only n-grams whose bit was seen again (some of them by chance) go into a table. */
#include "curate/filter/gopher.h"
#include "curate/text/words.h"

#define MIX UINT64_C(0x9E3779B97F4A7C15)

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

static void add_unit(struct duplicates *d, const struct gopher_scratch *g, int bits,
                     struct text_line unit)
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

/* The part of line i inside [from, to). */
static struct text_line clip(const struct text_scan *s, size_t i, size_t from, size_t to)
{
    struct text_line l = s->lines[i];
    size_t a = l.at < from ? from : l.at, b = l.at + l.bytes > to ? to : l.at + l.bytes;

    if (a != l.at || b != l.at + l.bytes) {
        l.bytes = (uint32_t)(b - a);
        l.hash = text_hash(s->text.p + a, b - a);
        l.chars = (uint32_t)utf8_length(s->text.p + a, b - a);
        l.at = (uint32_t)a;
    }
    return l;
}

/* Joins a line to the paragraph: the hash of "p\nl". */
static void join_line(struct text_line *p, struct text_line l)
{
    p->hash = (p->hash * HASH_BASE + '\n') * text_hash_power(l.bytes) + l.hash;
    p->chars += 1 + l.chars;
}

/* Paragraphs as re.split("\n{2,}") of the stripped text gives them. */
static struct duplicates duplicate_paragraphs(struct gopher_scratch *g)
{
    const struct text_scan *s = &g->scan;
    struct span core = word_strip(s->classes, s->text);
    size_t from = (size_t)(core.p - s->text.p), to = from + core.n;
    struct duplicates d = { 0 };
    struct text_line paragraph = { 0 };
    bool open = false;
    int bits = make_table(g, s->line_count, 1);

    for (size_t i = 0; i < s->line_count && core.n > 0; i++) {
        struct text_line l = s->lines[i];

        if (l.at + l.bytes <= from || l.at >= to)
            continue;
        if (l.bytes == 0)
            continue;
        l = clip(s, i, from, to);
        if (open && s->lines[i - 1].bytes > 0) {
            join_line(&paragraph, l);
            continue;
        }
        if (open)
            add_unit(&d, g, bits, paragraph);
        paragraph = l;
        open = true;
    }
    if (open)
        add_unit(&d, g, bits, paragraph);
    return d;
}

/* ---- n-grams ---- */

/* Makes grams of n words from grams of n-1 words, with a blank between. */
static void grow_grams(struct gopher_scratch *g, size_t n)
{
    const struct text_word *w = g->scan.words;

    for (size_t i = 0; i + n <= g->scan.word_count; i++) {
        g->grams[i] = (g->grams[i] * HASH_BASE + ' ') * w[i + n - 1].power + w[i + n - 1].hash;
    }
}

static void begin_grams(struct gopher_scratch *g)
{
    if (g->scan.word_count > g->gram_cap) {
        g->gram_cap = g->scan.word_count * 5 / 4;
        g->grams = mem_grow(g->grams, g->gram_cap, sizeof *g->grams);
        g->repeated = mem_grow(g->repeated, g->gram_cap, sizeof *g->repeated);
        g->again = mem_grow(g->again, g->gram_cap, sizeof *g->again);
    }
    for (size_t i = 0; i < g->scan.word_count; i++)
        g->grams[i] = g->scan.words[i].hash;
}

static uint64_t gram_chars(const struct text_scan *s, size_t at, size_t n)
{
    uint64_t chars = 0;

    for (size_t i = at; i < at + n; i++)
        chars += s->words[i].chars;
    return chars;
}

#define BITS_A_GRAM 16

/* Lists in g->repeated the n-grams (of the first `count`) whose hash may stand there twice;
 * returns how many. */
static size_t find_repeated(struct gopher_scratch *g, size_t count)
{
    int log = 10;
    size_t words, n = 0;

    while (((size_t)1 << log) < count * BITS_A_GRAM)
        log++;
    words = ((size_t)1 << log) / 64 * 2;      /* seen and seen again lie side by side */
    if (words > g->bit_cap) {
        g->bit_cap = words;
        g->bits = mem_grow(g->bits, words, sizeof *g->bits);
    }
    memset(g->bits, 0, words * sizeof *g->bits);
    for (size_t i = 0; i < count; i++) {
        size_t at = (g->grams[i] * MIX) >> (64 - log);
        uint64_t *pair = g->bits + at / 64 * 2, bit = UINT64_C(1) << at % 64;

        pair[1] |= pair[0] & bit;
        pair[0] |= bit;
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = (g->grams[i] * MIX) >> (64 - log);

        g->repeated[n] = (uint32_t)i;
        n += g->bits[at / 64 * 2 + 1] >> at % 64 & 1;
    }
    return n;
}

/* Sets g->again for the `count` listed. */
static void mark_repeated(struct gopher_scratch *g, size_t count)
{
    memset(g->again, 0, g->scan.word_count);
    for (size_t k = 0; k < count; k++)
        g->again[g->repeated[k]] = 1;
}

/* The same for n-grams with blanks between their words, of the `known` repeated ones that are a word shorter: only where one of them begins,
 * and another with the next word, can a longer one stand that is repeated. Their hashes are made longer, too, the others' are not. g->again
 * is kept up to date. */
static size_t grow_repeated(struct gopher_scratch *g, size_t n, size_t known)
{
    const struct text_word *w = g->scan.words;
    size_t count = 0;

    for (size_t k = 0; k < known; k++) {
        size_t i = g->repeated[k];

        if (i + n > g->scan.word_count)
            break;
        g->again[i] = g->again[i + 1];
        g->grams[i] = (g->grams[i] * HASH_BASE + ' ') * w[i + n - 1].power + w[i + n - 1].hash;
        g->repeated[count] = (uint32_t)i;
        count += g->again[i];
    }
    return count;
}

/* ---- n-grams without blanks ---- */

#define OPENING 12      /* bytes */

/* Words joined without blanks are equal also where their bounds differ, so longer repeated ones do not follow from shorter ones. But
 * their first bytes are equal. Lists where n-grams of five words or more may stand that are repeated: those whose first OPENING bytes,
 * from the first word on, stand in the document again, and those that may be shorter than that. g->grams has the words' hashes. */
static size_t find_openings(struct gopher_scratch *g)
{
    const struct text_scan *s = &g->scan;
    size_t count = s->word_count, n = 0, at = 0, kept = 0;

    if (g->joined_cap < s->text.n + OPENING) {
        g->joined_cap = s->text.n * 5 / 4 + OPENING;
        g->joined = mem_grow(g->joined, g->joined_cap, 1);
    }
    for (size_t i = 0; i < count; at += s->words[i++].bytes)
        memcpy(g->joined + at, s->text.p + s->words[i].at, s->words[i].bytes);
    memset(g->joined + at, 0, OPENING);
    for (size_t i = 0, from = 0; i < count; from += s->words[i++].bytes) {
        uint64_t first;
        uint32_t rest;

        memcpy(&first, g->joined + from, sizeof first);
        memcpy(&rest, g->joined + from + sizeof first, sizeof rest);
        g->grams[i] = first * MIX ^ (first >> 32) ^ rest * UINT64_C(0xD6E8FEB86659FD93);
    }
    n = find_repeated(g, count);
    mark_repeated(g, n);
    for (size_t i = 0; i + 5 <= count; i++) {
        const struct text_word *w = &s->words[i];

        g->grams[i] = w->hash;
        if (g->again[i] || w[0].bytes + w[1].bytes + w[2].bytes + w[3].bytes + w[4].bytes < OPENING)
            g->repeated[kept++] = (uint32_t)i;
    }
    return kept;
}

/* Makes the listed grams a word longer; those that end behind the text leave the list. */
static size_t grow_openings(struct gopher_scratch *g, size_t n, size_t count)
{
    const struct text_word *w = g->scan.words;

    for (size_t k = 0; k < count; k++) {
        size_t i = g->repeated[k];

        if (i + n > g->scan.word_count)
            return k;
        g->grams[i] = g->grams[i] * w[i + n - 1].power + w[i + n - 1].hash;
    }
    return count;
}

/* Characters of the commonest n-gram (of several, the one that comes first) with its spaces,
 * times its count. */
static uint64_t top_gram(struct gopher_scratch *g, size_t n, size_t count)
{
    int bits = make_table(g, count, 2);
    size_t mask = ((size_t)1 << bits) - 1;
    uint32_t most = 1, first = 0;             /* the first one is there at least */

    for (size_t k = 0; k < count; k++) {
        uint64_t hash = g->grams[g->repeated[k]], *slot;
        size_t i;
        uint32_t times, where;

        hash += hash == 0;
        i = (hash * MIX) >> (64 - bits);
        while (g->slots[2 * i] != 0 && g->slots[2 * i] != hash)
            i = (i + 1) & mask;
        slot = &g->slots[2 * i];
        if (slot[0] == 0) {
            slot[0] = hash;
            slot[1] = (uint64_t)g->repeated[k] << 32;
        }
        times = (uint32_t)++slot[1];
        where = (uint32_t)(slot[1] >> 32);
        if (times > most || (times == most && where < first)) {
            most = times;
            first = where;
        }
    }
    return (gram_chars(&g->scan, first, n) + n - 1) * most;
}

/* Characters in n-grams that stood before the scan came to them; it jumps over each of those. */
static uint64_t duplicate_grams(struct gopher_scratch *g, size_t n, size_t count)
{
    size_t next = 0;
    int bits = make_table(g, count, 1);
    uint64_t chars = 0;

    for (size_t k = 0; k < count; k++) {
        size_t i = g->repeated[k];

        if (i < next || !add_hash(g->slots, bits, g->grams[i]))
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

    if (judge_units(&j, g))
        return true;
    if (on(&j, GOPHER_top_2, GOPHER_top_4))
        begin_grams(g);
    for (size_t n = 2; on(&j, GOPHER_top_2, GOPHER_top_4) && n <= 4 && n <= words; n++) {
        int rule = GOPHER_top_2 + (int)n - 2;

        if (n == 2) {
            grow_grams(g, n);
            repeated = find_repeated(g, words - n + 1);
            mark_repeated(g, repeated);
        } else {
            repeated = grow_repeated(g, n, repeated);
        }
        if (on(&j, rule, rule) && judge(&j, rule, (double)top_gram(g, n, repeated) / chars))
            return true;
    }
    repeated = 0;
    if (on(&j, GOPHER_dup_5, GOPHER_dup_10) && words >= 5) {
        begin_grams(g);
        repeated = find_openings(g);
    }
    for (size_t n = 2; on(&j, GOPHER_dup_5, GOPHER_dup_10) && n <= 10; n++) {
        int rule = GOPHER_dup_5 + (int)n - 5;

        repeated = grow_openings(g, n, repeated);
        if (n >= 5 && on(&j, rule, rule) && judge(&j, rule, (double)duplicate_grams(g, n, repeated) / chars))
            return true;
    }
    return false;
}
