/* store remove: documents go from a token store, and leave a tombstone in its history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/change/store_change.h"
#include "store/change/store_find.h"
#include "store/change/store_forgotten.h"
#include "store/change/store_scan.h"
#include "store/store_cmd.h"
#include "store/tokens/store_history.h"

#define IDS_FILE_LIMIT ((uint64_t)1 << 30)

struct remove_options {
    const char *store, *file;
    struct opt_list ids, hashes;
    bool keep_ids, dry_run, json;
    int64_t threads;
};
#define S struct remove_options

static const struct opt options[] = {
    OPT_INPUT(S, store, "store", "the token store, which is changed in place",
              .flags = OPT_REQUIRED | OPT_POSITIONAL, .reads = "token-store"),
    OPT_LIST(S, ids, "id", "remove every document of this id", .value = "ID"),
    OPT_STR(S, file, "ids", NULL, "the same for each line of a file", .value = "FILE"),
    OPT_LIST(S, hashes, "hash", "remove every document whose text has this XXH3-64, in hex",
             .value = "HEX"),
    OPT_BOOL(S, keep_ids, "keep-ids", "false",
             "keep the removed ids readable in the store's history, not only their digests"),
    OPT_BOOL(S, dry_run, "dry-run", "false", "list what would be removed, and change nothing"),
    OPT_BOOL(S, json, "json", "false", "one JSON object a line instead of columns"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads that search; 0: all processors",
            .flags = OPT_NEUTRAL),
    OPT_END
};
#undef S

/* What is to go. */
struct wanted_id {
    const char *text;
    bool found;
};
struct wanted_hash {
    uint64_t hash;
    bool found, gone; /* gone: one with it was removed before */
};
/* What goes: by part, ascending. */
struct going {
    enum token_part part;
    uint64_t index;
    struct token_range document;
    struct token_shard_id shard;
};
struct removing {
    const struct remove_options *o;
    const struct token_store *store;
    struct store_change *change; /* NULL: nothing is changed */
    struct buf file;             /* of ids: NULs for line ends */
    struct wanted_id *ids;
    struct wanted_hash *hashes;
    size_t id_count, hash_count;
    struct going *going;
    size_t count, cap;
    bool *loses;                                    /* by shard's number */
    size_t shard_count;                             /* that lose documents */
    size_t gone;                                    /* ids and hashes that were removed before */
    size_t cursor[TOKENS_PARTS], end[TOKENS_PARTS]; /* into going, while shards are written */
};

