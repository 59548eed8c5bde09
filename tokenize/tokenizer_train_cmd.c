#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "store/artifact.h"
#include "tokenize/learn/learn.h"
#include "tokenize/tokenizer.h"
#include "tokenize/tokenizer_cmd.h"
#include "tokenize/files/tokenizer_write.h"

#define SPECIALS_MAX 10000
#define SPECIAL_BYTES 1024

struct train_options {
    const char *corpus, *out, *pattern;
    int64_t vocab, min_frequency, max_token_length, threads;
    struct opt_list special;
    uint64_t memory;
};
#define S struct train_options

static const struct opt options[] = {
    OPT_INPUT(S, corpus, "corpus",
              "what to train on: a corpus, or .jsonl, .jsonl.zst or .txt files",
              .flags = OPT_REQUIRED | OPT_POSITIONAL, .reads = "corpus"),
    OPT_OUTPUT(S, out, "out", "folder of the tokenizer", .flags = OPT_REQUIRED),
    OPT_INT(S, vocab, "vocab", "8192", 257, 1000000,
            "tokens, special ones and the 256 bytes included"),
    OPT_STR(S, pattern, "pattern", "llama3",
            "what text is cut by: gpt2, cl100k, llama3, qwen2, o200k or a regular expression",
            .value = "NAME|REGEX"),
    OPT_INT(S, min_frequency, "min-frequency", "1", 1, 1e15,
            "how often a pair must occur to become a token"),
    OPT_INT(S, max_token_length, "max-token-length", "0", 0, 65536,
            "bytes of the longest token; 0: unbounded"),
    OPT_LIST(S, special, "special",
             "special tokens, which text is never read as; they get the first ids",
             .fallback = "<|endoftext|>", .value = "TEXT"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_SIZE(S, memory, "memory", "8G", 1 << 20, 1e15,
             "bytes that counting and merging may each take", .flags = OPT_NEUTRAL),
    OPT_END
};

/* One run of the command. */
struct training {
    const struct train_options *o;
    const char *pattern;             /* the regular expression */
    struct pretok *pretok;
    struct corpus_text *corpus;
    struct pool *pool;
    struct comm *comm;
    struct learnt made;
};

/* ---- options ---- */

static enum status check_specials(const struct train_options *o)
{
    if (o->special.count > SPECIALS_MAX)
        return fail(ST_CONFIG, "%zu special tokens; want at most %d", o->special.count,
                    SPECIALS_MAX);
    for (size_t i = 0; i < o->special.count; i++) {
        size_t n = strlen(o->special.v[i]);

        if (n == 0 || n > SPECIAL_BYTES)
            return fail(ST_CONFIG, "special token %zu has %zu bytes; want 1 to %d", i + 1, n,
                        SPECIAL_BYTES);
        for (size_t k = 0; k < i; k++)
            if (strcmp(o->special.v[i], o->special.v[k]) == 0)
                return fail(ST_CONFIG, "special token '%s' is given twice", o->special.v[i]);
    }
    if (o->vocab < (int64_t)(256 + o->special.count))
        return fail(ST_CONFIG,
                    "vocab is %" PRId64
                    ", but the 256 bytes and %zu special tokens want at least %zu",
                    o->vocab, o->special.count, 256 + o->special.count);
    return ST_OK;
}

static enum status check_options(struct training *t)
{
    const struct train_options *o = t->o;

    TRY(check_specials(o));
    if (o->max_token_length == 1)
        return fail(ST_CONFIG, "max-token-length is 1; want 0 (unbounded) or at least 2");
    t->pattern = pretok_pattern_text(o->pattern);
    if (t->pattern == NULL)
        t->pattern = o->pattern;
    t->pretok = pretok_new();
    return pretok_add(t->pretok, &(struct pretok_rule){ .what = "option pattern", .pattern = t->pattern });
}

/* ---- work ---- */

static enum status learn_it(struct training *t, const char *folder)
{
    const struct train_options *o = t->o;
    struct learn_args args = { .train = { .specials = o->special.v,
                                          .special_count = o->special.count,
                                          .vocab = (uint32_t)o->vocab,
                                          .min_frequency = (uint64_t)o->min_frequency,
                                          .max_token_length = (uint32_t)o->max_token_length,
                                          .memory = o->memory,
                                          .folder = folder } };

    TRY(corpus_text_open(o->corpus, &t->corpus));
    t->pool = pool_new((int)o->threads);
    args.pool = t->pool;
    args.corpus = t->corpus;
    args.pretok = t->pretok;
    args.comm = t->comm;
    TRY(learn(&args, &t->made));
    if (t->made.trained.vocab < args.train.vocab)
        log_warn("the text gives only %u tokens of the %u wanted: no more pairs occur at least "
                 "min-frequency=%" PRIu64 " times",
                 t->made.trained.vocab, args.train.vocab, args.train.min_frequency);
    return ST_OK;
}

/* Tokens of the text, where what is not UTF-8 is a token a byte. */
static double bytes_per_token(const struct training *t)
{
    uint64_t tokens = t->made.trained.text_tokens + t->made.totals.other_bytes;

    return tokens ? (double)t->made.totals.bytes / (double)tokens : 0;
}

static json_t *counts(const struct training *t)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "vocab",
                     (json_int_t)t->made.trained.vocab, "merges", (json_int_t)t->made.trained.merge_count,
                     "documents", (json_int_t)t->made.totals.documents, "bytes",
                     (json_int_t)t->made.totals.bytes, "pieces", (json_int_t)t->made.totals.pieces,
                     "different_pieces", (json_int_t)t->made.trained.pieces, "tokens",
                     (json_int_t)(t->made.trained.text_tokens + t->made.totals.other_bytes),
                     "bytes_per_token", bytes_per_token(t));
}

