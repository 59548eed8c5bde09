/*
 * What people see: the plan of a run, its result, the state of a pipeline, and the graph, as text
 * appended to a buf.
 */
#ifndef TUNDISH_PIPELINES_SHOW_H
#define TUNDISH_PIPELINES_SHOW_H

#include "base/str.h"
#include "pipelines/run/runner.h"

/* "pipeline x: 3 stages, 2 cached, 1 to run" and a line a stage: name, state, the first reasons. */
void show_plan(const struct survey *s, struct buf *out);
/* The table behind a run: stage, what happened, seconds, artifact. */
void show_results(const struct run_now *now, struct buf *out);

/* What became of a stage in this run: "ran", "failed", "stopped", "gate", "cached", "kept",
 * "not run" or "left out". */
const char *result_word_of(const struct run_now *now, size_t i);
/* What its attempts of this run took. */
double result_seconds_of(const struct run_now *now, size_t i);

/* The state of a stage, for a person who comes back: "done", "gate" (done, and its gate is shut),
 * "running", "failed", "interrupted",
 * "never ran", "out of date", "waits", "blocked". */
const char *status_word_of(const struct survey *s, size_t i);
/* A table: stage, state, seconds, end of the last success, artifact. */
void show_status(const struct survey *s, struct buf *out);
/* {"pipeline", "work", "stages": [{"name", "uses", "state", "why", "key", "artifact", "digest",
 * "seconds", "finished"}]}; caller owns it. */
json_t *status_json(const struct survey *s);
/* One stage, or all (i = PLAN_OUTSIDE), with every reason; of one stage also key, inputs and
 * history. */
void show_explain(const struct survey *s, size_t i, struct buf *out);

/* The graph for Graphviz: solid arrows are artifacts, labelled with the option that reads them;
 * dashed ones are `needs`. */
void show_dot(const struct plan *p, struct buf *out);
/* The graph as a tree on its side: the stages that nothing waits for, and below each what it waits
 * for. A stage's own branches are told once; (*) marks the later places. */
void show_tree(const struct plan *p, struct buf *out);

#endif
