#include "store/tokens/bench_tokens.h"

#include "store/artifact/artifact.h"

static enum status write_documents(const struct bench_tokens *t, const char *folder)
{
    char digest[SHA256_HEX];
    struct token_writer_args args = { .folder = folder,
                                      .vocab = t->vocab,
                                      .shard_tokens = t->shard_tokens,
                                      .tokenizer_digest = digest };
    struct token_writer *w;
    json_t *counts = NULL;
    enum status st;

    sha256_bytes("", 0, digest);
    TRY(token_writer_open(&args, &w));
    st = t->add(t->ctx, w);
    if (st != ST_OK) {
        token_writer_abort(w);
        return st;
    }
    st = token_writer_close(w, &counts);
    json_decref(counts);
    return st;
}

enum status bench_tokens_make(const struct bench_tokens *t)
{
    static const struct opt none[] = { OPT_END };
    static const struct command command = {
        .name = "bench", .makes = "token-store", .opts = none, .stage_version = 1
    };
    struct artifact *a;
    enum status st;

    TRY(artifact_begin(&command, NULL, t->path, &a));
    st = write_documents(t, artifact_folder(a));
    if (st == ST_OK && t->behind != NULL)
        st = t->behind(t->ctx, artifact_folder(a));
    if (st == ST_OK)
        return artifact_commit(a, NULL);
    artifact_abort(a);
    return st;
}
