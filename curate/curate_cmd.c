#include "curate/curate_cmd.h"

#include "base/output.h"
#include "base/platform.h"
#include "curate/run/curate_stage.h"
#include "curate/run/dry_run.h"
#include "curate/run/explain.h"

struct curate_cfg {
    struct opt_list in;
    struct yaml *sources, *steps;
    const char *out;
    int64_t threads, max_depth, max_members, samples, seed;
    uint64_t memory, shard_bytes, group_bytes, max_document, max_expanded;
    double max_ratio;
    bool scores, keep_dropped, dry_run, json;
    const char *explain, *sample;
};

static const struct opt opts[] = {
    OPT_INPUTS(struct curate_cfg, in, "in",
               "files, folders or archives to read", .flags = OPT_POSITIONAL),
    OPT_TREE(struct curate_cfg, sources, "sources",
             "the same with options, or what a program writes: a list; see below",
             .check = source_check, .paths = source_paths, .item = source_row_item),
    OPT_OUTPUT(struct curate_cfg, out, "out", "the corpus; wanted but for --explain and --dry-run"),
    OPT_TREE(struct curate_cfg, steps, "steps", "what happens to documents, in this order; a step may stand several times; see below",
             .fallback = chain_default, .check = chain_check, .paths = chain_paths, .item = chain_item),
    OPT_SIZE(struct curate_cfg, memory, "memory", "2G", 1 << 20, (double)(UINT64_C(1) << 50),
             "bound of the tables of de-duplication", .flags = OPT_NEUTRAL),
    OPT_SIZE(struct curate_cfg, shard_bytes, "shard-bytes", "256M", 1 << 12,
             (double)(UINT64_C(1) << 50), "most bytes of a shard, before compression"),
    OPT_SIZE(struct curate_cfg, group_bytes, "group-bytes", "256M", 1, (double)(UINT64_C(1) << 50),
             "files are read in groups of so many bytes, each by one rank; a shard ends with its group"),
    OPT_BOOL(struct curate_cfg, scores, "scores", "false",
             "each document's metadata gets what the rules measured, under `curate`"),
    OPT_BOOL(struct curate_cfg, keep_dropped, "keep-dropped", "false",
             "dropped documents go to OUT/dropped, with step, reason, value and threshold in their metadata"),
    OPT_INT(struct curate_cfg, threads, "threads", "0", 0, 4096,
            "how many; 0: all processors", .flags = OPT_NEUTRAL),
    OPT_SIZE(struct curate_cfg, max_document, "max-document", "16M", 1, 1 << 30,
             "largest document; a filter works in up to 60 times that a thread"),
    OPT_REAL(struct curate_cfg, max_ratio, "max-ratio", "200", 1, 1e9,
             "an archive that expands more is a bomb"),
    OPT_INT(struct curate_cfg, max_depth, "max-depth", "4", 0, 32, "archives in archives"),
    OPT_INT(struct curate_cfg, max_members, "max-members", "1000000", 1, 1e12,
            "members of one archive, all levels together"),
    OPT_SIZE(struct curate_cfg, max_expanded, "max-expanded", "64G", 1, (double)(UINT64_C(1) << 60),
             "bytes that one file may expand to"),
    OPT_INT(struct curate_cfg, samples, "samples", "5", 0, 1000,
            "examples that the report keeps for each reason"),
    OPT_INT(struct curate_cfg, seed, "seed", "0", 0, 9e18, "of the hashes of de-duplication"),
    OPT_STR(struct curate_cfg, explain, "explain", NULL,
            "one document through the steps: each rule's value, threshold and verdict; FILE, FILE#3, ARCHIVE!MEMBER or an "
            "id of the sources; nothing is written", .flags = OPT_NEUTRAL, .value = "WHAT"),
    OPT_BOOL(struct curate_cfg, dry_run, "dry-run", "false",
             "say what would be read and done, write nothing", .flags = OPT_NEUTRAL),
    OPT_STR(struct curate_cfg, sample, "sample", NULL,
            "with --dry-run: run the steps on that share of the input (1%) and estimate yield, size and time",
            .flags = OPT_NEUTRAL, .value = "SHARE"),
    OPT_BOOL(struct curate_cfg, json, "json", "false", "with --explain: one JSON object a document; with --dry-run: one object",
             .flags = OPT_NEUTRAL),
    OPT_END
};

/* The list of sources: as given, or the plain paths of `in`. */
static enum status list_sources(struct arena *a, const struct curate_cfg *cfg,
                                const struct yaml **out)
{
    struct yaml *list;

    if (cfg->sources != NULL && cfg->in.count > 0)
        return fail(ST_USAGE, "both 'in' and 'sources' are given; want one of them");
    if (cfg->sources == NULL && cfg->in.count == 0)
        return fail(ST_USAGE,
                    "nothing to read; want 'in' (paths) or 'sources' (a list with options)");
    *out = cfg->sources;
    if (cfg->sources != NULL)
        return ST_OK;
    TRY(yaml_parse(a, "in", "[]", 2, &list));
    list->count = cfg->in.count;
    list->items = arena_array(a, cfg->in.count, sizeof *list->items);
    for (size_t i = 0; i < cfg->in.count; i++)
        list->items[i] = yaml_word(a, "in", cfg->in.v[i]);
    *out = list;
    return ST_OK;
}

