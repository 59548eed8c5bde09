/* The writing half of store/tokens.h: documents to parts, parts to shards. */
#include "base/arena.h"
#include "store/manifest.h"
#include "store/token_shard.h"

/* What is finished of a part, and its open shard. */
struct part_writer {
    struct token_shard_writer *shard;       /* NULL: none is open */
    uint64_t shards, documents, tokens, text_bytes;
};

struct token_writer {
    char *folder;
    uint64_t shard_tokens;
    double validation;
    struct token_shard_meta meta;           /* what all shards have */
    struct part_writer parts[TOKENS_PARTS];
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
    w->meta.width = token_width_of(args->vocab);
    memcpy(w->meta.tokenizer, args->tokenizer_digest, SHA256_HEX);
    *out = w;
    return ST_OK;
}

static enum status begin_shard(struct token_writer *w, enum token_part part)
{
    struct part_writer *p = &w->parts[part];
    struct token_shard_meta meta = w->meta;

    if (p->shards == TOKEN_SHARDS_MAX)
        return fail(ST_LIMIT,
                    "more than %d shards of %s (want a larger shard size than %llu tokens)",
                    TOKEN_SHARDS_MAX, token_part_names[part], (unsigned long long)w->shard_tokens);
    meta.part = part;
    meta.shard = p->shards++;
    return token_shard_begin(w->folder, &meta, &p->shard);
}

static enum status finish_shard(struct part_writer *p)
{
    struct token_shard_writer *shard = p->shard;
    const struct token_shard_meta *done = token_shard_state(shard);

    p->shard = NULL;
    p->documents += done->documents;
    p->tokens += done->tokens;
    p->text_bytes += done->text_bytes;
    return token_shard_finish(shard);
}

enum status token_writer_add(struct token_writer *w, const struct token_document *d)
{
    enum token_part part = token_part_of(d->text_hash, w->validation);
    struct part_writer *p = &w->parts[part];

    if (p->shard == NULL)
        TRY(begin_shard(w, part));
    TRY(token_shard_add(p->shard, d));
    return token_shard_state(p->shard)->tokens >= w->shard_tokens ? finish_shard(p) : ST_OK;
}

void token_writer_abort(struct token_writer *w)
{
    if (w == NULL)
        return;
    for (int p = 0; p < TOKENS_PARTS; p++)
        token_shard_abort(w->parts[p].shard);
    free(w->folder);
    free(w);
}

static enum status finish(struct token_writer *w)
{
    if (w->parts[TOKENS_TRAIN].shards == 0)
        TRY(begin_shard(w, TOKENS_TRAIN));      /* so that even an empty store says what it is */
    for (int p = 0; p < TOKENS_PARTS; p++)
        if (w->parts[p].shard)
            TRY(finish_shard(&w->parts[p]));
    return ST_OK;
}

static json_t *counts_of(const struct part_writer *p)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "shards", (json_int_t)p->shards, "documents",
                     (json_int_t)p->documents, "tokens", (json_int_t)p->tokens, "text_bytes",
                     (json_int_t)p->text_bytes);
}

enum status token_writer_close(struct token_writer *w, json_t **counts)
{
    enum status st = finish(w);

    if (st == ST_OK) {
        *counts = json_object();
        for (int p = 0; p < TOKENS_PARTS; p++)
            json_object_set_new(*counts, token_part_names[p], counts_of(&w->parts[p]));
    }
    token_writer_abort(w);
    return st;
}
