#include "store/change/store_forgotten.h"

#include <stdlib.h>
#include <string.h>

#include "store/tokens/store_history.h"

/* The ids that one change removed. */
struct forgetting {
    const char *before;
    const char **hashes; /* sorted */
    size_t count;
};
struct store_forgotten {
    struct forgetting *changes;
    size_t count;
};

static int by_hash(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void collect(struct forgetting *f, const json_t *change)
{
    const json_t *removed = json_object_get(change, "removed");

    f->before = json_text(change, "before");
    f->count = json_array_size(removed);
    f->hashes = mem_array(f->count + 1, sizeof *f->hashes);
    for (size_t i = 0; i < f->count; i++)
        f->hashes[i] = json_text(json_array_get(removed, i), "id_hash");
    if (f->count > 0)
        qsort(f->hashes, f->count, sizeof *f->hashes, by_hash);
}

struct store_forgotten *store_forgotten_new(const json_t *history)
{
    const json_t *changes = store_history_changes(history);
    struct store_forgotten *f = mem_alloc(sizeof *f);

    f->changes = mem_array(json_array_size(changes) + 1, sizeof *f->changes);
    for (size_t i = 0; i < json_array_size(changes); i++)
        if (json_array_size(json_object_get(json_array_get(changes, i), "removed")) > 0)
            collect(&f->changes[f->count++], json_array_get(changes, i));
    if (f->count > 0)
        return f;
    store_forgotten_free(f);
    return NULL;
}

void store_forgotten_free(struct store_forgotten *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->count; i++)
        free(f->changes[i].hashes);
    free(f->changes);
    free(f);
}

bool store_forgotten_has(const struct store_forgotten *f, struct span id)
{
    for (size_t i = 0; f && i < f->count; i++) {
        char hash[SHA256_HEX];
        const char *key = hash;

        store_history_hash(f->changes[i].before, id, hash);
        if (bsearch(&key, f->changes[i].hashes, f->changes[i].count, sizeof key, by_hash) != NULL)
            return true;
    }
    return false;
}
