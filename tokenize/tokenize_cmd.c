#include "tokenize/tokenize_cmd.h"

#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "store/artifact.h"
#include "store/tokens.h"
#include "tokenize/corpus_text.h"
#include "tokenize/encode/encode_stream.h"

struct tokenize_options {
    const char *tokenizer, *corpus, *out;
    double validation;
    int64_t shard_tokens, threads;
};
#define S struct tokenize_options

static const struct opt options[] = {
    OPT_INPUT(S, tokenizer, "tokenizer", "the tokenizer: its folder or tokenizer.json",
              .flags = OPT_REQUIRED, .reads = "tokenizer token-store checkpoint model"),
    OPT_INPUT(S, corpus, "corpus", "what to encode: a corpus, or .jsonl, .jsonl.zst or .txt files",
              .flags = OPT_REQUIRED | OPT_POSITIONAL, .reads = "corpus"),
    OPT_OUTPUT(S, out, "out", "folder of the token store", .flags = OPT_REQUIRED),
    OPT_REAL(S, validation, "validation", "0.02", 0, 0.5,
             "share of documents kept for validation, by hash of their text"),
    OPT_INT(S, shard_tokens, "shard-tokens", "100000000", 1, 1e12,
            "tokens after which a shard is closed"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_END
};

struct tokenizing {
    const struct tokenize_options *o;
    struct tokenizer *tokenizer;
    struct corpus_text *corpus;
    struct token_writer *writer;
    uint64_t documents, bytes, tokens;
};

static enum status next(void *ctx, struct stream_text *s, bool *got)
{
    struct tokenizing *t = ctx;

    *s = (struct stream_text){ 0 };
    return corpus_text_next(t->corpus, &s->d, got);
}

static enum status take(void *ctx, const struct encoded_document *d)
{
    struct tokenizing *t = ctx;

    t->documents++;
    t->bytes += d->text_bytes;
    t->tokens += d->count;
    return token_writer_add(t->writer, &(struct token_document){
        .id = d->id, .source = d->source, .text_hash = d->text_hash, .text_bytes = d->text_bytes,
        .tokens = d->tokens, .count = d->count });
}

static enum status open_inputs(struct tokenizing *t, int64_t *end)
{
    TRY(tokenizer_open(t->o->tokenizer, &t->tokenizer));
    *end = tokenizer_end_of_text(t->tokenizer);
    if (*end < 0)
        return fail(
            ST_UNSUPPORTED,
            "the tokenizer '%s' has no end-of-text token to put between documents; want one "
            "with <|endoftext|>",
            t->o->tokenizer);
    return corpus_text_open(t->o->corpus, &t->corpus);
}

static enum status open_writer(struct tokenizing *t, const struct artifact *out)
{
    char digest[SHA256_HEX];
    struct token_writer_args args = {
        .folder = artifact_folder(out),
        .vocab = tokenizer_vocab(t->tokenizer),
        .shard_tokens = (uint64_t)t->o->shard_tokens,
        .tokenizer_digest = digest,
        .validation = t->o->validation,
    };

    TRY(artifact_digest_path(t->o->tokenizer, NULL, digest));
    return token_writer_open(&args, &t->writer);
}

static enum status encode_all(struct tokenizing *t, int64_t end)
{
    struct pool *pool = pool_new((int)t->o->threads);
    struct encode_stream stream = {
        .tokenizer = t->tokenizer, .end = end, .next = next, .take = take, .ctx = t
    };
    enum status st;

    progress_start("tokenizing", "bytes", corpus_text_total(t->corpus));
    st = encode_stream(pool, &stream);
    progress_end();
    pool_free(pool);
    return st;
}

/* The store carries its tokenizer: checkpoints and models get theirs from it. Written first, so that
 * one that cannot be is told before the work. */
static enum status keep_tokenizer(const struct tokenizing *t, const char *folder)
{
    struct arena a = { 0 };
    struct buf json = { 0 };
    enum status st = tokenizer_json(t->o->tokenizer, &json);

    if (st == ST_OK)
        st = file_write_new(path_join(&a, folder, "tokenizer.json"), json.p, json.n);
    buf_release(&json);
    arena_release(&a);
    return st;
}

static enum status write_store(struct tokenizing *t, struct artifact *out)
{
    json_t *counts = NULL;
    int64_t end;
    enum status st;

    TRY(open_inputs(t, &end));
    TRY(keep_tokenizer(t, artifact_folder(out)));
    TRY(open_writer(t, out));
    st = encode_all(t, end);
    if (st == ST_OK && t->documents == 0)
        st = fail(ST_FORMAT, "'%s' holds no documents", t->o->corpus);
    if (st != ST_OK) {
        token_writer_abort(t->writer);
        return st;
    }
    TRY(token_writer_close(t->writer, &counts));
    if (t->o->validation > 0 &&
        json_integer_value(
            json_object_get(json_object_get(counts, "validation"), "documents")) == 0)
        log_warn("none of the %llu documents fell into the validation part: nothing can be scored; "
                 "want more documents, or --validation above %g",
                 (unsigned long long)t->documents, t->o->validation);
    artifact_set_counts(out, counts);
    return ST_OK;
}

static void report(const struct tokenizing *t)
{
    char documents[28], bytes[24], tokens[28];

    log_info("%s: %s tokens of %s documents, %s; %.3f bytes a token", t->o->out,
             str_count(t->tokens, tokens), str_count(t->documents, documents),
             str_bytes(t->bytes, bytes), (double)t->bytes / (double)t->tokens);
}

static enum status run_tokenize(struct arena *a, void *cfg)
{
    struct tokenizing t = { .o = cfg };
    struct artifact *out;
    enum status st;

    TRY(artifact_begin(&cmd_tokenize, cfg, t.o->out, &out));
    st = write_store(&t, out);
    if (st == ST_OK)
        st = artifact_commit(out, NULL);
    else
        artifact_abort(out);
    if (st == ST_OK)
        report(&t);
    corpus_text_close(t.corpus);
    tokenizer_close(t.tokenizer);
    return st;
}

const struct command cmd_tokenize = {
    .name = "tokenize",
    .summary = "encode a corpus into a token store",
    .details =
        "Every document becomes its tokens and the end-of-text token behind them. "
        "Special tokens' names in the text stay\n"
        "text. Which documents are for validation depends on their text alone.\n\n"
        "  tundish tokenize --tokenizer tokenizer --out tokens corpus",
    .opts = options,
    .cfg_size = sizeof(struct tokenize_options),
    .stage_version = 1,
    .makes = "token-store",
    .run = run_tokenize,
    .benches = tokenize_benches,
};