/* The file is read again as any reader of it will. */
static enum status check_written(const struct training *t, const char *path)
{
    struct tokenizer *made;
    uint32_t vocab;

    TRY(tokenizer_open(path, &made));
    vocab = tokenizer_vocab(made);
    if (tokenizer_end_of_text(made) < 0)
        log_warn("none of the special tokens is a known end of text (want <|endoftext|>): "
                 "'tokenize' cannot use this tokenizer");
    tokenizer_close(made);
    BUG_IF(vocab != t->made.trained.vocab);
    return ST_OK;
}

static enum status write_files(struct training *t, struct artifact *out)
{
    struct arena a = { 0 };
    const char *path = path_join(&a, artifact_folder(out), "tokenizer.json");
    enum status st = tokenizer_write(path, &t->made.trained, t->o->special.count, t->pattern);

    if (st == ST_OK)
        st = check_written(t, path);
    if (st == ST_OK)
        artifact_set_counts(out, counts(t));
    arena_release(&a);
    return st;
}

static void report(const struct training *t)
{
    const struct learn_seconds *s = &t->made.seconds;
    char documents[28], bytes[24], vocab[28], merges[28], pieces[28];

    log_info(
        "%s: %s tokens (%s merges) from %s documents, %s, %s different pieces; %.3f bytes a token",
        t->o->out, str_count(t->made.trained.vocab, vocab), str_count(t->made.trained.merge_count, merges),
        str_count(t->made.totals.documents, documents), str_bytes(t->made.totals.bytes, bytes),
        str_count(t->made.trained.pieces, pieces), bytes_per_token(t));
    log_info("counted in %.2f s (%zu run%s on disk), laid out in %.2f s, merged in %.2f s (pairs indexed "
             "%u times%s)",
             s->count, t->made.runs, t->made.runs == 1 ? "" : "s", s->fill, s->merge,
             t->made.trained.scans, t->made.trained.paged ? ", pieces on disk" : "");
}

static enum status train(struct training *t, struct artifact *out)
{
    TRY(learn_it(t, artifact_folder(out)));
    return write_files(t, out);
}

static enum status run_train(struct arena *a, void *cfg)
{
    struct training t = { .o = cfg };
    struct artifact *out;
    enum status st = check_options(&t);

    if (st == ST_OK)
        st = comm_open(&t.comm);
    if (st == ST_OK)
        st = artifact_begin(&cmd_tokenizer_train, cfg, t.o->out, &out);
    if (st == ST_OK) {
        st = train(&t, out);
        if (st == ST_OK)
            st = artifact_commit(out, NULL);
        else
            artifact_abort(out);
    }
    if (st == ST_OK)
        report(&t);
    learnt_release(&t.made);
    comm_close(t.comm);
    corpus_text_close(t.corpus);
    pool_free(t.pool);
    pretok_free(t.pretok);
    return st;
}

const struct command cmd_tokenizer_train = {
    .name = "tokenizer train",
    .summary = "train a byte-level BPE tokenizer on a corpus",
    .details =
        "Writes a folder with tokenizer.json, as Hugging Face reads it. "
        "The merges are those that Hugging Face's trainer\n"
        "finds on the same text, and do not depend on threads or on the order of documents.\n\n"
        "  tundish tokenizer train corpus --out tokenizer --vocab 32000\n"
        "  tundish tokenizer train notes.txt --out t --pattern gpt2 --special '<|endoftext|>' "
        "--special '<|user|>'",
    .opts = options,
    .cfg_size = sizeof(struct train_options),
    .stage_version = 1,
    .makes = "tokenizer",
    .run = run_train,
};
