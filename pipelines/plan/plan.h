/*
 * The plan: a pipeline file, read and checked whole before anything runs.
 *
 *   pipeline: docs-model               a name; work is kept in work/<name>
 *                                      unless --work says otherwise
 *   params:                            knobs with their defaults (param.h);
 *     vocab: 4096                      `--set vocab=8192` turns one
 *   stages:
 *     corpus:                          a stage's name: letters, digits, - and _
 *       uses: curate                   the subcommand that does it ("tokenizer.train" for
 *                                      `tundish tokenizer train`)
 *       with: {sources: [notes]}       its options, by the same names as on the command line
 *     tokens:
 *       uses: tokenize
 *       with: {corpus: "@corpus"}      "@stage", as a whole value: that stage's artifact
 *       needs: [check]                 waits for these, too, though it reads nothing of them
 *
 * The one idea: the graph comes from what stages read (and `needs`), never from the order of the
 * file. A command's option table (base/opt.h) says which of its values are read and of which kind
 * they must be, so nothing about inputs is written twice, and every key and value is checked by
 * the table of the stage that will get it. Every fault is told with its place in the file (and, of
 * a value that a param brought, with the place of that value), and leads to exit code 2.
 *
 * Paths of files are relative to the folder in which the program is started, not to the file's
 * own, so that the same words mean the same file in the pipeline and on the command line. Params
 * may stand in every value of a stage, of `defaults` and of `notify`.
 *
 * A program of one's own (program.h)
 *
 *   lint:
 *     run: [python3, lint.py, "{corpus}", --out, "{out}/report.json"]
 *     in: {corpus: "@corpus"}          named inputs: one path or "@stage" each
 *
 * in place of `uses` and `with`. The words go to the program as they are; there is no shell.
 * {name} is an input's path, {out} the folder to fill, {threads} a number; {{ and }} are braces,
 * also in what a param brings. An input that no word names is read all the same. What the program
 * leaves in
 * {out} is an artifact of the kind "files", which any option takes.
 *
 * matrix: one stage for each combination
 *
 *   train:
 *     uses: train
 *     matrix: {lr: [3e-4, 6e-4], seed: [1, 2]}       lists, also from a param: {lr: "${rates}"}
 *     with: {store: "@tokens", lr: "${lr}", seed: "${seed}"}
 *
 * makes train[lr=3e-4,seed=1], train[lr=3e-4,seed=2], ... in this order: the last key changes
 * first. Its keys are params inside the stage; no param of the pipeline may have their names.
 * A value that is no plain word of at most 40 bytes (a list, a text with blanks) shows as its
 * number: train[mix=#2]. "@train[lr=3e-4,seed=1]" reads one of them; "@train" reads all, in order,
 * where a list of inputs is wanted, and is an error where one is wanted and there are several;
 * `needs: train` waits for all. --from, --until, --only and --force take both kinds of name. At
 * most 8 keys, and 10,000 stages in a plan.
 *
 * What a stage may take: never part of a result's identity
 *
 *   resources: {ranks: 2, threads: 4, memory: 4G, time: 2h}
 *   timeout: 90s                       of one attempt: s, m, h, d, as in 1h30m; `none`: no limit.
 *                                      Where there is none, resources.time is the limit
 *   retry: 3                           further attempts, or
 *   retry: {times: 3, on: [later, timeout], wait: 10s, factor: 2, most: 10m}
 *
 * `on` names FAIL_CAUSES; by default all but `exit`, since a program that says that it failed
 * mostly fails again, while the other causes have to do with the machine. The second wait is
 * `factor` times the first, and so on, up to `most`; 10s, 2 and 10m are the defaults.
 *
 *   defaults: {resources: {...}, timeout: 2h, retry: 1}      for every stage of the file and of
 *                                                            those it includes
 *
 * The words of a stage go over those of its file's defaults, and these over those of the including
 * file; the site's (below) go over all. `resources` is put together key by key, `retry` is taken
 * whole. `with: {threads: N}` is a stage's own word on threads.
 *
 * gate: what a stage's metrics.json must say before others go on
 *
 *   gate:
 *   - {metric: bits_per_byte, max: 2.0}
 *   - {metric: arc.accuracy, min: 0.3}               dots lead into objects
 *   - {metric: bits_per_byte, versus: registry/champion, gain: 0.001, better: lower,
 *      confidence: 0.95, resamples: 2000, seed: 1}
 *
 * A map alone is a list of one. Bounds and `versus` exclude each other. `better` may be left out
 * of metrics that our own stages write. Without `confidence` the values alone are compared; with
 * it, by a paired bootstrap of so many resamples. `gain` 0: no worse. Only stages that make a
 * report, and programs, have metrics.
 *
 * notify: who is told how a run ended
 *
 *   notify: [{run: [./tell, ops], on: [failed, gate]}]       done, failed, gate, interrupted;
 *                                                            all of them by default
 *
 * include: parts in other files
 *
 *   include: [data.yaml, common/tokens.yaml]         relative to the including file
 *
 * adds their params, stages (in front of the file's own) and notify. Parts may include others, 16
 * deep; a file that is named twice is read once. One stage's name in two files is an error, and so
 * is one param's; except that a file sets params of what it includes, by having them in its own
 * `params`. A part may have a `pipeline` name, so that it can also be run by itself; it is passed
 * over. Messages name the part and its line.
 *
 * Site profile: `--site FILE`, what one machine gives to any pipeline
 *
 *   site: lab
 *   jobs: 4                            stages at a time; threads and memory of all of them
 *   threads: 32
 *   memory: 200G
 *   kinds: {train: {resources: {threads: 16}, timeout: 2d, retry: 2}}     `run`: programs
 *   stages: {pretrain: {timeout: 7d}}  all instances, or one: "train[lr=3e-4]"; names of other
 *                                      pipelines' stages may stand here
 *   notify: [...]                      told besides the file's
 *
 * Nothing in it can change a result: no other key is taken. `stages` goes over `kinds`.
 *
 * Keys of which this version knows nothing but the name (`on`, `if`, `env` ...) are refused. To
 * add one: take it out of the refused keys in plan_keys.c, put it into schema_keys.c, and read it
 * where plan_part.h says that its neighbours are read.
 */
