#include "tokenize/tokenize_cmd.h"

#include "tokenize/stage/stage.h"

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
    OPT_SIZE(S, group_bytes, "group-bytes", "256M", 1, 0x1p50,
             "bytes of files after which a group ends; groups are encoded apart (a .zst file counts four times)"),
    OPT_STR(S, learn_only, "learn-only", NULL,
            "the metadata's member that lists the parts of the text to learn; all else is only read",
            .value = "KEY"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_END
};

static enum status run_tokenize(struct arena *a, void *cfg)
{
    (void)a;
    return tokenize_stage(&cmd_tokenize, cfg);
}

const struct command cmd_tokenize = {
    .name = "tokenize",
    .summary = "encode a corpus into a token store",
    .details =
        "Every document becomes its tokens and the end-of-text token behind them. "
        "Special tokens' names in the text stay\n"
        "text. Which documents are for validation depends on their text alone.\n\n"
        "The files are encoded in groups; each group makes at least one shard. The store's bytes depend on the corpus and the\n"
        "options alone, not on threads or ranks. Under mpirun the ranks share the groups; they must see the same files.\n"
        "Memory of a process: about 200 MB, and 5 MB a thread; with more than 8 threads 150 MB for each 8 more.\n\n"
        "While it works, OUT.work holds what is done. Whatever ends it (Ctrl-C, kill -9, a full disk, a loss of power): the\n"
        "same command goes on where it was, with any number of threads and ranks.\n\n"
        "With --learn-only KEY a document whose metadata have a list [[begin, end], ...] under KEY is learnt only there: tokens\n"
        "that touch none of these bytes of its text are read, but give no loss. A document without the list is learnt whole.\n\n"
        "  tundish tokenize --tokenizer tokenizer --out tokens corpus\n"
        "  mpirun -np 4 --bind-to none tundish tokenize --tokenizer tokenizer --out tokens corpus\n"
        "  tundish tokenize --tokenizer tokenizer --out tokens --learn-only answers dialogues.jsonl.zst",
    .opts = options,
    .cfg_size = sizeof(struct tokenize_options),
    .stage_version = 2,
    .makes = "token-store",
    .run = run_tokenize,
    .benches = tokenize_benches,
};
