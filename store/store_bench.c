/*
 * documents: reading and parsing a corpus, which is written into a temporary folder first, against
 * decompressing the same shards (as `zstd -d` does). The other cases stand in files of their own.
 */
#include "store/store_bench.h"

#include <stdio.h>
#include <zstd.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/rng.h"
#include "store/artifact/digest_bench.h"
#include "store/documents/documents.h"
#include "store/sampling/sampling_bench.h"
#include "store/tokens/token_bench.h"

#define DOCUMENT_BYTES 4096
#define CORPUS_BYTES   ((size_t)96 << 20)

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

const struct bench_case store_benches[] = {
    { "documents", bench_documents },
    { "scan", bench_token_scan },
    { "samples", bench_token_samples },
    { "open 1000 shards", bench_token_open },
    { "disk", bench_token_disk },
    { "loader", bench_loader },
    { "inputs 100k unchanged", bench_inputs_unchanged },
    { "inputs 100k cold", bench_inputs_cold },
    { NULL, NULL },
};
