/*
 * Where in a row of u16 or u32 a short sequence may begin. What is looked for are its first two
 * elements next to each other, 64 places at a time, which the compiler makes vector code of; the
 * caller compares the rest.
 */
#ifndef TUNDISH_STORE_TOKEN_MATCH_H
#define TUNDISH_STORE_TOKEN_MATCH_H

#include <stddef.h>
#include <stdint.h>

#define TOKEN_MATCH_MOST 65536u

struct token_places {
    uint64_t *v;
    size_t count, cap;
};
void token_places_add(struct token_places *p, uint64_t place);
void token_places_release(struct token_places *p);

struct token_match;
/* n of 1 to TOKEN_MATCH_MOST; width: 2 or 4 bytes an element. */
struct token_match *token_match_new(const uint32_t *tokens, size_t n, int width);
void token_match_free(struct token_match *m);
size_t token_match_count(const struct token_match *m);
const uint32_t *token_match_tokens(const struct token_match *m);
/* Adds at + i for each i in [0, n) where the sequence may begin: what lies in the row agrees with
 * its first two (at i = n - 1 with its first). */
void token_match_find(const struct token_match *m, const void *row, uint64_t n, uint64_t at,
                      struct token_places *out);

#endif
