/* Tokenizers side by side, on the same texts. */
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "tokenize/measure/compare_text.h"
#include "tokenize/measure/measure_json.h"
#include "tokenize/measure/tokenizer_report.h"
#include "tokenize/tokenizer_cmd.h"

struct compare_options {
    struct opt_list tokenizers;
    const char *in, *out;
    uint64_t sample;
    int64_t seed, samples, differences, threads;
    bool json, expect_equal;
};
#define S struct compare_options

struct comparing {
    const struct compare_options *o;
    struct tokenizer *tokenizers[MEASURE_TOKENIZERS];
    const char *names[MEASURE_TOKENIZERS];
    struct tokenizer_report_args args;
};

/* ---- names ---- */

/* The path without what all of them have: "vocab/gpt2" of "vocab/gpt2/tokenizer.json". */
static char *short_path(struct arena *a, const char *path)
{
    static const char *const tails[] = { "/",     "/tokenizer.json", ".tokenizer.json",
                                         ".json", ".tiktoken",       ".gguf" };
    char *name = arena_strdup(a, path);

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        if (strlen(name) > strlen(tails[i]) && str_ends_with(name, tails[i]))
            name[strlen(name) - strlen(tails[i])] = 0;
    return name;
}

/* The last part of each path; where two are the same, the whole path of all. */
static void name_all(struct comparing *c, struct arena *a)
{
    size_t n = c->o->tokenizers.count;
    bool same = false;

    for (size_t i = 0; i < n; i++) {
        c->names[i] = path_base(short_path(a, c->o->tokenizers.v[i]));
        for (size_t k = 0; k < i; k++)
            same |= strcmp(c->names[i], c->names[k]) == 0;
    }
    for (size_t i = 0; same && i < n; i++)
        c->names[i] = c->o->tokenizers.v[i];
}

/* ---- work ---- */

static enum status open_all(struct comparing *c, struct arena *a)
{
    const struct opt_list *paths = &c->o->tokenizers;

    if (paths->count > MEASURE_TOKENIZERS)
        return fail(ST_CONFIG, "%zu tokenizers; want 1 to %d", paths->count, MEASURE_TOKENIZERS);
    if (c->o->expect_equal && paths->count < 2)
        return fail(ST_CONFIG, "--expect-equal with %zu tokenizer; want two or more", paths->count);
    for (size_t i = 0; i < paths->count; i++)
        TRY(tokenizer_open(paths->v[i], &c->tokenizers[i]));
    name_all(c, a);
    return ST_OK;
}

static void fill_args(struct comparing *c)
{
    const struct compare_options *o = c->o;
    struct measure_args *m = &c->args.measure;

    m->source = (struct measure_source_args){ o->in, o->sample, (uint64_t)o->seed };
    m->count = o->tokenizers.count;
    for (size_t i = 0; i < m->count; i++)
        m->tokenizers[i] = c->tokenizers[i];
    m->samples = (size_t)o->samples;
    m->differences = (size_t)o->differences;
    if (o->expect_equal && m->differences == 0)
        m->differences = 1;
    m->by_ids = o->expect_equal || measure_same_ids(m);
    c->args.names = c->names;
}

static const json_t *side_of(const json_t *place, size_t i)
{
    return json_array_get(json_object_get(place, "sides"), i);
}

static void add_ids(struct buf *out, const json_t *side)
{
    const json_t *id;
    size_t i;

    json_array_foreach(json_object_get(side, "ids"), i, id)
        buf_printf(out, i ? " %lld" : "%lld", (long long)json_integer_value(id));
}

/* The first place where a tokenizer's ids are not those of the first one. */
static enum status expect_equal(const struct comparing *c, const json_t *metrics)
{
    const json_t *pair;
    size_t i;

