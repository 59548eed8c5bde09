/*
 * Which n-grams stand in a text more than once, for n from 2 to 10, in one go.
 *
 * Pairs of words are looked for by a hash of both words' hashes. A longer n-gram can only be repeated where both (n-1)-grams
 * in it are. So each n looks at what is left of the one before,
 * which in prose is next to nothing from 4 on; and an n-gram's two halves name it exactly: no hash beyond that of a pair
 * is compared. Equal words throughout are the worst: every n looks at every word.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "curate/text/space_scan.h"

/* Slots hold a candidate's number + 1, 0: free. */
static int make_slots(struct space_scan *s, size_t n)
{
    int log = 4;

    while (((size_t)1 << log) < 4 * n)
        log++;
    if ((size_t)1 << log > s->gram_slot_cap) {
        s->gram_slot_cap = (size_t)1 << log;
        s->gram_slots = mem_grow(s->gram_slots, s->gram_slot_cap, sizeof *s->gram_slots);
    }
    memset(s->gram_slots, 0, ((size_t)1 << log) * sizeof *s->gram_slots);
    memset(s->gram_count, 0, (n + 1) * sizeof *s->gram_count);
    return log;
}

/* What the loops over candidates write to, kept where none of these stores can change it. */
struct table {
    uint32_t *at, *group, *number, *count, *slots;
    uint64_t *key;                 /* from 1 on: key[c + 1] is candidate c's */
    int log;
};

static struct table table_of(struct space_scan *s, size_t n)
{
    int log = make_slots(s, n);

    return (struct table){ s->gram_at, s->gram_group, s->gram_number, s->gram_count, s->gram_slots, s->gram_key, log };
}

/* group[c] becomes the first candidate with the same key, which counts them. A free slot leads to key[0], which is made
 * the one that is looked for: the only branch is that of keys that meet in a slot, a rare one. */
static void group_candidates(const struct table *t, size_t candidates)
{
    size_t mask = ((size_t)1 << t->log) - 1;

    for (size_t c = 0; c < candidates; c++) {
        uint64_t key = t->key[c + 1];
        size_t i = (key * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - t->log);
        uint32_t slot;

        t->key[0] = key;
        while (t->key[slot = t->slots[i]] != key)
            i = (i + 1) & mask;
        slot = slot ? slot : (uint32_t)c + 1;
        t->slots[i] = slot;
        t->group[c] = slot - 1;
        t->count[slot - 1]++;
    }
}

/* What stands there once is taken out; what is left gets the number of its group, in the order of first ones. Without a
 * branch: whether a word comes again is a coin's toss. */
static size_t keep_repeated(const struct table *t, size_t candidates)
{
    size_t kept = 0;
    uint32_t groups = 0;

    for (size_t c = 0; c < candidates; c++) {
        uint32_t first = t->group[c], at = t->at[c];
        bool again = t->count[first] > 1;

        groups += again & (first == c);
        t->number[c] = groups;                             /* read where c is a first one */
        t->at[kept] = at;
        t->group[kept] = t->number[first];
        kept += again;
    }
    return kept;
}

static void grow_grams(struct space_scan *s)
{
    if (s->word_count <= s->gram_cap)
        return;
    s->gram_cap = s->word_cap;
    s->gram_at = mem_grow(s->gram_at, s->gram_cap, sizeof *s->gram_at);
    s->gram_group = mem_grow(s->gram_group, s->gram_cap, sizeof *s->gram_group);
    s->gram_number = mem_grow(s->gram_number, s->gram_cap, sizeof *s->gram_number);
    s->gram_count = mem_grow(s->gram_count, s->gram_cap + 1, sizeof *s->gram_count);
    s->gram_key = mem_grow(s->gram_key, s->gram_cap + 1, sizeof *s->gram_key);
}

/* One mark a slot: 1 after the first that falls there, more after others. Returns by how much a key is shifted. */
static int clear_seen(struct space_scan *s, size_t n)
{
    int log = 6;

    while (((size_t)1 << log) < 8 * n)
        log++;
    if ((size_t)1 << log > s->gram_seen_cap) {
        s->gram_seen_cap = (size_t)1 << log;
        free(s->gram_seen);
        s->gram_seen = mem_array(s->gram_seen_cap, 1);
    }
    memset(s->gram_seen, 0, (size_t)1 << log);
    return 64 - log;
}

/* Keys of all pairs of words; those that share a mark with another one stay, in order: the repeated ones and a few that
 * are not. Without a branch. Returns how many; key[c + 1] and at[c] are theirs. */