static enum status explain_what(struct arena *a, const struct curate_cfg *cfg, const struct source_limits *limits)
{
    const struct yaml *list = NULL;
    struct chain chain;

    if (cfg->sources != NULL || cfg->in.count > 0)
        TRY(list_sources(a, cfg, &list));
    TRY(chain_parse(a, cfg->steps, &chain));
    return explain(a, &(struct explain_args){ &chain, list, limits, cfg->explain, cfg->json });
}

/* Says what a run would do. */
static enum status foresee(const struct dry_run_args *args, bool as_json)
{
    struct buf text = { 0 };
    json_t *json;
    enum status st;

    TRY(dry_run(args, &json));
    dry_run_text(&text, json);
    st = as_json ? output_json(json) : output_text(&text);
    buf_release(&text);
    json_decref(json);
    return st;
}

/* Options that belong to others. share: of --sample. */
static enum status check_options(const struct curate_cfg *cfg, double *share)
{
    *share = 0;
    if (cfg->explain && cfg->dry_run)
        return fail(ST_USAGE, "both --explain and --dry-run are given; want one of them");
    if (cfg->out == NULL && !cfg->dry_run && !cfg->explain)
        return fail(ST_USAGE, "nothing says where the corpus goes; want --out DIR, or --dry-run or --explain");
    if (cfg->sample && !cfg->dry_run)
        return fail(ST_USAGE, "'sample' belongs to --dry-run; want that too, or neither (the step `sample` keeps a share of a "
                              "corpus)");
    if (cfg->json && !cfg->dry_run && !cfg->explain)
        return fail(ST_USAGE, "'json' belongs to --explain and --dry-run; want one of these too, or neither");
    return cfg->sample ? dry_run_share(cfg->sample, share) : ST_OK;
}

static enum status curate(struct arena *a, void *vcfg)
{
    const struct curate_cfg *cfg = vcfg;
    struct chain chain;
    struct curate_stage stage = {
        .command = &cmd_curate, .cfg = cfg, .out = cfg->out, .group_bytes = cfg->group_bytes,
        .limits = {
            .max_document = cfg->max_document, .max_expanded = cfg->max_expanded,
            .max_ratio = cfg->max_ratio, .max_depth = (int)cfg->max_depth,
            .max_members = (uint64_t)cfg->max_members,
            .unpack_threads = (cfg->threads > 0 ? (int)cfg->threads : cpu_count()) - 1,
        },
        .run = {
            .chain = &chain, .threads = (int)cfg->threads, .samples = (int)cfg->samples,
            .memory = cfg->memory, .shard_bytes = cfg->shard_bytes, .seed = (uint64_t)cfg->seed,
            .scores = cfg->scores, .keep_dropped = cfg->keep_dropped,
        },
    };
    double share;

    TRY(check_options(cfg, &share));
    if (cfg->explain != NULL)
        return explain_what(a, cfg, &stage.limits);
    TRY(list_sources(a, cfg, &stage.sources));
    TRY(chain_parse(a, cfg->steps, &chain));
    if (cfg->dry_run)
        return foresee(&(struct dry_run_args){ .sources = stage.sources, .limits = stage.limits, .chain = &chain,
                                               .share = share, .threads = (int)cfg->threads,
                                               .seed = (uint64_t)cfg->seed },
                       cfg->json);
    return curate_stage(&stage);
}

const struct command cmd_curate = {
    .name = "curate",
    .summary = "make a corpus: read, clean, filter and de-duplicate documents",
    .details =
        "Reads files, folders and archives (nested too), passes every document through the steps, and writes those "
        "that are left as *.jsonl.zst shards, with report.json and report.html: what each step dropped, why, by which "
        "value, with examples, and what its rules measured.\n"
        "What is read is found by content: WARC and WET, JSON lines (and .json where `text` names a member), CSV and "
        "TSV, XML, FHIR, DOCX and ODT, HTML, Markdown, text. `--dry-run` says what would be read and done, with `--sample 1%` also how much would be left, "
        "how large and after how long.\n"
        "The same inputs and options give the same bytes for any number of threads and ranks "
        "(`mpirun -np N tundish curate ...`). Whatever ends it, the same command goes on.\n\n"
        "  tundish curate --in /usr/share/doc --out corpus\n"
        "  tundish curate --in crawl/ --dry-run --sample 1%\n"
        "  tundish curate notes.zip --out corpus --steps '[normalize, {filter: {profile: gopher@datatrove, "
        "min-words: 20}}, {dedup: {method: exact}}]'\n"
        "  tundish curate --config corpus.yaml --out corpus      # sources: and steps: in a file\n"
        "  tundish curate notes.zip --explain 'notes.zip!a.html'\n",
    .opts = opts,
    .cfg_size = sizeof(struct curate_cfg),
    .stage_version = 7,
    .makes = "corpus",
    .run = curate,
    .benches = curate_benches,
};
