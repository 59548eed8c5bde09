#include "curate/filter/stop_words.h"

#include <stdlib.h>
#include <string.h>

#define MIX UINT64_C(0x9E3779B97F4A7C15)

struct stop_words {
    int bits;
    bool crowded;             /* not each word stands where its hash says */
    struct {
        uint64_t hash;
        uint32_t number;      /* from 1; 0: free */
    } slots[];
};

static size_t first_slot(const struct stop_words *w, uint64_t hash) { return (hash * MIX) >> (64 - w->bits); }

/* The slot of a hash, or the free one where it would stand. */
static size_t slot_of(const struct stop_words *w, uint64_t hash)
{
    size_t mask = ((size_t)1 << w->bits) - 1, at = first_slot(w, hash);

    while (w->slots[at].number != 0 && w->slots[at].hash != hash)
        at = (at + 1) & mask;
    return at;
}

static struct stop_words *make_table(const struct opt_list *words, int bits)
{
    struct stop_words *w = mem_alloc(sizeof *w + ((size_t)1 << bits) * sizeof w->slots[0]);

    w->bits = bits;
    for (size_t i = 0; i < words->count; i++) {
        uint64_t hash = text_hash(words->v[i], strlen(words->v[i]));
        size_t at = slot_of(w, hash);

        w->crowded |= at != first_slot(w, hash);
        w->slots[at].hash = hash;
        w->slots[at].number = (uint32_t)i + 1;
    }
    return w;
}

#define ROOMIER 4      /* times that a table is made larger so that it is not crowded */

enum status stop_words_make(const struct opt_list *words, struct stop_words **out)
{
    int bits = 4, most;

    *out = NULL;
    if (words->count == 0)
        return ST_OK;
    if (words->count > STOP_WORDS_MAX)
        return fail(ST_CONFIG, "%zu stop words; want at most %d", words->count, STOP_WORDS_MAX);
    while (((size_t)1 << bits) < words->count * 4)
        bits++;
    most = words->count > 64 ? bits : bits + ROOMIER;
    for (*out = make_table(words, bits); (*out)->crowded && bits < most; *out = make_table(words, ++bits))
        free(*out);
    return ST_OK;
}

/* The number of a stop word, 0: none. Without a branch where there is room: every third word is one. */
static inline uint32_t number_of(const struct stop_words *w, uint64_t hash)
{
    size_t at = w->crowded ? slot_of(w, hash) : first_slot(w, hash);

    return w->slots[at].number & -(uint32_t)(w->slots[at].hash == hash);
}

size_t stop_words_distinct(const struct stop_words *w, const struct text_scan *s)
{
    uint64_t seen[STOP_WORDS_MAX / 64 + 1] = { 0 };
    size_t distinct = 0;

    for (size_t i = 0; i < s->word_count; i++) {
        uint32_t number = number_of(w, s->words[i].hash);

        seen[number / 64] |= UINT64_C(1) << number % 64;
    }
    seen[0] &= ~UINT64_C(1);                               /* no stop word */
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        distinct += (size_t)__builtin_popcountll(seen[i]);
    return distinct;
}
