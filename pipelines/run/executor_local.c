/* Processes of this machine. */
#include "pipelines/run/executor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/progress.h"
#include "base/str.h"
#include "pipelines/plan/options.h"

#define SELF "/proc/self/exe"

struct running {
    struct process_id id;
    int pidfd;
    double begin;
};

/* ---- the log's head ---- */

static enum status open_log(const char *path, const char *const *argv, int *fd)
{
    struct buf line = { 0 };
    ssize_t n;

    *fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (*fd < 0)
        return fail_errno(ST_IO, "cannot create the log '%s'", path);
    if (argv == NULL)
        return ST_OK;
    buf_addc(&line, '$');
    for (size_t i = 0; argv[i] != NULL; i++) {
        buf_addc(&line, ' ');
        shell_quote(&line, argv[i]);
    }
    buf_addc(&line, '\n');
    n = write(*fd, line.p, line.n);
    buf_release(&line);
    if (n >= 0)
        return ST_OK;
    close(*fd);
    *fd = -1;
    return fail_errno(ST_IO, "cannot write the log '%s'", path);
}

/* ---- the child's side ---- */

_Noreturn static void give_up(const char *file)
{
    dprintf(STDERR_FILENO, "tundish: cannot run '%s': %s\n", file,
            errno == E2BIG ? "its options are too long for a command line" : strerror(errno));
    _exit(127);
}

struct child {
    const struct job *job;
    const struct child_args *args;
    int log;
    pid_t parent;
    sigset_t signals;            /* those that were blocked before */
};

/* Signals are blocked here, so that none of our handlers runs in the child: with words, it shares
 * our memory until exec, so only calls that are safe there. */
_Noreturn static void run_child(const struct child *c)
{
    int nothing = open("/dev/null", O_RDONLY);

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, c->args->launched ? SIGTERM : SIGKILL);
    if (getppid() != c->parent)
        _exit(1);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &c->signals, NULL);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(c->log, STDOUT_FILENO) < 0
        || dup2(c->log, STDERR_FILENO) < 0)
        _exit(127);
    if (close_range(STDERR_FILENO + 1, ~0u, 0) != 0)
        _exit(127);
    if (c->job->body != NULL)
        _exit(c->job->body(c->job->ctx));
    execvp(c->args->file, (char *const *)(uintptr_t)c->args->argv);
    give_up(c->args->file);
}

/* ---- start ---- */

static void running_free(struct running *r)
{
    if (r->pidfd >= 0)
        close(r->pidfd);
    free(r);
}

static enum status spawn(struct running *r, struct child *c)
{
    sigset_t all;
    pid_t pid;

    c->parent = getpid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &c->signals);
    r->begin = bench_now();
    if (c->job->body != NULL)
        fflush(NULL);
    pid = c->job->body != NULL ? fork() : vfork();
    if (pid == 0)
        run_child(c);
    sigprocmask(SIG_SETMASK, &c->signals, NULL);
    if (pid < 0)
        return fail_errno(ST_FAILED, "cannot start a process");
    (void)setpgid(pid, pid);     /* whoever comes first; fails harmlessly after exec */
    if (!process_identify(pid, &r->id))
        r->id.pid = pid;
    r->pidfd = pidfd_open(pid, 0);
    if (r->pidfd >= 0)
        return ST_OK;
    (void)kill(-pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return fail_errno(ST_FAILED, "cannot watch process %ld", (long)pid);
}

enum status executor_start_child(const struct job *job, const struct child_args *args,
                                 struct running **out)
{
    struct running *r = mem_alloc(sizeof *r);
    struct child c = { .job = job, .args = args };
    enum status st;

    r->pidfd = -1;
    setenv(PROCESS_MARK, job->mark, 1);
    if (job->progress != NULL)
        setenv(PROGRESS_FILE, job->progress, 1);
    else
        unsetenv(PROGRESS_FILE);
    st = open_log(job->log, job->body == NULL ? args->argv : NULL, &c.log);
    if (st == ST_OK) {
        st = spawn(r, &c);
        close(c.log);
    }
    if (st == ST_OK)
        *out = r;
    else
        running_free(r);
    return st;
}

static enum status local_start(const struct job *job, struct running **out)
{
    struct words argv = { 0 };
    struct arena a;
    enum status st;

    arena_init(&a);
    argv.arena = &a;
    if (!job->foreign)
        words_add(&argv, "tundish");
    for (size_t i = 0; job->words[i] != NULL; i++)
        words_add(&argv, job->words[i]);
    st = executor_start_child(
        job, &(struct child_args){ job->foreign ? argv.v[0] : SELF, argv.v, false }, out);
    arena_release(&a);
    return st;
}

static struct process_id local_who(const struct running *r) { return r->id; }

/* ---- afterwards ---- */

static int local_end_fd(const struct running *r) { return r->pidfd; }

static double seconds_of(struct timeval t) { return (double)t.tv_sec + 1e-6 * (double)t.tv_usec; }

static bool local_ended(struct running *r, struct job_end *end)
{
    struct rusage used;
    int how = 0;
    pid_t pid;

    while ((pid = wait4(r->id.pid, &how, WNOHANG, &used)) < 0 && errno == EINTR)
        ;
    if (pid != r->id.pid)
        return false;
    *end = (struct job_end){ .seconds = bench_now() - r->begin,
                             .cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime),
                             .peak_memory = (uint64_t)used.ru_maxrss * 1024 };
    end->signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    end->code = end->signal ? 128 + end->signal : WEXITSTATUS(how);
    running_free(r);
    return true;
}

static void local_signal(struct running *r, int number) { (void)kill(-r->id.pid, number); }

const struct executor executor_local = {
    .name = "local",
    .start = local_start,
    .who = local_who,
    .end_fd = local_end_fd,
    .ended = local_ended,
    .signal = local_signal,
};

const struct executor *executor_of(long long ranks)
{
    return ranks > 1 ? &executor_mpi : &executor_local;
}
