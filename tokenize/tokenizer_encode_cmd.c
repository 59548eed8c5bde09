/* Text to token ids. */
#include "tokenize/tokenizer_cmd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/output.h"
#include "base/progress.h"
#include "tokenize/id_text.h"
#include "tokenize/text_input.h"

#define OUT_BYTES ((size_t)256 << 10)    /* of output are gathered */

struct encode_options {
    const char *tokenizer;
    struct opt_list in;
    int read, format;
    bool json, special, around, count, offsets, tokens, end;
    int64_t threads;
};
#define S struct encode_options

static const char *const formats[] = { "text", "ndjson", "u16", "u32", NULL };
enum format { FORMAT_TEXT, FORMAT_NDJSON, FORMAT_U16, FORMAT_U32 };

struct encoding {
    const struct encode_options *o;
    enum format format;
    struct tokenizer *tokenizer;
    struct text_input input;
    struct buf out;
    uint64_t count;                  /* ids of the open document */
};

/* ---- printing ---- */

static void print_u16(struct buf *out, const uint32_t *ids, size_t count)
{
    buf_reserve(out, count * 2);
    for (size_t i = 0; i < count; i++) {
        char bytes[2] = { (char)(ids[i] & 255), (char)(ids[i] >> 8) };

        memcpy(out->p + out->n + 2 * i, bytes, 2);
    }
    out->n += 2 * count;
}

static void print_u32(struct buf *out, const uint32_t *ids, size_t count)
{
    buf_reserve(out, count * 4);
    for (size_t i = 0; i < count; i++) {
        char bytes[4] = { (char)ids[i], (char)(ids[i] >> 8), (char)(ids[i] >> 16), (char)(ids[i] >> 24) };

        memcpy(out->p + out->n + 4 * i, bytes, 4);
    }
    out->n += 4 * count;
}

/* The ids in the format's form, made by the workers. */
static void show(void *ctx, const uint32_t *ids, size_t count, struct buf *out)
{
    const struct encoding *e = ctx;

    switch (e->format) {
    case FORMAT_TEXT: id_text_add(out, ids, count, ' '); break;
    case FORMAT_NDJSON: id_text_add(out, ids, count, ','); break;
    case FORMAT_U16: print_u16(out, ids, count); break;
    case FORMAT_U32: print_u32(out, ids, count); break;
    }
}

/* Those of a document that was joined are not shown yet. */
static void add_shown(struct encoding *e, const struct encoded_document *d)
{
    if (d->shown.n > 0)
        buf_add(&e->out, d->shown.p, d->shown.n);
    else
        show(e, d->tokens, d->count, &e->out);
}

static void print_ranges(struct buf *out, const struct encoded_document *d)
{
    buf_adds(out, ",\"offsets\":[");
    for (size_t i = 0; i < d->count; i++) {
        buf_adds(out, i ? ",[" : "[");
        id_text_add_number(out, d->ranges[i].start);
        buf_addc(out, ',');
        id_text_add_number(out, d->ranges[i].end);
        buf_addc(out, ']');
    }
    buf_addc(out, ']');
}

static void print_tokens(struct buf *out, const struct tokenizer *t, const struct encoded_document *d)
{
    buf_adds(out, ",\"tokens\":[");
    for (size_t i = 0; i < d->count; i++) {
        struct span bytes = tokenizer_bytes(t, d->tokens[i]);

        if (i)
            buf_addc(out, ',');
        json_quote(out, bytes.p, bytes.n);
    }
    buf_addc(out, ']');
}

static void print_object(struct encoding *e, const struct encoded_document *d)
{
    struct buf *out = &e->out;

    if (d->first) {
        buf_addc(out, '{');
        if (d->id.n > 0) {
            buf_adds(out, "\"id\":");
            json_quote(out, d->id.p, d->id.n);
            buf_addc(out, ',');
        }
        buf_adds(out, e->o->count ? "\"count\":" : "\"ids\":[");
    }
    if (!e->o->count && e->count > 0 && d->count > 0)
        buf_addc(out, ',');
    if (!e->o->count)
        add_shown(e, d);
    if (!d->last)
        return;
    if (e->o->count)
        id_text_add_number(out, e->count + d->count);
    else
        buf_addc(out, ']');
    if (e->o->offsets)
        print_ranges(out, d);
    if (e->o->tokens)
        print_tokens(out, e->tokenizer, d);
    buf_adds(out, "}\n");
}

static void print_line(struct encoding *e, const struct encoded_document *d)
{
    if (!e->o->count && e->count > 0 && d->count > 0)
        buf_addc(&e->out, ' ');
    if (!e->o->count)
        add_shown(e, d);
    if (d->last && e->o->count)
        id_text_add_number(&e->out, e->count + d->count);
    if (d->last)
        buf_addc(&e->out, '\n');
}

static enum status write_out(struct encoding *e)
{
    enum status st = output_stream(&e->out);

    buf_clear(&e->out);
    return st;
}

static enum status take(void *ctx, const struct encoded_document *d)
{
    struct encoding *e = ctx;

