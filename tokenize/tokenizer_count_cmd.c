/* How many tokens texts have. */
#include "tokenize/tokenizer_cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/output.h"
#include "base/progress.h"
#include "tokenize/id_text.h"
#include "tokenize/text_input.h"

struct count_options {
    const char *tokenizer;
    struct opt_list in;
    int read;
    bool json, documents, special, around;
    int64_t until, threads;
};
#define S struct count_options
#define NO_LIMIT 0

struct sums {
    uint64_t tokens, documents, bytes, more;     /* more: documents above the limit */
};
struct counting {
    const struct count_options *o;
    struct tokenizer *tokenizer;
    struct encoder *encoder;         /* finds where the first ids end */
    struct text_input input;
    struct buf out;
    struct sums all, path;           /* path: of the number below */
    uint64_t tag, paths;
    uint64_t tokens, end;            /* of the open document; where the limit's ids end */
    bool more;
};

/* ---- lines ---- */

static void print_number(struct buf *out, const char *name, uint64_t n)
{
    buf_printf(out, ",\"%s\":", name);
    id_text_add_number(out, n);
}

static void print_sums(struct counting *c, const struct sums *s, const char *kind, const char *name)
{
    struct buf *out = &c->out;

    if (c->o->json) {
        buf_printf(out, "{\"kind\":\"%s\",\"name\":", kind);
        json_quote(out, name, strlen(name));
        if (c->o->until == NO_LIMIT)
            print_number(out, "tokens", s->tokens);
        else
            print_number(out, "more", s->more);
        print_number(out, "documents", s->documents);
        if (c->o->until == NO_LIMIT)
            print_number(out, "bytes", s->bytes);
        buf_adds(out, "}\n");
    } else if (c->o->until == NO_LIMIT) {
        buf_printf(out, "%14" PRIu64 " %12" PRIu64 " %16" PRIu64 " %8.3f  %s\n", s->tokens,
                   s->documents, s->bytes,
                   s->tokens ? (double)s->bytes / (double)s->tokens : 0.0, name);
    } else {
        buf_printf(out, "%s: %" PRIu64 " of %" PRIu64 " documents have more than %" PRId64 " tokens\n",
                   name, s->more, s->documents, c->o->until);
    }
}

static void print_heading(struct counting *c)
{
    if (!c->o->json && c->o->until == NO_LIMIT && !c->o->documents)
        buf_printf(&c->out, "%14s %12s %16s %8s\n", "tokens", "documents", "bytes", "bytes/token");
}

static void print_document_object(struct counting *c, const struct encoded_document *d)
{
    const char *name = text_input_name(&c->input, d->tag);
    struct buf *out = &c->out;

    buf_adds(out, "{\"kind\":\"document\",\"name\":");
    json_quote(out, name, strlen(name));
    if (d->id.n > 0) {
        buf_adds(out, ",\"id\":");
        json_quote(out, d->id.p, d->id.n);
    }
    if (!c->more)
        print_number(out, "tokens", c->tokens);
    if (c->o->until != NO_LIMIT) {
        buf_printf(out, ",\"more\":%s", c->more ? "true" : "false");
        print_number(out, "end", c->more ? c->end : d->text_bytes);
    }
    if (!c->more)
        print_number(out, "bytes", d->text_bytes);
    buf_adds(out, "}\n");
}

static void print_document(struct counting *c, const struct encoded_document *d)
{
    struct buf *out = &c->out;

    if (c->o->json) {
        print_document_object(c, d);
        return;
    }
    if (c->more)
        buf_printf(out, "more than %" PRId64 " tokens, which end at byte %" PRIu64, c->o->until, c->end);
    else
        buf_printf(out, "%" PRIu64 " tokens, %" PRIu64 " bytes", c->tokens, d->text_bytes);
    buf_printf(out, "  %s%s", text_input_name(&c->input, d->tag), d->id.n > 0 ? "  " : "");
    buf_add(out, d->id.p, d->id.n);
    buf_addc(out, '\n');
}

/* ---- taking ---- */

static void end_path(struct counting *c)
{
    if (c->path.documents == 0)
        return;
    if (!c->o->documents && c->o->until == NO_LIMIT)
        print_sums(c, &c->path, "file", text_input_name(&c->input, c->tag));
    c->all.tokens += c->path.tokens;
    c->all.documents += c->path.documents;
    c->all.bytes += c->path.bytes;
    c->all.more += c->path.more;
    c->path = (struct sums){ 0 };
    c->paths++;
}

