#include "store/tokens/token_bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "store/store_bench.h"
#include "store/tokens/bench_tokens.h"
#include "store/tokens/token_format.h"

#define VOCAB           50257
#define TOKENS          ((uint64_t)100000000) /* of the one shard that is read */
#define DOCUMENT_TOKENS 2048u
#define WINDOW          65536u /* tokens that are widened at a time: they stay in the cache */
#define SAMPLE          4096u  /* tokens: 8 KB */
#define SAMPLES         200000
#define SHARDS          1000
#define SHARD_TOKENS    ((uint64_t)100000)
#define AGE_SECONDS     2.1 /* from then on a file's digest is remembered */

struct token_bench {
    struct bench *b;
    struct arena arena;
    const char *folder;
    const char *path; /* of the store */
    uint64_t total;   /* tokens of a shard of it */
    uint32_t shards;
    struct token_store *s;
    struct file_map plain; /* the same tokens, and no more */
};

/* ---- making ---- */

static void fill(uint32_t tokens[DOCUMENT_TOKENS], uint64_t first)
{
    for (uint64_t i = 0; i < DOCUMENT_TOKENS; i++)
        tokens[i] = (uint32_t)((first + i * 2654435761u) % VOCAB);
}

static enum status add_documents(void *ctx, struct token_writer *w)
{
    uint64_t total = ((const struct token_bench *)ctx)->total;
    uint32_t tokens[DOCUMENT_TOKENS];

    for (uint64_t done = 0, n; done < total; done += n) {
        char id[32];

        n = total - done < DOCUMENT_TOKENS ? total - done : DOCUMENT_TOKENS;
        fill(tokens, done);
        snprintf(id, sizeof id, "doc-%llu", (unsigned long long)(done / DOCUMENT_TOKENS));
        TRY(token_writer_add(w, &(struct token_document){ .id = span_of(id),
                                                          .source = span_of("source"),
                                                          .language = span_of("en"),
                                                          .text_hash = done,
                                                          .text_bytes = 4 * n,
                                                          .tokens = tokens,
                                                          .count = n }));
    }
    return ST_OK;
}

/* The one shard again, under the names of the others. */
static enum status copy_shards(void *ctx, const char *folder)
{
    struct token_bench *t = ctx;
    char name[TOKEN_SHARD_NAME];
    const char *first;

    token_shard_name((struct token_shard_id){ 0 }, name);
    first = path_join(&t->arena, folder, name);
    for (uint32_t i = 1; i < t->shards; i++) {
        struct buf bytes = { 0 };
        enum status st = file_read(first, (uint64_t)1 << 30, &bytes);

        token_shard_name((struct token_shard_id){ i, 0 }, name);
        if (st == ST_OK)
            st = file_write_new(path_join(&t->arena, folder, name), bytes.p, bytes.n);
        buf_release(&bytes);
        TRY(st);
    }
    return ST_OK;
}

static enum status make_store(struct token_bench *t, uint64_t total, uint32_t shards)
{
    t->path = path_join(&t->arena, t->folder, "tokens");
    t->total = total;
    t->shards = shards;
    return bench_tokens_make(&(struct bench_tokens){ .path = t->path,
                                                     .vocab = VOCAB,
                                                     .shard_tokens = UINT64_MAX,
                                                     .add = add_documents,
                                                     .behind = copy_shards,
                                                     .ctx = t });
}

static enum status make_plain(struct token_bench *t)
{
    const char *path = path_join(&t->arena, t->folder, "plain.bin");
    uint64_t total = token_store_tokens(t->s, TOKENS_TRAIN), n;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    enum status st = ST_OK;

    if (fd < 0)
        return fail_errno(ST_IO, "cannot create '%s'", path);
    for (uint64_t at = 0; st == ST_OK && at < total; at += n) {
        const void *p;

        st = token_store_slice(t->s, TOKENS_TRAIN, at, &p, &n);
        if (st == ST_OK)
            st = file_put(fd, path, p, n * 2);
    }
    close(fd);
    return st == ST_OK ? file_map_open(&t->plain, path) : st;
}

