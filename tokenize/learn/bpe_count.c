#include "tokenize/learn/bpe_count.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

#define PARTS 64
#define WORKER_WORDS ((size_t)1 << 16)
#define WORKER_BYTES ((size_t)4 << 20)
#define CHUNK ((size_t)64 << 10)

struct slot {
    const char *p;           /* NULL: free */
    uint64_t hash, count;
    uint32_t n;
};
struct table {
    struct slot *slots;
    size_t mask, count;
};
struct chunk {
    struct chunk *next;
    char bytes[];
};
struct part {
    pthread_mutex_t lock;
    struct table table;
    struct chunk *chunks;
    size_t used, size;       /* of the newest chunk */
};
struct worker {
    struct table table;
    char *bytes;
    size_t used;
};
struct bpe_counter {
    struct part parts[PARTS];
    struct worker *workers;
    int worker_count;
    uint64_t memory;
    _Atomic uint64_t taken;
};

/* ---- tables ---- */

static void table_init(struct table *t, size_t slots)
{
    *t = (struct table){ mem_array(slots, sizeof *t->slots), slots - 1, 0 };
}

static struct slot *table_find(const struct table *t, struct span key, uint64_t hash)
{
    for (size_t i = hash & t->mask;; i = (i + 1) & t->mask) {
        struct slot *s = &t->slots[i];

        if (s->p == NULL || (s->hash == hash && s->n == key.n && memcmp(s->p, key.p, key.n) == 0))
            return s;
    }
}

static void table_grow(struct table *t)
{
    struct table wider;

    table_init(&wider, (t->mask + 1) * 2);
    for (size_t i = 0; i <= t->mask; i++) {
        struct slot *s = &t->slots[i];

        if (s->p)
            *table_find(&wider, (struct span){ s->p, s->n }, s->hash) = *s;
    }
    wider.count = t->count;
    free(t->slots);
    *t = wider;
}

/* ---- life ---- */

struct bpe_counter *bpe_counter_new(int workers, uint64_t memory)
{
    struct bpe_counter *c = mem_alloc(sizeof *c);

    c->memory = memory;
    c->worker_count = workers;
    c->workers = mem_array((size_t)workers, sizeof *c->workers);
    for (int i = 0; i < workers; i++) {
        table_init(&c->workers[i].table, WORKER_WORDS * 2);
        c->workers[i].bytes = mem_alloc(WORKER_BYTES);
    }
    for (int i = 0; i < PARTS; i++) {
        pthread_mutex_init(&c->parts[i].lock, NULL);
        table_init(&c->parts[i].table, 256);
    }
    return c;
}

void bpe_counter_free(struct bpe_counter *c)
{
    if (c == NULL)
        return;
    for (int i = 0; i < c->worker_count; i++) {
        free(c->workers[i].table.slots);
        free(c->workers[i].bytes);
    }
    for (int i = 0; i < PARTS; i++) {
        struct part *p = &c->parts[i];

        while (p->chunks) {
            struct chunk *next = p->chunks->next;

            free(p->chunks);
            p->chunks = next;
        }
        free(p->table.slots);
        pthread_mutex_destroy(&p->lock);
    }
    free(c->workers);
    free(c);
}

/* ---- the common table ---- */

static enum status take(struct bpe_counter *c, uint64_t bytes)
{
    char limit[32];

    if (atomic_fetch_add(&c->taken, bytes) + bytes <= c->memory)
        return ST_OK;
    return fail(
        ST_LIMIT,
        "the different pieces of the text need more than memory=%s; raise it, or train on a sample",
        str_bytes(c->memory, limit));
}

static enum status keep_bytes(struct bpe_counter *c, struct part *p, struct span piece,
                              const char **out)
{
    if (p->chunks == NULL || p->size - p->used < piece.n) {
        size_t size = piece.n > CHUNK ? piece.n : CHUNK;
        struct chunk *chunk;

        TRY(take(c, size));
        chunk = mem_grow(NULL, sizeof *chunk + size, 1);
        chunk->next = p->chunks;
        p->chunks = chunk;
        p->size = size;
        p->used = 0;
    }
    memcpy(p->chunks->bytes + p->used, piece.p, piece.n);
    *out = p->chunks->bytes + p->used;
    p->used += piece.n;
    return ST_OK;
}