static size_t likely_pairs(struct space_scan *s)
{
    const struct space_word *words = s->list.words;
    size_t pairs = s->word_count - 1, kept = 0;
    int shift = clear_seen(s, pairs);
    uint64_t *key = s->gram_key + 1;
    uint8_t *seen = s->gram_seen;
    uint32_t *at = s->gram_at;

    for (size_t i = 0; i < pairs; i++) {
        __uint128_t m = (__uint128_t)(words[i].hash ^ UINT64_C(0x8EBC6AF09C88C6E3)) *
                        (words[i + 1].hash ^ UINT64_C(0x589965CC75374CC3));
        uint64_t k = (uint64_t)m ^ (uint64_t)(m >> 64);

        key[i] = k;
        seen[k >> shift] = (uint8_t)(seen[k >> shift] << 1 | 1);
    }
    for (size_t i = 0; i < pairs; i++) {
        uint64_t k = key[i];

        key[kept] = k;
        at[kept] = (uint32_t)i;
        kept += seen[k >> shift] > 1;
    }
    return kept;
}

static size_t repeated_pairs(struct space_scan *s)
{
    size_t candidates;
    struct table t;

    space_words(s);
    grow_grams(s);
    candidates = likely_pairs(s);
    t = table_of(s, candidates);
    group_candidates(&t, candidates);
    return keep_repeated(&t, candidates);
}

/* From the repeated (n-1)-grams to the repeated n-grams. */
static size_t longer(struct space_scan *s, size_t count)
{
    struct table t;
    size_t candidates = 0;

    if (count < 2)
        return 0;
    t = table_of(s, count);
    for (size_t k = 0; k + 1 < count; k++) {
        uint32_t at = t.at[k];
        bool adjacent = t.at[k + 1] == at + 1;

        t.key[candidates + 1] = (uint64_t)t.group[k] << 32 | t.group[k + 1];
        t.at[candidates] = at;
        candidates += adjacent;
    }
    group_candidates(&t, candidates);
    return keep_repeated(&t, candidates);
}

/* Characters that the n-gram at `at` adds to those of the one before it, `behind` words ago. */
static uint64_t uncovered(const struct space_scan *s, size_t at, size_t n, size_t behind)
{
    size_t overlap = behind < n ? n - behind : 0;
    size_t spaces = n - overlap < n - 1 ? n - overlap : n - 1;

    return space_word_chars(&s->list, at + overlap, n - overlap) + spaces;
}

/* A word lies in n n-grams, but for those at the text's ends. */
static uint64_t all_chars(const struct space_scan *s, size_t n)
{
    size_t words = s->word_count, grams = words - n + 1, most = n < grams ? n : grams;
    uint64_t chars = 0;

    for (size_t i = 1; i < most; i++)
        chars += i * (space_word_chars(&s->list, i - 1, 1) + space_word_chars(&s->list, words - i, 1));
    return chars + most * space_word_chars(&s->list, most - 1, words - 2 * (most - 1));
}

static void measure(struct space_scan *s, size_t n, size_t count, struct space_grams *g)
{
    uint32_t seen = 0;
    size_t last = SIZE_MAX / 2;

    g->all_chars = all_chars(s, n);
    for (size_t k = 0; k < count; k++) {
        size_t at = s->gram_at[k];
        uint32_t group = s->gram_group[k];

        g->repeated_chars += space_word_chars(&s->list, at, n);
        if (group > seen) {                                /* the first of its kind */
            seen = group;
            continue;
        }
        g->covered_chars += uncovered(s, at, n, last > at ? n : at - last);
        last = at;
    }
}

/* The commonest n-gram. */
static void find_most(struct space_scan *s, size_t count, struct space_grams *g)
{
    uint32_t *times = s->gram_count, groups = 0;

    for (size_t k = 0; k < count; k++)
        groups = s->gram_group[k] > groups ? s->gram_group[k] : groups;
    memset(times, 0, (groups + (size_t)1) * sizeof *times);
    for (size_t k = 0; k < count; k++)
        times[s->gram_group[k]]++;
    for (uint32_t i = 1; i <= groups; i++)
        if (times[i] >= g->most) {
            g->tie = times[i] == g->most && g->most > 1;
            g->first = times[i] > g->most ? i : g->first;
            g->most = times[i];
        }
    for (size_t k = 0; k < count && g->most > 1; k++)
        if (s->gram_group[k] == g->first) {
            g->first = s->gram_at[k];
            return;
        }
}

const struct space_grams *space_grams(struct space_scan *s, int n)
{
    size_t count, words = s->word_count;

    if (s->has_grams)
        return &s->grams[n];
    count = repeated_pairs(s);
    for (size_t i = 2; i <= SPACE_GRAM_MAX && i <= words; i++) {
        count = i > 2 ? longer(s, count) : count;
        s->grams[i] = (struct space_grams){ .most = 1, .tie = words > i };
        if (i <= SPACE_GRAM_MOST_MAX)
            find_most(s, count, &s->grams[i]);
        else
            measure(s, i, count, &s->grams[i]);
    }
    s->has_grams = true;
    return &s->grams[n];
}
