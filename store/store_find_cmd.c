/* store find: which documents of a token store have an id, a text, tokens, a source. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/output.h"
#include "store/artifact/artifact.h"
#include "store/change/id_hints.h"
#include "store/change/store_find.h"
#include "store/change/store_names.h"
#include "store/change/store_scan.h"
#include "store/sampling/find_step.h"
#include "store/store_cmd.h"
#include "store/tokens/store_history.h"
#include "store/tokens/token_format.h"
#include "store/tokens/token_match.h"

static const char *const part_words[] = { "train", "validation", "both", NULL };

struct find_options {
    const char *store;
    struct opt_list ids, hashes, sources, languages;
    const char *tokens;
    int part;
    int64_t limit, threads;
    bool json;
    const char *checkpoint;
    struct opt_list search;
    int64_t step, row;
};
#define S struct find_options

static const struct opt options[] = {
    OPT_INPUT(S, store, "store", "the token store", .flags = OPT_POSITIONAL,
              .reads = "token-store"),
    OPT_LIST(S, ids, "id", "documents of this id", .value = "ID"),
    OPT_LIST(S, hashes, "hash", "documents whose text has this XXH3-64, in hex", .value = "HEX"),
    OPT_STR(S, tokens, "tokens", NULL,
            "documents that hold these tokens one after the other: 1,2,3", .value = "IDS"),
    OPT_LIST(S, sources, "source", "documents of this source", .value = "NAME"),
    OPT_LIST(S, languages, "language", "documents in this language, as the corpus named it",
             .value = "NAME"),
    OPT_CHOICE(S, part, "part", "both", part_words, "which part of the store"),
    OPT_INT(S, limit, "limit", "0", 0, 9e15, "stop after so many finds; 0: all"),
    OPT_BOOL(S, json, "json", "false", "one JSON object a line instead of columns"),
    OPT_INPUT(S, checkpoint, "checkpoint",
              "in place of a store: what this checkpoint read in --step", .reads = "checkpoint"),
    OPT_INT(S, step, "step", "0", 0, 9e15,
            "with --checkpoint: the step, counted from 1 as in metrics.jsonl"),
    OPT_INT(S, row, "row", "-1", -1, 9e15, "with --checkpoint: a row of the step, from 0; -1: all"),
    OPT_LIST(S, search, "search",
             "with --checkpoint: folders that hold its stores, where they were moved",
             .value = "FOLDER"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "0: all processors", .flags = OPT_NEUTRAL),
    OPT_END
};
#undef S

struct finding {
    const struct find_options *o;
    const struct token_store *store;
    const char *path;
    uint64_t *hashes;
    uint32_t *tokens;
    size_t token_count;
    uint64_t found;
    struct buf line;
};

/* ---- what is sought ---- */

static enum status parse_hashes(struct finding *f)
{
    f->hashes = mem_array(f->o->hashes.count + 1, sizeof *f->hashes);
    for (size_t i = 0; i < f->o->hashes.count; i++)
        TRY(store_find_hash(f->o->hashes.v[i], &f->hashes[i]));
    return ST_OK;
}

static enum status parse_tokens(struct finding *f)
{
    const char *p = f->o->tokens;

    if (p == NULL)
        return ST_OK;
    f->tokens = mem_array(strlen(p) / 2 + 1, sizeof *f->tokens);
    for (;;) {
        char *end = NULL;
        unsigned long long v;

        errno = 0;
        v = *p >= '0' && *p <= '9' ? strtoull(p, &end, 10) : 0;
        if (end == NULL || errno != 0 || v > UINT32_MAX || (*end != ',' && *end != 0))
            return fail(ST_USAGE, "--tokens: '%.40s', want ids with commas between them: 1,2,3", p);
        f->tokens[f->token_count++] = (uint32_t)v;
        if (*end == 0)
            break;
        p = end + 1;
    }
    if (f->token_count > TOKEN_MATCH_MOST)
        return fail(ST_LIMIT, "--tokens: %zu tokens, want at most %u", f->token_count,
                    TOKEN_MATCH_MOST);
    return ST_OK;
}

static bool is_one_of(const struct opt_list *list, struct span s)
{
    for (size_t i = 0; i < list->count; i++)
        if (span_eq(s, list->v[i]))
            return true;
    return list->count == 0;
}

static bool wants(void *ctx, const struct token_range *d)
{
    const struct finding *f = ctx;
    bool hash = f->o->hashes.count == 0;

    for (size_t i = 0; !hash && i < f->o->hashes.count; i++)
        hash = d->text_hash == f->hashes[i];
    return hash && is_one_of(&f->o->ids, d->id) && is_one_of(&f->o->sources, d->source) &&
           is_one_of(&f->o->languages, d->language);
}

/* ---- telling ---- */

static enum status tell(void *ctx, const struct store_find *found, bool *enough)
{
    struct finding *f = ctx;
    const struct store_find_line how = { .store = f->store,
                                         .json = f->o->json,
                                         .offset = f->token_count > 0 };

    f->found++;
    *enough = f->o->limit > 0 && f->found == (uint64_t)f->o->limit;
    store_find_line(&how, found, &f->line);
    if (f->line.n < 1u << 16)
        return ST_OK;
    TRY(output_stream(&f->line));
    buf_clear(&f->line);
    return ST_OK;
}

/* ---- nothing ---- */

