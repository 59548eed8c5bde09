/*
 * Documents to tokens, in parallel and in order: read in order by one thread, encoded by all,
 * handed on in order. Documents travel in batches of about half a megabyte, so memory is bounded by
 * the threads and the largest document.
 */
#ifndef TUNDISH_TOKENIZE_ENCODE_STREAM_H
#define TUNDISH_TOKENIZE_ENCODE_STREAM_H

#include "base/pool.h"
#include "store/documents.h"
#include "tokenize/tokenizer.h"

struct encoded_document {
    struct span id, source;
    uint64_t text_hash, text_bytes;      /* XXH3 of the text */
    const uint32_t *tokens;
    size_t count;
};
struct encode_stream {
    const struct tokenizer *tokenizer;
    bool specials;                       /* as for encoder_encode() */
    int64_t end;                         /* an id to put behind each document, or -1 */
    /* The next document, valid until the next call; *got false at the end. */
    enum status (*next)(void *ctx, struct document *d, bool *got);
    /* In order; what it points to is valid during the call. */
    enum status (*take)(void *ctx, const struct encoded_document *d);
    void *ctx;
};
/* Stops with ST_INTERRUPTED at a Ctrl-C; adds the text's bytes to the progress bar. */
MUST_USE enum status encode_stream(struct pool *pool, const struct encode_stream *s);

#endif
