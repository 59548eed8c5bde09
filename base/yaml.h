/*
 * YAML as a tree in which every node knows its line and column (libyaml's event marks).
 *
 * The subset: block and flow collections, plain and quoted scalars, `|` and `>` blocks,
 * comments. Refused with a clear error at the right place: duplicate keys, tabs in
 * indentation, anchors, aliases and merge keys, tags, several documents, keys that are not scalars,
 * depth over 64, a file over 4 MiB, bytes that are not UTF-8, control characters and
 * U+0085, U+2028, U+2029 (unless as an escape in double quotes). A plain scalar's type is
 * decided by whoever reads it (YAML 1.2 core: true/false, numbers, null; `yes`, `no`,
 * `on`, `off` are strings).
 */
#ifndef TUNDISH_BASE_YAML_H
#define TUNDISH_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };

struct yaml_source;   /* file name and text, kept for messages */
struct yaml {
    enum yaml_kind kind;
    int line, column;             /* from 1 */
    const struct yaml_source *source;
    const struct yaml *from;      /* a value that was put in here stands there; messages about
                                     this node tell that place, too. NULL: it stands here */
    const char *text;             /* scalar: its value, NUL-terminated (no NUL inside) */
    bool plain;                   /* scalar: neither quoted nor a block */
    struct yaml **keys;           /* map: the key nodes, in file order */
    struct yaml **items;          /* map: the values; list: the items */
    size_t count;
};

/* Parses text; name is used in messages. The tree and a copy of the text live in the arena. An
 * empty document is an empty map. */
MUST_USE enum status yaml_parse(struct arena *a, const char *name, const char *text, size_t n,
                                struct yaml **out);
MUST_USE enum status yaml_read_file(struct arena *a, const char *path, struct yaml **out);
/* A plain scalar that came from no file (a word of the command line): messages about it begin with
 * "name: " and show no place. */
struct yaml *yaml_word(struct arena *a, const char *name, const char *text);
/* The value of a map's key, or NULL. */
struct yaml *yaml_get(const struct yaml *map, const char *key);

/* fail(ST_CONFIG) with "name:line:column: message", the source line and a caret under the node. */
enum status yaml_fail(const struct yaml *node, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Scalars, by YAML 1.2 core; false where the node is not one of that type. A real may come out as
 * an infinity or NaN (`.inf`, `.nan`, `1e999`): whoever asks decides whether that will do. An
 * integer is also a real. */
bool yaml_as_int(const struct yaml *n, long long *out);
bool yaml_as_real(const struct yaml *n, double *out);
bool yaml_as_bool(const struct yaml *n, bool *out);
bool yaml_is_null(const struct yaml *n);
/* "a map", "a list", "the text 'x'", "the number 3": for messages. Borrowed from the arena of a. */
const char *yaml_describe(struct arena *a, const struct yaml *n);
/* The tree as JSON (plain scalars typed by YAML 1.2 core, all others strings; infinities and NaN,
 * which JSON lacks, stay strings). Caller owns it. */
json_t *yaml_to_json(const struct yaml *n);

#endif
