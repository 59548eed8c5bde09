#include "pipelines/run/notify.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/log.h"
#include "base/stop.h"

#define PATIENCE 30.0            /* seconds, for each */
#define STEP_MS 200

static bool is_wanted(const struct plan_notify *n, enum status st)
{
    switch (st) {
    case ST_OK: return n->on_done;
    case ST_GATE: return n->on_gate;
    case ST_INTERRUPTED: return n->on_interrupted;
    default: return n->on_failed;
    }
}

/* The record as an open file that has no name; -1. */
static int open_record(const struct buf *record)
{
    int fd = memfd_create("record", MFD_CLOEXEC);

    if (fd >= 0 && (file_put(fd, "record", record->p, record->n) != ST_OK
                    || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

_Noreturn static void run_program(const char *const *argv, int in)
{
    setpgid(0, 0);               /* so that all of it can be ended */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (in < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0
        || close_range(STDERR_FILENO + 1, ~0u, 0) != 0)
        _exit(127);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "tundish: cannot run '%s': %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Waits for it, for a while, and until somebody wants to stop; its exit code, -1 if it was ended.
 */
static int wait_for_end(pid_t pid)
{
    int fd = pidfd_open(pid, 0), how = 0, ready = 0;
    double end = bench_now() + PATIENCE;
    bool asked = stop_requested();      /* by what ended the run: that is no wish to hurry this */

    while (ready <= 0 && bench_now() < end && (asked || !stop_requested()))
        ready = poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, STEP_MS);
    if (ready <= 0)
        (void)kill(-pid, SIGKILL);
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
        ;
    if (fd >= 0)
        close(fd);
    if (ready <= 0)
        return -1;
    return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

static void notify_one(const struct plan_notify *n, const struct buf *record)
{
    int in = open_record(record), code;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        run_program(n->argv, in);
    if (in >= 0)
        close(in);
    if (pid < 0) {
        log_warn("notify: cannot start '%s': %s", n->argv[0], strerror(errno));
        return;
    }
    (void)setpgid(pid, pid);
    code = wait_for_end(pid);
    if (code < 0)
        log_warn("notify: '%s' was ended before it was done", n->argv[0]);
    else if (code != 0)
        log_warn("notify: '%s' ended with exit code %d", n->argv[0], code);
}

void notify_all(const struct plan *p, const struct buf *record, enum status st)
{
    for (size_t i = 0; i < p->notify_count; i++)
        if (is_wanted(&p->notify[i], st))
            notify_one(&p->notify[i], record);
}
