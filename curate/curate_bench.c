/* Each case goes over the same bytes in memory, as documents of 4 KB, with one thread;
 * the yardstick is XXH3 over them. */
#include "base/arena.h"
#include "base/bench.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/rng.h"
#include "curate/curate_cmd.h"
#include "curate/filter/filter_bench.h"
#include "curate/read_bench.h"
#include "curate/dedup/minhash.h"
#include "curate/language/cld2_shim.h"
#include "curate/language/fasttext.h"
#include "curate/language/made_model.h"
#include "curate/html/html.h"
#include "curate/steps/normalize.h"
#include "curate/text/mojibake.h"

#define TEXT_BYTES ((size_t)32 << 20)
#define DOCUMENT_BYTES 4096
#define REPEATS_MAX 64

struct job {
    struct step_work work;
    const void *cfg;
    enum status (*each)(const void *cfg, struct doc *d, struct step_work *w);
    struct minhash hashes;
    struct shingles set;
    uint32_t *minima;
    uint64_t *keys;
    struct fasttext *model;
    struct fasttext_scratch *guesses;
};
typedef enum status job_fn(struct job *j, struct span text);

/* Sentences of a small vocabulary with the lengths of English words, cut into lines. */
static void make_text(struct buf *out, size_t n)
{
    static const char *const common[] = { "the", "of", "and", "to", "that", "be", "with", "have" };
    struct rng r = { .seed = 7, .stream = 0, .index = 0 };

    buf_reserve(out, n + 64);
    while (out->n < n) {
        uint64_t draw = rng_below(&r, 30000), letters = 2 + (draw * 7 + draw % 13) % 9;

        if (draw % 4 == 0)
            buf_adds(out, common[draw / 4 % 8]);
        for (uint64_t i = 0; draw % 4 != 0 && i < letters; i++)
            buf_addc(out, (char)('a' + (draw * 7 + i * (draw % 5 + 3)) % 26));
        buf_adds(out, draw % 61 == 0 ? ".\n" : draw % 17 == 0 ? ", " :
                      draw % 211 == 0 ? " \xC3\xA9t\xC3\xA9 " : " ");
    }
}

static enum status bench_text(const struct bench *b, struct buf *out)
{
    if (b->in == NULL)
        make_text(out, TEXT_BYTES);
    else
        TRY(file_read(b->in, (uint64_t)1 << 30, out));
    return out->n > 0 ? ST_OK : fail(ST_USAGE, "the benchmark needs a text of at least one byte");
}

/* Cuts at character ends. */
static enum status over_documents(const struct buf *text, struct job *j, job_fn *fn)
{
    for (size_t at = 0, n; at < text->n; at += n) {
        n = text->n - at < DOCUMENT_BYTES ? text->n - at : DOCUMENT_BYTES;
        while (at + n < text->n && (text->p[at + n] & 0xC0) == 0x80)
            n++;
        TRY(fn(j, (struct span){ text->p + at, n }));
    }
    return ST_OK;
}

static volatile uint64_t sink;

static enum status scan_xxh3(struct job *j, struct span text)
{
    sink += xxh3(text.p, text.n);
    return ST_OK;
}

static enum status measure(const struct bench *b, struct job *j, job_fn *fn)
{
    struct buf text = { 0 };
    double values[REPEATS_MAX], start, yardstick;
    int repeat = b->repeat < REPEATS_MAX ? b->repeat : REPEATS_MAX;
    enum status st = bench_text(b, &text);

    for (int i = 0; st == ST_OK && i < repeat; i++) {
        start = bench_now();
        st = over_documents(&text, j, fn);
        values[i] = (double)text.n / 1e6 / (bench_now() - start);
    }
    start = bench_now();
    if (st == ST_OK)
        st = over_documents(&text, j, scan_xxh3);
    yardstick = (double)text.n / 1e6 / (bench_now() - start);
    if (st == ST_OK)
        bench_report(b, &(struct bench_result){ .unit = "MB/s",
                                                .values = values,
                                                .count = repeat,
                                                .yardstick = "xxh3",
                                                .yardstick_value = yardstick });
    buf_release(&text);
    step_work_release(NULL, &j->work);
    return st;
}

/* ---- cases ---- */

static enum status through_step(struct job *j, struct span text)
{
    struct doc d = { .text = { 0 } };
    enum status st;

    buf_add(&d.text, text.p, text.n);
    st = j->each(j->cfg, &d, &j->work);
    buf_release(&d.text);
    return st;
}

static enum status step_defaults(const struct opt *opts, struct arena *a, void *cfg)
{
    struct yaml *none;

