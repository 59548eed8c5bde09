#include "tokenize/encode/normalizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "base/arena.h"
#include "store/formats/byte_level.h"
#include "tokenize/pretok/regex_dialect.h"
#include "tokenize/pretok/unicode_table.h"

#define STEPS_MAX 64
#define GROWTH_MAX ((size_t)1 << 31)     /* bytes of a normalized text */

struct step {
    struct normal_step s;
    char *from, *to;
    pcre2_code *code;
};
struct normalizer {
    struct step steps[STEPS_MAX];
    size_t count;
};

struct normalizer *normalizer_new(void)
{
    return mem_alloc(sizeof(struct normalizer));
}

void normalizer_free(struct normalizer *n)
{
    if (n == NULL)
        return;
    for (size_t i = 0; i < n->count; i++) {
        free(n->steps[i].from);
        free(n->steps[i].to);
        pcre2_code_free(n->steps[i].code);
    }
    free(n);
}

void normal_scratch_release(struct normal_scratch *s)
{
    token_nfc_release(&s->nfc);
    buf_release(&s->one);
    buf_release(&s->other);
}

static char *copy(struct span *s)
{
    char *p = mem_alloc(s->n + 1);

    if (s->n)
        memcpy(p, s->p, s->n);
    s->p = p;
    return p;
}

static enum status compile(const char *what, struct step *step)
{
    pcre2_compile_context *how = pcre2_compile_context_create(NULL);
    struct buf pattern = { 0 };
    int code;
    PCRE2_SIZE where;
    enum status st = regex_to_pcre2(what, step->s.from, UNICODE_DEFAULT, &pattern);

    BUG_IF(how == NULL);
    pcre2_set_newline(how, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(how, 250);
    if (st == ST_OK) {
        step->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE |
                                       PCRE2_NEVER_BACKSLASH_C,
                                   &code, &where, how);
        if (step->code == NULL)
            st = fail(ST_FORMAT, "%s: the normalizer's pattern '%.300s' does not compile", what,
                      step->from);
    }
    pcre2_compile_context_free(how);
    buf_release(&pattern);
    return st;
}

enum status normalizer_add(struct normalizer *n, const char *what, const struct normal_step *s)
{
    struct step *step = &n->steps[n->count];

    if (n->count == STEPS_MAX)
        return fail(ST_LIMIT, "%s: more than %d steps of normalization", what, STEPS_MAX);
    step->s = *s;
    step->from = copy(&step->s.from);
    step->to = copy(&step->s.to);
    n->count++;
    return s->kind == NORMAL_REPLACE_REGEX ? compile(what, step) : ST_OK;
}

size_t normalizer_count(const struct normalizer *n)
{
    return n ? n->count : 0;
}

const struct normal_step *normalizer_step(const struct normalizer *n, size_t i)
{
    return &n->steps[i].s;
}

bool normalizer_is_form(const struct normalizer *n, enum normal_form form)
{
    return n->count == 1 && n->steps[0].s.kind == NORMAL_FORM && n->steps[0].s.form == form;
}

void normalizer_describe(const struct normalizer *n, struct buf *out)
{
    static const char *const names[] = {
        [NORMAL_FORM] = "",
        [NORMAL_LOWERCASE] = "Lowercase",
        [NORMAL_STRIP] = "Strip",
        [NORMAL_STRIP_ACCENTS] = "StripAccents",
        [NORMAL_REPLACE] = "Replace",
        [NORMAL_REPLACE_REGEX] = "Replace",
        [NORMAL_PREPEND] = "Prepend",
        [NORMAL_PREPEND_UNLESS] = "Prepend",
        [NORMAL_NMT] = "Nmt",
        [NORMAL_BYTE_LEVEL] = "ByteLevel",
        [NORMAL_BERT_CLEAN] = "clean_text",
        [NORMAL_BERT_CHINESE] = "handle_chinese_chars",
    };
    static const char *const forms[] = { "NFC", "NFD", "NFKC", "NFKD" };

    for (size_t i = 0; i < n->count; i++) {
        const struct normal_step *s = &n->steps[i].s;

        buf_adds(out, i ? ", " : "");
        buf_adds(out, s->kind == NORMAL_FORM ? forms[s->form] : names[s->kind]);
        if (s->kind == NORMAL_REPLACE || s->kind == NORMAL_REPLACE_REGEX)
            buf_printf(out, " '%s' by '%s'", n->steps[i].from, n->steps[i].to);
        if (s->kind == NORMAL_PREPEND || s->kind == NORMAL_PREPEND_UNLESS)
            buf_printf(out, " '%s'", n->steps[i].to);
    }
}

