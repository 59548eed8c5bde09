/*
 * SHA-256s of files, remembered between runs: a large file that has not changed is hashed once.
 *
 * A file counts as unchanged while its device, inode, size, mtime and ctime are what they were.
 * Times have a granularity, so a file that was changed less than two seconds before it was hashed
 * is not remembered (git's racy rule): a second change might leave the same times. The memory is an
 * optimisation: whatever is wrong with its file (absent, damaged, not writable) means that files
 * are hashed again, nothing else. FORMATS.md, "digest memory".
 */
#ifndef TUNDISH_STORE_DIGESTS_H
#define TUNDISH_STORE_DIGESTS_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"

struct digest_cache;
/* path: the memory's file; NULL: nothing is remembered. */
struct digest_cache *digest_cache_open(const char *path);
/* Writes what is new, atomically. */
void digest_cache_close(struct digest_cache *c);
/* The digest of a file, from memory or by reading it. */
MUST_USE enum status digest_cache_file(struct digest_cache *c, const char *path,
                                       char hex[SHA256_HEX]);
/* How many files were hashed (not remembered) since open. */
uint64_t digest_cache_hashed(const struct digest_cache *c);
/* The user's own memory, ${XDG_CACHE_HOME:-$HOME/.cache}/tundish/verified; NULL where
 * neither variable is set. */
const char *digest_cache_default(struct arena *a);

#endif
