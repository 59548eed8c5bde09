/*
 * The checks of a manifest (artifact.h, FORMATS.md "manifest"): what comes out of manifest_parse()
 * has every member that version 1 promises, of its type, file names that stay inside the folder,
 * and a digest that is the one of its kind and files.
 */
#ifndef TUNDISH_STORE_MANIFEST_H
#define TUNDISH_STORE_MANIFEST_H

#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"

#define MANIFEST_VERSION 1
#define MANIFEST_NAME "manifest.json"

/* what names it in errors. (The fuzz target.) */
MUST_USE enum status manifest_parse(const char *what, const char *text, size_t n, json_t **out);
/* The same of a parsed value. */
MUST_USE enum status manifest_check(const char *what, const json_t *manifest);
/* The content digest: SHA-256 over the canonical form of {"kind", "files"}. */
void manifest_digest(const json_t *manifest, char digest[SHA256_HEX]);
/* 64 lower-case hex digits? */
bool manifest_is_digest(const char *s);

#endif
