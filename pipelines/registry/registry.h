/*
 * The model registry: which model is the champion, which was it before, and who said so.
 *
 *   registry/<alias>                 a link to versions/<16 hex>: what is in use under that name
 *   registry/versions/<16 hex>/      a model; the digits begin its content digest
 *   registry/reports/<16 hex>/       an evaluation that came with a promotion; the digits begin its
 *                                    own content digest
 *   registry/history.jsonl           what happened (registry_history.h)
 *   registry/lock                    held (flock) by whoever changes something
 *
 * Its one spelling is REGISTRY/ALIAS, a path: "registry/champion". As the alias is a link to the
 * model's folder, whatever reads a model can be given that path.
 *
 * Which report goes with an alias is told by the history alone: the newest event that led that
 * alias to that version names it. So two aliases of one version each keep their own.
 *
 * The order in which something changes, so that a kill at any moment leaves an alias that leads to
 * a whole version:
 *   1. the version and its report are made under a temporary name, synced, renamed;
 *   2. the event is appended to the history and synced;
 *   3. the alias is swapped: a link under a temporary name, renamed over it, the folder synced.
 * Killed before 2, nothing was promoted. Killed between 2 and 3, the history's last event is ahead
 * of its alias, and the next promote, rollback or prune swaps that alias before it does anything
 * else; the other order would leave an alias of which nobody knows who moved it, when and why. Any
 * other alias that is apart from the history was moved by hand: that is warned of and left.
 *
 * A version's files are hard links to the artifact's, or, across file systems, copies that are
 * hashed again. manifest.json is always a copy, so that a lock on it is about this version alone:
 * who uses a version for long (a server) opens its manifest.json, takes a shared flock on it, looks
 * whether the path still leads to that file, and is then safe from registry_prune().
 *
 * Readers take no lock. To add an alias: promote to it.
 */
#ifndef TUNDISH_PIPELINES_REGISTRY_H
#define TUNDISH_PIPELINES_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"

#define REGISTRY_KEEP 5         /* entries of an alias's history whose versions stay */

struct registry_place {
    const char *version;             /* 16 hex digits */
    const char *model;               /* REGISTRY/versions/<version> */
    const char *report;              /* REGISTRY/reports/<16 hex>; NULL: the alias has none */
    char digest[SHA256_HEX];         /* the model's content digest */
};
/* What REGISTRY/ALIAS leads to, in the arena. ST_MISSING, with the nearest name, if there is no such
 * registry or alias; ST_INTEGRITY if what it leads to is not whole. */
MUST_USE enum status registry_resolve(struct arena *a, const char *path,
                                      struct registry_place *out);
/* Whether anything is promoted under that name; the path itself is checked (ST_USAGE). nearest: the
 * path of the alias that may have been meant, or NULL. */
MUST_USE enum status registry_has(struct arena *a, const char *path, bool *out,
                                  const char **nearest);

struct promote_args {
    const char *model;               /* folder of a model (kind "model") */
    const char *to;                  /* REGISTRY/ALIAS; both are made if they are missing */
    const char *report;              /* folder of its report, or NULL */
    const char *note;                /* or NULL */
};
struct promotion {
    char version[17], digest[SHA256_HEX];
    char before[17];                 /* "": there was none */
    bool changed;                    /* false: it was there already, and nothing was written */
    bool untold;                     /* it led to `before`, and the history did not say so */
};
/* Hashes every file of model and report first: ST_INTEGRITY if a byte differs. ST_USAGE if the
 * report says that it is about another model. The model that is
 * under the alias already is no event; with another report it is one, which is no step for
 * rollback. Waits for another writer, at most a minute (ST_HELD). */
MUST_USE enum status registry_promote(struct arena *a, const struct promote_args *args,
                                      struct promotion *out);

struct rollback_args {
    const char *alias;               /* REGISTRY/ALIAS */
    const char *to;                  /* version; NULL: the one before the present one */
    const char *note;                /* or NULL */
};
/* Goes one step back, as undo does: a second one goes one further. `to` may be any version that the
 * alias ever had. ST_MISSING if there is none before it, or its files are gone. */
MUST_USE enum status registry_rollback(struct arena *a, const struct rollback_args *args,
                                       struct promotion *out);

/* {"registry", "aliases": [{"alias", "version", "digest", "report", "since", "by", "note"}],
 *  "versions": [{"version", "digest", "bytes", "report", "aliases": [names]}],
 *  "history": [the events], "pending": [the alias whose event was cut off, if there is one],
 *  "apart": [aliases that lead elsewhere than the history says]}; "digest" of a version that cannot
 * be read is null. The caller owns it. */
MUST_USE enum status registry_json(struct arena *a, const char *registry, json_t **out);

struct prune_args {
    const char *registry;
    long long keep;
    bool dry;
};
struct prune_result {
    long long removed, in_use;       /* versions */
    uint64_t freed;                  /* bytes of files that no other folder holds */
    uint64_t shared;                 /* bytes of files that go on elsewhere, as hard links */
};
/* Removes the versions that no alias, none of the last `keep` events of an alias and no next
 * rollback refers to, and the reports that went with none of those that stay. Says a word
 * (log_info) of each; a version that is in use stays. */
MUST_USE enum status registry_prune(struct arena *a, const struct prune_args *args,
                                    struct prune_result *out);

#endif
