/*
 * The chain of steps: what happens to documents between the sources and the corpus.
 *
 * A step looks at one document at a time (`each`: it may change the text or drop the document), or
 * at all documents that are left (`all`: it only drops), or says their order (`order`). Every drop has a reason, the value that
 * was measured and the threshold it broke. Steps stand in a list in any order, and may stand
 * several times with other options; `extract` is always first.
 *
 *     steps:
 *       - extract: {html: main}
 *       - normalize                                 # all defaults
 *       - filter: {profile: gopher@datatrove, min-words: 20}
 *       - dedup: exact                              # short for {method: exact}
 *
 * One table (step.c) has every step: its name, options, reasons and functions. The check of
 * `steps:`, `--help` and the report derive from it. A name may have several rows, told apart by the
 * value of one key (`dedup` by `method`).
 *
 * To add a step: a config struct, an option table and a function in a file of its own;
 * its row in step.c.
 */
#ifndef TUNDISH_CURATE_STEP_H
#define TUNDISH_CURATE_STEP_H

#include "base/opt.h"
#include "base/pool.h"
#include "curate/chain/doc.h"
#include "curate/chain/trace.h"

#define STEP_COUNTERS 8

/* What one worker keeps between documents, so that steps do not allocate for each. */
struct step_work {
    struct buf spare;                      /* free for use within one call */
    uint64_t counts[STEP_COUNTERS];        /* of the step that is running, by its list of counters;
                                            * added up by the runner */
    struct trace trace;                    /* of the step that is running */
    void *state;                           /* of the step that is running: what its open() made */
    void **states;                         /* of each step of the chain */
    struct nfc_scratch *nfc;
    struct mojibake *mojibake;
    struct gopher_scratch *gopher;
    struct space_scan *space;              /* curate/text/space_scan.h: kept from filter to filter */
};
struct chain;
/* chain: the one that the worker ran; NULL: none. */
void step_work_release(const struct chain *chain, struct step_work *w);

/* A step over all documents. */
struct corpus;      /* curate/run/corpus.h */

struct step_kind {
    const char *name;                      /* "dedup" */
    const char *key, *variant;             /* "method", "minhash": what picks this row; NULL:
                                            * the only row of its name */
    const char *help;
    const char *main;                      /* the option that a value alone gives, as `sample: 0.1`; of a name
                                            * with several rows it is their key. NULL: none */
    const struct opt *opts;
    size_t cfg_size;
    const struct drop_reason *const *reasons;  /* NULL-terminated */
    const char *const *counters;           /* names of what it counts, NULL-terminated,
                                            * at most STEP_COUNTERS; may be NULL */
    bool takes_bytes;                      /* understands doc.ill_formed */
    /* Options that do not fit each other; reports at `at`. May be NULL. */
    enum status (*check)(const void *cfg, const struct yaml *at);
    /* Reads what the options name (a model, a list of words) into members of cfg that no row fills, once for all
     * workers, before the first document. NULL: nothing is read. */
    enum status (*load)(void *cfg);
    void (*unload)(void *cfg);
    /* What a worker keeps for this step from document to document (w->state): made when its first one comes.
     * NULL: nothing. */
    enum status (*open)(const void *cfg, void **state);
    void (*close)(void *state);
    /* Exactly one of these. `order` only says where a document goes when all are put in order: ascending, and those of
     * one key as they came. */
    enum status (*each)(const void *cfg, struct doc *d, struct step_work *w);
    enum status (*all)(const void *cfg, struct corpus *c);
    uint64_t (*order)(const void *cfg, const struct doc *d);
    /* The names that the step may put into doc.part, each once; NULL behind the last. Asked for behind load(). */
    const char *(*part)(const void *cfg, size_t i);
};
/* Ends with a NULL name. */
extern const struct step_kind step_kinds[];

struct step {
    const struct step_kind *kind;
    void *cfg;
    const char *label;                     /* "dedup minhash" */
};
struct chain {
    struct step *steps;
    size_t count;
};

/* The chain that `steps:` asks for; `extract` is put in front when it is not named.
 * Errors tell file, line and column. */
MUST_USE enum status chain_parse(struct arena *a, const struct yaml *list, struct chain *out);
/* Loads what the steps need; on failure nothing stays loaded. */
MUST_USE enum status chain_load(const struct chain *c);
void chain_unload(const struct chain *c);
/* Passes d through step number `index`, one over single documents: w->trace and w->counts have what it measured and
 * counted. A text that is not UTF-8 is dropped behind it, unless the next step deals with that. */
MUST_USE enum status chain_each(const struct chain *c, size_t index, struct doc *d, struct step_work *w);
/* The same as chain_parse() without the result, for the option row. */
opt_check_fn chain_check;
/* Visits the value of each option of a step that names an input (OPT_INPUT, OPT_INPUTS): a list that chain_parse()
 * would refuse is gone over as far as it makes sense. */
opt_paths_fn chain_paths;
/* The steps, for those who describe the row. */
opt_item_fn chain_item;
/* The chain without `steps:`, as YAML. */
extern const char chain_default[];

/* The reason of a document whose bytes are not UTF-8 and which no step repaired. */
extern const struct drop_reason drop_invalid_utf8;
extern const struct drop_reason drop_empty;

#endif
