/*
 * The CPU's side of a stream, and the tables its operations come from. Private to kernels/cpu/.
 *
 * A stream owns one growing scratch block: an operation asks once for all it needs, and the block
 * is reused by the next operation. Nothing else is allocated per call.
 */
#ifndef TUNDISH_KERNELS_CPU_CPU_H
#define TUNDISH_KERNELS_CPU_CPU_H

#include <stdint.h>

#include "base/platform.h"
#include "kernels/backend.h"

struct gemm_cache;      /* oneDNN's primitives by shape (onednn/gemm_onednn.c) */
struct cpu_stream {
    void *scratch;
    size_t scratch_bytes;
    struct gemm_cache *gemms;
};

/* The stream's block, at least `bytes` long, aligned to 64, contents undefined. A second call in
 * one operation would move what the first returned: ask once. */
void *cpu_scratch(struct stream *s, size_t bytes);
/* n elements of `size` bytes rounded up to 64 bytes: to add up the parts of a scratch block. */
size_t cpu_part(int64_t n, size_t size);

/* A table of slots, and the machines that can run it. Later rows win. */
struct cpu_variant {
    const struct op_table *ops;
    bool (*usable)(const struct cpu_features *f);
};
extern const struct cpu_variant cpu_variants[];      /* ops == NULL ends it */
/* The name of the variant that serves op with these features. */
const char *cpu_variant_of(const struct cpu_features *f, enum kernel_op op);
/* Lays the table for these features. */
void cpu_table(const struct cpu_features *f, struct op_table *out);

/* oneDNN, or the stub in its place (cpu_onednn is its table). */
void gemm_cache_free(struct gemm_cache *c);      /* NULL is fine */
/* What its results depend on beside the shapes: "onednn-2.6.3-avx512_bf16"; "" where it is not
 * built in. */
const char *gemm_onednn_class(void);

#endif
