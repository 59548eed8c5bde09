#include "curate/run/key_merge.h"

#include "base/arena.h"

struct cursor {
    uint64_t key;
    size_t at, end;                  /* documents of the spool */
};
struct key_merge {
    const struct spool *spool;
    struct cursor *v;                /* a heap, the smallest first */
    size_t count;
};

/* The first key of a range; range < ranges. */
static uint64_t first_key(size_t range, size_t ranges)
{
    return (uint64_t)(((unsigned __int128)range << 64) / ranges);
}

/* The first document of [low, high) whose key is at least that. */
static size_t find_key(const struct spool *s, size_t low, size_t high, uint64_t key)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (spool_key(s, middle) < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_before(const struct cursor *a, const struct cursor *b)
{
    return a->key != b->key ? a->key < b->key : a->at < b->at;
}

static void sink(struct key_merge *m, size_t i)
{
    for (;;) {
        size_t least = i, left = 2 * i + 1;
        struct cursor c;

        for (size_t k = left; k < left + 2 && k < m->count; k++)
            if (is_before(&m->v[k], &m->v[least]))
                least = k;
        if (least == i)
            return;
        c = m->v[i];
        m->v[i] = m->v[least];
        m->v[least] = c;
        i = least;
    }
}

struct key_merge *key_merge_new(const struct spool *spool, size_t range, size_t ranges)
{
    struct key_merge *m = mem_alloc(sizeof *m);
    size_t files = spool_files(spool);

    m->spool = spool;
    m->v = mem_array(files + 1, sizeof *m->v);
    for (size_t f = 0; f < files; f++) {
        size_t first = spool_first_of(spool, f), end = spool_first_of(spool, f + 1);
        struct cursor c = { .at = find_key(spool, first, end, first_key(range, ranges)), .end = end };

        if (range + 1 < ranges)
            c.end = find_key(spool, c.at, end, first_key(range + 1, ranges));
        if (c.at == c.end)
            continue;
        c.key = spool_key(spool, c.at);
        m->v[m->count++] = c;
    }
    for (size_t i = m->count; i-- > 0;)
        sink(m, i);
    return m;
}

void key_merge_free(struct key_merge *m)
{
    if (m == NULL)
        return;
    free(m->v);
    free(m);
}

bool key_merge_next(struct key_merge *m, size_t *document)
{
    struct cursor *first = m->v;

    if (m->count == 0)
        return false;
    *document = first->at++;
    if (first->at == first->end)
        *first = m->v[--m->count];
    else
        first->key = spool_key(m->spool, first->at);
    sink(m, 0);
    return true;
}
