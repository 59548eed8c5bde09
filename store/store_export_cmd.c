/* store export: a part of a token store in formats of others. */
#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/formats/document_line.h"
#include "store/formats/export_file.h"
#include "store/formats/megatron.h"
#include "store/store_cmd.h"
#include "store/tokens/token_store_shards.h"

enum export_format { EXPORT_MEGATRON, EXPORT_JSONL };
static const char *const format_words[] = { "megatron", "jsonl", NULL };
static const char *const part_words[] = { "train", "validation", NULL };

struct export_options {
    const char *store, *out;
    int format, part;
};
#define S struct export_options

static const struct opt options[] = {
    OPT_INPUT(S, store, "store", "the token store", .flags = OPT_REQUIRED | OPT_POSITIONAL,
              .reads = "token-store"),
    OPT_CHOICE(S, format, "format", "megatron", format_words,
               "megatron: Megatron-LM's indexed dataset; jsonl: a line a document"),
    OPT_OUTPUT(S, out, "out",
               "megatron: what stands before .bin and .idx; jsonl: the file, compressed if its "
               "name ends in .zst",
               .flags = OPT_REQUIRED),
    OPT_CHOICE(S, part, "part", "train", part_words, "which part of the store"), OPT_END
};

static enum status write_lines(const struct export_options *o, const struct token_store *store,
                               struct export_file *f)
{
    struct document_line line = { .store = store, .part = (enum token_part)o->part };
    uint64_t n = token_store_documents(store, line.part);
    struct buf text = { 0 };
    enum status st = ST_OK;

    progress_start("exporting", "docs", n);
    for (uint64_t i = 0; st == ST_OK && i < n; i++) {
        buf_clear(&text);
        st = document_line_add(&line, i, &text);
        if (st == ST_OK)
            st = export_file_add(f, text.p, text.n);
        if (st == ST_OK && stop_requested())
            st = fail(ST_INTERRUPTED, "stopped; nothing was written under '%s'", o->out);
        progress_add(1);
    }
    progress_end();
    document_line_release(&line);
    buf_release(&text);
    return st == ST_OK ? export_file_finish(f) : st;
}

static enum status export_lines(const struct export_options *o, const struct token_store *store)
{
    struct export_file *f;
    enum status st;

    TRY(export_file_prepare(o->out));
    TRY(export_file_open(o->out, &f));
    st = write_lines(o, store, f);
    if (st == ST_OK)
        return export_file_commit(f);
    export_file_abort(f);
    return st;
}

/* Neither format can say which tokens are not to be learnt. */
static void warn_of_masks(const struct export_options *o, const struct token_store *store)
{
    uint64_t spans = token_store_skip_spans(store, (enum token_part)o->part);

    if (spans > 0)
        log_warn("%llu spans of tokens are not to be learnt; this format cannot say so, and they "
                 "are exported like all others",
                 (unsigned long long)spans);
}

static enum status run_export(struct arena *a, void *cfg)
{
    const struct export_options *o = cfg;
    struct token_store *store;
    char documents[28], tokens[28];
    enum status st;

    (void)a;
    TRY(token_store_open(o->store, &store));
    warn_of_masks(o, store);
    st = o->format == EXPORT_JSONL
             ? export_lines(o, store)
             : megatron_write(&(struct megatron_export){ store, (enum token_part)o->part, o->out });
    if (st == ST_OK)
        log_info("%s: %s documents, %s tokens", o->out,
                 str_count(token_store_documents(store, (enum token_part)o->part), documents),
                 str_count(token_store_tokens(store, (enum token_part)o->part), tokens));
    token_store_close(store);
    return st;
}

const struct command cmd_store_export = {
    .name = "store export",
    .summary = "write a token store as Megatron's .bin and .idx, or as JSON lines",
    .details =
        "What is written is seen under its name when it is whole. Megatron's files have the\n"
        "bytes that its own builder gives from the same ids: u16 where the vocabulary has fewer\n"
        "than 65,500 entries, else i32; one sequence and one document for each document of the\n"
        "store. They hold no ids, sources or languages; the lines do.\n\n"
        "  tundish store export tokens --out data/train\n"
        "  tundish store export tokens --format jsonl --part validation --out validation.jsonl.zst",
    .opts = options,
    .cfg_size = sizeof(struct export_options),
    .run = run_export,
};
#undef S
