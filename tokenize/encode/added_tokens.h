/*
 * Added tokens: texts that are cut out of a text before anything else and become
 * one id ("<|endoftext|>").
 *
 * The first longest match from the left wins (Hugging Face's AddedVocabulary; its `single_word`,
 * `lstrip` and `rstrip` are kept: a match that single_word rejects is passed over whole, stripped
 * white space belongs to the token). The set is a trie.
 */
#ifndef TUNDISH_TOKENIZE_ADDED_TOKENS_H
#define TUNDISH_TOKENIZE_ADDED_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct added_token {
    struct span content;         /* UTF-8, not empty, borrowed */
    uint32_t id;
    bool single_word, lstrip, rstrip, normalized, special;
};

struct added_set;
struct added_set *added_set_new(void);
void added_set_free(struct added_set *s);
/* Adds a token; content may differ from t->content (its normalized form). Both are borrowed. The
 * first of two tokens with one content stays. */
void added_set_add(struct added_set *s, const struct added_token *t, struct span content);
bool added_set_is_empty(const struct added_set *s);

/* Where a search stands; {.text} before the first call. */
struct added_search {
    struct span text;            /* well-formed UTF-8 */
    size_t from;                 /* where matching goes on */
    size_t done;                 /* text before it is handed out */
};
struct added_match {
    size_t start, end;           /* bytes of the text that the token takes */
    uint32_t id;
};
/* The next match, or false. specials: whether tokens flagged special count (else their
 * matches are passed over). */
bool added_set_next(const struct added_set *s, struct added_search *search, bool specials,
                    struct added_match *m);

/* Bytes of the longest content. */
size_t added_set_longest(const struct added_set *s);
/* May text be cut at `at` (0 < at < text.n), so that the matches in the two parts are those of the
 * whole? False means "not surely": a token may go across the place, or end or begin at it and look at
 * the other side (lstrip, rstrip, single_word). The characters on the two sides must not both be white
 * space, so that stripped white space does not go across. Only text before at + 1 is looked at, and
 * of it the longest token's bytes. */
bool added_set_allows_cut(const struct added_set *s, struct span text, size_t at);

#endif
