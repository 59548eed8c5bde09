/* store append: the documents of a corpus come behind those of a token store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/pool.h"
#include "store/artifact/unfinished.h"
#include "store/change/store_change.h"
#include "store/change/store_forgotten.h"
#include "store/change/store_scan.h"
#include "store/tokens/store_history.h"
#include "tokenize/stage/stage.h"
#include "tokenize/store_fill_cmd.h"
#include "tokenize/tokenize_cmd.h"

struct append_options {
    const char *store, *corpus;
    bool skip_known, take_removed;
    int64_t threads;
};
#define S struct append_options

static const struct opt options[] = {
    OPT_INPUT(S, store, "store", "the token store, which is changed in place",
              .flags = OPT_REQUIRED | OPT_POSITIONAL, .reads = "token-store"),
    OPT_INPUT(S, corpus, "corpus", "what to append: a corpus, or .jsonl, .jsonl.zst or .txt files",
              .flags = OPT_REQUIRED, .reads = "corpus"),
    OPT_BOOL(S, skip_known, "skip-known", "false",
             "leave out documents that the store has already (same id, same text)"),
    OPT_BOOL(S, take_removed, "take-removed", "false",
             "also take documents whose ids were removed from the store"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_END
};
#undef S

enum mark { MARK_OUT = 1, MARK_KNOWN = 2 }; /* left out; in the store already */

/* A document that comes, by the hash of its text. */
struct comer {
    uint64_t hash, index;
    enum token_part part;
};
struct appending {
    const struct append_options *o;
    struct arena arena;
    struct store_change *change;
    const struct token_store *store;
    struct tokenize_options stage; /* how what comes is encoded: as the store was */
    struct token_store *fresh;     /* what comes: STORE.append */
    char corpus[SHA256_HEX];
    struct comer *comers; /* by hash */
    size_t count;
    unsigned char *marks[TOKENS_PARTS]; /* of documents, by number in fresh */
    uint64_t known, removed, left_out;
    uint32_t next_shard;
    struct store_change_counts more[TOKENS_PARTS];
};

/* ---- encoding ---- */

static double real_of(const json_t *options, const char *name, double fallback)
{
    const json_t *v = json_object_get(options, name);

    return json_is_number(v) ? json_number_value(v) : fallback;
}

/* The options that the store was made with: a document gets into the part that it would have got
 * into then. */
static void plan_stage(struct appending *a)
{
    const json_t *made_by =
                     json_object_get(amend_before(store_change_amendment(a->change)), "made_by"),
                 *made = json_object_get(made_by, "options");
    size_t n = strlen(a->o->store); /* store_change.h knows the name of STORE.append, too */

    while (n > 1 && a->o->store[n - 1] == '/')
        n--;
    a->stage = (struct tokenize_options){
        .tokenizer = path_join(&a->arena, a->o->store, "tokenizer.json"),
        .corpus = a->o->corpus,
        .out = arena_printf(&a->arena, "%.*s.append", (int)n, a->o->store),
        .learn_only = json_string_value(json_object_get(made, "learn-only")),
        .validation = real_of(made, "validation", 0.02),
        .group_bytes = (uint64_t)real_of(made, "group-bytes", 256 << 20),
        .shard_tokens = (int64_t)real_of(made, "shard-tokens", 1e8),
        .threads = a->o->threads,
        .tokenizer_digest = token_store_tokenizer(a->store),
    };
}

/* STORE.append that an append left which was killed behind the encoding. */
static bool is_encoded(const struct appending *a)
{
    json_t *manifest, *made = opt_record(cmd_tokenize.opts, &a->stage);
    const json_t *corpus;
    bool same = false;

    if (artifact_open(a->stage.out, "token-store", &manifest) == ST_OK) {
        corpus = json_array_get(json_object_get(json_object_get(manifest, "inputs"), "corpus"), 0);
        same = json_equal(json_object_get(json_object_get(manifest, "made_by"), "options"), made) &&
               json_is_string(corpus) && strcmp(json_string_value(corpus), a->corpus) == 0;
        json_decref(manifest);
    }
    json_decref(made);
    return same;
}

/* STORE.append.before: the digest of the store that is about to be changed. It is written before the change and
 * removed last, so that a run that was killed behind the change is told from one that is to append the same once
 * more. */
static const char *note_path(struct appending *a)
{
    return arena_printf(&a->arena, "%s.before", a->stage.out);
}

