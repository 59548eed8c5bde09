/* The CPU as a device: memory is the process's own, a stream is a scratch block, every call is done
 * when it returns. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/variants.h"

static char numeric_class[2][96];      /* f32, bf16: a fact of the machine, named once */
static pthread_once_t classes_named = PTHREAD_ONCE_INIT;

void *cpu_scratch(struct stream *s, size_t bytes)
{
    struct cpu_stream *c = s->own;

    if (bytes > c->scratch_bytes) {
        mem_free_aligned(c->scratch);
        c->scratch_bytes = bytes + bytes / 4;
        c->scratch = mem_alloc_aligned(c->scratch_bytes);
    }
    return c->scratch;
}

size_t cpu_part(int64_t n, size_t size) { return ((size_t)n * size + 63) / 64 * 64; }

/* "cpu-bf16-avx512_bf16", and what does the matrix products if that is not our own code. */
static void name_class(char *out, size_t size, const struct cpu_features *f, enum dtype t)
{
    const char *variant = cpu_variant_of(f, KERNEL_OP_attention);
    const char *products = cpu_variant_of(f, KERNEL_OP_matmul);

    if (strcmp(products, cpu_onednn.name) == 0)
        snprintf(out, size, "cpu-%s-%s-%s", dtype_name(t), variant, gemm_onednn_class());
    else
        snprintf(out, size, "cpu-%s-%s", dtype_name(t), variant);
}

static void name_classes(void)
{
    name_class(numeric_class[0], sizeof numeric_class[0], cpu_features(), DT_F32);
    name_class(numeric_class[1], sizeof numeric_class[1], cpu_features(), DT_BF16);
}

static enum status cpu_open(struct device *d)
{
    pthread_once(&classes_named, name_classes);
    cpu_table(cpu_features(), &d->ops);
    return ST_OK;
}

static void cpu_close(struct device *d) { (void)d; }

static int cpu_has_fast(const struct device *d, enum dtype t)
{
    return t == DT_F32 || (t == DT_BF16 && cpu_features()->avx512_bf16);
}

static const char *cpu_numeric_class(const struct device *d, enum dtype compute)
{
    return numeric_class[compute == DT_BF16];
}

static enum status cpu_alloc(struct device *d, size_t bytes, void **out)
{
    *out = mem_alloc_aligned(bytes);
    return ST_OK;
}

static void cpu_free(struct device *d, void *p) { mem_free_aligned(p); }

static enum status cpu_stream_open(struct stream *s)
{
    s->own = mem_alloc(sizeof(struct cpu_stream));
    return ST_OK;
}

static void cpu_stream_close(struct stream *s)
{
    struct cpu_stream *c = s->own;

    mem_free_aligned(c->scratch);
    gemm_cache_free(c->gemms);
    free(c);
}

static enum status cpu_copy(struct stream *s, void *to, const void *from, size_t bytes)
{
    if (bytes > 0)
        memcpy(to, from, bytes);
    return ST_OK;
}

static enum status cpu_zero(struct stream *s, void *p, size_t bytes)
{
    if (bytes > 0)
        memset(p, 0, bytes);
    return ST_OK;
}

static enum status cpu_wait(struct stream *s) { return ST_OK; }

const struct backend backend_cpu = {
    .name = "cpu",
    .open = cpu_open,
    .close = cpu_close,
    .has_fast = cpu_has_fast,
    .numeric_class = cpu_numeric_class,
    .alloc = cpu_alloc,
    .free = cpu_free,
    .stream_open = cpu_stream_open,
    .stream_close = cpu_stream_close,
    .upload = cpu_copy,
    .download = cpu_copy,
    .zero = cpu_zero,
    .wait = cpu_wait,
};
