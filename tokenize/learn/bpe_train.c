#include "tokenize/learn/bpe_train.h"

#include <stdlib.h>

#include "base/progress.h"
#include "base/stop.h"
#include "store/byte_level.h"
#include "tokenize/text_map.h"

#define BORDER UINT32_MAX            /* before, between and behind the pieces */
#define INNER (UINT32_MAX - 1)       /* a byte that is neither a token's first nor its last */
#define BYTES_PER_PLACE 40           /* what training takes at most, roughly, for a byte of
                                        the different pieces */

struct pair {
    uint64_t key;            /* left << 32 | right */
    int64_t count;
    size_t first;            /* of this round's places, in places */
    uint32_t fresh;          /* how many they are */
};
struct pairs {
    struct pair *v;
    uint32_t *slots;         /* index + 1; 0: free */
    size_t count, cap, mask;
};
/* A pair in the heap, with the places where it came to be: all in one round, that
 * of its newer token. */
struct candidate {
    int64_t count;
    uint64_t key;
    size_t first;            /* in places */
    uint32_t n, pair;
};
struct heap {
    struct candidate *v;
    size_t n, cap;
};
struct place {
    uint32_t pair, at;
};
struct train {
    const struct bpe_train_args *args;
    const struct bpe_words *words;
    struct bpe_trained *out;
    uint32_t *symbol, *word_of;      /* by place */
    size_t size;
    uint32_t *length;                /* bytes, by id */
    struct text_map reserved;        /* the bytes that spell special tokens */
    struct pairs pairs;
    struct heap heap;
    uint32_t *places;                /* slices of the candidates */
    size_t place_count, place_cap;
    struct place *fresh;             /* of this round */
    size_t fresh_count, fresh_cap;
    uint32_t *touched;               /* pairs with fresh places */
    size_t touched_count, touched_cap;
    size_t merge_cap;
    struct buf joined;
};

static void *grow(void *p, size_t *cap, size_t want, size_t size)
{
    if (want <= *cap)
        return p;
    *cap = *cap * 2 > want ? *cap * 2 : want + 64;
    return mem_grow(p, *cap, size);
}

/* ---- pairs ---- */

static uint64_t key_of(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 32 | right;
}

static uint32_t *find_slot(const struct pairs *t, uint64_t key)
{
    uint64_t h = key * 0x9E3779B97F4A7C15u;

    for (size_t i = (h ^ h >> 32) & t->mask;; i = (i + 1) & t->mask)
        if (t->slots[i] == 0 || t->v[t->slots[i] - 1].key == key)
            return &t->slots[i];
}

static void grow_slots(struct pairs *t)
{
    free(t->slots);
    t->mask = t->mask ? t->mask * 2 + 1 : 0xFFFF;
    t->slots = mem_array(t->mask + 1, sizeof *t->slots);
    for (size_t i = 0; i < t->count; i++)
        *find_slot(t, t->v[i].key) = (uint32_t)i + 1;
}

/* The pair's index; it is made if it is new. */
static uint32_t take_pair(struct pairs *t, uint64_t key)
{
    uint32_t *slot;

    if (t->count * 2 >= t->mask)
        grow_slots(t);
    slot = find_slot(t, key);
    if (*slot == 0) {
        t->v = grow(t->v, &t->cap, t->count + 1, sizeof *t->v);
        t->v[t->count++] = (struct pair){ .key = key };
        *slot = (uint32_t)t->count;
    }
    return *slot - 1;
}

/* ---- the heap: most frequent first, then the smallest pair ---- */

static bool before(const struct candidate *a, const struct candidate *b)
{
    return a->count > b->count || (a->count == b->count && a->key < b->key);
}

static void sift_down(struct heap *h, struct candidate x)
{
    size_t i = 0;

    for (;;) {
        size_t best = 4 * i + 1, end = best + 4 < h->n ? best + 4 : h->n;

        if (best >= h->n)
            break;
        for (size_t c = best + 1; c < end; c++)
            if (before(&h->v[c], &h->v[best]))
                best = c;
        if (!before(&h->v[best], &x))
            break;
        h->v[i] = h->v[best];
        i = best;
    }
    h->v[i] = x;
}

static void push(struct heap *h, struct candidate x)
{
    size_t i = h->n;

    h->v = grow(h->v, &h->cap, h->n + 1, sizeof *h->v);
    h->n++;
    for (; i > 0 && before(&x, &h->v[(i - 1) / 4]); i = (i - 1) / 4)
        h->v[i] = h->v[(i - 1) / 4];
    h->v[i] = x;
}

static void drop_top(struct heap *h)
{
    h->n--;
    if (h->n > 0)
        sift_down(h, h->v[h->n]);
}

/* The next pair to merge, out of the heap; counts there may be old and are made good on the way. */
static bool next_candidate(struct train *t, struct candidate *out)
{
    struct heap *h = &t->heap;

    while (h->n > 0) {
        struct candidate top = h->v[0];
        int64_t count = t->pairs.v[top.pair].count;

        if (top.count == count) {
            drop_top(h);
            *out = top;
            return true;
        }
        top.count = count;
        if (count > 0)
            sift_down(h, top);
        else
            drop_top(h);
    }
    return false;
}

