#include "tokenize/pretok/pretok.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/pretok/regex_dialect.h"

#define CUTS_MAX 8
#define JIT_STACK_MAX ((size_t)64 << 20)
#define HEAP_LIMIT_KIB (256u << 10)
/* Steps a match may take: so many, and so many more for each byte of the text. */
#define STEPS_BASE 100000u
#define STEPS_PER_BYTE 16u

/* cl100k is written here without the '+' behind {1,3}: there it changes nothing in PCRE2 and
 * tiktoken, but Oniguruma reads {1,3}+ as ({1,3})+. */
const struct pretok_pattern pretok_patterns[] = {
    { "gpt2",
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+" },
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

struct cut {
    char *what, *pattern;
    pcre2_code *code;
    bool jit, covers;
};
struct pretok {
    struct cut cuts[CUTS_MAX];
    size_t count;
    bool all_named;
};

struct pretok *pretok_new(void)
{
    struct pretok *p = mem_alloc(sizeof *p);

    p->all_named = true;
    return p;
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
    free(p);
}

const char *pretok_cut(const struct pretok *p, size_t i)
{
    return i < p->count ? p->cuts[i].pattern : NULL;
}

static void error_text(int code, char text[256])
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
        error_text(code, text);
        return fail(ST_FORMAT, "%s: the pattern does not compile: %s at byte %zu of '%.300s'",
                    c->what, text, (size_t)where, pattern.p);
    }
    c->jit = pcre2_jit_compile(c->code, PCRE2_JIT_COMPLETE) == 0;
    return ST_OK;
}

enum status pretok_add(struct pretok *p, const struct pretok_rule *rule)
{
    const char *what = rule->what, *pattern = rule->pattern;
    bool covers = rule->behavior == PRETOK_REMOVED && rule->invert;
    struct cut *c = &p->cuts[p->count];
    struct buf text = { 0 };
    enum status st;

    if (rule->behavior != PRETOK_ISOLATED && !covers)
        return fail(ST_UNSUPPORTED, "%s: a Split other than Isolated, or Removed with invert", what);
    if (p->count == CUTS_MAX)
        return fail(ST_LIMIT, "%s: more than %d cuts follow each other", what, CUTS_MAX);
    *c = (struct cut){ .what = mem_strdup(what), .pattern = mem_strdup(pattern), .covers = covers };
    p->count++;
    p->all_named = p->all_named && pretok_pattern_name(pattern) != NULL;
    st = regex_to_pcre2(what, span_of(pattern), &text);
    if (st == ST_OK)
        st = compile(c, (struct span){ text.p, text.n });
    buf_release(&text);
    return st;
}

/* ---- matching ---- */

struct pretok_run {
    const struct pretok *p;
    pcre2_match_data *found[CUTS_MAX];
    pcre2_match_context *limits;
    pcre2_jit_stack *stack;
    struct span text;                /* to be cut, {0} when it is */
    uint32_t *ends;
    size_t count, cap;
};

struct pretok_run *pretok_run_new(const struct pretok *p)
{
    struct pretok_run *r = mem_alloc(sizeof *r);

    r->p = p;
    r->limits = pcre2_match_context_create(NULL);
    r->stack = pcre2_jit_stack_create((size_t)64 << 10, JIT_STACK_MAX, NULL);
    BUG_IF(r->limits == NULL);
    pcre2_set_heap_limit(r->limits, HEAP_LIMIT_KIB);
    if (r->stack != NULL)
        pcre2_jit_stack_assign(r->limits, NULL, r->stack);
    for (size_t i = 0; i < p->count; i++) {
        r->found[i] = pcre2_match_data_create(1, NULL);
        BUG_IF(r->found[i] == NULL);
    }
    return r;
}

void pretok_run_free(struct pretok_run *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->p->count; i++)
        pcre2_match_data_free(r->found[i]);
    pcre2_match_context_free(r->limits);
    pcre2_jit_stack_free(r->stack);
    free(r->ends);
    free(r);
}

/* The interpreter does what the JIT has no stack for. */
static int match_at(struct pretok_run *r, size_t i, struct span text, size_t from)
{
    const struct cut *c = &r->p->cuts[i];
    int got = PCRE2_ERROR_JIT_STACKLIMIT;

    if (c->jit && r->stack != NULL)
        got = pcre2_jit_match(c->code, (PCRE2_SPTR)text.p, text.n, from, PCRE2_NO_UTF_CHECK,
                              r->found[i], r->limits);
    if (got == PCRE2_ERROR_JIT_STACKLIMIT)
        got = pcre2_match(c->code, (PCRE2_SPTR)text.p, text.n, from,
                          PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, r->found[i], r->limits);
    return got;
}

