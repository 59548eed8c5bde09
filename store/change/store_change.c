#include "store/change/store_change.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/platform.h"
#include "store/artifact/manifest.h"
#include "store/artifact/unfinished.h"
#include "store/tokens/store_history.h"

struct store_change {
    struct arena arena;
    struct amendment *amendment;
    struct token_store *store;
    json_t *history, *entry;
};

/* Is it a file that a change of a store writes, and may leave when it is killed? shard-00003.1.mdb,
 * and what a shard is called while it is written: .part, .new, .part.new behind it. */
static bool is_ours(const char *name)
{
    static const char *const tails[] = { ".new", ".part" };
    struct token_shard_id id;
    struct buf shard = { 0 };
    bool ours;

    buf_adds(&shard, name);
    for (size_t i = 0; i < 2; i++)
        if (str_ends_with(shard.p, tails[i]))
            shard.p[shard.n -= strlen(tails[i])] = 0;
    ours = token_shard_parse_name(shard.p, &id) || store_history_is_name(name);
    buf_release(&shard);
    return ours;
}

static json_t *parts_of(const struct token_store *s)
{
    json_t *parts = json_object();

    for (int p = 0; p < TOKENS_PARTS; p++)
        json_object_set_new(parts, token_part_names[p],
                            json_pack("{s:I, s:I}", "documents",
                                      (json_int_t)token_store_documents(s, (enum token_part)p),
                                      "tokens",
                                      (json_int_t)token_store_tokens(s, (enum token_part)p)));
    return parts;
}

/* PATH.work of a stage that was killed. */
static enum status clear_work(struct arena *a, const char *path)
{
    const char *work = arena_printf(a, "%s.work", path);
    struct unfinished u = { 0 };
    enum status st;

    if (!file_exists(path_join(a, work, "run.json")))
        return ST_OK;
    st = unfinished_open(&u, path);
    if (st == ST_OK)
        st = unfinished_remove(&u);
    unfinished_close(&u);
    if (st == ST_OK)
        log_info("removed '%s', which a stage that was killed left: it may hold the documents",
                 work);
    return st;
}

/* Temporary names of the store and its append: "tokens.tmp.4711", "tokens.append.tmp.4711". */
static enum status clear_leftovers(struct arena *a, const char *path)
{
    const char *base = path_base(path), *folder = path_join(a, path, "..");
    size_t n = strlen(base);
    struct dirent **names;
    enum status st = ST_OK;
    int count = scandir(folder, &names, NULL, alphasort);

    if (count < 0)
        return fail_errno(ST_IO, "cannot read the folder '%s'", folder);
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;

        if (st == ST_OK && strncmp(name, base, n) == 0 && name[n] == '.' && file_is_leftover(name))
            st = file_remove_tree(path_join(a, folder, name));
        free(names[i]);
    }
    free(names);
    return st;
}

/* What lies beside the store and may hold what is to go. */
static enum status clear_beside(struct store_change *c, const char *path)
{
    size_t n = strlen(path);
    const char *bare, *append;
    json_t *manifest;

    while (n > 1 && path[n - 1] == '/')
        n--;
    bare = arena_strndup(&c->arena, path, n);
    TRY(clear_leftovers(&c->arena, bare));
    append = arena_printf(&c->arena, "%s.append", bare);
    TRY(clear_work(&c->arena, bare));
    TRY(clear_work(&c->arena, append));
    if (!file_exists(path_join(&c->arena, append, MANIFEST_NAME)) ||
        artifact_open(append, "token-store", &manifest) != ST_OK)
        return ST_OK;
    json_decref(manifest);
    TRY(unfinished_take_away(&c->arena, append, append));
    log_info("removed '%s', which an append that was killed left: it may hold the documents",
             append);
    return ST_OK;
}

/* Where the path is a link, as a pipeline's `current` is, also beside the folder itself. */
static enum status clear_beside_both(struct store_change *c, const char *path)
{
    char *own = realpath(path, NULL);
    enum status st = clear_beside(c, path);

    if (st == ST_OK && own && strcmp(own, path) != 0)
        st = clear_beside(c, own);
    free(own);
    return st;
}

static enum status begin(struct store_change *c, const struct store_change_args *args)
{
    TRY(amend_begin(args->path, "token-store", &c->amendment));
    if (args->clear)
        TRY(amend_clear(c->amendment, is_ours));
    if (args->clear && strcmp(args->kind, "remove") == 0)
        TRY(clear_beside_both(c, args->path));
    TRY(token_store_open(args->path, &c->store));
    TRY(store_history_read(args->path, amend_before(c->amendment), &c->history));
    if (json_array_size(store_history_changes(c->history)) >= STORE_CHANGES_MOST)
        return fail(ST_LIMIT, "'%s' was changed %d times already; make it anew", args->path,
                    STORE_CHANGES_MOST);
    c->entry = json_pack("{s:s, s:s, s:o, s:[]}", "change", args->kind, "before",
                         artifact_digest(amend_before(c->amendment)), "parts", parts_of(c->store),
                         "shards");
    BUG_IF(c->entry == NULL);
    return ST_OK;
}

