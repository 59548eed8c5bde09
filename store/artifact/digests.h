/*
 * SHA-256s of files and folders, remembered between runs: what has not changed is not read again.
 *
 * A file counts as unchanged while its device, inode, size, mtime and ctime are what they were.
 * Times have a granularity, so a file that was changed less than two seconds before it was hashed
 * is not remembered (git's racy rule): a second change might leave the same times.
 *
 * A folder is walked and looked at by one thread (a warm look costs about a microsecond a file);
 * what must be read is then hashed by several, largest files first. One file is always hashed by
 * one thread, as SHA-256 demands. Digests are the same for any number of threads. Memory:
 * about 150 bytes a file and 256 KiB a thread. Work over 1 GiB or two seconds shows its progress,
 * unless the caller is showing its own. Ctrl-C while it reads is ST_INTERRUPTED, what was hashed
 * until then is remembered; one that came earlier is the caller's matter.
 */
#ifndef TUNDISH_STORE_DIGESTS_H
#define TUNDISH_STORE_DIGESTS_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"

struct digest_cache;
/* path: the memory's file (digest_memory.h); NULL: nothing is remembered. */
struct digest_cache *digest_cache_open(const char *path);
/* 0, as it is at first: as many as this process may use. */
void digest_cache_set_threads(struct digest_cache *c, int threads);
/* Writes what is new. */
void digest_cache_close(struct digest_cache *c);
/* The digest of a file, from memory or by reading it. */
MUST_USE enum status digest_cache_file(struct digest_cache *c, const char *path,
                                       char hex[SHA256_HEX]);
/* The same of some files of a folder; hex[count]. */
struct digest_files {
    const char *folder;
    const char *const *names; /* [count] */
    size_t count;
};
MUST_USE enum status digest_cache_files(struct digest_cache *c, const struct digest_files *f,
                                        char (*hex)[SHA256_HEX]);
/* The digest of a folder that is no artifact (FORMATS.md, "digest of any path"). Within a pool's
 * item it is the work of that one thread. */
MUST_USE enum status digest_cache_folder(struct digest_cache *c, const char *path,
                                         char hex[SHA256_HEX]);
/* How many files were hashed (not remembered) since open. */
uint64_t digest_cache_hashed(const struct digest_cache *c);
/* The user's own memory, ${XDG_CACHE_HOME:-$HOME/.cache}/tundish/verified; NULL where
 * neither variable is set. */
const char *digest_cache_default(struct arena *a);

#endif
