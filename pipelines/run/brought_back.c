#include "pipelines/run/brought_back.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/artifact/artifact.h"
#include "store/change/store_forgotten.h"
#include "store/tokens/store_history.h"
#include "store/tokens/tokens.h"

/* "tokens-0865aad86fcd", but not "tokens-0865aad86fcd.key" or "tokens-more-0865aad86fcd" */
static bool is_of_stage(const struct brought_back *q, const char *name)
{
    size_t n = strlen(q->stage);

    return strncmp(name, q->stage, n) == 0 && name[n] == '-' && name[n + 1] != 0 &&
           strspn(name + n + 1, "0123456789abcdef") == strlen(name + n + 1) &&
           strcmp(name, path_base(q->artifact)) != 0;
}

static enum status read_history(const char *path, json_t **out)
{
    json_t *manifest;
    enum status st;

    TRY(artifact_open(path, "token-store", &manifest));
    st = store_history_read(path, manifest, out);
    json_decref(manifest);
    return st;
}

static enum status count(const char *path, const struct store_forgotten *forgotten,
                         uint64_t *documents)
{
    struct token_store *s;
    enum status st = ST_OK;

    TRY(token_store_open(path, &s));
    for (int p = 0; p < TOKENS_PARTS; p++)
        for (uint64_t i = 0; st == ST_OK && i < token_store_documents(s, (enum token_part)p); i++) {
            struct token_range d;

            st = token_store_document(s, (enum token_part)p, i, &d);
            *documents += st == ST_OK && store_forgotten_has(forgotten, d.id);
        }
    token_store_close(s);
    return st;
}

static void compare(const struct brought_back *q, const char *before)
{
    struct store_forgotten *forgotten;
    json_t *history = NULL;
    uint64_t documents = 0;

    if (read_history(before, &history) != ST_OK)
        return;
    forgotten = store_forgotten_new(history);
    if (forgotten && count(q->artifact, forgotten, &documents) == ST_OK && documents > 0)
        log_warn("%llu documents of '%s' have ids that were removed from '%s': its corpus still "
                 "has them; take them out of the corpus's sources, or out of this store with "
                 "`tundish store remove`",
                 (unsigned long long)documents, q->artifact, before);
    store_forgotten_free(forgotten);
    json_decref(history);
}

void brought_back_warn(const struct brought_back *q)
{
    struct arena a = { 0 };
    struct dirent **names = NULL;
    int n = scandir(q->work->artifacts, &names, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        if (is_of_stage(q, names[i]->d_name))
            compare(q, path_join(&a, q->work->artifacts, names[i]->d_name));
        free(names[i]);
    }
    free(names);
    arena_release(&a);
}