/* A folder, a store of one shard in it, and the plain file; the cases need not tidy up. */
static enum status with_store(struct bench *b, enum status (*measure)(struct token_bench *t))
{
    struct token_bench t = { .b = b };
    char *folder;
    enum status st = bench_folder_open(&t.arena, &folder);

    if (st == ST_OK) {
        t.folder = folder;
        st = make_store(&t, TOKENS, 1);
        if (st == ST_OK)
            st = token_store_open(t.path, &t.s);
        if (st == ST_OK)
            st = make_plain(&t);
        if (st == ST_OK)
            st = measure(&t);
        if (t.plain.p)
            file_map_close(&t.plain);
        token_store_close(t.s);
        st = bench_folder_close(folder, st);
    }
    arena_release(&t.arena);
    return st;
}

/* ---- measuring ---- */

static volatile uint64_t kept; /* so that the work cannot be left out */

typedef enum status pass_fn(struct token_bench *t, uint64_t *sum);
struct pass_pair {
    const char *variant, *unit, *yardstick;
    pass_fn *store, *plain;
    double scale; /* the figure is scale / seconds, or seconds * scale where by_time */
    bool by_time;
};

static enum status time_pass(struct token_bench *t, pass_fn *pass, double *seconds)
{
    double start = bench_now();
    uint64_t sum = 0;
    enum status st = pass(t, &sum);

    *seconds = bench_now() - start;
    kept = sum;
    return st;
}

static double figure(const struct pass_pair *p, double seconds)
{
    return p->by_time ? p->scale * seconds : p->scale / seconds;
}

/* Store and plain file by turns, so that what else the machine does meets both; each value is the
 * best of three passes, and the yardstick the median of the plain file's. */
static enum status measure_pair(struct token_bench *t, const struct pass_pair *p)
{
    int n = t->b->repeat;
    double *values = arena_array(&t->arena, (size_t)n, sizeof *values),
           *plain = arena_array(&t->arena, (size_t)n, sizeof *plain), store_s, plain_s;

    TRY(time_pass(t, p->store, &store_s)); /* once unmeasured: page faults */
    TRY(time_pass(t, p->plain, &plain_s));
    for (int i = 0; i < n; i++) {
        double best_store = 1e9, best_plain = 1e9;

        for (int k = 0; k < 3; k++) {
            TRY(time_pass(t, p->store, &store_s));
            TRY(time_pass(t, p->plain, &plain_s));
            best_store = store_s < best_store ? store_s : best_store;
            best_plain = plain_s < best_plain ? plain_s : best_plain;
        }
        values[i] = figure(p, best_store);
        plain[i] = figure(p, best_plain);
    }
    for (int i = 1; i < n; i++) /* insertion: the median is asked for */
        for (int k = i; k > 0 && plain[k] < plain[k - 1]; k--) {
            double x = plain[k];

            plain[k] = plain[k - 1];
            plain[k - 1] = x;
        }
    bench_report(
        t->b, &(struct bench_result){ .variant = p->variant,
                                      .unit = p->unit,
                                      .values = values,
                                      .count = n,
                                      .yardstick = p->yardstick,
                                      .yardstick_value = (plain[(n - 1) / 2] + plain[n / 2]) / 2 });
    return ST_OK;
}

/* ---- scan ---- */

static uint64_t sum_tokens(const uint16_t *p, uint64_t n)
{
    uint32_t sum = 0; /* it may wrap: it is a sum all the same */

    for (uint64_t i = 0; i < n; i++)
        sum += p[i];
    return sum;
}

static enum status scan_store(struct token_bench *t, uint64_t *sum)
{
    uint64_t total = token_store_tokens(t->s, TOKENS_TRAIN), n;

    for (uint64_t at = 0; at < total; at += n) {
        const void *p;

        TRY(token_store_slice(t->s, TOKENS_TRAIN, at, &p, &n));
        *sum += sum_tokens(p, n);
    }
    return ST_OK;
}