static enum status match_failed(const struct cut *c, int code, size_t from)
{
    char text[256];

    error_text(code, text);
    if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_HEAPLIMIT ||
        code == PCRE2_ERROR_DEPTHLIMIT)
        return fail(
            ST_LIMIT,
            "%s: the pattern backtracks too much at byte %zu of the text (%s); want one that "
            "does not: '%.200s'",
            c->what, from, text, c->pattern);
    return fail(ST_FAILED, "%s: matching failed at byte %zu of the text (%s): '%.200s'", c->what,
                from, text, c->pattern);
}

static enum status split_level(struct pretok_run *r, size_t i, struct span text);

static void note_end(struct pretok_run *r, struct span piece)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 1024;
        r->ends = mem_grow(r->ends, r->cap, sizeof *r->ends);
    }
    r->ends[r->count++] = (uint32_t)(piece.p + piece.n - r->text.p);
}

static enum status hand_on(struct pretok_run *r, size_t i, struct span text, size_t from, size_t to)
{
    struct span piece = { text.p + from, to - from };

    if (piece.n == 0)
        return ST_OK;
    if (i + 1 < r->p->count)
        return split_level(r, i + 1, piece);
    note_end(r, piece);
    return ST_OK;
}

static enum status hand_on_gap(struct pretok_run *r, size_t i, struct span text, size_t from,
                               size_t to)
{
    const struct cut *c = &r->p->cuts[i];

    if (from < to && c->covers)
        return fail(
            ST_UNSUPPORTED,
            "%s: the pattern matches nothing at byte %zu of the text, and the tokenizer would "
            "drop that part: '%.200s'",
            c->what, from, c->pattern);
    return hand_on(r, i, text, from, to);
}

static size_t next_char(struct span text, size_t at)
{
    do
        at++;
    while (at < text.n && ((unsigned char)text.p[at] & 0xC0) == 0x80);
    return at;
}

static void set_steps(struct pretok_run *r, size_t n)
{
    uint64_t steps = STEPS_BASE + (uint64_t)n * STEPS_PER_BYTE;

    pcre2_set_match_limit(r->limits, steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX);
}

/* An empty match is a place to cut, except right behind the match before, where the search goes on
 * one character later: as the find_iter() of Hugging Face's regular expressions has it. */
static enum status split_level(struct pretok_run *r, size_t i, struct span text)
{
    const PCRE2_SIZE *where = pcre2_get_ovector_pointer(r->found[i]);
    size_t done = 0, from = 0, last_end = SIZE_MAX;

    while (from <= text.n) {
        int got;
        size_t start, end;

        got = match_at(r, i, text, from);
        if (got == PCRE2_ERROR_NOMATCH)
            break;
        if (got < 0)
            return match_failed(&r->p->cuts[i], got, from);
        start = where[0];
        end = where[1];
        if (start == end && end == last_end) {
            from = next_char(text, from);
            continue;
        }
        TRY(hand_on_gap(r, i, text, done, start));
        TRY(hand_on(r, i, text, start, end));
        done = from = last_end = end;
    }
    return hand_on_gap(r, i, text, done, text.n);
}

void pretok_begin(struct pretok_run *r, struct span text)
{
    BUG_IF(text.n > UINT32_MAX);
    r->text = text;
}

enum status pretok_next(struct pretok_run *r, const uint32_t **ends, size_t *n)
{
    struct span text = r->text;
    enum status st = ST_OK;

    r->count = 0;
    if (text.n > 0 && r->p->count == 0) {
        note_end(r, text);
    } else if (text.n > 0) {
        set_steps(r, text.n);
        st = split_level(r, 0, text);
    }
    r->text = (struct span){ 0 };
    *ends = r->ends;
    *n = r->count;
    return st;
}

size_t pretok_safe_cut(const struct pretok *p, struct span text, size_t limit)
{
    if (!p->all_named || p->count == 0 || text.n < 3)
        return 0;
    for (size_t i = limit < text.n - 2 ? limit : text.n - 2; i > 0; i--)
        if (text.p[i] == ' ' && isalnum((unsigned char)text.p[i - 1]) &&
            isalpha((unsigned char)text.p[i + 1]))
            return i;
    return 0;
}

size_t pretok_well_formed(struct span text)
{
    size_t i = 0;

    while (i < text.n) {
        uint64_t eight;
        uint32_t cp;
        size_t step;

        if (text.n - i >= 8 &&
            (memcpy(&eight, text.p + i, 8), (eight & 0x8080808080808080u) == 0)) {
            i += 8;
            continue;
        }
        step = utf8_decode(text.p + i, text.p + text.n, &cp);
        if (step == 0)
            break;
        i += step;
    }
    return i;
}
