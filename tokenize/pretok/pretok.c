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
        pcre2_code_free(p->cuts[i].code);
    }
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

static enum status compile(struct cut *c, struct span pattern)
{
    pcre2_compile_context *how = pcre2_compile_context_create(NULL);
    int code = 0;
    PCRE2_SIZE where = 0;
    char text[256];

    BUG_IF(how == NULL);
    pcre2_set_newline(how, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(how, 250);
    c->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
                            PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
                            &code, &where, how);
    pcre2_compile_context_free(how);
    if (c->code == NULL) {
        pretok_error_text(code, text);
        return fail(ST_FORMAT, "%s: the pattern does not compile: %s at byte %zu of '%.300s'",
                    c->what, text, (size_t)where, pattern.p);
    }
    c->jit = pcre2_jit_compile(c->code, PCRE2_JIT_COMPLETE) == 0;
    return ST_OK;
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

static bool use_scanner(struct pretok *p, struct cut *c)
{
    c->scanner = scanner_of(pretok_pattern_name(c->pattern), NULL);
    if (p->level == NULL || c->scanner.kind == SCAN_NONE)
        return false;
    if (p->classes == NULL)
        p->classes = scan_classes_new(p->unicode);
    c->scanner.classes = p->classes;
    c->scan = scan_function(p->level, c->scanner.kind);
    return true;
}

enum status pretok_add(struct pretok *p, const struct pretok_rule *rule)
{
    const char *what = rule->what;
    struct cut *c = &p->cuts[p->count];
    struct buf text = { 0 };
    enum status st;

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
    if (is_plain(rule) && use_scanner(p, c))
        return ST_OK;
    st = regex_to_pcre2(what, span_of(rule->pattern), p->unicode, &text);
    if (st == ST_OK)
        st = compile(c, (struct span){ text.p, text.n });
    buf_release(&text);
    return st;
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