/* The first part that goes over the limit: where do the limit's ids end? */
static enum status find_end(struct counting *c, const struct encoded_document *d)
{
    struct token_count found;
    uint64_t front = c->o->around && d->first ? tokenizer_around(c->tokenizer).before_count : 0,
             left = (uint64_t)c->o->until - c->tokens;

    left -= front < left ? front : left;
    if (c->encoder == NULL)
        c->encoder = encoder_new(c->tokenizer);
    TRY(encoder_count(c->encoder, d->text, c->o->special, left, &found));
    c->end = d->at + found.end;
    c->more = true;
    text_input_skip(&c->input, d->tag);
    return ST_OK;
}

static enum status take(void *ctx, const struct encoded_document *d)
{
    struct counting *c = ctx;

    if (d->tag != c->tag)
        end_path(c);
    c->tag = d->tag;
    if (d->first) {
        c->tokens = 0;
        c->more = false;
    }
    if (c->o->until != NO_LIMIT && !c->more && c->tokens + d->count > (uint64_t)c->o->until)
        TRY(find_end(c, d));
    c->tokens += d->count;
    if (!d->last)
        return ST_OK;
    c->path.tokens += c->tokens;
    c->path.bytes += d->text_bytes;
    c->path.documents++;
    c->path.more += c->more;
    if (c->o->documents || c->o->until != NO_LIMIT)
        print_document(c, d);
    if (c->out.n < 65536)
        return ST_OK;
    TRY(output_stream(&c->out));
    buf_clear(&c->out);
    return ST_OK;
}

/* ---- running ---- */

static enum status next(void *ctx, struct stream_text *s, bool *got)
{
    struct counting *c = ctx;

    return text_input_next(&c->input, s, got);
}

static enum status count_all(struct counting *c)
{
    struct encode_stream s = {
        .tokenizer = c->tokenizer, .specials = c->o->special, .parts = true, .count_only = true,
        .around = c->o->around, .end = -1, .next = next, .take = take, .ctx = c
    };
    struct pool *pool = pool_new((int)c->o->threads);
    enum status st, written;

    print_heading(c);
    progress_start("counting", "bytes", text_input_total(&c->input));
    st = encode_stream(pool, &s);
    progress_end();
    pool_free(pool);
    if (st == ST_OK) {
        end_path(c);
        if (c->paths > 1 || ((c->o->documents || c->o->until != NO_LIMIT) && c->all.documents > 1))
            print_sums(c, &c->all, "total", "total");
    }
    written = output_stream(&c->out);
    return st == ST_OK ? written : st;
}

static enum status run_count(struct arena *a, void *cfg)
{
    struct counting c = { .o = cfg };
    enum status st;

    TRY(tokenizer_open(c.o->tokenizer, &c.tokenizer));
    warn_around(c.tokenizer, c.o->around);
    c.input.in.paths = &c.o->in;
    c.input.read = (enum text_read)c.o->read;
    st = count_all(&c);
    text_input_close(&c.input);
    encoder_free(c.encoder);
    buf_release(&c.out);
    tokenizer_close(c.tokenizer);
    return st;
}

static const struct opt count_options[] = {
    ROW_TOKENIZER,
    ROW_IN,
    ROW_READ,
    OPT_INT(S, until, "until", "0", 0, 1e15,
            "tell of each document only whether it has more tokens than this, and where these end; 0: "
            "count all"),
    OPT_BOOL(S, documents, "documents", "false", "a line a document instead of one a file"),
    OPT_BOOL(S, json, "json", "false", "JSON objects, one a line"),
    ROW_AROUND,
    ROW_SPECIAL,
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_END
};

const struct command cmd_tokenizer_count = {
    .name = "tokenizer count",
    .summary = "how many tokens texts have",
    .details = "Prints a line for each file, and a total. With --until the rest of a long text file is "
               "not read.\n\n"
               "  tundish tokenizer count --tokenizer tokenizer book.txt corpus\n"
               "  tundish tokenizer count --tokenizer tokenizer --until 8192 --json prompt.txt",
    .opts = count_options,
    .cfg_size = sizeof(struct count_options),
    .run = run_count,
};
