/*
 * Documents to tokens, in parallel and in order: read in order by one thread, encoded by all,
 * handed on in order. Texts travel in batches of about half a megabyte. A longer document is cut at
 * safe places (safe_cut.h) into parts that are encoded at the same time, so one huge document keeps
 * all threads busy, and its ids are those of one call. Memory is bounded by the threads and the
 * largest document; by the threads alone where documents come in parts, are taken in parts, and have
 * safe places.
 */
#ifndef TUNDISH_TOKENIZE_ENCODE_STREAM_H
#define TUNDISH_TOKENIZE_ENCODE_STREAM_H

#include "base/pool.h"
#include "store/documents/documents.h"
#include "tokenize/tokenizer.h"

struct stream_text {
    struct document d;                   /* text: all of it, or the next part of it, cut anywhere */
    bool more;                           /* the next call gives the next part, with the same id and source */
    uint64_t tag;                        /* the caller's; comes back with the document */
};
struct encoded_document {
    struct span id, source;
    struct span metadata;                /* as stream_text had it in a document's first part */
    uint64_t tag;
    uint64_t text_hash, text_bytes;      /* XXH3 and length of the whole text; known in the last part */
    const uint32_t *tokens;              /* NULL where only their number is wanted */
    const struct id_range *ranges;       /* of tokens, in the whole text; NULL unless wanted. The ids
                                            that `around` and `end` add have empty ones */
    size_t count;
    struct span shown;                   /* what show() made of the ids */
    /* A whole document is first and last. */
    bool first, last;
    uint64_t at;                         /* bytes of the document's text in front of this part */
    struct span text;                    /* of this part; {0}, as shown, in a document that was joined */
};
struct encode_stream {
    const struct tokenizer *tokenizer;
    bool specials;                       /* as for encoder_encode() */
    bool parts;                          /* take() is called with parts as they come; else whole */
    bool ranges;
    bool count_only;                     /* ids are not kept */
    bool around;                         /* with the ids of tokenizer_around() */
    int64_t end;                         /* an id to put behind each document, or -1 */
    /* Appends the ids in another form, by the thread that encoded them, so that the taker has only to
     * copy; called for each part, may be NULL. */
    void (*show)(void *ctx, const uint32_t *ids, size_t count, struct buf *out);
    /* The next text, valid until the next call; *got false at the end. */
    enum status (*next)(void *ctx, struct stream_text *s, bool *got);
    /* In order; what it points to is valid during the call. */
    enum status (*take)(void *ctx, const struct encoded_document *d);
    /* Puts the place of the document of that tag in front of the message of a failure to encode it, and returns
     * st; by any thread; may be NULL. */
    enum status (*within)(void *ctx, uint64_t tag, enum status st);
    void *ctx;
    bool own_progress;                   /* the caller moves the progress bar; else the text's bytes do */
};
/* Stops with ST_INTERRUPTED at a Ctrl-C. */
MUST_USE enum status encode_stream(struct pool *pool, const struct encode_stream *s);

#endif
