/*
 * What the files behind registry.h share: a registry that is open, and its names.
 */
#ifndef TUNDISH_PIPELINES_REGISTRY_PART_H
#define TUNDISH_PIPELINES_REGISTRY_PART_H

#include "base/file.h"
#include "base/json.h"
#include "pipelines/registry/registry.h"
#include "pipelines/registry/registry_history.h"

struct registry {
    struct arena *arena;
    const char *path, *versions, *history_path;
    struct registry_history history;
    struct file_lock lock;
};
/* Names only. */
struct registry registry_at(struct arena *a, const char *path);
/* Takes the lock, reads the history, and carries out what it is ahead with. */
MUST_USE enum status registry_lock(struct registry *r);
void registry_unlock(struct registry *r);

char *registry_version_path(const struct registry *r, const char *version);
char *registry_report_path(const struct registry *r, const char *version);
/* The version that the alias's link leads to, in the arena; NULL if there is no such link. */
const char *registry_link_read(const struct registry *r, const char *alias);
/* All aliases that are links, sorted, NULL-terminated. */
MUST_USE enum status registry_links(const struct registry *r, const char ***out);

/* Which versions stay, NULL-terminated: each alias's, those of its last `keep` events (and what was
 * before them), and the one that its next rollback leads to. */
const char **registry_kept(const struct registry *r, const char *const *links, long long keep);

/* Makes `to` an equal of the artifact at `from`, whole or not at all: hard links, else copies. What
 * stands there already stays if it is equal, and is replaced if it is not. The artifact's bytes must
 * have been verified. */
MUST_USE enum status registry_put(struct arena *a, const char *from, const json_t *manifest,
                                  const char *to);

#endif
