#include "kernels/device.h"

#include <string.h>

#include "base/arena.h"
#include "kernels/backend.h"

const char *dtype_name(enum dtype t)
{
    static const char *const names[] = { [DT_F32] = "f32", [DT_BF16] = "bf16", [DT_I32] = "i32" };
    return names[t];
}

const char *kernel_op_name(enum kernel_op op)
{
    static const char *const names[] = {
#define X(op) #op,
        KERNEL_OPS(X)
#undef X
    };
    return names[op];
}

bool op_table_has(const struct op_table *t, enum kernel_op op)
{
    const bool has[] = {
#define X(op) t->op != NULL,
        KERNEL_OPS(X)
#undef X
    };
    return has[op];
}

void op_table_overlay(struct op_table *t, const struct op_table *over)
{
#define X(op)                \
    if (over->op != NULL)    \
        t->op = over->op;
    KERNEL_OPS(X)
#undef X
}

/* ---- devices ---- */

static enum status find_backend(const char *name, const struct backend **out)
{
    *out = &backend_cpu;
    if (strcmp(name, "cpu") == 0)
        return ST_OK;
    if (strcmp(name, "cuda") == 0)
        return backend_cuda(out);
    if (strcmp(name, "auto") != 0)
        return fail(ST_CONFIG, "unknown device '%s', want auto, cpu or cuda", name);
    if (backend_cuda(out) != ST_OK)
        *out = &backend_cpu;
    return ST_OK;
}

static enum status check_complete(const struct device *d)
{
    for (int op = 0; op < KERNEL_OP_COUNT; op++)
        if (!op_table_has(&d->ops, (enum kernel_op)op))
            return fail(ST_UNSUPPORTED, "device '%s' has no operation '%s'", d->backend->name,
                        kernel_op_name((enum kernel_op)op));
    return ST_OK;
}

enum status device_open(const char *name, struct device **out)
{
    const struct backend *backend;

    TRY(find_backend(name, &backend));
    struct device *d = mem_alloc(sizeof *d);
    d->backend = backend;
    enum status st = backend->open(d);
    if (st == ST_OK) {
        st = check_complete(d);
        if (st != ST_OK)
            backend->close(d);
    }
    if (st != ST_OK) {
        free(d);
        return st;
    }
    *out = d;
    return ST_OK;
}

void device_close(struct device *d)
{
    if (d == NULL)
        return;
    d->backend->close(d);
    free(d);
}

const char *device_name(const struct device *d) { return d->backend->name; }

int device_has_fast(const struct device *d, enum dtype t) { return d->backend->has_fast(d, t); }

const char *device_numeric_class(const struct device *d, enum dtype compute)
{
    return d->backend->numeric_class(d, compute);
}

enum status device_alloc(struct device *d, size_t bytes, void **out)
{
    return d->backend->alloc(d, bytes, out);
}

void device_free(struct device *d, void *p)
{
    if (p != NULL)
        d->backend->free(d, p);
}

/* ---- streams ---- */

enum status stream_open(struct device *d, struct stream **out)
{
    struct stream *s = mem_alloc(sizeof *s);
    s->device = d;
    enum status st = d->backend->stream_open(s);
    if (st != ST_OK) {
        free(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

void stream_close(struct stream *s)
{
    if (s == NULL)
        return;
    s->device->backend->stream_close(s);
    free(s);
}

struct device *stream_device(struct stream *s) { return s->device; }

enum status stream_upload(struct stream *s, void *device_p, const void *host_p, size_t bytes)
{
    return s->device->backend->upload(s, device_p, host_p, bytes);
}

enum status stream_download(struct stream *s, void *host_p, const void *device_p, size_t bytes)
{
    return s->device->backend->download(s, host_p, device_p, bytes);
}

enum status stream_zero(struct stream *s, void *device_p, size_t bytes)
{
    return s->device->backend->zero(s, device_p, bytes);
}

enum status stream_wait(struct stream *s) { return s->device->backend->wait(s); }
