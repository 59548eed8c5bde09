/*
 * What a WARC record holds becomes a document, or the outcome that says why not.
 *
 * What it is, the fields say first (HTTP's Content-Type, or the record's): HTML, plain text and
 * Markdown are documents, other types (images, scripts, JSON) are not. Where they say nothing,
 * the bytes do, as for files. What is said to be text and is not by its bytes is "binary";
 * archives inside records are not opened.
 */
#ifndef TUNDISH_CURATE_SOURCE_PAYLOAD_H
#define TUNDISH_CURATE_SOURCE_PAYLOAD_H

#include "curate/source/source_http.h"
#include "curate/source/source_part.h"

struct record {
    struct span head;          /* fields, unfolded */
    char *block;               /* its bytes, which are changed; at least n + 1 */
    size_t n;
    const char *id;            /* its place: FILE#NUMBER */
    bool cut;                  /* it ended too early */
};

/* Does the record hold a document, by its WARC-Type? */
bool record_is_document(struct span head);
/* The document; NULL: none (counted). Its line_id is the WARC-Record-ID without its brackets, created
 * the WARC-Date, metadata {"url", "content_type", "http_status", "languages", "truncated"}, as far as
 * they are told. */
struct raw_document *record_document(struct source *s, const struct record *r);

#endif
