/*
 * Devices, their memory, and streams.
 *
 * A stream is where operations are ordered. On a CPU it belongs to one thread and an operation is
 * done when the call returns; parallel work uses one stream a thread on disjoint data, so that no
 * result depends on the number of threads. On a GPU it is the device's queue.
 */
#ifndef TUNDISH_KERNELS_DEVICE_H
#define TUNDISH_KERNELS_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum dtype { DT_F32, DT_BF16, DT_I32 };
static inline size_t dtype_size(enum dtype t) { return t == DT_BF16 ? 2 : 4; }
const char *dtype_name(enum dtype t);       /* "f32", "bf16", "i32" */

/* A matrix, row-major: element (r, c) is p[r * stride + c]. A vector of n is rows = 1, cols = n.
 * Borrowed memory. */
struct tensor {
    void *p;
    enum dtype type;
    int64_t rows, cols;
    int64_t stride;         /* elements from row to row, >= cols */
};
static inline struct tensor tensor_of(void *p, enum dtype type, int64_t rows, int64_t cols)
{
    return (struct tensor){ p, type, rows, cols, cols };
}
/* Columns [first, first + cols) of t. */
static inline struct tensor tensor_columns(struct tensor t, int64_t first, int64_t cols)
{
    return (struct tensor){ (char *)t.p + (size_t)first * dtype_size(t.type), t.type, t.rows, cols,
                            t.stride };
}
/* Rows [first, first + rows) of t. */
static inline struct tensor tensor_rows(struct tensor t, int64_t first, int64_t rows)
{
    return (struct tensor){ (char *)t.p + (size_t)(first * t.stride) * dtype_size(t.type), t.type,
                            rows, t.cols, t.stride };
}

struct device;
/* "auto" (a GPU if there is one, else the CPU), "cpu", "cuda". What is not there is ST_UNSUPPORTED
 * with the reason. */
MUST_USE enum status device_open(const char *name, struct device **out);
void device_close(struct device *d);
const char *device_name(const struct device *d);            /* "cpu" */
/* Whether matrix products in this type run at the hardware's speed for it. bf16 always works;
 * without hardware it is slow. */
int device_has_fast(const struct device *d, enum dtype t);
/* The numeric class of results: device, compute type, instruction set, and the library that does
 * the matrix products if it is not our own code: "cpu-bf16-avx2",
 * "cpu-bf16-avx512_bf16-onednn-2.6.3-avx512_bf16". Valid while the program runs. */
const char *device_numeric_class(const struct device *d, enum dtype compute);

/* Zeroed memory of the device, aligned to 64. Never NULL on a CPU (base/arena.h); on a GPU a
 * failure is a status. */
MUST_USE enum status device_alloc(struct device *d, size_t bytes, void **out);
void device_free(struct device *d, void *p);

struct stream;
MUST_USE enum status stream_open(struct device *d, struct stream **out);
void stream_close(struct stream *s);
struct device *stream_device(struct stream *s);
MUST_USE enum status stream_upload(struct stream *s, void *device_p, const void *host_p,
                                   size_t bytes);
MUST_USE enum status stream_download(struct stream *s, void *host_p, const void *device_p,
                                     size_t bytes);
MUST_USE enum status stream_zero(struct stream *s, void *device_p, size_t bytes);
MUST_USE enum status stream_wait(struct stream *s);

#endif
