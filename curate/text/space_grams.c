/*
 * Which n-grams stand in a text more than once, for n from 2 to 10, in one go.
 *
 * An n-gram can only be repeated where both (n-1)-grams in it are. So each n looks at what is left of the one before,
 * which in prose is next to nothing from 4 on; and an n-gram's two halves name it exactly: no hash beyond that of a word
 * is compared. Equal words throughout are the worst: every n looks at every word.
 */
#include "base/arena.h"
#include "curate/text/space_scan.h"

/* gram_group[c] is the slot of candidate c: what stands there once is taken out, groups get numbers in their order. */
static size_t keep_repeated(struct space_scan *s, size_t candidates)
{
    size_t kept = 0;
    uint32_t groups = 0;

    for (size_t c = 0; c < candidates; c++) {
        struct space_slot *slot = &s->slots[s->gram_group[c]];
        uint32_t at = s->gram_at[c];

        if (slot->count > 1 && slot->group == 0)
            slot->group = ++groups;
        s->gram_at[kept] = at;
        s->gram_group[kept] = slot->group;
        kept += slot->count > 1;
    }
    return kept;
}

static inline void add_candidate(struct space_scan *s, int log, size_t c, uint64_t key)
{
    struct space_slot *slot = space_slot_of(s, log, key);

    slot->key = key;
    slot->count++;
    s->gram_group[c] = (uint32_t)(slot - s->slots);
}

static size_t repeated_words(struct space_scan *s)
{
    int log = space_slots(s, s->word_count);

    if (s->word_count > s->gram_cap) {
        s->gram_cap = s->word_cap;
        s->gram_at = mem_grow(s->gram_at, s->gram_cap, sizeof *s->gram_at);
        s->gram_group = mem_grow(s->gram_group, s->gram_cap, sizeof *s->gram_group);
    }
    for (size_t i = 0; i < s->word_count; i++) {
        s->gram_at[i] = (uint32_t)i;
        add_candidate(s, log, i, s->words[i].hash);
    }
    return keep_repeated(s, s->word_count);
}

/* From the repeated (n-1)-grams to the repeated n-grams. */
static size_t longer(struct space_scan *s, size_t count)
{
    int log = space_slots(s, count);
    size_t candidates = 0;

    for (size_t k = 0; k + 1 < count; k++) {
        uint64_t key = (uint64_t)s->gram_group[k] << 32 | s->gram_group[k + 1];

        if (s->gram_at[k + 1] != s->gram_at[k] + 1)
            continue;
        s->gram_at[candidates] = s->gram_at[k];
        add_candidate(s, log, candidates++, key);
    }
    return keep_repeated(s, candidates);
}

/* Characters that the n-gram at `at` adds to those of the one before it, `behind` words ago. */
static uint64_t uncovered(const struct space_scan *s, size_t at, size_t n, size_t behind)
{
    size_t overlap = behind < n ? n - behind : 0;
    size_t spaces = n - overlap < n - 1 ? n - overlap : n - 1;

    return space_word_chars(s, at + overlap, n - overlap) + spaces;
}

/* A word lies in n n-grams, but for those at the text's ends. */
static uint64_t all_chars(const struct space_scan *s, size_t n)
{
    size_t words = s->word_count, grams = words - n + 1, most = n < grams ? n : grams;
    uint64_t chars = 0;

    for (size_t i = 1; i < most; i++)
        chars += i * (space_word_chars(s, i - 1, 1) + space_word_chars(s, words - i, 1));
    return chars + most * space_word_chars(s, most - 1, words - 2 * (most - 1));
}

static void measure(struct space_scan *s, size_t n, size_t count, struct space_grams *g)
{
    uint32_t seen = 0;
    size_t last = SIZE_MAX / 2;

    *g = (struct space_grams){ .most = 1, .tie = s->word_count > n };
    g->all_chars = all_chars(s, n);
    for (size_t k = 0; k < count; k++) {
        size_t at = s->gram_at[k];
        uint32_t group = s->gram_group[k];

        g->repeated_chars += space_word_chars(s, at, n);
        if (group > seen) {                                /* the first of its kind */
            seen = group;
            continue;
        }
        g->covered_chars += uncovered(s, at, n, last > at ? n : at - last);
        last = at;
    }
}

/* The commonest n-gram: counts by group, in the table, which is free again. */
static void find_most(struct space_scan *s, size_t count, struct space_grams *g)
{
    uint32_t *times;
    uint32_t groups = 0;

    for (size_t k = 0; k < count; k++)
        groups = s->gram_group[k] > groups ? s->gram_group[k] : groups;
    space_slots(s, groups);
    times = (uint32_t *)s->slots;                          /* 4 a slot, at least 8 a group */
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
    count = repeated_words(s);
    for (size_t i = 2; i <= SPACE_GRAM_MAX && i <= words; i++) {
        count = longer(s, count);
        measure(s, i, count, &s->grams[i]);
        if (i <= 4)
            find_most(s, count, &s->grams[i]);
    }
    s->has_grams = true;
    return &s->grams[n];
}
