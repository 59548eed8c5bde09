#include "pipelines/run/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bench.h"
#include "base/str.h"

#define KILL_PATIENCE 5.0   /* seconds */
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

bool process_job_is_there(const struct process_job *j)
{
    return process_is_alive(&j->id) || (j->mark != NULL && process_count_marked(j->mark) > 0);
}

static void signal_jobs(const struct process_job *jobs, size_t count, int sig)
{
    for (size_t k = 0; k < count; k++) {
        pid_t pid = jobs[k].id.pid;
        if (process_is_alive(&jobs[k].id) && kill(-pid, sig) != 0)
            (void)kill(pid, sig);      /* it may not have got as far as its own group */
        if (jobs[k].mark != NULL)
            signal_marked(jobs[k].mark, sig);
    }
}

static size_t keep_there(struct process_job *jobs, size_t count)
{
    size_t kept = 0;

    for (size_t k = 0; k < count; k++)
        if (process_job_is_there(&jobs[k]))
            jobs[kept++] = jobs[k];
    return kept;
}

static size_t wait_for_jobs(struct process_job *jobs, size_t count, double seconds,
                            bool (*hurry)(void))
{
    const struct timespec step = { 0, STEP_MS * 1000000L };
    double end = bench_now() + seconds;

    while ((count = keep_there(jobs, count)) > 0 && bench_now() < end
           && (hurry == NULL || !hurry()))
        nanosleep(&step, NULL);
    return count;
}

size_t processes_end(struct process_job *jobs, size_t count, double patience, bool (*hurry)(void))
{
    signal_jobs(jobs, count, SIGTERM);
    count = wait_for_jobs(jobs, count, patience, hurry);
    signal_jobs(jobs, count, SIGKILL);
    return wait_for_jobs(jobs, count, KILL_PATIENCE, hurry);
}
