/*
 * Tokenizer files into other formats: what goes out is read again and held against what came in, on
 * every token and on a text of many scripts, before it is written.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "tokenize/files/foreign.h"
#include "tokenize/tokenizer_cmd.h"

#define JSON_LIMIT (256u << 20)
#define DIFFER_MAX 0.01              /* of the sample's lines; above, it is another tokenizer */

enum target { TO_JSON, TO_TIKTOKEN };
static const char *const targets[] = { "tokenizer.json", "tiktoken", NULL };

struct convert_options {
    const char *in, *out, *pattern;
    struct opt_list special;
    int to;
};
#define S struct convert_options

struct conversion {
    struct arena *a;
    const struct convert_options *o;
    const char *path;                /* of the source file */
    const char *folder;              /* that it lies in, or NULL */
    struct foreign foreign;
    struct buf json;                 /* the source as a tokenizer.json */
    struct buf result;
    struct tokenizer *before, *after;
    size_t lines, line_differs, token_differs;
};

/* ---- what goes in ---- */

static enum status derive(struct conversion *c)
{
    struct foreign *f = &c->foreign;
    uint32_t *order = mem_array((size_t)f->count + 1, sizeof *order);

    for (uint32_t i = 0; i < f->count; i++)
        order[i] = i;
    foreign_derive_merges(f, order, f->count);
    free(order);
    return ST_OK;
}

static enum status read_source(struct conversion *c)
{
    const struct convert_options *o = c->o;
    enum foreign_kind kind;
    struct foreign_args args = { o->pattern && *o->pattern ? o->pattern : NULL, (const char *const *)o->special.v,
                                 o->special.count };

    c->folder = file_is_folder(o->in) ? o->in : NULL;
    c->path = c->folder ? path_join(c->a, o->in, "tokenizer.json") : o->in;
    if (!file_exists(c->path))
        return fail(ST_MISSING, "there is no tokenizer '%s'", c->path);
    kind = foreign_sniff(c->path);
    if (kind == FOREIGN_NONE) {
        if (args.pattern || args.special_count)
            return fail(ST_CONFIG, "'%s' says itself by which pattern text is cut and which tokens "
                                   "are special; leave --pattern and --special away",
                        c->path);
        TRY(file_read(c->path, JSON_LIMIT, &c->json));
        return tokenizer_parse(c->path, c->json.p, c->json.n, &c->before);
    }
    TRY(foreign_read(c->path, kind, &args, &c->foreign));
    if (c->foreign.ranks == RANK_SPLITS)
        TRY(derive(c));
    return foreign_parse(&c->foreign, c->path, &c->json, &c->before);
}

/* ---- what is lost ---- */

static void warn_of_losses(const struct conversion *c)
{
    const struct tokenizer *t = c->before;
    struct buf names = { 0 };

    for (size_t i = 0; pretok_cut(t->pretok, i) != NULL; i++) {
        const char *cut = pretok_cut(t->pretok, i), *name = pretok_pattern_name(cut);

        log_warn("a rank file does not hold the pattern; note it: %s", name ? name : cut);
    }
    if (t->nfc || t->normalizer)
        log_warn("a rank file does not hold the normalizer");
    for (size_t i = 0; i < t->added_count && i < 6; i++)
        buf_printf(&names, "%s'%s' %u", i ? ", " : "", t->added[i].content.p, t->added[i].id);
    if (t->added_count > 0)
        log_warn("a rank file does not hold the %zu added tokens: %s%s", t->added_count, names.p,
                 t->added_count > 6 ? ", ..." : "");
    if (t->prefix_count + t->suffix_count > 0)
        log_warn("a rank file does not hold the tokens that are put around a text");
    buf_release(&names);
}

/* ---- both are held against each other ---- */

/* Letters, digits, spaces, scripts, and what is no text. */
static const char sample[] =
    "The tundish stands between the ladle and the mould; it's where the melt rests, isn't it?\n"
    "  two  spaces   three\t\ttabs\r\n\r\n    indented = 1234567.890 + x[0x1F] != \"\\n\";\n"
    "Gr\xC3\xB6\xC3\x9F" "e, fa\xC3\xA7" "ade, e\xCC\x81t\xC3\xA9, \xC3\xA6on, \xC5\x93uvre, \xC5\xBE" "elva\n"
    "\xD0\xA1\xD1\x82\xD0\xB0\xD0\xBB\xD1\x8C \xD1\x82\xD0\xB5\xD1\x87\xD1\x91\xD1\x82; "
    "\xCE\x91\xCE\xB8\xCE\xAE\xCE\xBD\xCE\xB1; \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D; \xD8\xB3\xD9\x84\xD8\xA7\xD9\x85\n"
    "\xE6\x9D\xB1\xE4\xBA\xAC\xE3\x81\xAF\xE6\x97\xA5\xE6\x9C\xAC\xE3\x81\xAE\xE9\xA6\x96\xE9\x83\xBD\xE3\x81\xA7\xE3\x81\x99\xE3\x80\x82 "
    "\xE4\xBD\xA0\xE5\xA5\xBD\xEF\xBC\x8C\xE4\xB8\x96\xE7\x95\x8C\xEF\xBC\x81 \xEC\x95\x88\xEB\x85\x95\xED\x95\x98\xEC\x84\xB8\xEC\x9A\x94\n"
    "\xE0\xA4\xA8\xE0\xA4\xAE\xE0\xA4\xB8\xE0\xA5\x8D\xE0\xA4\xA4\xE0\xA5\x87 \xE0\xB8\xAA\xE0\xB8\xA7\xE0\xB8\xB1\xE0\xB8\xAA\xE0\xB8\x94\xE0\xB8\xB5 "
    "\xF0\x9F\x99\x82\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 \xE2\x82\xAC 5 \xC2\xBD \xE2\x85\xA7 \xEF\xAC\x81\n";

