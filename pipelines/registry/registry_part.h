/*
 * What the files behind registry.h share: a registry that is open, and its names.
 */
#ifndef TUNDISH_PIPELINES_REGISTRY_PART_H
#define TUNDISH_PIPELINES_REGISTRY_PART_H

#include "base/file.h"
#include "base/json.h"
#include "pipelines/registry/registry.h"
#include "pipelines/registry/registry_history.h"

struct registry_name {
    const char *registry, *alias;
};
/* ST_USAGE if the path is none of REGISTRY/ALIAS. */
MUST_USE enum status registry_name_parse(struct arena *a, const char *path,
                                         struct registry_name *out);

struct registry {
    struct arena *arena;
    const char *path, *versions, *reports, *history_path;
    struct registry_history history;
    struct file_lock lock;
};
/* Names only. */
struct registry registry_at(struct arena *a, const char *path);
/* Takes the lock, reads the history, and carries out the last event if it was cut off. Warns of
 * aliases that are apart from the history, but of `asked` (NULL: none). */
MUST_USE enum status registry_lock(struct registry *r, const char *asked);
void registry_unlock(struct registry *r);

char *registry_version_path(const struct registry *r, const char *version);
char *registry_report_path(const struct registry *r, const char *digest);
/* The digest of the report that came with the version under that alias; NULL: none is there. Of a
 * registry whose history is read, as all below that take an alias of the history. */
const char *registry_report_of(const struct registry *r, const char *alias, const char *version);
/* The version that the alias's link leads to, in the arena; NULL if there is no such link. */
const char *registry_link_read(const struct registry *r, const char *alias);
/* All aliases that are links, sorted, NULL-terminated. */
MUST_USE enum status registry_links(const struct registry *r, const char ***out);
/* What stands under the alias's name must be a link of ours, or nothing: else ST_USAGE. */
MUST_USE enum status registry_link_check(const struct registry *r, const char *alias);
MUST_USE enum status registry_link_swap(const struct registry *r, const char *alias,
                                        const char *version);

/* An alias that has events, beside its last one: it leads there; it leads where it did before, as
 * the writer of the history's last event was killed; or neither, so someone else moved it. */
enum registry_agreement { ALIAS_AGREES, ALIAS_CUT_OFF, ALIAS_APART };
enum registry_agreement registry_agreement(const struct registry *r, const char *alias);
void registry_warn_apart(const struct registry *r, const char *alias);

/* The version's manifest, which must be of that version. The caller owns it. */
MUST_USE enum status registry_open_version(const struct registry *r, const char *version,
                                           json_t **manifest);
/* ST_MISSING: nothing is promoted under that name; with the nearest one. */
MUST_USE enum status registry_missing(const struct registry *r, const char *alias);

/* Makes `to` an equal of the artifact at `from`, whole or not at all: hard links, else copies. What
 * stands there already stays if it is equal, and is replaced if it is not. The artifact's bytes must
 * have been verified. */
MUST_USE enum status registry_put(struct arena *a, const char *from, const json_t *manifest,
                                  const char *to);

#endif
