/*
 * When a result is safe on the disk.
 *
 * A stage's artifact counts for the next stage as soon as it is there; it is written into the
 * journal as done when a sync of the whole file system has begun after that and come back. The
 * sync is a child, so that the loop goes on, and serves all stages that ended in the last half
 * second: a thousand small stages cost a few syncs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bench.h"
#include "base/file.h"
#include "pipelines/run/run_part.h"

#define SYNC_EVERY 0.5            /* seconds, at least, while the run goes on */

void durable_add(struct run *r, size_t i)
{
    struct durable *d = &r->durable;

    if (d->waiting == NULL) {
        d->waiting = arena_array(r->arena, r->plan->count, sizeof *d->waiting);
        d->syncing = arena_array(r->arena, r->plan->count, sizeof *d->syncing);
    }
    d->waiting[d->waiting_count++] = i;
}

static int sync_all(void *ctx)
{
    const struct workdir *work = ctx;
    int fd = open(work->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && syncfs(fd) == 0)
        return 0;
    dprintf(STDERR_FILENO, "%s\n", strerror(errno));
    return 1;
}

static enum status begin_sync(struct run *r)
{
    struct durable *d = &r->durable;
    size_t *free_room = d->syncing;
    const char *words[] = { "sync", r->work->path, NULL };
    char mark[PROCESS_MARK_ROOM];
    struct job job = { .words = words, .foreign = true, .body = sync_all, .ctx = (void *)(uintptr_t)r->work,
                       .ranks = 1, .log = "/dev/null", .mark = mark };

    process_new_mark(mark);
    d->last_sync = bench_now();
    TRY(executor_local.start(&job, &d->sync));
    d->syncing = d->waiting;
    d->syncing_count = d->waiting_count;
    d->waiting = free_room;
    d->waiting_count = 0;
    return ST_OK;
}

/* The newest attempt of this run, or NULL: the artifact was found finished. */
static const struct attempt *attempt_of(const struct run *r, size_t i)
{
    const struct turn *t = &r->turns[i];

    return t->attempt_count > 0 ? &t->attempts[t->attempt_count - 1] : NULL;
}

static enum status write_done(struct run *r, size_t i)
{
    const struct stage_view *v = &r->survey->views[i];
    const struct attempt *a = attempt_of(r, i);
    json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "done", "stage",
                              r->plan->names[i], "key", v->key, "artifact",
                              path_base(v->artifact), "digest", v->digest);

    BUG_IF(event == NULL);
    if (a != NULL)
        json_object_update_new(event, json_pack("{s:s, s:f}", "log", path_base(a->log), "seconds",
                                                a->end.seconds));
    return journal_append(r->journal, event);
}

static enum status settle_sync(struct run *r, const struct job_end *end)
{
    struct durable *d = &r->durable;

    if (end->code != 0)
        return fail(ST_IO, "cannot sync the file system of '%s'", r->work->path);
    for (size_t k = 0; k < d->syncing_count; k++)
        TRY(write_done(r, d->syncing[k]));
    d->syncing_count = 0;
    return ST_OK;
}

/* at_once: there is nothing else to wait for. */
static enum status step(struct run *r, bool at_once)
{
    struct durable *d = &r->durable;
    struct job_end end;

    if (d->sync != NULL && executor_local.ended(d->sync, &end)) {
        d->sync = NULL;
        TRY(settle_sync(r, &end));
    }
    if (d->sync == NULL && d->waiting_count > 0
        && (at_once || bench_now() - d->last_sync >= SYNC_EVERY))
        return begin_sync(r);
    return ST_OK;
}

enum status durable_step(struct run *r) { return step(r, false); }

int durable_fd(const struct run *r)
{
    return r->durable.sync != NULL ? executor_local.end_fd(r->durable.sync) : -1;
}

enum status durable_finish(struct run *r)
{
    for (;;) {
        TRY(step(r, true));
        if (r->durable.sync == NULL)
            return journal_sync(r->journal);
        (void)poll(&(struct pollfd){ durable_fd(r), POLLIN, 0 }, 1, -1);
    }
}
