#include "tokenize/tokenizer_cmd.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/output.h"
#include "tokenize/corpus_text.h"
#include "tokenize/encode_stream.h"
#include "tokenize/tokenizer_part.h"

struct tokenizer_options {
    const char *tokenizer;
    struct opt_list in;
    int read;
    bool json, lines, special, skip_special, count;
    int64_t threads;
};
#define S struct tokenizer_options
#define ROW_TOKENIZER \
    OPT_INPUT(S, tokenizer, "tokenizer", "the tokenizer: its folder or tokenizer.json", \
              .flags = OPT_REQUIRED)
#define ROW_IN \
    OPT_INPUTS(S, in, "in", "files to read; none, or '-': the standard input", \
               .flags = OPT_POSITIONAL)

/* ---- input: files one after the other, "-" among them ---- */

struct input {
    const struct opt_list *paths;
    size_t next;                     /* path */
    const char *path;                /* of the open one, for messages */
    FILE *file;                      /* NULL: none is open */
    char *line;
    size_t cap;
    uint64_t line_number;
};

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* The path of place i, or NULL behind the last; without paths the standard input stands alone. */
static const char *path_at(const struct input *in, size_t i)
{
    if (in->paths->count == 0)
        return i == 0 ? "-" : NULL;
    return i < in->paths->count ? in->paths->v[i] : NULL;
}

static enum status input_open(struct input *in, const char *path)
{
    in->path = is_stdin(path) ? "standard input" : path;
    in->line_number = 0;
    in->file = is_stdin(path) ? stdin : fopen(path, "rb");
    return in->file ? ST_OK : fail_errno(ST_IO, "cannot open '%s'", path);
}

static void input_close_file(struct input *in)
{
    if (in->file && in->file != stdin)
        fclose(in->file);
    in->file = NULL;
}

static void input_close(struct input *in)
{
    input_close_file(in);
    free(in->line);
}

/* A line of the open file, without its newline. */
static enum status input_line(struct input *in, struct span *line, bool *got)
{
    ssize_t n = getline(&in->line, &in->cap, in->file);

    *got = n >= 0;
    if (!*got)
        return ferror(in->file) ? fail_errno(ST_IO, "cannot read '%s'", in->path) : ST_OK;
    in->line_number++;
    if (n > 0 && in->line[n - 1] == '\n')
        n--;
    *line = (struct span){ in->line, (size_t)n };
    return ST_OK;
}

static enum status input_rest(struct input *in, struct buf *out)
{
    size_t n;

    buf_clear(out);
    do {
        buf_reserve(out, (size_t)1 << 16);
        n = fread(out->p + out->n, 1, (size_t)1 << 16, in->file);
        out->n += n;
    } while (n > 0);
    return ferror(in->file) ? fail_errno(ST_IO, "cannot read '%s'", in->path) : ST_OK;
}

/* ---- encode ---- */

static const char *const read_choices[] = { "auto", "text", "lines", "jsonl", NULL };
enum { READ_AUTO, READ_TEXT, READ_LINES, READ_JSONL };

struct encoding {
    const struct tokenizer_options *o;
    struct input in;
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
    if (e->o->read == READ_AUTO && !is_stdin(path) && has_documents(path))
        return corpus_text_open(path, &e->corpus);
    return input_open(&e->in, path);
}

static void close_current(struct encoding *e)
{
    corpus_text_close(e->corpus);
    e->corpus = NULL;
    input_close_file(&e->in);
}

static enum status next_of_lines(struct encoding *e, struct document *d, bool *got)
{
    struct document_scan how = { .id_optional = true };
    enum status st;

    TRY(input_line(&e->in, &d->text, got));
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
    TRY(input_rest(&e->in, &e->text));
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
        path = path_at(&e->in, e->in.next++);
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
    input_close(&e.in);
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
    .cfg_size = sizeof(struct tokenizer_options),
    .run = run_encode,
    .benches = tokenizer_benches,
};

