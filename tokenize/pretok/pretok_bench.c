/*
 * The speed of cutting alone, beside a plain read of memory. Each measurement cuts all of the text; ends are only counted. The
 * regular expression is given the first megabytes.
 */
#include "tokenize/pretok/pretok_bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "tokenize/bench_words.h"
#include "tokenize/pretok/pretok.h"

#define OWN_BYTES ((size_t)16 << 20)
#define WORDS 60000
#define REGEX_BYTES ((size_t)2 << 20)

static enum status cut_all(struct pretok_run *run, struct span text, double *seconds)
{
    double start = bench_now();
    const uint32_t *ends;
    size_t n;

    pretok_begin(run, text);
    do
        TRY(pretok_next(run, &ends, &n));
    while (n > 0);
    *seconds = bench_now() - start;
    return ST_OK;
}

static enum status measure_cuts(const struct bench *b, const struct pretok *p, struct span text,
                                const char *variant)
{
    struct pretok_run *run = pretok_run_new(p);
    double *rates = mem_array((size_t)b->repeat, sizeof *rates), seconds = 0;
    enum status st = cut_all(run, text, &seconds);

    for (int i = 0; st == ST_OK && i < b->repeat; i++) {
        st = cut_all(run, text, &seconds);
        rates[i] = (double)text.n / 1e6 / seconds;
    }
    if (st == ST_OK)
        bench_report(b, &(struct bench_result){ .variant = variant,
                                                .unit = "MB/s",
                                                .values = rates,
                                                .count = b->repeat,
                                                .yardstick = "memory scan",
                                                .yardstick_value =
                                                    bench_memory_scan((size_t)64 << 20) * 1000 });
    free(rates);
    pretok_run_free(run);
    return st;
}

static enum status bench_pattern(struct bench *b, const char *pattern)
{
    static const char *const levels[] = { "regex", "portable", "avx2", "avx512" };
    struct buf text = { 0 };
    enum status st = ST_OK;

    if (b->in)
        TRY(file_read(b->in, PRETOK_TEXT_MAX, &text));
    else
        bench_words(&text, OWN_BYTES, WORDS);
    text.n = pretok_well_formed((struct span){ text.p, text.n });
    for (int m = PRETOK_AVX512; st == ST_OK && m >= PRETOK_REGEX; m--) {
        struct pretok *p = pretok_new();
        char variant[64];
        size_t n = m == PRETOK_REGEX && text.n > REGEX_BYTES ? REGEX_BYTES : text.n;

        while (n < text.n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
            n++;
        snprintf(variant, sizeof variant, "%s %s", pattern, levels[m]);
        if (pretok_force(p, (enum pretok_matcher)m)) {
            st = pretok_add(p, &(struct pretok_rule){ .what = "bench", .pattern = pretok_pattern_text(pattern) });
            if (st == ST_OK)
                st = measure_cuts(b, p, (struct span){ text.p, n }, variant);
        }
        pretok_free(p);
    }
    buf_release(&text);
    return st;
}

enum status pretok_bench(struct bench *b)
{
    for (const struct pretok_pattern *p = pretok_patterns; p->name; p++)
        TRY(bench_pattern(b, p->name));
    return ST_OK;
}
