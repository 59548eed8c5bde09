#include "store/tokens/store_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"
#include "store/tokens/token_format.h"

#define HISTORY_LIMIT ((uint64_t)1 << 30)
#define COUNT_MOST    (INT64_C(1) << 46)

void store_history_name(size_t changes, char out[40])
{
    snprintf(out, 40, "history-%zu.json", changes);
}

bool store_history_is_name(const char *name)
{
    size_t digits = strncmp(name, "history-", 8) == 0 ? strspn(name + 8, "0123456789") : 0;

    return digits > 0 && strcmp(name + 8 + digits, ".json") == 0;
}

bool store_history_had(const json_t *manifest, const char *digest)
{
    const json_t *before =
        json_object_get(json_object_get(manifest, "inputs"), STORE_HISTORY_INPUT);
    bool had = false;

    if (strcmp(json_text(manifest, "kind"), "token-store") != 0)
        return false;
    for (size_t i = 0; !had && i < json_array_size(before); i++)
        had = json_is_string(json_array_get(before, i)) &&
              strcmp(json_string_value(json_array_get(before, i)), digest) == 0;
    return had;
}

const json_t *store_history_changes(const json_t *history)
{
    return json_object_get(history, "changes");
}

void store_history_hash(const char *before, struct span id, char out[SHA256_HEX])
{
    struct sha256 *h = sha256_new();

    sha256_add(h, before, strlen(before));
    sha256_add(h, id.p ? id.p : "", id.n);
    sha256_finish(h, out);
}

/* ---- checking ---- */

static enum status check_count(const json_t *o, const char *key, const char *what)
{
    uint64_t v;

    return token_get_count(o, key, what, COUNT_MOST, &v);
}

static enum status check_parts(const json_t *change, const char *what)
{
    const json_t *parts = json_object_get(change, "parts");

    for (int p = 0; p < TOKENS_PARTS; p++) {
        const json_t *part = json_object_get(parts, token_part_names[p]);

        TRY(check_count(part, "documents", what));
        TRY(check_count(part, "tokens", what));
    }
    return ST_OK;
}

static int part_of(const json_t *tombstone)
{
    const char *name = json_string_value(json_object_get(tombstone, "part"));

    for (int p = 0; name && p < TOKENS_PARTS; p++)
        if (strcmp(name, token_part_names[p]) == 0)
            return p;
    return -1;
}

static uint64_t count_of(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(o, key));
}

static enum status check_tombstone(const json_t *t, const json_t *change, const char *what)
{
    const json_t *id = json_object_get(t, "id");
    const char *hash, *shard;
    int part = part_of(t);
    uint64_t documents, tokens;

    if (part < 0)
        return fail(ST_FORMAT, "%s: a removed document's part is none of train and validation",
                    what);
    TRY(check_count(t, "document", what));
    TRY(check_count(t, "first", what));
    TRY(check_count(t, "tokens", what));
    TRY(json_get_str(t, "shard", what, &shard));
    TRY(json_get_str(t, "id_hash", what, &hash));
    if (!manifest_is_digest(hash) || (id && !json_is_string(id)))
        return fail(ST_FORMAT,
                    "%s: a removed document's id_hash is '%.80s', want 64 hex digits; its id a "
                    "text, or absent",
                    what, hash);
    TRY(json_get_str(t, "text_hash", what, &hash));
    if (strlen(hash) != 16 || strspn(hash, "0123456789abcdef") != 16)
        return fail(ST_FORMAT, "%s: a removed document's text_hash is '%.80s', want 16 hex digits",
                    what, hash);
    documents = count_of(json_object_get(json_object_get(change, "parts"), token_part_names[part]),
                         "documents");
    tokens = count_of(json_object_get(json_object_get(change, "parts"), token_part_names[part]),
                      "tokens");
    if (count_of(t, "document") >= documents ||
        count_of(t, "first") + count_of(t, "tokens") > tokens)
        return fail(ST_FORMAT,
                    "%s: a removed document is number %llu of %s, which had %llu of %llu tokens",
                    what, (unsigned long long)count_of(t, "document"), token_part_names[part],
                    (unsigned long long)documents, (unsigned long long)tokens);
    return ST_OK;
}

/* By part, then ascending: which lets the store as it was be rebuilt by merging. */
static enum status check_removed(const json_t *change, const char *what)
{
    const json_t *removed = json_object_get(change, "removed");
    json_t *t, *last = NULL;
    size_t i;

    if (!json_is_array(removed))
        return fail(ST_FORMAT, "%s: a change 'remove' has no list 'removed'", what);
    json_array_foreach((json_t *)(uintptr_t)removed, i, t)
    {
        TRY(check_tombstone(t, change, what));
        if (last &&
            (part_of(last) > part_of(t) || (part_of(last) == part_of(t) &&
                                            count_of(last, "document") >= count_of(t, "document"))))
            return fail(ST_FORMAT, "%s: removed documents are not in order (number %llu)", what,
                        (unsigned long long)count_of(t, "document"));
        last = t;
    }
    return ST_OK;
}

static enum status check_change(const json_t *change, const char *what)
{
    const char *kind, *before;

