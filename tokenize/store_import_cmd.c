/* store import: Megatron's .bin and .idx to a token store. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/artifact/artifact.h"
#include "store/formats/megatron.h"
#include "tokenize/store_fill_cmd.h"
#include "tokenize/tokenizer.h"

#define TOKENS_A_BATCH ((uint64_t)1 << 18)

static const char *const format_words[] = { "megatron", NULL };

struct import_options {
    const char *idx, *bin, *tokenizer, *out, *name;
    int format;
    double validation;
    int64_t shard_tokens, threads;
};
#define S struct import_options

static const struct opt options[] = {
    OPT_INPUT(S, idx, "idx", "the .idx file, or what stands before .idx and .bin",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_INPUT(S, bin, "bin",
              "the .bin file; default: beside the .idx (a pipeline names both, so that both are in "
              "the key)"),
    OPT_CHOICE(S, format, "format", "megatron", format_words, "what is read"),
    OPT_INPUT(S, tokenizer, "tokenizer",
              "the tokenizer that made the ids: its folder or tokenizer.json",
              .flags = OPT_REQUIRED, .reads = "tokenizer token-store checkpoint model"),
    OPT_OUTPUT(S, out, "out", "folder of the token store", .flags = OPT_REQUIRED),
    OPT_STR(S, name, "name", NULL,
            "the documents' source, which begins their ids (NAME:0, NAME:1 ...); default: the .idx "
            "file's name without .idx"),
    OPT_REAL(S, validation, "validation", "0.02", 0, 0.5,
             "share of documents kept for validation, by hash of their text"),
    OPT_INT(S, shard_tokens, "shard-tokens", "100000000", 1, 1e12,
            "tokens after which a shard is closed"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_END
};
#undef S

struct importing {
    const struct import_options *o;
    const char *name;
    struct tokenizer *tokenizer;
    int64_t end; /* the end-of-text token; -1: none */
    struct file_map idx, bin;
    struct megatron_index index;
    struct token_writer *writer;
    uint64_t next_document, next_token;
    uint64_t tokens;
    uint64_t joined, endless; /* documents of several sequences; without an end-of-text token */
};

/* Documents in a row. */
struct batch {
    uint64_t document, count, first_token, tokens;
    uint32_t *ids;
    struct imported {
        uint64_t first, count, text_hash, text_bytes, sequences;
    } *documents;
    size_t cap;
};

static struct imported *grow_batch(struct batch *b)
{
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        b->documents = mem_grow(b->documents, b->cap, sizeof *b->documents);
    }
    return &b->documents[b->count++];
}

static enum status next_batch(void *ctx, void **item)
{
    struct importing *m = ctx;
    struct batch *b;

    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped; '%s' was not made", m->o->out);
    if (m->next_document == m->index.documents)
        return ST_OK;
    b = mem_alloc(sizeof *b);
    b->document = m->next_document;
    b->first_token = m->next_token;
    while (m->next_document < m->index.documents && b->tokens < TOKENS_A_BATCH &&
           b->count < TOKENS_A_BATCH) {
        struct imported *d = grow_batch(b);

        *d = (struct imported){ .first = b->tokens };
        d->count = megatron_document(&m->index, m->next_document++, &d->sequences);
        b->tokens += d->count;
    }
    m->next_token += b->tokens;
    *item = b;
    return ST_OK;
}

static enum status check_ids(const struct importing *m, const struct batch *b, uint64_t k)
{
    const struct imported *d = &b->documents[k];
    uint32_t vocab = tokenizer_vocab(m->tokenizer);

    if (d->count > UINT32_MAX)
        return fail(ST_LIMIT, "document %llu of '%s' has %llu tokens, want at most %u",
                    (unsigned long long)(b->document + k), m->o->idx, (unsigned long long)d->count,
                    UINT32_MAX);
    for (uint64_t i = d->first; i < d->first + d->count; i++)
        if (b->ids[i] >= vocab)
            return fail(ST_FORMAT,
                        "document %llu of '%s' has the id %lld, at byte %llu of the .bin file, but "
                        "the tokenizer '%s' ends at %u: "
                        "want the tokenizer that made it",
                        (unsigned long long)(b->document + k), m->o->idx,
                        b->ids[i] == UINT32_MAX ? -1LL : (long long)b->ids[i],
                        (unsigned long long)((b->first_token + i) * (unsigned)m->index.width),
                        m->o->tokenizer, vocab - 1);
    return ST_OK;
}

