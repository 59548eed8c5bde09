#include "tokenize/encode/piece_merge.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/status.h"
#include "tokenize/encode/huge.h"
#include "tokenize/tokenizer_part.h"

#define EARLY 2          /* bytes merged for each entry of the vocabulary before tables are made: about their cost */
#define BY_RANK 15       /* bytes of a piece that is merged faster by rank than in linear time */

struct word {
    struct piece_key key;
    uint32_t id, unused[3];
};
struct piece_merge {
    const struct tokenizer *t;
    pthread_mutex_t lock;            /* of making */
    atomic_bool made;                /* the tables below are there */
    atomic_size_t merged;            /* bytes, before that */
    struct bpe_tree *tree;           /* NULL: symbols are not bytes, or merges join nothing */
    struct bpe_linear *linear;
    struct bpe_bytes *bytes;         /* NULL: symbols are not bytes */
    struct word *words;              /* open addressing, at most half full */
    uint8_t *tags;                   /* of the slots' hashes, 0: free; most pieces that are no word end here */
    size_t mask;
    struct text_map odd;             /* longer entries that may be a whole piece and do not stand: few */
};

static void grow_trees(struct piece_merge *m)
{
    const struct tokenizer *t = m->t;
    struct bpe_symbols s = { t->pieces, t->vocab, t->byte_id, 256 };

    if (t->symbols != NULL)
        return;
    m->bytes = bpe_bytes_new(t->bpe, t->byte_id);
    m->tree = bpe_tree_new(t->bpe, &s);
    if (m->tree != NULL)
        m->linear = bpe_linear_new(m->tree, &s);
}

static uint8_t tag_of(uint32_t hash)
{
    return (uint8_t)(hash >> 24 | 1);
}

static void add_word(struct piece_merge *m, struct span bytes, uint32_t id)
{
    struct piece_key key;
    uint32_t hash;
    size_t at;

    if (bytes.n == 0 || bytes.n > PIECE_SHORT)
        return;
    key = piece_key_safe(bytes.p, bytes.n);
    hash = piece_key_hash(key);
    at = hash & m->mask;
    while (m->tags[at] != 0)
        at = (at + 1) & m->mask;
    m->words[at] = (struct word){ .key = key, .id = id };
    m->tags[at] = tag_of(hash);
}

static void add_whole(struct piece_merge *m, struct span bytes, uint32_t id)
{
    if (bytes.n <= PIECE_SHORT)
        add_word(m, bytes, id);
    else if (m->tree == NULL || !bpe_tree_stands(m->tree, id))
        text_map_add(&m->odd, bytes, id);
}

/* All entries that may be a whole piece, or those that stand. */
static void list_words(struct piece_merge *m)
{
    const struct tokenizer *t = m->t;
    const struct text_map *whole = &t->whole;
    size_t size = 64;

    while (size < (size_t)t->vocab * 2)
        size *= 2;
    m->words = huge_array(size, sizeof *m->words);
    m->tags = huge_array(size, 1);
    m->mask = size - 1;
    text_map_init(&m->odd, 0);
    if (t->ignore_merges) {
        for (size_t i = 0; i <= whole->mask; i++)
            if (whole->slots[i].p != NULL)
                add_whole(m, (struct span){ whole->slots[i].p, whole->slots[i].n },
                          whole->slots[i].value);
    } else if (m->tree) {
        for (uint32_t i = 0; i < t->vocab; i++)
            if (bpe_tree_stands(m->tree, i))
                add_word(m, t->pieces[i], i);
    }
}

struct piece_merge *piece_merge_new(const struct tokenizer *t)
{
    struct piece_merge *m = mem_alloc(sizeof *m);

    m->t = t;
    BUG_IF(pthread_mutex_init(&m->lock, NULL) != 0);
    return m;
}

static inline bool is_made(const struct piece_merge *m)
{
    return atomic_load_explicit(&m->made, memory_order_acquire);
}

void piece_merge_prepare(struct piece_merge *m)
{
    pthread_mutex_lock(&m->lock);
    if (!is_made(m)) {
        grow_trees(m);
        list_words(m);
        atomic_store_explicit(&m->made, true, memory_order_release);
    }
    pthread_mutex_unlock(&m->lock);
}

/* Whether to merge without the tables. */
static bool is_early(struct piece_merge *m, size_t bytes)
{
    if (is_made(m))
        return false;
    if (atomic_fetch_add(&m->merged, bytes) + bytes < (size_t)m->t->vocab * EARLY)
        return true;
    piece_merge_prepare(m);
    return false;
}

void piece_merge_free(struct piece_merge *m)
{
    if (m == NULL)
        return;
    bpe_linear_free(m->linear);
    free(m->bytes);
    bpe_tree_free(m->tree);
    if (is_made(m)) {
        huge_free(m->words, m->mask + 1, sizeof *m->words);
        huge_free(m->tags, m->mask + 1, 1);
        text_map_release(&m->odd);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

const struct bpe_tree *piece_merge_trees(const struct piece_merge *m)
{
    return m->tree;
}

static uint32_t word_early(const struct piece_merge *m, const struct piece_key *key)
{
    struct span piece = { (const char *)key, key->high >> 56 };
    uint32_t id;

    return m->t->ignore_merges && text_map_get(&m->t->whole, piece, &id) ? id : NO_TOKEN;
}

uint32_t piece_merge_word(const struct piece_merge *m, struct piece_key key, uint32_t hash)
{
    if (!is_made(m))
        return word_early(m, &key);
    for (size_t i = hash & m->mask; m->tags[i] != 0; i = (i + 1) & m->mask) {
        const struct word *w = &m->words[i];

        if (m->tags[i] == tag_of(hash) && w->key.low == key.low && w->key.high == key.high)
            return w->id;
    }
    return NO_TOKEN;
}

void piece_merge_word_soon(const struct piece_merge *m, uint32_t hash)
{
    if (!is_made(m))
        return;
    __builtin_prefetch(&m->tags[hash & m->mask]);
    __builtin_prefetch(&m->words[hash & m->mask]);
}

void piece_merge_scratch_release(struct piece_merge_scratch *s)
{
    bpe_scratch_release(&s->rank);
    bpe_linear_scratch_release(&s->linear);
}

/* The symbols that a piece begins as. */
static size_t symbols_of_piece(const struct tokenizer *t, struct span piece, uint32_t *ids)
{
    if (t->symbols)
        return symbols_of(t->symbols, piece, ids);
    for (size_t i = 0; i < piece.n; i++)
        ids[i] = t->byte_id[(unsigned char)piece.p[i]];
    return piece.n;
}

size_t piece_merge_ids(struct piece_merge *m, struct piece_merge_scratch *s, struct span piece,
                       uint32_t *ids)
{
    const struct tokenizer *t = m->t;

    if (is_early(m, piece.n)) {
        if (t->ignore_merges && piece.n > PIECE_SHORT && text_map_get(&t->whole, piece, ids))
            return 1;
    } else {
        if (m->bytes && piece.n <= BY_RANK)
            return bpe_merge_bytes(t->bpe, m->bytes, piece, ids);
        if (m->odd.count > 0 && text_map_get(&m->odd, piece, ids))
            return 1;
        if (m->linear)
            return bpe_linear_merge(m->linear, &s->linear, piece, ids);
    }
    return bpe_merge_piece(t->bpe, &s->rank, ids, symbols_of_piece(t, piece, ids));
}