/* ---- one round: changes of counts, new places ---- */

static void note_place(struct train *t, uint32_t pair, size_t at)
{
    struct pair *p = &t->pairs.v[pair];

    if (p->fresh++ == 0) {
        t->touched = grow(t->touched, &t->touched_cap, t->touched_count + 1, sizeof *t->touched);
        t->touched[t->touched_count++] = pair;
    }
    t->fresh = grow(t->fresh, &t->fresh_cap, t->fresh_count + 1, sizeof *t->fresh);
    t->fresh[t->fresh_count++] = (struct place){ pair, (uint32_t)at };
}

/* Hands the round's places to candidates in the heap. */
static void end_round(struct train *t)
{
    size_t first = t->place_count;

    t->place_count += t->fresh_count;
    t->places = grow(t->places, &t->place_cap, t->place_count, sizeof *t->places);
    for (size_t i = 0; i < t->touched_count; i++) {
        struct pair *p = &t->pairs.v[t->touched[i]];

        p->first = first;
        first += p->fresh;
        p->fresh = 0;
    }
    for (size_t i = 0; i < t->fresh_count; i++) {
        struct pair *p = &t->pairs.v[t->fresh[i].pair];

        t->places[p->first + p->fresh++] = t->fresh[i].at;
    }
    for (size_t i = 0; i < t->touched_count; i++) {
        struct pair *p = &t->pairs.v[t->touched[i]];

        if (p->count > 0)
            push(&t->heap,
                 (struct candidate){ p->count, p->key, p->first, p->fresh, t->touched[i] });
        p->fresh = 0;
    }
    t->fresh_count = t->touched_count = 0;
}

static void add_pair(struct train *t, uint32_t left, uint32_t right, int64_t weight, size_t at)
{
    uint32_t pair;

    if (t->args->max_token_length && t->length[left] + t->length[right] > t->args->max_token_length)
        return;
    pair = take_pair(&t->pairs, key_of(left, right));
    t->pairs.v[pair].count += weight;
    note_place(t, pair, at);
}

/* A pair that max_token_length kept out is not there. */
static void take_away(struct train *t, uint32_t left, uint32_t right, int64_t weight)
{
    uint32_t slot = *find_slot(&t->pairs, key_of(left, right));

    if (slot != 0)
        t->pairs.v[slot - 1].count -= weight;
}

/* Merges the pair at one place, if it still stands there. */
static void merge_at(struct train *t, struct bpe_pair pair, uint32_t id, size_t at)
{
    uint32_t *s = t->symbol;
    size_t right = at + t->length[pair.left], end = right + t->length[pair.right];
    int64_t weight;

    if (s[at] != pair.left || s[right] != pair.right)
        return;
    weight = (int64_t)t->words->v[t->word_of[at]].count;
    if (s[at - 1] != BORDER) {
        take_away(t, s[at - 1], pair.left, weight);
        add_pair(t, s[at - 1], id, weight, at - t->length[s[at - 1]]);
    }
    if (s[end] != BORDER) {
        take_away(t, pair.right, s[end], weight);
        add_pair(t, id, s[end], weight, at);
    }
    s[right - 1] = s[right] = INNER;
    s[at] = s[end - 1] = id;
}

/* ---- beginning ---- */

static void add_token(struct train *t, struct span bytes, uint32_t length)
{
    uint32_t id = t->out->vocab++;

    t->out->tokens[id] = bytes;
    t->length[id] = length;
}

/* Special tokens and bytes. A special token that can be spelled in the byte-level alphabet is known
 * by its bytes, so that no merge makes it. */
static void first_tokens(struct train *t, uint32_t id_of_byte[256])
{
    struct arena *a = &t->out->arena;
    uint8_t order[256];

    t->out->tokens = arena_array(a, t->args->vocab, sizeof *t->out->tokens);
    t->length = mem_array(t->args->vocab, sizeof *t->length);
    text_map_init(&t->reserved, t->args->special_count);
    for (size_t i = 0; i < t->args->special_count; i++) {
        struct span text = span_of(t->args->specials[i]);

        buf_clear(&t->joined);
        if (byte_level_scan(&t->joined, text))
            text_map_add(&t->reserved,
                         (struct span){ arena_strndup(a, t->joined.p, t->joined.n), t->joined.n },
                         (uint32_t)i);
        add_token(t, (struct span){ arena_strndup(a, text.p, text.n), text.n }, 0);
    }
    byte_level_order(order);
    for (int i = 0; i < 256; i++) {
        struct span byte = { arena_strndup(a, (char *)&order[i], 1), 1 };

        id_of_byte[order[i]] = t->out->vocab;
        add_token(t, byte, 1);
    }
}