/* The text is what the ids decode to, without the end-of-text token behind it. */
static enum status decode(const struct importing *m, struct batch *b, uint64_t k, struct buf *text)
{
    struct imported *d = &b->documents[k];
    uint64_t n = d->count;
    enum status st;

    TRY(check_ids(m, b, k));
    if (n > 0 && m->end >= 0 && b->ids[d->first + n - 1] == (uint64_t)m->end)
        n--;
    buf_clear(text);
    st = tokenizer_decode(m->tokenizer, b->ids + d->first, n, false, text);
    if (st != ST_OK)
        return fail_within(st, "document %llu of '%s': ", (unsigned long long)(b->document + k),
                           m->o->idx);
    d->text_hash = xxh3(text->n ? text->p : "", text->n);
    d->text_bytes = text->n;
    return ST_OK;
}

static enum status work(void *ctx, void *item, int worker)
{
    const struct importing *m = ctx;
    struct batch *b = item;
    struct buf text = { 0 };
    enum status st = ST_OK;

    b->ids = mem_array(b->tokens + 1, sizeof *b->ids);
    megatron_widen(&m->index,
                   (const unsigned char *)m->bin.p + b->first_token * (unsigned)m->index.width,
                   b->tokens, b->ids);
    for (uint64_t k = 0; st == ST_OK && k < b->count; k++)
        st = decode(m, b, k, &text);
    buf_release(&text);
    return st;
}

static void discard(void *ctx, void *item)
{
    struct batch *b = item;

    free(b->ids);
    free(b->documents);
    free(b);
}

static enum status add_document(struct importing *m, const struct batch *b, uint64_t k,
                                struct buf *id)
{
    const struct imported *d = &b->documents[k];
    const uint32_t *ids = b->ids + d->first;

    buf_clear(id);
    buf_printf(id, "%s:%llu", m->name, (unsigned long long)(b->document + k));
    m->tokens += d->count;
    m->joined += d->sequences != 1;
    m->endless += m->end >= 0 && (d->count == 0 || ids[d->count - 1] != (uint64_t)m->end);
    return token_writer_add(m->writer, &(struct token_document){ .id = { id->p, id->n },
                                                                 .source = span_of(m->name),
                                                                 .text_hash = d->text_hash,
                                                                 .text_bytes = d->text_bytes,
                                                                 .tokens = ids,
                                                                 .count = d->count });
}

static enum status take(void *ctx, void *item)
{
    struct importing *m = ctx;
    struct batch *b = item;
    struct buf id = { 0 };
    enum status st = ST_OK;

    for (uint64_t k = 0; st == ST_OK && k < b->count; k++)
        st = add_document(m, b, k, &id);
    progress_add(b->tokens);
    buf_release(&id);
    discard(ctx, b);
    return st;
}

static enum status import_all(struct importing *m)
{
    struct pool *pool = pool_new((int)m->o->threads);
    const struct pool_stream stream = {
        .produce = next_batch, .work = work, .consume = take, .discard = discard, .ctx = m
    };
    enum status st;

    progress_start("importing", "tokens", m->index.tokens);
    st = pool_ordered(pool, &stream);
    progress_end();
    pool_free(pool);
    return st;
}

/* ---- the store ---- */

static enum status open_inputs(struct importing *m)
{
    TRY(file_map_open(&m->idx, m->o->idx));
    TRY(file_map_open(&m->bin, m->o->bin));
    TRY(megatron_parse(m->o->idx, (struct span){ m->idx.p, m->idx.n }, m->bin.n, &m->index));
    if (m->index.documents == 0)
        return fail(ST_FORMAT, "'%s' holds no documents", m->o->idx);
    TRY(tokenizer_open(m->o->tokenizer, &m->tokenizer));
    m->end = tokenizer_end_of_text(m->tokenizer);
    return ST_OK;
}