/* ---- character by character ---- */

bool normal_is_white(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static void add_char(struct buf *out, uint32_t cp)
{
    char utf8[4];

    buf_add(out, utf8, utf8_encode(cp, utf8));
}

static void lower(struct buf *out, uint32_t cp)
{
    add_char(out, (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp));
    if (cp == 0x130)         /* the only one that becomes two: i and a dot above */
        add_char(out, 0x307);
}

static void drop_mark(struct buf *out, uint32_t cp, bool only_mn)
{
    utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)cp);

    if (c == UTF8PROC_CATEGORY_MN ||
        (!only_mn && (c == UTF8PROC_CATEGORY_MC || c == UTF8PROC_CATEGORY_ME)))
        return;
    add_char(out, cp);
}

/* The rules of SentencePiece's nmt_nfkc beyond NFKC. */
static void nmt(struct buf *out, uint32_t c)
{
    if ((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F ||
        c == 0x9F)
        return;
    if (c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
        c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD)
        c = ' ';
    add_char(out, c);
}

static void bert_clean(struct buf *out, uint32_t cp)
{
    utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)cp);

    if (cp == '\t' || cp == '\n' || cp == '\r' || normal_is_white(cp)) {
        if (cp != 0x85 && cp != 0xB && cp != 0xC)     /* Cc: controls first */
            buf_addc(out, ' ');
        return;
    }
    if (cp == 0 || cp == 0xFFFD || c == UTF8PROC_CATEGORY_CC || c == UTF8PROC_CATEGORY_CF ||
        c == UTF8PROC_CATEGORY_CN || c == UTF8PROC_CATEGORY_CO)
        return;
    add_char(out, cp);
}

