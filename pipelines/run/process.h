/*
 * Who a process is, beyond its number: numbers are given out again, so a process is known by (boot,
 * number, start time). A job, which may be several processes (a launcher and its ranks, which
 * outlive it when it is killed), is known by a mark in their environment.
 *
 * The runner writes both into its journal before a stage runs, and a later runner ends what is
 * still alive of it, so that no stage ever runs twice at the same time.
 */
#ifndef TUNDISH_PIPELINES_PROCESS_H
#define TUNDISH_PIPELINES_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

#define PROCESS_MARK "TUNDISH_JOB"   /* the environment variable */
#define PROCESS_MARK_ROOM 80

struct process_id {
    pid_t pid;
    unsigned long long ticks;   /* start time in clock ticks since boot: /proc/PID/stat, field 22 */
    char boot[40];              /* /proc/sys/kernel/random/boot_id */
};
/* This boot of the machine. */
const char *process_boot(void);
/* False if there is no such process, or only its zombie. */
bool process_identify(pid_t pid, struct process_id *out);
bool process_is_alive(const struct process_id *id);

/* A mark that no other job of this machine has had since it was started. */
void process_new_mark(char mark[PROCESS_MARK_ROOM]);
/* How many processes with that mark are alive; those of other users cannot be seen. */
size_t process_count_marked(const char *mark);
/* Bytes of memory that they hold: resident, what they share counted for each. */
uint64_t process_memory_marked(const char *mark);
/* What is left of a job whose process, the leader of its group, we have just waited for: does
 * anything of the group live? Cheap, but a zombie that nobody waits for counts. */
bool process_group_is_there(pid_t leader);
/* Sends all that is left the signal: to the group, and to what has the mark. */
void process_signal_rest(pid_t leader, const char *mark, int sig);
/* A job to be ended: its process, and whatever has its mark. */
struct process_job {
    struct process_id id;
    const char *mark;            /* NULL: it has none */
    const char *name;            /* for messages */
};
bool process_job_is_there(const struct process_job *j);
/* Ends them: SIGTERM, so many seconds for all together to leave a resumable state, SIGKILL and five
 * more; hurry (may be NULL), once true, leaves out what is left of the waiting. Keeps in jobs those
 * that are still there; how many. */
size_t processes_end(struct process_job *jobs, size_t count, double patience, bool (*hurry)(void));

#endif
