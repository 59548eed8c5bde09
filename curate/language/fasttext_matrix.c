#include <sys/mman.h>

#include "base/cursor.h"
#include "curate/language/fasttext.h"

#define CENTROIDS 256

static struct fasttext_floats floats_of(struct cursor *c, uint64_t count)
{
    struct span bytes = cursor_bytes(c, count <= SIZE_MAX / 4 ? 4 * count : SIZE_MAX);

    return (struct fasttext_floats){ bytes.p, bytes.n / 4 };
}

static enum status read_quantiser(const struct fasttext *m, struct cursor *c, const char *what, uint32_t dim,
                                  struct fasttext_quantiser *q)
{
    size_t at = cursor_offset(c);
    uint64_t parts;

    q->dim = (uint32_t)cursor_uint(c, 4);
    q->parts = (uint32_t)cursor_uint(c, 4);
    q->part = (uint32_t)cursor_uint(c, 4);
    q->last = (uint32_t)cursor_uint(c, 4);
    parts = q->part ? ((uint64_t)dim + q->part - 1) / q->part : 0;
    if (!cursor_ok(c) || q->dim != dim || q->part == 0 || q->part > dim || q->parts != parts ||
        q->last != dim - (q->parts - 1) * q->part)
        return fail(ST_FORMAT,
                    "'%s': the quantiser of the %s matrix at byte %zu has %u columns in %u parts of %u, the last %u; "
                    "want %u columns in as many parts as that takes", m->name, what, at, q->dim, q->parts, q->part,
                    q->last, dim);
    q->centroids = floats_of(c, (uint64_t)dim * CENTROIDS);
    return ST_OK;
}

static enum status read_quantised(const struct fasttext *m, struct cursor *c, const char *what,
                                  struct fasttext_matrix *out)
{
    size_t at = cursor_offset(c);
    bool norms = cursor_uint(c, 1) != 0;
    uint64_t rows = cursor_uint(c, 8), columns = cursor_uint(c, 8), codes = cursor_uint(c, 4);
    struct span bytes;

    if (!cursor_ok(c) || columns != m->dim || codes > INT32_MAX)
        return fail(ST_FORMAT, "'%s': the quantised %s matrix at byte %zu has %llu columns and %llu codes; want %u "
                    "columns", m->name, what, at, (unsigned long long)columns, (unsigned long long)codes, m->dim);
    *out = (struct fasttext_matrix){ .rows = rows, .columns = m->dim, .quantised = true, .norms = norms };
    bytes = cursor_bytes(c, codes);
    out->codes = (const uint8_t *)bytes.p;
    TRY(read_quantiser(m, c, what, m->dim, &out->quantiser));
    if (rows > INT32_MAX || rows * out->quantiser.parts != codes)
        return fail(ST_FORMAT, "'%s': the %s matrix at byte %zu has %llu codes; want %u for each of its %llu rows",
                    m->name, what, at, (unsigned long long)codes, out->quantiser.parts, (unsigned long long)rows);
    if (!norms)
        return ST_OK;
    bytes = cursor_bytes(c, rows);
    out->norm_codes = (const uint8_t *)bytes.p;
    return read_quantiser(m, c, what, 1, &out->norm_quantiser);
}

static enum status read_dense(const struct fasttext *m, struct cursor *c, const char *what,
                              struct fasttext_matrix *out)
{
    size_t at = cursor_offset(c);
    uint64_t rows = cursor_uint(c, 8), columns = cursor_uint(c, 8);

    if (!cursor_ok(c) || columns != m->dim || rows > cursor_left(c) / 4 / m->dim)
        return fail(ST_FORMAT, "'%s': the %s matrix at byte %zu is %llu x %llu, with %zu bytes left; want %u columns, "
                    "and four bytes for each number", m->name, what, at, (unsigned long long)rows,
                    (unsigned long long)columns, cursor_left(c), m->dim);
    *out = (struct fasttext_matrix){ .rows = rows, .columns = m->dim };
    out->dense = floats_of(c, rows * m->dim);
    return ST_OK;
}

enum status fasttext_matrix_read(struct fasttext *m, struct cursor *c, const char *what, struct fasttext_matrix *out)
{
    /* a quantised output stands behind a quantised input only */
    bool quantised = cursor_uint(c, 1) != 0 && (out == &m->input || m->input.quantised);

