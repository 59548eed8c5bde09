#include "store/formats/document_line.h"

#include <stdlib.h>

void document_line_names(const struct token_range *d, struct buf *out)
{
    buf_adds(out, "\"id\":");
    json_quote(out, d->id.p, d->id.n);
    buf_adds(out, ",\"source\":");
    json_quote(out, d->source.p, d->source.n);
    if (d->language.n > 0) {
        buf_adds(out, ",\"language\":");
        json_quote(out, d->language.p, d->language.n);
    }
}

static enum status read_tokens(struct document_line *l, const struct token_range *d)
{
    if (d->count > l->cap || l->tokens == NULL) {
        l->cap = d->count + d->count / 2 + 1024;
        l->tokens = mem_grow(l->tokens, l->cap, sizeof *l->tokens);
    }
    return token_store_read(l->store, l->part, d->first, d->count, l->tokens);
}

/* Digits by hand: a document has thousands of tokens. */
static void add_token(struct buf *out, uint32_t v, bool first)
{
    char text[12], *p = text + sizeof text;

    do
        *--p = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    if (!first)
        *--p = ',';
    buf_add(out, p, (size_t)(text + sizeof text - p));
}

enum status document_line_add(struct document_line *l, uint64_t index, struct buf *out)
{
    struct token_range d;

    TRY(token_store_document(l->store, l->part, index, &d));
    TRY(read_tokens(l, &d));
    buf_printf(out, "{\"document\":%llu,", (unsigned long long)index);
    document_line_names(&d, out);
    buf_printf(out, ",\"first\":%llu,\"tokens\":[", (unsigned long long)d.first);
    for (uint64_t i = 0; i < d.count; i++)
        add_token(out, (uint32_t)l->tokens[i], i == 0);
    buf_adds(out, "]}\n");
    return ST_OK;
}

void document_line_release(struct document_line *l)
{
    free(l->tokens);
    l->tokens = NULL;
    l->cap = 0;
}
