#include "curate/filter/code.h"

#include <strings.h>

#include "base/json.h"
#include "curate/text/char_class.h"

static const char *const profiles[] = { "code", NULL };

const struct opt code_opts[] = {
    OPT_CHOICE(struct code_cfg, profile, "profile", "code", profiles, "the set of rules"),
    OPT_INPUT(struct code_cfg, extensions, "extensions", "YAML file with options by extension of the file, as `py: {max-lines: 5000}`"),
#define X(field, option, value, side, key, meaning)                                                                \
    OPT_REAL(struct code_cfg, limit[CODE_##field], option, value, 0, 1e9, "threshold of " key "; 0: off"),
    CODE_RULES(X)
#undef X
    OPT_END
};

static const struct space_rule rules[] = { CODE_RULES(SPACE_RULE) };

const struct drop_reason *const code_reasons[] = {
    &drop_empty,
#define X(field, ...) &rules[CODE_##field].reason,
    CODE_RULES(X)
#undef X
    NULL
};

enum status code_load(void *cfg)
{
    struct code_cfg *c = cfg;

    return filter_languages_load(&(struct filter_languages_args){ .path = c->extensions, .opts = code_opts, .cfg = c,
                                                                  .cfg_size = sizeof *c }, &c->languages);
}

void code_unload(void *cfg)
{
    struct code_cfg *c = cfg;

    filter_languages_free(c->languages);
    c->languages = NULL;
}

/* ---- what language it is ---- */

enum code_kind { CODE_OTHER, CODE_PYTHON, CODE_C, CODE_HTML };
#define EXTENSION_MAX 16

static enum code_kind kind_of(const char *extension)
{
    static const struct row {
        const char *extension;
        enum code_kind kind;
    } rows[] = {
        { "py", CODE_PYTHON }, { "pyi", CODE_PYTHON }, { "pyw", CODE_PYTHON },
        { "c", CODE_C }, { "h", CODE_C }, { "cc", CODE_C }, { "cpp", CODE_C }, { "cxx", CODE_C }, { "hh", CODE_C },
        { "hpp", CODE_C }, { "hxx", CODE_C }, { "m", CODE_C }, { "mm", CODE_C }, { "java", CODE_C }, { "cs", CODE_C },
        { "js", CODE_C }, { "mjs", CODE_C }, { "ts", CODE_C }, { "go", CODE_C }, { "rs", CODE_C }, { "swift", CODE_C },
        { "kt", CODE_C }, { "scala", CODE_C }, { "cu", CODE_C },
        { "html", CODE_HTML }, { "htm", CODE_HTML }, { "xhtml", CODE_HTML },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcasecmp(rows[i].extension, extension) == 0)
            return rows[i].kind;
    return CODE_OTHER;
}

/* Takes what fits; too long: none. */
static void copy_extension(const char *from, size_t n, char out[EXTENSION_MAX])
{
    out[0] = 0;
    if (n >= EXTENSION_MAX)
        return;
    memcpy(out, from, n);
    out[n] = 0;
}

static void extension_of(const struct doc *d, char out[EXTENSION_MAX])
{
    const char *name = d->id ? d->id : "", *slash = strrchr(name, '/'), *dot;
    json_t *metadata = NULL;
    const char *own = NULL;

    if (d->metadata && strstr(d->metadata, "\"ext\"")) {
        metadata = json_loads(d->metadata, 0, NULL);
        own = json_string_value(json_object_get(metadata, "ext"));
    }
    name = slash ? slash + 1 : name;
    dot = strrchr(name, '.');
    if (own == NULL)
        own = dot ? dot + 1 : "";
    own += *own == '.';
    copy_extension(own, strcspn(own, "#"), out);
    json_decref(metadata);
}

/* ---- values ---- */

/* Characters of the longest line: those of a line that has no more bytes than this need not be counted. */
static uint64_t longest_line(const struct space_scan *s)
{
    uint64_t longest = 0;

    for (size_t i = 0; i < s->line_count; i++) {
        uint64_t chars = s->lines[i].bytes;

        if (chars > longest)
            chars = space_chars(s, s->text.p + s->lines[i].at, chars);
        longest = chars > longest ? chars : longest;
    }
    return longest;
}

static bool has_xml_header(struct span text)
{
    static const char header[] = "<?xml version=";
    const char *p = text.p, *end = text.p + text.n;
    uint32_t cp;

    for (int i = 0; i < 100 && p < end; i++)
        p += char_decode(p, &cp);
    return memmem(text.p, (size_t)(p - text.p), header, sizeof header - 1) != NULL;
}

struct code_text {
    struct space_scan *scan;
    enum code_kind kind;
    double comments;               /* characters; -1: they do not end */
};

static bool has_value(const struct code_text *t, int rule)
{
    switch (rule) {
    case CODE_few_comments:
    case CODE_many_comments: return t->kind == CODE_PYTHON || t->kind == CODE_C;
    case CODE_html_text: return t->kind == CODE_HTML;
    default: return true;
    }
}

static double comment_value(const struct code_text *t)
{
    if (t->comments < 0)
        return t->kind == CODE_PYTHON ? 0 : 9999;          /* as the peer has them */
    return t->comments / (double)t->scan->chars;
}

static double value_of(const struct code_text *t, int rule)
{
    const struct space_scan *s = t->scan;
    double chars = (double)s->chars;
    uint64_t visible;

    switch (rule) {
    case CODE_few_comments:
    case CODE_many_comments: return comment_value(t);
    case CODE_few_lines:
    case CODE_many_lines: return (double)s->line_count;
    case CODE_xml_header: return has_xml_header(s->text);
    case CODE_alphabetic: return (double)(s->counts.letters + s->more_alphabetics) / chars;
    case CODE_html_text:
        visible = code_html_chars(s->text);
        return visible < 100 ? 0 : (double)visible / chars;
    case CODE_max_line: return (double)longest_line(s);
    case CODE_mean_line: return (chars + 1) / (double)s->line_count - 1;
    case CODE_alnum: return (double)(s->counts.letters + s->counts.digits + s->more_alnums) / chars;
    /* runs of word characters and runs of signs, as re.split(r"\w+|[^\w\s]+") counts what is between: one more */
    default: return (double)(s->counts.letters + s->more_letters) / (double)(s->sums.tokens + 1);
    }
}

static void read_comments(struct code_text *t, struct buf *spare)
{
    if (t->kind == CODE_PYTHON)
        t->comments = code_python_comments(t->scan->text, spare);
    else if (t->kind == CODE_C)
        t->comments = code_c_comments(t->scan);
}

enum status code_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct code_cfg *own = cfg, *c;
    char extension[EXTENSION_MAX];
    const struct doc key = { .language = extension };
    struct code_text t = { 0 };

    if (d->text.n == 0)
        return doc_drop(d, &drop_empty, 0, 0);
    extension_of(d, extension);
    c = filter_languages_pick(own->languages, own, &key);
    t.scan = space_scan_of_doc(d, w);
    t.kind = kind_of(extension);
    read_comments(&t, &w->spare);
    for (int i = 0; i < CODE_RULE_COUNT; i++)
        if (space_rule_on(c->limit[i], &w->trace) && has_value(&t, i) &&
            space_judge(d, &w->trace, &rules[i], value_of(&t, i), c->limit[i]))
            return ST_OK;
    return ST_OK;
}
