/* The writing half of store/tokens/tokens.h: documents to shards, one after the other. */
#include "base/arena.h"
#include "base/file.h"
#include "store/artifact/manifest.h"
#include "store/tokens/token_shard.h"

struct token_writer {
    char *folder;
    uint64_t shard_tokens;
    double validation;
    struct token_shard_meta meta;     /* what all shards have */
    struct token_shard_writer *shard; /* NULL: none is open */
    uint32_t shards;
    struct token_counts parts[TOKENS_PARTS]; /* of the finished shards */
};

static enum status check_args(const struct token_writer_args *a)
{
    if (!(a->validation >= 0 && a->validation <= 0.5))
        return fail(ST_CONFIG, "a validation share of %g, want 0 to 0.5", a->validation);
    if (a->vocab == 0 || a->shard_tokens == 0)
        return fail(ST_CONFIG,
                    "a vocabulary of %u and shards of %llu tokens, want at least 1 of each",
                    a->vocab, (unsigned long long)a->shard_tokens);
    if (!manifest_is_digest(a->tokenizer_digest))
        return fail(ST_CONFIG, "the tokenizer's digest '%s' is none (want 64 hex digits)",
                    a->tokenizer_digest);
    if (a->corpus_digest && !manifest_is_digest(a->corpus_digest))
        return fail(ST_CONFIG, "the corpus's digest '%s' is none (want 64 hex digits)",
                    a->corpus_digest);
    return ST_OK;
}

enum status token_writer_open(const struct token_writer_args *args, struct token_writer **out)
{
    struct token_writer *w;

    TRY(check_args(args));
    w = mem_alloc(sizeof *w);
    w->folder = mem_strdup(args->folder);
    w->shard_tokens = args->shard_tokens;
    w->validation = args->validation;
    w->meta.vocab = args->vocab;
    memcpy(w->meta.tokenizer, args->tokenizer_digest, SHA256_HEX);
    if (args->corpus_digest)
        memcpy(w->meta.corpus, args->corpus_digest, SHA256_HEX);
    *out = w;
    return ST_OK;
}

static enum status begin_shard(struct token_writer *w)
{
    char name[TOKEN_SHARD_NAME];
    struct arena a = { 0 };
    enum status st;

    if (w->shards == TOKEN_SHARDS_MAX)
        return fail(ST_LIMIT, "more than %d shards (want a larger shard size than %llu tokens)",
                    TOKEN_SHARDS_MAX, (unsigned long long)w->shard_tokens);
    token_shard_name((struct token_shard_id){ w->shards++, 0 }, name);
    st = token_shard_begin(path_join(&a, w->folder, name), &w->meta, &w->shard);
    arena_release(&a);
    return st;
}

static enum status finish_shard(struct token_writer *w)
{
    struct token_shard_writer *shard = w->shard;

    w->shard = NULL;
    for (int p = 0; p < TOKENS_PARTS; p++) {
        const struct token_counts *c = &token_shard_state(shard)->parts[p];

        w->parts[p].documents += c->documents;
        w->parts[p].tokens += c->tokens;
        w->parts[p].text_bytes += c->text_bytes;
    }
    return token_shard_finish(shard);
}

static bool is_full(const struct token_writer *w)
{
    const struct token_counts *c = token_shard_state(w->shard)->parts;

    return c[TOKENS_TRAIN].tokens + c[TOKENS_VALIDATION].tokens >= w->shard_tokens;
}

enum status token_writer_add(struct token_writer *w, const struct token_document *d)
{
    if (w->shard == NULL)
        TRY(begin_shard(w));
    TRY(token_shard_add(w->shard, token_part_of(d->text_hash, w->validation), d));
    return is_full(w) ? finish_shard(w) : ST_OK;
}

void token_writer_abort(struct token_writer *w)
{
    if (w == NULL)
        return;
    token_shard_abort(w->shard);
    free(w->folder);
    free(w);
}

static enum status finish(struct token_writer *w)
{
    if (w->shards == 0)
        TRY(begin_shard(w)); /* so that even an empty store says what it is */
    return w->shard ? finish_shard(w) : ST_OK;
}

static json_t *counts_of(const struct token_counts *c)
{
    return json_pack("{s:I, s:I, s:I}", "documents", (json_int_t)c->documents, "tokens",
                     (json_int_t)c->tokens, "text_bytes", (json_int_t)c->text_bytes);
}

enum status token_writer_close(struct token_writer *w, json_t **counts)
{
    enum status st = finish(w);

    if (st == ST_OK) {
        *counts = json_pack("{s:I}", "shards", (json_int_t)w->shards);
        for (int p = 0; p < TOKENS_PARTS; p++)
            json_object_set_new(*counts, token_part_names[p], counts_of(&w->parts[p]));
    }
    token_writer_abort(w);
    return st;
}
