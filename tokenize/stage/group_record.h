/*
 * What is finished of a group: OUT.work/group-00012.json, replaced whenever a shard of it is finished (FORMATS.md,
 * "Token store"). Digests stand in it, so that no shard is read again for the manifest.
 */
#ifndef TUNDISH_TOKENIZE_GROUP_RECORD_H
#define TUNDISH_TOKENIZE_GROUP_RECORD_H

#include "base/arena.h"
#include "base/hash.h"
#include "store/tokens/token_format.h"

struct part_counts {
    uint64_t documents, tokens, text_bytes;
};
struct shard_entry {
    uint64_t bytes;
    char sha256[SHA256_HEX];
    struct part_counts parts[TOKENS_PARTS];
};
struct group_record {
    bool done;                       /* no more shards come */
    struct shard_entry *v;
    size_t count, cap;
};
/* Names in OUT.work: "group-00012.json", and "group-00012-003.mdb", the group's shard 3. */
const char *group_record_path(struct arena *a, const char *folder, size_t group);
const char *group_shard_path(struct arena *a, const char *folder, size_t group, size_t number);

/* An absent file is a record without shards. ST_FORMAT: not what the format says. */
MUST_USE enum status group_record_read(const char *path, struct group_record *out);
MUST_USE enum status group_record_write(const char *path, const struct group_record *r);
/* The new one, zeroed; valid until the next. */
struct shard_entry *group_record_add(struct group_record *r);
void group_record_release(struct group_record *r);

void part_counts_of(const struct token_shard_meta *m, struct part_counts out[TOKENS_PARTS]);
/* Documents, tokens of both parts. */
uint64_t part_counts_documents(const struct part_counts c[TOKENS_PARTS]);
uint64_t part_counts_tokens(const struct part_counts c[TOKENS_PARTS]);

#endif
