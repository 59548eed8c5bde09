#include "store/tokens/token_labels.h"

#include "base/hash.h"
#include "store/tokens/token_records.h"

static struct token_label_slot *find_slot(const struct token_labels *l, struct span text,
                                          uint64_t hash)
{
    size_t i = hash & (l->cap - 1);

    while (l->slots[i].text.p != NULL &&
           (l->slots[i].hash != hash || l->slots[i].text.n != text.n ||
            memcmp(l->slots[i].text.p, text.p, text.n) != 0))
        i = (i + 1) & (l->cap - 1);
    return &l->slots[i];
}

static void grow(struct token_labels *l)
{
    struct token_labels old = *l;

    l->cap = old.cap ? old.cap * 2 : 64;
    l->slots = mem_array(l->cap, sizeof *l->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].text.p)
            *find_slot(l, old.slots[i].text, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

uint32_t token_labels_number(struct token_labels *l, struct span source, struct span language,
                             struct span *added)
{
    struct token_label_slot *slot;
    struct span text;
    uint64_t hash;

    token_label_print(source, language, &l->text);
    text = (struct span){ l->text.p, l->text.n };
    hash = xxh3(text.p, text.n);
    if ((size_t)l->count * 2 >= l->cap)
        grow(l);
    slot = find_slot(l, text, hash);
    *added = (struct span){ 0 };
    if (slot->text.p == NULL) {
        *slot = (struct token_label_slot){ { arena_strndup(&l->arena, text.p, text.n), text.n },
                                           hash,
                                           l->count++ };
        *added = slot->text;
    }
    return slot->number;
}

void token_labels_release(struct token_labels *l)
{
    arena_release(&l->arena);
    buf_release(&l->text);
    free(l->slots);
    *l = (struct token_labels){ 0 };
}