    TRY(quantised ? read_quantised(m, c, what, out) : read_dense(m, c, what, out));
    if (!cursor_ok(c))
        return fail(ST_FORMAT, "'%s' ends at byte %zu within the %s matrix; was it copied whole?", m->name,
                    cursor_offset(c), what);
    return ST_OK;
}

/* ---- where rows lie ---- */

#define HUGE_PAGE ((size_t)2 << 20)

void fasttext_settle(struct fasttext *m)
{
    size_t bytes = 4 * m->input.dense.count, before;
    char *p;

    if (m->input.quantised || bytes < 2 * HUGE_PAGE)      /* a small one stays in the cache anyway */
        return;
    p = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return;                                           /* it can stay where it is, too */
    m->copy = p;
    m->copy_bytes = bytes + HUGE_PAGE;
    before = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
    madvise(p + before, bytes, MADV_HUGEPAGE);            /* a wish: without it all works, more slowly */
    memcpy(p + before, m->input.dense.p, bytes);
    m->input.dense.p = p + before;
}

void fasttext_unsettle(struct fasttext *m)
{
    if (m->copy != NULL)
        munmap(m->copy, m->copy_bytes);
}

/* ---- rows ---- */

/* Of a part: `d` floats behind the centroid's place. */
static struct fasttext_floats centroid(const struct fasttext_quantiser *q, uint32_t part, uint8_t code, uint32_t *d)
{
    size_t start = (size_t)part * CENTROIDS * q->part;

    *d = part == q->parts - 1 ? q->last : q->part;
    return (struct fasttext_floats){ q->centroids.p + 4 * (start + (size_t)code * *d), *d };
}

static float norm_of(const struct fasttext_matrix *m, size_t i)
{
    return m->norms ? fasttext_float(m->norm_quantiser.centroids, m->norm_codes[i]) : 1;
}

static void add_quantised(const struct fasttext_matrix *m, size_t i, float *sum)
{
    const struct fasttext_quantiser *q = &m->quantiser;
    const uint8_t *codes = m->codes + i * q->parts;
    float norm = norm_of(m, i);
    uint32_t d;

    for (uint32_t part = 0; part < q->parts; part++, sum += d) {
        struct fasttext_floats c = centroid(q, part, codes[part], &d);

        for (uint32_t j = 0; j < d; j++)
            sum[j] += norm * fasttext_float(c, j);
    }
}

void fasttext_add_row(const struct fasttext_matrix *m, size_t i, float *restrict sum)
{
    const char *row;

    if (m->quantised) {
        add_quantised(m, i, sum);
        return;
    }
    row = m->dense.p + 4 * i * m->columns;
    for (uint32_t j = 0; j < m->columns; j++) {
        float x;

        memcpy(&x, row + 4 * (size_t)j, 4);
        sum[j] += x;
    }
}

static float dot_quantised(const struct fasttext_matrix *m, size_t i, const float *x)
{
    const struct fasttext_quantiser *q = &m->quantiser;
    const uint8_t *codes = m->codes + i * q->parts;
    float sum = 0;
    uint32_t d;

    for (uint32_t part = 0; part < q->parts; part++, x += d) {
        struct fasttext_floats c = centroid(q, part, codes[part], &d);

        for (uint32_t j = 0; j < d; j++)
            sum += x[j] * fasttext_float(c, j);
    }
    return sum * norm_of(m, i);
}

float fasttext_dot_row(const struct fasttext_matrix *m, size_t i, const float *x)
{
    float sum = 0;

    if (m->quantised)
        return dot_quantised(m, i, x);
    for (uint32_t j = 0; j < m->columns; j++)
        sum += fasttext_float(m->dense, i * m->columns + j) * x[j];
    return sum;
}

void fasttext_fetch_row(const struct fasttext_matrix *m, size_t i)
{
    const char *row = m->quantised ? (const char *)m->codes + i * m->quantiser.parts
                                   : m->dense.p + 4 * i * m->columns;
    size_t bytes = m->quantised ? m->quantiser.parts : 4 * (size_t)m->columns;

    __builtin_prefetch(row);
    __builtin_prefetch(row + bytes - 1);
}
