/*
 * Making room in a work folder: what is there, why it is kept, and removing the rest.
 *
 * An item goes only if no rule keeps it; every kept one has the first rule's words, so that
 * `tundish gc --dry-run` answers "why is this still here". What the present plan finds cached, and
 * what it would go on from, is never removed; so after a `gc` a run does what it would have done
 * before.
 *
 * Crash rule: an artifact is renamed to a temporary name (garbage to everyone, and to the next gc)
 * before its first file goes, so that it never stands half under its name. Its key file goes after
 * it: a key without an artifact says nothing.
 *
 * To add a kind of item: a row in GC_KINDS, a finder in gc_list.c. A rule: a function in gc_mark.c,
 * called in its order of interest to people.
 */
#ifndef TUNDISH_PIPELINES_GC_H
#define TUNDISH_PIPELINES_GC_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/opt.h"
#include "base/status.h"
#include "pipelines/plan/name_index.h"
#include "pipelines/plan/options.h"
#include "pipelines/plan/plan.h"
#include "pipelines/run/workdir.h"

/*    name      word         where */
#define GC_KINDS(X)                                                                                \
    X(ARTIFACT, "artifact",  "artifacts/<stage>-<12 hex>, with its .key and .work")                \
    X(UNFINISHED, "unfinished", "a .work or .key whose artifact is not there")                     \
    X(LOG,      "log",       "logs/<stage>-<n>.log")                                               \
    X(RECORD,   "record",    "runs/<id>.json")                                                     \
    X(REPORT,   "report",    "reports/<time>.html")                                                \
    X(LEFTOVER, "leftover",  "a temporary name of a process that is gone, logs/*.log.progress")    \
    X(LINK,     "link",      "current/<stage>, of an artifact that is not there")
enum gc_kind {
#define X(name, word, where) GC_##name,
    GC_KINDS(X)
#undef X
};
const char *gc_kind_word(enum gc_kind kind);

struct gc_item {
    enum gc_kind kind;
    const char *name;            /* path below the work folder */
    const char *stage;           /* its slug, of artifacts and logs; else "" */
    time_t time;                 /* when it was finished, or last changed */
    const char *kept;            /* why it stays; NULL: it goes */
    char digest[SHA256_HEX];     /* of an artifact with a readable manifest, else "" */
    json_t *inputs;              /* the same; the manifest's, or NULL */
    uint64_t bytes;              /* on disk, in files with no other link */
    uint64_t shared;             /* in files that other names have, too */
    bool removed;
};

struct gc {
    struct arena *arena;
    const struct workdir *work;
    const struct plan *plan;
    time_t now;
    int64_t keep_days, keep_last;
    const struct opt_list *registries;   /* besides those that the plan names */
    struct gc_item *items;
    size_t count, cap;
    struct name_index digests;   /* of artifacts; marking fills these */
    size_t *first, *next;        /* items by digest, as lists; place + 1 */
    uint64_t bytes;              /* that went, or of a dry run would go: the last links' alone */
};

/* Finds everything there is; sorted by kind, then name. */
MUST_USE enum status gc_list(struct gc *g);
/* Says what is kept and why. */
MUST_USE enum status gc_mark(struct gc *g);
/* Fills the bytes of all items, and keeps what is in use. Removes what nothing keeps, unless `dry`:
 * then g->bytes is what would be freed. For removing, the caller holds the work folder's lock. */
MUST_USE enum status gc_sweep(struct gc *g, bool dry);
void gc_release(struct gc *g);

/* ---- parts ---- */

#define GC_PROGRESS ".progress"

/* Appends the digests that a model registry leads back to: of each model in it, and of what those
 * were made from. A folder that is not there has none. */
MUST_USE enum status gc_registry_roots(const char *folder, struct words *digests);

/* artifacts/<name>.pin keeps an artifact and what it was made from. name: an artifact's, or a
 * stage's for its current one. *pinned is the artifact's name. */
MUST_USE enum status gc_pin(struct gc *g, const char *name, const char **pinned);
MUST_USE enum status gc_unpin(struct gc *g, const char *name, const char **unpinned);

#endif