#ifndef TUNDISH_PIPELINES_PLAN_H
#define TUNDISH_PIPELINES_PLAN_H

#include "base/arena.h"
#include "base/command.h"
#include "base/opt.h"
#include "base/status.h"
#include "base/yaml.h"

#define PLAN_OUTSIDE ((size_t)-1)

/* One thing that a stage reads. */
struct plan_input {
    const struct opt *row;
    size_t index;             /* within the row: items of a list, paths in a tree */
    struct yaml *node;        /* the scalar in `with`; holds "@name" until the runner binds it */
    size_t from;              /* index of the stage whose artifact it is, or PLAN_OUTSIDE: a path */
};

/* One arrow of the graph, told twice when a stage reads and needs the same one. */
struct plan_edge {
    size_t from;
    const struct yaml *at;      /* the reference, for messages */
};

/* Why an attempt ended badly; `retry: {on: [...]}` names them. */
/*    name      word        what it means */
#define FAIL_CAUSES(X)                                                                             \
    X(EXIT,    "exit",     "it ended with a code other than 0 (and other than 75)")                \
    X(LATER,   "later",    "it ended with 75: try again later")                                    \
    X(SIGNAL,  "signal",   "a signal ended it that the runner did not send")                       \
    X(TIMEOUT, "timeout",  "it ran longer than its `timeout`")                                     \
    X(MEMORY,  "memory",   "it took more than its `memory`, or the kernel ended it for want of it")
enum fail_cause {
#define X(name, word, text) CAUSE_##name,
    FAIL_CAUSES(X)
#undef X
    CAUSE_COUNT
};
extern const char *const fail_cause_words[];      /* NULL-terminated */

/* Waits before attempt k + 1: wait * factor^(k - 1) seconds, at most `most`. */
struct plan_retry {
    long long times;                     /* further attempts; 0: none */
    unsigned on;                         /* 1u << CAUSE_...: which causes deserve one */
    double wait, factor, most;
};

/* A bound that a stage's metrics must meet before what waits for the stage may go on (gate.h).
 * Either max and min are bounds of the value itself, or `versus` names what it is held against. */