struct both {
    struct encoder *before, *after;
    struct token_list a, b;
};

static enum status encode_both(struct both *e, struct span text, bool *same)
{
    e->a.count = e->b.count = 0;
    TRY(encoder_encode(e->before, text, false, &e->a));
    TRY(encoder_encode(e->after, text, false, &e->b));
    *same = e->a.count == e->b.count &&
            (e->a.count == 0 || memcmp(e->a.v, e->b.v, e->a.count * sizeof *e->a.v) == 0);
    return ST_OK;
}

/* The lines of the sample, and tokens in a row, eight a line. */
static enum status compare_texts(struct conversion *c, struct both *e)
{
    struct buf line = { 0 };
    struct span rest = { sample, sizeof sample - 1 };
    enum status st = ST_OK;
    bool same;

    while (st == ST_OK && rest.n > 0) {
        size_t n = (size_t)((const char *)memchr(rest.p, '\n', rest.n) - rest.p) + 1;

        st = encode_both(e, (struct span){ rest.p, n }, &same);
        c->lines++;
        c->line_differs += st == ST_OK && !same;
        rest.p += n;
        rest.n -= n;
    }
    for (uint32_t id = 0; st == ST_OK && id < c->before->vocab; id++) {
        struct span bytes = tokenizer_bytes(c->before, id);

        if (utf8_valid(bytes.p, bytes.n) && !tokenizer_is_special(c->before, id)) {
            buf_add(&line, bytes.p, bytes.n);
            st = encode_both(e, bytes, &same);
            c->token_differs += st == ST_OK && !same;
        }
        if (id % 8 != 7 || line.n == 0 || st != ST_OK)
            continue;
        st = encode_both(e, (struct span){ line.p, line.n }, &same);
        c->lines++;
        c->line_differs += st == ST_OK && !same;
        buf_clear(&line);
    }
    buf_release(&line);
    return st;
}

/* Whether both merge alike whatever the text is: every token is made by one merge, the same in both,
 * in the same order. */
static bool merges_are_same(const struct conversion *c)
{
    size_t m = 0, n = 0;
    struct bpe_merge *a = bpe_list(c->before->bpe, &m), *b = bpe_list(c->after->bpe, &n);
    bool *made = mem_array((size_t)c->before->vocab + 1, sizeof *made);
    bool same = m == n && c->before->ignore_merges == c->after->ignore_merges;

    for (size_t i = 0; same && i < m; i++) {
        same = a[i].left == b[i].left && a[i].right == b[i].right && a[i].id == b[i].id &&
               !made[a[i].id];
        made[a[i].id] = true;
    }
    free(a);
    free(b);
    free(made);
    return same;
}

static enum status verify(struct conversion *c)
{
    struct both e = { encoder_new(c->before), encoder_new(c->after), { 0 }, { 0 } };
    enum status st = c->before->vocab >= c->after->vocab
                         ? compare_texts(c, &e)
                         : fail(ST_FAILED, "'%s': the result has %u ids, the source %u", c->path,
                                c->after->vocab, c->before->vocab);

    encoder_free(e.before);
    encoder_free(e.after);
    token_list_release(&e.a);
    token_list_release(&e.b);
    TRY(st);
    if ((double)c->line_differs > DIFFER_MAX * (double)c->lines)
        return fail(ST_UNSUPPORTED,
                    "'%s': as %s, %zu of %zu lines of the sample would have other ids (and %zu tokens "
                    "by themselves); nothing was written",
                    c->path, targets[c->o->to], c->line_differs, c->lines, c->token_differs);
    if (c->before->ranks != c->after->ranks && !merges_are_same(c))
        log_warn("ids may differ in rare texts (%zu of %zu lines of the sample and %zu tokens by "
                 "themselves do): %s",
                 c->line_differs, c->lines, c->token_differs,
                 c->o->to == TO_TIKTOKEN
                     ? "a rank file ranks merges by the token they make, the source by their place "
                       "in its list"
                     : "tokenizer.json ranks merges by their place in the list, the source by the "
                       "token they make");
    return ST_OK;
}

