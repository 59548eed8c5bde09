#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/pretok/pretok_part.h"
#include "tokenize/pretok/regex_dialect.h"
#include "tokenize/pretok/unicode_table.h"

/* cl100k is written here without the '+' behind {1,3}: there it changes nothing in PCRE2 and
 * tiktoken, but Oniguruma reads {1,3}+ as ({1,3})+. */
const struct pretok_pattern pretok_patterns[] = {
    { "gpt2",
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+" },
    { "r50k",
      "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s" },
    { "cl100k", "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}|"
                " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|"
                "\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s" },
    { "llama3", "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" },
    { "qwen2", "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
               " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" },
    { "o200k",
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
      "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" },
    { "nanochat", "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,2}|"
                  " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+" },
    { NULL, NULL },
};

const char *const pretok_deepseek[PRETOK_DEEPSEEK_CUTS] = {
    "\\p{N}{1,3}",
    "[\xE4\xB8\x80-\xE9\xBE\xA5\xE3\x81\x80-\xE3\x82\x9F\xE3\x82\xA0-\xE3\x83\xBF]+",
    ("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
     " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"),
};

const char *pretok_pattern_text(const char *name)
{
    for (const struct pretok_pattern *p = pretok_patterns; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p->text;
    return NULL;
}

const char *pretok_pattern_name(const char *text)
{
    for (const struct pretok_pattern *p = pretok_patterns; p->name; p++)
        if (strcmp(p->text, text) == 0)
            return p->name;
    return NULL;
}

struct pretok *pretok_new(void)
{
    struct pretok *p = mem_alloc(sizeof *p);

    p->unicode = UNICODE_DEFAULT;
    p->level = scan_best_level();
    return p;
}

bool pretok_force(struct pretok *p, enum pretok_matcher matcher)
{
    BUG_IF(p->count > 0);
    p->level = matcher == PRETOK_REGEX      ? NULL
               : matcher == PRETOK_PORTABLE ? scan_level(SCAN_PORTABLE)
               : matcher == PRETOK_AVX2     ? scan_level(SCAN_AVX2)
                                            : scan_level(SCAN_AVX512);
    return matcher == PRETOK_REGEX || p->level != NULL;
}

enum status pretok_set_unicode(struct pretok *p, int version)
{
    BUG_IF(p->count > 0);
    if (!unicode_known(version))
        return fail(ST_LIMIT, "Unicode version %d.%d; want 14.0, 15.0, 15.1, 16.0 or 17.0",
                    version / 10, version % 10);
    p->unicode = version;
    return ST_OK;
}

void pretok_free(struct pretok *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->count; i++) {
        free(p->cuts[i].what);
        free(p->cuts[i].pattern);
        pcre2_code_free(p->cuts[i].exact.code);
        pcre2_code_free(p->cuts[i].own.code);
    }
    free(p->changed);
    scan_classes_free(p->classes);
    free(p);
}

const char *pretok_cut(const struct pretok *p, size_t i)
{
    return i < p->count ? p->cuts[i].pattern : NULL;
}

void pretok_error_text(int code, char text[256])
{
    if (pcre2_get_error_message(code, (PCRE2_UCHAR *)text, 256) < 0)
        snprintf(text, 256, "error %d", code);
}

static enum status compile(const char *what, const struct buf *pattern, struct program *out)
{
    pcre2_compile_context *how = pcre2_compile_context_create(NULL);
    int code = 0;
    PCRE2_SIZE where = 0;
    char text[256];

    BUG_IF(how == NULL);
    pcre2_set_newline(how, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(how, 250);
    out->code = pcre2_compile((PCRE2_SPTR)pattern->p, pattern->n,
                              PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
                              &code, &where, how);
    pcre2_compile_context_free(how);
    if (out->code == NULL) {
        pretok_error_text(code, text);
        return fail(ST_FORMAT, "%s: the pattern does not compile: %s at byte %zu of '%.300s'", what,
                    text, (size_t)where, pattern->p);
    }
    out->jit = pcre2_jit_compile(out->code, PCRE2_JIT_COMPLETE) == 0;
    return ST_OK;
}

/* With PCRE2's own tables, and with those of the wanted version where the pattern asks for them. */
static enum status compile_cut(struct pretok *p, struct cut *c)
{
    struct buf own = { 0 }, exact = { 0 };
    enum status st = regex_to_pcre2(c->what, span_of(c->pattern), 0, &own);

    if (st == ST_OK)
        st = regex_to_pcre2(c->what, span_of(c->pattern), p->unicode, &exact);
    if (st == ST_OK && (own.n != exact.n || memcmp(own.p, exact.p, own.n) != 0)) {
        st = compile(c->what, &own, &c->own);
        if (p->changed == NULL)
            p->changed = unicode_changed_pages(p->unicode, regex_unicode());
    }
    if (st == ST_OK)
        st = compile(c->what, &exact, &c->exact);
    buf_release(&own);
    buf_release(&exact);
    return st;
}

bool pretok_drops(const struct pretok *p)
{
    return p->drops;
}

/* A named pattern matches all of any text, so that nothing lies between two matches. */
static bool may_drop(const struct pretok_rule *rule)
{
    return rule->behavior == PRETOK_REMOVED &&
           !(rule->invert && pretok_pattern_name(rule->pattern) != NULL);
}

/* Whether the rule cuts as Isolated does with the pattern, which must match all of any text. */
static bool is_plain(const struct pretok_rule *rule)
{
    return pretok_pattern_name(rule->pattern) != NULL &&
           (rule->behavior == PRETOK_ISOLATED ||
            (rule->behavior == PRETOK_REMOVED && rule->invert));
}

/* Whether the cut has a scanner, named or of marks, for the rule. */
static struct scanner scanner_for(const struct pretok_rule *rule)
{
    if (is_plain(rule))
        return scanner_of(pretok_pattern_name(rule->pattern), NULL);
    return scanner_of_marks(rule->pattern, rule->behavior == PRETOK_ISOLATED && !rule->invert,
                            rule->behavior == PRETOK_MERGED_WITH_NEXT && !rule->invert);
}

static bool use_scanner(struct pretok *p, struct cut *c, struct scanner s)
{
    c->scanner = s;
    if (p->level == NULL || s.kind == SCAN_NONE)
        return false;
    if (p->classes == NULL && s.kind != SCAN_MARKS)
        p->classes = scan_classes_new(p->unicode);
    c->scanner.classes = p->classes;
    c->scan = scan_function(p->level, s.kind);
    return true;
}

/* DeepSeek's chain is known by its patterns; further cuts undo the common scanner. */
static void look_for_chain(struct pretok *p)
{
    p->chain = (struct cut){ 0 };
    if (p->count != PRETOK_DEEPSEEK_CUTS)
        return;
    for (size_t i = 0; i < p->count; i++) {
        const struct cut *c = &p->cuts[i];

        if (c->behavior != PRETOK_ISOLATED || c->invert || strcmp(c->pattern, pretok_deepseek[i]) != 0)
            return;
    }
    p->known_first = true;
    use_scanner(p, &p->chain, scanner_of("deepseek", NULL));
}

enum status pretok_add(struct pretok *p, const struct pretok_rule *rule)
{
    const char *what = rule->what;
    struct cut *c = &p->cuts[p->count];

    if (p->count == CUTS_MAX)
        return fail(ST_LIMIT, "%s: more than %d cuts follow each other", what, CUTS_MAX);
    *c = (struct cut){ .what = mem_strdup(what),
                       .pattern = mem_strdup(rule->pattern),
                       .behavior = rule->behavior,
                       .invert = rule->invert };
    p->count++;
    if (p->count == 1)
        p->known_first = is_plain(rule);
    p->drops = p->drops || may_drop(rule);
    look_for_chain(p);
    if (use_scanner(p, c, scanner_for(rule)))
        return ST_OK;
    return compile_cut(p, c);
}

size_t pretok_well_formed(struct span text)
{
    size_t i = scan_best_level()->well_formed((const unsigned char *)text.p, text.n);
    uint32_t cp;

    while (i < text.n) {
        size_t step = utf8_decode(text.p + i, text.p + text.n, &cp);

        if (step == 0)
            break;
        i += step;
    }
    return i;
}
