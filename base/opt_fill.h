/*
 * One way into a config struct: every value, from a default, a file or the command line, is a YAML
 * node that opt_fill_row() checks and stores. Private to base/opt_*.c.
 *
 * Layers: a later layer (file < --set < command line) replaces what an earlier one gave; the same
 * option twice in one layer is a fault.
 */
#ifndef TUNDISH_BASE_OPT_FILL_H
#define TUNDISH_BASE_OPT_FILL_H

#include "base/opt.h"
#include "base/str.h"

struct opt_seen {
    int layer;                   /* 0: only the default */
    const struct yaml *at;
};
struct opt_fill {
    const struct opt *table;
    struct arena *arena;
    char *cfg;                   /* NULL: check only */
    struct opt_seen *seen;       /* one a row */
    int layer;
};

/* Starts at layer 1 with the defaults in cfg. A wrong table ends the process: our own fault. */
struct opt_fill opt_fill_begin(const struct opt *table, struct arena *a, void *cfg);
/* Checks a value and stores it. */
MUST_USE enum status opt_fill_row(struct opt_fill *f, const struct opt *row, struct yaml *value);
/* Each key of a map; prefix is the group it stands in ("" or "model."). */
MUST_USE enum status opt_fill_map(struct opt_fill *f, const struct yaml *map, const char *prefix);
/* The node for a value written as text: a tree is parsed, all others are a word.
 * name begins messages. */
MUST_USE enum status opt_value_of_text(const struct opt *row, struct arena *a, const char *name,
                                       const char *text, struct yaml **out);
/* The first required row without a value, whose type is not in the mask, or NULL. */
const struct opt *opt_fill_missing(const struct opt_fill *f, unsigned skip);

bool opt_is_list(const struct opt *row);
/* The row with that letter, or NULL. */
const struct opt *opt_find_letter(const struct opt *table, char letter);
/* "model." for a key "model", '-' for '_'. */
const char *opt_group(struct arena *a, const char *key);
/* True if some row is named prefix + something. */
bool opt_has_group(const struct opt *table, const char *prefix);
/* "; did you mean 'x'?" with `dashes` in front of the name, or "". With dashes, the options of
 * every command are also known. */
const char *opt_guess(const struct opt *table, struct arena *a, const char *name,
                      const char *dashes);
/* "1 to 100", "at least 1", "at most 9" or "" for a row without bounds; appended. */
void opt_bounds(struct buf *out, const struct opt *row);

#endif