/* ---- what is sought ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct wanted_id *)a)->text, ((const struct wanted_id *)b)->text);
}

static void add_id(struct removing *r, const char *text)
{
    if ((r->id_count & (r->id_count - 1)) == 0)
        r->ids = mem_grow(r->ids, r->id_count ? 2 * r->id_count : 1, sizeof *r->ids);
    r->ids[r->id_count++] = (struct wanted_id){ .text = text };
}

static enum status read_ids(struct removing *r)
{
    TRY(file_read(r->o->file, IDS_FILE_LIMIT, &r->file));
    if (r->file.n > 0 && memchr(r->file.p, 0, r->file.n))
        return fail(ST_FORMAT, "'%s' holds a NUL byte, want a line for each id", r->o->file);
    for (char *p = r->file.p, *end = p + r->file.n; p < end;) {
        char *line = p, *stop = memchr(p, '\n', (size_t)(end - p));

        p = stop ? stop + 1 : end;
        if (stop)
            *stop = 0;
        if (stop && stop > line && stop[-1] == '\r')
            stop[-1] = 0;
        if (*line)
            add_id(r, line);
    }
    return ST_OK;
}

static enum status collect_wanted(struct removing *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->o->ids.count; i++)
        add_id(r, r->o->ids.v[i]);
    if (r->o->file)
        TRY(read_ids(r));
    if (r->id_count > 0)
        qsort(r->ids, r->id_count, sizeof *r->ids, by_text);
    for (size_t i = 0; i < r->id_count; i++)
        if (kept == 0 || strcmp(r->ids[kept - 1].text, r->ids[i].text) != 0)
            r->ids[kept++] = r->ids[i];
    r->id_count = kept;
    r->hash_count = r->o->hashes.count;
    r->hashes = mem_array(r->hash_count + 1, sizeof *r->hashes);
    for (size_t i = 0; i < r->hash_count; i++)
        TRY(store_find_hash(r->o->hashes.v[i], &r->hashes[i].hash));
    if (r->id_count + r->hash_count == 0)
        return fail(ST_USAGE, "nothing to remove; want --id, --ids or --hash");
    return ST_OK;
}

static struct wanted_id *find_id(const struct removing *r, struct span id)
{
    size_t low = 0, high = r->id_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2, n = strlen(r->ids[mid].text),
               least = n < id.n ? n : id.n;
        int order = memcmp(r->ids[mid].text, id.p, least);

        if (order == 0 && n == id.n)
            return &r->ids[mid];
        if (order < 0 || (order == 0 && n < id.n))
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static bool wants(void *ctx, const struct token_range *d)
{
    const struct removing *r = ctx;

    for (size_t i = 0; i < r->hash_count; i++)
        if (r->hashes[i].hash == d->text_hash)
            return true;
    return find_id(r, d->id) != NULL;
}

static enum status keep(void *ctx, const struct store_find *f, bool *enough)
{
    struct removing *r = ctx;
    struct wanted_id *id = find_id(r, f->document.id);
    struct token_shard_place place;

    if (id)
        id->found = true;
    for (size_t i = 0; i < r->hash_count; i++)
        r->hashes[i].found |= r->hashes[i].hash == f->document.text_hash;
    if (r->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 16;
        r->going = mem_grow(r->going, r->cap, sizeof *r->going);
    }
    token_store_place(r->store, f->part, f->index, &place);
    r->going[r->count++] = (struct going){ f->part, f->index, f->document, place.shard };
    r->shard_count += !r->loses[place.shard.number];
    r->loses[place.shard.number] = true;
    return ST_OK;
}

static enum status note_hash(void *ctx, const struct store_tombstone *t)
{
    struct removing *r = ctx;

    for (size_t i = 0; i < r->hash_count; i++)
        r->hashes[i].gone |= r->hashes[i].hash == t->text_hash;
    return ST_OK;
}

/* What is not there because it was removed before counts as found, so that a list may be given
 * again, grown or after a kill. */
static void check_ids(struct removing *r, const struct store_forgotten *forgotten,
                      size_t *unknown, const char **first)
{
    for (size_t i = 0; i < r->id_count; i++) {
        if (r->ids[i].found)
            continue;
        if (store_forgotten_has(forgotten, span_of(r->ids[i].text))) {
            r->gone++;
            continue;
        }
        ++*unknown;
        *first = *first ? *first : r->ids[i].text;
    }
}

static enum status check_found(struct removing *r, const json_t *history)
{
    struct store_forgotten *forgotten = store_forgotten_new(history);
    size_t unknown = 0;
    const char *first = NULL;

    check_ids(r, forgotten, &unknown, &first);
    store_forgotten_free(forgotten);
    TRY(store_history_each(history, note_hash, r));
    if (first) {
        enum status st = store_find_no_such_id(r->store, r->o->store, first);

        return fail_within(st, "%zu of %zu ids are not there, nothing was removed: ", unknown,
                           r->id_count);
    }
    for (size_t i = 0; i < r->hash_count; i++)
        if (!r->hashes[i].found && r->hashes[i].gone)
            r->gone++;
        else if (!r->hashes[i].found)
            return fail(ST_FAILED,
                        "'%s' has no document whose text has the hash %016llx; nothing was removed",
                        r->o->store, (unsigned long long)r->hashes[i].hash);
    return ST_OK;
}

static enum status search(struct removing *r)
{
    struct pool *pool = pool_new((int)r->o->threads);
    const struct store_scan scan = {
        .store = r->store, .pool = pool, .part = -1, .wants = wants, .tell = keep, .ctx = r
    };
    json_t *history = NULL;
    enum status st = store_scan_documents(&scan);

    pool_free(pool);
    TRY(st);
    TRY(store_history_read(r->o->store, token_store_manifest(r->store), &history));
    st = check_found(r, history);
    json_decref(history);
    return st;
}

/* ---- telling ---- */

