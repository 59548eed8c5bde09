/* These cases write what they read into a temporary folder first:
 *   documents   reading and parsing a corpus, against decompressing the same
 *               shards (as `zstd -d` does);
 *   scan        going over a token store in place and widening it to int32, against a
 *               plain read of memory. */
#include "store/store_bench.h"

#include <stdio.h>
#include <zstd.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/rng.h"
#include "store/artifact.h"
#include "store/digest_bench.h"
#include "store/documents.h"
#include "store/sampling_bench.h"
#include "store/tokens.h"

#define DOCUMENT_BYTES 4096
#define CORPUS_BYTES ((size_t)96 << 20)
#define SCAN_TOKENS ((uint64_t)64 << 20)
#define SCAN_VOCAB 50257

enum status bench_folder_open(struct arena *a, char **path)
{
    const char *base = getenv("TMPDIR");

    *path = arena_printf(a, "%s/tundish-bench-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(*path) ? ST_OK : fail_errno(ST_IO, "cannot create a folder '%s'", *path);
}

enum status bench_folder_close(const char *path, enum status st)
{
    struct failure f = { .st = ST_OK };
    enum status removed;

    if (st != ST_OK)
        failure_save(&f, st);
    removed = file_remove_tree(path);
    return st != ST_OK ? failure_restore(&f) : removed;
}

/* ---- documents ---- */

/* Words of a small vocabulary with an even share of line ends, quotes and letters
 * that are not ASCII. */
static void make_text(struct buf *out, size_t n)
{
    struct rng r = { .seed = 1, .stream = 0, .index = 0 };

    while (out->n < n) {
        uint64_t draw = rng_below(&r, 4096), letters = 2 + draw % 9;

        for (uint64_t i = 0; i < letters; i++)
            buf_addc(out, (char)('a' + (draw * 7 + i * (draw % 5 + 3)) % 26));
        buf_adds(out, draw % 67 == 0    ? "\n"
                      : draw % 97 == 0  ? " \""
                      : draw % 131 == 0 ? "\xC3\xA9 "
                                        : " ");
    }
}

static enum status bench_text(const struct bench *b, struct buf *out)
{
    if (b->in)
        return file_read(b->in, CORPUS_BYTES, out);
    make_text(out, DOCUMENT_BYTES * 4096);
    return ST_OK;
}

static enum status write_corpus(const char *folder, const struct buf *text)
{
    struct document_writer *w;
    enum status st;

    if (text->n == 0)
        return fail(ST_USAGE, "the benchmark needs a text of at least one byte");
    TRY(document_writer_open(folder, (uint64_t)1 << 40, &w));
    st = ST_OK;
    for (size_t done = 0, at = 0; st == ST_OK && done < CORPUS_BYTES; done += DOCUMENT_BYTES) {
        char id[32];
        size_t n = text->n - at < DOCUMENT_BYTES ? text->n - at : DOCUMENT_BYTES;
        struct document d = { .text = { text->p + at, n } };

        snprintf(id, sizeof id, "document-%zu", done / DOCUMENT_BYTES);
        d.id = span_of(id);
        st = document_writer_add(w, &d);
        at = (at + n) % text->n;
    }
    if (st == ST_OK)
        return document_writer_close(w);
    document_writer_abort(w);
    return st;
}

static enum status read_corpus(const char *folder, uint64_t *bytes)
{
    struct document_reader *r;
    bool got = true;
    enum status st;

    TRY(document_reader_open(folder, &r));
    do {
        struct document d;

        st = document_reader_next(r, &d, &got);
    } while (st == ST_OK && got);
    *bytes = document_reader_bytes(r);
    document_reader_close(r);
    return st;
}

/* MB/s of decompressing one shard in pieces, thrown away. */
static enum status decompress(const char *path, double *rate)
{
    size_t cap = ZSTD_DStreamOutSize(), left = 1;
    char *piece = mem_alloc(cap);
    ZSTD_DCtx *z = ZSTD_createDCtx();
    struct file_map map;
    enum status st = file_map_open(&map, path);
    ZSTD_inBuffer in = { map.p, map.n, 0 };
    uint64_t bytes = 0;
    double start = bench_now();

    while (st == ST_OK && left != 0) {
        ZSTD_outBuffer out = { piece, cap, 0 };

        left = ZSTD_decompressStream(z, &out, &in);
        if (ZSTD_isError(left) || (left != 0 && out.pos == 0 && in.pos == in.size))
            st = fail(ST_FORMAT, "cannot decompress '%s'", path);
        bytes += out.pos;
    }
    *rate = (double)bytes / 1e6 / (bench_now() - start);
    if (st == ST_OK)
        file_map_close(&map);
    ZSTD_freeDCtx(z);
    free(piece);
    return st;
}

static enum status measure_documents(struct bench *b, const char *folder)
{
    struct arena a = { 0 };
    double *rates = arena_array(&a, (size_t)b->repeat, sizeof *rates), yardstick = 0;
    enum status st = decompress(path_join(&a, folder, "part-00000.jsonl.zst"), &yardstick);

    for (int i = 0; st == ST_OK && i < b->repeat; i++) {
        double start = bench_now();
        uint64_t bytes = 0;

        st = read_corpus(folder, &bytes);
        rates[i] = (double)bytes / 1e6 / (bench_now() - start);
    }
    if (st == ST_OK)
        bench_report(b, &(struct bench_result){ .unit = "MB/s",
                                                .values = rates,
                                                .count = b->repeat,
                                                .yardstick = "zstd -d",
                                                .yardstick_value = yardstick });
    arena_release(&a);
    return st;
}

static enum status bench_documents(struct bench *b)
{
    struct arena a = { 0 };
    struct buf text = { 0 };
    char *folder;
    enum status st = bench_folder_open(&a, &folder);

