/*
 * Looking for an artifact by its content digest, where its path of once may no longer hold.
 */
#ifndef TUNDISH_STORE_ARTIFACT_SEARCH_H
#define TUNDISH_STORE_ARTIFACT_SEARCH_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"

struct artifact_search {
    struct arena *arena;
    const char *digest; /* the wanted one */
    /* Is an artifact with another digest wanted, too? NULL: no. */
    bool (*also)(const json_t *manifest, const char *digest);
    const char *seen;   /* where another artifact lies than looked for; NULL: nowhere yet */
    char seen_digest[SHA256_HEX];
};
/* Does it lie at the path? No artifact there: false. A damaged one is a failure. */
MUST_USE enum status artifact_search_at(struct artifact_search *s, const char *path, bool *found);
/* Looks at the folder and at those directly in it, in the order of their names; *path (in the
 * arena) is NULL where it is at none. Damaged artifacts are passed over with a warning. */
MUST_USE enum status artifact_search_in(struct artifact_search *s, const char *folder,
                                        const char **path);

#endif
