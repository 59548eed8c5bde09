#include "pipelines/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KILL_PATIENCE_MS 5000
#define STEP_MS 10

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

/* "pid (any name) S ppid ...": state is field 3 and start time field 22; the name may hold anything. */
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

bool process_identify(pid_t pid, struct process_id *out)
{
    char path[64], text[1024], state;

    *out = (struct process_id){ .pid = pid };
    if (!read_text("/proc/sys/kernel/random/boot_id", out->boot, sizeof out->boot))
        snprintf(out->boot, sizeof out->boot, "unknown");
    out->boot[strcspn(out->boot, "\n")] = 0;
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

static bool wait_for_end(const struct process_id *id, int ms)
{
    const struct timespec step = { 0, STEP_MS * 1000000L };

    for (; process_is_alive(id); ms -= STEP_MS) {
        if (ms <= 0)
            return false;
        nanosleep(&step, NULL);
    }
    return true;
}

static void signal_group(const struct process_id *id, int sig)
{
    if (kill(-id->pid, sig) != 0)
        (void)kill(id->pid, sig);      /* it may not have got as far as its own group */
}

enum status process_end(const struct process_id *id, int patience_ms)
{
    if (!process_is_alive(id))
        return ST_OK;
    signal_group(id, SIGTERM);
    if (wait_for_end(id, patience_ms))
        return ST_OK;
    signal_group(id, SIGKILL);
    if (wait_for_end(id, KILL_PATIENCE_MS))
        return ST_OK;
    return fail(ST_HELD, "process %ld of an earlier run is still alive and cannot be ended",
                (long)id->pid);
}