static enum status part_add(struct bpe_counter *c, struct part *p, const struct slot *word)
{
    struct span piece = { word->p, word->n };
    struct slot *s = table_find(&p->table, piece, word->hash);
    const char *bytes;

    if (s->p) {
        s->count += word->count;
        return ST_OK;
    }
    if (p->table.count * 2 > p->table.mask) {
        TRY(take(c, (p->table.mask + 1) * sizeof *s));
        table_grow(&p->table);
        s = table_find(&p->table, piece, word->hash);
    }
    TRY(keep_bytes(c, p, piece, &bytes));
    *s = *word;
    s->p = bytes;
    p->table.count++;
    return ST_OK;
}

static enum status add_common(struct bpe_counter *c, const struct slot *word)
{
    struct part *p = &c->parts[word->hash >> 58];
    enum status st;

    pthread_mutex_lock(&p->lock);
    st = part_add(c, p, word);
    pthread_mutex_unlock(&p->lock);
    return st;
}

static enum status empty_worker(struct bpe_counter *c, struct worker *w)
{
    for (size_t i = 0; i <= w->table.mask; i++) {
        struct slot *s = &w->table.slots[i];

        if (s->p)
            TRY(add_common(c, s));
        s->p = NULL;
    }
    w->table.count = 0;
    w->used = 0;
    return ST_OK;
}

/* ---- counting ---- */

/* Pieces are short: two loads that overlap tell apart all of up to 16 bytes. */
static inline uint64_t hash_piece(struct span s)
{
    uint64_t a = s.n, b = 0;

    if (s.n > 16)
        return xxh3(s.p, s.n);
    if (s.n >= 8) {
        memcpy(&a, s.p, 8);
        memcpy(&b, s.p + s.n - 8, 8);
    } else if (s.n >= 4) {
        uint32_t low, high;

        memcpy(&low, s.p, 4);
        memcpy(&high, s.p + s.n - 4, 4);
        a = low;
        b = high;
    } else if (s.n > 0) {
        a = (unsigned char)s.p[0] | (unsigned)(unsigned char)s.p[s.n / 2] << 8;
        b = (unsigned char)s.p[s.n - 1];
    }
    a = (a ^ s.n << 56) * 0x9E3779B97F4A7C15u;
    a = (a ^ a >> 29 ^ b) * 0xD6E8FEB86659FD93u;
    a ^= a >> 32;
    return a * 0xD6E8FEB86659FD93u ^ a >> 29;
}

enum status bpe_counter_add(struct bpe_counter *c, int worker, struct span piece)
{
    struct worker *w = &c->workers[worker];
    struct slot key = { piece.p, hash_piece(piece), 1, (uint32_t)piece.n }, *s;

    if (piece.n >= UINT32_MAX)
        return fail(ST_LIMIT,
                    "a piece of %zu bytes that the pattern does not cut; want less than 4 GiB",
                    piece.n);
    s = table_find(&w->table, piece, key.hash);
    if (s->p) {
        s->count++;
        return ST_OK;
    }
    if (piece.n > WORKER_BYTES / 64)
        return add_common(c, &key);
    if (w->table.count == WORKER_WORDS || WORKER_BYTES - w->used < piece.n) {
        TRY(empty_worker(c, w));
        s = table_find(&w->table, piece, key.hash);
    }
    key.p = memcpy(w->bytes + w->used, piece.p, piece.n);
    w->used += piece.n;
    w->table.count++;
    *s = key;
    return ST_OK;
}

enum status bpe_counter_finish(struct bpe_counter *c, struct bpe_words *out)
{
    size_t n = 0;

    *out = (struct bpe_words){ 0 };
    for (int i = 0; i < c->worker_count; i++)
        TRY(empty_worker(c, &c->workers[i]));
    for (int i = 0; i < PARTS; i++)
        n += c->parts[i].table.count;
    TRY(take(c, n * sizeof *out->v));
    out->v = mem_array(n + 1, sizeof *out->v);
    for (int i = 0; i < PARTS; i++)
        for (size_t k = 0; k <= c->parts[i].table.mask; k++) {
            const struct slot *s = &c->parts[i].table.slots[k];

            if (s->p)
                out->v[out->count++] = (struct bpe_word){ s->p, s->n, s->count };
        }
    return ST_OK;
}
