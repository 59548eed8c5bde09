/*
 * What a training run reads, step by step, as the options that its manifest records say it: order,
 * packing, and phases. The trainer and those who ask later what a checkpoint has read
 * (FORMATS.md, "checkpoint") read the same record with this, so the two cannot differ.
 *
 * Phase 0 is the options `store`, `context` and `batch-tokens`; each item of the option `phases`
 * begins one more, with whatever it does not say as before.
 */
#ifndef TUNDISH_STORE_READ_PLAN_H
#define TUNDISH_STORE_READ_PLAN_H

#include "base/arena.h"
#include "base/json.h"
#include "store/sampling/sampling.h"

#define READ_PHASES_MOST 1024u

struct read_phase {
    uint64_t step;         /* updates before it; 0 for the first, ascending */
    uint64_t context;      /* T */
    uint64_t batch_tokens; /* of a step: a multiple of T */
    size_t input;          /* which of the stores: 0 is the option `store`, i the i-th
                              that `phases` name */
};
struct read_plan {
    uint64_t seed, window;
    enum packing packing;
    bool apart;                /* documents do not see each other */
    struct read_phase *phases; /* in the arena */
    size_t count;
    size_t inputs; /* stores named, at least 1 */
};
/* options: what opt_record() makes of the options of `train`; `what` names it in messages.
 * ST_FORMAT: it is no such record. */
MUST_USE enum status read_plan_of(struct arena *a, const json_t *options, const char *what,
                                  struct read_plan *out);
/* The phase that a step belongs to, counted from 0. */
const struct read_phase *read_plan_at(const struct read_plan *p, uint64_t step);
/* The largest context of all phases. */
uint64_t read_plan_context(const struct read_plan *p);
/* Tokens of the steps [0, steps); UINT64_MAX: as many or more. */
uint64_t read_plan_tokens(const struct read_plan *p, uint64_t steps);
/* The least number of steps that have at least so many tokens. */
uint64_t read_plan_steps(const struct read_plan *p, uint64_t tokens);

struct read_input {
    const struct sampling_source *sources;
    size_t count;
};
/* inputs: of each of the plan's stores; steps: those that will be asked for are below, 0: any. As
 * sampling_open(). */
MUST_USE enum status read_plan_open(const struct read_plan *p, const struct read_input *inputs,
                                    uint64_t steps, struct sampling **out);

#endif
