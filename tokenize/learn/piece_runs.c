#include "tokenize/learn/piece_runs.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/learn/spill_file.h"

#define WIDE 255         /* in the place of a length: the next four bytes have it */
#define HEAD_MOST 15     /* bytes of a record before those of the piece, at most */

struct source {
    struct piece_view view;          /* of the piece in hand */
    uint64_t count;
    const struct piece_entry *next, *end;    /* a table's */
    const struct piece_table *table;         /* NULL: a run */
    int fd;
    uint64_t at, left;               /* of the file: not read yet */
    char *buffer;
    size_t used, filled, size;
};
struct run_merge {
    struct source *sources;
    size_t count, cap;
    uint32_t *heap;                  /* of sources, by the order of their pieces */
    size_t heaped;
    bool started;
    uint32_t *taken;                 /* sources whose piece was given out */
    size_t taken_count;
};

/* ---- writing ---- */

static size_t count_length(uint64_t count)
{
    size_t n = 1;

    while (count >>= 7)
        n++;
    return n;
}

void piece_record_print(struct buf *out, const struct bpe_word *word)
{
    uint64_t count = word->count;

    buf_addc(out, (char)(word->n < WIDE ? word->n : WIDE));
    if (word->n >= WIDE)
        buf_add(out, &word->n, sizeof word->n);
    for (; count >= 128; count >>= 7)
        buf_addc(out, (char)(count | 128));
    buf_addc(out, (char)count);
    buf_add(out, word->p, word->n);
}

struct piece_run piece_run_plan(const struct piece_table *t)
{
    struct piece_run r = { .pieces = t->count };
    size_t seen = 0;

    for (const struct piece_entry *e = t->slots; seen < t->count; e++) {
        struct span b;

        if (e->count == 0)
            continue;
        b = piece_table_bytes(t, e);
        r.bytes += 1 + (b.n >= WIDE ? 4 : 0) + count_length(e->count) + b.n;
        r.places += b.n + 1;
        seen++;
    }
    return r;
}

enum status piece_run_write(int fd, uint64_t at, struct piece_table *t, size_t buffer,
                            struct piece_run *out)
{
    struct buf text = { 0 };
    enum status st = ST_OK;

    *out = piece_run_plan(t);
    out->at = at;
    piece_table_sort(t);
    for (size_t i = 0; st == ST_OK && i < t->count; i++) {
        struct span b = piece_table_bytes(t, &t->slots[i]);

        piece_record_print(&text, &(struct bpe_word){ b.p, (uint32_t)b.n, t->slots[i].count });
        if (text.n >= buffer || i + 1 == t->count) {
            st = spill_file_write(fd, at, text.p, text.n);
            at += text.n;
            buf_clear(&text);
        }
    }
    BUG_IF(st == ST_OK && at != out->at + out->bytes);
    buf_release(&text);
    return st;
}

/* ---- reading one source ---- */

static enum status fill(struct source *s, size_t want)
{
    size_t have = s->filled - s->used, n;

    if (have >= want)
        return ST_OK;
    if (have > 0)
        memmove(s->buffer, s->buffer + s->used, have);
    s->used = 0;
    s->filled = have;
    if (want > s->size) {
        s->size = want;
        s->buffer = mem_grow(s->buffer, s->size + COUNT_PADDING, 1);
    }
    n = s->left < s->size - have ? (size_t)s->left : s->size - have;
    TRY(spill_file_read(s->fd, s->at, s->buffer + have, n));
    memset(s->buffer + have + n, 0, COUNT_PADDING);
    s->filled += n;
    s->at += n;
    s->left -= n;
    if (s->filled < want && s->left == 0 && want > HEAD_MOST)
        return fail(ST_IO, "the temporary file of training ends inside a record");
    return ST_OK;
}

static enum status read_record(struct source *s, bool *got)
{
    const unsigned char *p;
    uint32_t n;
    unsigned shift = 0;

