#include "store/sampling/sampling_bench.h"

#include <stdio.h>

#include "base/file.h"
#include "base/rng.h"
#include "store/sampling/sampling.h"
#include "store/store_bench.h"
#include "store/tokens/bench_tokens.h"

#define LOADER_TOKENS  ((uint64_t)32 << 20)
#define LOADER_VOCAB   50257
#define LOADER_LONGEST 4096
#define LOADER_T       1024
#define LOADER_STEP    64 /* rows read at a time */

/* ---- a store ---- */

/* Lengths as of web pages: as many between 64 and 128 tokens as between 2,048 and 4,096; 685 on
 * average. */
static uint64_t length_of(uint64_t document)
{
    uint64_t draw = rng_at(1, 1, document);

    return (64 + draw % 64) << (draw >> 32) % 6;
}

static enum status write_documents(void *ctx, struct token_writer *w)
{
    uint32_t tokens[LOADER_LONGEST];
    uint64_t done = 0;
    enum status st = ST_OK;

    for (uint64_t i = 0; st == ST_OK && done < LOADER_TOKENS; i++) {
        uint64_t n = length_of(i);
        char id[32];

        snprintf(id, sizeof id, "document %llu", (unsigned long long)i);
        for (uint64_t k = 0; k < n; k++)
            tokens[k] = (uint32_t)((done + k * 2654435761u) % LOADER_VOCAB);
        st = token_writer_add(w, &(struct token_document){ .id = span_of(id),
                                                           .source = span_of("s"),
                                                           .text_hash = rng_at(1, 2, i),
                                                           .tokens = tokens,
                                                           .count = n });
        done += n;
    }
    return st;
}

/* ---- measuring ---- */

/* Adds up all tokens where they lie: rows a second. */
static enum status scan(const struct token_store *s, double *rate)
{
    uint64_t total = token_store_tokens(s, TOKENS_TRAIN), n, sum = 0;
    volatile uint64_t kept; /* so that the work cannot be left out */
    double start = bench_now();

    for (uint64_t at = 0; at < total; at += n) {
        const void *p;
        const uint16_t *tokens;
        uint32_t part = 0;

        TRY(token_store_slice(s, TOKENS_TRAIN, at, &p, &n));
        tokens = p;
        for (uint64_t i = 0; i < n; i++)
            part += tokens[i];
        sum += part;
    }
    kept = sum;
    (void)kept;
    *rate = (double)total / LOADER_T / (bench_now() - start);
    return ST_OK;
}

/* Of one epoch, from the beginning: rows a second. */
static enum status read_epoch(struct sampling *s, const struct sampling_batch *out, double *rate)
{
    uint64_t steps = sampling_steps(s);
    double start = bench_now();

    for (uint64_t step = 0; step < steps; step++)
        TRY(sampling_read(s, step, 0, LOADER_STEP, out));
    *rate = (double)(steps * LOADER_STEP) / (bench_now() - start);
    return ST_OK;
}

static enum status measure(const struct token_store *store, enum packing packing,
                           const struct sampling_batch *out, double *rate)
{
    struct sampling_source source = { .store = store, .name = "bench", .weight = 1, .epochs = 1 };
    struct sampling_phase phase = {
        .length = LOADER_T, .rows = LOADER_STEP, .sources = &source, .source_count = 1
    };
    struct sampling_args args = { .seed = 1,
                                  .packing = packing,
                                  .window = 1024,
                                  .apart = true,
                                  .phases = &phase,
                                  .phase_count = 1 };
    struct sampling *s;
    enum status st;

    TRY(sampling_open(&args, &s));
    st = read_epoch(s, out, rate);
    sampling_close(s);
    return st;
}

static void report(const struct bench *b, const char *packing, double *rates, double yardstick)
{
    char variant[64];

    snprintf(variant, sizeof variant, "%s T=%d", packing, LOADER_T);
    bench_report(
        b, &(struct bench_result){ variant, "rows/s", rates, b->repeat, "plain scan", yardstick });
    for (int i = 0; i < b->repeat; i++)
        rates[i] = 1e6 / rates[i];
    bench_report(b, &(struct bench_result){ variant, "us/row", rates, b->repeat, "plain scan",
                                            1e6 / yardstick });
}

static enum status measure_all(struct bench *b, const struct token_store *store)
{
    double *rates = mem_array((size_t)b->repeat, sizeof *rates), yardstick = 0;
    size_t n = (size_t)LOADER_STEP * LOADER_T;
    int32_t *rows = mem_array(3 * n, sizeof *rows);
    struct sampling_batch out = { rows, rows + n, rows + 2 * n };
    enum status st = scan(store, &yardstick); /* once unmeasured: page faults */

    for (int packing = 0; st == ST_OK && packing < PACKINGS; packing++) {
        st = scan(store, &yardstick);
        for (int i = 0; st == ST_OK && i < b->repeat; i++)
            st = measure(store, (enum packing)packing, &out, &rates[i]);
        if (st == ST_OK)
            report(b, packing_names[packing], rates, yardstick);
    }
    free(rates);
    free(rows);
    return st;
}

static enum status load_store(struct bench *b, const char *path)
{
    struct token_store *store;
    enum status st;

    TRY(bench_tokens_make(&(struct bench_tokens){ .path = path,
                                                  .vocab = LOADER_VOCAB,
                                                  .shard_tokens = LOADER_TOKENS,
                                                  .add = write_documents }));
    TRY(token_store_open(path, &store));
    st = measure_all(b, store);
    token_store_close(store);
    return st;
}

enum status bench_loader(struct bench *b)
{
    struct arena a = { 0 };
    char *folder;
    enum status st = bench_folder_open(&a, &folder);

    if (st == ST_OK)
        st = bench_folder_close(folder, load_store(b, path_join(&a, folder, "tokens")));
    arena_release(&a);
    return st;
}
