#include "base/child_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/log.h"
#include "base/stop.h"

#define PIPE_BYTES (1 << 20)
#define READ_BYTES ((size_t)1 << 18)
#define SAID_BYTES 600                /* of its standard error are kept */
#define SLICE_MS 100                  /* between looks at whether the user wants an end */
#define PATIENCE 2.0                  /* seconds to end in by itself */

enum { TO, FROM, WORDS, STREAMS };    /* its input, output, standard error */

struct child_program {
    pid_t pid;
    int fd[STREAMS];                  /* our ends; -1: closed */
    struct buf answer;                /* read, and not yet handed out */
    char said[SAID_BYTES];
    size_t said_n;
    struct buf shown;
};

/* ---- start ---- */

struct start {
    const char **argv;
    uint64_t memory;
    int ends[STREAMS], failed;        /* the child's ends; where it tells that it cannot run */
    pid_t parent;
};

/* Behind fork(), perhaps of a process with threads: nothing but system calls. */
_Noreturn static void run_program(const struct start *s)
{
    const struct rlimit memory = { s->memory, s->memory }, none = { 0, 0 };
    sigset_t open;
    int error;

    sigemptyset(&open);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != s->parent)
        _exit(127);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &open, NULL);
    (void)setrlimit(RLIMIT_CORE, &none);
    if (dup2(s->ends[TO], STDIN_FILENO) >= 0 && dup2(s->ends[FROM], STDOUT_FILENO) >= 0 &&
        dup2(s->ends[WORDS], STDERR_FILENO) >= 0 && (s->memory == 0 || setrlimit(RLIMIT_AS, &memory) == 0))
        execvp(s->argv[0], (char *const *)(uintptr_t)s->argv);
    error = errno;
    if (write(s->failed, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_all(int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close_fd(&fds[i]);
}

/* The three pipes, all closed in other programs that are started; ours never wait. */
static enum status make_pipes(struct child_program *c, struct start *s)
{
    for (int i = 0; i < STREAMS; i++) {
        int ends[2], ours;

        if (pipe2(ends, O_CLOEXEC) != 0)
            return fail_errno(ST_IO, "cannot make a pipe to '%s'", s->argv[0]);
        ours = i == TO;
        c->fd[i] = ends[ours];
        s->ends[i] = ends[!ours];
        (void)fcntl(c->fd[i], F_SETPIPE_SZ, PIPE_BYTES);
        if (fcntl(c->fd[i], F_SETFL, O_NONBLOCK) != 0)
            return fail_errno(ST_IO, "cannot set up a pipe to '%s'", s->argv[0]);
    }
    return ST_OK;
}

/* Waits until it runs, or says why it does not. */
static enum status has_started(struct child_program *c, const struct start *s, int told)
{
    int error = 0;
    ssize_t n;

    do
        n = read(told, &error, sizeof error);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof error)
        return ST_OK;
    errno = error;
    return fail_errno(ST_MISSING, "the program '%s' cannot be run%s", s->argv[0],
                      strchr(s->argv[0], ' ') ? " (no shell reads its words: want a list of them, as [awk, -f, x.awk])"
                                              : "");
}

static enum status spawn(struct child_program *c, struct start *s)
{
    int told[2];
    enum status st = make_pipes(c, s);

    if (st != ST_OK)
        return st;
    if (pipe2(told, O_CLOEXEC) != 0)
        return fail_errno(ST_IO, "cannot make a pipe to '%s'", s->argv[0]);
    s->failed = told[1];
    s->parent = getpid();
    c->pid = fork();
    if (c->pid == 0)
        run_program(s);
    close(told[1]);
    st = c->pid < 0 ? fail_errno(ST_FAILED, "cannot start a process for '%s'", s->argv[0]) : has_started(c, s, told[0]);
    close(told[0]);
    return st;
}

enum status child_program_start(const struct child_program_args *args, struct child_program **out)
{
    struct child_program *c = mem_alloc(sizeof *c);
    struct start s = { .memory = args->memory, .ends = { -1, -1, -1 } };
    struct failure failure;
    enum status st;

    s.argv = mem_array(args->argv->count + 1, sizeof *s.argv);
    memcpy(s.argv, args->argv->v, args->argv->count * sizeof *s.argv);
    for (int i = 0; i < STREAMS; i++)
        c->fd[i] = -1;
    st = spawn(c, &s);
    close_all(s.ends, STREAMS);
    free(s.argv);
    if (st != ST_OK) {
        failure_save(&failure, st);
        child_program_end(c, false, NULL);
        return failure_restore(&failure);
    }
    *out = c;
    return ST_OK;
}

/* ---- talking ---- */

/* Bytes that are there; 0 at the end, -1 for now none. */
static ssize_t take(int fd, void *p, size_t n)
{
    ssize_t got = read(fd, p, n);

    return got < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : got < 0 ? 0 : got;
}

/* Keeps the last SAID_BYTES of what it says. */
static void read_words(struct child_program *c)
{
    char part[4096];
    ssize_t n = take(c->fd[WORDS], part, sizeof part);
    size_t keep, got;

    if (n == 0)
        close_fd(&c->fd[WORDS]);
    if (n <= 0)
        return;
    got = (size_t)n < SAID_BYTES ? (size_t)n : SAID_BYTES;
    keep = c->said_n + got > SAID_BYTES ? SAID_BYTES - got : c->said_n;
    memmove(c->said, c->said + c->said_n - keep, keep);
    memcpy(c->said + keep, part + n - got, got);
    c->said_n = keep + got;
}

/* False: it has closed its output. */
static bool read_answer(struct child_program *c)
{
    ssize_t n;

    buf_reserve(&c->answer, READ_BYTES);
    n = take(c->fd[FROM], c->answer.p + c->answer.n, READ_BYTES);
    if (n > 0) {
        c->answer.n += (size_t)n;
        c->answer.p[c->answer.n] = 0;
    }
    return n != 0;
}

/* SIGPIPE is blocked by the caller. False: nobody reads any more. */
static bool write_some(struct child_program *c, struct span *left)
{
    ssize_t n = write(c->fd[TO], left->p, left->n < PIPE_BYTES ? left->n : PIPE_BYTES);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    left->p += n;
    left->n -= (size_t)n;
    return true;
}

static int wait_for_any(struct child_program *c, bool writes, struct pollfd p[STREAMS], int ms)
{
    for (int i = 0; i < STREAMS; i++)
        p[i] = (struct pollfd){ c->fd[i], i == TO ? POLLOUT : POLLIN, 0 };
    if (!writes)
        p[TO].fd = -1;
    return poll(p, STREAMS, ms);
}

static enum child_program_how talk(struct child_program *c, const struct child_program_question *q, size_t *end)
{
    struct span left = q->line;
    double until = bench_now() + q->seconds;
    size_t looked = 0;

    if (c->answer.n > 0)
        return CHILD_PROGRAM_UNASKED;
    for (;;) {
        struct pollfd p[STREAMS];
        double rest = until - bench_now();
        const char *line;

        if (rest <= 0)
            return CHILD_PROGRAM_LATE;
        if (stop_requested())
            return CHILD_PROGRAM_STOPPED;
        (void)wait_for_any(c, left.n > 0, p, rest < SLICE_MS / 1000. ? (int)(rest * 1000) + 1 : SLICE_MS);
        if (p[WORDS].fd >= 0 && p[WORDS].revents)
            read_words(c);
        if (left.n > 0 && p[TO].revents && !write_some(c, &left))
            return CHILD_PROGRAM_ENDED;
        if (p[FROM].revents && !read_answer(c))
            return CHILD_PROGRAM_ENDED;
        line = c->answer.n > looked ? memchr(c->answer.p + looked, '\n', c->answer.n - looked) : NULL;
        looked = line ? looked : c->answer.n;
        if (line != NULL && left.n == 0) {
            *end = (size_t)(line - c->answer.p);
            return *end <= q->most ? CHILD_PROGRAM_ANSWERED : CHILD_PROGRAM_ENDLESS;
        }
        if (c->answer.n > q->most && line == NULL)
            return CHILD_PROGRAM_ENDLESS;
    }
}

enum child_program_how child_program_ask(struct child_program *c, const struct child_program_question *q,
                                         struct buf *answer)
{
    enum child_program_how how;
    sigset_t pipe_only, before, waiting;
    size_t end = 0;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&waiting);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    how = talk(c, q, &end);
    if (!sigismember(&waiting, SIGPIPE))        /* what our writing may have raised is taken back */
        (void)sigtimedwait(&pipe_only, NULL, &(struct timespec){ 0, 0 });
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    buf_clear(answer);
    if (how != CHILD_PROGRAM_ANSWERED)
        return how;
    buf_add(answer, c->answer.p, end);
    memmove(c->answer.p, c->answer.p + end + 1, c->answer.n - end - 1);
    c->answer.n -= end + 1;
    return how;
}

