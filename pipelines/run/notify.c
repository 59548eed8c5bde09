#include "pipelines/run/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define PATIENCE_MS 30000

static bool is_wanted(const struct plan_notify *n, enum status st)
{
    switch (st) {
    case ST_OK: return n->on_done;
    case ST_GATE: return n->on_gate;
    case ST_INTERRUPTED: return n->on_interrupted;
    default: return n->on_failed;
    }
}

_Noreturn static void run_program(const char *const *argv, const char *record)
{
    int in = open(record, O_RDONLY);

    setpgid(0, 0);               /* so that all of it can be ended */
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

/* Waits for it, for a while; its exit code, -1 if it took too long. */
static int wait_for_end(pid_t pid)
{
    int fd = pidfd_open(pid, 0), how = 0, ready;

    do
        ready = poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
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

static void notify_one(const struct plan_notify *n, const char *record)
{
    pid_t pid;
    int code;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        run_program(n->argv, record);
    if (pid < 0) {
        log_warn("notify: cannot start '%s': %s", n->argv[0], strerror(errno));
        return;
    }
    (void)setpgid(pid, pid);
    code = wait_for_end(pid);
    if (code < 0)
        log_warn("notify: '%s' took longer than %d s and was ended", n->argv[0], PATIENCE_MS / 1000);
    else if (code != 0)
        log_warn("notify: '%s' ended with exit code %d", n->argv[0], code);
}

void notify_all(const struct plan *p, const char *record, enum status st)
{
    for (size_t i = 0; i < p->notify_count; i++)
        if (is_wanted(&p->notify[i], st))
            notify_one(&p->notify[i], record);
}