/* ---- decode ---- */

static enum status wrong_ids(const struct input *in, const char *found)
{
    return fail(ST_FORMAT,
                "'%s' line %" PRIu64
                ": want ids between spaces, or {\"ids\": [...]}; found '%.40s'",
                in->path, in->line_number, found);
}

static enum status ids_of_text(const struct input *in, struct span line, struct token_list *out)
{
    const char *p = line.p, *end = line.p + line.n;

    while (p < end) {
        char *stop;
        unsigned long id;

        if (isspace((unsigned char)*p)) {
            p++;
            continue;
        }
        errno = 0;
        id = isdigit((unsigned char)*p) ? strtoul(p, &stop, 10) : 0;
        if (!isdigit((unsigned char)*p) || errno || id > UINT32_MAX ||
            (stop < end && !isspace((unsigned char)*stop)))
            return wrong_ids(in, p);
        token_list_add(out, (uint32_t)id);
        p = stop;
    }
    return ST_OK;
}

static enum status ids_of_json(const struct input *in, const json_t *line, struct token_list *out)
{
    const json_t *ids = json_object_get(line, "ids");

    if (!json_is_array(ids))
        return wrong_ids(in, "no \"ids\"");
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);

        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) > UINT32_MAX)
            return wrong_ids(in, "an id that is none");
        token_list_add(out, (uint32_t)json_integer_value(id));
    }
    return ST_OK;
}

static void print_text(const struct tokenizer_options *o, const json_t *line,
                       const struct buf *text)
{
    const char *id = json_string_value(json_object_get(line, "id"));
    struct buf out = { 0 };

    if (o->json) {
        document_print(
            &out, &(struct document){ .id = span_of(id ? id : ""), .text = { text->p, text->n } });
    } else {
        buf_add(&out, text->p, text->n);
        if (o->lines)
            buf_addc(&out, '\n');
    }
    fwrite(out.p, 1, out.n, stdout);
    buf_release(&out);
}

static enum status decode_line(const struct tokenizer_options *o, const struct tokenizer *t,
                               const struct input *in, struct span line)
{
    struct token_list ids = { 0 };
    struct buf text = { 0 };
    json_t *json = NULL;
    enum status st;

    if (line.n > 0 && line.p[0] == '{') {
        st = json_parse(line.p, line.n, in->path, &json);
        if (st == ST_OK)
            st = ids_of_json(in, json, &ids);
    } else {
        st = ids_of_text(in, line, &ids);
    }
    buf_reserve(&text, ids.count);
    if (st == ST_OK)
        st = tokenizer_decode(t, ids.v, ids.count, o->skip_special, &text);
    if (st == ST_OK)
        print_text(o, json, &text);
    json_decref(json);
    token_list_release(&ids);
    buf_release(&text);
    return st;
}

static enum status decode_file(const struct tokenizer_options *o, const struct tokenizer *t,
                               struct input *in)
{
    for (;;) {
        struct span line;
        bool got;

        TRY(input_line(in, &line, &got));
        if (!got)
            return ST_OK;
        TRY(decode_line(o, t, in, line));
    }
}

static enum status run_decode(struct arena *a, void *cfg)
{
    const struct tokenizer_options *o = cfg;
    struct input in = { .paths = &o->in };
    struct tokenizer *t;
    const char *path;
    enum status st;

    TRY(tokenizer_open(o->tokenizer, &t));
    st = ST_OK;
    while (st == ST_OK && (path = path_at(&in, in.next++)) != NULL) {
        st = input_open(&in, path);
        if (st == ST_OK)
            st = decode_file(o, t, &in);
        input_close_file(&in);
    }
    input_close(&in);
    tokenizer_close(t);
    return st == ST_OK ? output_flush_stream() : st;
}

