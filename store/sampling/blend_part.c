#include "store/sampling/blend_part.h"

#include <string.h>

uint64_t blend_documents(const struct blend *b, enum token_part part)
{
    uint64_t n = 0;

    for (size_t i = 0; i < b->count; i++)
        n += token_store_documents(b->sources[i].store, part);
    return n;
}

uint32_t blend_vocab(const struct blend *b)
{
    uint32_t most = 0;

    for (size_t i = 0; i < b->count; i++) {
        uint32_t vocab = token_store_vocab(b->sources[i].store);

        most = vocab > most ? vocab : most;
    }
    return most;
}

enum status blend_read(const struct blend *b, enum token_part part, const struct token_span *where,
                       int32_t *out)
{
    uint64_t first = where->first, left = where->count;

    for (size_t i = 0; i < b->count && left > 0; i++) {
        const struct token_store *s = b->sources[i].store;
        uint64_t tokens = token_store_tokens(s, part), n;

        if (first >= tokens) {
            first -= tokens;
            continue;
        }
        n = tokens - first < left ? tokens - first : left;
        TRY(token_store_read(s, part, first, n, out));
        out += n;
        left -= n;
        first = 0;
    }
    if (left > 0)
        return fail(ST_LIMIT, "'%s' has %llu tokens in this part, want %llu from token %llu on",
                    b->path, (unsigned long long)blend_tokens(b, part),
                    (unsigned long long)where->count, (unsigned long long)where->first);
    return ST_OK;
}

/* The store that has document *index, which becomes the one of the store; *before: tokens of the
 * stores in front. NULL: none has. */
static const struct token_store *find(const struct blend *b, enum token_part part, uint64_t *index,
                                      uint64_t *before)
{
    *before = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct token_store *s = b->sources[i].store;
        uint64_t n = token_store_documents(s, part);

        if (*index < n)
            return s;
        *index -= n;
        *before += token_store_tokens(s, part);
    }
    return NULL;
}

enum status blend_document(const struct blend *b, enum token_part part, uint64_t index,
                           struct token_range *out)
{
    uint64_t before;
    const struct token_store *s = find(b, part, &index, &before);

    if (s == NULL)
        return fail(ST_LIMIT, "'%s' has %llu documents in this part, want one more", b->path,
                    (unsigned long long)blend_documents(b, part));
    TRY(token_store_document(s, part, index, out));
    out->first += before;
    return ST_OK;
}

struct token_span blend_span(const struct blend *b, enum token_part part, uint64_t index)
{
    uint64_t before;
    const struct token_store *s = find(b, part, &index, &before);

    BUG_IF(s == NULL);
    return (struct token_span){ before + token_store_first(s, part, index),
                                token_store_length(s, part, index) };
}

uint64_t blend_document_at(const struct blend *b, enum token_part part, uint64_t at)
{
    uint64_t low = 0, high = blend_documents(b, part);

    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (blend_span(b, part, middle).first <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}
