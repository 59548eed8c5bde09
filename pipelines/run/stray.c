/* Processes that an earlier run has left: its runner was killed, and they were not (a launcher with
 * its ranks, what a program has put into a group of its own). None may run twice. */
#include <signal.h>
#include <time.h>

#include "base/bench.h"
#include "base/log.h"
#include "base/stop.h"
#include "pipelines/run/run_part.h"

#define PATIENCE 10.0            /* seconds, for all of them together, to leave a resumable state */
#define KILL_PATIENCE 5.0
#define STEP_MS 50

struct stray {
    struct process_id id;
    const char *mark;            /* may be NULL */
    const char *stage;
};
struct strays {
    struct stray *v;
    size_t count;
};

static bool is_there(const struct stray *s)
{
    return process_is_alive(&s->id) || (s->mark != NULL && process_count_marked(s->mark) > 0);
}

/* Only those that are still there. */
static void find(struct run *r, struct strays *out)
{
    const char *const *names = journal_stages(r->journal);
    size_t count = 0;

    while (names[count] != NULL)
        count++;
    *out = (struct strays){ .v = arena_array(r->arena, count + 1, sizeof *out->v) };
    for (size_t k = 0; k < count; k++) {
        struct stray s = { .stage = names[k] };
        const json_t *start;
        if (!journal_is_open(r->journal, names[k]))
            continue;
        start = journal_of(r->journal, names[k]).start;
        s.mark = json_string_value(json_object_get(start, "mark"));
        s.id = journal_process(start);
        if (is_there(&s))
            out->v[out->count++] = s;
    }
}

static void signal_all(const struct strays *all, int number)
{
    for (size_t k = 0; k < all->count; k++) {
        const struct stray *s = &all->v[k];
        pid_t leader = process_is_alive(&s->id) ? s->id.pid : 0;
        if (s->mark != NULL)
            process_signal_rest(leader, s->mark, number);
        else if (leader > 1)
            (void)kill(-leader, number);
    }
}

/* Leaves in it those that are still there. */
static void forget_gone(struct strays *all)
{
    size_t kept = 0;

    for (size_t k = 0; k < all->count; k++)
        if (is_there(&all->v[k]))
            all->v[kept++] = all->v[k];
    all->count = kept;
}

static void wait_for(struct strays *all, double seconds)
{
    const struct timespec step = { 0, STEP_MS * 1000000L };
    double end = bench_now() + seconds;

    for (forget_gone(all); all->count > 0 && bench_now() < end && !stop_requested();
         forget_gone(all))
        nanosleep(&step, NULL);
}

enum status strays_end(struct run *r)
{
    struct strays all;

    find(r, &all);
    for (size_t k = 0; k < all.count; k++)
        log_info("ending process %ld of an earlier run (stage %s)", (long)all.v[k].id.pid,
                 all.v[k].stage);
    signal_all(&all, SIGTERM);
    wait_for(&all, PATIENCE);
    signal_all(&all, SIGKILL);
    wait_for(&all, KILL_PATIENCE);
    if (all.count == 0)
        return ST_OK;
    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped while processes of an earlier run were being ended");
    return fail(ST_HELD, "a process of an earlier run (%ld, stage %s) is still alive and cannot be "
                "ended", (long)all.v[0].id.pid, all.v[0].stage);
}