    if (d->first)
        e->count = 0;
    switch (e->format) {
    case FORMAT_TEXT: print_line(e, d); break;
    case FORMAT_NDJSON: print_object(e, d); break;
    case FORMAT_U16:
    case FORMAT_U32: add_shown(e, d); break;
    }
    e->count += d->count;
    return e->out.n >= OUT_BYTES ? write_out(e) : ST_OK;
}

/* ---- running ---- */

static enum status next(void *ctx, struct stream_text *s, bool *got)
{
    struct encoding *e = ctx;

    return text_input_next(&e->input, s, got);
}

static enum status check_options(struct encoding *e)
{
    const struct encode_options *o = e->o;

    e->format = o->json ? FORMAT_NDJSON : (enum format)o->format;
    if (o->json && o->format != FORMAT_TEXT && o->format != FORMAT_NDJSON)
        return fail(ST_CONFIG, "--json and --format %s; want one of them", formats[o->format]);
    if ((o->offsets || o->tokens) && (e->format != FORMAT_NDJSON || o->count))
        return fail(ST_CONFIG, "--offsets and --tokens are for --format ndjson, without --count");
    if (o->count && e->format >= FORMAT_U16)
        return fail(ST_CONFIG, "--count with --format %s; want text or ndjson", formats[e->format]);
    return ST_OK;
}

void warn_around(const struct tokenizer *t, bool wanted)
{
    struct tokenizer_around around = tokenizer_around(t);

    if (wanted && around.before_count + around.behind_count == 0)
        log_warn("--around changes nothing: this tokenizer puts no tokens around a text");
}

static enum status check_tokenizer(const struct encoding *e, struct encode_stream *s)
{
    uint32_t vocab = tokenizer_vocab(e->tokenizer);

    warn_around(e->tokenizer, e->o->around);
    s->end = e->o->end ? tokenizer_end_of_text(e->tokenizer) : -1;
    if (e->o->end && s->end < 0)
        return fail(ST_UNSUPPORTED, "the tokenizer '%s' has no end-of-text token; want one with "
                                    "<|endoftext|>, or no --end",
                    e->o->tokenizer);
    if (e->format == FORMAT_U16 && vocab > 65536)
        return fail(ST_CONFIG, "ids up to %" PRIu32 " do not fit --format u16; want u32", vocab - 1);
    return ST_OK;
}

static enum status encode_all(struct encoding *e)
{
    const struct encode_options *o = e->o;
    struct encode_stream s = {
        .tokenizer = e->tokenizer, .specials = o->special, .parts = !o->offsets && !o->tokens,
        .around = o->around, .ranges = o->offsets, .count_only = o->count, .show = o->count ? NULL : show,
        .next = next, .take = take, .ctx = e
    };
    bool bar = !isatty(STDOUT_FILENO);      /* else the bar would stand among the ids */
    struct pool *pool;
    enum status st, written;

    TRY(check_tokenizer(e, &s));
    pool = pool_new((int)o->threads);
    if (bar)
        progress_start("encoding", "bytes", text_input_total(&e->input));
    st = encode_stream(pool, &s);
    if (bar)
        progress_end();
    pool_free(pool);
    written = write_out(e);
    return st == ST_OK ? written : st;
}

static enum status run_encode(struct arena *a, void *cfg)
{
    struct encoding e = { .o = cfg };
    enum status st;

    TRY(check_options(&e));
    TRY(tokenizer_open(e.o->tokenizer, &e.tokenizer));
    e.input.in.paths = &e.o->in;
    e.input.read = (enum text_read)e.o->read;
    st = encode_all(&e);
    text_input_close(&e.input);
    buf_release(&e.out);
    tokenizer_close(e.tokenizer);
    return st;
}

static const struct opt encode_options[] = {
    ROW_TOKENIZER,
    ROW_IN,
    ROW_READ,
    OPT_CHOICE(S, format, "format", "text", formats,
               "a line of ids a document, one JSON object a document, or the bare ids of all "
               "documents as little-endian numbers"),
    OPT_BOOL(S, json, "json", "false", "short for --format ndjson"),
    OPT_BOOL(S, offsets, "offsets", "false",
             "ndjson: \"offsets\", for each id its bytes [start, end) of the text"),
    OPT_BOOL(S, tokens, "tokens", "false",
             "ndjson: \"tokens\", the text of each id (U+FFFD for half a character)"),
    OPT_BOOL(S, count, "count", "false", "how many ids, instead of the ids"),
    ROW_AROUND,
    OPT_BOOL(S, end, "end", "false", "put the end-of-text token behind each document"),
    ROW_SPECIAL,
    OPT_INT(S, threads, "threads", "1", 0, 4096, "threads; 0: as many as usable",
            .flags = OPT_NEUTRAL),
    OPT_END
};

const struct command cmd_tokenizer_encode = {
    .name = "tokenizer encode",
    .summary = "text to token ids",
    .details = "Prints one line of ids for each document. Plain texts of any size take little memory,\n"
               "and several threads share one.\n\n"
               "  echo 'Hello there' | tundish tokenizer encode --tokenizer tokenizer\n"
               "  tundish tokenizer encode --tokenizer tokenizer --json corpus\n"
               "  tundish tokenizer encode --tokenizer tokenizer --format u16 --threads 0 book.txt >book.bin",
    .opts = encode_options,
    .cfg_size = sizeof(struct encode_options),
    .run = run_encode,
};
