#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "model/internal.h"
#include "store/tensors.h"

static float from_bf16(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

/* IEEE 754 binary16. */
static float from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 1023,
             bits;
    float f;

    if (exponent == 0) { /* zero and subnormal: fraction * 2^-24 */
        f = (float)fraction * 0x1p-24f;
        memcpy(&bits, &f, sizeof bits);
        bits |= sign;
    } else {
        bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13;
    }
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint16_t to_bf16(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) /* NaN stays NaN */
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

/* ---- writing ---- */

static const void *stored_bytes(struct arena *a, const float *w, int64_t n, enum dtype stored)
{
    uint16_t *half;

    if (stored == DT_F32)
        return w;
    half = arena_array(a, (size_t)n, sizeof *half);
    for (int64_t i = 0; i < n; i++)
        half[i] = to_bf16(w[i]);
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

static enum status check_shape(const struct tensor_entry *e, const struct param *p,
                               const char *what)
{
    bool fits =
        e->dims == p->dims &&
        (p->dims == 1 ? e->shape[0] == p->cols : e->shape[0] == p->rows && e->shape[1] == p->cols);

    if (fits)
        return ST_OK;
    return fail(ST_FORMAT,
                "%s: tensor '%s' has %d dimensions beginning with %lld, want %s%lld x %lld", what,
                e->name, e->dims, e->dims > 0 ? (long long)e->shape[0] : 0LL,
                p->dims == 1 ? "a vector, " : "", (long long)p->rows, (long long)p->cols);
}

static enum status copy_values(const struct tensor_entry *e, float *w, int64_t n, const char *what)
{
    const uint16_t *half = e->data;

    switch (e->dtype) {
    case TENSOR_F32:
        memcpy(w, e->data, (size_t)n * sizeof *w);
        return ST_OK;
    case TENSOR_BF16:
        for (int64_t i = 0; i < n; i++)
            w[i] = from_bf16(half[i]);
        return ST_OK;
    case TENSOR_F16:
        for (int64_t i = 0; i < n; i++)
            w[i] = from_f16(half[i]);
        return ST_OK;
    default:
        return fail(ST_FORMAT, "%s: tensor '%s' has type %s, want F32, BF16 or F16", what, e->name,
                    tensor_dtype_name(e->dtype));
    }
}

static enum status read_param(const struct tensor_entry *e, const char *what, const struct param *p,
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
        TRY(read_param(e, what, &p->list[i], weights));
    }
    return ST_OK;
}

/* Known names that carry no parameter. */
static bool harmless(const char *name) { return str_ends_with(name, ".rotary_emb.inv_freq"); }

/* Every tensor of one file goes to its parameter; seen counts them. */
static enum status read_file_into(const char *path, const struct params *p, bool *seen,
                                  float *weights, bool tied)
{
    struct tensor_file *f;
    enum status st;

    TRY(tensors_open(path, &f));
    st = ST_OK;
    for (size_t i = 0; i < tensors_count(f) && st == ST_OK; i++) {
        const struct tensor_entry *e = tensors_at(f, i);
        const struct param *q = params_find(p, e->name);

        if (q != NULL) {
            st = read_param(e, path, q, weights);
            seen[q - p->list] = true;
        } else if (!harmless(e->name) && !(tied && strcmp(e->name, "lm_head.weight") == 0)) {
            st = fail(ST_FORMAT, "%s: tensor '%s' has no place in this model", path, e->name);
        }
    }
    tensors_close(f);
    return st;
}

static enum status read_folder(const char *folder, struct arena *a, const struct params *p,
                               bool tied, float *weights)
{
    struct file_list files;
    bool *seen = arena_array(a, (size_t)p->count, sizeof *seen);
    int read = 0;

    TRY(file_list_tree(a, folder, &files));
    for (size_t i = 0; i < files.count; i++) {
        const char *name = files.names[i];

        if (strncmp(name, "model", 5) != 0 || !str_ends_with(name, ".safetensors"))
            continue;
        TRY(read_file_into(path_join(a, folder, name), p, seen, weights, tied));
        read++;
    }
    if (read == 0)
        return fail(ST_MISSING, "'%s' has no model*.safetensors", folder);
    for (int i = 0; i < p->count; i++)
        if (!seen[i])
            return fail(ST_FORMAT, "'%s': tensor '%s' is missing", folder, p->list[i].name);
    return ST_OK;
}

enum status model_config_load(const char *folder, struct model_config *c)
{
    struct arena a = { 0 };
    const char *path = path_join(&a, folder, "config.json");
    json_t *j = NULL;
    enum status st;

    if (!file_exists(path))
        st = fail(ST_MISSING, "'%s' holds no model: it has no config.json", folder);
    else
        st = json_read_file(path, &j);
    if (st == ST_OK)
        st = model_config_from_json(j, path, c);
    json_decref(j);
    arena_release(&a);
    return st;
}

static enum status upload(struct model *m, const float *host)
{
    struct stream *s;
    enum status st;

    TRY(stream_open(m->device, &s));
    st = stream_upload(s, m->weights, host, (size_t)m->params.elements * sizeof *host);
    if (st == ST_OK)
        st = model_round(m, s, 0, m->params.elements);
    if (st == ST_OK)
        st = stream_wait(s);
    stream_close(s);
    return st;
}

enum status model_load(const char *folder, struct device *d, enum dtype compute, struct model **out)
{
    struct arena a = { 0 };
    struct model_config c;
    struct model *m = NULL;
    float *host = NULL;
    enum status st = model_config_load(folder, &c);

    if (st == ST_OK)
        st = model_new(&c, d, compute, &m);
    if (st == ST_OK) {
        host = mem_array((size_t)m->params.elements, sizeof *host);
        st = read_folder(folder, &a, &m->params, c.tied, host);
    }
    if (st == ST_OK)
        st = upload(m, host);
    free(host);
    arena_release(&a);
    if (st != ST_OK) {
        model_free(m);
        return st;
    }
    *out = m;
    return ST_OK;
}