enum status store_change_begin(const struct store_change_args *args, struct store_change **out)
{
    struct store_change *c = mem_alloc(sizeof *c);
    enum status st = begin(c, args);

    if (st != ST_OK) {
        store_change_abort(c);
        return st;
    }
    *out = c;
    return ST_OK;
}

void store_change_abort(struct store_change *c)
{
    if (c == NULL)
        return;
    amend_abort(c->amendment);
    token_store_close(c->store);
    json_decref(c->history);
    json_decref(c->entry);
    arena_release(&c->arena);
    free(c);
}

const struct token_store *store_change_store(const struct store_change *c) { return c->store; }
struct amendment *store_change_amendment(struct store_change *c) { return c->amendment; }
json_t *store_change_entry(struct store_change *c) { return c->entry; }
const json_t *store_change_history(const struct store_change *c) { return c->history; }

/* ---- the manifest ---- */

static void add_count(json_t *counts, const char *key, int64_t n)
{
    json_int_t v = json_integer_value(json_object_get(counts, key));

    if (json_is_object(counts))
        json_object_set_new(counts, key, json_integer(v + n));
}

void store_change_count(struct store_change *c, enum token_part part,
                        const struct store_change_counts *n)
{
    json_t *counts = json_object_get(json_object_get(amend_manifest(c->amendment), "counts"),
                                     token_part_names[part]);

    add_count(counts, "documents", n->documents);
    add_count(counts, "tokens", n->tokens);
    add_count(counts, "text_bytes", n->text_bytes);
}

void store_change_count_shards(struct store_change *c, int64_t n)
{
    add_count(json_object_get(amend_manifest(c->amendment), "counts"), "shards", n);
}

/* object[key], a list, made if it is not there. */
static json_t *list_in(json_t *object, const char *key)
{
    if (!json_is_array(json_object_get(object, key)))
        json_object_set_new(object, key, json_array());
    return json_object_get(object, key);
}

static json_t *object_in(json_t *object, const char *key)
{
    if (!json_is_object(json_object_get(object, key)))
        json_object_set_new(object, key, json_object());
    return json_object_get(object, key);
}

static void add_input(struct store_change *c, const char *option, const char *digest,
                      const char *path)
{
    json_t *manifest = amend_manifest(c->amendment);

    json_array_append_new(list_in(object_in(manifest, "inputs"), option), json_string(digest));
    json_array_append_new(list_in(object_in(object_in(manifest, "aside"), "paths"), option),
                          json_text_of(path));
}

void store_change_input(struct store_change *c, const char *digest, const char *path)
{
    add_input(c, STORE_APPENDED_INPUT, digest, path);
}

/* When and where; the content says nothing of it. */
static void add_circumstances(struct store_change *c)
{
    json_t *aside = object_in(amend_manifest(c->amendment), "aside");
    time_t now = time(NULL);
    struct tm utc;
    char created[32];

    gmtime_r(&now, &utc);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_array_append_new(list_in(aside, "changes"),
                          json_pack("{s:s, s:s, s:s, s:s, s:s}", "change",
                                    json_text(c->entry, "change"), "before",
                                    json_text(c->entry, "before"), "created", created, "host",
                                    host_name(), "program", TUNDISH_VERSION));
}

static enum status write_history(struct store_change *c)
{
    json_t *history = c->history
                          ? json_incref(c->history)
                          : json_pack("{s:i, s:[]}", "history", STORE_HISTORY_VERSION, "changes");
    json_t *changes = json_object_get(history, "changes");
    size_t before = json_array_size(changes);
    struct buf text = { 0 };
    char name[40];
    enum status st;

    if (before > 0) {
        store_history_name(before, name);
        amend_drop(c->amendment, name);
    }
    json_array_append(changes, c->entry);
    store_history_name(before + 1, name);
    json_canonical(&text, history);
    buf_addc(&text, '\n');
    st = file_write_new(path_join(&c->arena, amend_path(c->amendment), name), text.p, text.n);
    if (st == ST_OK)
        amend_add(c->amendment, name);
    buf_release(&text);
    json_decref(history);
    return st;
}

enum status store_change_commit(struct store_change *c, char digest[SHA256_HEX])
{
    enum status st = write_history(c);

    if (st == ST_OK) {
        add_circumstances(c);
        add_input(c, STORE_HISTORY_INPUT, json_text(c->entry, "before"), amend_path(c->amendment));
        st = amend_commit(c->amendment, digest);
        c->amendment = NULL;
    }
    store_change_abort(c);
    return st;
}
