/*
 * Views: how a run is shown while it goes on. The runner calls these as things happen; a view only
 * looks.
 *
 *   view_plain    lines on stderr, for logs: the plan, what starts and ends, the stages' own words
 *                 with the stage's name in front
 *   view_live     on a terminal: a row a stage, drawn again several times a second
 *
 * To add one: a struct whose first member is a struct run_view, and these functions; any may be
 * NULL.
 */
#ifndef TUNDISH_PIPELINES_RUN_VIEW_H
#define TUNDISH_PIPELINES_RUN_VIEW_H

#include "pipelines/run/runner.h"

struct run_view {
    void (*surveyed)(struct run_view *v, const struct run_now *now);     /* nothing runs yet */
    void (*changed)(struct run_view *v, const struct run_now *now, size_t stage);   /* its state */
    /* New bytes of a stage's log; not always whole lines. */
    void (*said)(struct run_view *v, const struct run_now *now, size_t stage, const char *text,
                 size_t n);
    void (*tick)(struct run_view *v, const struct run_now *now);         /* now and then */
    void (*ended)(struct run_view *v, const struct run_now *now);        /* nothing runs any more */
    void (*release)(struct run_view *v);
};

/* Owned by the caller: v->release(v) when the run is over. */
struct run_view *view_plain_new(void);
struct run_view *view_live_new(void);

#endif