static enum status note_before(struct appending *a)
{
    const char *digest = artifact_digest(amend_before(store_change_amendment(a->change)));

    return file_write_atomic(note_path(a), digest, strlen(digest));
}

/* Is the store's last change this very append, whose run was killed before it could say so? */
static enum status was_done(struct appending *a, bool *done)
{
    const json_t *changes = store_history_changes(store_change_history(a->change)),
                 *last = json_array_get(changes, json_array_size(changes) - 1);
    struct buf before = { 0 };
    enum status st = ST_OK;

    if (file_exists(note_path(a)))
        st = file_read(note_path(a), SHA256_HEX, &before);
    *done = st == ST_OK && before.n > 0 && strcmp(json_text(last, "before"), before.p) == 0 &&
            strcmp(json_text(last, "corpus"), a->corpus) == 0;
    buf_release(&before);
    return st;
}

/* Folders go by a rename first: a kill leaves no half of one under its name. */
static enum status remove_work(struct appending *a)
{
    const char *out = a->stage.out, *work = arena_printf(&a->arena, "%s.work", out);

    if (file_exists(work))
        TRY(unfinished_take_away(&a->arena, work, out));
    if (file_exists(out))
        TRY(unfinished_take_away(&a->arena, out, out));
    TRY(file_remove_leftovers(out));
    return file_remove_tree(note_path(a));
}

static enum status encode(struct appending *a)
{
    if (!file_exists(a->stage.out) || !is_encoded(a))
        TRY(tokenize_stage(&cmd_tokenize, &a->stage));
    TRY(token_store_open(a->stage.out, &a->fresh));
    if (strcmp(token_store_tokenizer(a->fresh), token_store_tokenizer(a->store)) != 0)
        return fail(ST_CONFIG, "'%s' was encoded for a store of another tokenizer (%.16s, this one has %.16s); remove "
                               "it, and append again",
                    a->stage.out, token_store_tokenizer(a->fresh), token_store_tokenizer(a->store));
    if (token_store_vocab(a->fresh) != token_store_vocab(a->store))
        return fail(ST_FORMAT, "'%s' has %u entries, but the store's shards say %u",
                    a->stage.tokenizer, token_store_vocab(a->fresh), token_store_vocab(a->store));
    return ST_OK;
}

/* ---- what is left out ---- */

static int by_hash(const void *x, const void *y)
{
    const struct comer *a = x, *b = y;

    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* The first that comes with this hash, or NULL. */
static const struct comer *find_comer(const struct appending *a, uint64_t hash)
{
    size_t low = 0, high = a->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (a->comers[mid].hash < hash)
            low = mid + 1;
        else
            high = mid;
    }
    return low < a->count && a->comers[low].hash == hash ? &a->comers[low] : NULL;
}

static bool may_be_known(void *ctx, const struct token_range *d)
{
    return find_comer(ctx, d->text_hash) != NULL;
}

static enum status note_known(void *ctx, const struct store_find *f, bool *enough)
{
    struct appending *a = ctx;
    const struct comer *c = find_comer(a, f->document.text_hash), *end = a->comers + a->count;

    for (; c < end && c->hash == f->document.text_hash; c++) {
        unsigned char *mark = &a->marks[c->part][c->index];
        struct token_range d;

        TRY(token_store_document(a->fresh, c->part, c->index, &d));
        if (*mark != 0 || d.id.n != f->document.id.n ||
            memcmp(d.id.p, f->document.id.p, d.id.n) != 0)
            continue;
        *mark = MARK_KNOWN | (a->o->skip_known ? MARK_OUT : 0);
        a->known++;
        a->left_out += a->o->skip_known;
    }
    return ST_OK;
}

static enum status find_known(struct appending *a)
{
    struct pool *pool = pool_new((int)a->o->threads);
    const struct store_scan scan = { .store = a->store,
                                     .pool = pool,
                                     .part = -1,
                                     .wants = may_be_known,
                                     .tell = note_known,
                                     .ctx = a };
    enum status st = store_scan_documents(&scan);

    pool_free(pool);
    return st;
}

