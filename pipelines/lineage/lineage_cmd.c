#include "pipelines/lineage/lineage_cmd.h"
#include "base/output.h"

#include "pipelines/lineage/lineage_documents.h"
#include "pipelines/lineage/lineage_print.h"
#include "store/artifact/digests.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_OPENLINEAGE, FORMAT_CROISSANT };
static const char *const formats[] = { "text", "json", "openlineage", "croissant", NULL };

struct lineage_cfg {
    const char *path, *document;
    struct opt_list search;
    int format;
    bool json, documents, compare;
    int64_t threads;
};

static const struct opt options[] = {
#define S struct lineage_cfg
    OPT_INPUT(S, path, "artifact", "any artifact, or a link to one",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_LIST(S, search, "search", "folder to look for inputs in, with all below it",
             .value = "DIR"),
    OPT_CHOICE(S, format, "format", "text", formats,
               "what to print; openlineage: events, one a line; croissant: JSON-LD of a corpus"),
    OPT_BOOL(S, json, "json", "false", "the same as --format json"),
    OPT_BOOL(S, documents, "documents", "false",
             "instead: each document of the stores that the model was trained on"),
    OPT_STR(S, document, "document", NULL,
            "instead: where the document of this id is, and what was made with it",
            .value = "ID"),
    OPT_BOOL(S, compare, "compare", "true",
             "hash the sources from outside, to see whether they are still what was read"),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "0: all processors", .flags = OPT_NEUTRAL),
#undef S
    OPT_END
};

static enum status print_tree(const struct lineage *l, enum format format)
{
    struct buf text = { 0 };
    json_t *value;
    enum status st = ST_OK;

    switch (format) {
    case FORMAT_TEXT: lineage_text(l, &text); break;
    case FORMAT_OPENLINEAGE: openlineage_print(l, &text); break;
    case FORMAT_CROISSANT: st = croissant_print(l, &text); break;
    case FORMAT_JSON:
        value = lineage_json(l);
        json_canonical(&text, value);
        buf_addc(&text, '\n');
        json_decref(value);
        break;
    }
    if (st == ST_OK)
        st = output_text(&text);
    buf_release(&text);
    return st;
}

static enum status check(const struct lineage_cfg *o)
{
    if (o->document && o->documents)
        return fail(ST_USAGE, "both --document and --documents are given; want one of them");
    if (o->json && o->format != FORMAT_TEXT && o->format != FORMAT_JSON)
        return fail(ST_USAGE, "both --json and --format %s are given; want one of them",
                    formats[o->format]);
    if ((o->document || o->documents) && o->format > FORMAT_JSON)
        return fail(ST_USAGE, "documents are told as text or json, not as %s", formats[o->format]);
    return ST_OK;
}

static enum status run(struct arena *a, void *cfg)
{
    const struct lineage_cfg *o = cfg;
    struct lineage_args args = { .path = o->path, .search = &o->search,
                                 .compare = o->compare && !o->documents,
                                 .cache_file = digest_cache_default(a) };
    enum format format = o->json ? FORMAT_JSON : (enum format)o->format;
    struct lineage *l;
    enum status st;

    TRY(check(o));
    args.pool = pool_new((int)o->threads);
    st = lineage_open(&args, &l);
    if (st == ST_OK) {
        if (o->document)
            st = lineage_document(l, o->document, format == FORMAT_JSON);
        else if (o->documents)
            st = lineage_documents(l, format == FORMAT_JSON);
        else
            st = print_tree(l, format);
        lineage_free(l);
    }
    pool_free(args.pool);
    return st;
}

const struct command cmd_lineage = {
    .name = "lineage",
    .summary = "what an artifact was made from, down to the documents",
    .details =
        "Follows the digests in manifests from an artifact to everything it was made from: first "
        "where each input was\n"
        "said to be, then beside the artifacts found, then in the folders of --search. Told at the "
        "end: the sources from\n"
        "outside and whether they still have the content that was read, and what was not found.\n\n"
        "  tundish lineage work/quickstart/current/model\n"
        "  tundish lineage registry/champion --format openlineage\n"
        "  tundish lineage work/quickstart/current/corpus --format croissant\n\n"
        "--documents writes a line for each document of the stores that the weights were trained "
        "on: part, id, source, its\n"
        "tokens, and how many of them training has read, which follows from the seed. --document "
        "ID goes the other way:\n"
        "the source, the line of the corpus, the place in the store, and every artifact, of those "
        "found, that holds it or\n"
        "was made with it; it ends with status 1 where the document is nowhere.\n\n"
        "  tundish lineage model --documents | cut -f 2\n"
        "  tundish lineage model --document notes/patient-17.txt --search work",
    .opts = options,
    .cfg_size = sizeof(struct lineage_cfg),
    .run = run,
};