static void list(const struct removing *r, struct buf *lines)
{
    const struct store_find_line how = { .store = r->store, .json = r->o->json };

    for (size_t i = 0; i < r->count; i++)
        store_find_line(
            &how,
            &(struct store_find){ r->going[i].part, r->going[i].index, 0, r->going[i].document },
            lines);
}

static void summarise(const struct removing *r, const char *digest)
{
    uint64_t tokens = 0;
    char documents[28], count[28];

    for (size_t i = 0; i < r->count; i++)
        tokens += r->going[i].document.count;
    if (r->gone > 0)
        log_info("%s: %zu of the %zu ids and hashes were removed before", r->o->store, r->gone,
                 r->id_count + r->hash_count);
    if (r->count == 0)
        log_info("%s: nothing is left to remove; it is as it was", r->o->store);
    else if (digest == NULL)
        log_info("%s: %s documents with %s tokens would be removed, and %zu shards written anew; "
                 "nothing was changed",
                 r->o->store, str_count(r->count, documents), str_count(tokens, count),
                 r->shard_count);
    else
        log_info("%s: removed %s documents with %s tokens; %zu shards were written anew; its "
                 "digest is %.16s now",
                 r->o->store, str_count(r->count, documents), str_count(tokens, count),
                 r->shard_count, digest);
}

/* What an append that was killed has left beside the store holds documents, too. */
static void warn_of_append(const char *store)
{
    static const char *const tails[] = { ".append", ".append.work" };
    struct buf path = { 0 };
    size_t n = strlen(store);

    while (n > 1 && store[n - 1] == '/')
        n--;
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&path);
        buf_printf(&path, "%.*s%s", (int)n, store, tails[i]);
        if (file_exists(path.p))
            log_warn("'%s' is of an append that was not finished, and may hold what was removed; "
                     "append again, or remove it",
                     path.p);
    }
    buf_release(&path);
}

/* ---- removing ---- */

/* Asked in order, part by part, shard by shard. */
static bool goes(void *ctx, enum token_part part, uint64_t index)
{
    struct removing *r = ctx;
    size_t *at = &r->cursor[part];

    while (*at < r->end[part] && r->going[*at].index < index)
        ++*at;
    return *at < r->end[part] && r->going[*at].index == index;
}

static void find_parts(struct removing *r)
{
    size_t i = 0;

    for (int p = 0; p < TOKENS_PARTS; p++) {
        r->cursor[p] = i;
        while (i < r->count && r->going[i].part == (enum token_part)p)
            i++;
        r->end[p] = i;
    }
}

static enum status rewrite(struct removing *r, size_t i, struct token_shard_id shard)
{
    const struct store_rewrite how = { .shard = i, .goes = goes, .ctx = r };
    char was[TOKEN_SHARD_NAME], is[TOKEN_SHARD_NAME];

    TRY(store_change_rewrite(r->change, &how, is));
    token_shard_name(shard, was);
    json_array_append_new(json_object_get(store_change_entry(r->change), "shards"),
                          json_pack("{s:s, s:s}", "was", was, "is", is));
    return ST_OK;
}

static enum status rewrite_all(struct removing *r)
{
    enum status st = ST_OK;

    find_parts(r);
    progress_start("writing shards anew", "tokens", 0);
    for (size_t i = 0; st == ST_OK && i < token_store_shards(r->store); i++) {
        struct token_shard_place place;

        token_store_shard_place(r->store, i, TOKENS_TRAIN, &place);
        if (r->loses[place.shard.number])
            st = rewrite(r, i, place.shard);
    }
    progress_end();
    return st;
}

static json_t *tombstone(const struct removing *r, const struct going *g)
{
    char shard[TOKEN_SHARD_NAME], hash[SHA256_HEX], text_hash[24];
    json_t *t;

    token_shard_name(g->shard, shard);
    store_history_hash(json_text(store_change_entry(r->change), "before"), g->document.id, hash);
    snprintf(text_hash, sizeof text_hash, "%016llx", (unsigned long long)g->document.text_hash);
    t = json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s}", "part", token_part_names[g->part],
                  "document", (json_int_t)g->index, "first", (json_int_t)g->document.first,
                  "tokens", (json_int_t)g->document.count, "text_hash", text_hash, "shard", shard,
                  "id_hash", hash);
    BUG_IF(t == NULL);
    if (r->o->keep_ids) {
        struct buf id = { 0 };

        buf_add(&id, g->document.id.p ? g->document.id.p : "", g->document.id.n);
        json_object_set_new(t, "id", json_text_of(id.p));
        buf_release(&id);
    }
    return t;
}