    TRY(yaml_parse(a, "bench", "{}", 2, &none));
    return opt_from_yaml(opts, a, none, cfg);
}

static enum status bench_step(const struct bench *b, const struct opt *opts, void *cfg,
                              struct job *j)
{
    struct arena a;
    enum status st;

    arena_init(&a);
    st = step_defaults(opts, &a, cfg);
    j->cfg = cfg;
    if (st == ST_OK)
        st = measure(b, j, through_step);
    arena_release(&a);
    return st;
}

static enum status bench_normalize(struct bench *b)
{
    struct normalize_cfg cfg = { 0 };
    struct job j = { .each = normalize_each };

    return bench_step(b, normalize_opts, &cfg, &j);
}

static enum status mend(struct job *j, struct span text)
{
    sink += mojibake_mend(j->work.mojibake, text, &j->work.spare);
    return ST_OK;
}

static enum status bench_mojibake(struct bench *b)
{
    struct job j = { .work.mojibake = mojibake_new() };

    return measure(b, &j, mend);
}

static enum status sign(struct job *j, struct span text)
{
    shingles_of(&j->set, text, 5);
    if (j->set.count > 0)
        minhash_keys(&j->hashes, &j->set, j->minima, j->keys);
    return ST_OK;
}

static enum status bench_minhash(struct bench *b)
{
    struct job j = { .cfg = NULL };
    enum status st;

    minhash_init(&j.hashes, 14, 8, 0);
    j.minima = mem_array(j.hashes.hashes, sizeof *j.minima);
    j.keys = mem_array(14, sizeof *j.keys);
    st = measure(b, &j, sign);
    free(j.minima);
    free(j.keys);
    shingles_release(&j.set);
    minhash_release(&j.hashes);
    return st;
}

static enum status shingle(struct job *j, struct span text)
{
    shingles_of(&j->set, text, 8);
    shingles_sample(&j->set, 4);
    shingles_set(&j->set);
    return ST_OK;
}

static enum status bench_containment(struct bench *b)
{
    struct job j = { .cfg = NULL };
    enum status st = measure(b, &j, shingle);

    shingles_release(&j.set);
    return st;
}

static enum status guess_cld2(struct job *j, struct span text)
{
    sink += (uint64_t)cld2_detect(text.p, text.n).reliable;
    return ST_OK;
}

static enum status bench_cld2(struct bench *b)
{
    struct job j = { .cfg = NULL };

    return measure(b, &j, guess_cld2);
}

static enum status guess_fasttext(struct job *j, struct span text)
{
    struct fasttext_guess g;

    TRY(fasttext_predict(j->model, text, j->guesses, &g));
    sink += g.label;
    return ST_OK;
}

static enum status bench_fasttext(struct bench *b)
{
    struct job j = { .cfg = NULL };
    struct buf bytes = { 0 };
    enum status st;

    made_model(&bytes);
    st = fasttext_over("made model", (struct span){ bytes.p, bytes.n }, &j.model);
    if (st == ST_OK) {
        j.guesses = fasttext_scratch_new(j.model);
        st = measure(b, &j, guess_fasttext);
    }
    fasttext_scratch_free(j.guesses);
    fasttext_close(j.model);
    buf_release(&bytes);
    return st;
}

static enum status bench_read(const struct bench *b, enum status (*fn)(const struct bench *b, struct span text))
{
    struct buf text = { 0 };
    enum status st = bench_text(b, &text);

    if (st == ST_OK)
        st = fn(b, (struct span){ text.p, text.n });
    buf_release(&text);
    return st;
}

static enum status bench_filter(struct bench *b) { return bench_read(b, filter_bench); }
static enum status bench_warc(struct bench *b) { return bench_read(b, bench_read_warc); }
static enum status bench_jsonl(struct bench *b) { return bench_read(b, bench_read_jsonl); }

const struct bench_case curate_benches[] = {
    { "read warc.gz", bench_warc },
    { "read jsonl.zst", bench_jsonl },
    { "gopher@datatrove", bench_filter },
    { "c4@datatrove", bench_filter },
    { "fineweb", bench_filter },
    { "datatrove together", bench_filter },
    { "gopher@dolma", bench_filter },
    { "curator-en", bench_filter },
    { "code", bench_filter },
    { "whitespace profiles", bench_filter },
    { "all profiles", bench_filter },
    { "normalize", bench_normalize },
    { "mojibake", bench_mojibake },
    { "html", html_bench },
    { "minhash", bench_minhash },
    { "containment", bench_containment },
    { "language cld2", bench_cld2 },
    { "language fasttext", bench_fasttext },
    { NULL, NULL }
};
