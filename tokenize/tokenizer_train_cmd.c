#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "store/artifact/artifact.h"
#include "tokenize/files/tokenizer_write.h"
#include "tokenize/learn/learn.h"
#include "tokenize/learn/learn_base.h"
#include "tokenize/learn/learn_bench.h"
#include "tokenize/learn/train_pattern.h"
#include "tokenize/learn/train_texts.h"
#include "tokenize/measure/tokenizer_report.h"
#include "tokenize/tokenizer.h"
#include "tokenize/tokenizer_cmd.h"

struct train_options {
    const char *corpus, *out, *pattern, *from, *require_file;
    int64_t vocab, min_frequency, min_piece_count, max_token_length, threads;
    struct opt_list special, require, also;
    int digits, ties;
    bool scripts, report;
    uint64_t memory;
};
#define S struct train_options

static const char *const digits_words[] = { "pattern", "1", "3", "any", NULL };
static const char *const ties_words[] = { "hf", "raw", NULL };

#define REPORT_BYTES ((uint64_t)16 << 20)    /* of the corpus that the report measures */
#define REPORT_MEMORY ((uint64_t)256 << 20)

#define DEFAULT_PATTERN "llama3"
#define DEFAULT_SPECIAL "<|endoftext|>"

static const struct opt options[] = {
    OPT_INPUT(S, corpus, "corpus",
              "what to train on: a corpus, or .jsonl, .jsonl.zst or .txt files",
              .flags = OPT_REQUIRED | OPT_POSITIONAL, .reads = "corpus"),
    OPT_OUTPUT(S, out, "out", "folder of the tokenizer", .flags = OPT_REQUIRED),
    OPT_INT(S, vocab, "vocab", "8192", 257, 1000000,
            "tokens, special ones and the 256 bytes included"),
    OPT_LIST(S, also, "also",
             "smaller vocabularies of the same training, each in the folder OUT/vocab-TOKENS",
             .value = "TOKENS"),
    OPT_STR(S, pattern, "pattern", NULL,
            "what text is cut by: gpt2, cl100k, llama3 (default), qwen2, o200k or a regular expression",
            .value = "NAME|REGEX"),
    OPT_CHOICE(S, digits, "digits", "pattern", digits_words,
               "digits in a piece: one, up to three, any number, or as the pattern has it"),
    OPT_BOOL(S, scripts, "scripts", "false",
             "cut between letters of different scripts (Latin, Han, Kana, ...)"),
    OPT_INT(S, min_frequency, "min-frequency", "1", 1, 1e15,
            "how often a pair must occur to become a token"),
    OPT_INT(S, min_piece_count, "min-piece-count", "1", 1, 1e15,
            "leave out pieces of text that occur less often; this changes the result"),
    OPT_INT(S, max_token_length, "max-token-length", "0", 0, 65536,
            "bytes of the longest token; 0: unbounded"),
    OPT_LIST(S, special, "special",
             "special tokens, which text is never read as; they get the first ids",
             .fallback = DEFAULT_SPECIAL, .value = "TEXT"),
    OPT_LIST(S, require, "require",
             "pieces of text that must be one token each, with the space in front if they have one",
             .value = "TEXT"),
    OPT_INPUT(S, require_file, "require-file", "more of these, one a line", .value = "FILE"),
    OPT_INPUT(S, from, "from",
              "go on from this tokenizer: its tokens keep their ids, its merges come first"),
    OPT_CHOICE(S, ties, "ties", "hf", ties_words,
               "ids of bytes, which decide between equally frequent pairs: Hugging Face's or raw"),
    OPT_BOOL(S, report, "report", "true",
             "metrics.json and report.html: what the tokenizer makes of a sample of the corpus"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_SIZE(S, memory, "memory", "8G", 1 << 20, 1e15,
             "bytes that the process may take; what does not fit goes to temporary files",
             .flags = OPT_NEUTRAL),
    OPT_END
};

/* One run of the command. */
struct training {
    const struct train_options *o;
    struct arena *arena;
    struct train_cuts cuts;
    struct pretok *own_cuts;
    struct learn_base *base;         /* NULL without --from */
    struct train_texts required;
    uint32_t *stops;
    struct corpus_text *corpus;
    struct pool *pool;
    struct comm *comm;
    struct learnt made;
};

/* ---- options ---- */

static enum status set_cuts(struct training *t)
{
    const struct train_options *o = t->o;

    TRY(train_cuts(t->arena,
                   &(struct train_cuts_args){ .pattern = o->pattern ? o->pattern : DEFAULT_PATTERN,
                                              .digits = (enum train_digits)o->digits,
                                              .scripts = o->scripts },
                   &t->cuts));
    t->own_cuts = pretok_new();
    for (size_t i = 0; t->cuts.patterns[i]; i++)
        TRY(pretok_add(t->own_cuts,
                       &(struct pretok_rule){ .what = i ? "option scripts" : "option pattern",
                                              .pattern = t->cuts.patterns[i] }));
    return ST_OK;
}

/* What the tokenizer that training goes on from has decided already. */
static enum status set_base(struct training *t)
{
    const struct train_options *o = t->o;
    bool special = o->special.count != 1 || strcmp(o->special.v[0], DEFAULT_SPECIAL) != 0;
    const char *given = o->pattern   ? "pattern"
                        : o->digits  ? "digits"
                        : o->scripts ? "scripts"
                        : o->ties    ? "ties"
                        : special    ? "special"
                                     : NULL;

    if (given != NULL)
        return fail(ST_CONFIG, "option %s cannot be used with from: that tokenizer has its own",
                    given);
    TRY(learn_base_open(o->from, &t->base));
    if (o->vocab <= learn_base_bpe(t->base)->vocab)
        return fail(ST_CONFIG, "vocab is %" PRId64 ", but '%s' has %u tokens already; want more",
                    o->vocab, o->from, learn_base_bpe(t->base)->vocab);
    return ST_OK;
}

static uint32_t first_vocab(const struct training *t)
{
    return t->base ? learn_base_bpe(t->base)->vocab : 256 + (uint32_t)t->o->special.count;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static enum status set_stops(struct training *t)
{
    const struct opt_list *also = &t->o->also;

    t->stops = arena_array(t->arena, also->count + 1, sizeof *t->stops);
    if (also->count > 0 && t->required.count > 0)
        return fail(ST_CONFIG, "option also cannot be used with required tokens, which come last: "
                               "train each size by itself");
    for (size_t i = 0; i < also->count; i++) {
        char *end;
        long long n = strtoll(also->v[i], &end, 10);

        if (*end != 0 || end == also->v[i] || n <= first_vocab(t) || n >= t->o->vocab)
            return fail(ST_CONFIG,
                        "also is '%s'; want a number of tokens above %u and below vocab=%" PRId64,
                        also->v[i], first_vocab(t), t->o->vocab);
        t->stops[i] = (uint32_t)n;
    }
    qsort(t->stops, also->count, sizeof *t->stops, by_size);
    for (size_t i = 1; i < also->count; i++)
        if (t->stops[i] == t->stops[i - 1])
            return fail(ST_CONFIG, "also is %u twice", t->stops[i]);
    return ST_OK;
}

static enum status set_all(struct training *t)
{
    const struct train_options *o = t->o;

    if (o->report && o->memory < REPORT_MEMORY)
        return fail(ST_CONFIG, "memory is %" PRIu64 " bytes, but the report may take %" PRIu64
                               "; raise it, or say --no-report",
                    o->memory, REPORT_MEMORY);
    if (o->max_token_length == 1)
        return fail(ST_CONFIG, "max-token-length is 1; want 0 (unbounded) or at least 2");
    if (o->from)
        TRY(set_base(t));
    else
        TRY(train_texts_check_special(&o->special, (uint64_t)o->vocab));
    if (!o->from)
        TRY(set_cuts(t));
    TRY(train_texts_required(t->arena,
                             &(struct train_texts_args){
                                 .texts = &o->require,
                                 .file = o->require_file,
                                 .pretok = t->base ? learn_base_pretok(t->base) : t->own_cuts,
                                 .nfc = t->base && learn_base_nfc(t->base),
                                 .max_length = (size_t)o->max_token_length },
                             &t->required));
    return set_stops(t);
}

/* ---- work ---- */

static enum status learn_it(struct training *t, const char *folder)
{
    const struct train_options *o = t->o;
    struct learn_args args = { .train = { .specials = o->special.v,
                                          .special_count = t->base ? 0 : o->special.count,
                                          .vocab = (uint32_t)o->vocab,
                                          .min_frequency = (uint64_t)o->min_frequency,
                                          .min_piece_count = (uint64_t)o->min_piece_count,
                                          .max_token_length = (uint32_t)o->max_token_length,
                                          .ties = (enum bpe_ties)o->ties,
                                          .base = t->base ? learn_base_bpe(t->base) : NULL,
                                          .stops = t->stops,
                                          .stop_count = o->also.count,
                                          .required = t->required.v,
                                          .required_count = t->required.count,
                                          .memory = o->memory,
                                          .folder = folder } };

    TRY(corpus_text_open(o->corpus, &t->corpus));
    t->pool = pool_new((int)o->threads);
    args.pool = t->pool;
    args.corpus = t->corpus;
    args.pretok = t->base ? learn_base_pretok(t->base) : t->own_cuts;
    args.nfc = t->base && learn_base_nfc(t->base);
    args.comm = t->comm;
    TRY(learn(&args, &t->made));
    if (comm_rank(t->comm) == 0 && t->made.trained.vocab < args.train.vocab)
        log_warn("the text gives only %u tokens of the %u wanted: no more pairs occur at least "
                 "min-frequency=%" PRIu64 " times",
                 t->made.trained.vocab, args.train.vocab, args.train.min_frequency);
    return ST_OK;
}

/* Tokens of the text, where what is not UTF-8 is a token a byte. */
static double bytes_per_token(const struct training *t, uint64_t text_tokens)
{
    uint64_t tokens = text_tokens + t->made.totals.other_bytes;

    return tokens ? (double)t->made.totals.bytes / (double)tokens : 0;
}

static json_t *counts(const struct training *t)
{
    const struct bpe_trained *b = &t->made.trained;
    const struct train_text_totals *sum = &t->made.totals;
    json_t *c = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "vocab", (json_int_t)b->vocab,
                          "merges", (json_int_t)b->merge_count, "documents",
                          (json_int_t)sum->documents, "bytes", (json_int_t)sum->bytes, "pieces",
                          (json_int_t)sum->pieces, "different_pieces", (json_int_t)b->pieces,
                          "tokens", (json_int_t)(b->text_tokens + sum->other_bytes),
                          "bytes_per_token", bytes_per_token(t, b->text_tokens));
    json_t *also = json_array();

    for (size_t i = 0; i < b->stop_count; i++)
        json_array_append_new(also,
                              json_pack("{s:I, s:f}", "vocab", (json_int_t)b->stops[i].vocab,
                                        "bytes_per_token",
                                        bytes_per_token(t, b->stops[i].text_tokens)));
    if (b->stop_count > 0)
        json_object_set(c, "also", also);
    json_decref(also);
    return c;
}

static enum status write_report(const struct training *t, const struct tokenizer *made,
                                const char *folder)
{
    static const char *const name[] = { "tokenizer" };
    bool sampled = t->made.totals.bytes > REPORT_BYTES;

    return tokenizer_report(&(struct tokenizer_report_args){
        .pool = t->pool,
        .measure = { .source = { .corpus = t->o->corpus, .most = sampled ? REPORT_BYTES : 0 },
                     .tokenizers = { made },
                     .count = 1,
                     .samples = 8 },
        .names = name,
        .folder = folder });
}

/* The file is read again as any reader of it will. */
static enum status check_written(const struct training *t, const char *folder, uint32_t want)
{
    struct tokenizer *made;
    enum status st = ST_OK;

    TRY(tokenizer_open(folder, &made));
    BUG_IF(t->base == NULL && tokenizer_vocab(made) != want);
    if (tokenizer_end_of_text(made) < 0)
        log_warn("none of the special tokens is a known end of text (want <|endoftext|>): "
                 "'tokenize' cannot use this tokenizer");
    if (t->o->report)
        st = write_report(t, made, folder);
    tokenizer_close(made);
    return st;
}

/* The first tokens and merges of what was made. */
static enum status write_one(const struct training *t, const char *folder, struct bpe_stop size)
{
    struct bpe_trained part = t->made.trained;
    struct buf text = { 0 };
    const char *path = path_join(t->arena, folder, "tokenizer.json");
    enum status st = ST_OK;

    part.vocab = size.vocab;
    part.merge_count = size.merge_count;
    if (t->base)
        st = learn_base_print(t->base, &part, &text);
    else
        tokenizer_print_cuts(&text, &part, t->o->special.count, t->cuts.patterns);
    if (st == ST_OK)
        st = file_write_new(path, text.p, text.n);
    buf_release(&text);
    return st;
}

static enum status write_files(struct training *t, struct artifact *out)
{
    const struct bpe_trained *b = &t->made.trained;
    const char *folder = artifact_folder(out);

    TRY(write_one(t, folder, (struct bpe_stop){ b->vocab, b->merge_count, b->text_tokens }));
    TRY(check_written(t, folder, b->vocab));
    for (size_t i = 0; i < b->stop_count; i++) {
        const char *inner = arena_printf(t->arena, "%s/vocab-%u", folder, b->stops[i].vocab);

        TRY(file_make_folders(inner));
        TRY(write_one(t, inner, b->stops[i]));
    }
    artifact_set_counts(out, counts(t));
    return ST_OK;
}

static void report(const struct training *t)
{
    const struct bpe_trained *b = &t->made.trained;
    const struct train_text_totals *sum = &t->made.totals;
    const struct learn_seconds *s = &t->made.seconds;
    char documents[28], bytes[24], vocab[28], merges[28], pieces[28];

    log_info(
        "%s: %s tokens (%s merges) from %s documents, %s, %s different pieces; %.3f bytes a token",
        t->o->out, str_count(b->vocab, vocab), str_count(b->merge_count, merges),
        str_count(sum->documents, documents), str_bytes(sum->bytes, bytes),
        str_count(b->pieces, pieces), bytes_per_token(t, b->text_tokens));
    for (size_t i = 0; i < b->stop_count; i++)
        log_info("%s/vocab-%u: %.3f bytes a token", t->o->out, b->stops[i].vocab,
                 bytes_per_token(t, b->stops[i].text_tokens));
    log_info("counted in %.2f s (%zu run%s on disk), laid out in %.2f s%s, merged in %.2f s (pairs "
             "indexed %u time%s)",
             s->count, t->made.runs, t->made.runs == 1 ? "" : "s", s->fill,
             b->paged ? " (on disk)" : "", s->merge, b->scans, b->scans == 1 ? "" : "s");
}

/* ---- ranks ---- */

static enum status train_first(struct training *t)
{
    struct artifact *out;
    enum status st;

    TRY(artifact_begin(&cmd_tokenizer_train, t->o, t->o->out, &out));
    st = comm_barrier(t->comm);
    if (st == ST_OK)
        st = learn_it(t, artifact_folder(out));
    if (st == ST_OK)
        st = write_files(t, out);
    if (st != ST_OK) {
        artifact_abort(out);
        return st;
    }
    TRY(artifact_commit(out, NULL));
    report(t);
    return ST_OK;
}

/* The other ranks count, and keep what they cannot hold beside the output. */
static enum status train_other(struct training *t)
{
    const char *out = t->o->out, *slash;
    size_t n = strlen(out);

    log_set_quiet(true); /* one rank speaks for all */
    TRY(comm_barrier(t->comm));
    while (n > 1 && out[n - 1] == '/')
        n--;
    out = arena_strndup(t->arena, out, n);
    slash = strrchr(out, '/');
    out = slash == NULL ? "." : slash == out ? "/" : arena_strndup(t->arena, out, (size_t)(slash - out));
    TRY(file_make_folders(out));
    return learn_it(t, out);
}

static void close_all(struct training *t)
{
    learnt_release(&t->made);
    corpus_text_close(t->corpus);
    pool_free(t->pool);
    pretok_free(t->own_cuts);
    learn_base_close(t->base);
    comm_close(t->comm);
}

static enum status run_train(struct arena *a, void *cfg)
{
    struct training t = { .o = cfg, .arena = a };
    enum status st = set_all(&t);

    if (st == ST_OK)
        st = comm_open(&t.comm);
    if (st == ST_OK)
        st = comm_rank(t.comm) == 0 ? train_first(&t) : train_other(&t);
    comm_abort(t.comm, "tokenizer train", st);
    close_all(&t);
    return st;
}

const struct command cmd_tokenizer_train = {
    .name = "tokenizer train",
    .summary = "train a byte-level BPE tokenizer on a corpus",
    .details =
        "Writes a folder with tokenizer.json, as Hugging Face reads it, and a report. "
        "The merges are those that Hugging Face's trainer\n"
        "finds on the same text, and do not depend on threads, ranks, memory or the order of documents.\n"
        "Under mpirun the ranks share the text.\n\n"
        "  tundish tokenizer train corpus --out tokenizer --vocab 32000\n"
        "  tundish tokenizer train corpus --out tokenizer --vocab 32768 --also 8192 --also 16384\n"
        "  tundish tokenizer train notes.txt --out t --pattern gpt2 --special '<|endoftext|>' "
        "--special '<|user|>'\n"
        "  tundish tokenizer train medical --out t --from llama3/tokenizer.json --vocab 136000",
    .opts = options,
    .cfg_size = sizeof(struct train_options),
    .stage_version = 2,
    .makes = "tokenizer",
    .run = run_train,
    .benches = learn_benches,
};
