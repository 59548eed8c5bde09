/*
 * Benchmarks of the tokenizer, on --in or on text of its own. All train a tokenizer of 8,192 tokens
 * (pattern llama3) on the text first:
 *   encode cold   each measurement with a new encoder: its cache of pieces is empty;
 *   encode warm   an encoder that has seen the text;
 *   decode        the ids back, in MB/s of text;
 *   train         counting and merging.
 * The yardstick is a plain read of memory, as no encoder can be faster than that.
 */
#include <math.h>
#include <stdlib.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/rng.h"
#include "tokenize/tokenizer.h"
#include "tokenize/tokenizer_cmd.h"
#include "tokenize/files/tokenizer_write.h"
#include "tokenize/learn/train_text.h"

#define TEXT_BYTES ((size_t)16 << 20)
#define TEXT_LIMIT ((uint64_t)1 << 30)
#define VOCAB 8192
#define WORDS 60000

struct bench_text {
    struct arena arena;
    struct buf text;
    char *folder, *file;             /* the text as corpus.txt in a folder that is removed */
    struct tokenizer *tokenizer;
};

/* Words of a Zipf-like frequency from 60,000, some capitalized, with punctuation, digits, line ends
 * and non-ASCII letters. */
static void make_text(struct buf *out)
{
    struct rng r = { .seed = 7 };

    while (out->n < TEXT_BYTES) {
        uint64_t word = (uint64_t)(exp(rng_next_uniform(&r) * log(WORDS)));
        uint64_t letters = 2 + rng_at(1, word, 0) % 9, draw = rng_below(&r, 1000);

        for (uint64_t i = 0; i < letters; i++) {
            char letter = (char)('a' + rng_at(2, word, i) % 26);

            buf_addc(out, i == 0 && draw < 60 ? (char)(letter - 32) : letter);
        }
        if (draw % 83 == 0)
            buf_printf(out, " %u", (unsigned)(draw * 37));
        buf_adds(out, draw < 70    ? ", "
                      : draw < 120 ? ". "
                      : draw < 140 ? ".\n\n"
                      : draw < 150 ? "\xC3\xA9 "
                                   : " ");
    }
}

static enum status write_text(struct bench_text *b)
{
    const char *base = getenv("TMPDIR");

    b->folder = arena_printf(&b->arena, "%s/tundish-bench-XXXXXX", base && *base ? base : "/tmp");
    if (mkdtemp(b->folder) == NULL)
        return fail_errno(ST_IO, "cannot create a folder '%s'", b->folder);
    b->file = path_join(&b->arena, b->folder, "corpus.txt");
    return file_write_atomic(b->file, b->text.p, b->text.n);
}

/* Trains on the file and makes *out, if it is wanted, of the result. */
static enum status train(const struct bench_text *b, int threads, struct tokenizer **out)
{
    static const char *const specials[] = { "<|endoftext|>" };
    const char *pattern = pretok_pattern_text("llama3");
    struct bpe_train_args args = { .specials = specials,
                                   .special_count = 1,
                                   .vocab = VOCAB,
                                   .min_frequency = 1,
                                   .memory = UINT64_MAX };
    struct pool *pool = pool_new(threads);
    struct pretok *pretok = pretok_new();
    struct bpe_counter *counter = bpe_counter_new(pool_threads(pool), UINT64_MAX);
    struct corpus_text *corpus = NULL;
    struct train_text_totals totals;
    struct bpe_words words = { 0 };
    struct bpe_trained trained = { 0 };
    struct buf json = { 0 };
    enum status st = pretok_add(pretok, &(struct pretok_rule){ .what = "bench", .pattern = pattern });

    if (st == ST_OK)
        st = corpus_text_open(b->file, &corpus);
    if (st == ST_OK)
        st = train_text_count(pool, corpus, pretok, counter, &totals);
    if (st == ST_OK)
        st = bpe_counter_finish(counter, &words);
    if (st == ST_OK)
        st = bpe_train(&args, &words, &trained);
    if (st == ST_OK && out != NULL) {
        tokenizer_print(&json, &trained, 1, pattern);
        st = tokenizer_parse("bench", json.p, json.n, out);
    }
    buf_release(&json);
    bpe_trained_release(&trained);
    free(words.v);
    corpus_text_close(corpus);
    bpe_counter_free(counter);
    pretok_free(pretok);
    pool_free(pool);
    return st;
}

