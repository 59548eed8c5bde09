/* Artifacts for tests, made by commands that no program has. */
#ifndef TUNDISH_TESTS_STORE_MAKING_H
#define TUNDISH_TESTS_STORE_MAKING_H

#include "store/scratch.h"

#include "base/command.h"
#include "base/rng.h"
#include "store/artifact/artifact.h"
#include "store/tokens/tokens.h"

struct making_cfg {
    const char *in;
    struct opt_list more;
    struct yaml *tree;
    const char *out;
    int64_t level, threads;
};

static inline enum status making_paths(struct yaml *value, opt_path_fn *visit, void *ctx)
{
    for (size_t i = 0; i < value->count; i++)
        TRY(visit(ctx, value->items[i]));
    return ST_OK;
}

static const struct opt making_options[] = {
#define S struct making_cfg
    OPT_INPUT(S, in, "in", "an input"),
    OPT_INPUTS(S, more, "more", "more of them"),
    OPT_TREE(S, tree, "tree", "a list of paths", .paths = making_paths),
    OPT_OUTPUT(S, out, "out", "the result"),
    OPT_INT(S, level, "level", "3", 0, 9, "decides the result"),
    OPT_INT(S, threads, "threads", "1", 0, 9, "does not", .flags = OPT_NEUTRAL),
#undef S
    OPT_END
};

static inline const char *making_class(const void *cfg)
{
    (void)cfg;
    return "cpu-test";
}

static const struct command making_corpus = { .name = "make corpus", .makes = "corpus", .opts = making_options,
                                              .cfg_size = sizeof(struct making_cfg), .stage_version = 7,
                                              .numeric_class = making_class };
static const struct command making_tokens = { .name = "make tokens", .makes = "token-store", .opts = making_options,
                                              .cfg_size = sizeof(struct making_cfg), .stage_version = 1 };

#define MAKING_TOKENIZER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* What a token store is made of: document i has text hash making_hash(i) and making_length(i) tokens. */
struct making_store {
    uint64_t documents, shard_tokens, longest;
    uint32_t vocab;
    double validation;
};

/* Several shards in little time. */
static const struct making_store making_small = { .documents = 400, .shard_tokens = 9000, .longest = 300, .vocab = 1000,
                                                  .validation = 0.25 };

static inline uint64_t making_hash(uint64_t i) { return rng_at(9, 1, i); }

static inline uint64_t making_length(const struct making_store *m, uint64_t i) { return rng_at(9, 2, i) % (m->longest + 1); }

static inline uint32_t making_token(const struct making_store *m, uint64_t i, uint64_t k)
{
    return (uint32_t)((i * 7919 + k * 2654435761u) % m->vocab);
}

static inline void making_names(uint64_t i, char id[64], char source[64])
{
    snprintf(id, 64, "document %llu%s", (unsigned long long)i, i % 3 ? "" : " with a longer name");
    snprintf(source, 64, "source %llu", (unsigned long long)(i % 100));
}

/* One document of it, with room for what it points at. */
struct making_document {
    char id[64], source[64], language[8];
    struct token_span unlearnt[2];
    uint32_t *tokens;                   /* [longest + 1]; free() */
    struct token_document d;
};

/* A quarter of the documents has two spans that are not learnt, a fifth no language. */
static inline void making_make(const struct making_store *m, uint64_t i, struct making_document *out)
{
    uint64_t n = making_length(m, i);

    if (out->tokens == NULL)
        out->tokens = mem_array(m->longest + 1, sizeof *out->tokens);
    making_names(i, out->id, out->source);
    snprintf(out->language, sizeof out->language, "l%d", (int)(i % 7));
    for (uint64_t k = 0; k < n; k++)
        out->tokens[k] = making_token(m, i, k);
    out->unlearnt[0] = (struct token_span){ 0, 3 };
    out->unlearnt[1] = (struct token_span){ 5, n > 7 ? n - 7 : 0 };
    out->d = (struct token_document){ .id = span_of(out->id), .source = span_of(out->source),
                                      .language = i % 5 ? span_of(out->language) : (struct span){ 0 },
                                      .text_hash = making_hash(i), .text_bytes = 4 * n, .tokens = out->tokens,
                                      .count = n, .unlearnt = out->unlearnt,
                                      .unlearnt_count = i % 4 == 1 && n > 7 ? 2 : 0 };
}

static inline bool making_is_unlearnt(const struct token_document *d, uint64_t k)
{
    for (size_t i = 0; i < d->unlearnt_count; i++)
        if (k >= d->unlearnt[i].first && k - d->unlearnt[i].first < d->unlearnt[i].count)
            return true;
    return false;
}

static inline void making_fill(const struct making_store *m, const char *folder, json_t **counts)
{
    struct making_document doc = { .tokens = NULL };
    struct token_writer *w;

    assert_ok(token_writer_open(&(struct token_writer_args){ .folder = folder, .vocab = m->vocab,
                                                             .shard_tokens = m->shard_tokens,
                                                             .tokenizer_digest = MAKING_TOKENIZER,
                                                             .validation = m->validation }, &w));
    for (uint64_t i = 0; i < m->documents; i++) {
        making_make(m, i, &doc);
        assert_ok(token_writer_add(w, &doc.d));
    }
    assert_ok(token_writer_close(w, counts));
    free(doc.tokens);
}

/* A finished store; its path. */
static inline const char *make_store(const struct making_store *m)
{
    const char *path = scratch_path("tokens");
    struct making_cfg cfg = { .out = path };
    struct artifact *a;
    json_t *counts;

    assert_ok(artifact_begin(&making_tokens, &cfg, path, &a));
    making_fill(m, artifact_folder(a), &counts);
    artifact_set_counts(a, counts);
    assert_ok(artifact_commit(a, NULL));
    return path;
}

static inline struct token_store *open_store(const char *path)
{
    struct token_store *s;

    assert_ok(token_store_open(path, &s));
    return s;
}

/* Writes the manifest's digests anew from the files as they are now: damage that nobody but a block's checksum knows of. */
static inline void remake_manifest(const char *path)
{
    const char *name = join(path, "manifest.json");
    json_t *manifest, *files, *file, *covered;
    struct buf text = { 0 };
    char hex[SHA256_HEX];
    const char *key;

    assert_ok(json_read_file(name, &manifest));
    files = json_object_get(manifest, "files");
    json_object_foreach(files, key, file) {
        uint64_t bytes;

        assert_ok(sha256_file(join(path, key), hex, &bytes));
        json_object_set_new(file, "sha256", json_string(hex));
        json_object_set_new(file, "bytes", json_integer((json_int_t)bytes));
    }
    covered = json_pack("{s:O, s:O}", "kind", json_object_get(manifest, "kind"), "files", files);
    json_canonical(&text, covered);
    sha256_bytes(text.p, text.n, hex);
    json_object_set_new(manifest, "digest", json_string(hex));
    assert_ok(json_write_file(name, manifest));
    json_decref(covered);
    json_decref(manifest);
    buf_release(&text);
}

#endif
