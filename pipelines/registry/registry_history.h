/*
 * The history of a registry: history.jsonl, what was promoted and rolled back, one event a line
 * (FORMATS.md, "registry").
 *
 * The one idea: the history is written ahead. An event is appended and synced first, then the alias
 * is swapped, so that whoever finds the two apart knows all that was meant (by whom, when, with
 * which note) and makes the alias follow. An event that is not whole (no line feed behind it) was
 * never synced, so nothing was done about it: the next writer cuts it off.
 *
 * What an alias was before is a stack, as of an editor that can undo: a promotion puts its version
 * on top, a rollback takes off what lies above the one it leads to. After A, B, rollback, C the
 * stack is A C, and B, which was found wanting, is not what a rollback from C leads to.
 */
#ifndef TUNDISH_PIPELINES_REGISTRY_HISTORY_H
#define TUNDISH_PIPELINES_REGISTRY_HISTORY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"

#define VERSION_DIGITS 16       /* of the model's content digest: a version's name */

/*    name      word */
#define REGISTRY_EVENTS(X)                                                                         \
    X(PROMOTE,  "promote")                                                                         \
    X(ROLLBACK, "rollback")
enum registry_event_kind {
#define X(name, word) EVENT_##name,
    REGISTRY_EVENTS(X)
#undef X
    EVENT_COUNT
};
extern const char *const registry_event_words[];      /* NULL-terminated */

struct registry_event {
    double t;                        /* seconds since 1970 */
    enum registry_event_kind kind;
    const char *alias;
    const char *version, *digest;    /* what the alias pointed to from then on */
    const char *before;              /* the version before; NULL: none */
    const char *report;              /* content digest of the report that goes with it; NULL: none */
    const char *by, *note;
};

struct registry_history {
    struct registry_event *v;        /* in the order of the file */
    size_t count;
    size_t good;                     /* bytes up to the end of the last whole line */
    bool torn;                       /* there are more */
};

/* A name that may stand in a registry: 1 to 64 letters, digits, - and _, the first a letter or
 * digit, and none of the registry's own ("versions", "reports", "lock"). */
bool registry_is_alias(const char *name);
bool registry_is_version(const char *name);      /* 16 lower-case hex digits */

/* what names the text in errors, which tell the line. Everything lives in the arena. (The fuzz
 * target.) */
MUST_USE enum status registry_history_parse(struct arena *a, const char *what, const char *text,
                                            size_t n, struct registry_history *out);
/* An absent file is an empty history. */
MUST_USE enum status registry_history_read(struct arena *a, const char *path,
                                           struct registry_history *out);
/* Appends and syncs, after cutting off what is torn; also puts the event into the history. Only for
 * the holder of the registry's lock. */
MUST_USE enum status registry_history_append(struct arena *a, const char *path,
                                             struct registry_history *h,
                                             const struct registry_event *e);

/* As in the file; the caller owns it. */
json_t *registry_event_json(const struct registry_event *e);

/* The newest event of the alias, or NULL. */
const struct registry_event *registry_history_last(const struct registry_history *h,
                                                   const char *alias);
/* The digest of the report that the newest event which led the alias to that version names, or
 * NULL. */
const char *registry_history_report(const struct registry_history *h, const char *alias,
                                    const char *version);
/* The versions that the alias may go back to, the present one last; none twice in a row. */
struct version_stack {
    const char **v;
    size_t count;
};
struct version_stack registry_history_stack(struct arena *a, const struct registry_history *h,
                                            const char *alias);
/* The names that have events, NULL-terminated, each once, in the order of their first. */
const char **registry_history_aliases(struct arena *a, const struct registry_history *h);

#endif
