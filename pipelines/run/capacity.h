/*
 * What the machine has to give, and what a stage takes of it while it runs.
 *
 * A stage takes ranks x threads processors if its `resources` say so. One that does not say, of a
 * command with an option `threads` (which then uses all processors), takes the whole machine;
 * any other takes one a rank. It takes the memory that it says, or none. None of this is part of a
 * result: it only decides what runs side by side.
 */
#ifndef TUNDISH_PIPELINES_CAPACITY_H
#define TUNDISH_PIPELINES_CAPACITY_H

#include "pipelines/plan/plan.h"

struct capacity {
    long long jobs;              /* processes side by side */
    long long threads;
    uint64_t memory;             /* bytes */
};
/* The machine's own: its processors (base/platform.h), its memory or its control group's limit; as
 * many jobs as threads. What the site profile says comes in front, and what is in `asked` (0:
 * nothing) in front of that. */
struct capacity capacity_of(const struct plan *p, const struct capacity *asked);
/* A stage's claim, at most what there is of threads. */
struct capacity capacity_claim(const struct plan_stage *s, const struct capacity *all);
bool capacity_fits(const struct capacity *claim, const struct capacity *left);
void capacity_take(struct capacity *left, const struct capacity *claim);
void capacity_give(struct capacity *left, const struct capacity *claim);
/* ST_USAGE if a selected stage asks for more memory than there is. */
MUST_USE enum status capacity_check(const struct plan *p, const bool *selected,
                                    const struct capacity *all);

#endif