static enum status list_part(struct appending *a, enum token_part part,
                             const struct store_forgotten *forgotten)
{
    for (uint64_t i = 0; i < token_store_documents(a->fresh, part); i++) {
        struct token_range d;

        TRY(token_store_document(a->fresh, part, i, &d));
        a->comers[a->count++] = (struct comer){ d.text_hash, i, part };
        if (store_forgotten_has(forgotten, d.id)) {
            a->removed++;
            a->left_out += !a->o->take_removed;
            a->marks[part][i] = a->o->take_removed ? 0 : MARK_OUT;
        }
    }
    return ST_OK;
}

static enum status choose(struct appending *a)
{
    struct store_forgotten *forgotten = store_forgotten_new(store_change_history(a->change));
    uint64_t all = 0;
    enum status st = ST_OK;

    for (int p = 0; p < TOKENS_PARTS; p++) {
        uint64_t n = token_store_documents(a->fresh, (enum token_part)p);

        a->marks[p] = mem_array(n + 1, sizeof *a->marks[p]);
        all += n;
    }
    a->comers = mem_array(all + 1, sizeof *a->comers);
    for (int p = 0; st == ST_OK && p < TOKENS_PARTS; p++)
        st = list_part(a, (enum token_part)p, forgotten);
    store_forgotten_free(forgotten);
    TRY(st);
    qsort(a->comers, a->count, sizeof *a->comers, by_hash);
    return find_known(a);
}

/* ---- placing the shards ---- */

static bool goes(void *ctx, enum token_part part, uint64_t index)
{
    return ((const struct appending *)ctx)->marks[part][index] & MARK_OUT;
}

/* Documents of a shard that stay; their counts are added. */
static enum status count_staying(struct appending *a, size_t shard, uint64_t *stay, uint64_t *all)
{
    *stay = *all = 0;
    for (int p = 0; p < TOKENS_PARTS; p++) {
        struct token_shard_place place;

        token_store_shard_place(a->fresh, shard, (enum token_part)p, &place);
        *all += place.count;
        for (uint64_t i = place.first; i < place.first + place.count; i++) {
            struct token_range d;

            if (goes(a, (enum token_part)p, i))
                continue;
            TRY(token_store_document(a->fresh, (enum token_part)p, i, &d));
            a->more[p].documents++;
            a->more[p].tokens += (int64_t)d.count;
            a->more[p].text_bytes += (int64_t)d.text_bytes;
            ++*stay;
        }
    }
    return ST_OK;
}

static enum status link_shard(struct appending *a, size_t shard, const char *name)
{
    const json_t *files = json_object_get(token_store_manifest(a->fresh), "files");
    struct amendment *m = store_change_amendment(a->change);
    struct token_shard_place place;
    char from[TOKEN_SHARD_NAME];
    bool copied;

    token_store_shard_place(a->fresh, shard, TOKENS_TRAIN, &place);
    token_shard_name(place.shard, from);
    TRY(file_link_or_copy(path_join(&a->arena, a->stage.out, from),
                          path_join(&a->arena, amend_path(m), name), &copied));
    amend_add_known(m, name, json_object_get(files, from));
    return ST_OK;
}

static enum status place_shard(struct appending *a, size_t shard)
{
    const struct store_rewrite without = { .shard = shard, .goes = goes, .ctx = a };
    struct amendment *m = store_change_amendment(a->change);
    char name[TOKEN_SHARD_NAME];
    uint64_t stay, all;

    TRY(count_staying(a, shard, &stay, &all));
    if (stay == 0)
        return ST_OK;
    if (a->next_shard >= TOKEN_SHARDS_MAX)
        return fail(ST_LIMIT,
                    "'%s' would get more than %d shards; make it anew with a larger --shard-tokens",
                    a->o->store, TOKEN_SHARDS_MAX);
    token_shard_name((struct token_shard_id){ .number = a->next_shard++ }, name);
    if (stay == all) {
        TRY(link_shard(a, shard, name));
    } else {
        TRY(store_copy_shard(a->fresh, &without, path_join(&a->arena, amend_path(m), name)));
        amend_add(m, name);
    }
    json_array_append_new(json_object_get(store_change_entry(a->change), "shards"),
                          json_string(name));
    return ST_OK;
}

static enum status place_shards(struct appending *a)
{
    struct token_shard_place last;

    token_store_shard_place(a->store, token_store_shards(a->store) - 1, TOKENS_TRAIN, &last);
    a->next_shard = last.shard.number + 1;
    for (size_t i = 0; i < token_store_shards(a->fresh); i++)
        TRY(place_shard(a, i));
    return ST_OK;
}

