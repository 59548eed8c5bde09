#include "curate/curate_cmd.h"

#include "curate/run/curate_stage.h"

struct curate_cfg {
    struct opt_list in;
    struct yaml *sources, *steps;
    const char *out;
    int64_t threads, max_depth, max_members, samples, seed;
    uint64_t memory, shard_bytes, group_bytes, max_document, max_expanded;
    double max_ratio;
    bool scores, keep_dropped;
};

static const struct opt opts[] = {
    OPT_INPUTS(struct curate_cfg, in, "in",
               "files, folders or archives to read", .flags = OPT_POSITIONAL),
    OPT_TREE(struct curate_cfg, sources, "sources",
             "the same with options: a list of PATH or {path, text, include: [GLOB], "
             "exclude: [GLOB]}",
             .check = source_check, .paths = source_paths, .item = source_row_item),
    OPT_OUTPUT(struct curate_cfg, out, "out", "the corpus", .flags = OPT_REQUIRED),
    OPT_TREE(struct curate_cfg, steps, "steps", "what happens to documents, in order; see below",
             .fallback = chain_default, .check = chain_check, .item = chain_item),
    OPT_SIZE(struct curate_cfg, memory, "memory", "2G", 1 << 20, (double)(UINT64_C(1) << 50),
             "bound of the tables of de-duplication", .flags = OPT_NEUTRAL),
    OPT_SIZE(struct curate_cfg, shard_bytes, "shard-bytes", "256M", 1 << 12,
             (double)(UINT64_C(1) << 50), "lines of a shard, before compression"),
    OPT_SIZE(struct curate_cfg, group_bytes, "group-bytes", "256M", 1, (double)(UINT64_C(1) << 50),
             "files are read in groups of so many bytes, each by one rank; a shard ends with its group"),
    OPT_BOOL(struct curate_cfg, scores, "scores", "false",
             "each document's metadata get what the rules measured, under `curate`"),
    OPT_BOOL(struct curate_cfg, keep_dropped, "keep-dropped", "false",
             "dropped documents go to OUT/dropped, with step, reason, value and threshold in their metadata"),
    OPT_INT(struct curate_cfg, threads, "threads", "0", 0, 4096,
            "0: all processors", .flags = OPT_NEUTRAL),
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
        },
        .run = {
            .chain = &chain, .threads = (int)cfg->threads, .samples = (int)cfg->samples,
            .memory = cfg->memory, .shard_bytes = cfg->shard_bytes, .seed = (uint64_t)cfg->seed,
            .scores = cfg->scores, .keep_dropped = cfg->keep_dropped,
        },
    };

    TRY(list_sources(a, cfg, &stage.sources));
    TRY(chain_parse(a, cfg->steps, &chain));
    return curate_stage(&stage);
}

const struct command cmd_curate = {
    .name = "curate",
    .summary = "make a corpus: read, clean, filter and de-duplicate documents",
    .details =
        "Reads text, Markdown, HTML and JSONL, plain or in archives (nested too), passes every "
        "document through the steps, and writes those that are left as *.jsonl.zst shards, with "
        "report.json and report.html: what each step dropped, why, by which value, with samples.\n"
        "The same inputs and options give the same bytes for any number of threads and ranks "
        "(`mpirun -np N tundish curate ...`). Whatever ends it, the same command goes on.\n\n"
        "  tundish curate --in /usr/share/doc --out corpus\n"
        "  tundish curate notes.zip --out corpus --steps '[normalize, {filter: "
        "{min-words: 20}}, {dedup: {method: exact}}]'\n",
    .print_details = step_print_help,
    .opts = opts,
    .cfg_size = sizeof(struct curate_cfg),
    .stage_version = 5,
    .makes = "corpus",
    .run = curate,
    .benches = curate_benches,
};
