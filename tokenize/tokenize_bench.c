/*
 * Benchmarks of the tokenizer: `tundish bench tokenize`, on --in or on text of its own, with
 * --tokenizer or with one of 8,192 tokens (pattern llama3) that is trained on the text first:
 *   cut               pieces alone, by each named pattern (pretok/pretok_bench.h);
 *   encode cold       each measurement with a new encoder: its cache of pieces is empty. What the
 *                     tokenizer makes once for all encoders when it is first used much (tables of
 *                     merging, some tenths of a second) is there: one pass goes before;
 *   encode warm       an encoder that has seen the text;
 *   count             as encode warm, but no ids are kept;
 *   documents         the text as a stream of documents, on all threads;
 *   piece of one      a megabyte of one letter, which no pattern cuts;
 *   piece of many     a megabyte of random small letters;
 *   decode            the ids back, in MB/s of text;
 *   length            encode cold of the text's first 1 KB, 10 KB ... 10 MB, each as one document:
 *                     cost against document length;
 *   vocabulary        encode cold with 1,024 to 65,536 tokens trained on the text;
 *   train             counting and merging;
 *   corpus to store   the whole stage `tokenize`, with yardsticks of its own (stage/stage_bench.h).
 * The yardstick of the others is a plain read of memory, as no encoder can be faster than that.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/rng.h"
#include "store/store_bench.h"
#include "tokenize/bench_words.h"
#include "tokenize/encode/encode_stream.h"
#include "tokenize/files/tokenizer_write.h"
#include "tokenize/learn/learn_bench.h"
#include "tokenize/pretok/pretok_bench.h"
#include "tokenize/stage/stage_bench.h"
#include "tokenize/tokenize_cmd.h"
#include "tokenize/tokenizer.h"

#define TEXT_BYTES ((size_t)16 << 20)
#define TEXT_LIMIT ((uint64_t)1 << 30)
#define VOCAB 8192
#define WORDS 60000

#define PIECE_BYTES ((size_t)1 << 20)
#define LEAST_PASS 2e-3              /* seconds; what takes less is done again */

struct bench_text {
    struct arena arena;
    struct buf text;
    char *folder, *file;             /* the text as corpus.txt in a folder that is removed */
    struct tokenizer *tokenizer;
    struct encoder *kept;            /* of the warm passes */
    struct pool *pool;
};

static enum status write_text(struct bench_text *b)
{
    TRY(bench_folder_open(&b->arena, &b->folder));
    b->file = path_join(&b->arena, b->folder, "corpus.txt");
    return file_write_atomic(b->file, b->text.p, b->text.n);
}

/* Trains on the file and makes *out, if it is wanted, of the result. */
static enum status train(struct bench_text *b, uint32_t vocab, struct tokenizer **out)
{
    const char *pattern = pretok_pattern_text("llama3");
    struct learnt made = { 0 };
    struct buf json = { 0 };
    enum status st = learn_bench_file(&(struct learn_bench_args){ .pool = b->pool, .file = b->file,
                                                                  .folder = b->folder,
                                                                  .pattern = pattern, .vocab = vocab,
                                                                  .memory = UINT64_MAX },
                                      &made);

    if (st == ST_OK && out != NULL) {
        tokenizer_print(&json, &made.trained, 1, pattern);
        st = file_write_atomic(path_join(&b->arena, b->folder, "tokenizer.json"), json.p, json.n);
    }
    if (st == ST_OK && out != NULL)
        st = tokenizer_parse("bench", json.p, json.n, out);
    buf_release(&json);
    learnt_release(&made);
    return st;
}

/* ---- a text with its tokenizer ---- */

static enum status bench_text_open(struct bench *b, struct bench_text *t)
{
    *t = (struct bench_text){ .pool = pool_new(b->threads) };
    if (b->in)
        TRY(file_read(b->in, TEXT_LIMIT, &t->text));
    else
        bench_words(&t->text, TEXT_BYTES, WORDS);
    TRY(write_text(t));
    return b->tokenizer ? tokenizer_open(b->tokenizer, &t->tokenizer)
                        : train(t, VOCAB, &t->tokenizer);
}

static enum status bench_text_close(struct bench_text *t, enum status st)
{
    encoder_free(t->kept);
    tokenizer_close(t->tokenizer);
    pool_free(t->pool);
    if (t->folder)
        st = bench_folder_close(t->folder, st);
    buf_release(&t->text);
    arena_release(&t->arena);
    return st;
}

