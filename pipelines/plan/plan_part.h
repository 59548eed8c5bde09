/*
 * How files become a plan. Private to pipelines/plan*.c; in the order of the work:
 *
 *   plan_include.c   the file and the parts that it includes: params, stages and notify of all
 *   plan_matrix.c    one stage for each combination: names, slugs
 *   plan_site.c      the site profile
 *   plan_stage.c     what a stage is: uses and with, or run and in
 *   plan_policy.c    what it may take: resources, timeout, retry, in layers
 *   plan_gate.c      gate, notify
 *   plan_inputs.c    what it reads and waits for
 *   plan_graph.c     order, circles, selection
 *
 * plan_keys.c refuses keys that are not in schema_keys.c, where they all are; plan_names.c finds
 * stages by name.
 */
#ifndef TUNDISH_PIPELINES_PLAN_PART_H
#define TUNDISH_PIPELINES_PLAN_PART_H

#include "pipelines/plan/name_index.h"
#include "pipelines/plan/param.h"
#include "pipelines/plan/plan.h"
#include "pipelines/plan/schema.h"

#define PLAN_STAGE_LIMIT 10000

/* ---- keys ---- */

/* value is a map with keys of that map only. */
MUST_USE enum status plan_check_keys(struct arena *a, const struct yaml *value,
                                     enum schema_map map);
/* "a, b, c", or "none". */
const char *plan_words(struct arena *a, const char *const *words);
/* Items of a list, or the value itself as the only one. */
size_t plan_item_count(const struct yaml *value);
struct yaml *plan_item(struct yaml *value, size_t i);

/* ---- what a stage may take ---- */

enum { SAID_RANKS = 1, SAID_THREADS = 2, SAID_MEMORY = 4, SAID_TIME = 8, SAID_TIMEOUT = 16,
       SAID_RETRY = 32 };
/* What one map says: SAID_... of its members count. */
struct plan_policy {
    unsigned said;
    long long ranks, threads;
    uint64_t memory;
    double time, timeout;
    struct plan_retry retry;
    const struct yaml *threads_at;
};
/* Reads resources, timeout and retry of a map, whose other keys are passed over. */
MUST_USE enum status plan_policy_read(struct arena *a, const struct yaml *map,
                                      struct plan_policy *out);
/* One key of resources by its bounds (a site has them at its top, too); an absent one is left
 * alone. */
MUST_USE enum status plan_read_count(struct arena *a, const struct yaml *map, const char *key,
                                     long long limit, long long *out);
MUST_USE enum status plan_read_memory(struct arena *a, const struct yaml *map, uint64_t *out);

#define PLAN_THREAD_LIMIT 4096

/* ---- the work ---- */

/* One file. */
struct plan_file {
    const struct plan_file *parent;      /* that includes it; NULL: the pipeline file itself */
    const struct yaml *at;               /* where it is included */
    const char *path;                    /* as messages show it */
    const char *real;                    /* absolute and without links: tells files apart */
    int depth;
    struct yaml *root;
    struct plan_policy defaults;
};
/* A stage as a file has it. */
struct plan_entry {
    const struct plan_file *file;
    const struct yaml *key;
    struct yaml *map;
    size_t first, count;                 /* its instances */
};
struct plan_site;
struct plan_build {
    struct plan *plan;
    struct arena *arena;                 /* of the plan */
    struct arena scratch;                /* emptied for each stage */
    const struct plan_args *args;
    struct params *params;
    const struct plan_site *site;        /* NULL: none */
    const char **kinds;                  /* that `uses` may say, NULL-terminated */
    struct plan_file **files;
    size_t file_count;
    struct plan_entry *entries;
    size_t entry_count, entry_cap;
    struct name_index entry_names;
    struct yaml *declared;               /* a map: the params of all files */
    struct param_scope *scopes;          /* one a stage */
    struct yaml **maps;                  /* one a stage: its keys, params not yet put in */
    size_t *entry_of;                    /* one a stage */
    size_t copied;                       /* bytes of stages that matrices made */
    size_t links;                        /* inputs and needs that a name of several stages made */
};

/* A file that is too large is a wrong file: ST_CONFIG in place of ST_LIMIT. */
MUST_USE enum status plan_too_large(struct arena *a, enum status st);
/* A command that can be a stage. */
bool plan_is_kind(const struct command *c);
bool plan_takes_threads(const struct command *c);

/* Reads the root and all that it includes. */
MUST_USE enum status plan_gather(struct plan_build *b, struct yaml *root);
/* plan->stages with name, slug and at; names and index. */
MUST_USE enum status plan_multiply(struct plan_build *b);
MUST_USE enum status plan_site_read(struct plan_build *b, const char *path);
/* Puts what the site says of the stage over it. */
void plan_site_over(const struct plan_build *b, size_t i, struct plan_policy *policy);
/* All of stage i but its edges. */
MUST_USE enum status plan_stage_read(struct plan_build *b, size_t i);
/* Puts what `over` says in place of what `policy` says. */
void plan_policy_put(struct plan_policy *policy, const struct plan_policy *over);
/* What stage i may take, from the words of all; own: its own. */
void plan_policy_settle(struct plan_build *b, size_t i, const struct plan_policy *own);
MUST_USE enum status plan_gates_read(struct arena *a, struct plan_stage *s, struct yaml *gate);
/* Appends to the plan's list. */
MUST_USE enum status plan_notify_read(struct plan *p, struct yaml *notify);
MUST_USE enum status plan_connect(struct plan_build *b, size_t i);

/* ---- stages by name ---- */

/* Stages are looked up here; a stage with a matrix also by its own name, for all its instances,
 * which stand behind each other. */
struct plan_names {
    struct name_index index;
    struct plan_span *spans;             /* by number */
};
/* False if there is none. */
bool plan_span_of(const struct plan *p, const char *name, struct plan_span *out);
/* What there is in place of an unknown name: "; did you mean ...", or "". */
const char *plan_near(const struct plan *p, const char *name);
/* "train[lr=1], train[lr=2] and 3 more". */
const char *plan_instances(const struct plan *p, struct plan_span span);

#endif
