/*
 * The survey: what each stage of a plan would do now, and why. `run`, `status` and `explain` show
 * the same survey; the runner takes it again for a stage when those in front of it are done.
 *
 * A stage is judged when the digests of all that it reads are known: then it has a key (cache.h),
 * and it is cached if there is a whole artifact of that key. If a stage in front must run first,
 * its digest is not known: the stage waits.
 */
#ifndef TUNDISH_PIPELINES_SURVEY_H
#define TUNDISH_PIPELINES_SURVEY_H

#include "pipelines/plan/options.h"
#include "pipelines/plan/plan.h"
#include "pipelines/run/cache.h"
#include "pipelines/run/journal.h"
#include "pipelines/run/workdir.h"

/*    name     word in tables   what it means */
#define STAGE_STATES(X)                                                                            \
    X(CACHED,  "cached",  "its artifact is there and fits")                                        \
    X(RUN,     "run",     "it must run")                                                           \
    X(WAITS,   "waits",   "a stage in front runs first; then it will be cached or run")            \
    X(KEPT,    "kept",    "not selected: its last artifact is used, though it is out of date")     \
    X(ABSENT,  "absent",  "not selected, and there is no artifact")                                \
    X(BLOCKED, "blocked", "something that it reads does not exist")
enum stage_state {
#define X(name, word, text) STAGE_##name,
    STAGE_STATES(X)
#undef X
};
const char *stage_state_word(enum stage_state s);

struct stage_view {
    enum stage_state state;
    json_t *record;              /* the key record, with null for what is not known;
                                    NULL if not even that */
    char key[SHA256_HEX];        /* "" until all inputs are known */
    const char *artifact;        /* path: by its key; KEPT: the last one; else NULL */
    char digest[SHA256_HEX];     /* of the artifact; CACHED and KEPT */
    bool clear_away;             /* something is in the artifact's place that must go first */
    const struct plan_input *missing;    /* BLOCKED: what does not exist */
    const char *changed;         /* CACHED: NULL, or that somebody changed the artifact since its stage made it */
    const char *shut;            /* CACHED: what a gate of it said when it was last asked and was shut */
    struct words why;            /* lines */
};

struct survey {
    struct arena *arena;
    const struct plan *plan;
    const struct workdir *work;
    const struct journal *journal;
    const bool *selected, *forced;       /* one a stage; NULL: all, none */
    struct stage_view *views;            /* one a stage */
    struct digest_cache *digests;        /* of files outside; opened when the first one is met */
};
/* Judges every stage, in order. Everything of the survey lives in the arena, but for the records:
 * survey_release(). */
MUST_USE enum status survey_begin(struct survey *s);
/* Judges one stage again; those in front of it have been judged. */
MUST_USE enum status survey_stage(struct survey *s, size_t i);
/* Is what the stage reads from outside what it was when the stage was judged? Else *path is what is
 * not. Costs a look at each file, as judging does. */
bool survey_inputs_stand(struct survey *s, size_t i, const char **path);
void survey_release(struct survey *s);

#endif
