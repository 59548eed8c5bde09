/*
 * Digests. SHA-256 (OpenSSL) identifies content: files, artifacts, cache keys.
 * XXH3 (xxHash) serves block checksums and de-duplication, never identity.
 */
#ifndef TUNDISH_BASE_HASH_H
#define TUNDISH_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/status.h"

#define SHA256_HEX 65   /* 64 digits and NUL */

struct sha256;
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *h, const void *p, size_t n);
/* Writes the hex digest and frees h. */
void sha256_finish(struct sha256 *h, char hex[SHA256_HEX]);
void sha256_bytes(const void *p, size_t n, char hex[SHA256_HEX]);
/* Digest and size of a regular file's bytes; bytes may be NULL. A device or pipe is refused
 * (ST_UNSUPPORTED). */
MUST_USE enum status sha256_file(const char *path, char hex[SHA256_HEX], uint64_t *bytes);
/* The same with what a long or watched reading wants. */
struct sha256_reading {
    const char *path;
    enum status (*each)(void *ctx, size_t n);   /* behind each piece of n bytes, at most 256 KiB; a
                                                   failure ends the reading; may be NULL */
    void *ctx;
    struct stat *before, *after;                /* the open file, set; may be NULL */
};
MUST_USE enum status sha256_read(const struct sha256_reading *r, char hex[SHA256_HEX],
                                 uint64_t *bytes);

uint64_t xxh3(const void *p, size_t n);
uint64_t xxh3_seed(const void *p, size_t n, uint64_t seed);
/* xxh3() of bytes that come in parts. */
struct xxh3_parts;
struct xxh3_parts *xxh3_parts_new(void);
void xxh3_parts_free(struct xxh3_parts *h);
void xxh3_parts_add(struct xxh3_parts *h, const void *p, size_t n);
/* The hash of all since the last call; begins anew. */
uint64_t xxh3_parts_take(struct xxh3_parts *h);

#endif