enum child_program_how child_program_read(struct child_program *c, double until, struct span *bytes)
{
    close_fd(&c->fd[TO]);
    c->answer.n = 0;
    for (;;) {
        struct pollfd p[STREAMS];
        double rest = until - bench_now();

        if (rest <= 0)
            return CHILD_PROGRAM_LATE;
        if (stop_requested())
            return CHILD_PROGRAM_STOPPED;
        (void)wait_for_any(c, false, p, rest < SLICE_MS / 1000. ? (int)(rest * 1000) + 1 : SLICE_MS);
        if (p[WORDS].fd >= 0 && p[WORDS].revents)
            read_words(c);
        if (p[FROM].revents && !read_answer(c))
            return CHILD_PROGRAM_ENDED;
        if (c->answer.n > 0) {
            *bytes = (struct span){ c->answer.p, c->answer.n };
            return CHILD_PROGRAM_ANSWERED;
        }
    }
}

const char *child_program_said(struct child_program *c)
{
    struct buf text = { 0 };

    for (int i = 0; i < 64 && c->fd[WORDS] >= 0 && poll(&(struct pollfd){ c->fd[WORDS], POLLIN, 0 }, 1, 0) > 0; i++)
        read_words(c);
    while (c->said_n > 0 && strchr(" \n\r\t", c->said[c->said_n - 1]))
        c->said_n--;
    buf_add(&text, c->said, c->said_n);
    buf_clear(&c->shown);
    log_add_plain(&c->shown, text.p);
    buf_release(&text);
    return c->shown.p ? c->shown.p : "";
}

