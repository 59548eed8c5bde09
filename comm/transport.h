/*
 * What carries bytes between ranks: private to comm/. A transport only moves bytes; reductions and
 * their order are comm.c's.
 *
 * A loadable transport is a shared object beside the program (or in ../lib/tundish) that exports
 * comm_transport_load. Functions return NULL, or a text that says what went wrong (valid until the
 * next call).
 */
#ifndef TUNDISH_COMM_TRANSPORT_H
#define TUNDISH_COMM_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#define COMM_TRANSPORT_VERSION 1

struct comm_transport {
    int version; /* COMM_TRANSPORT_VERSION: program and module must agree */
    const char *name;
    const char *(*open)(int *rank, int *size);
    void (*close)(void);
    const char *(*barrier)(void);
    const char *(*send)(const void *p, size_t bytes, int to);
    const char *(*receive)(void *p, size_t bytes, int from);
    const char *(*broadcast)(void *p, size_t bytes, int root);
    const char *(*all_gather)(const void *in, size_t bytes, void *out);
    /* Counts and offsets in bytes, one a rank. */
    const char *(*all_to_all)(const void *send, const uint64_t *send_counts, void *receive,
                              const uint64_t *receive_counts);
    void (*abort)(int exit_code);
};
typedef const struct comm_transport *comm_transport_loader(void);

#endif
