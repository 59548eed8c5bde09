/*
 * Who a process is, beyond its number: numbers are given out again, so a process is known by (boot, number, start time).
 * The runner writes this into its journal before a stage runs, and a later runner ends what is still alive of it, so
 * that no stage ever runs twice at the same time.
 */
#ifndef TUNDISH_PIPELINES_PROCESS_H
#define TUNDISH_PIPELINES_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/status.h"

struct process_id {
    pid_t pid;
    unsigned long long ticks;    /* start time in clock ticks since boot: /proc/PID/stat, field 22 */
    char boot[40];               /* /proc/sys/kernel/random/boot_id */
};
/* False if there is no such process, or only its zombie. */
bool process_identify(pid_t pid, struct process_id *out);
bool process_is_alive(const struct process_id *id);
/* Ends the process and its group: SIGTERM, after patience_ms SIGKILL. ST_HELD if it does not go away. */
MUST_USE enum status process_end(const struct process_id *id, int patience_ms);

#endif
