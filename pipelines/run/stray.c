/* Processes that an earlier run has left: its runner was killed, and they were not (a launcher with
 * its ranks, what a program has put into a group of its own). None may run twice. */
#include "base/log.h"
#include "base/stop.h"
#include "pipelines/run/run_part.h"

#define PATIENCE 10.0            /* seconds */

/* Only those that are still there; how many. */
static size_t find(struct run *r, struct process_job **out)
{
    const char *const *names = journal_stages(r->journal);
    size_t names_count = 0, count = 0;

    while (names[names_count] != NULL)
        names_count++;
    *out = arena_array(r->arena, names_count + 1, sizeof **out);
    for (size_t k = 0; k < names_count; k++) {
        struct process_job one = { .name = names[k] };
        const json_t *start;
        if (!journal_is_open(r->journal, names[k]))
            continue;
        start = journal_of(r->journal, names[k]).start;
        one.mark = json_string_value(json_object_get(start, "mark"));
        one.id = journal_process(start);
        if (process_job_is_there(&one))
            (*out)[count++] = one;
    }
    return count;
}

enum status strays_end(struct run *r)
{
    struct process_job *jobs;
    size_t count = find(r, &jobs);

    for (size_t k = 0; k < count; k++)
        log_info("ending process %ld of an earlier run (stage %s)", (long)jobs[k].id.pid,
                 jobs[k].name);
    if (processes_end(jobs, count, PATIENCE, stop_requested) == 0)
        return ST_OK;
    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped while processes of an earlier run were being ended");
    return fail(ST_HELD, "a process of an earlier run (%ld, stage %s) is still alive and cannot be "
                "ended", (long)jobs[0].id.pid, jobs[0].name);
}