static enum status tell_removed(void *ctx, const struct store_tombstone *t)
{
    log_warn("it was removed: document %llu of %s, in %s, by change %zu of the store's history",
             (unsigned long long)t->document, token_part_names[t->part], t->shard, t->change + 1);
    return ST_OK;
}

static enum status look_at_history(const struct finding *f)
{
    json_t *manifest, *history = NULL;
    enum status st;

    TRY(artifact_open(f->path, "token-store", &manifest));
    st = store_history_read(f->path, manifest, &history);
    for (size_t i = 0; st == ST_OK && history && i < f->o->ids.count; i++)
        st = store_history_find(history, span_of(f->o->ids.v[i]), tell_removed, NULL);
    json_decref(history);
    json_decref(manifest);
    return st;
}

/* Appends what of `names` is near an option's value that is none of them. */
static void hint(const struct store_names *names, const struct opt_list *sought, const char *what,
                 struct buf *out)
{
    for (size_t k = 0; k < sought->count; k++) {
        struct id_hints hints = { 0 };
        bool there = false;

        for (size_t i = 0; i < names->count; i++) {
            there |= span_eq(names->v[i].name, sought->v[k]);
            id_hints_add(&hints, sought->v[k], names->v[i].name);
        }
        if (!there) {
            buf_printf(out, "; it has no %s '%.200s'", what, sought->v[k]);
            id_hints_say(&hints, out);
        }
        id_hints_free(&hints);
    }
}

static enum status no_such_document(const struct finding *f)
{
    struct pool *pool = pool_new((int)f->o->threads);
    struct store_names names[STORE_NAME_KINDS] = { { 0 } };
    struct buf near = { 0 };
    enum status st = store_names_count(f->store, pool, names);

    pool_free(pool);
    if (st == ST_OK) {
        hint(&names[STORE_SOURCES], &f->o->sources, "source", &near);
        hint(&names[STORE_LANGUAGES], &f->o->languages, "language", &near);
        st = fail(ST_FAILED, "'%s' has no such document%s", f->path, near.p ? near.p : "");
    }
    store_names_release(names);
    buf_release(&near);
    return st;
}

static enum status nothing(const struct finding *f)
{
    if (f->o->ids.count > 0)
        TRY(look_at_history(f));
    if (f->o->ids.count == 1 &&
        f->o->hashes.count + f->o->sources.count + f->o->languages.count + f->token_count == 0)
        return store_find_no_such_id(f->store, f->path, f->o->ids.v[0]);
    return no_such_document(f);
}

/* ---- the command ---- */

static enum status search(struct finding *f, struct pool *pool)
{
    const struct store_scan scan = {
        .store = f->store,
        .pool = pool,
        .part = f->o->part == TOKENS_PARTS ? -1 : f->o->part,
        .wants = wants,
        .tell = tell,
        .ctx = f,
    };

    TRY(f->token_count > 0 ? store_scan_tokens(&scan, f->tokens, f->token_count)
                           : store_scan_documents(&scan));
    TRY(output_stream(&f->line));
    return f->found > 0 ? ST_OK : nothing(f);
}

static enum status find(struct finding *f)
{
    struct token_store *store;
    struct pool *pool;
    enum status st;

    TRY(parse_hashes(f));
    TRY(parse_tokens(f));
    if (f->o->ids.count + f->o->hashes.count + f->o->sources.count + f->o->languages.count +
            f->token_count ==
        0)
        return fail(ST_USAGE,
                    "nothing to find; want one of --id, --hash, --tokens, --source, --language");
    TRY(token_store_open(f->path, &store));
    f->store = store;
    pool = pool_new((int)f->o->threads);
    st = search(f, pool);
    pool_free(pool);
    token_store_close(store);
    return st;
}

static enum status find_in_step(const struct find_options *o)
{
    if (o->store || o->step == 0)
        return fail(ST_USAGE, o->store ? "a store and --checkpoint; want one of them"
                                       : "--checkpoint without --step; say which step, from 1 on");
    return find_step(&(struct find_step){ o->checkpoint, o->search, o->step, o->row, o->json });
}

static enum status run_find(struct arena *a, void *cfg)
{
    const struct find_options *o = cfg;
    struct finding f = { .o = o, .path = o->store };
    enum status st;

    (void)a;
    if (o->checkpoint)
        return find_in_step(o);
    if (o->store == NULL)
        return fail(ST_USAGE, "nothing to look in; want a token store, or --checkpoint and --step");
    st = find(&f);
    buf_release(&f.line);
    free(f.hashes);
    free(f.tokens);
    return st;
}

const struct command cmd_store_find = {
    .name = "store find",
    .summary = "documents of a token store by id, text, tokens, source or language",
    .details =
        "Prints a line a find: part, number, shard, id, source, language, hash of the text,\n"
        "first token, tokens; and with --tokens the token of the document that the sequence\n"
        "begins at. Of several conditions all hold; of one that is said several times, any.\n"
        "Ends with status 1 where nothing was found.\n\n"
        "  tundish store find tokens --id notes.txt#17\n"
        "  tundish store find tokens --tokens 464,3797 --source wiki --limit 10\n\n"
        "With --checkpoint and --step it prints what stood in the rows of a step of training:\n"
        "row, store, document, id, source, language, offset and count in tokens, epoch. Of a\n"
        "store that was changed since, it tells what stood there then; what was removed has\n"
        "no id any more, but (removed).\n\n"
        "  tundish store find --checkpoint checkpoint --step 1200 --row 3",
    .opts = options,
    .cfg_size = sizeof(struct find_options),
    .run = run_find,
};
