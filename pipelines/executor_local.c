/* Processes of this machine. */
#include "pipelines/executor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/stop.h"
#include "base/str.h"
#include "pipelines/options.h"

#define SELF "/proc/self/exe"
#define POLL_MS 200              /* how long a wish to stop may go unseen */
#define MPI_PATIENCE "60"        /* seconds that ranks get to finish their unit */

struct running {
    struct process_id id;
    int gate;                    /* closed with a byte: run; without: end */
    int pidfd;
    int output;                  /* its stdout and stderr */
    int log;
    struct timespec begin;
    bool asked_to_stop;
    bool deaf;                   /* stderr takes no more */
};

/* ---- the command line ---- */

static const char *own_path(struct arena *a)
{
    char path[4096];
    ssize_t n = readlink(SELF, path, sizeof path - 1);

    return n > 0 ? arena_strndup(a, path, (size_t)n) : "tundish";
}

/* argv with the launcher in front when there is more than one rank; file is what is executed. */
static const char **make_argv(struct arena *a, const struct job *job, const char **file)
{
    struct words w = { .arena = a };

    *file = SELF;
    if (job->ranks > 1) {
        static const char *const launcher[] = { "mpirun", "--oversubscribe", "--bind-to", "none",
                                                "--mca", "odls_base_sigkill_timeout", MPI_PATIENCE,
                                                "-np", NULL };
        for (size_t i = 0; launcher[i] != NULL; i++)
            words_add(&w, launcher[i]);
        words_add(&w, arena_printf(a, "%lld", job->ranks));
        words_add(&w, own_path(a));
        *file = launcher[0];
    } else {
        words_add(&w, "tundish");
    }
    for (size_t i = 0; job->words[i] != NULL; i++)
        words_add(&w, job->words[i]);
    return w.v;
}

static enum status open_log(const char *path, const char *const *argv, int *fd)
{
    struct buf line = { 0 };
    ssize_t n;

    *fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (*fd < 0)
        return fail_errno(ST_IO, "cannot create the log '%s'", path);
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
    const char *file;
    const char **argv;
    int gate, output;
    pid_t parent;
    bool launched;               /* by mpirun, which must be able to end its ranks */
};

/* Between fork and exec: only calls that are safe there. */
_Noreturn static void run_child(const struct child *c)
{
    int nothing = open("/dev/null", O_RDONLY);
    char byte;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, c->launched ? SIGTERM : SIGKILL);
    if (getppid() != c->parent)
        _exit(1);
    while (read(c->gate, &byte, 1) != 1)
        if (errno != EINTR)
            _exit(1);            /* the runner is gone, or gave the job up */
    signal(SIGPIPE, SIG_DFL);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(c->output, STDOUT_FILENO) < 0
        || dup2(c->output, STDERR_FILENO) < 0)
        _exit(127);
    if (close_range(STDERR_FILENO + 1, ~0u, 0) != 0)
        _exit(127);
    execvp(c->file, (char *const *)(uintptr_t)c->argv);
    give_up(c->file);
}

/* ---- start, release, drop ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void running_free(struct running *r)
{
    close_fd(&r->gate);
    close_fd(&r->pidfd);
    close_fd(&r->output);
    close_fd(&r->log);
    free(r);
}

static enum status spawn(struct running *r, struct child *c)
{
    int gate[2], output[2];
    pid_t pid;

    if (pipe2(gate, O_CLOEXEC) != 0)
        return fail_errno(ST_FAILED, "cannot make a pipe");
    if (pipe2(output, O_CLOEXEC) != 0) {
        close(gate[0]);
        close(gate[1]);
        return fail_errno(ST_FAILED, "cannot make a pipe");
    }
    *c = (struct child){ c->file, c->argv, gate[0], output[1], getpid(), c->launched };
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(gate[1]);          /* else its own end would keep the gate open */
        run_child(c);
    }
    close(gate[0]);
    close(output[1]);
    r->gate = gate[1];
    r->output = output[0];
    if (pid < 0)
        return fail_errno(ST_FAILED, "cannot start a process");
    (void)setpgid(pid, pid);     /* whoever comes first; fails harmlessly after exec */
    if (!process_identify(pid, &r->id))
        r->id.pid = pid;
    r->pidfd = pidfd_open(pid, 0);
    fcntl(r->output, F_SETFL, O_NONBLOCK);
    return r->pidfd < 0 ? fail_errno(ST_FAILED, "cannot watch process %ld", (long)pid) : ST_OK;
}

