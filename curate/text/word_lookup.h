/*
 * The special texts, units and phrases of word_tables.h, found by hash (text_hash() of curate/text/text_scan.h).
 */
#ifndef TUNDISH_CURATE_WORD_LOOKUP_H
#define TUNDISH_CURATE_WORD_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "curate/text/word_tables.h"

struct word_lookup;
/* Made at the first call; any thread. */
const struct word_lookup *word_lookup_init(void);

/* Longer texts are in no table (bytes). */
#define WORD_SPECIAL_MAX 40

/* May a text of n bytes that begins and ends with these be special? Cheap, and mostly false. */
bool word_may_be_special(const struct word_lookup *l, const char *p, size_t n);
/* The same for a text with that hash; less often true. */
bool word_hash_may_be_special(const struct word_lookup *l, uint64_t hash);
/* The special text p of n bytes with that hash, or NULL. english: not only those of all languages. */
const struct word_special *word_special_find(const struct word_lookup *l, const char *p, size_t n, uint64_t hash, bool english);
bool word_is_unit(const struct word_lookup *l, const char *p, size_t n);

/* Phrases are walked token by token: a token's number (0: in no phrase), the node behind it (0: none), and what is
 * complete there (NULL: nothing). The first node is WORD_PHRASE_ROOT. */
#define WORD_PHRASE_ROOT 1
#define WORD_PHRASE_TOKEN_MAX 12      /* bytes */
unsigned word_phrase_token(const struct word_lookup *l, const char *p, size_t n, uint64_t hash);
unsigned word_phrase_next(const struct word_lookup *l, unsigned node, unsigned token);
const struct word_special *word_phrase_at(const struct word_lookup *l, unsigned node);

#endif
