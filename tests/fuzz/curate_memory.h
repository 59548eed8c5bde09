/* Bytes as a file of a source: in memory, under /proc/self/fd. */
#ifndef TUNDISH_TESTS_FUZZ_CURATE_MEMORY_H
#define TUNDISH_TESTS_FUZZ_CURATE_MEMORY_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "curate/source/source.h"

/* A hostile archive asks for a window of gigabytes (LZMA, PPMd), which decoders allocate and hardly touch. Here such a
 * request fails, as it would under a limit of the system, and the decoder reports it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1:max_allocation_size_mb=1024"; }

/* Reads the list of sources to the end under tight limits, which must hold; returns the number of documents. n: bytes
 * of its one file. Adds what it has of documents to all, where that is asked for. */
static inline uint64_t read_list(const char *sources, size_t n, struct buf *all)
{
    static const struct source_limits limits = { 1 << 16, 1 << 20, 50, 4, 100, 0 };
    struct raw_document *d;
    struct source *s;
    struct arena a;
    struct yaml *list;
    uint64_t count = 0, bytes = 0;

    arena_init(&a);
    if (yaml_parse(&a, "y", sources, strlen(sources), &list) != ST_OK || source_open(list, &limits, &s) != ST_OK)
        abort();
    while (source_next(s, &d) == ST_OK && d != NULL) {
        if (d->n > limits.max_document * 2 || d->bytes[d->n] != 0 || !utf8_valid(d->id, strlen(d->id)) ||
            (d->line_id && !utf8_valid(d->line_id, strlen(d->line_id))) ||
            (d->metadata && !utf8_valid(d->metadata, strlen(d->metadata))))
            abort();
        count++;
        bytes += d->n;
        if (all != NULL) {
            buf_add(all, d->bytes, d->n);
            buf_addc(all, '\n');
        }
        raw_document_free(d);
    }
    if (source_stats_of(s)->documents != count || source_stats_of(s)->files != 1 || bytes > 2 * limits.max_expanded + n)
        abort();
    source_close(s);
    arena_release(&a);
    return count;
}

/* The bytes as a file without a name. */
static inline uint64_t read_bytes(const void *p, size_t n)
{
    int fd = memfd_create("source", 0);
    char path[64];
    uint64_t count;

    if (fd < 0 || write(fd, p, n) != (ssize_t)n)
        abort();
    snprintf(path, sizeof path, "[/proc/self/fd/%d]", fd);
    count = read_list(path, n, NULL);
    close(fd);
    return count;
}

/* The bytes as a file whose name ends so, with options of its source (", text: a"). */
static inline uint64_t read_named(const char *ending, const char *options, const void *p, size_t n, struct buf *all)
{
    char link[64], target[64], sources[256];
    int fd = memfd_create("source", 0);
    uint64_t count;

    if (fd < 0 || write(fd, p, n) != (ssize_t)n)
        abort();
    snprintf(target, sizeof target, "/proc/self/fd/%d", fd);
    snprintf(link, sizeof link, "/tmp/tundish-fuzz-%d%s", (int)getpid(), ending);
    unlink(link);
    if (symlink(target, link) != 0)
        abort();
    snprintf(sources, sizeof sources, "[{path: '%s'%s}]", link, options);
    count = read_list(sources, n, all);
    unlink(link);
    close(fd);
    return count;
}

#endif