static void local_drop(struct running *r)
{
    close_fd(&r->gate);
    if (r->id.pid > 0)
        while (waitpid(r->id.pid, NULL, 0) < 0 && errno == EINTR)
            ;
    running_free(r);
}

static enum status local_start(const struct job *job, struct running **out)
{
    struct running *r = mem_alloc(sizeof *r);
    struct child c = { .launched = job->ranks > 1 };
    struct arena a;
    enum status st;

    *r = (struct running){ .gate = -1, .pidfd = -1, .output = -1, .log = -1 };
    arena_init(&a);
    c.argv = make_argv(&a, job, &c.file);
    setenv(PROCESS_MARK, job->mark, 1);
    if (c.launched && geteuid() == 0) {      /* Open MPI's wish, see its mpirun(1) */
        setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
        setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    }
    st = open_log(job->log, c.argv, &r->log);
    if (st == ST_OK)
        st = spawn(r, &c);
    arena_release(&a);
    if (st == ST_OK)
        *out = r;
    else
        local_drop(r);
    return st;
}

static struct process_id local_who(const struct running *r) { return r->id; }

static enum status local_release(struct running *r)
{
    clock_gettime(CLOCK_MONOTONIC, &r->begin);
    if (write(r->gate, "", 1) != 1)
        return fail_errno(ST_FAILED, "process %ld ended before it began", (long)r->id.pid);
    close_fd(&r->gate);
    return ST_OK;
}

/* ---- wait ---- */

/* False if fd takes no more. */
static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EAGAIN)
            poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, POLL_MS);
        else if (done < 0 && errno != EINTR)
            return false;
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

/* Passes on what there is to read now. A stderr that nobody reads any more is no reason to end
 * hours of work: the log has it all. */
static enum status pass_on(struct running *r)
{
    char text[16384];

    while (r->output >= 0) {
        ssize_t n = read(r->output, text, sizeof text);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            close_fd(&r->output);
            break;
        }
        if (!write_all(r->log, text, (size_t)n))
            return fail_errno(ST_IO, "cannot write the stage's log");
        r->deaf = r->deaf || !write_all(STDERR_FILENO, text, (size_t)n);
    }
    return ST_OK;
}

static void ask_to_stop(struct running *r)
{
    if (r->asked_to_stop || !stop_requested())
        return;
    r->asked_to_stop = true;
    (void)kill(-r->id.pid, SIGINT);
}

static enum status watch(struct running *r)
{
    for (;;) {
        struct pollfd fds[] = { { r->pidfd, POLLIN, 0 }, { r->output, POLLIN, 0 } };
        int n = poll(fds, 2, POLL_MS);
        if (n < 0 && errno != EINTR)
            return fail_errno(ST_FAILED, "cannot wait for process %ld", (long)r->id.pid);
        ask_to_stop(r);
        TRY(pass_on(r));
        if (n > 0 && fds[0].revents != 0)
            return pass_on(r);
    }
}

static void read_end(const struct running *r, int wait_status, struct job_end *end)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    end->seconds = (double)(now.tv_sec - r->begin.tv_sec)
                   + (double)(now.tv_nsec - r->begin.tv_nsec) / 1e9;
    end->asked_to_stop = r->asked_to_stop;
    end->signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    end->code = end->signal ? 128 + end->signal : WEXITSTATUS(wait_status);
}

static enum status local_wait(struct running *r, struct job_end *end)
{
    enum status st = watch(r);
    int wait_status = 0;

    if (st != ST_OK)
        (void)kill(-r->id.pid, SIGKILL);     /* nobody could hear it any more */
    while (waitpid(r->id.pid, &wait_status, 0) < 0 && errno == EINTR)
        ;
    read_end(r, wait_status, end);
    running_free(r);
    return st;
}

const struct executor executor_local = {
    .name = "local",
    .start = local_start,
    .who = local_who,
    .release = local_release,
    .wait = local_wait,
    .drop = local_drop,
};
