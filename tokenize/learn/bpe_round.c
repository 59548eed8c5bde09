#include "tokenize/learn/bpe_round.h"

#include <stdlib.h>

#include "base/arena.h"

#define AHEAD 12

struct bpe_met {
    uint32_t fresh, at;
};

void bpe_round_init(struct bpe_round *r, uint32_t vocab)
{
    r->fresh = mem_array((size_t)vocab * 2, sizeof *r->fresh);
}

void bpe_round_release(struct bpe_round *r)
{
    free(r->fresh);
    free(r->touched);
    if (r->text)
        paged_release(r->text->paged, &r->met);
}

static bool too_long(const struct bpe_round *r, uint32_t a, uint32_t b)
{
    return r->max_length && (uint64_t)r->length[a] + r->length[b] > r->max_length;
}

/* ---- counts ---- */

static inline void take_away(struct bpe_round *r, uint64_t key, int64_t weight)
{
    struct pair *p = pair_index_find(r->index, key);

    if (p != NULL)
        p->rank.count -= weight;
}

static enum status note(struct bpe_round *r, uint32_t fresh, int64_t weight, size_t at)
{
    struct bpe_fresh *f = &r->fresh[fresh];
    struct bpe_met *met;

    if (f->n == 0) {
        if (r->touched_count == r->touched_cap) {
            r->touched_cap = r->touched_cap ? r->touched_cap * 2 : 256;
            r->touched = mem_grow(r->touched, r->touched_cap, sizeof *r->touched);
        }
        r->touched[r->touched_count++] = fresh;
    }
    f->count += weight;
    f->n++;
    if (r->met_count == r->met.cap)
        TRY(paged_grow(r->text->paged, &r->met, r->met_count + 1, sizeof *met));
    paged_walk(r->text->paged, r->met_count * sizeof *met, &r->met_block);
    met = r->met.p;
    met[r->met_count++] = (struct bpe_met){ fresh, (uint32_t)at };
    return ST_OK;
}

static inline void write_token(struct bpe_place *p, uint32_t id, size_t n)
{
    p[n - 1].symbol = id;
    p[0].symbol = id;
}

/* Merges at one place, if the pair still stands there. */
static enum status merge_at(struct bpe_round *r, const struct bpe_merging *m, size_t at)
{
    struct bpe_place *p = r->text->at;
    size_t right = at + r->length[m->left], end = right + r->length[m->right];
    uint32_t before, behind;
    int64_t weight;

    if (p[at].symbol != m->left || p[right].symbol != m->right)
        return ST_OK;
    weight = bpe_text_weight(r->text, at);
    before = p[at - 1].symbol;
    behind = p[end].symbol;
    if (before != BPE_BORDER) {
        if (before != m->id)
            take_away(r, pair_key(before, m->left), weight);
        else if (!too_long(r, m->id, m->left))
            r->fresh[m->left * 2 + 1].count -= weight;
        if (!too_long(r, before, m->id))
            TRY(note(r, before * 2, weight, at - r->length[before]));
    }
    if (behind != BPE_BORDER) {
        take_away(r, pair_key(m->right, behind), weight);
        if (!too_long(r, m->id, behind))
            TRY(note(r, behind * 2 + 1, weight, at));
    }
    p[right - 1].symbol = p[right].symbol = BPE_INNER;
    write_token(p + at, m->id, end - at);
    return ST_OK;
}

/* ---- the end of a round ---- */

static void keep_pairs(struct bpe_round *r, uint32_t id)
{
    for (size_t i = 0; i < r->touched_count; i++) {
        struct bpe_fresh *f = &r->fresh[r->touched[i]];
        uint32_t other = r->touched[i] / 2;
        struct pair p = { .rank = { f->count, r->touched[i] & 1 ? pair_key(id, other)
                                                                : pair_key(other, id) },
                          .first = *r->listed,
                          .n = f->n };

        f->kept = f->count > 0 && !pair_before(r->index->bound, p.rank);
        if (f->kept) {
            f->first = p.first;
            *r->listed += f->n;
            pair_index_add(r->index, &p);
        }
    }
}

static enum status end_round(struct bpe_round *r, uint32_t id)
{
    size_t before = *r->listed, block = 0;
    const struct bpe_met *met = r->met.p;

    keep_pairs(r, id);
    TRY(paged_grow(r->text->paged, r->places, *r->listed, sizeof(uint32_t)));
    paged_touch(r->text->paged, 1 + (int64_t)((*r->listed - before) * sizeof(uint32_t) / PAGED_BLOCK));
    if (*r->listed > before)
        for (size_t i = 0; i < r->met_count; i++) {
            struct bpe_fresh *f = &r->fresh[met[i].fresh];

            paged_walk(r->text->paged, i * sizeof *met, &block);
            if (f->kept)
                ((uint32_t *)r->places->p)[f->first++] = met[i].at;
        }
    for (size_t i = 0; i < r->touched_count; i++)
        r->fresh[r->touched[i]] = (struct bpe_fresh){ 0 };
    r->touched_count = r->met_count = 0;
    return ST_OK;
}

enum status bpe_round_merge(struct bpe_round *r, const struct bpe_merging *m,
                            const struct pair *pair)
{
    size_t block = 0, list_block = 0;

    for (uint32_t i = 0; i < pair->n; i++) {
        const uint32_t *list = (const uint32_t *)r->places->p + pair->first;

        if (i + AHEAD < pair->n && !r->text->paged->on)
            __builtin_prefetch(&r->text->at[list[i + AHEAD]], 1);
        paged_walk(r->text->paged, (pair->first + i) * sizeof *list, &list_block);
        paged_walk(r->text->paged, list[i] * sizeof *r->text->at, &block);
        TRY(merge_at(r, m, list[i]));
    }
    return end_round(r, m->id);
}

void bpe_round_merge_everywhere(struct bpe_round *r, const struct bpe_merging *m)
{
    struct bpe_place *p = r->text->at;
    size_t at = 0, block = 0;

    while (at < r->text->size) {
        uint32_t left = p[at].symbol;
        size_t right = at + (left == BPE_BORDER ? 1 : r->length[left]), end;

        paged_walk(r->text->paged, right * sizeof *p, &block);
        if (left == m->left && p[right].symbol == m->right) {
            end = right + r->length[m->right];
            p[right - 1].symbol = p[right].symbol = BPE_INNER;
            write_token(p + at, m->id, end - at);
            right = end;
        }
        at = right;
    }
}
