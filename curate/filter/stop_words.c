#include "curate/filter/stop_words.h"

#include <string.h>

#define MIX UINT64_C(0x9E3779B97F4A7C15)

struct stop_words {
    int bits;
    struct {
        uint64_t hash;
        uint32_t number;      /* from 1; 0: free */
    } slots[];
};

/* The slot of a hash, or the free one where it would stand. */
static size_t slot_of(const struct stop_words *w, uint64_t hash)
{
    size_t mask = ((size_t)1 << w->bits) - 1, at = (hash * MIX) >> (64 - w->bits);

    while ((w->slots[at].number != 0) & (w->slots[at].hash != hash))      /* one branch, and a rare one */
        at = (at + 1) & mask;
    return at;
}

enum status stop_words_make(const struct opt_list *words, struct stop_words **out)
{
    struct stop_words *w;
    int bits = 4;

    *out = NULL;
    if (words->count == 0)
        return ST_OK;
    if (words->count > STOP_WORDS_MAX)
        return fail(ST_CONFIG, "%zu stop words; want at most %d", words->count, STOP_WORDS_MAX);
    while (((size_t)1 << bits) < words->count * 16)
        bits++;
    w = mem_alloc(sizeof *w + ((size_t)1 << bits) * sizeof w->slots[0]);
    w->bits = bits;
    for (size_t i = 0; i < words->count; i++) {
        uint64_t hash = text_hash(words->v[i], strlen(words->v[i]));
        size_t at = slot_of(w, hash);

        w->slots[at].hash = hash;
        w->slots[at].number = (uint32_t)i + 1;
    }
    *out = w;
    return ST_OK;
}

size_t stop_words_distinct(const struct stop_words *w, const struct text_scan *s)
{
    uint64_t seen[STOP_WORDS_MAX / 64 + 1] = { 0 };
    size_t distinct = 0;

    for (size_t i = 0; i < s->word_count; i++) {
        uint32_t number = w->slots[slot_of(w, s->words[i].hash)].number;

        seen[number / 64] |= UINT64_C(1) << number % 64;
    }
    seen[0] &= ~UINT64_C(1);                               /* no stop word */
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        distinct += (size_t)__builtin_popcountll(seen[i]);
    return distinct;
}
