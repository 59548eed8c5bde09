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

/* Reads the bytes as a source to the end under tight limits, which must hold; returns the number of documents. */
static inline uint64_t read_bytes(const void *p, size_t n)
{
    static const struct source_limits limits = { 1 << 16, 1 << 20, 50, 4, 100, 0 };
    int fd = memfd_create("source", 0);
    struct raw_document *d;
    struct source *s;
    struct arena a;
    struct yaml *list;
    char path[64];
    uint64_t count = 0, bytes = 0;

    if (fd < 0 || write(fd, p, n) != (ssize_t)n)
        abort();
    arena_init(&a);
    snprintf(path, sizeof path, "[/proc/self/fd/%d]", fd);
    if (yaml_parse(&a, "y", path, strlen(path), &list) != ST_OK || source_open(list, &limits, &s) != ST_OK)
        abort();
    while (source_next(s, &d) == ST_OK && d != NULL) {
        if (d->n > limits.max_document * 2 || d->bytes[d->n] != 0 || !utf8_valid(d->id, strlen(d->id)))
            abort();
        count++;
        bytes += d->n;
        raw_document_free(d);
    }
    if (source_stats_of(s)->documents != count || source_stats_of(s)->files != 1 || bytes > 2 * limits.max_expanded + n)
        abort();
    source_close(s);
    arena_release(&a);
    close(fd);
    return count;
}

#endif