static const struct opt decode_options[] = {
    ROW_TOKENIZER,
    ROW_IN,
    OPT_BOOL(S, json, "json", "false", "one JSON line {\"id\", \"text\"} for each line of ids"),
    OPT_BOOL(S, lines, "lines", "false", "a newline behind the text of each line of ids"),
    OPT_BOOL(S, skip_special, "skip-special", "false", "leave special tokens out"),
    OPT_END
};

const struct command cmd_tokenizer_decode = {
    .name = "tokenizer decode",
    .summary = "token ids to text",
    .details =
        "Reads lines as 'tokenizer encode' prints them, of either kind, "
        "and prints the bytes that the ids stand for.\n\n"
        "  echo 15496 612 | tundish tokenizer decode --tokenizer tokenizer",
    .opts = decode_options,
    .cfg_size = sizeof(struct tokenizer_options),
    .run = run_decode,
};

/* ---- info ---- */

static json_t *describe_cuts(const struct tokenizer *t)
{
    json_t *cuts = json_array();
    const char *cut;

    for (size_t i = 0; (cut = pretok_cut(t->pretok, i)) != NULL; i++) {
        const char *name = pretok_pattern_name(cut);

        json_array_append_new(cuts, json_string(name ? name : cut));
    }
    return cuts;
}

static json_t *describe_added(const struct tokenizer *t, bool special)
{
    json_t *tokens = json_object();

    for (size_t i = 0; i < t->added_count; i++)
        if (t->added[i].special == special)
            json_object_set_new(tokens, t->added[i].content.p, json_integer(t->added[i].id));
    return tokens;
}

static json_t *describe(const char *path, const struct tokenizer *t)
{
    size_t longest = 0;
    int64_t end = tokenizer_end_of_text(t);
    struct buf name = { 0 };
    json_t *info;

    for (uint32_t id = 0; id < t->vocab; id++)
        if (!t->special[id] && t->bytes[id].n > longest)
            longest = t->bytes[id].n;
    utf8_repair(&name, path, strlen(path));
    info = json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:s?, s:o, s:o, s:o}", "path", name.p, "vocab",
                     (json_int_t)t->vocab, "entries", (json_int_t)t->entries, "merges",
                     (json_int_t)t->merge_count, "longest_token", (json_int_t)longest,
                     "ignore_merges", t->ignore_merges, "normalizer", t->nfc ? "NFC" : NULL,
                     "pattern", describe_cuts(t), "special", describe_added(t, true), "added",
                     describe_added(t, false));
    json_object_set_new(info, "end_of_text", end < 0 ? json_null() : json_integer(end));
    buf_release(&name);
    return info;
}

static void print_row(const char *label, const json_t *value)
{
    struct buf text = { 0 };

    json_canonical(&text, value);
    printf("%-14s %s\n", label, json_is_string(value) ? json_string_value(value) : text.p);
    buf_release(&text);
}

static enum status run_info(struct arena *a, void *cfg)
{
    const struct tokenizer_options *o = cfg;
    struct buf text = { 0 };
    struct tokenizer *t;
    json_t *info, *value;
    const char *key;

    TRY(tokenizer_open(o->tokenizer, &t));
    info = describe(o->tokenizer, t);
    if (o->json) {
        json_canonical(&text, info);
        printf("%s\n", text.p);
    } else {
        json_object_foreach(info, key, value)
            print_row(key, value);
    }
    buf_release(&text);
    json_decref(info);
    tokenizer_close(t);
    return output_flush_stream();
}

static const struct opt info_options[] = {
    OPT_INPUT(S, tokenizer, "tokenizer", "the tokenizer: its folder or tokenizer.json",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_BOOL(S, json, "json", "false", "one JSON object instead of lines"),
    OPT_END
};

const struct command cmd_tokenizer_info = {
    .name = "tokenizer info",
    .summary = "what a tokenizer is: vocabulary, merges, pattern, special tokens",
    .details = "  tundish tokenizer info tokenizer\n"
               "  tundish tokenizer info --json model",
    .opts = info_options,
    .cfg_size = sizeof(struct tokenizer_options),
    .run = run_info,
};
