/* Ids to text. */
#include "tokenize/tokenizer_cmd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/output.h"
#include "store/documents/documents.h"
#include "tokenize/id_text.h"
#include "tokenize/line_input.h"

#define CHUNK ((size_t)256 << 10)
#define OUT_BYTES ((size_t)256 << 10)    /* of output are gathered */
#define WORD_MAX 64                      /* bytes that may be the beginning of an id */

struct decode_options {
    const char *tokenizer;
    struct opt_list in;
    int format;
    bool json, lines, skip_special, stream, repair;
};
#define S struct decode_options

static const char *const formats[] = { "text", "u16", "u32", NULL };
enum id_format { IDS_TEXT, IDS_U16, IDS_U32 };

struct decoding {
    const struct decode_options *o;
    struct decode_feed *feed;
    struct line_input in;            /* the open file; .line_number is of the open line, from 1 on */
    struct buf given;                /* what was read and not used yet */
    size_t searched;                 /* of given: there is no line feed in it */
    uint64_t column;                 /* bytes of the open line before given */
    bool inside;                     /* of a line that has an id */
    struct token_list ids;
    struct buf out, text;            /* text: of a line, for --json */
    struct buf name;                 /* "id" of the open line */
};

/* ---- output ---- */

static struct buf *target(struct decoding *d)
{
    return d->o->json ? &d->text : &d->out;
}

static enum status write_out(struct decoding *d)
{
    enum status st = output_stream(&d->out);

    buf_clear(&d->out);
    return st;
}

/* The ids read so far to text. */
static enum status decode_ids(struct decoding *d)
{
    enum status st = decode_feed_add(d->feed, d->ids.v, d->ids.count, target(d));

    d->ids.count = 0;
    if (st != ST_OK && d->o->format != IDS_TEXT)
        return fail_within(st, "'%s': ", d->in.path);
    if (st != ST_OK)
        return fail_within(st, "'%s' line %" PRIu64 ": ", d->in.path, d->in.line_number);
    return d->out.n >= OUT_BYTES ? write_out(d) : ST_OK;
}

/* A text ends. */
static void end_text(struct decoding *d)
{
    decode_feed_end(d->feed, target(d));
    if (d->o->json) {
        struct document of = { .id = { d->name.p ? d->name.p : "", d->name.n },
                               .text = { d->text.p ? d->text.p : "", d->text.n } };

        document_print(&d->out, &of);
        buf_clear(&d->text);
        buf_clear(&d->name);
    } else if (d->o->lines) {
        buf_addc(&d->out, '\n');
    }
}

/* ---- text ---- */

static enum status wrong_ids(const struct decoding *d, size_t at, const char *found, size_t n)
{
    return fail(ST_FORMAT,
                "'%s' line %" PRIu64 ", byte %" PRIu64
                ": want ids between spaces, or {\"ids\": [...]}; found '%.*s'",
                d->in.path, d->in.line_number, d->column + at + 1, (int)(n < 40 ? n : 40), found);
}

static enum status ids_of_json(struct decoding *d, const json_t *line)
{
    const json_t *ids = json_object_get(line, "ids"), *name = json_object_get(line, "id");

    if (!json_is_array(ids))
        return wrong_ids(d, 0, "no \"ids\"", 8);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);

        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) > UINT32_MAX)
            return fail(ST_FORMAT, "'%s' line %" PRIu64 ": \"ids\"[%zu] is no id; want a whole number "
                                   "below 2^32",
                        d->in.path, d->in.line_number, i);
        token_list_add(&d->ids, (uint32_t)json_integer_value(id));
    }
    buf_add(&d->name, json_string_value(name), json_string_length(name));
    return ST_OK;
}

static enum status take_object(struct decoding *d, struct span line)
{
    struct span name;
    json_t *json;
    enum status st;

    if (id_text_read_object(line, &name, &d->ids)) {
        buf_add(&d->name, name.p, name.n);
        return decode_ids(d);
    }
    st = json_parse(line.p, line.n, d->in.path, &json);
    if (st != ST_OK)
        return fail_within(st, "line %" PRIu64 ": ", d->in.line_number);
    st = ids_of_json(d, json);
    json_decref(json);
    return st == ST_OK ? decode_ids(d) : st;
}

static enum status take_ids(struct decoding *d, struct span text)
{
    size_t n = id_text_read(text, &d->ids);

    if (n < text.n) {
        const char *stop = memchr(text.p + n, '\n', text.n - n);

        return wrong_ids(d, n, text.p + n, stop ? (size_t)(stop - text.p) - n : text.n - n);
    }
    d->inside = d->inside || d->ids.count > 0;
    return d->ids.count > 0 ? decode_ids(d) : ST_OK;
}

