/* Models and reports to promote: artifacts of the right kinds with little in them. */
#ifndef TUNDISH_TESTS_PIPELINES_PROMOTED_H
#define TUNDISH_TESTS_PIPELINES_PROMOTED_H

#include "store/scratch.h"

#include "pipelines/registry/registry.h"
#include "store/artifact/artifact.h"

struct promoted_cfg {
    const char *out;
};
static const struct opt promoted_options[] = {
    OPT_OUTPUT(struct promoted_cfg, out, "out", "the result"),
    OPT_END
};
static const struct command promoted_model = { .name = "export", .makes = "model",
                                               .opts = promoted_options, .stage_version = 1,
                                               .cfg_size = sizeof(struct promoted_cfg) };
static const struct command promoted_report = { .name = "evaluate", .makes = "report",
                                                .opts = promoted_options, .stage_version = 1,
                                                .cfg_size = sizeof(struct promoted_cfg) };
static const struct command promoted_checkpoint = { .name = "train", .makes = "checkpoint",
                                                    .opts = promoted_options, .stage_version = 1,
                                                    .cfg_size = sizeof(struct promoted_cfg) };
static const struct command *const promoted_commands[] = { &promoted_model, &promoted_report,
                                                           &promoted_checkpoint, NULL };

/* An artifact at path with one file or two (second NULL: one). */
static inline void promoted_artifact(const struct command *c, const char *path, const char *first,
                                     const char *text, const char *second, const char *more)
{
    struct promoted_cfg cfg = { path };
    struct artifact *artifact;

    assert_ok(artifact_begin(c, &cfg, path, &artifact));
    put_file(join(artifact_folder(artifact), first), text, strlen(text));
    if (second != NULL)
        put_file(join(artifact_folder(artifact), second), more, strlen(more));
    assert_ok(artifact_commit(artifact, NULL));
}

/* A model whose bytes are the text; its path. */
static inline const char *make_model(const char *text)
{
    const char *path = scratch_path("model");

    promoted_artifact(&promoted_model, path, "model.safetensors", text, "config.json", "{}");
    return path;
}

static inline const char *make_report(const char *metrics, const char *documents)
{
    const char *path = scratch_path("report");

    promoted_artifact(&promoted_report, path, "metrics.json", metrics, "documents.jsonl",
                      documents);
    return path;
}

/* The digest of an artifact; its first 16 digits are a model's version. */
static inline const char *digest_at(const char *path)
{
    char hex[SHA256_HEX];

    assert_ok(artifact_digest_path(path, NULL, hex));
    return arena_strdup(&scratch_arena, hex);
}

static inline const char *version_of(const char *model)
{
    return arena_strndup(&scratch_arena, digest_at(model), 16);
}

#endif
