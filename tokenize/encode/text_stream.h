/*
 * Text that comes token by token: tokens are bytes, and a character may end in a later token. What
 * has come so far is handed on in whole characters; what can never become one is replaced by
 * U+FFFD.
 */
#ifndef TUNDISH_TOKENIZE_TEXT_STREAM_H
#define TUNDISH_TOKENIZE_TEXT_STREAM_H

#include "base/str.h"

struct text_stream {
    char held[4]; /* the beginning of a character */
    size_t count;
};
/* Appends to out what can be shown after these bytes. */
void text_stream_add(struct text_stream *t, struct span bytes, struct buf *out);
/* Nothing more comes: what is held is replaced. */
void text_stream_end(struct text_stream *t, struct buf *out);

/* How many bytes at the end of p may still become a character with what comes: 0 to 3. */
size_t text_stream_open(const char *p, size_t n);

#endif