static enum status open_writer(struct importing *m, const char *folder)
{
    struct arena a = { 0 };
    struct buf json = { 0 };
    char digest[SHA256_HEX];
    enum status st = tokenizer_json(m->o->tokenizer, &json);

    if (st == ST_OK)
        st = file_write_new(path_join(&a, folder, "tokenizer.json"), json.p, json.n);
    if (st == ST_OK)
        st = artifact_digest_path(m->o->tokenizer, NULL, digest);
    if (st == ST_OK)
        st = token_writer_open(
            &(struct token_writer_args){ .folder = folder,
                                         .vocab = tokenizer_vocab(m->tokenizer),
                                         .shard_tokens = (uint64_t)m->o->shard_tokens,
                                         .tokenizer_digest = digest,
                                         .validation = m->o->validation },
            &m->writer);
    buf_release(&json);
    arena_release(&a);
    return st;
}

static enum status write_store(struct importing *m, struct artifact *out)
{
    json_t *counts = NULL;
    enum status st;

    TRY(open_inputs(m));
    TRY(open_writer(m, artifact_folder(out)));
    st = import_all(m);
    if (st != ST_OK) {
        token_writer_abort(m->writer);
        return st;
    }
    TRY(token_writer_close(m->writer, &counts));
    artifact_set_counts(out, counts);
    return ST_OK;
}

static void report(const struct importing *m)
{
    char documents[28], tokens[28];

    log_info("%s: %s tokens of %s documents", m->o->out, str_count(m->tokens, tokens),
             str_count(m->index.documents, documents));
    if (m->joined > 0)
        log_warn("%llu documents are of none or several sequences; each is one document here, and "
                 "one sequence when it is exported",
                 (unsigned long long)m->joined);
    if (m->endless > 0)
        log_warn("%llu documents do not end with the tokenizer's end-of-text token (%lld); they "
                 "were taken as they are",
                 (unsigned long long)m->endless, (long long)m->end);
}

/* PREFIX, PREFIX.idx: both files' names; what does not exist is told later. */
static void resolve(struct arena *a, struct import_options *o)
{
    const char *prefix = o->idx;

    if (str_ends_with(prefix, ".idx"))
        prefix = arena_strndup(a, prefix, strlen(prefix) - 4);
    else
        o->idx = arena_printf(a, "%s.idx", prefix);
    if (o->bin == NULL)
        o->bin = arena_printf(a, "%s.bin", prefix);
    if (o->name == NULL)
        o->name = arena_strdup(a, path_base(prefix));
}

static enum status run_import(struct arena *a, void *cfg)
{
    struct import_options *o = cfg;
    struct importing m = { .o = o };
    struct artifact *out;
    enum status st;

    resolve(a, o);
    m.name = o->name;
    TRY(artifact_begin(&cmd_store_import, o, o->out, &out));
    st = write_store(&m, out);
    if (st == ST_OK)
        st = artifact_commit(out, NULL);
    else
        artifact_abort(out);
    if (st == ST_OK)
        report(&m);
    file_map_close(&m.idx);
    file_map_close(&m.bin);
    tokenizer_close(m.tokenizer);
    return st;
}

const struct command cmd_store_import = {
    .name = "store import",
    .summary = "make a token store of Megatron's .bin and .idx",
    .details =
        "Ids are taken as they are and checked against the tokenizer's vocabulary. The hash of\n"
        "a document's text, which decides its part, and its length in bytes are those of what\n"
        "its ids decode to, without an end-of-text token behind it: for a tokenizer that gives\n"
        "every text back, the same as `tundish tokenize` finds. Memory is bounded whatever the\n"
        "size. Multimodal data and real numbers are refused.\n\n"
        "  tundish store import data/train --tokenizer tokenizer --out tokens",
    .opts = options,
    .cfg_size = sizeof(struct import_options),
    .stage_version = 1,
    .makes = "token-store",
    .run = run_import,
};