static enum status scan_plain(struct token_bench *t, uint64_t *sum)
{
    const uint16_t *p = (const uint16_t *)t->plain.p;
    uint64_t total = t->plain.n / 2, n;

    for (uint64_t at = 0; at < total; at += n) {
        n = total - at < (1 << 19) ? total - at : 1 << 19;
        *sum += sum_tokens(p + at, n);
    }
    return ST_OK;
}

static int32_t *window_of(struct token_bench *t)
{
    return arena_array(&t->arena, WINDOW, sizeof(int32_t));
}

static enum status widen_store(struct token_bench *t, uint64_t *sum)
{
    uint64_t total = token_store_tokens(t->s, TOKENS_TRAIN);
    int32_t *window = window_of(t);

    for (uint64_t at = 0; at + WINDOW <= total; at += WINDOW) {
        TRY(token_store_read(t->s, TOKENS_TRAIN, at, WINDOW, window));
        *sum += (uint64_t)window[at % WINDOW];
    }
    return ST_OK;
}

static enum status widen_plain(struct token_bench *t, uint64_t *sum)
{
    const uint16_t *p = (const uint16_t *)t->plain.p;
    uint64_t total = t->plain.n / 2;
    int32_t *window = window_of(t);

    for (uint64_t at = 0; at + WINDOW <= total; at += WINDOW) {
        for (uint64_t i = 0; i < WINDOW; i++)
            window[i] = p[at + i];
        *sum += (uint64_t)window[at % WINDOW];
    }
    return ST_OK;
}

static enum status measure_scan(struct token_bench *t)
{
    double gigabytes = (double)TOKENS * 2 / 1e9;

    TRY(measure_pair(t, &(struct pass_pair){ "in place", "GB/s", "mapped file", scan_store,
                                             scan_plain, gigabytes, false }));
    return measure_pair(t, &(struct pass_pair){ "to int32", "GB/s", "mapped file", widen_store,
                                                widen_plain, gigabytes, false });
}

enum status bench_token_scan(struct bench *b) { return with_store(b, measure_scan); }

/* ---- samples ---- */

static uint64_t sample_start(uint64_t i) { return rng_at(1, 1, i) % (TOKENS - SAMPLE); }

static enum status copy_samples(struct token_bench *t, uint64_t *sum)
{
    uint16_t out[SAMPLE];

    for (uint64_t i = 0; i < SAMPLES; i++) {
        uint64_t at = sample_start(i), n;

        for (uint64_t done = 0; done < SAMPLE; done += n) {
            const void *p;

            TRY(token_store_slice(t->s, TOKENS_TRAIN, at + done, &p, &n));
            n = n < SAMPLE - done ? n : SAMPLE - done;
            memcpy(out + done, p, n * sizeof *out);
        }
        *sum += out[i % SAMPLE];
    }
    return ST_OK;
}

static enum status copy_plain_samples(struct token_bench *t, uint64_t *sum)
{
    const uint16_t *p = (const uint16_t *)t->plain.p;
    uint16_t out[SAMPLE];

    for (uint64_t i = 0; i < SAMPLES; i++) {
        memcpy(out, p + sample_start(i), sizeof out);
        *sum += out[i % SAMPLE];
    }
    return ST_OK;
}

static enum status widen_samples(struct token_bench *t, uint64_t *sum)
{
    int32_t out[SAMPLE];

    for (uint64_t i = 0; i < SAMPLES; i++) {
        TRY(token_store_read(t->s, TOKENS_TRAIN, sample_start(i), SAMPLE, out));
        *sum += (uint64_t)out[i % SAMPLE];
    }
    return ST_OK;
}

static enum status widen_plain_samples(struct token_bench *t, uint64_t *sum)
{
    const uint16_t *p = (const uint16_t *)t->plain.p;
    int32_t out[SAMPLE];

    for (uint64_t i = 0; i < SAMPLES; i++) {
        const uint16_t *from = p + sample_start(i);

        for (uint64_t k = 0; k < SAMPLE; k++)
            out[k] = from[k];
        *sum += (uint64_t)out[i % SAMPLE];
    }
    return ST_OK;
}

