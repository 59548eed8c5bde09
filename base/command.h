/*
 * A subcommand, as its folder hands it up to main.c. The pipeline runner sees stages only through
 * this: name, option table, version of results; it never includes a stage.
 *
 * To add a command: a `const struct command cmd_x` in folder/x_cmd.c, declared in folder/x_cmd.h,
 * and one row in main.c.
 */
#ifndef TUNDISH_BASE_COMMAND_H
#define TUNDISH_BASE_COMMAND_H

#include "base/opt.h"
#include "base/status.h"

struct bench;
struct bench_case {
    const char *name;                          /* "encode cold" */
    enum status (*run)(struct bench *b);       /* calls bench_report() once or more */
};

struct command {
    const char *name;        /* "curate"; a space for a second word ("tokenizer train"):
                                `uses: tokenizer.train` */
    const char *summary;     /* one line for the list of commands */
    const char *details;     /* shown by --help behind the summary: what goes in, what
                                comes out, examples */
    void (*print_details)(FILE *out);   /* more of it, behind the options (lists made from
                                           tables); may be NULL */
    const struct opt *opts;
    size_t cfg_size;         /* sizeof the config struct that opts' offsets fit */
    /* 0: not a stage. Else the version of its results: raised by hand when the same options and
     * inputs begin to give other bytes; part of the cache key. */
    int stage_version;
    const char *makes;       /* stage: kind of artifact it makes ("corpus"); else NULL */
    /* Stage whose results depend on device, data type and instruction set: returns that class as
     * text ("cpu-bf16-avx512"), given the config; else NULL. */
    const char *(*numeric_class)(const void *cfg);
    enum status (*run)(struct arena *a, void *cfg);
    const struct bench_case *benches;          /* NULL-terminated by .name == NULL; may be NULL */
};

/* All subcommands, NULL-terminated; defined in main.c, handed to those who list or run them. */
typedef const struct command *const *command_list;
/* The list, for the commands that run or describe others (run, bench). Set once by main(). */
command_list command_all(void);
void command_set_all(command_list all);
/* By name, with '.' taken for ' '; NULL if there is none. */
const struct command *command_find(command_list all, const char *name);

#endif