    if (st == ST_OK) {
        st = bench_text(b, &text);
        if (st == ST_OK)
            st = write_corpus(folder, &text);
        if (st == ST_OK)
            st = measure_documents(b, folder);
        st = bench_folder_close(folder, st);
    }
    buf_release(&text);
    arena_release(&a);
    return st;
}

/* ---- scan ---- */

static enum status write_tokens(const char *folder)
{
    struct token_writer_args args = {
        .folder = folder, .vocab = SCAN_VOCAB, .shard_tokens = SCAN_TOKENS / 2, .validation = 0
    };
    struct token_writer *w;
    uint32_t tokens[8192];
    char digest[SHA256_HEX];
    json_t *counts = NULL;
    enum status st = ST_OK;

    sha256_bytes("", 0, digest);
    args.tokenizer_digest = digest;
    TRY(token_writer_open(&args, &w));
    for (uint64_t done = 0; st == ST_OK && done < SCAN_TOKENS; done += 8192) {
        for (uint64_t i = 0; i < 8192; i++)
            tokens[i] = (uint32_t)((done + i * 2654435761u) % SCAN_VOCAB);
        st = token_writer_add(w, &(struct token_document){ .id = span_of("d"),
                                                           .source = span_of("s"),
                                                           .text_hash = done,
                                                           .tokens = tokens,
                                                           .count = 8192 });
    }
    if (st != ST_OK) {
        token_writer_abort(w);
        return st;
    }
    st = token_writer_close(w, &counts);
    json_decref(counts);
    return st;
}

static enum status make_store(const char *path)
{
    static const struct opt none[] = { OPT_END };
    static const struct command command = { .name = "bench", .makes = "token-store", .opts = none,
                                            .stage_version = 1 };
    struct artifact *a;
    enum status st;

    TRY(artifact_begin(&command, NULL, path, &a));
    st = write_tokens(artifact_folder(a));
    if (st == ST_OK)
        return artifact_commit(a, NULL);
    artifact_abort(a);
    return st;
}

/* Adds up all tokens where they lie. */
static enum status scan_in_place(const struct token_store *s, uint64_t *sum)
{
    uint64_t total = token_store_tokens(s, TOKENS_TRAIN), n;

    for (uint64_t at = 0; at < total; at += n) {
        const void *p;
        const uint16_t *tokens;
        uint32_t part = 0;          /* a block has fewer than 2^20 tokens, but their sum may wrap:
                                       it is a sum all the same */

        TRY(token_store_slice(s, TOKENS_TRAIN, at, &p, &n));
        tokens = p;
        for (uint64_t i = 0; i < n; i++)
            part += tokens[i];
        *sum += part;
    }
    return ST_OK;
}

static enum status scan_widened(const struct token_store *s, uint64_t *sum)
{
    static int32_t window[65536];
    uint64_t total = token_store_tokens(s, TOKENS_TRAIN);

    for (uint64_t at = 0; at + 65536 <= total; at += 65536) {
        TRY(token_store_read(s, TOKENS_TRAIN, at, 65536, window));
        *sum += (uint64_t)window[at % 65536];
    }
    return ST_OK;
}

static enum status measure_scan(struct bench *b, const struct token_store *s, const char *variant,
                                enum status (*scan)(const struct token_store *, uint64_t *))
{
    double *rates = mem_array((size_t)b->repeat, sizeof *rates);
    double bytes = (double)token_store_tokens(s, TOKENS_TRAIN) * token_store_width(s);
    volatile uint64_t kept;         /* so that the work cannot be left out */
    uint64_t sum = 0;
    enum status st = scan(s, &sum);     /* once unmeasured: page faults */

    for (int i = 0; st == ST_OK && i < b->repeat; i++) {
        double start = bench_now();

        st = scan(s, &sum);
        rates[i] = bytes / 1e9 / (bench_now() - start);
    }
    kept = sum;
    (void)kept;
    if (st == ST_OK)
        bench_report(b,
                     &(struct bench_result){ .variant = variant,
                                             .unit = "GB/s",
                                             .values = rates,
                                             .count = b->repeat,
                                             .yardstick = "memory scan",
                                             .yardstick_value = bench_memory_scan((size_t)bytes) });
    free(rates);
    return st;
}

static enum status scan_store(struct bench *b, const char *path)
{
    struct token_store *s;
    enum status st;

    TRY(make_store(path));
    TRY(token_store_open(path, &s));
    st = measure_scan(b, s, "in place", scan_in_place);
    if (st == ST_OK)
        st = measure_scan(b, s, "to int32", scan_widened);
    token_store_close(s);
    return st;
}

static enum status bench_scan(struct bench *b)
{
    struct arena a = { 0 };
    char *folder;
    enum status st = bench_folder_open(&a, &folder);

    if (st == ST_OK)
        st = bench_folder_close(folder, scan_store(b, path_join(&a, folder, "tokens")));
    arena_release(&a);
    return st;
}

const struct bench_case store_benches[] = {
    { "documents", bench_documents },
    { "scan", bench_scan },
    { "loader", bench_loader },
    { "inputs 100k unchanged", bench_inputs_unchanged },
    { "inputs 100k cold", bench_inputs_cold },
    { NULL, NULL },
};
