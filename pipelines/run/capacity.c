#include "pipelines/run/capacity.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/platform.h"
#include "base/str.h"
#include "pipelines/plan/options.h"

static uint64_t read_limit(const char *path)
{
    unsigned long long bytes = 0;
    FILE *f = fopen(path, "re");
    int got = f != NULL ? fscanf(f, "%llu", &bytes) : 0;

    if (f != NULL)
        fclose(f);
    return got == 1 ? bytes : UINT64_MAX;
}

/* The least limit of our control group and those above it (version 2), or that of version 1;
 * UINT64_MAX if there is none. */
static uint64_t group_limit(void)
{
    uint64_t least = read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes"), one;
    char line[2048] = "", path[2200];
    FILE *f = fopen("/proc/self/cgroup", "re");
    char *slash;

    while (f != NULL && fgets(line, sizeof line, f) != NULL && strncmp(line, "0::", 3) != 0)
        line[0] = 0;
    if (f != NULL)
        fclose(f);
    line[strcspn(line, "\n")] = 0;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s", *line ? line + 3 : "");
    while ((slash = strrchr(path, '/')) != NULL && strlen(path) >= strlen("/sys/fs/cgroup")) {
        size_t n = strlen(path);
        snprintf(path + n, sizeof path - n, "/memory.max");
        one = read_limit(path);
        least = one < least ? one : least;
        path[n] = 0;
        *slash = 0;
    }
    return least;
}

static uint64_t memory_of_machine(void)
{
    uint64_t limit = group_limit();
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    return limit < all ? limit : all;
}

struct capacity capacity_of(const struct plan *p, const struct capacity *asked)
{
    struct capacity c = *asked;

    if (c.threads == 0)
        c.threads = p->threads > 0 ? p->threads : cpu_count();
    if (c.jobs == 0)
        c.jobs = p->jobs > 0 ? p->jobs : c.threads;
    if (c.memory == 0)
        c.memory = p->memory > 0 ? p->memory : memory_of_machine();
    return c;
}

struct capacity capacity_claim(const struct plan_stage *s, const struct capacity *all)
{
    struct capacity claim = { .jobs = 1, .threads = s->ranks, .memory = s->memory };

    if (s->threads > 0)
        claim.threads = s->ranks * s->threads;
    else if (opt_find(s->command->opts, "threads") != NULL)
        claim.threads = all->threads;
    if (claim.threads > all->threads)
        claim.threads = all->threads;
    return claim;
}

bool capacity_fits(const struct capacity *claim, const struct capacity *left)
{
    return claim->jobs <= left->jobs && claim->threads <= left->threads
           && claim->memory <= left->memory;
}

void capacity_take(struct capacity *left, const struct capacity *claim)
{
    left->jobs -= claim->jobs;
    left->threads -= claim->threads;
    left->memory -= claim->memory;
}

void capacity_give(struct capacity *left, const struct capacity *claim)
{
    left->jobs += claim->jobs;
    left->threads += claim->threads;
    left->memory += claim->memory;
}

enum status capacity_check(const struct plan *p, const bool *selected, const struct capacity *all)
{
    for (size_t i = 0; i < p->count; i++) {
        char wanted[32], there[32];
        if (selected[i] && p->stages[i].memory > all->memory)
            return yaml_fail(p->stages[i].at, "stage '%s' asks for %s of memory, there are %s; "
                             "--memory or the site profile can say otherwise", p->names[i],
                             str_bytes(p->stages[i].memory, wanted), str_bytes(all->memory, there));
    }
    return ST_OK;
}
