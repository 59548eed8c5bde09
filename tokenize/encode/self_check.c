#include "tokenize/encode/self_check.h"

#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/tokenizer_part.h"

struct checking {
    const struct tokenizer *t;
    struct self_check *out;
    bool *skip, *made;               /* [vocab] */
    struct bpe_scratch merge;
    uint32_t *ids;
    size_t cap;                      /* of ids, and of out->v by count */
    size_t items;
};

/* Added tokens, bytes, the unknown token. */
static void mark_skipped(struct checking *c)
{
    const struct tokenizer *t = c->t;

    for (size_t i = 0; i < t->added_count; i++)
        c->skip[t->added[i].id] = true;
    for (int b = 0; b < 256 && t->symbols; b++)
        if (t->byte_id[b] != NO_TOKEN)
            c->skip[t->byte_id[b]] = true;
    if (t->symbols && symbols_unk(t->symbols) != NO_TOKEN)
        c->skip[symbols_unk(t->symbols)] = true;
}

static void mark_made(struct checking *c)
{
    size_t count;
    struct bpe_merge *merges = bpe_list(c->t->bpe, &count);

    for (size_t i = 0; i < count; i++)
        c->made[merges[i].id] = true;
    free(merges);
}

/* The entry's symbols, merged by rank; how many tokens they become. */
static size_t merge_entry(struct checking *c, struct span text)
{
    const struct tokenizer *t = c->t;
    size_t n = text.n;

    if (n > c->cap) {
        c->cap = n * 2;
        c->ids = mem_grow(c->ids, c->cap, sizeof *c->ids);
    }
    if (t->symbols)
        n = symbols_of(t->symbols, text, c->ids);
    else
        for (size_t i = 0; i < n; i++)
            c->ids[i] = t->byte_id[(unsigned char)text.p[i]];
    return n > 0 ? bpe_merge_piece(t->bpe, &c->merge, c->ids, n) : 0;
}

static void add_item(struct checking *c, uint32_t id, size_t becomes)
{
    struct self_check *out = c->out;

    if (out->count == c->items) {
        c->items = c->items ? c->items * 2 : 64;
        out->v = mem_grow(out->v, c->items, sizeof *out->v);
    }
    out->v[out->count++] = (struct self_check_item){ id, c->made[id], (uint32_t)becomes };
}

static void check_entry(struct checking *c, const struct bpe_tree *tree, uint32_t id)
{
    const struct tokenizer *t = c->t;
    struct span text = t->raw && !symbols_are_bytes(t->symbols) ? t->raw[id] : t->pieces[id];
    size_t n;

    c->out->entries++;
    if (tree && bpe_tree_stands(tree, id))
        return;
    n = merge_entry(c, text);
    if (n != 1 || c->ids[0] != id)
        add_item(c, id, n);
}

void self_check(const struct tokenizer *t, struct self_check *out)
{
    struct checking c = { .t = t, .out = out };
    const struct bpe_tree *tree;

    *out = (struct self_check){ .whole = t->ignore_merges };
    c.skip = mem_array(t->vocab, sizeof *c.skip);
    c.made = mem_array(t->vocab, sizeof *c.made);
    mark_skipped(&c);
    mark_made(&c);
    piece_merge_prepare(t->merge);
    tree = piece_merge_trees(t->merge);
    for (uint32_t id = 0; id < t->vocab; id++)
        if (t->bytes[id].p != NULL && !c.skip[id])
            check_entry(&c, tree, id);
    bpe_scratch_release(&c.merge);
    free(c.ids);
    free(c.skip);
    free(c.made);
}

void self_check_release(struct self_check *c)
{
    free(c->v);
    *c = (struct self_check){ 0 };
}