/* ---- the change ---- */

static void describe(struct appending *a)
{
    json_t *entry = store_change_entry(a->change), *appended = json_object();

    for (int p = 0; p < TOKENS_PARTS; p++) {
        json_object_set_new(appended, token_part_names[p],
                            json_pack("{s:I, s:I}", "documents", (json_int_t)a->more[p].documents,
                                      "tokens", (json_int_t)a->more[p].tokens));
        store_change_count(a->change, (enum token_part)p, &a->more[p]);
    }
    json_object_set_new(entry, "corpus", json_string(a->corpus));
    json_object_set_new(entry, "appended", appended);
    json_object_set_new(entry, "left_out", json_integer((json_int_t)a->left_out));
    store_change_count_shards(a->change,
                              (int64_t)json_array_size(json_object_get(entry, "shards")));
    store_change_input(a->change, a->corpus, a->o->corpus);
}

static void report(const struct appending *a, const char *digest)
{
    char documents[28], tokens[28];

    log_info("%s: appended %s documents with %s tokens; its digest is %.16s now", a->o->store,
             str_count((uint64_t)(a->more[0].documents + a->more[1].documents), documents),
             str_count((uint64_t)(a->more[0].tokens + a->more[1].tokens), tokens), digest);
}

/* Told before anything is changed: the words are the same whatever becomes of it. */
static void tell_left_out(const struct appending *a)
{
    if (a->known > 0 && a->o->skip_known)
        log_info("%llu documents that the store has already are left out",
                 (unsigned long long)a->known);
    else if (a->known > 0)
        log_warn("%llu documents are in the store already, with the same id and text, and are "
                 "appended once more; --skip-known leaves them out",
                 (unsigned long long)a->known);
    if (a->removed > 0)
        log_warn("%llu documents have ids that were removed from the store; %s",
                 (unsigned long long)a->removed,
                 a->o->take_removed ? "they come back"
                                    : "they are left out (--take-removed takes them)");
}

static enum status change_store(struct appending *a)
{
    struct store_change *change = a->change;
    char digest[SHA256_HEX];

    TRY(note_before(a));
    TRY(place_shards(a));
    describe(a);
    a->change = NULL;
    a->store = NULL;
    TRY(store_change_commit(change, digest));
    report(a, digest);
    return ST_OK;
}

static enum status append(struct appending *a)
{
    bool done;

    plan_stage(a);
    TRY(artifact_digest_path(a->o->corpus, NULL, a->corpus));
    TRY(was_done(a, &done));
    if (done) {
        log_info("%s: '%s' was appended by the run before, which was ended before it could say so", a->o->store,
                 a->o->corpus);
        return remove_work(a);
    }
    TRY(encode(a));
    TRY(choose(a));
    tell_left_out(a);
    if (a->left_out < a->count)
        TRY(change_store(a));
    else
        log_info("%s: nothing was appended; it is as it was", a->o->store);
    return remove_work(a);
}

static enum status run_append(struct arena *arena, void *cfg)
{
    struct appending a = { .o = cfg };
    const struct store_change_args args = { .path = a.o->store, .kind = "append", .clear = true };
    enum status st = store_change_begin(&args, &a.change);

    (void)arena;
    if (st == ST_OK) {
        a.store = store_change_store(a.change);
        st = append(&a);
    }
    store_change_abort(a.change);
    token_store_close(a.fresh);
    for (int p = 0; p < TOKENS_PARTS; p++)
        free(a.marks[p]);
    free(a.comers);
    arena_release(&a.arena);
    return st;
}

const struct command cmd_store_append = {
    .name = "store append",
    .summary = "encode more documents into a token store, behind those it has",
    .details =
        "The store's own tokenizer and the options that it was made with are used, so that a\n"
        "document gets into the part that it would have got into then. The shards that are\n"
        "there stay as they are; new ones come behind them. The work stands in\n"
        "STORE.append.work until it is done: whatever ends it, the same command goes on (one\n"
        "process: not under mpirun). The store is seen as it was until the last moment, and\n"
        "then with all that came. Documents whose ids were removed from the store before stay\n"
        "out; the same text under another id is taken.\n\n"
        "  tundish store append tokens --corpus more\n"
        "  tundish store append tokens --corpus all.jsonl.zst --skip-known",
    .opts = options,
    .cfg_size = sizeof(struct append_options),
    .run = run_append,
};
