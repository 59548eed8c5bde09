#include "pipelines/run/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

#define KILL_PATIENCE_MS 5000
#define STEP_MS 20

/* At most room - 1 bytes of a file in /proc; false if it cannot be read. */
static bool read_text(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, text, room - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    return n > 0;
}

/* "pid (any name) S ppid ...": state is field 3 and start time field 22; the name may hold
 * anything. */
static bool parse_stat(const char *text, char *state, unsigned long long *ticks)
{
    const char *p = strrchr(text, ')');

    if (p == NULL || sscanf(p + 1, " %c", state) != 1)
        return false;
    p++;
    for (int field = 3; field < 22; field++) {
        p += strspn(p, " ");
        p += strcspn(p, " ");
    }
    return sscanf(p, "%llu", ticks) == 1;
}

const char *process_boot(void)
{
    static char boot[40];

    if (*boot == 0) {
        if (!read_text("/proc/sys/kernel/random/boot_id", boot, sizeof boot))
            snprintf(boot, sizeof boot, "unknown");
        boot[strcspn(boot, "\n")] = 0;
    }
    return boot;
}

bool process_identify(pid_t pid, struct process_id *out)
{
    char path[64], text[1024], state;

    *out = (struct process_id){ .pid = pid };
    snprintf(out->boot, sizeof out->boot, "%s", process_boot());
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    return read_text(path, text, sizeof text) && parse_stat(text, &state, &out->ticks)
           && state != 'Z' && state != 'X';
}

bool process_is_alive(const struct process_id *id)
{
    struct process_id now;

    return id->pid > 1 && process_identify(id->pid, &now) && now.ticks == id->ticks
           && strcmp(now.boot, id->boot) == 0;
}

/* ---- jobs ---- */

void process_new_mark(char mark[PROCESS_MARK_ROOM])
{
    static unsigned count;
    struct process_id self;

    process_identify(getpid(), &self);
    snprintf(mark, PROCESS_MARK_ROOM, "%.36s-%ld-%llu-%u", self.boot, (long)self.pid, self.ticks,
             ++count);
}

/* Has the process the variable in the environment it was started with? */
static bool has_mark(const char *pid, const char *entry, struct buf *text)
{
    size_t n = strlen(entry) + 1;
    char path[64], part[4096];
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "/proc/%s/environ", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    buf_clear(text);
    buf_add(text, "", 1);              /* so that every entry has a NUL on both sides */
    while ((got = read(fd, part, sizeof part)) > 0)
        buf_add(text, part, (size_t)got);
    close(fd);
    for (const char *p = text->p; (p = memchr(p, 0, text->n - (size_t)(p - text->p))) != NULL; p++)
        if (text->n - (size_t)(p - text->p) > n && memcmp(p + 1, entry, n) == 0)
            return true;
    return false;
}

/* Calls visit for every live process of the job but this one. */
static void for_marked(const char *mark, void (*visit)(pid_t pid, void *ctx), void *ctx)
{
    char entry[sizeof PROCESS_MARK + 1 + PROCESS_MARK_ROOM];
    struct buf text = { 0 };
    struct process_id id;
    struct dirent *e;
    DIR *d = opendir("/proc");

    snprintf(entry, sizeof entry, PROCESS_MARK "=%s", mark);
    while (d != NULL && (e = readdir(d)) != NULL) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid <= 1 || pid == getpid() || !has_mark(e->d_name, entry, &text)
            || !process_identify(pid, &id))
            continue;
        visit(pid, ctx);
    }
    if (d != NULL)
        closedir(d);
    buf_release(&text);
}

struct signalling {
    int sig;                     /* 0: none */
    size_t count;
};

static void signal_one(pid_t pid, void *ctx)
{
    struct signalling *s = ctx;

    s->count++;
    if (s->sig != 0)
        (void)kill(pid, s->sig);
}

/* How many there were. */
static size_t signal_marked(const char *mark, int sig)
{
    struct signalling s = { .sig = sig };

    for_marked(mark, signal_one, &s);
    return s.count;
}

static void add_memory(pid_t pid, void *ctx)
{
    unsigned long long pages = 0;
    char path[64], text[128];
    uint64_t *sum = ctx;

    snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    if (read_text(path, text, sizeof text) && sscanf(text, "%*u %llu", &pages) == 1)
        *sum += pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t process_memory_marked(const char *mark)
{
    uint64_t sum = 0;

    for_marked(mark, add_memory, &sum);
    return sum;
}

size_t process_count_marked(const char *mark) { return signal_marked(mark, 0); }

bool process_group_is_there(pid_t leader) { return leader > 1 && kill(-leader, 0) == 0; }

void process_signal_rest(pid_t leader, const char *mark, int sig)
{
    if (leader > 1)
        (void)kill(-leader, sig);
    signal_marked(mark, sig);
}

/* ---- ending ---- */

struct job_of {
    const struct process_id *id;
    const char *mark;            /* NULL: it has none */
};

static bool is_gone(const struct job_of *job)
{
    return !process_is_alive(job->id) &&
           (job->mark == NULL || process_count_marked(job->mark) == 0);
}

static bool wait_for_end(const struct job_of *job, int ms)
{
    const struct timespec step = { 0, STEP_MS * 1000000L };

    for (; !is_gone(job); ms -= STEP_MS) {
        if (ms <= 0)
            return false;
        nanosleep(&step, NULL);
    }
    return true;
}

static void signal_job(const struct job_of *job, int sig)
{
    if (process_is_alive(job->id) && kill(-job->id->pid, sig) != 0)
        (void)kill(job->id->pid, sig);      /* it may not have got as far as its own group */
    if (job->mark != NULL)
        signal_marked(job->mark, sig);
}

enum status process_end(const struct process_id *id, const char *mark, int patience_ms)
{
    struct job_of job = { id, mark };

    if (is_gone(&job))
        return ST_OK;
    signal_job(&job, SIGTERM);
    if (wait_for_end(&job, patience_ms))
        return ST_OK;
    signal_job(&job, SIGKILL);
    if (wait_for_end(&job, KILL_PATIENCE_MS))
        return ST_OK;
    return fail(ST_HELD, "a process of an earlier run (%ld) is still alive and cannot be ended",
                (long)id->pid);
}