static enum status check_size(const struct bpe_train_args *args, const struct bpe_words *words,
                              size_t *size)
{
    char need[32], limit[32];

    *size = words->count + 1;
    for (size_t i = 0; i < words->count; i++)
        *size += words->v[i].n;
    if (*size >= UINT32_MAX)
        return fail(ST_LIMIT,
                    "the different pieces of the text have %zu bytes; want less than 4 billion: "
                    "train on a sample",
                    *size);
    if (*size > args->memory / BYTES_PER_PLACE)
        return fail(
            ST_LIMIT,
            "training needs about %s for the different pieces of the text, memory=%s; raise it, or "
            "train on a sample",
            str_bytes(*size * BYTES_PER_PLACE, need), str_bytes(args->memory, limit));
    return ST_OK;
}

static void lay_out(struct train *t, const uint32_t id_of_byte[256])
{
    size_t at = 0;

    t->symbol = mem_grow(NULL, t->size, sizeof *t->symbol);
    t->word_of = mem_grow(NULL, t->size, sizeof *t->word_of);
    t->symbol[at++] = BORDER;
    for (size_t w = 0; w < t->words->count; w++) {
        const struct bpe_word *word = &t->words->v[w];

        for (uint32_t i = 0; i < word->n; i++) {
            t->word_of[at] = (uint32_t)w;
            t->symbol[at++] = id_of_byte[(unsigned char)word->p[i]];
        }
        t->symbol[at++] = BORDER;
    }
}

static void count_pairs(struct train *t)
{
    grow_slots(&t->pairs);
    for (size_t at = 1; at + 1 < t->size; at++)
        if (t->symbol[at] != BORDER && t->symbol[at + 1] != BORDER)
            add_pair(t, t->symbol[at], t->symbol[at + 1],
                     (int64_t)t->words->v[t->word_of[at]].count, at);
    end_round(t);
}

/* ---- the rounds ---- */

/* Makes the joined token; false where it would be a special token. */
static bool join(struct train *t, struct bpe_pair pair, uint32_t *id)
{
    struct bpe_trained *out = t->out;
    struct span left = out->tokens[pair.left], right = out->tokens[pair.right];
    uint32_t special;

    buf_clear(&t->joined);
    buf_add(&t->joined, left.p, left.n);
    buf_add(&t->joined, right.p, right.n);
    if (text_map_get(&t->reserved, (struct span){ t->joined.p, t->joined.n }, &special))
        return false;
    *id = out->vocab;
    add_token(t, (struct span){ arena_strndup(&out->arena, t->joined.p, t->joined.n), t->joined.n },
              t->length[pair.left] + t->length[pair.right]);
    progress_add(1);
    return true;
}

static void merge_all(struct train *t, const struct candidate *c)
{
    struct bpe_trained *out = t->out;
    struct bpe_pair pair = { (uint32_t)(c->key >> 32), (uint32_t)c->key };
    uint32_t id;

    if (!join(t, pair, &id))
        return;
    out->merges = grow(out->merges, &t->merge_cap, out->merge_count + 1, sizeof *out->merges);
    out->merges[out->merge_count++] = pair;
    for (uint32_t i = 0; i < c->n; i++)
        merge_at(t, pair, id, t->places[c->first + i]);
    end_round(t);
}

static void count_tokens(struct train *t)
{
    for (size_t at = 1; at < t->size; at++)
        while (t->symbol[at] != BORDER) {
            t->out->text_tokens += t->words->v[t->word_of[at]].count;
            at += t->length[t->symbol[at]];
        }
}

static enum status train(struct train *t)
{
    uint32_t id_of_byte[256];
    struct candidate next;

    TRY(check_size(t->args, t->words, &t->size));
    first_tokens(t, id_of_byte);
    lay_out(t, id_of_byte);
    count_pairs(t);
    while (t->out->vocab < t->args->vocab && next_candidate(t, &next)) {
        if (next.count < (int64_t)t->args->min_frequency)
            break;
        if (stop_requested())
            return fail(ST_INTERRUPTED,
                        "interrupted; nothing was written: run the same command to begin again");
        merge_all(t, &next);
    }
    count_tokens(t);
    return ST_OK;
}

enum status bpe_train(const struct bpe_train_args *args, const struct bpe_words *words,
                      struct bpe_trained *out)
{
    struct train t = { .args = args, .words = words, .out = out };
    enum status st;

    BUG_IF(args->vocab < args->special_count + 256 || args->min_frequency < 1 ||
           args->max_token_length == 1);
    *out = (struct bpe_trained){ 0 };
    st = train(&t);
    free(t.symbol);
    free(t.word_of);
    free(t.length);
    text_map_release(&t.reserved);
    free(t.pairs.v);
    free(t.pairs.slots);
    free(t.heap.v);
    free(t.places);
    free(t.fresh);
    free(t.touched);
    buf_release(&t.joined);
    if (st != ST_OK)
        bpe_trained_release(out);
    return st;
}

void bpe_trained_release(struct bpe_trained *t)
{
    arena_release(&t->arena);
    free(t->merges);
    *t = (struct bpe_trained){ 0 };
}
