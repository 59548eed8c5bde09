/*
 * What a web server sent, as WARC records keep it: a head of fields and a body that may be in
 * chunks and packed. Fields are those of RFC 5322, RFC 7230 and WARC alike: `Name: value`, names in
 * any case, a line that begins with white space going on with the one before.
 */
#ifndef TUNDISH_CURATE_SOURCE_HTTP_H
#define TUNDISH_CURATE_SOURCE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Folded lines of a head become one, in place (white space instead of the line's end). */
void fields_unfold(char *p, size_t n);
/* The first field of that name, without white space around; n = 0: none, or empty. */
struct span field_of(struct span head, const char *name);

/* Case apart. */
bool word_is(struct span s, const char *word);

/* "text/html; charset=utf-8" */
struct media {
    struct span type;           /* "text/html"; n = 0: none */
    struct span charset;        /* n = 0: none; without quotes */
};
struct media media_of(struct span field);

/* The bytes of a message: its first line and fields, unfolded in place; and the body behind the
 * blank line (none: the head is all of it). status 0: it does not begin like an answer, all of it
 * is body. */
struct http_message {
    int status;
    struct span head;
    struct span body;
};
struct http_message http_parse(char *p, size_t n);

enum http_body {
    HTTP_WHOLE,
    HTTP_CUT,            /* it ends too early, or is damaged further on: what came before is there */
    HTTP_TOO_LARGE,      /* would be larger than the limit */
    HTTP_UNKNOWN,        /* an encoding that is not known */
};
/* Takes the body out of its chunks and encodings (gzip, deflate, br, zstd), into out. A body that
 * is not what the fields say from its first bytes on (crawlers unpack and keep the fields) is taken
 * as it is. expanded: the bytes that encodings gave. */
struct http_limits {
    size_t most;
    size_t expanded;     /* out */
};
enum http_body http_decode(const struct http_message *m, struct http_limits *limits, struct buf *out);

#endif