/* ---- end ---- */

static void describe(int status, struct buf *how)
{
    if (WIFEXITED(status))
        buf_printf(how, "exit code %d", WEXITSTATUS(status));
    else
        buf_printf(how, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

/* Has it ended? It stays to be waited for, so that its number is nobody else's. */
static bool has_ended(const struct child_program *c)
{
    siginfo_t info = { .si_pid = 0 };

    return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == c->pid;
}

/* What it still writes is thrown away, so that it does not wait for us. */
static void let_it_end(struct child_program *c)
{
    double until = bench_now() + PATIENCE;
    char part[4096];

    while (!has_ended(c) && bench_now() < until) {
        struct pollfd p[STREAMS];

        (void)wait_for_any(c, false, p, 5);
        if (p[WORDS].fd >= 0 && p[WORDS].revents)
            read_words(c);
        if (p[FROM].fd >= 0 && p[FROM].revents && take(c->fd[FROM], part, sizeof part) == 0)
            close_fd(&c->fd[FROM]);
    }
}

bool child_program_end(struct child_program *c, bool patient, struct buf *how)
{
    int status = 0;
    bool ended = c->pid > 0;

    close_fd(&c->fd[TO]);
    if (c->pid > 0 && patient)
        let_it_end(c);
    if (c->pid > 0)
        (void)kill(-c->pid, SIGKILL);
    while (c->pid > 0 && waitpid(c->pid, &status, 0) < 0)
        if (errno != EINTR) {
            ended = false;
            break;
        }
    if (how != NULL && ended)
        describe(status, how);
    close_all(c->fd, STREAMS);
    buf_release(&c->answer);
    buf_release(&c->shown);
    free(c);
    return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
