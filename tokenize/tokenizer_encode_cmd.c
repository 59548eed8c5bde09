/* Text to ids. */
#include "tokenize/tokenizer_cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/output.h"
#include "tokenize/corpus_text.h"
#include "tokenize/encode/encode_stream.h"
#include "tokenize/line_input.h"

struct encode_options {
    const char *tokenizer;
    struct opt_list in;
    int read;
    bool json, special, count;
    int64_t threads;
};
#define S struct encode_options

static const char *const read_choices[] = { "auto", "text", "lines", "jsonl", NULL };
enum { READ_AUTO, READ_TEXT, READ_LINES, READ_JSONL };

struct encoding {
    const struct encode_options *o;
    struct line_input in;
    struct corpus_text *corpus;      /* or NULL: in.file */
    struct buf text;
    struct arena scratch;
};

static bool has_documents(const char *path)
{
    return file_is_folder(path) || str_ends_with(path, ".jsonl") ||
           str_ends_with(path, ".jsonl.zst");
}

static enum status open_next(struct encoding *e, const char *path)
{
    if (e->o->read == READ_AUTO && !line_input_is_stdin(path) && has_documents(path))
        return corpus_text_open(path, &e->corpus);
    return line_input_open(&e->in, path);
}

static void close_current(struct encoding *e)
{
    corpus_text_close(e->corpus);
    e->corpus = NULL;
    line_input_close_file(&e->in);
}

static enum status next_of_lines(struct encoding *e, struct document *d, bool *got)
{
    struct document_scan how = { .id_optional = true };
    enum status st;

    TRY(line_input_line(&e->in, &d->text, got));
    if (!*got || e->o->read == READ_LINES)
        return ST_OK;
    arena_reset(&e->scratch);
    st = document_parse(&how, d->text, &e->scratch, d);
    return st == ST_OK ? st
                       : fail_within(st, "'%s' line %" PRIu64 ": ", e->in.path, e->in.line_number);
}

static enum status next_of_open(struct encoding *e, struct document *d, bool *got)
{
    if (e->corpus)
        return corpus_text_next(e->corpus, d, got);
    if (e->o->read == READ_LINES || e->o->read == READ_JSONL)
        return next_of_lines(e, d, got);
    *got = !feof(e->in.file);
    if (!*got)
        return ST_OK;
    TRY(line_input_rest(&e->in, &e->text));
    d->text = (struct span){ e->text.p, e->text.n };
    return ST_OK;
}

static enum status next_document(void *ctx, struct document *d, bool *got)
{
    struct encoding *e = ctx;

    *got = false;
    for (;;) {
        const char *path;

        *d = (struct document){ .id = { "", 0 }, .source = { "", 0 } };
        if (e->corpus || e->in.file) {
            TRY(next_of_open(e, d, got));
            if (*got)
                return ST_OK;
            close_current(e);
        }
        path = line_input_path(&e->in);
        if (path == NULL)
            return ST_OK;
        TRY(open_next(e, path));
    }
}

static enum status print_ids(void *ctx, const struct encoded_document *d)
{
    const struct encoding *e = ctx;
    struct buf line = { 0 };

    if (e->o->json && d->id.n > 0) {
        buf_adds(&line, "{\"id\":");
        json_quote(&line, d->id.p, d->id.n);
        buf_addc(&line, ',');
    } else if (e->o->json) {
        buf_addc(&line, '{');
    }
    if (e->o->count)
        buf_printf(&line, e->o->json ? "\"count\":%zu}\n" : "%zu\n", d->count);
    else if (e->o->json)
        buf_adds(&line, "\"ids\":[");
    for (size_t i = 0; !e->o->count && i < d->count; i++)
        buf_printf(&line, i ? e->o->json ? ",%" PRIu32 : " %" PRIu32 : "%" PRIu32, d->tokens[i]);
    if (!e->o->count)
        buf_adds(&line, e->o->json ? "]}\n" : "\n");
    fwrite(line.p, 1, line.n, stdout);
    buf_release(&line);
    return ferror(stdout) ? fail_errno(ST_IO, "cannot write to the standard output") : ST_OK;
}

static enum status run_encode(struct arena *a, void *cfg)
{
    struct encoding e = { .o = cfg };
    struct tokenizer *t;
    struct pool *pool;
    struct encode_stream stream = {
        .specials = e.o->special, .end = -1, .next = next_document, .take = print_ids, .ctx = &e
    };
    enum status st;

    TRY(tokenizer_open(e.o->tokenizer, &t));
    stream.tokenizer = t;
    e.in.paths = &e.o->in;
    pool = pool_new((int)e.o->threads);
    st = encode_stream(pool, &stream);
    pool_free(pool);
    close_current(&e);
    line_input_close(&e.in);
    buf_release(&e.text);
    arena_release(&e.scratch);
    tokenizer_close(t);
    return st == ST_OK ? output_flush_stream() : st;
}

static const struct opt encode_options[] = {
    ROW_TOKENIZER,
    ROW_IN,
    OPT_CHOICE(S, read, "read", "auto", read_choices,
               "a document is: a file (text), a line (lines), a line's \"text\" "
               "(jsonl); auto goes by the name"),
    OPT_BOOL(S, json, "json", "false", "one JSON object a document instead of a line of ids"),
    OPT_BOOL(S, count, "count", "false", "how many ids, instead of the ids"),
    OPT_BOOL(S, special, "special", "false",
             "read special tokens' names in the text as these tokens"),
    OPT_INT(S, threads, "threads", "1", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_END
};

const struct command cmd_tokenizer_encode = {
    .name = "tokenizer encode",
    .summary = "text to token ids",
    .details = "Prints one line of ids for each document.\n\n"
               "  echo 'Hello there' | tundish tokenizer encode --tokenizer tokenizer\n"
               "  tundish tokenizer encode --tokenizer tokenizer --json corpus",
    .opts = encode_options,
    .cfg_size = sizeof(struct encode_options),
    .run = run_encode,
};