/* ---- passes: each measures once and gives the seconds ---- */

typedef enum status pass_fn(struct bench_text *t, struct span text, double *seconds);

static enum status encode_with(struct encoder *e, struct span text, double *seconds)
{
    struct token_list ids = { 0 };
    double start;
    enum status st;

    token_list_reserve(&ids, text.n);
    memset(ids.v, 0, text.n * sizeof *ids.v);      /* the room is the caller's, and there */
    start = bench_now();
    st = encoder_encode(e, text, false, &ids);
    *seconds = bench_now() - start;
    token_list_release(&ids);
    return st;
}

static enum status pass_cold(struct bench_text *t, struct span text, double *seconds)
{
    struct encoder *e = encoder_new(t->tokenizer);
    enum status st = encode_with(e, text, seconds);

    encoder_free(e);
    return st;
}

static enum status pass_warm(struct bench_text *t, struct span text, double *seconds)
{
    if (t->kept == NULL) {
        t->kept = encoder_new(t->tokenizer);
        TRY(encode_with(t->kept, text, seconds));
    }
    return encode_with(t->kept, text, seconds);
}

static enum status pass_count(struct bench_text *t, struct span text, double *seconds)
{
    struct token_count count;
    double start;
    enum status st;

    if (t->kept == NULL)
        TRY(pass_warm(t, text, seconds));
    start = bench_now();
    st = encoder_count(t->kept, text, false, TOKEN_COUNT_ALL, &count);
    *seconds = bench_now() - start;
    return st;
}

static enum status pass_decode(struct bench_text *t, struct span text, double *seconds)
{
    struct token_list ids = { 0 };
    struct buf back = { 0 };
    double start;
    enum status st;

    if (t->kept == NULL)
        t->kept = encoder_new(t->tokenizer);
    st = encoder_encode(t->kept, text, false, &ids);
    buf_reserve(&back, text.n + 64);
    memset(back.p, 0, text.n);
    start = bench_now();
    if (st == ST_OK)
        st = tokenizer_decode(t->tokenizer, ids.v, ids.count, false, &back);
    *seconds = bench_now() - start;
    buf_release(&back);
    token_list_release(&ids);
    return st;
}

static enum status pass_train(struct bench_text *t, struct span text, double *seconds)
{
    double start = bench_now();
    enum status st = train(t, VOCAB, NULL);

    *seconds = bench_now() - start;
    return st;
}

/* ---- the text as documents ---- */

struct lines {
    struct span rest;
};

/* About 4 KB, up to the end of a line. */
static enum status next_document(void *ctx, struct stream_text *s, bool *got)
{
    struct lines *l = ctx;
    size_t n = l->rest.n < 4096 ? l->rest.n : 4096;
    const char *end = l->rest.n > n ? memchr(l->rest.p + n, '\n', l->rest.n - n) : NULL;

    n = end ? (size_t)(end - l->rest.p) + 1 : l->rest.n;
    *s = (struct stream_text){
        .d = { .id = { "", 0 }, .source = { "", 0 }, .text = { l->rest.p, n } }
    };
    l->rest = (struct span){ l->rest.p + n, l->rest.n - n };
    *got = n > 0;
    return ST_OK;
}

static enum status take_nothing(void *ctx, const struct encoded_document *d)
{
    return ST_OK;
}

static enum status pass_documents(struct bench_text *t, struct span text, double *seconds)
{
    struct lines lines = { text };
    struct encode_stream s = { .tokenizer = t->tokenizer, .end = -1, .next = next_document,
                               .take = take_nothing, .ctx = &lines };
    double start = bench_now();
    enum status st = encode_stream(t->pool, &s);

    *seconds = bench_now() - start;
    return st;
}

/* ---- cases ---- */