static void count_out(struct removing *r)
{
    struct store_change_counts less[TOKENS_PARTS] = { { 0 } };
    json_t *removed = json_array();

    for (size_t i = 0; i < r->count; i++) {
        const struct going *g = &r->going[i];

        less[g->part].documents--;
        less[g->part].tokens -= (int64_t)g->document.count;
        less[g->part].text_bytes -= (int64_t)g->document.text_bytes;
        json_array_append_new(removed, tombstone(r, g));
    }
    for (int p = 0; p < TOKENS_PARTS; p++)
        store_change_count(r->change, (enum token_part)p, &less[p]);
    json_object_set_new(store_change_entry(r->change), "removed", removed);
}

static enum status remove_all(struct removing *r, struct buf *lines, char digest[SHA256_HEX])
{
    struct store_change *change = r->change;

    TRY(rewrite_all(r));
    count_out(r);
    list(r, lines); /* while the store is open */
    r->change = NULL;
    return store_change_commit(change, digest);
}

static enum status change(struct removing *r)
{
    const struct store_change_args args = { .path = r->o->store, .kind = "remove", .clear = true };
    struct buf lines = { 0 };
    char digest[SHA256_HEX];
    enum status st;

    TRY(store_change_begin(&args, &r->change));
    r->store = store_change_store(r->change);
    st = search(r);
    if (st == ST_OK && r->count > 0)
        st = remove_all(r, &lines, digest);
    if (st == ST_OK)
        st = output_stream(&lines);
    if (st == ST_OK)
        summarise(r, digest);
    if (st == ST_OK)
        warn_of_append(r->o->store);
    store_change_abort(r->change);
    buf_release(&lines);
    return st;
}

static enum status try_out(struct removing *r)
{
    struct buf lines = { 0 };
    struct token_store *store;
    enum status st;

    TRY(token_store_open(r->o->store, &store));
    r->store = store;
    st = search(r);
    if (st == ST_OK) {
        list(r, &lines);
        summarise(r, NULL);
        st = output_stream(&lines);
    }
    buf_release(&lines);
    token_store_close(store);
    return st;
}

static enum status run_remove(struct arena *a, void *cfg)
{
    struct removing r = { .o = cfg, .loses = mem_array(TOKEN_SHARDS_MAX, sizeof *r.loses) };
    enum status st = collect_wanted(&r);

    (void)a;
    if (st == ST_OK)
        st = r.o->dry_run ? try_out(&r) : change(&r);
    buf_release(&r.file);
    free(r.ids);
    free(r.hashes);
    free(r.going);
    free(r.loses);
    return st;
}

const struct command cmd_store_remove = {
    .name = "store remove",
    .summary = "take documents out of a token store, in place",
    .details =
        "Every document of these ids goes from both parts. Shards without one stay as they are;\n"
        "the others are written anew without it, and the old files are removed when the new\n"
        "ones are in place: a kill leaves the old store or the new one. (What the file system\n"
        "does with the blocks of a removed file is its own matter: a disk that must not keep\n"
        "them wants encryption or a trim.) Where an id is not there nothing is changed, and it\n"
        "ends with status 1.\n"
        "The store's history keeps a tombstone: part, number, place, length and hash of the\n"
        "text, and a digest of the id, by which `tundish lineage --document ID` still tells\n"
        "what was made with it. The store has another digest then: what was trained on the old\n"
        "one stays as it was. An id that was removed before is passed over, so a list that\n"
        "grows can be given again. What killed stages left of the store beside it (STORE.work,\n"
        "STORE.append) goes, too.\n"
        "The documents stay in the corpus and its sources, in other stores made of it, and in\n"
        "what models learned: `tundish lineage STORE --document ID` lists those.\n\n"
        "  tundish store remove tokens --id patient-4711 --dry-run\n"
        "  tundish store remove tokens --ids forget.txt",
    .opts = options,
    .cfg_size = sizeof(struct remove_options),
    .run = run_remove,
};