static enum status bench_text_open(struct bench *b, struct bench_text *t)
{
    *t = (struct bench_text){ 0 };
    if (b->in)
        TRY(file_read(b->in, TEXT_LIMIT, &t->text));
    else
        make_text(&t->text);
    TRY(write_text(t));
    return train(t, b->threads, &t->tokenizer);
}

static enum status bench_text_close(struct bench_text *t, enum status st)
{
    struct failure f = { .st = ST_OK };
    enum status removed;

    if (st != ST_OK)
        failure_save(&f, st);
    tokenizer_close(t->tokenizer);
    removed = t->folder ? file_remove_tree(t->folder) : ST_OK;
    buf_release(&t->text);
    arena_release(&t->arena);
    return st != ST_OK ? failure_restore(&f) : removed;
}

/* One measured pass; returns through *seconds. */
typedef enum status pass_fn(const struct bench *b, struct bench_text *t, struct encoder **kept,
                            double *seconds);

static enum status pass_encode(struct encoder *e, struct bench_text *t, double *seconds)
{
    struct token_list ids = { 0 };
    double start = bench_now();
    enum status st = encoder_encode(e, (struct span){ t->text.p, t->text.n }, false, &ids);

    *seconds = bench_now() - start;
    token_list_release(&ids);
    return st;
}

static enum status pass_cold(const struct bench *b, struct bench_text *t, struct encoder **kept,
                             double *seconds)
{
    struct encoder *e = encoder_new(t->tokenizer);
    enum status st = pass_encode(e, t, seconds);

    encoder_free(e);
    return st;
}

static enum status pass_warm(const struct bench *b, struct bench_text *t, struct encoder **kept,
                             double *seconds)
{
    if (*kept == NULL) {
        *kept = encoder_new(t->tokenizer);
        TRY(pass_encode(*kept, t, seconds));
    }
    return pass_encode(*kept, t, seconds);
}

static enum status pass_decode(const struct bench *b, struct bench_text *t, struct encoder **kept,
                               double *seconds)
{
    struct token_list ids = { 0 };
    struct buf text = { 0 };
    double start;
    enum status st;

    if (*kept == NULL)
        *kept = encoder_new(t->tokenizer);
    st = encoder_encode(*kept, (struct span){ t->text.p, t->text.n }, false, &ids);
    buf_reserve(&text, t->text.n);
    start = bench_now();
    if (st == ST_OK)
        st = tokenizer_decode(t->tokenizer, ids.v, ids.count, false, &text);
    *seconds = bench_now() - start;
    buf_release(&text);
    token_list_release(&ids);
    return st;
}

static enum status pass_train(const struct bench *b, struct bench_text *t, struct encoder **kept,
                              double *seconds)
{
    double start = bench_now();
    enum status st = train(t, b->threads, NULL);

    *seconds = bench_now() - start;
    return st;
}

static enum status measure(struct bench *b, pass_fn *pass)
{
    struct bench_text t;
    struct encoder *kept = NULL;
    double *rates = mem_array((size_t)b->repeat, sizeof *rates);
    enum status st = bench_text_open(b, &t);

    for (int i = 0; st == ST_OK && i < b->repeat; i++) {
        double seconds = 0;

        st = pass(b, &t, &kept, &seconds);
        rates[i] = (double)t.text.n / 1e6 / seconds;
    }
    if (st == ST_OK)
        bench_report(b, &(struct bench_result){ .unit = "MB/s",
                                                .values = rates,
                                                .count = b->repeat,
                                                .yardstick = "memory scan",
                                                .yardstick_value =
                                                    bench_memory_scan((size_t)64 << 20) * 1000 });
    encoder_free(kept);
    free(rates);
    return bench_text_close(&t, st);
}

static enum status bench_cold(struct bench *b) { return measure(b, pass_cold); }
static enum status bench_warm(struct bench *b) { return measure(b, pass_warm); }
static enum status bench_decode(struct bench *b) { return measure(b, pass_decode); }
static enum status bench_train(struct bench *b) { return measure(b, pass_train); }

const struct bench_case tokenizer_benches[] = {
    { "encode cold", bench_cold }, { "encode warm", bench_warm }, { "decode", bench_decode },
    { "train", bench_train }, { NULL, NULL },
};
