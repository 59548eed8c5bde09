/*
 * What one kind of device supplies: private to kernels/.
 *
 * Two tables. `struct backend` is the device itself: memory, streams, names. `struct op_table` has
 * a slot for each operation of ops.h. A backend hands over one complete op_table at open; device.c
 * refuses a device with an empty slot. The CPU's table is laid from partial ones
 * (cpu/cpu_variants.c): the portable reference first, then each faster variant takes the slots that
 * it has. A loadable module (CUDA) supplies a `struct backend` of its own and nothing else.
 */
#ifndef TUNDISH_KERNELS_BACKEND_H
#define TUNDISH_KERNELS_BACKEND_H

#include "kernels/ops.h"

struct op_table {
    const char *name;        /* "portable", "avx2", ... */
#define X(op) enum status (*op)(struct stream *s, const struct op##_args *args);
    KERNEL_OPS(X)
#undef X
};

struct backend {
    const char *name;        /* "cpu" */
    /* Fills d->ops and d->own. */
    enum status (*open)(struct device *d);
    void (*close)(struct device *d);
    int (*has_fast)(const struct device *d, enum dtype t);
    const char *(*numeric_class)(const struct device *d, enum dtype compute);
    enum status (*alloc)(struct device *d, size_t bytes, void **out);
    void (*free)(struct device *d, void *p);
    /* Fills s->own. */
    enum status (*stream_open)(struct stream *s);
    void (*stream_close)(struct stream *s);
    enum status (*upload)(struct stream *s, void *device_p, const void *host_p, size_t bytes);
    enum status (*download)(struct stream *s, void *host_p, const void *device_p, size_t bytes);
    enum status (*zero)(struct stream *s, void *device_p, size_t bytes);
    enum status (*wait)(struct stream *s);
};

struct device {
    const struct backend *backend;
    struct op_table ops;
    void *own;               /* the backend's */
};
struct stream {
    struct device *device;
    void *own;               /* the backend's */
};

extern const struct backend backend_cpu;
/* The CUDA backend, or ST_UNSUPPORTED with the reason (cuda/cuda_none.c). */
MUST_USE enum status backend_cuda(const struct backend **out);

/* The operations as a list, for those that print or check tables. */
enum kernel_op {
#define X(op) KERNEL_OP_##op,
    KERNEL_OPS(X)
#undef X
    KERNEL_OP_COUNT
};
const char *kernel_op_name(enum kernel_op op);
/* Whether the table has that slot. */
bool op_table_has(const struct op_table *t, enum kernel_op op);
/* Takes the slots that `over` has into t. */
void op_table_overlay(struct op_table *t, const struct op_table *over);

#endif