    TRY(fill(s, HEAD_MOST));
    *got = s->filled > s->used;
    if (!*got)
        return ST_OK;
    p = (unsigned char *)s->buffer + s->used;
    n = *p++;
    if (n == WIDE) {
        memcpy(&n, p, sizeof n);
        p += sizeof n;
    }
    for (s->count = 0; shift < 64; shift += 7) {
        s->count |= (uint64_t)(*p & 127) << shift;
        if (*p++ < 128)
            break;
    }
    s->used = (size_t)(p - (unsigned char *)s->buffer);
    if (s->filled - s->used < n)
        TRY(fill(s, n > HEAD_MOST ? n : HEAD_MOST));
    s->view.bytes = (struct span){ s->buffer + s->used, n };
    s->used += n;
    s->view.key = count_key_of(s->view.bytes);
    s->view.hash = count_key_hash(s->view.key);
    return ST_OK;
}

static enum status advance(struct source *s, bool *got)
{
    if (s->table == NULL)
        return read_record(s, got);
    *got = s->next < s->end;
    if (*got) {
        s->view.key = s->next->key;
        s->view.hash = count_key_hash(s->next->key);
        s->view.bytes = piece_table_bytes(s->table, s->next);
        s->count = s->next->count;
        s->next++;
    }
    return ST_OK;
}

/* ---- merging ---- */

struct run_merge *run_merge_new(void)
{
    return mem_alloc(sizeof(struct run_merge));
}

void run_merge_free(struct run_merge *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->count; i++)
        free(m->sources[i].buffer);
    free(m->sources);
    free(m->heap);
    free(m->taken);
    free(m);
}

static struct source *add_source(struct run_merge *m)
{
    if (m->count == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 8;
        m->sources = mem_grow(m->sources, m->cap, sizeof *m->sources);
    }
    m->sources[m->count] = (struct source){ 0 };
    return &m->sources[m->count++];
}

void run_merge_add_run(struct run_merge *m, int fd, const struct piece_run *run, size_t buffer)
{
    struct source *s = add_source(m);

    s->fd = fd;
    s->at = run->at;
    s->left = run->bytes;
    s->size = buffer > HEAD_MOST ? buffer : HEAD_MOST;
    s->buffer = mem_array(s->size + COUNT_PADDING, 1);
}

void run_merge_add_table(struct run_merge *m, const struct piece_table *sorted)
{
    struct source *s = add_source(m);

    s->table = sorted;
    s->next = sorted->slots;
    s->end = sorted->slots + sorted->count;
}

static bool less(const struct run_merge *m, uint32_t a, uint32_t b)
{
    return piece_order(&m->sources[a].view, &m->sources[b].view) < 0;
}

static void push(struct run_merge *m, uint32_t source)
{
    size_t i = m->heaped++;

    for (; i > 0 && less(m, source, m->heap[(i - 1) / 2]); i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = source;
}

static uint32_t pop(struct run_merge *m)
{
    uint32_t top = m->heap[0], last = m->heap[--m->heaped];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= m->heaped)
            break;
        if (child + 1 < m->heaped && less(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (!less(m, m->heap[child], last))
            break;
        m->heap[i] = m->heap[child];
        i = child;
    }
    m->heap[i] = last;
    return top;
}

static enum status start(struct run_merge *m)
{
    m->started = true;
    m->heap = mem_array(m->count + 1, sizeof *m->heap);
    m->taken = mem_array(m->count + 1, sizeof *m->taken);
    for (size_t i = 0; i < m->count; i++)
        m->taken[m->taken_count++] = (uint32_t)i;
    return ST_OK;
}

/* Sources whose pieces were given out go on. */
static enum status refill(struct run_merge *m)
{
    for (size_t i = 0; i < m->taken_count; i++) {
        bool got;

        TRY(advance(&m->sources[m->taken[i]], &got));
        if (got)
            push(m, m->taken[i]);
    }
    m->taken_count = 0;
    return ST_OK;
}

enum status run_merge_next(struct run_merge *m, struct bpe_word *out, bool *got)
{
    const struct source *first;

    if (!m->started)
        TRY(start(m));
    TRY(refill(m));
    *got = m->heaped > 0;
    if (!*got)
        return ST_OK;
    m->taken[m->taken_count++] = pop(m);
    first = &m->sources[m->taken[0]];
    *out = (struct bpe_word){ first->view.bytes.p, (uint32_t)first->view.bytes.n, first->count };
    while (m->heaped > 0 && piece_order(&m->sources[m->heap[0]].view, &first->view) == 0) {
        uint32_t same = pop(m);

        out->count += m->sources[same].count;
        m->taken[m->taken_count++] = same;
    }
    return ST_OK;
}