    TRY(json_get_str(change, "change", what, &kind));
    TRY(json_get_str(change, "before", what, &before));
    if (!manifest_is_digest(before))
        return fail(ST_FORMAT, "%s: 'before' is '%.80s', want 64 lower-case hex digits", what,
                    before);
    if (!json_is_array(json_object_get(change, "shards")))
        return fail(ST_FORMAT, "%s: a change has no list 'shards'", what);
    TRY(check_parts(change, what));
    if (strcmp(kind, "remove") == 0)
        return check_removed(change, what);
    if (strcmp(kind, "append") != 0)
        return fail(ST_UNSUPPORTED, "%s: a change '%.40s', want append or remove", what, kind);
    if (json_object_get(change, "removed") != NULL)
        return fail(ST_FORMAT, "%s: a change 'append' has a list 'removed'", what);
    return ST_OK;
}

static enum status check_history(const json_t *history, const char *what)
{
    const json_t *changes = store_history_changes(history);
    json_t *change;
    int64_t version;
    size_t i;

    TRY(json_get_int(history, "history", what, &version));
    if (version != STORE_HISTORY_VERSION)
        return fail(ST_UNSUPPORTED, "%s: version %lld of a history, this program reads version %d",
                    what, (long long)version, STORE_HISTORY_VERSION);
    if (json_array_size(changes) == 0 || json_array_size(changes) > STORE_CHANGES_MOST)
        return fail(ST_FORMAT, "%s: 'changes' is no list of 1 to %d", what, STORE_CHANGES_MOST);
    json_array_foreach((json_t *)(uintptr_t)changes, i, change) TRY(check_change(change, what));
    return ST_OK;
}

enum status store_history_parse(const char *what, const char *text, size_t n, json_t **out)
{
    enum status st;

    TRY(json_parse(text, n, what, out));
    st = check_history(*out, what);
    if (st != ST_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

/* The one history file that the manifest names, or NULL; ST_FORMAT for several. */
static enum status find_name(const char *store, const json_t *manifest, const char **out)
{
    const char *name;
    json_t *file;

    *out = NULL;
    json_object_foreach(json_object_get(manifest, "files"), name, file)
    {
        if (!store_history_is_name(name))
            continue;
        if (*out)
            return fail(ST_FORMAT, "'%s' has two histories, '%s' and '%s', want one", store, *out,
                        name);
        *out = name;
    }
    return ST_OK;
}

enum status store_history_read(const char *store, const json_t *manifest, json_t **out)
{
    struct arena a = { 0 };
    struct buf text = { 0 };
    const char *name, *path;
    char want[40];
    enum status st;

    *out = NULL;
    TRY(find_name(store, manifest, &name));
    if (name == NULL)
        return ST_OK;
    path = path_join(&a, store, name);
    st = artifact_verify_file(store, manifest, name);
    if (st == ST_OK)
        st = file_read(path, HISTORY_LIMIT, &text);
    if (st == ST_OK)
        st = store_history_parse(path, text.p, text.n, out);
    if (st == ST_OK) {
        store_history_name(json_array_size(store_history_changes(*out)), want);
        if (strcmp(name, want) != 0) {
            st = fail(ST_FORMAT,
                      "'%s' holds another number of changes than its name says, want '%s'", path,
                      want);
            json_decref(*out);
            *out = NULL;
        }
    }
    buf_release(&text);
    arena_release(&a);
    return st;
}

/* ---- removed documents ---- */

static struct store_tombstone tombstone_of(const json_t *t, size_t change)
{
    return (struct store_tombstone){
        .change = change,
        .part = (enum token_part)part_of(t),
        .document = count_of(t, "document"),
        .first = count_of(t, "first"),
        .tokens = count_of(t, "tokens"),
        .text_hash = strtoull(json_text(t, "text_hash"), NULL, 16),
        .shard = json_text(t, "shard"),
        .id = json_string_value(json_object_get(t, "id")),
    };
}

static enum status tell_change(const json_t *change, size_t number, const struct span *id,
                               store_tombstone_fn *tell, void *ctx)
{
    char hash[SHA256_HEX] = "";
    json_t *t;
    size_t i;

    if (id)
        store_history_hash(json_text(change, "before"), *id, hash);
    json_array_foreach(json_object_get(change, "removed"), i, t)
    {
        struct store_tombstone told = tombstone_of(t, number);

        if (id == NULL || strcmp(json_text(t, "id_hash"), hash) == 0)
            TRY(tell(ctx, &told));
    }
    return ST_OK;
}

static enum status tell_all(const json_t *history, const struct span *id, store_tombstone_fn *tell,
                            void *ctx)
{
    json_t *change;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)store_history_changes(history), i, change)
        TRY(tell_change(change, i, id, tell, ctx));
    return ST_OK;
}

enum status store_history_find(const json_t *history, struct span id, store_tombstone_fn *tell,
                               void *ctx)
{
    return tell_all(history, &id, tell, ctx);
}

enum status store_history_each(const json_t *history, store_tombstone_fn *tell, void *ctx)
{
    return tell_all(history, NULL, tell, ctx);
}
