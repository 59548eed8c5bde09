#include "tokenize/stage/stage_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zstd.h>

#include "base/file.h"
#include "base/log.h"
#include "store/documents/documents.h"
#include "tokenize/encode/encode_stream.h"
#include "tokenize/stage/stage.h"
#include "tokenize/tokenize_cmd.h"

#define DOCUMENT_BYTES 4096
#define FILE_BYTES ((uint64_t)64 << 20)

struct case_of {
    struct arena arena;
    struct bench *b;
    const struct stage_bench_args *args;
    const char *corpus, *out;
    struct tokenizer *tokenizer;
    struct pool *pool;
    double *rates, *core_rates;      /* MB/s of each pass by the clock, and by processor time of all threads */
};

/* ---- the corpus ---- */

/* About 4 KB, up to the end of a line. */
static struct span take_text(struct span *rest)
{
    size_t n = rest->n < DOCUMENT_BYTES ? rest->n : DOCUMENT_BYTES;
    const char *end = rest->n > n ? memchr(rest->p + n, '\n', rest->n - n) : NULL;
    struct span text = { rest->p, end ? (size_t)(end - rest->p) + 1 : rest->n };

    *rest = (struct span){ rest->p + text.n, rest->n - text.n };
    return text;
}

static enum status add_all(struct document_writer *w, struct span rest)
{
    for (size_t i = 0; rest.n > 0; i++) {
        char id[32];
        struct document d = { .text = take_text(&rest), .source = span_of("bench") };

        snprintf(id, sizeof id, "document-%zu", i);
        d.id = span_of(id);
        TRY(document_writer_add(w, &d));
    }
    return ST_OK;
}

static enum status write_corpus(const struct case_of *c)
{
    struct document_writer *w;
    enum status st;

    if (c->args->text.n == 0)
        return fail(ST_USAGE, "the benchmark needs a text of at least one byte");
    TRY(file_make_folders(c->corpus));
    TRY(document_writer_open(c->corpus, FILE_BYTES, &w));
    st = add_all(w, c->args->text);
    if (st == ST_OK)
        return document_writer_close(w);
    document_writer_abort(w);
    return st;
}

/* ---- yardsticks ---- */

static enum status unpack(const char *path, char *piece, size_t cap)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();
    struct file_map map;
    enum status st = file_map_open(&map, path);
    ZSTD_inBuffer in = { map.p, map.n, 0 };
    size_t left = 1;

    while (st == ST_OK && left != 0) {
        ZSTD_outBuffer out = { piece, cap, 0 };

        left = ZSTD_decompressStream(z, &out, &in);
        if (ZSTD_isError(left) || (left != 0 && out.pos == 0 && in.pos == in.size))
            st = fail(ST_FORMAT, "cannot decompress '%s'", path);
    }
    if (map.p != NULL)
        file_map_close(&map);
    ZSTD_freeDCtx(z);
    return st;
}

static enum status pass_unpack(struct case_of *c)
{
    size_t cap = ZSTD_DStreamOutSize();
    char *piece = mem_alloc(cap);
    struct corpus_files files;
    enum status st = corpus_files_list(&c->arena, c->corpus, &files);

    for (size_t i = 0; st == ST_OK && i < files.count; i++)
        st = unpack(files.v[i].path, piece, cap);
    free(piece);
    return st;
}

static enum status next_text(void *ctx, struct stream_text *s, bool *got)
{
    *s = (struct stream_text){ .d = { .text = take_text(ctx) } };
    *got = s->d.text.n > 0;
    return ST_OK;
}

static enum status take_nothing(void *ctx, const struct encoded_document *d)
{
    (void)ctx;
    (void)d;
    return ST_OK;
}

static enum status pass_encode(struct case_of *c)
{
    struct span rest = c->args->text;
    struct encode_stream s = { .tokenizer = c->tokenizer, .end = tokenizer_end_of_text(c->tokenizer),
                               .next = next_text, .take = take_nothing, .ctx = &rest };

    return encode_stream(c->pool, &s);
}

/* ---- the stage ---- */

static enum status pass_store(struct case_of *c)
{
    struct tokenize_options o = { .tokenizer = c->args->tokenizer, .corpus = c->corpus, .out = c->out,
                                  .validation = 0.02, .group_bytes = (uint64_t)256 << 20,
                                  .shard_tokens = 100000000, .threads = c->b->threads };
    bool quiet = log_is_quiet();
    enum status st;

    log_set_quiet(true);
    st = tokenize_stage(&cmd_tokenize, &o);
    log_set_quiet(quiet);
    return st;
}

static double core_now(void)
{
    struct timespec t;

    BUG_IF(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct best {
    double rate, core_rate;
};

/* The rates of each pass into c; the best of them. */
static enum status measure(struct case_of *c, enum status (*pass)(struct case_of *), struct best *best)
{
    double text = (double)c->args->text.n / 1e6;

    *best = (struct best){ 0 };
    for (int i = 0; i < c->b->repeat; i++) {
        double start = bench_now(), core = core_now();

        TRY(pass(c));
        c->rates[i] = text / (bench_now() - start);
        c->core_rates[i] = text / (core_now() - core);
        best->rate = c->rates[i] > best->rate ? c->rates[i] : best->rate;
        best->core_rate = c->core_rates[i] > best->core_rate ? c->core_rates[i] : best->core_rate;
    }
    return ST_OK;
}

static enum status run(struct case_of *c)
{
    struct best unpacked, encoded, stored;
    struct bench_result r = { .unit = "MB/s", .values = c->rates, .count = c->b->repeat };

    TRY(write_corpus(c));
    TRY(tokenizer_open(c->args->tokenizer, &c->tokenizer));
    TRY(measure(c, pass_unpack, &unpacked));
    TRY(pass_encode(c));                 /* once unmeasured: tables of merging */
    TRY(measure(c, pass_encode, &encoded));
    TRY(measure(c, pass_store, &stored));
    r.yardstick = "zstd -d";
    r.yardstick_value = unpacked.rate;
    bench_report(c->b, &r);
    r.yardstick = "encode only";
    r.yardstick_value = encoded.rate;
    bench_report(c->b, &r);
    r.variant = "a core";
    r.values = c->core_rates;
    r.yardstick_value = encoded.core_rate;
    bench_report(c->b, &r);
    return ST_OK;
}

enum status stage_bench(struct bench *b, const struct stage_bench_args *args)
{
    struct case_of c = { .b = b, .args = args, .pool = pool_new(b->threads) };
    enum status st;

    c.corpus = path_join(&c.arena, args->folder, "corpus");
    c.out = path_join(&c.arena, args->folder, "tokens");
    c.rates = arena_array(&c.arena, (size_t)b->repeat, sizeof *c.rates);
    c.core_rates = arena_array(&c.arena, (size_t)b->repeat, sizeof *c.core_rates);
    st = run(&c);
    tokenizer_close(c.tokenizer);
    pool_free(c.pool);
    arena_release(&c.arena);
    return st;
}
