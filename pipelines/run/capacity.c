#include "pipelines/run/capacity.h"

#include <stdio.h>
#include <unistd.h>

#include "base/platform.h"
#include "base/str.h"
#include "pipelines/plan/options.h"

/* A control group's limit, of either version; UINT64_MAX if there is none. */
static uint64_t group_limit(void)
{
    static const char *const files[] = { "/sys/fs/cgroup/memory.max",
                                         "/sys/fs/cgroup/memory/memory.limit_in_bytes" };
    unsigned long long bytes = 0;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        FILE *f = fopen(files[i], "re");
        int got = f != NULL ? fscanf(f, "%llu", &bytes) : 0;
        if (f != NULL)
            fclose(f);
        if (got == 1)
            return bytes;
    }
    return UINT64_MAX;
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