static void bert_chinese(struct buf *out, uint32_t c)
{
    bool ideograph = (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
                     (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
                     (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
                     (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);

    if (ideograph)
        buf_addc(out, ' ');
    add_char(out, c);
    if (ideograph)
        buf_addc(out, ' ');
}

static void each_char(const struct normal_step *s, struct span text, struct buf *out)
{
    const char *p = text.p, *end = text.p + text.n;

    while (p < end) {
        uint32_t cp = 0;

        p += utf8_decode(p, end, &cp);
        switch (s->kind) {
        case NORMAL_LOWERCASE: lower(out, cp); break;
        case NORMAL_STRIP_ACCENTS: drop_mark(out, cp, s->only_mn); break;
        case NORMAL_NMT: nmt(out, cp); break;
        case NORMAL_BERT_CLEAN: bert_clean(out, cp); break;
        default: bert_chinese(out, cp);
        }
    }
}

/* ---- the other steps ---- */

static struct span strip(const struct normal_step *s, struct span text)
{
    uint32_t cp = 0;

    while (s->left && text.n > 0) {
        size_t n = utf8_decode(text.p, text.p + text.n, &cp);

        if (!normal_is_white(cp))
            break;
        text.p += n;
        text.n -= n;
    }
    while (s->right && text.n > 0) {
        size_t at = text.n - 1;

        while (((unsigned char)text.p[at] & 0xC0) == 0x80)
            at--;
        utf8_decode(text.p + at, text.p + text.n, &cp);
        if (!normal_is_white(cp))
            break;
        text.n = at;
    }
    return text;
}

static const char *find(const char *p, const char *end, struct span what)
{
    return what.n == 1 ? memchr(p, what.p[0], (size_t)(end - p))
                       : memmem(p, (size_t)(end - p), what.p, what.n);
}

static void replace(const struct normal_step *s, struct span text, struct buf *out)
{
    const char *p = text.p, *end = text.p + text.n, *at;

    while (s->from.n > 0 && p < end && out->n <= GROWTH_MAX &&
           (at = find(p, end, s->from)) != NULL) {
        buf_add(out, p, (size_t)(at - p));
        buf_add(out, s->to.p, s->to.n);
        p = at + s->from.n;
    }
    buf_add(out, p, (size_t)(end - p));
}

static size_t char_behind(struct span text, size_t at)
{
    do
        at++;
    while (at < text.n && ((unsigned char)text.p[at] & 0xC0) == 0x80);
    return at;
}

/* An empty match counts, except right behind the match before. (Hugging Face's Replace crashes on
 * some.) */
static enum status replace_regex(const struct step *step, struct span text, struct buf *out)
{
    pcre2_match_data *found = pcre2_match_data_create(1, NULL);
    const PCRE2_SIZE *where = pcre2_get_ovector_pointer(found);
    size_t done = 0, from = 0, last_end = SIZE_MAX;
    int got = 0;

    while (from <= text.n && out->n <= GROWTH_MAX &&
           (got = pcre2_match(step->code, (PCRE2_SPTR)text.p, text.n, from,
                                                PCRE2_NO_UTF_CHECK, found, NULL)) >= 0) {
        if (where[0] == where[1] && where[1] == last_end) {
            from = char_behind(text, from);
            continue;
        }
        buf_add(out, text.p + done, where[0] - done);
        buf_add(out, step->s.to.p, step->s.to.n);
        done = from = last_end = where[1];
    }
    pcre2_match_data_free(found);
    if (got < 0 && got != PCRE2_ERROR_NOMATCH)
        return fail(ST_LIMIT,
                    "the normalizer's pattern '%.200s' failed at byte %zu of a text of %zu bytes "
                    "(error %d of PCRE2); want one that does not backtrack so much",
                    step->from, from, text.n, got);
    buf_add(out, text.p + done, text.n - done);
    return ST_OK;
}

static void prepend(const struct normal_step *s, struct span text, struct buf *out)
{
    buf_add(out, s->to.p, s->to.n);
    buf_add(out, text.p, text.n);
}

static bool begins_with(struct span text, struct span what)
{
    return text.n >= what.n && memcmp(text.p, what.p, what.n) == 0;
}

/* Is the text surely what it would become? */
static bool is_plain(const struct normal_step *s, struct span text, bool first)
{
    switch (s->kind) {
    case NORMAL_FORM: return token_nfc_is_plain(text, s->form);
    case NORMAL_REPLACE:
        return s->from.n == 0 || find(text.p, text.p + text.n, s->from) == NULL;
    case NORMAL_STRIP_ACCENTS: return token_nfc_is_plain(text, FORM_NFD);
    case NORMAL_PREPEND_UNLESS: return (s->first_only && !first) || begins_with(text, s->to);
    default: return false;
    }
}

static enum status run_step(const struct step *step, struct token_nfc *nfc, struct span text,
                            struct buf *out)
{
    const struct normal_step *s = &step->s;

    switch (s->kind) {
    case NORMAL_FORM: token_nfc(nfc, text, s->form, out); break;
    case NORMAL_REPLACE: replace(s, text, out); break;
    case NORMAL_REPLACE_REGEX: return replace_regex(step, text, out);
    case NORMAL_PREPEND:
    case NORMAL_PREPEND_UNLESS: prepend(s, text, out); break;
    case NORMAL_BYTE_LEVEL: byte_level_print(out, text); break;
    default: each_char(s, text, out);
    }
    return ST_OK;
}

enum status normalizer_run(const struct normalizer *n, struct normal_scratch *s, struct span *text,
                           bool first)
{
    struct buf *out = &s->one, *next = &s->other;

    for (size_t i = 0; i < n->count && text->n > 0; i++) {
        const struct step *step = &n->steps[i];
        struct buf *swap;

        if (step->s.kind == NORMAL_STRIP) {
            *text = strip(&step->s, *text);
            continue;
        }
        if (is_plain(&step->s, *text, first))
            continue;
        buf_clear(out);
        TRY(run_step(step, &s->nfc, *text, out));
        if (out->n > GROWTH_MAX)
            return fail(ST_LIMIT, "a text of %zu bytes after normalization; want at most %zu",
                        out->n, GROWTH_MAX);
        *text = (struct span){ out->p ? out->p : "", out->n };
        swap = out;
        out = next;
        next = swap;
    }
    return ST_OK;
}
