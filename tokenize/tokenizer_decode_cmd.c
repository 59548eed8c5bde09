/* Ids to text. */
#include "tokenize/tokenizer_cmd.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/output.h"
#include "store/documents.h"
#include "tokenize/line_input.h"
#include "tokenize/tokenizer.h"

struct decode_options {
    const char *tokenizer;
    struct opt_list in;
    bool json, lines, skip_special;
};
#define S struct decode_options

static enum status wrong_ids(const struct line_input *in, const char *found)
{
    return fail(ST_FORMAT,
                "'%s' line %" PRIu64
                ": want ids between spaces, or {\"ids\": [...]}; found '%.40s'",
                in->path, in->line_number, found);
}

static enum status ids_of_text(const struct line_input *in, struct span line, struct token_list *out)
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

static enum status ids_of_json(const struct line_input *in, const json_t *line, struct token_list *out)
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

static void print_text(const struct decode_options *o, const json_t *line,
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

static enum status decode_line(const struct decode_options *o, const struct tokenizer *t,
                               const struct line_input *in, struct span line)
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

static enum status decode_file(const struct decode_options *o, const struct tokenizer *t,
                               struct line_input *in)
{
    for (;;) {
        struct span line;
        bool got;

        TRY(line_input_line(in, &line, &got));
        if (!got)
            return ST_OK;
        TRY(decode_line(o, t, in, line));
    }
}

static enum status run_decode(struct arena *a, void *cfg)
{
    const struct decode_options *o = cfg;
    struct line_input in = { .paths = &o->in };
    struct tokenizer *t;
    const char *path;
    enum status st;

    TRY(tokenizer_open(o->tokenizer, &t));
    st = ST_OK;
    while (st == ST_OK && (path = line_input_path(&in)) != NULL) {
        st = line_input_open(&in, path);
        if (st == ST_OK)
            st = decode_file(o, t, &in);
        line_input_close_file(&in);
    }
    line_input_close(&in);
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
    .cfg_size = sizeof(struct decode_options),
    .run = run_decode,
};
