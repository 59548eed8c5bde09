/* A token store that is nothing but lengths of documents, for tests that want thousands of them: token t of the train part has the
 * id base + t, so each token can be told from all others. Linked in place of store/tokens/token_store.c. */
#ifndef TUNDISH_TESTS_STORE_FAKE_TOKENS_H
#define TUNDISH_TESTS_STORE_FAKE_TOKENS_H

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "store/tokens/tokens.h"

struct token_store {
    uint64_t documents, tokens;
    uint64_t *firsts;            /* [documents + 1] */
    uint32_t *owner;             /* [tokens]: the document */
    int32_t base;
    uint64_t masked;             /* every so many tokens, by hash, is not to be learnt; 0: none */
    char digest[72];
    const char *tokenizer;
};

static inline bool fake_masks(const struct token_store *s, uint64_t t) { return s->masked && rng_at(3, 3, t) % s->masked == 0; }

/* Lengths 0 to `longest`; one is longer than 0. */
static inline struct token_store *fake_store(uint64_t number, uint64_t documents, uint64_t longest)
{
    struct token_store *s = mem_alloc(sizeof *s);

    s->documents = documents;
    s->firsts = mem_array(documents + 1, sizeof *s->firsts);
    s->base = (int32_t)(number << 24);
    s->tokenizer = "one and the same";
    snprintf(s->digest, sizeof s->digest, "%016llx%048llx", (unsigned long long)rng_at(number, 1, 1), (unsigned long long)number);
    for (uint64_t i = 0; i < documents; i++)
        s->firsts[i + 1] = s->firsts[i] + (i == 0 ? longest : rng_at(number, 2, i) % (longest + 1));
    s->tokens = s->firsts[documents];
    s->owner = mem_array(s->tokens, sizeof *s->owner);
    for (uint64_t i = 0; i < documents; i++)
        for (uint64_t t = s->firsts[i]; t < s->firsts[i + 1]; t++)
            s->owner[t] = (uint32_t)i;
    return s;
}

static inline void fake_free(struct token_store *s)
{
    free(s->firsts);
    free(s->owner);
    free(s);
}

uint64_t token_store_documents(const struct token_store *s, enum token_part part) { return s->documents; }
uint64_t token_store_tokens(const struct token_store *s, enum token_part part) { return s->tokens; }
const char *token_store_digest(const struct token_store *s) { return s->digest; }
const char *token_store_tokenizer(const struct token_store *s) { return s->tokenizer; }
uint64_t token_store_first(const struct token_store *s, enum token_part part, uint64_t i)
{
    assert_true(i < s->documents);
    return s->firsts[i];
}
uint64_t token_store_length(const struct token_store *s, enum token_part part, uint64_t i)
{
    assert_true(i < s->documents);
    return s->firsts[i + 1] - s->firsts[i];
}
enum status token_store_read(const struct token_store *s, enum token_part part, uint64_t first, uint64_t n, int32_t *out)
{
    assert_true(first + n <= s->tokens);
    for (uint64_t i = 0; i < n; i++)
        out[i] = s->base + (int32_t)(first + i);
    return ST_OK;
}
void token_store_mask(const struct token_store *s, enum token_part part, uint64_t first, uint64_t n, int32_t *targets)
{
    assert_true(n > 0 && first + n <= s->tokens);
    for (uint64_t i = 0; i < n; i++)
        if (fake_masks(s, first + i))
            targets[i] = -1;
}

#endif
