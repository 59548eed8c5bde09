#include "tokenize/learn/bpe_text.h"

#include <stdlib.h>

#include "base/arena.h"

void bpe_text_release(struct bpe_text *t)
{
    paged_release(t->paged, &t->array);
    free(t->heavy);
    *t = (struct bpe_text){ 0 };
}

static uint32_t keep_weight(struct bpe_text *t, uint64_t weight)
{
    if (weight < BPE_HEAVY)
        return (uint32_t)weight;
    if (t->heavy_count == t->heavy_cap) {
        t->heavy_cap = t->heavy_cap ? t->heavy_cap * 2 : 16;
        t->heavy = mem_grow(t->heavy, t->heavy_cap, sizeof *t->heavy);
    }
    t->heavy[t->heavy_count] = weight;
    return BPE_HEAVY + (uint32_t)t->heavy_count++;
}

enum status bpe_text_add(struct bpe_text *t, const struct bpe_text_piece *piece)
{
    uint32_t weight = keep_weight(t, piece->weight);
    size_t at = t->size ? t->size : 1;

    if (at + piece->n + 1 > BPE_PLACES_MOST)
        return fail(ST_LIMIT,
                    "the different pieces of the text have more than %llu bytes; leave out rare ones "
                    "with min-piece-count, or train on a sample",
                    (unsigned long long)BPE_PLACES_MOST);
    TRY(paged_grow(t->paged, &t->array, at + piece->n + 1, sizeof *t->at));
    t->at = t->array.p;
    if (at == 1)
        t->at[0] = (struct bpe_place){ .symbol = BPE_BORDER };
    paged_walk(t->paged, (at + piece->n) * sizeof *t->at, &t->block);
    for (size_t i = 0; i < piece->count; i++) {
        size_t end = at + piece->length[piece->ids[i]];

        t->at[at] = (struct bpe_place){ piece->ids[i], weight };
        for (size_t k = at + 1; k < end; k++)
            t->at[k] = (struct bpe_place){ BPE_INNER, weight };
        t->at[end - 1].symbol = piece->ids[i];
        at = end;
    }
    t->at[at] = (struct bpe_place){ .symbol = BPE_BORDER };
    t->size = at + 1;
    return ST_OK;
}
