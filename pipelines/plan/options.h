/*
 * A stage's `with:` map seen through its command's option table: which value belongs to which row,
 * what the stage reads, and the words of its command line.
 *
 * The map has been checked (opt_check_map) before these are called; keys that fit no row are passed
 * over.
 */
#ifndef TUNDISH_PIPELINES_OPTIONS_H
#define TUNDISH_PIPELINES_OPTIONS_H

#include "base/opt.h"
#include "base/status.h"
#include "base/str.h"
#include "base/yaml.h"

struct option_use {
    const struct opt *row;
    const struct yaml *key;
    struct yaml *value;
};
/* Calls fn for each value that belongs to a row, in the order of the map; `model: {width: 1}` is
 * the row model.width. */
typedef enum status option_fn(void *ctx, const struct option_use *use);
MUST_USE enum status options_walk(const struct opt *table, struct yaml *map, option_fn *fn,
                                  void *ctx);

/* Calls fn for each scalar below that names something to read: the value of an input row, each item
 * of an inputs row, each path that the row's own `paths` visits inside a tree. index counts within
 * the row. */
typedef enum status input_fn(void *ctx, const struct opt *row, size_t index, struct yaml *path);
MUST_USE enum status options_inputs(const struct opt *table, struct yaml *map, input_fn *fn,
                                    void *ctx);

/* The row of the type, or NULL. */
const struct opt *options_row_of_type(const struct opt *table, enum opt_type type);

/* A growing list of words, NULL-terminated. */
struct words {
    struct arena *arena;
    const char **v;
    size_t count, cap;
};
void words_add(struct words *w, const char *word);
/* Appends "--name=value" for every value of the map: lists repeat their option, trees are YAML flow
 * text. */
void options_words(const struct opt *table, struct yaml *map, struct words *out);

/* Appends the tree as one line of YAML flow text that reads back as the same tree: plain scalars
 * that are numbers, booleans or null stay plain, all others are double-quoted. */
void flow_write(struct buf *out, const struct yaml *n);
/* Appends a word as a shell would take it: for messages and log headers. */
void shell_quote(struct buf *out, const char *word);

#endif
