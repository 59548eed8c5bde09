/*
 * The special texts, units and phrases of word_tables.h, found by hash (text_hash() of curate/text/text_scan.h).
 */
#ifndef TUNDISH_CURATE_WORD_LOOKUP_H
#define TUNDISH_CURATE_WORD_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "curate/text/word_tables.h"

#define WORD_HASH_BITS 14
#define WORD_MIX UINT64_C(0x9E3779B97F4A7C15)

/* What is asked of most words, and mostly denied. */
struct word_lookup {
    uint64_t edges[256 * 256 / 64];                         /* first and last byte of special texts */
    uint64_t hashes[(1 << WORD_HASH_BITS) / 64];            /* some bits of the hash of each */
    uint64_t letter_hashes[(1 << WORD_HASH_BITS) / 64];     /* of those of ASCII letters alone */
    uint64_t pairs[(1 << WORD_HASH_BITS) / 64];             /* of two tokens that follow each other in a phrase */
    uint64_t token_hashes[(1 << WORD_HASH_BITS) / 64];      /* of each token of a phrase */
    uint64_t tails[128];                                    /* of special texts that are letters and one sign behind them: by the first
                                                             * letter, bits of their lengths */
    bool signs[128];                                        /* is the sign a token of a phrase? */
    const struct word_slots *slots;
};
/* Made at the first call; any thread. */
const struct word_lookup *word_lookup_init(void);

/* Longer texts are in no table (bytes). */
#define WORD_SPECIAL_MAX 40

/* May a text of n bytes that begins and ends with these be special? Cheap, and mostly false. */
static inline bool word_may_be_special(const struct word_lookup *l, const char *p, size_t n)
{
    size_t edge = (unsigned char)p[0] * 256u + (unsigned char)p[n - 1];

    return n <= WORD_SPECIAL_MAX && (l->edges[edge / 64] >> edge % 64 & 1);
}
static inline bool word_hash_bit(const uint64_t *bits, uint64_t hash)
{
    size_t bit = hash * WORD_MIX >> (64 - WORD_HASH_BITS);

    return bits[bit / 64] >> bit % 64 & 1;
}
/* The same for a text with that hash; less often true. */
static inline bool word_hash_may_be_special(const struct word_lookup *l, uint64_t hash) { return word_hash_bit(l->hashes, hash); }
/* The same for ASCII letters. */
static inline bool word_letters_may_be_special(const struct word_lookup *l, uint64_t hash) { return word_hash_bit(l->letter_hashes, hash); }
/* The same for ASCII letters and one sign behind them, n bytes in all. */
static inline bool word_tail_may_be_special(const struct word_lookup *l, const char *p, size_t n)
{
    return n <= WORD_SPECIAL_MAX && (l->tails[(unsigned char)p[0]] >> n & 1);
}
static inline bool word_sign_in_phrase(const struct word_lookup *l, unsigned char sign) { return l->signs[sign]; }
/* The special text p of n bytes with that hash, or NULL. english: not only those of all languages. */
const struct word_special *word_special_find(const struct word_lookup *l, const char *p, size_t n, uint64_t hash, bool english);
bool word_is_unit(const struct word_lookup *l, const char *p, size_t n);

/* Phrases are walked token by token: a token's number (0: in no phrase), the node behind it (0: none), and what is
 * complete there (NULL: nothing). The first node is WORD_PHRASE_ROOT. */
#define WORD_PHRASE_ROOT 1
#define WORD_PHRASE_TOKEN_MAX 12      /* bytes */
static inline bool word_may_be_token(const struct word_lookup *l, uint64_t hash) { return word_hash_bit(l->token_hashes, hash); }
/* May two tokens with these hashes follow each other in a phrase? */
static inline uint64_t word_pair_hash(uint64_t first, uint64_t second) { return (first << 21 | first >> 43) ^ second; }
static inline bool word_may_be_pair(const struct word_lookup *l, uint64_t first, uint64_t second)
{
    return word_hash_bit(l->pairs, word_pair_hash(first, second));
}
unsigned word_phrase_token(const struct word_lookup *l, const char *p, size_t n, uint64_t hash);
unsigned word_phrase_next(const struct word_lookup *l, unsigned node, unsigned token);
const struct word_special *word_phrase_at(const struct word_lookup *l, unsigned node);

#endif
