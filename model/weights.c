#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/half.h"
#include "model/internal.h"
#include "store/formats/tensors.h"

/* ---- writing ---- */

static const void *stored_bytes(struct arena *a, const float *w, int64_t n, enum dtype stored)
{
    uint16_t *half;

    if (stored == DT_F32)
        return w;
    half = arena_array(a, (size_t)n, sizeof *half);
    for (int64_t i = 0; i < n; i++)
        half[i] = half_to_bf16(w[i]);
    return half;
}

static struct tensor_entry entry_of(struct arena *a, const struct weights_part *part,
                                    const struct param *p)
{
    struct tensor_entry e = { .name = arena_printf(a, "%s%s", part->prefix, p->name),
                              .dtype = part->stored == DT_BF16 ? TENSOR_BF16 : TENSOR_F32,
                              .dims = p->dims,
                              .bytes = (uint64_t)(p->rows * p->cols) * dtype_size(part->stored) };

    e.shape[0] = p->dims == 1 ? p->cols : p->rows;
    e.shape[1] = p->dims == 1 ? 0 : p->cols;
    e.data = stored_bytes(a, part->weights + p->offset, p->rows * p->cols, part->stored);
    return e;
}

enum status weights_write(const char *path, const struct weights_part *parts, size_t count)
{
    struct arena a = { 0 };
    struct tensor_entry *entries;
    json_t *metadata = json_pack("{s:s}", "format", "pt"); /* what transformers asks for */
    size_t n = 0, total = 0;
    enum status st;

    for (size_t i = 0; i < count; i++)
        total += (size_t)parts[i].params->count;
    entries = arena_array(&a, total, sizeof *entries);
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < parts[i].params->count; k++)
            entries[n++] = entry_of(&a, &parts[i], &parts[i].params->list[k]);
    st = tensors_write(path, entries, n, metadata);
    json_decref(metadata);
    arena_release(&a);
    return st;
}

/* ---- reading ---- */

/* "4096 x 256" into the arena. */
static const char *shape_text(struct arena *a, int dims, const int64_t *shape)
{
    const char *text = dims == 0 ? "a single number" : arena_printf(a, "%lld", (long long)shape[0]);

    for (int i = 1; i < dims; i++)
        text = arena_printf(a, "%s x %lld", text, (long long)shape[i]);
    return text;
}

static enum status check_shape(const struct tensor_entry *e, const struct param *p,
                               const char *what)
{
    const int64_t matrix[] = { p->rows, p->cols }, *want = p->dims == 1 ? &matrix[1] : matrix;
    struct arena a = { 0 };
    enum status st;

    if (e->dims == p->dims && memcmp(e->shape, want, (size_t)p->dims * sizeof *want) == 0)
        return ST_OK;
    st = fail(ST_FORMAT, "%s: tensor '%s' has shape %s, the config wants %s", what, e->name,
              shape_text(&a, e->dims, e->shape), shape_text(&a, p->dims, want));
    arena_release(&a);
    return st;
}

/* A tensor in a file need not begin at a multiple of its type's size. */
static uint16_t half_at(const struct tensor_entry *e, int64_t i)
{
    uint16_t h;

    memcpy(&h, (const char *)e->data + 2 * i, sizeof h);
    return h;
}

static enum status copy_values(const struct tensor_entry *e, float *w, int64_t n, const char *what)
{
    switch (e->dtype) {
    case TENSOR_F32:
        memcpy(w, e->data, (size_t)n * sizeof *w);
        return ST_OK;
    case TENSOR_BF16:
        for (int64_t i = 0; i < n; i++)
            w[i] = half_from_bf16(half_at(e, i));
        return ST_OK;
    case TENSOR_F16:
        for (int64_t i = 0; i < n; i++)
            w[i] = half_from_f16(half_at(e, i));
        return ST_OK;
    default:
        return fail(ST_FORMAT, "%s: tensor '%s' has type %s, want F32, BF16 or F16", what, e->name,
                    tensor_dtype_name(e->dtype));
    }
}

enum status weights_take(const struct tensor_entry *e, const char *what, const struct param *p,
                         float *weights)
{
    TRY(check_shape(e, p, what));
    return copy_values(e, weights + p->offset, p->rows * p->cols, what);
}

enum status weights_read(const struct tensor_file *f, const char *what, const struct params *p,
                         const char *prefix, float *weights)
{
    char name[160];

    for (int i = 0; i < p->count; i++) {
        const struct tensor_entry *e;

        snprintf(name, sizeof name, "%s%s", prefix, p->list[i].name);
        e = tensors_find(f, name);
        if (e == NULL)
            return fail(ST_FORMAT, "%s: tensor '%s' is missing", what, name);
        TRY(weights_take(e, what, &p->list[i], weights));
    }
    return ST_OK;
}
