/*
 * Documents and bytes by name (a source, a language, a kind), sorted by name.
 */
#ifndef TUNDISH_CURATE_NAME_COUNTS_H
#define TUNDISH_CURATE_NAME_COUNTS_H

#include <stdint.h>

#include "base/json.h"

struct name_count {
    const char *name;          /* within the list: UTF-8, owned by it */
    uint64_t documents, bytes;
};
struct name_counts {           /* {0} before use */
    struct name_count *v;
    size_t count, cap;
};
/* Adds to the name's counts; a name that is not UTF-8 is repaired. */
void name_counts_add(struct name_counts *c, const struct name_count *add);
void name_counts_merge(struct name_counts *c, const struct name_counts *from);
/* The counts of a name; zeros where it has none. */
struct name_count name_counts_get(const struct name_counts *c, const char *name);
/* {name: {"documents", "bytes"}}; the caller owns it. */
json_t *name_counts_json(const struct name_counts *c);
/* Adds what name_counts_json() wrote; what: names the place in an error. */
MUST_USE enum status name_counts_read(struct name_counts *c, const json_t *from, const char *what);
void name_counts_release(struct name_counts *c);

#endif