/* ---- what comes out ---- */

static enum status make_result(struct conversion *c)
{
    struct span json = { c->json.p, c->json.n };

    if (c->o->to == TO_JSON) {
        buf_add(&c->result, json.p, json.n);
        return tokenizer_parse(c->path, json.p, json.n, &c->after);
    }
    if (c->before->symbols || c->before->decode || c->before->stage_count)
        return fail(ST_UNSUPPORTED,
                    "'%s' is not a byte-level tokenizer with every byte; a rank file holds bytes and "
                    "cannot say what it does",
                    c->path);
    TRY(rank_file_print(c->before, c->path, &c->result));
    TRY(tokenizer_parse_ranked(c->path, json, RANK_SPLITS, &c->after));
    warn_of_losses(c);
    return ST_OK;
}

static const char *const companions[] = { "tokenizer_config.json", "special_tokens_map.json",
                                          "chat_template.jinja", "chat_template.json", NULL };

static enum status write_folder(struct conversion *c, const char *name)
{
    struct span chat = c->foreign.chat_template;
    const char *folder;
    enum status st;

    TRY(folder_begin(c->a, c->o->out, &folder));
    st = file_write_new(path_join(c->a, folder, name), c->result.p, c->result.n);
    for (int i = 0; st == ST_OK && c->folder && companions[i]; i++) {
        const char *from = path_join(c->a, c->folder, companions[i]);

        if (file_exists(from))
            st = file_copy(from, path_join(c->a, folder, companions[i]));
    }
    if (st == ST_OK && chat.n > 0)
        st = file_write_new(path_join(c->a, folder, "chat_template.jinja"), chat.p, chat.n);
    if (st == ST_OK)
        st = folder_commit(folder, c->o->out);
    if (st != ST_OK)
        folder_abort(folder);
    return st;
}

static enum status write_file(struct conversion *c)
{
    if (c->foreign.chat_template.n > 0)
        log_warn("a single file does not hold the chat template; give a folder to keep it");
    for (int i = 0; c->folder && companions[i]; i++)
        if (file_exists(path_join(c->a, c->folder, companions[i])))
            log_warn("'%s' stays behind; give a folder to keep it", companions[i]);
    return file_write_atomic(c->o->out, c->result.p, c->result.n);
}

static enum status convert(struct conversion *c)
{
    const char *name = c->o->to == TO_JSON ? "tokenizer.json" : "tokenizer.tiktoken";
    bool folder = !str_ends_with(c->o->out, ".json") && !str_ends_with(c->o->out, ".tiktoken");

    if (folder && file_exists(c->o->out))
        return fail(ST_CONFIG, "'%s' is there already; want the name of a new folder, or of a file "
                               "that ends with .json or .tiktoken",
                    c->o->out);
    TRY(read_source(c));
    TRY(make_result(c));
    TRY(verify(c));
    TRY(folder ? write_folder(c, name) : write_file(c));
    log_info("%s: %zu entries; %zu lines of a sample and every token were encoded with both",
             c->o->out, c->before->entries, c->lines);
    return ST_OK;
}

static enum status run_convert(struct arena *a, void *cfg)
{
    struct conversion c = { .a = a, .o = cfg };
    enum status st = convert(&c);

    foreign_release(&c.foreign);
    buf_release(&c.json);
    buf_release(&c.result);
    tokenizer_close(c.before);
    tokenizer_close(c.after);
    return st;
}

static const struct opt convert_options[] = {
    OPT_INPUT(S, in, "in",
              "the tokenizer: a folder or tokenizer.json, a .tiktoken file, vocab.bpe or merges.txt "
              "with its vocabulary beside it, or a GGUF file",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_OUTPUT(S, out, "out", "a new folder, or a file (.json, .tiktoken)", .flags = OPT_REQUIRED),
    OPT_CHOICE(S, to, "to", "tokenizer.json", targets, "the format to write"),
    OPT_STR(S, pattern, "pattern", "",
            "what text is cut by, where the file does not say it: gpt2, cl100k, llama3, qwen2, o200k, "
            "or a regular expression"),
    OPT_LIST(S, special, "special", "special tokens of a rank file, TEXT=ID"),
    OPT_END
};

const struct command cmd_tokenizer_convert = {
    .name = "tokenizer convert",
    .summary = "tokenizer files into other formats, verified",
    .details = "  tundish tokenizer convert cl100k_base.tiktoken --out cl100k\n"
               "  tundish tokenizer convert llama3 --to tiktoken --out llama3.tiktoken\n"
               "  tundish tokenizer convert model.gguf --out tokenizer\n"
               "The result is read again; every token and a text of many scripts must have the same\n"
               "ids with both, or nothing is written. What the new format cannot hold is named.",
    .opts = convert_options,
    .cfg_size = sizeof(struct convert_options),
    .run = run_convert,
};