    json_array_foreach(json_object_get(metrics, "pairs"), i, pair) {
        const json_t *place = json_array_get(json_object_get(pair, "places"), 0);
        struct buf ids[2] = { { 0 } };

        if (place == NULL)
            continue;
        for (size_t k = 0; k < 2; k++)
            add_ids(&ids[k], side_of(place, k));
        fail(ST_FAILED,
             "ids differ in %lld places; the first is document '%s' byte %lld, '%s': '%s' gives "
             "[%s], '%s' gives [%s]; want equal ids",
             (long long)json_integer_value(json_object_get(pair, "spans")),
             json_text(place, "id"), (long long)json_integer_value(json_object_get(place, "byte")),
             json_text(place, "text"), c->names[0], ids[0].p ? ids[0].p : "", c->names[i + 1],
             ids[1].p ? ids[1].p : "");
        buf_release(&ids[0]);
        buf_release(&ids[1]);
        return ST_FAILED;
    }
    return ST_OK;
}

static enum status print(const struct comparing *c, const json_t *metrics)
{
    struct buf text = { 0 };
    enum status st;

    if (c->o->json)
        return output_json(metrics);
    compare_text(&text, metrics);
    st = output_text(&text);
    buf_release(&text);
    return st;
}

static enum status tell(const struct comparing *c, const json_t *metrics)
{
    TRY(print(c, metrics));
    if (c->o->out != NULL) {
        TRY(file_make_folders(c->o->out));
        TRY(tokenizer_report_write(c->o->out, metrics));
        log_info("%s/report.html, %s/metrics.json", c->o->out, c->o->out);
    }
    return c->o->expect_equal ? expect_equal(c, metrics) : ST_OK;
}

static enum status run_compare(struct arena *a, void *cfg)
{
    struct comparing c = { .o = cfg };
    enum status st = open_all(&c, a);
    json_t *metrics = NULL;

    if (st == ST_OK) {
        fill_args(&c);
        c.args.pool = pool_new((int)c.o->threads);
        st = tokenizer_report_measure(&c.args, &metrics);
        pool_free(c.args.pool);
    }
    if (st == ST_OK)
        st = tell(&c, metrics);
    json_decref(metrics);
    for (size_t i = 0; i < MEASURE_TOKENIZERS; i++)
        tokenizer_close(c.tokenizers[i]);
    return st;
}

static const struct opt compare_options[] = {
    OPT_INPUTS(S, tokenizers, "tokenizers", "the tokenizers: folders, tokenizer.json or other files of them",
               .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_INPUT(S, in, "in", "texts to measure: a corpus, or .jsonl, .jsonl.zst or .txt files",
              .flags = OPT_REQUIRED, .reads = "corpus"),
    OPT_OUTPUT(S, out, "out", "folder that gets report.html and metrics.json"),
    OPT_SIZE(S, sample, "sample", "0", 0, 1e15,
             "bytes of text to measure at most, chosen by hash; 0: all"),
    OPT_INT(S, seed, "seed", "1", 0, 1e15, "another seed takes another sample"),
    OPT_INT(S, samples, "samples", "8", 0, 100, "texts shown coloured by token"),
    OPT_INT(S, differences, "differences", "5", 0, 1000,
            "texts for which the first difference is shown"),
    OPT_BOOL(S, expect_equal, "expect-equal", "false",
             "fail where ids differ, with the first difference"),
    OPT_BOOL(S, json, "json", "false", "one JSON object instead of tables"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_END
};

const struct command cmd_tokenizer_compare = {
    .name = "tokenizer compare",
    .summary = "what tokenizers make of the same texts, and where they part",
    .details =
        "Prints bytes a token by tokenizer, language, script and source, what vocabularies share, and "
        "the first places\nwhere each parts from the first tokenizer: by ids where their ids mean the "
        "same, else by pieces.\n\n"
        "  tundish tokenizer compare gpt2 llama3 --in corpus --out compared\n"
        "  tundish tokenizer compare converted original --in corpus --expect-equal",
    .opts = compare_options,
    .cfg_size = sizeof(struct compare_options),
    .run = run_compare,
};
