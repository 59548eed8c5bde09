#include "tokenize/encode/piece_merge.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/huge.h"
#include "tokenize/tokenizer_part.h"

struct word {
    struct piece_key key;            /* high 0: free */
    uint32_t id, unused[3];
};
struct piece_merge {
    const struct tokenizer *t;
    struct bpe_tree *tree;           /* NULL: symbols are not bytes, or merges join nothing */
    struct bpe_linear *linear;
    struct word *words;              /* open addressing, at most half full */
    size_t mask;
};

static void grow_trees(struct piece_merge *m)
{
    const struct tokenizer *t = m->t;
    struct bpe_symbols s = { t->bytes, t->vocab, t->byte_id, 256 };

    if (t->symbols != NULL)
        return;
    m->tree = bpe_tree_new(t->bpe, &s);
    if (m->tree != NULL)
        m->linear = bpe_linear_new(m->tree, &s);
}

static bool is_word(const struct piece_merge *m, const struct text_map_slot *s)
{
    return s->p != NULL && s->n > 0 && s->n <= PIECE_SHORT &&
           (m->t->ignore_merges || (m->tree && m->tree->time[s->value] != BPE_NEVER));
}

static void list_words(struct piece_merge *m)
{
    const struct text_map *whole = &m->t->whole;
    size_t size = 64;

    while (size < whole->count * 2)
        size *= 2;
    m->words = huge_array(size, sizeof *m->words);
    m->mask = size - 1;
    for (size_t i = 0; whole->slots && i <= whole->mask; i++) {
        const struct text_map_slot *s = &whole->slots[i];
        struct piece_key key;
        size_t at;

        if (!is_word(m, s))
            continue;
        key = piece_key_safe(s->p, s->n);
        for (at = piece_key_hash(key) & m->mask; m->words[at].key.high != 0;)
            at = (at + 1) & m->mask;
        m->words[at] = (struct word){ .key = key, .id = s->value };
    }
}

struct piece_merge *piece_merge_new(const struct tokenizer *t)
{
    struct piece_merge *m = mem_alloc(sizeof *m);

    m->t = t;
    grow_trees(m);
    list_words(m);
    return m;
}

void piece_merge_free(struct piece_merge *m)
{
    if (m == NULL)
        return;
    bpe_linear_free(m->linear);
    bpe_tree_free(m->tree);
    huge_free(m->words, m->mask + 1, sizeof *m->words);
    free(m);
}

const struct bpe_tree *piece_merge_trees(const struct piece_merge *m)
{
    return m->tree;
}

uint32_t piece_merge_word(const struct piece_merge *m, struct piece_key key, uint32_t hash)
{
    for (size_t i = hash & m->mask;; i = (i + 1) & m->mask) {
        const struct word *w = &m->words[i];

        if (w->key.low == key.low && w->key.high == key.high)
            return w->id;
        if (w->key.high == 0)
            return NO_TOKEN;
    }
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

size_t piece_merge_ids(const struct piece_merge *m, struct piece_merge_scratch *s, struct span piece,
                       uint32_t *ids)
{
    if (m->t->ignore_merges && text_map_get(&m->t->whole, piece, ids))
        return 1;
    if (m->linear)
        return bpe_linear_merge(m->linear, &s->linear, piece, ids);
    return bpe_merge_piece(m->t->bpe, &s->rank, ids, symbols_of_piece(m->t, piece, ids));
}
