/*
 * Each case trains on the file --in, or on text of its own (20 MB of words with a Zipf-like
 * frequency), with cl100k's pattern:
 *   train size         the text's first 1, 4, 16 ... MB to 8,192 tokens;
 *   train vocabulary   all of it to 1,024 ... 65,536 tokens;
 *   train threads      all of it to 32,768 tokens by 1, 2, 4 ... threads, up to --threads;
 *   train memory       the same in 64 MB, with temporary files.
 * In MB of text a second; the yardstick is a plain read of memory.
 */
#include "tokenize/learn/learn_bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bench.h"
#include "base/file.h"
#include "store/store_bench.h"
#include "tokenize/bench_words.h"

#define TEXT_BYTES ((size_t)20 << 20)
#define TEXT_LIMIT ((uint64_t)1 << 30)
#define WORDS 400000

struct learn_bench {
    struct bench *b;
    struct buf text;
    struct arena arena;
    char *folder, *file;
};
struct learn_case {
    size_t bytes;
    uint32_t vocab;
    int threads;
    uint64_t memory;
    const char *variant;
};

static enum status open_text(struct learn_bench *t)
{
    if (t->b->in)
        TRY(file_read(t->b->in, TEXT_LIMIT, &t->text));
    else
        bench_words(&t->text, TEXT_BYTES, WORDS);
    TRY(bench_folder_open(&t->arena, &t->folder));
    t->file = path_join(&t->arena, t->folder, "corpus.txt");
    return ST_OK;
}

enum status learn_bench_file(const struct learn_bench_args *a, struct learnt *made)
{
    static const char *const specials[] = { "<|endoftext|>" };
    struct learn_args args = { .pool = a->pool,
                               .train = { .specials = specials,
                                          .special_count = 1,
                                          .vocab = a->vocab,
                                          .min_frequency = 1,
                                          .memory = a->memory,
                                          .folder = a->folder } };
    struct pretok *pretok = pretok_new();
    enum status st =
        pretok_add(pretok, &(struct pretok_rule){ .what = "bench", .pattern = a->pattern });

    *made = (struct learnt){ 0 };
    args.pretok = pretok;
    if (st == ST_OK)
        st = comm_open(&args.comm);
    if (st == ST_OK)
        st = corpus_text_open(a->file, &args.corpus);
    if (st == ST_OK)
        st = learn(&args, made);
    corpus_text_close(args.corpus);
    comm_close(args.comm);
    pretok_free(pretok);
    return st;
}

static enum status train_once(const struct learn_bench *t, const struct learn_case *c,
                              double *seconds)
{
    struct learn_bench_args args = { .pool = pool_new(c->threads),
                                     .file = t->file,
                                     .folder = t->folder,
                                     .pattern = pretok_pattern_text("cl100k"),
                                     .vocab = c->vocab,
                                     .memory = c->memory };
    struct learnt made;
    double start = bench_now();
    enum status st = learn_bench_file(&args, &made);

    *seconds = bench_now() - start;
    learnt_release(&made);
    pool_free(args.pool);
    return st;
}

static enum status report_case(struct learn_bench *t, const struct learn_case *c)
{
    double *rates = mem_array((size_t)t->b->repeat, sizeof *rates);
    enum status st = file_write_atomic(t->file, t->text.p, c->bytes);

    for (int i = 0; st == ST_OK && i < t->b->repeat; i++) {
        double seconds = 1;

        st = train_once(t, c, &seconds);
        rates[i] = (double)c->bytes / 1e6 / seconds;
    }
    if (st == ST_OK)
        bench_report(t->b, &(struct bench_result){ .variant = c->variant,
                                                   .unit = "MB/s",
                                                   .values = rates,
                                                   .count = t->b->repeat,
                                                   .yardstick = "memory scan",
                                                   .yardstick_value =
                                                       bench_memory_scan((size_t)64 << 20) * 1000 });
    free(rates);
    return st;
}

typedef enum status series_fn(struct learn_bench *t);

static enum status run_series(struct bench *b, series_fn *series)
{
    struct learn_bench t = { .b = b };
    enum status st = open_text(&t);

    if (st == ST_OK)
        st = series(&t);
    if (t.folder)
        st = bench_folder_close(t.folder, st);
    buf_release(&t.text);
    arena_release(&t.arena);
    return st;
}

static enum status sizes(struct learn_bench *t)
{
    for (size_t n = 1000000; n <= t->text.n; n *= 4) {
        char variant[32];

        snprintf(variant, sizeof variant, "%zu MB", n / 1000000);
        TRY(report_case(t, &(struct learn_case){ n, 8192, t->b->threads, UINT64_MAX, variant }));
    }
    return ST_OK;
}

static enum status vocabularies(struct learn_bench *t)
{
    for (uint32_t vocab = 1024; vocab <= 65536; vocab *= 4) {
        char variant[32];

        snprintf(variant, sizeof variant, "%u", vocab);
        TRY(report_case(
            t, &(struct learn_case){ t->text.n, vocab, t->b->threads, UINT64_MAX, variant }));
    }
    return ST_OK;
}

static enum status thread_counts(struct learn_bench *t)
{
    for (int threads = 1; threads <= t->b->threads; threads *= 2) {
        char variant[32];

        snprintf(variant, sizeof variant, "%d", threads);
        TRY(report_case(t, &(struct learn_case){ t->text.n, 32768, threads, UINT64_MAX, variant }));
    }
    return ST_OK;
}

static enum status in_little_memory(struct learn_bench *t)
{
    uint64_t own = t->text.n + t->text.cap;    /* the text that this process holds besides */

    return report_case(t, &(struct learn_case){ t->text.n, 32768, t->b->threads,
                                                ((uint64_t)64 << 20) + own, "64 MB" });
}

static enum status bench_sizes(struct bench *b) { return run_series(b, sizes); }
static enum status bench_vocabularies(struct bench *b) { return run_series(b, vocabularies); }
static enum status bench_threads(struct bench *b) { return run_series(b, thread_counts); }
static enum status bench_memory(struct bench *b) { return run_series(b, in_little_memory); }

const struct bench_case learn_benches[] = {
    { "train size", bench_sizes },
    { "train vocabulary", bench_vocabularies },
    { "train threads", bench_threads },
    { "train memory", bench_memory },
    { NULL, NULL },
};
