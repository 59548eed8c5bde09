/*
 * Option tables: one row an option. The same table parses the command line, the keys of --config
 * and of a pipeline's `with:`, checks bounds, prints --help, and makes the record that goes into
 * manifests and cache keys.
 *
 * To add an option: a field in the command's config struct and a row in its table.
 *
 * Names are lower case with '-' ("batch-tokens"), and '.' for groups ("model.width"). On the
 * command line an option is `--batch-tokens 8192` or `--batch-tokens=8192`; in YAML it is
 * `batch-tokens: 8192` or `batch_tokens: 8192` ('_' and '-' are the same letter in YAML keys);
 * `model: {width: 256}` is the option model.width. Lists are repeated on the command line
 * (`--in a --in b`, and for the row flagged OPT_POSITIONAL plain words) and a list (or one scalar)
 * in YAML. A tree is any YAML; on the command line it is YAML flow text.
 *
 * A row that is typed many times a day may have a letter, too: `-f`, `-j 4`, `-j4`. Letters are
 * never bundled, and -h is --help's.
 */
#ifndef TUNDISH_BASE_OPT_H
#define TUNDISH_BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "base/yaml.h"

enum opt_type {      /* the field's C type */
    OPT_T_STR,       /* const char *     NULL when absent */
    OPT_T_INT,       /* int64_t */
    OPT_T_REAL,      /* double */
    OPT_T_BOOL,      /* bool             --flag, --no-flag, --flag=true */
    OPT_T_SIZE,      /* uint64_t         bytes, with K M G T */
    OPT_T_CHOICE,    /* int              index into choices */
    OPT_T_LIST,      /* struct opt_list */
    OPT_T_TREE,      /* struct yaml *    NULL when absent */
    OPT_T_INPUT,     /* const char *     path of an artifact or file that is read */
    OPT_T_INPUTS,    /* struct opt_list  the same, several */
    OPT_T_OUTPUT,    /* const char *     path that is written; one a command */
};

enum opt_flag {
    OPT_REQUIRED = 1,
    OPT_NEUTRAL = 2,       /* cannot change results (threads, progress): in no record and no key */
    OPT_POSITIONAL = 4,    /* takes the words without a dash; at most one row */
};

struct opt_list {
    const char **v;
    size_t count;
};

/* Extra check of a tree (or any) value, after the row's own type and bounds; reports with
 * yaml_fail() at the place of the fault. A list row's value is a list or a single scalar.
 * Called for defaults too. */
typedef enum status opt_check_fn(const struct yaml *value);
/* Called for each path hidden inside a tree (a curate source) so that the pipeline runner
 * can resolve `@stage` references and digest inputs. Visits scalar nodes; the visitor may
 * replace node->text. */
typedef enum status opt_path_fn(void *ctx, struct yaml *path);
typedef enum status opt_paths_fn(struct yaml *value, opt_path_fn *visit, void *ctx);
/* What an item of a tree may be, for those who describe it (schema): a map of the options opts;
 * with a name, that word alone or {name: {options}}; rows of one name are told apart by the value
 * `variant` of their option `key`. `main` is the option whose value may stand alone for the map: {name: value}.
 * Without a name, a plain text will do, too. */
struct opt_item {
    const char *name;
    const char *key, *variant;       /* NULL: the only one of its name */
    const char *help;
    const struct opt *opts;
    const char *main;                /* NULL: none */
};
/* The i-th of them; false behind the last. */
typedef bool opt_item_fn(size_t i, struct opt_item *out);

struct opt {
    const char *name;
    enum opt_type type;
    size_t offset;
    const char *fallback;       /* default, as text; NULL: absent (or empty list) */
    double min, max;            /* numbers and sizes; both 0: unbounded */
    const char *const *choices; /* OPT_T_CHOICE: NULL-terminated */
    unsigned flags;
    const char *help;           /* one line, lower case; says the unit */
    const char *value;          /* what --help calls the value ("FILE"); NULL: a word of its type */
    char letter;                /* `-x` on the command line, a letter but 'h'; 0: none */
    opt_check_fn *check;
    opt_paths_fn *paths;        /* OPT_T_TREE that names inputs inside */
    const char *reads;          /* inputs: the kinds of artifact that will do, a blank between
                                   ("checkpoint model"); NULL: any. A plan is refused that
                                   refers to another; plain files are not looked at */
    opt_item_fn *item;          /* OPT_T_TREE that is a list: what may stand in it */
};

#define OPT_STR(S, f, nm, def, hlp, ...) \
    { .name = nm, .type = OPT_T_STR, .offset = offsetof(S, f), .fallback = def, \
      .help = hlp, __VA_ARGS__ }
#define OPT_INT(S, f, nm, def, lo, hi, hlp, ...) \
    { .name = nm, .type = OPT_T_INT, .offset = offsetof(S, f), .fallback = def, \
      .min = lo, .max = hi, .help = hlp, __VA_ARGS__ }
