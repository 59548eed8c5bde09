/* Merging by rank: the piece-wise half of tokenize/encode/bpe.h. */
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/bpe_part.h"

/* ---- short pieces ---- */

/* The rank of a pair; what it makes is soon asked for. */
static inline uint32_t rank_soon(const struct bpe *b, uint32_t left, uint32_t right)
{
    uint32_t rank = bpe_rank_of(b, left, right);

    __builtin_prefetch(b->joined + rank);
    return rank;
}

/* rank[i] is that of the pair (i, i + 1). */
static size_t merge_ranked(const struct bpe *b, uint32_t *ids, uint32_t *rank, size_t n)
{
    while (n > 1) {
        size_t best = 0;

        for (size_t i = 1; i + 1 < n; i++)
            best = rank[i] < rank[best] ? i : best;
        if (rank[best] == BPE_NO_RANK)
            break;
        ids[best] = b->joined[rank[best]];
        n--;
        for (size_t i = best + 1; i < n; i++) {
            ids[i] = ids[i + 1];
            rank[i - 1] = rank[i];
        }
        if (best > 0)
            rank[best - 1] = rank_soon(b, ids[best - 1], ids[best]);
        if (best + 1 < n)
            rank[best] = rank_soon(b, ids[best], ids[best + 1]);
    }
    return n;
}

static size_t merge_short(const struct bpe *b, uint32_t *ids, size_t n)
{
    uint32_t rank[BPE_SHORT];

    for (size_t i = 0; i + 1 < n; i++)
        rank[i] = bpe_rank_of(b, ids[i], ids[i + 1]);
    return merge_ranked(b, ids, rank, n);
}

struct bpe_bytes *bpe_bytes_new(const struct bpe *b, const uint32_t id[256])
{
    struct bpe_bytes *bytes = mem_alloc(sizeof *bytes);

    memcpy(bytes->id, id, sizeof bytes->id);
    for (int x = 0; x < 256; x++)
        for (int y = 0; y < 256; y++)
            bytes->rank[x][y] = bpe_rank_of(b, id[x], id[y]);
    return bytes;
}

size_t bpe_merge_bytes(const struct bpe *b, const struct bpe_bytes *bytes, struct span piece,
                       uint32_t *ids)
{
    const unsigned char *p = (const unsigned char *)piece.p;
    uint32_t rank[BPE_SHORT];

    for (size_t i = 0; i + 1 < piece.n; i++) {
        ids[i] = bytes->id[p[i]];
        rank[i] = bytes->rank[p[i]][p[i + 1]];
        /* a number, since BPE_NO_RANK is behind the array */
        __builtin_prefetch((const void *)((uintptr_t)b->joined + rank[i] * sizeof *b->joined));
    }
    ids[piece.n - 1] = bytes->id[p[piece.n - 1]];
    return merge_ranked(b, ids, rank, piece.n);
}

/* ---- long pieces ---- */

struct heap {
    uint64_t *v;     /* rank << 32 | position */
    size_t n;
};

static void heap_push(struct heap *h, uint64_t x)
{
    size_t i = h->n++;

    for (; i > 0 && h->v[(i - 1) / 4] > x; i = (i - 1) / 4)
        h->v[i] = h->v[(i - 1) / 4];
    h->v[i] = x;
}

static uint64_t heap_pop(struct heap *h)
{
    uint64_t top = h->v[0], x = h->v[--h->n];
    size_t i = 0;

    for (;;) {
        size_t least = 4 * i + 1, end = least + 4 < h->n ? least + 4 : h->n;

        if (least >= h->n)
            break;
        for (size_t c = least + 1; c < end; c++)
            if (h->v[c] < h->v[least])
                least = c;
        if (h->v[least] >= x)
            break;
        h->v[i] = h->v[least];
        i = least;
    }
    h->v[i] = x;
    return top;
}

void bpe_scratch_release(struct bpe_scratch *s)
{
    free(s->prev);
    free(s->next);
    free(s->heap);
    *s = (struct bpe_scratch){ 0 };
}

/* The heap never holds more than the n-1 first pairs and two for each of n-1 merges. */
static void reserve(struct bpe_scratch *s, size_t n)
{
    if (n <= s->cap)
        return;
    s->cap = n;
    s->prev = mem_grow(s->prev, n, sizeof *s->prev);
    s->next = mem_grow(s->next, n, sizeof *s->next);
    s->heap = mem_grow(s->heap, 3 * n, sizeof *s->heap);
}

static void push_pair(const struct bpe *b, struct heap *h, const uint32_t *ids, size_t left,
                      size_t right)
{
    uint32_t rank = bpe_rank_of(b, ids[left], ids[right]);

    if (rank != BPE_NO_RANK)
        heap_push(h, (uint64_t)rank << 32 | left);
}

/* Position n is the end; a symbol that was merged away has next == 0. */
static size_t merge_long(const struct bpe *b, struct bpe_scratch *s, uint32_t *ids, size_t n)
{
    struct heap h = { 0 };
    size_t left_over = 0;

    reserve(s, n);
    h.v = s->heap;
    for (size_t i = 0; i < n; i++) {
        s->prev[i] = (uint32_t)i - 1;
        s->next[i] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i + 1 < n; i++)
        push_pair(b, &h, ids, i, i + 1);
    while (h.n > 0) {
        uint64_t top = heap_pop(&h);
        size_t at = (uint32_t)top, right = s->next[at];
        uint32_t rank =
            right > 0 && right < n ? bpe_rank_of(b, ids[at], ids[right]) : BPE_NO_RANK;

        if (rank != top >> 32)
            continue;
        ids[at] = b->joined[rank];
        s->next[at] = s->next[right];
        s->next[right] = 0;
        if (s->next[at] < n) {
            s->prev[s->next[at]] = (uint32_t)at;
            push_pair(b, &h, ids, at, s->next[at]);
        }
        if (at > 0)
            push_pair(b, &h, ids, s->prev[at], at);
    }
    for (size_t i = 0; i < n; i = s->next[i])
        ids[left_over++] = ids[i];
    return left_over;
}

size_t bpe_merge_piece(const struct bpe *b, struct bpe_scratch *s, uint32_t *ids, size_t n)
{
    return n <= BPE_SHORT ? merge_short(b, ids, n) : merge_long(b, s, ids, n);
}
