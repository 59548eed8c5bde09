#include "curate/filter/filter_bench.h"

#include <zstd.h>

#include "base/hash.h"
#include "curate/chain/step.h"

#define DOCUMENT_BYTES 4096
#define REPEATS_MAX 64

static const struct set {
    const char *name, *steps;
} sets[] = {
    { "whitespace profiles", "[{filter: {profile: gopher@dolma}}, {filter: {profile: curator-en}}, {filter: {profile: code}}]" },
    { "datatrove together", "[{filter: {profile: gopher@datatrove}}, {filter: {profile: c4@datatrove, filter-no-terminal-punct: false}}, "
                            "{filter: {profile: fineweb}}]" },
    { NULL, NULL },
};

/* All profiles, or the one of that name, as a list of steps. */
static void steps_of(const char *name, struct buf *out)
{
    bool all = strcmp(name, "all profiles") == 0;

    for (const struct set *s = sets; s->name; s++)
        if (strcmp(s->name, name) == 0) {
            buf_adds(out, s->steps);
            return;
        }
    buf_addc(out, '[');
    for (const struct step_kind *k = step_kinds; k->name; k++)
        if (strcmp(k->name, "filter") == 0 && (all || strcmp(k->variant, name) == 0))
            buf_printf(out, "%s{filter: {profile: %s}}", out->n > 1 ? ", " : "", k->variant);
    buf_addc(out, ']');
}

static enum status judge(const struct chain *c, struct step_work *w, struct doc *d)
{
    for (size_t i = 1; i < c->count; i++) {                /* behind extract */
        d->dropped = NULL;
        TRY(chain_each(c, i, d, w));
    }
    return ST_OK;
}

static enum status over_documents(const struct chain *c, struct step_work *w, struct span text)
{
    struct doc d = { .id = (char *)"bench.c" };
    enum status st = ST_OK;

    for (size_t at = 0, n; at < text.n && st == ST_OK; at += n) {
        n = text.n - at < DOCUMENT_BYTES ? text.n - at : DOCUMENT_BYTES;
        while (at + n < text.n && (text.p[at + n] & 0xC0) == 0x80)
            n++;
        buf_clear(&d.text);
        buf_add(&d.text, text.p + at, n);
        d.number++;
        st = judge(c, w, &d);
    }
    buf_release(&d.text);
    return st;
}

/* MB/s of decompression. */
static double zstd_speed(struct span text)
{
    size_t bound = ZSTD_compressBound(text.n), packed;
    void *small = mem_array(bound, 1), *back = mem_array(text.n, 1);
    double start;

    packed = ZSTD_compress(small, bound, text.p, text.n, 3);
    BUG_IF(ZSTD_isError(packed));
    start = bench_now();
    BUG_IF(ZSTD_decompress(back, text.n, small, packed) != text.n);
    start = (double)text.n / 1e6 / (bench_now() - start);
    free(small);
    free(back);
    return start;
}

static double xxh3_speed(struct span text)
{
    static volatile uint64_t sink;
    double start = bench_now();

    for (size_t at = 0; at < text.n; at += DOCUMENT_BYTES)
        sink += xxh3(text.p + at, text.n - at < DOCUMENT_BYTES ? text.n - at : DOCUMENT_BYTES);
    return (double)text.n / 1e6 / (bench_now() - start);
}

static enum status measure(const struct bench *b, const struct chain *c, struct span text)
{
    struct step_work w = { .trace = { .full = true } };
    double values[REPEATS_MAX];
    int repeat = b->repeat < REPEATS_MAX ? b->repeat : REPEATS_MAX;
    struct bench_result r = { .unit = "MB/s", .values = values, .count = repeat, .yardstick = "xxh3" };
    enum status st = ST_OK;

    for (int i = 0; i < repeat && st == ST_OK; i++) {
        double start = bench_now();

        st = over_documents(c, &w, text);
        values[i] = (double)text.n / 1e6 / (bench_now() - start);
    }
    step_work_release(c, &w);
    TRY(st);
    r.yardstick_value = xxh3_speed(text);
    bench_report(b, &r);
    r.variant = "beside zstd -d";
    r.yardstick = "zstd -d";
    r.yardstick_value = zstd_speed(text);
    bench_report(b, &r);
    return ST_OK;
}

enum status filter_bench(const struct bench *b, struct span text)
{
    struct buf list = { 0 };
    struct arena a;
    struct yaml *parsed;
    struct chain c;
    enum status st;

    arena_init(&a);
    steps_of(b->name, &list);
    st = yaml_parse(&a, "bench", list.p, list.n, &parsed);
    if (st == ST_OK)
        st = chain_parse(&a, parsed, &c);
    if (st == ST_OK)
        st = chain_load(&c);
    if (st == ST_OK) {
        st = measure(b, &c, text);
        chain_unload(&c);
    }
    buf_release(&list);
    arena_release(&a);
    return st;
}
