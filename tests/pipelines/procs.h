/* Processes that stages of a scene have started, wherever they are now: known by the scene's folder
 * and the runner's mark in their environment. */
#ifndef TUNDISH_TESTS_PIPELINES_PROCS_H
#define TUNDISH_TESTS_PIPELINES_PROCS_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipelines/run/process.h"

static inline bool procs_has(const char *text, size_t n, const char *entry, size_t length)
{
    return memmem(text, n, entry, length) != NULL;
}

static inline int procs_of_stages(const char *folder)
{
    char want[128], path[64], text[16384];
    struct dirent *e;
    DIR *d = opendir("/proc");
    int count = 0;

    snprintf(want, sizeof want, "XDG_CACHE_HOME=%s", folder);
    while (d != NULL && (e = readdir(d)) != NULL) {
        int fd;
        ssize_t n;
        snprintf(path, sizeof path, "/proc/%.20s/environ", e->d_name);
        fd = atoi(e->d_name) > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        n = fd >= 0 ? read(fd, text, sizeof text) : 0;
        if (fd >= 0)
            close(fd);
        count += n > 0 && procs_has(text, (size_t)n, want, strlen(want) + 1)
                 && procs_has(text, (size_t)n, PROCESS_MARK "=", sizeof PROCESS_MARK);
    }
    if (d != NULL)
        closedir(d);
    return count;
}

#endif