struct plan_gate {
    const struct yaml *at;               /* the gate in the file */
    const char *metric;                  /* member of metrics.json, dots between levels */
    bool has_max, has_min;
    double max, min;
    const char *versus;                  /* REGISTRY/ALIAS, or NULL */
    double gain;                         /* least gain over it; > 0 is better whatever the metric */
    bool higher_is_better;
    double confidence;                   /* of the paired bootstrap, 0: compare the values alone */
    long long resamples, seed;
};

/* A program that is told how a run ended: run with the run's record (run_record.h) on stdin. */
struct plan_notify {
    const char *const *argv;             /* NULL-terminated */
    bool on_done, on_failed, on_gate, on_interrupted;
};

struct plan_stage {
    const char *name;                    /* "train", "train[lr=3e-4]" for one of a matrix */
    const char *slug;                    /* the same as a part of file names; unique in the plan */
    const struct yaml *at;               /* the name in the file */
    const struct command *command;       /* of a foreign program: &stage_program (program.h) */
    struct yaml *with;                   /* a map, params put in; empty when the file has none */
    struct plan_input *inputs;           /* in the order of `with` */
    size_t input_count;
    struct plan_edge *after;             /* inputs' stages and `needs` */
    size_t after_count;
    /* What it may take; never part of a result's identity. */
    long long ranks;                     /* processes; 1: no launcher */
    long long threads;                   /* a process; 0: not said */
    uint64_t memory;                     /* bytes, all its processes; 0: not said */
    double timeout;                      /* seconds an attempt may take; 0: no limit */
    struct plan_retry retry;
    struct plan_gate *gates;
    size_t gate_count;
};

struct plan_names;      /* plan_part.h */
struct plan {
    struct arena *arena;
    const char *name;
    struct plan_stage *stages;           /* in the order of the file */
    size_t count;
    size_t *order;                       /* a topological order, file order among the ready */
    const char **names;                  /* of the stages, NULL-terminated */
    const struct plan_names *index;      /* of these, and of the names that stand for several */
    const struct params *params;         /* as this run has them (param.h) */
    struct plan_notify *notify;
    size_t notify_count;
    /* What the site profile says of this machine; 0 or NULL: nothing. */
    const char *site;
    long long jobs, threads;
    uint64_t memory;
};

struct plan_args {
    const char *name;                    /* of the file, for messages */
    command_list commands;
    const struct opt_list *sets;         /* "param=value" words; may be NULL */
    const char *site;                    /* path of the site profile; NULL: none */
};
/* Reads and checks. Everything lives in the arena. */
MUST_USE enum status plan_parse(struct arena *a, const struct plan_args *args, const char *text,
                                size_t n, struct plan **out);
MUST_USE enum status plan_read_file(struct arena *a, const struct plan_args *args,
                                    struct plan **out);
/* The arrows of the graph by their tails: those out of stage i are first[i], next[that - 1] and so on,
 * places + 1, 0 for none; head[place] is the stage that waits, waits[j] how many lead into j. Only
 * between stages that are in `among`, one bool a stage; NULL: all. In the plan's arena. */
struct plan_arrows {
    size_t *waits, *first, *next, *head;
};
struct plan_arrows plan_arrows(const struct plan *p, const bool *among);
/* Sets order; refuses a cycle, whose path it names. */
MUST_USE enum status plan_sort(struct plan *p);

/* Which stages a run is about. */
struct plan_selection {
    const char *from, *until;            /* NULL: no such limit */
    const struct opt_list *only;         /* these alone */
    const struct opt_list *force;        /* run even if up to date */
};
/* run[i], force[i]: one bool a stage, in the arena. Unknown names are ST_USAGE with the nearest
 * one. */
MUST_USE enum status plan_select(const struct plan *p, const struct plan_selection *s, bool **run,
                                 bool **force);
/* Stages of one name: the instances of a matrix stand behind each other. */
struct plan_span {
    size_t first, count;
};
/* The stages of that name; ST_USAGE with the nearest name if there is none. `what` begins the
 * message. */
MUST_USE enum status plan_find(const struct plan *p, const char *what, const char *name,
                               struct plan_span *out);

#endif