static void use(struct decoding *d, size_t n)
{
    memmove(d->given.p, d->given.p + n, d->given.n - n);
    d->given.n -= n;
    d->searched = 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool is_object(const struct decoding *d, struct span line)
{
    size_t i = 0;

    while (i < line.n && is_blank(line.p[i]))
        i++;
    return !d->inside && i < line.n && line.p[i] == '{';
}

static enum status take_line(struct decoding *d, struct span line)
{
    TRY(is_object(d, line) ? take_object(d, line) : take_ids(d, line));
    if (!d->o->stream)
        end_text(d);
    d->inside = false;
    d->column = 0;
    d->in.line_number++;
    return ST_OK;
}

/* The beginning of a line: the whole ids in it are used. */
static enum status take_some(struct decoding *d)
{
    size_t n = d->given.n;

    if (n == 0 || is_object(d, (struct span){ d->given.p, n }))
        return ST_OK;
    while (n > 0 && !is_blank(d->given.p[n - 1]))
        n--;
    if (d->given.n - n > WORD_MAX)
        return wrong_ids(d, n, d->given.p + n, d->given.n - n);
    TRY(take_ids(d, (struct span){ d->given.p, n }));
    d->column += n;
    use(d, n);
    return ST_OK;
}

static enum status take_text(struct decoding *d)
{
    size_t from = 0;

    for (;;) {
        const char *p = d->given.p + from, *stop;
        size_t n = d->given.n - from, known = from == 0 ? d->searched : 0;

        stop = n > known ? memchr(p + known, '\n', n - known) : NULL;
        if (stop == NULL)
            break;
        TRY(take_line(d, (struct span){ p, (size_t)(stop - p) }));
        from += (size_t)(stop - p) + 1;
    }
    if (from > 0)
        use(d, from);
    TRY(take_some(d));
    d->searched = d->given.n;
    return ST_OK;
}

/* ---- numbers ---- */

static void take_numbers(struct decoding *d)
{
    const unsigned char *p = (const unsigned char *)d->given.p;
    size_t size = d->o->format == IDS_U16 ? 2 : 4, n = d->given.n / size;

    token_list_reserve(&d->ids, n);
    for (size_t i = 0; i < n; i++, p += size) {
        uint32_t low = (uint32_t)p[0] | (uint32_t)p[1] << 8;

        d->ids.v[d->ids.count++] = size == 2 ? low : low | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    }
    use(d, n * size);
}

/* ---- files ---- */

static enum status read_some(struct decoding *d, bool *got)
{
    ssize_t n;

    buf_reserve(&d->given, CHUNK);
    n = read(fileno(d->in.file), d->given.p + d->given.n, CHUNK);
    *got = n > 0;
    if (n < 0)
        return fail_errno(ST_IO, "cannot read '%s'", d->in.path);
    d->given.n += (size_t)n;
    return ST_OK;
}

static enum status take_chunk(struct decoding *d)
{
    if (d->o->format == IDS_TEXT) {
        TRY(take_text(d));
    } else {
        take_numbers(d);
        TRY(decode_ids(d));
    }
    return d->o->stream ? write_out(d) : ST_OK;
}

/* What is left at the end of a file. */
static enum status take_end(struct decoding *d)
{
    if (d->o->format != IDS_TEXT && d->given.n > 0)
        return fail(ST_FORMAT, "'%s' ends %zu bytes behind a whole id; want --format %s numbers only",
                    d->in.path, d->given.n, formats[d->o->format]);
    if (d->o->format != IDS_TEXT)
        end_text(d);
    else if (d->given.n > 0 || d->inside)
        TRY(take_line(d, (struct span){ d->given.p ? d->given.p : "", d->given.n }));
    buf_clear(&d->given);
    d->searched = 0;
    d->inside = false;
    d->column = 0;
    return ST_OK;
}

static enum status decode_file(struct decoding *d)
{
    bool got = true;

    d->in.line_number = 1;
    while (got) {
        TRY(read_some(d, &got));
        if (got)
            TRY(take_chunk(d));
    }
    return take_end(d);
}

static enum status decode_files(struct decoding *d)
{
    const char *path;
    enum status st = ST_OK, written;

    while (st == ST_OK && (path = line_input_path(&d->in)) != NULL) {
        st = line_input_open(&d->in, path);
        if (st == ST_OK)
            st = decode_file(d);
        line_input_close_file(&d->in);
    }
    if (st == ST_OK && d->o->stream)
        end_text(d);
    written = write_out(d);
    return st == ST_OK ? written : st;
}

static enum status run_decode(struct arena *a, void *cfg)
{
    struct decoding d = { .o = cfg };
    struct tokenizer *t;
    enum status st;

    if (d.o->stream && (d.o->json || d.o->lines))
        return fail(ST_CONFIG, "--stream makes one text of all ids; want no --json and no --lines");
    TRY(tokenizer_open(d.o->tokenizer, &t));
    d.feed = decode_feed_new(t, &(struct decode_feed_args){ .skip_special = d.o->skip_special,
                                                            .repair = d.o->repair });
    d.in.paths = &d.o->in;
    st = decode_files(&d);
    line_input_close(&d.in);
    decode_feed_free(d.feed);
    token_list_release(&d.ids);
    buf_release(&d.given);
    buf_release(&d.out);
    buf_release(&d.text);
    buf_release(&d.name);
    tokenizer_close(t);
    return st;
}

static const struct opt decode_options[] = {
    ROW_TOKENIZER,
    ROW_IN,
    OPT_CHOICE(S, format, "format", "text", formats,
               "the ids are: lines of numbers or JSON objects (text), or bare little-endian numbers "
               "of 2 or 4 bytes"),
    OPT_BOOL(S, json, "json", "false", "one JSON line {\"id\", \"text\"} for each line of ids"),
    OPT_BOOL(S, lines, "lines", "false", "a newline behind the text of each line of ids"),
    OPT_BOOL(S, stream, "stream", "false",
             "all ids are one text, which is printed as they come, in whole characters"),
    OPT_BOOL(S, repair, "repair", "false",
             "bytes that are no UTF-8 become U+FFFD instead of staying as they are"),
    OPT_BOOL(S, skip_special, "skip-special", "false", "leave special tokens out"),
    OPT_END
};

const struct command cmd_tokenizer_decode = {
    .name = "tokenizer decode",
    .summary = "token ids to text",
    .details =
        "Reads what 'tokenizer encode' prints, in any of its forms, and prints the bytes that the ids "
        "stand for.\nA line is a text of its own; it may be of any length.\n\n"
        "  echo 15496 612 | tundish tokenizer decode --tokenizer tokenizer",
    .opts = decode_options,
    .cfg_size = sizeof(struct decode_options),
    .run = run_decode,
};
