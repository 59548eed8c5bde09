/* What a token store holds, apart from how it is cut into shards. */
#include "base/hash.h"
#include "store/tokens/token_format.h"

#define BATCH_BYTES ((size_t)1 << 18)

static void add_number(struct buf *out, uint64_t v)
{
    char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(unsigned char)(v >> (8 * i));
    buf_add(out, bytes, sizeof bytes);
}

static void add_text(struct buf *out, struct span text)
{
    add_number(out, text.n);
    if (text.n > 0)
        buf_add(out, text.p, text.n);
}

static void flush(struct sha256 *h, struct buf *batch)
{
    sha256_add(h, batch->p, batch->n);
    buf_clear(batch);
}

static enum status add_tokens(const struct token_store *s, enum token_part part, struct sha256 *h)
{
    uint64_t n, total = token_store_tokens(s, part);

    for (uint64_t at = 0; at < total; at += n) {
        const void *p;

        TRY(token_store_slice(s, part, at, &p, &n));
        sha256_add(h, p, n * (unsigned)token_store_width(s));
    }
    return ST_OK;
}

static enum status add_record(const struct token_store *s, enum token_part part, uint64_t index,
                              struct arena *a, struct buf *batch)
{
    const struct token_span *skips;
    struct token_range r;
    size_t count;

    TRY(token_store_document(s, part, index, &r));
    TRY(token_store_skips(s, part, index, a, &skips, &count));
    add_text(batch, r.id);
    add_text(batch, r.source);
    add_text(batch, r.language);
    add_number(batch, r.text_hash);
    add_number(batch, r.text_bytes);
    add_number(batch, r.count);
    add_number(batch, count);
    for (size_t i = 0; i < count; i++) {
        add_number(batch, skips[i].first);
        add_number(batch, skips[i].count);
    }
    return ST_OK;
}

static enum status add_part(const struct token_store *s, enum token_part part, struct sha256 *h,
                            struct buf *batch)
{
    struct arena a = { 0 };
    enum status st = ST_OK;

    add_number(batch, token_store_tokens(s, part));
    add_number(batch, token_store_documents(s, part));
    flush(h, batch);
    TRY(add_tokens(s, part, h));
    for (uint64_t i = 0; st == ST_OK && i < token_store_documents(s, part); i++) {
        st = add_record(s, part, i, &a, batch);
        arena_reset(&a);
        if (batch->n >= BATCH_BYTES)
            flush(h, batch);
    }
    arena_release(&a);
    return st;
}

enum status token_store_content(const struct token_store *s, char hex[SHA256_HEX])
{
    struct sha256 *h = sha256_new();
    struct buf batch = { 0 };
    enum status st = ST_OK;

    add_text(&batch, span_of("token store"));
    add_number(&batch, token_store_vocab(s));
    add_text(&batch, span_of(token_store_tokenizer(s)));
    for (int p = 0; st == ST_OK && p < TOKENS_PARTS; p++)
        st = add_part(s, (enum token_part)p, h, &batch);
    flush(h, &batch);
    sha256_finish(h, hex);
    buf_release(&batch);
    return st;
}