#define OPT_REAL(S, f, nm, def, lo, hi, hlp, ...) \
    { .name = nm, .type = OPT_T_REAL, .offset = offsetof(S, f), .fallback = def, \
      .min = lo, .max = hi, .help = hlp, __VA_ARGS__ }
#define OPT_SIZE(S, f, nm, def, lo, hi, hlp, ...) \
    { .name = nm, .type = OPT_T_SIZE, .offset = offsetof(S, f), .fallback = def, \
      .min = lo, .max = hi, .help = hlp, __VA_ARGS__ }
#define OPT_BOOL(S, f, nm, def, hlp, ...) \
    { .name = nm, .type = OPT_T_BOOL, .offset = offsetof(S, f), .fallback = def, \
      .help = hlp, __VA_ARGS__ }
#define OPT_CHOICE(S, f, nm, def, list, hlp, ...) \
    { .name = nm, .type = OPT_T_CHOICE, .offset = offsetof(S, f), .fallback = def, \
      .choices = list, .help = hlp, __VA_ARGS__ }
#define OPT_LIST(S, f, nm, hlp, ...) \
    { .name = nm, .type = OPT_T_LIST, .offset = offsetof(S, f), .help = hlp, __VA_ARGS__ }
#define OPT_TREE(S, f, nm, hlp, ...) \
    { .name = nm, .type = OPT_T_TREE, .offset = offsetof(S, f), .help = hlp, __VA_ARGS__ }
#define OPT_INPUT(S, f, nm, hlp, ...) \
    { .name = nm, .type = OPT_T_INPUT, .offset = offsetof(S, f), .help = hlp, __VA_ARGS__ }
#define OPT_INPUTS(S, f, nm, hlp, ...) \
    { .name = nm, .type = OPT_T_INPUTS, .offset = offsetof(S, f), .help = hlp, __VA_ARGS__ }
#define OPT_OUTPUT(S, f, nm, hlp, ...) \
    { .name = nm, .type = OPT_T_OUTPUT, .offset = offsetof(S, f), .help = hlp, __VA_ARGS__ }
#define OPT_END { .name = NULL }

/* Options that every command has are in no table: --config FILE, --set KEY=VALUE and
 * --quiet are opt_parse()'s, --help is base/cli.h's. A table may have a row "set" of its
 * own; then --set is that row. */

struct command;
/* Fills cfg (a struct that the table's offsets fit, zeroed by the caller) from defaults, then the
 * file of `--config`, then each `--set key=value`, then the command line: a later one replaces what
 * an earlier one gave, lists too. argv are the words behind the command's name. The same option
 * twice on one level is refused. Strings live in the arena. A table that breaks its own rules (a
 * default out of bounds, a name twice) ends the process. */
MUST_USE enum status opt_parse(const struct opt *table, struct arena *a, int argc, char **argv,
                               void *cfg);
/* The same from a YAML map alone (a curation step's own options, a pipeline's `with:`). */
MUST_USE enum status opt_from_yaml(const struct opt *table, struct arena *a, const struct yaml *map,
                                   void *cfg);
/* Checks a `with:` map against the table without filling anything. Values that are whole
 * `@reference`s or hold `${param}`s must have been replaced before. Missing required rows are
 * reported at `where` (may be NULL: not reported), except rows of the types in the mask skip (1u <<
 * OPT_T_OUTPUT: the runner supplies the output itself). */
MUST_USE enum status opt_check_map(const struct opt *table, struct arena *a, const struct yaml *map,
                                   const struct yaml *where, unsigned skip);
/* What decides the results: every row but inputs, outputs and OPT_NEUTRAL, defaults filled in;
 * absent is null, a path inside a tree (row->paths) is null too. The caller owns the object; keys
 * sorted by canonical form. */
json_t *opt_record(const struct opt *table, const void *cfg);
/* The row of that name ('_' taken as '-'), or NULL. */
const struct opt *opt_find(const struct opt *table, const char *name);
/* The rest of a usage line: " --store PATH [options] [PATH...]". */
void opt_usage(FILE *out, const struct opt *table);
/* The aligned list of options with defaults and bounds. */
void opt_help(FILE *out, const struct opt *table);
/* What may stand in each tree that tells it (row->item): the names, then the options of each as YAML has them. Nothing for
 * a table without such a row, which opt_has_items() tells. */
void opt_help_items(FILE *out, const struct opt *table);
bool opt_has_items(const struct opt *table);
/* What that list says of one row, appended: what its value is called ("" for a flag), and its help
 * with bounds and default. */
const char *opt_value_word(const struct opt *row);
struct buf;
void opt_row_help(struct buf *out, const struct opt *row);
/* Is it a flag that is on by default, so that --no-NAME is the word to say? */
bool opt_is_on(const struct opt *row);

#endif