static enum status measure_samples(struct token_bench *t)
{
    double scale = 1e6 / SAMPLES;

    TRY(measure_pair(t, &(struct pass_pair){ "8 KB copied", "us", "mapped file", copy_samples,
                                             copy_plain_samples, scale, true }));
    return measure_pair(t, &(struct pass_pair){ "8 KB to int32", "us", "mapped file", widen_samples,
                                                widen_plain_samples, scale, true });
}

enum status bench_token_samples(struct bench *b) { return with_store(b, measure_samples); }

/* ---- disk ---- */

static enum status measure_disk(struct token_bench *t)
{
    uint64_t bytes;
    double ratio;

    TRY(file_size(path_join(&t->arena, t->path, "shard-00000.mdb"), &bytes));
    ratio = (double)bytes / (double)t->plain.n;
    bench_report(t->b, &(struct bench_result){ .variant = "documents of 2,048 tokens",
                                               .unit = "bytes a token byte",
                                               .values = &ratio,
                                               .count = 1,
                                               .yardstick = "plain file",
                                               .yardstick_value = 1 });
    return ST_OK;
}

enum status bench_token_disk(struct bench *b) { return with_store(b, measure_disk); }

/* ---- opening ---- */

static enum status open_once(const char *path, double *milliseconds)
{
    double start = bench_now();
    struct token_store *s;

    TRY(token_store_open(path, &s));
    *milliseconds = 1e3 * (bench_now() - start);
    token_store_close(s);
    return ST_OK;
}

/* The yardstick: each file is opened and mapped, one of its pages is read. */
static enum status map_files(struct token_bench *t, double *milliseconds)
{
    double start = bench_now();

    for (uint32_t i = 0; i < SHARDS; i++) {
        char name[TOKEN_SHARD_NAME];
        struct file_map map;

        token_shard_name((struct token_shard_id){ i, 0 }, name);
        TRY(file_map_open(&map, path_join(&t->arena, t->path, name)));
        kept = (uint64_t)map.p[map.n / 2];
        file_map_close(&map);
    }
    *milliseconds = 1e3 * (bench_now() - start);
    return ST_OK;
}

static enum status measure_opening(struct token_bench *t)
{
    double *values = arena_array(&t->arena, (size_t)t->b->repeat, sizeof *values), first, plain;

    TRY(make_store(t, SHARD_TOKENS, SHARDS));
    nanosleep(&(struct timespec){ (time_t)AGE_SECONDS, (long)(1e9 * (AGE_SECONDS - 2)) }, NULL);
    TRY(open_once(t->path, &first));
    bench_report(t->b,
                 &(struct bench_result){
                     .variant = "for the first time", .unit = "ms", .values = &first, .count = 1 });
    for (int i = 0; i < t->b->repeat; i++)
        TRY(open_once(t->path, &values[i]));
    TRY(map_files(t, &plain));
    bench_report(t->b, &(struct bench_result){ .variant = "again",
                                               .unit = "ms",
                                               .values = values,
                                               .count = t->b->repeat,
                                               .yardstick = "mapping files",
                                               .yardstick_value = plain });
    return ST_OK;
}

/* Digests are remembered in the folder, not in the user's own memory. */
enum status bench_token_open(struct bench *b)
{
    struct token_bench t = { .b = b };
    const char *before = getenv("XDG_CACHE_HOME");
    char *folder;
    enum status st = bench_folder_open(&t.arena, &folder);

    if (st == ST_OK) {
        before = before ? arena_strdup(&t.arena, before) : NULL;
        setenv("XDG_CACHE_HOME", folder, 1);
        t.folder = folder;
        st = bench_folder_close(folder, measure_opening(&t));
        if (before)
            setenv("XDG_CACHE_HOME", before, 1);
        else
            unsetenv("XDG_CACHE_HOME");
    }
    arena_release(&t.arena);
    return st;
}