/* Repeats a pass on `text` (NULL: all of the bench's) and reports; variant as in bench.h. */
static enum status report_pass(struct bench *b, struct bench_text *t, const struct span *text,
                               const char *variant, pass_fn *pass)
{
    struct span all = { t->text.p, t->text.n }, what = text ? *text : all;
    double *rates = mem_array((size_t)b->repeat, sizeof *rates);
    double before;
    enum status st = pass(t, what, &before);

    for (int i = 0; st == ST_OK && i < b->repeat; i++) {
        double seconds = 0, once = 0;
        int times = 0;

        for (; st == ST_OK && seconds < LEAST_PASS; times++, seconds += once)
            st = pass(t, what, &once);
        rates[i] = (double)what.n * times / 1e6 / seconds;
    }
    if (st == ST_OK)
        bench_report(b, &(struct bench_result){ .variant = variant, .unit = "MB/s",
                                                .values = rates, .count = b->repeat,
                                                .yardstick = "memory scan",
                                                .yardstick_value =
                                                    bench_memory_scan((size_t)64 << 20) * 1000 });
    free(rates);
    return st;
}

static enum status measure(struct bench *b, pass_fn *pass)
{
    struct bench_text t;
    enum status st = bench_text_open(b, &t);

    if (st == ST_OK)
        st = report_pass(b, &t, NULL, NULL, pass);
    return bench_text_close(&t, st);
}

static enum status bench_cold(struct bench *b) { return measure(b, pass_cold); }
static enum status bench_warm(struct bench *b) { return measure(b, pass_warm); }
static enum status bench_count(struct bench *b) { return measure(b, pass_count); }
static enum status bench_documents(struct bench *b) { return measure(b, pass_documents); }
static enum status bench_decode(struct bench *b) { return measure(b, pass_decode); }
static enum status bench_train(struct bench *b) { return measure(b, pass_train); }

static enum status measure_piece(struct bench *b, bool random)
{
    struct bench_text t;
    enum status st = bench_text_open(b, &t);
    char *piece = mem_alloc(PIECE_BYTES);
    struct rng r = { .seed = 3 };

    for (size_t i = 0; i < PIECE_BYTES; i++)
        piece[i] = (char)('a' + (random ? rng_below(&r, 26) : 0));
    if (st == ST_OK)
        st = report_pass(b, &t, &(struct span){ piece, PIECE_BYTES }, NULL, pass_cold);
    free(piece);
    return bench_text_close(&t, st);
}

static enum status bench_piece_of_one(struct bench *b) { return measure_piece(b, false); }
static enum status bench_piece_of_many(struct bench *b) { return measure_piece(b, true); }

static enum status bench_length(struct bench *b)
{
    struct bench_text t;
    enum status st = bench_text_open(b, &t);

    for (size_t n = 1000; st == ST_OK && n <= 10000000 && n <= t.text.n; n *= 10) {
        struct span text = { t.text.p, n };
        char variant[32];

        snprintf(variant, sizeof variant, "%zu KB", n / 1000);
        st = report_pass(b, &t, &text, variant, pass_cold);
    }
    return bench_text_close(&t, st);
}

static enum status bench_vocabulary(struct bench *b)
{
    struct bench_text t;
    enum status st = bench_text_open(b, &t);

    for (uint32_t vocab = 1024; st == ST_OK && vocab <= 65536; vocab *= 4) {
        char variant[32];

        tokenizer_close(t.tokenizer);
        t.tokenizer = NULL;
        st = train(&t, vocab, &t.tokenizer);
        snprintf(variant, sizeof variant, "%u", vocab);
        if (st == ST_OK)
            st = report_pass(b, &t, NULL, variant, pass_cold);
    }
    return bench_text_close(&t, st);
}

static enum status bench_store(struct bench *b)
{
    struct bench_text t;
    struct stage_bench_args args = { .tokenizer = b->tokenizer };
    enum status st = bench_text_open(b, &t);

    if (args.tokenizer == NULL && st == ST_OK)
        args.tokenizer = path_join(&t.arena, t.folder, "tokenizer.json");
    args.text = (struct span){ t.text.p, t.text.n };
    args.folder = t.folder;
    if (st == ST_OK)
        st = stage_bench(b, &args);
    return bench_text_close(&t, st);
}

const struct bench_case tokenize_benches[] = {
    { "cut", pretok_bench },
    { "encode cold", bench_cold },
    { "encode warm", bench_warm },
    { "count", bench_count },
    { "documents", bench_documents },
    { "piece of one", bench_piece_of_one },
    { "piece of many", bench_piece_of_many },
    { "decode", bench_decode },
    { "length", bench_length },
    { "vocabulary", bench_vocabulary },
    { "train", bench_train },
    { "corpus to store", bench_store },
    { NULL, NULL },
};
