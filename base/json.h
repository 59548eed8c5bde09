/*
 * JSON for configuration, manifests and APIs: jansson, with our errors. The JSONL hot path
 * has its own scanner in store/documents/documents.h.
 *
 * json_t is jansson's; whoever receives one from here owns a reference (json_decref()).
 */
#ifndef TUNDISH_BASE_JSON_H
#define TUNDISH_BASE_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

/* Parses n bytes; errors name `what` with line and column. Duplicate keys are refused. */
MUST_USE enum status json_parse(const char *text, size_t n, const char *what, json_t **out);
/* Reads a whole regular file, at most 256 MiB. */
MUST_USE enum status json_read_file(const char *path, json_t **out);
/* Writes indented, sorted keys, final newline; atomically (file_write_atomic). */
MUST_USE enum status json_write_file(const char *path, const json_t *value);
/* The same, where nobody reads yet (file_write_new). */
MUST_USE enum status json_write_new_file(const char *path, const json_t *value);
/* Appends the canonical form: keys sorted by bytes, no spaces, reals with 17 digits. Two equal
 * values have equal canonical forms; digests are taken over it. */
void json_canonical(struct buf *out, const json_t *value);
/* Appends a JSON string literal, quotes included; bytes that are not UTF-8 become U+FFFD. */
void json_quote(struct buf *out, const char *p, size_t n);
/* A path, or a message that names one, as a JSON text: what is not UTF-8 becomes U+FFFD. */
json_t *json_text_of(const char *s);

/* A text member, borrowed; "" if there is none. */
const char *json_text(const json_t *object, const char *member);

/* Typed members with an error that names the file (`what`) and key; required. */
MUST_USE enum status json_get_int(const json_t *obj, const char *key, const char *what,
                                  int64_t *out);
MUST_USE enum status json_get_real(const json_t *obj, const char *key, const char *what,
                                   double *out);
MUST_USE enum status json_get_str(const json_t *obj, const char *key, const char *what,
                                  const char **out); /* borrowed */

#endif
