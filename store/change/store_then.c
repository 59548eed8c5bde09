/* A store as it was: what changes added is taken off, what they removed is put back, newest first.
 */
#include <stdlib.h>
#include <string.h>

#include "store/tokens/store_history.h"
#include "store/tokens/token_format.h"

/* A document of then that is not there now, by its number then. */
struct gone {
    uint64_t document, tokens;
    uint64_t before; /* tokens of those in front of it */
    size_t change;   /* that took it, and its number then */
    uint64_t number;
};
struct past {
    struct gone *gone;
    size_t count;
    uint64_t documents, tokens;
};
struct store_then {
    const struct token_store *now;
    struct past parts[TOKENS_PARTS];
};

static uint64_t count_of(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(o, key));
}

struct putting_back {
    struct past *p;
    enum token_part part;
    struct gone *back; /* of this change, ascending */
    size_t count, cap, change;
};

static void collect(struct putting_back *b, const json_t *change)
{
    json_t *t;
    size_t i;

    json_array_foreach(json_object_get(change, "removed"), i, t)
    {
        if (strcmp(json_text(t, "part"), token_part_names[b->part]) != 0)
            continue;
        if (b->count == b->cap) {
            b->cap = b->cap ? 2 * b->cap : 16;
            b->back = mem_grow(b->back, b->cap, sizeof *b->back);
        }
        b->back[b->count++] = (struct gone){ .document = count_of(t, "document"),
                                             .tokens = count_of(t, "tokens"),
                                             .change = b->change,
                                             .number = count_of(t, "document") };
    }
}

/* Merges what was gone behind the change, by numbers of then, with what the change took: a number
 * behind k of these was smaller by k. */
static void merge(struct putting_back *b)
{
    struct past *p = b->p;
    struct gone *all = mem_array(p->count + b->count + 1, sizeof *all);
    size_t n = 0, i = 0, k = 0;

    while (i < p->count || k < b->count)
        if (k < b->count && (i == p->count || b->back[k].document <= p->gone[i].document + k))
            all[n++] = b->back[k++];
        else {
            all[n] = p->gone[i++];
            all[n++].document += k;
        }
    free(p->gone);
    p->gone = all;
    p->count = n;
}

static void undo(struct past *p, enum token_part part, const json_t *changes, size_t at)
{
    const json_t *change = json_array_get(changes, at);
    const json_t *held = json_object_get(json_object_get(change, "parts"), token_part_names[part]);
    struct putting_back b = { .p = p, .part = part, .change = at };

    if (strcmp(json_text(change, "change"), "remove") == 0) {
        collect(&b, change);
        merge(&b);
        free(b.back);
    }
    p->documents = count_of(held, "documents");
    p->tokens = count_of(held, "tokens");
    while (p->count > 0 && p->gone[p->count - 1].document >= p->documents)
        p->count--; /* came with what is undone, and went later */
}

enum status store_then_open(const struct token_store *now, const json_t *history,
                            const char *digest, struct store_then **out)
{
    const json_t *changes = store_history_changes(history);
    struct store_then *t;
    size_t at = json_array_size(changes);

    while (at > 0 && strcmp(json_text(json_array_get(changes, at - 1), "before"), digest) != 0)
        at--;
    if (at == 0)
        return fail(ST_MISSING, "the store never had the digest %.16s", digest);
    t = mem_alloc(sizeof *t);
    t->now = now;
    for (int part = 0; part < TOKENS_PARTS; part++) {
        struct past *p = &t->parts[part];

        for (size_t i = json_array_size(changes); i >= at; i--)
            undo(p, (enum token_part)part, changes, i - 1);
        for (size_t i = 1; i < p->count; i++)
            p->gone[i].before = p->gone[i - 1].before + p->gone[i - 1].tokens;
        if (p->documents - p->count > token_store_documents(now, (enum token_part)part)) {
            store_then_close(t);
            return fail(ST_FORMAT,
                        "the history of the store says that %s had more documents than can be",
                        token_part_names[part]);
        }
    }
    *out = t;
    return ST_OK;
}

void store_then_close(struct store_then *t)
{
    if (t == NULL)
        return;
    for (int part = 0; part < TOKENS_PARTS; part++)
        free(t->parts[part].gone);
    free(t);
}

uint64_t store_then_documents(const struct store_then *t, enum token_part part)
{
    return t->parts[part].documents;
}

uint64_t store_then_tokens(const struct store_then *t, enum token_part part)
{
    return t->parts[part].tokens;
}

/* How many of those that went stand in front of document `index` of then. */
static size_t gone_before(const struct past *p, uint64_t index)
{
    size_t low = 0, high = p->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (p->gone[mid].document < index)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

uint64_t store_then_length(const struct store_then *t, enum token_part part, uint64_t index)
{
    const struct past *p = &t->parts[part];
    size_t before = gone_before(p, index);

    BUG_IF(index >= p->documents);
    if (before < p->count && p->gone[before].document == index)
        return p->gone[before].tokens;
    return token_store_length(t->now, part, index - before);
}

uint64_t store_then_first(const struct store_then *t, enum token_part part, uint64_t index)
{
    const struct past *p = &t->parts[part];
    size_t before = gone_before(p, index);
    uint64_t left = index - before, n = token_store_documents(t->now, part),
             gone = before > 0 ? p->gone[before - 1].before + p->gone[before - 1].tokens : 0;

    return gone +
           (left < n ? token_store_first(t->now, part, left) : token_store_tokens(t->now, part));
}

bool store_then_now(const struct store_then *t, enum token_part part, uint64_t index, uint64_t *now)
{
    const struct past *p = &t->parts[part];
    size_t before = gone_before(p, index);

    *now = index - before;
    return before == p->count || p->gone[before].document != index;
}

bool store_then_gone(const struct store_then *t, const struct store_tombstone *tombstone,
                     uint64_t *then)
{
    const struct past *p = &t->parts[tombstone->part];

    for (size_t i = 0; i < p->count; i++)
        if (p->gone[i].change == tombstone->change && p->gone[i].number == tombstone->document) {
            *then = p->gone[i].document;
            return true;
        }
    return false;
}
