/*
 * Params: the knobs that a pipeline file declares under `params:` and `--set name=value` turns.
 *
 * The one idea: a param is put in before anything else looks at the tree, so that checks, cache
 * keys and command lines see plain values only.
 *
 *   "${vocab}"         the whole scalar: the node becomes the param's value, of whatever kind and
 *                      type it is (a number, a list, a map)
 *   "${root}/notes"    inside other text: the param's text; it must be a scalar
 *   "$${x}"            an escape: the text ${x}
 *
 * A param's own value is taken as it stands (no params in params), so that a small file cannot grow
 * without bound.
 */
#ifndef TUNDISH_PIPELINES_PARAM_H
#define TUNDISH_PIPELINES_PARAM_H

#include "base/arena.h"
#include "base/opt.h"
#include "base/status.h"
#include "base/yaml.h"
#include "pipelines/plan/name_index.h"

/* Params of one stage alone: the combination of a matrix that it is. */
struct param_scope {
    size_t count;
    const char **names;
    struct yaml **values;
};
struct params {
    struct arena *arena;
    size_t count;
    const char **names;          /* file order, NULL behind the last (for str_nearest) */
    struct yaml **values;        /* the file's, or what --set put in its place */
    struct name_index index;     /* of names, by the same numbers */
    const struct param_scope *scope;     /* known beside them for now; may be NULL */
    size_t copied;               /* bytes put in so far; bounded */
};

/* Reads the map under `params:` (NULL: none) and each "name=value" of sets (may be NULL). A value
 * that begins with [ { " or ' is read as YAML, any other is a plain scalar. An unknown name is an
 * error with the nearest one. */
MUST_USE enum status params_read(struct arena *a, const struct yaml *declared,
                                 const struct opt_list *sets, struct params *out);
/* Puts the params into every scalar value below tree, in place; keys are left alone. A node that
 * got a value says where that value comes from (yaml.from). */
MUST_USE enum status params_apply(struct params *p, struct yaml *tree);

/* A deep copy; with `at`, every node of it says that it stands where `at` stands and comes from
 * where it stood. */
struct yaml *tree_copy(struct arena *a, const struct yaml *n, const struct yaml *at);
/* About how much memory a copy takes. */
size_t tree_bytes(const struct yaml *n);
/* "; did you mean 'x'?" when a candidate is near to word, else "". Lives in the arena. */
const char *hint_nearest(struct arena *a, const char *word, const char *const *candidates);
/* A name that can be part of a path and of a reference: a letter or digit, then letters, digits, -
 * and _, at most 64 bytes. */
bool name_is_good(const char *name);

#endif
