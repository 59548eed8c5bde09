#include "store/artifact/digest_bench.h"

#include <time.h>

#include "base/file.h"
#include "store/artifact/digests.h"
#include "store/store_bench.h"

#define FILES          100000
#define FILES_A_FOLDER 1000
#define FILE_BYTES     1024
#define AGE_SECONDS    2.1 /* from then on a file is remembered */

static enum status make_files(struct arena *a, const char *folder)
{
    char text[FILE_BYTES];

    for (int i = 0; i < FILES; i++) {
        const char *path = arena_printf(a, "%s/%03d/page-%06d.html", folder, i / FILES_A_FOLDER, i);
        FILE *f;
        bool whole;

        if (i % FILES_A_FOLDER == 0)
            TRY(file_make_folders(arena_printf(a, "%s/%03d", folder, i / FILES_A_FOLDER)));
        memset(text, 'a' + i % 26, sizeof text);
        snprintf(text, sizeof text, "%d", i);
        f = fopen(path, "wb");
        whole = f && fwrite(text, 1, sizeof text, f) == sizeof text;
        if ((f && fclose(f) != 0) || !whole)
            return fail_errno(ST_IO, "cannot write '%s'", path);
    }
    return ST_OK;
}

static enum status count_file(void *ctx, const char *name, const struct stat *info)
{
    (void)name, (void)info;
    ++*(uint64_t *)ctx;
    return ST_OK;
}

/* The yardstick: meeting every file, and no more. */
static enum status walk_rate(const char *folder, double *rate)
{
    double begun = bench_now();
    uint64_t seen = 0;

    TRY(file_visit_tree(folder, count_file, &seen));
    *rate = (double)seen / (bench_now() - begun);
    return ST_OK;
}

static enum status digest(const struct bench *b, const char *folder, const char *memory,
                          double *rate)
{
    double begun = bench_now();
    struct digest_cache *c = digest_cache_open(memory);
    char hex[SHA256_HEX];
    enum status st;

    digest_cache_set_threads(c, b->threads);
    st = digest_cache_folder(c, folder, hex);
    digest_cache_close(c);
    *rate = FILES / (bench_now() - begun);
    return st;
}

static enum status measure(const struct bench *b, struct arena *a, const char *base, bool cold)
{
    const char *folder = path_join(a, base, "in"), *memory = path_join(a, base, "verified");
    double *rates = arena_array(a, (size_t)b->repeat, sizeof *rates), walk, first;

    TRY(make_files(a, folder));
    nanosleep(&(struct timespec){ (time_t)AGE_SECONDS, (long)(1e9 * (AGE_SECONDS - 2)) }, NULL);
    if (!cold)
        TRY(digest(b, folder, memory, &first));
    for (int i = 0; i < b->repeat; i++) {
        if (cold)
            TRY(file_remove_tree(memory));
        TRY(digest(b, folder, memory, &rates[i]));
    }
    TRY(walk_rate(folder, &walk));
    bench_report(b, &(struct bench_result){ .unit = "files/s",
                                            .values = rates,
                                            .count = b->repeat,
                                            .yardstick = "walk and look",
                                            .yardstick_value = walk });
    return ST_OK;
}

static enum status bench_inputs(struct bench *b, bool cold)
{
    struct arena a = { 0 };
    char *base;
    enum status st = bench_folder_open(&a, &base);

    if (st == ST_OK)
        st = bench_folder_close(base, measure(b, &a, base, cold));
    arena_release(&a);
    return st;
}

enum status bench_inputs_unchanged(struct bench *b) { return bench_inputs(b, false); }

enum status bench_inputs_cold(struct bench *b) { return bench_inputs(b, true); }
