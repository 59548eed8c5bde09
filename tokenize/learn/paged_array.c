#include "tokenize/learn/paged_array.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "tokenize/learn/spill_file.h"

#define MARGIN ((uint64_t)2 << 20)
#define LEAST_ROOM 16            /* blocks */

static void enroll(struct paged *g, struct paged_array *a)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->arrays[i] == a)
            return;
    BUG_IF(g->count == PAGED_ARRAYS);
    g->arrays[g->count++] = a;
}

/* Blocks of the disk are taken now: a page of a mapped file that finds none later ends the process. */
static enum status lengthen(const struct paged *g, const struct paged_array *a, size_t bytes)
{
    int error;

    do
        error = posix_fallocate(a->fd, (off_t)a->bytes, (off_t)(bytes - a->bytes));
    while (error == EINTR);
    if (error == 0)
        return ST_OK;
    errno = error;
    return fail_errno(ST_IO,
                      "cannot make a temporary file of %zu bytes in '%s' (make room there, or allow "
                      "more memory)",
                      bytes, g->folder);
}

static enum status grow_mapped(struct paged *g, struct paged_array *a, size_t bytes)
{
    void *p;

    TRY(lengthen(g, a, bytes));
    p = a->p ? mremap(a->p, a->bytes, bytes, MREMAP_MAYMOVE)
             : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, a->fd, 0);
    if (p == MAP_FAILED)
        return fail_errno(ST_IO, "cannot map a temporary file of %zu bytes", bytes);
    a->p = p;
    a->bytes = bytes;
    enroll(g, a);
    return ST_OK;
}

static enum status grow_file(struct paged *g, struct paged_array *a, size_t bytes)
{
    enum status st;

    if (a->p == NULL)
        TRY(spill_file_open(g->folder, &a->fd));
    st = grow_mapped(g, a, bytes);
    if (a->p == NULL)
        close(a->fd);
    return st;
}

enum status paged_grow(struct paged *g, struct paged_array *a, size_t want, size_t size)
{
    size_t cap = a->cap + a->cap / 8;

    if (want <= a->cap)
        return ST_OK;
    if (cap < want)
        cap = want + 64;
    if (g->on)
        TRY(grow_file(g, a, cap * size));
    else
        a->p = mem_grow(a->p, cap, size);
    a->cap = cap;
    return ST_OK;
}

void paged_release(struct paged *g, struct paged_array *a)
{
    if (a->bytes > 0) {
        munmap(a->p, a->bytes);
        close(a->fd);
    } else {
        free(a->p);
    }
    *a = (struct paged_array){ 0 };
}

static uint64_t resident(struct paged *g)
{
    char text[128];
    unsigned long long size, pages;
    ssize_t n;

    if (g->statm == 0)
        g->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    n = g->statm > 0 ? pread(g->statm, text, sizeof text - 1, 0) : -1;
    text[n > 0 ? n : 0] = 0;
    return sscanf(text, "%llu %llu", &size, &pages) == 2 ? pages * (uint64_t)sysconf(_SC_PAGESIZE)
                                                         : g->limit;
}

void paged_close(struct paged *g)
{
    if (g->statm > 0)
        close(g->statm);
    g->statm = 0;
}

void paged_reserve(struct paged *g, uint64_t bytes)
{
    g->reserved = bytes;
    if (g->on)
        paged_look(g);
}

/* The pages stay in the kernel's cache, where they are nobody's until it needs the room. */
void paged_look(struct paged *g)
{
    uint64_t now = resident(g) + g->reserved;

    if (now + MARGIN + LEAST_ROOM * PAGED_BLOCK > g->limit) {
        for (size_t i = 0; i < g->count; i++)
            if (g->arrays[i]->bytes > 0)
                (void)madvise(g->arrays[i]->p, g->arrays[i]->bytes, MADV_DONTNEED);
        now = resident(g) + g->reserved;
    }
    g->room = now + MARGIN < g->limit ? (int64_t)((g->limit - now - MARGIN) / PAGED_BLOCK) : 0;
    if (g->room < LEAST_ROOM)
        g->room = LEAST_ROOM;
}
