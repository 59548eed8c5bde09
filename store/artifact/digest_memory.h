/*
 * The file in which SHA-256s of other files are remembered (FORMATS.md, "digest memory"), and its
 * entries by (device, inode). It is an optimisation: whatever is wrong with the file (absent,
 * damaged, not writable) means an empty memory, nothing else. One thread at a time.
 */
#ifndef TUNDISH_STORE_DIGEST_MEMORY_H
#define TUNDISH_STORE_DIGEST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct digest_entry {
    uint64_t device, inode, size;
    int64_t modified, changed;      /* nanoseconds since 1970 */
    unsigned char digest[32];
    bool used;                      /* found or added since open */
};
/* All but the digest. */
struct digest_entry digest_entry_of(const struct stat *info);
/* The same file with the same size and times? */
bool digest_entry_same(const struct digest_entry *a, const struct digest_entry *b);

struct digest_memory;
struct digest_memory *digest_memory_open(const char *path);
/* Writes the file, atomically, if something was added, and frees m. */
void digest_memory_close(struct digest_memory *m);
/* The digest of a file that is as it was; NULL if there is none. Valid until the next add. */
const unsigned char *digest_memory_find(struct digest_memory *m, const struct digest_entry *want);
/* Replaces what was known of that inode. */
void digest_memory_add(struct digest_memory *m, const struct digest_entry *e);

#endif
