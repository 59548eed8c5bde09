/* One piece at a time, as the patterns say it; and the classes of characters. */
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/pretok/scan.h"
#include "tokenize/pretok/unicode_table.h"

/* ---- classes ---- */

static uint8_t class_of(uint32_t cp, uint8_t category)
{
    static const uint32_t spaces[][2] = { { 9, 13 }, { 32, 32 }, { 0x85, 0x85 }, { 0xA0, 0xA0 },
        { 0x1680, 0x1680 }, { 0x2000, 0x200A }, { 0x2028, 0x2029 }, { 0x202F, 0x202F },
        { 0x205F, 0x205F }, { 0x3000, 0x3000 } };

    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0] && cp >= spaces[i][0]; i++)
        if (cp <= spaces[i][1])
            return SCAN_SPACE;
    if (category == UNICODE_LU || category == UNICODE_LT)
        return SCAN_LETTER | SCAN_UPPER;
    if (category == UNICODE_LL)
        return SCAN_LETTER | SCAN_LOWER;
    if (category <= UNICODE_LO)
        return SCAN_LETTER;
    if (category <= UNICODE_ME)
        return SCAN_MARK;
    if (category <= UNICODE_NO)
        return SCAN_NUMBER;
    return category >= UNICODE_CC ? SCAN_CONTROL : 0;
}

static uint16_t add_page(struct scan_classes *c, uint32_t first, const uint8_t *category)
{
    if (c->count == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 1024;
        c->pages = mem_grow(c->pages, c->cap, sizeof *c->pages);
    }
    for (uint32_t k = 0; k < 64; k++)
        c->pages[c->count][k] = class_of(first + k, category[k]);
    return (uint16_t)c->count++;
}

static bool sure_letters_hold(const struct scan_classes *c)
{
    for (uint32_t cp = 0x3041; cp <= 0x9FFF; cp++) {
        bool kana = cp <= 0x30FF && !(cp >= 0x3097 && cp <= 0x309C) && cp != 0x30A0 && cp != 0x30FB;

        if ((kana || (cp >= 0x4000 && !(cp >= 0x4DC0 && cp <= 0x4DFF))) &&
            c->pages[c->page[cp / 64]][cp % 64] != SCAN_LETTER)
            return false;
    }
    return true;
}

/* Pages of one category, most of all, are kept once. None of them holds white space: that shares its pages with
 * other categories. */
struct scan_classes *scan_classes_new(int unicode)
{
    struct scan_classes *c = mem_alloc(sizeof *c);
    uint8_t *categories = mem_alloc(UNICODE_POINTS);
    uint16_t uniform[UNICODE_CATEGORIES] = { 0 };

    unicode_fill(unicode, categories);
    for (uint32_t i = 0; i < UNICODE_POINTS / 64; i++) {
        const uint8_t *page = categories + i * 64;
        bool alike = memcmp(page, page + 1, 63) == 0;

        if (alike && uniform[page[0]] != 0) {
            c->page[i] = uniform[page[0]];
            continue;
        }
        c->page[i] = add_page(c, i * 64, page);
        if (alike)
            uniform[page[0]] = c->page[i];
    }
    c->sure = sure_letters_hold(c);
    free(categories);
    return c;
}

void scan_classes_free(struct scan_classes *c)
{
    if (c == NULL)
        return;
    free(c->pages);
    free(c);
}

/* ---- what patterns say ---- */

struct scanner scanner_of(const char *name, const struct scan_classes *classes)
{
    static const struct {
        const char *name;
        struct scanner s;
    } known[] = {
        { "gpt2", { .kind = SCAN_GPT2 } },
        { "r50k", { .kind = SCAN_GPT2 } },
        { "cl100k", { .kind = SCAN_CL100K, .digits = 3, .whole_tail = true } },
        { "llama3", { .kind = SCAN_CL100K, .digits = 3 } },
        { "qwen2", { .kind = SCAN_CL100K, .digits = 1 } },
        { "nanochat", { .kind = SCAN_CL100K, .digits = 2 } },
        { "o200k", { .kind = SCAN_O200K, .digits = 3 } },
        { "deepseek", { .kind = SCAN_DEEPSEEK, .digits = 3 } },
    };

    for (size_t i = 0; name && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0) {
            struct scanner s = known[i].s;

            s.classes = classes;
            return s;
        }
    return (struct scanner){ .kind = SCAN_NONE };
}

struct scanner scanner_of_marks(const char *pattern, bool isolated, bool merged_with_next)
{
    struct scanner s = { .kind = SCAN_MARKS };

    if (isolated && strcmp(pattern, "\xE2\x96\x81+[^\xE2\x96\x81]*") == 0)
        return s;
    s.space = true;
    if (isolated && strcmp(pattern, " +[^ ]*") == 0)
        return s;
    s.space = false;
    s.each = true;
    if (merged_with_next && strcmp(pattern, "\xE2\x96\x81") == 0)
        return s;
    return (struct scanner){ .kind = SCAN_NONE };
}

const struct scan_level *scan_best_level(void)
{
    const struct scan_level *best = NULL;

    for (int id = 0; id < SCAN_LEVELS; id++)
        if (scan_level((enum scan_level_id)id) != NULL)
            best = scan_level((enum scan_level_id)id);
    return best;
}

scan_fn *scan_function(const struct scan_level *level, enum scan_kind kind)
{
    switch (kind) {
    case SCAN_GPT2: return level->gpt2;
    case SCAN_CL100K: return level->cl100k;
    case SCAN_O200K: return level->o200k;
    case SCAN_DEEPSEEK: return level->deepseek;
    case SCAN_MARKS: return level->marks;
    default: return NULL;
    }
}

size_t scan_contraction(const unsigned char *p, size_t n, bool fold)
{
    unsigned bit = fold ? 0x20 : 0, a, b;

    if (n < 2 || p[0] != '\'')
        return 0;
    a = p[1] | bit;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    if (n < 3)
        return 0;
    b = p[2] | bit;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
        return 3;
    return fold && p[1] == 0xC5 && p[2] == 0xBF ? 3 : 0;
}

/* The text from a place on. */
struct reading {
    const struct scan_classes *classes;
    const unsigned char *p;
    size_t n;
    bool parts, han;                 /* the text is the part that a character of this kind stands in (scan_deepseek.h) */
};

static bool is_han(const unsigned char *p, unsigned n)
{
    unsigned cp = n == 3 ? (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u) : 0;

    return (cp >= 0x4E00 && cp <= 0x9FA5) || (cp >= 0x3040 && cp <= 0x30FF);
}

/* The class at `at`, or ~0 behind the end; *next is where the following character begins. */
static unsigned look(const struct reading *r, size_t at, size_t *next)
{
    unsigned n = 0, class = ~0u;

    if (at < r->n)
        class = scan_class_at(r->classes, r->p + at, &n);
    if (r->parts && class != ~0u && (class == SCAN_NUMBER || is_han(r->p + at, n) != r->han))
        class = ~0u;
    *next = at + n;
    return class;
}

static bool is_other(unsigned class) { return (class & (SCAN_LETTER | SCAN_NUMBER | SCAN_SPACE)) == 0; }
static bool is_line_end(const struct reading *r, size_t at)
{
    return at < r->n && (r->p[at] == '\n' || r->p[at] == '\r');
}

/* Skips characters that have a class of `want`, or are other if want is 0. */
static size_t skip(const struct reading *r, size_t at, unsigned want)
{
    size_t next;

    if (want & SCAN_LETTER && r->classes->sure && r->han == r->parts)
        while (at < r->n && r->p[at] >= 0xE3 && scan_is_sure(r->p + at))
            at += 3;

    for (;; at = next) {
        unsigned class = look(r, at, &next);

        if (class == ~0u || !(want ? (class & want) != 0 : is_other(class)))
            return at;
    }
}

struct white {
    size_t end, last, lines;         /* behind it; its last character; behind its last line end, or 0 */
    bool at_end;                     /* nothing follows */
};

static struct white white_at(const struct reading *r, size_t at)
{
    struct white w = { .end = at, .last = at };
    unsigned class;
    size_t next;

    for (; (class = look(r, w.end, &next)) == SCAN_SPACE; w.end = next) {
        w.last = w.end;
        if (is_line_end(r, w.end))
            w.lines = next;
    }
    w.at_end = class == ~0u;
    return w;
}

/* \s+(?!\S)|\s+ */
static size_t end_of_white(size_t at, const struct white *w)
{
    return w->at_end || w->last == at ? w->end : w->last;
}

static size_t piece_gpt2(const struct reading *r, size_t at)
{
    size_t next, from = at, word = scan_contraction(r->p + at, r->n - at, false);
    unsigned class = look(r, at, &next);
    struct white w;

    if (word)
        return at + word;
    if (r->p[at] == ' ' && next < r->n) {
        from = next;
        class = look(r, from, &next);
    }
    if (class != SCAN_SPACE)
        return skip(r, from, class & (SCAN_LETTER | SCAN_NUMBER));
    w = white_at(r, at);
    return end_of_white(at, &w);
}

static size_t digits_at(const struct reading *r, size_t at, unsigned most)
{
    size_t next;

    for (; most > 0 && look(r, at, &next) == SCAN_NUMBER; most--)
        at = next;
    return at;
}

/* What the cl100k family and o200k end with: numbers, others, white space. lines: what may follow others. */
static size_t piece_rest(const struct scanner *s, const struct reading *r, size_t at)
{
    size_t next, from = at, end;
    unsigned class = look(r, at, &next);
    struct white w;

    if (class == SCAN_NUMBER)
        return digits_at(r, at, s->digits);
    if (r->p[at] == ' ') {
        from = next;
        class = look(r, from, &next);
    }
    if (is_other(class)) {
        for (end = skip(r, from, 0);
             is_line_end(r, end) || (s->kind == SCAN_O200K && end < r->n && r->p[end] == '/');)
            end++;
        return end;
    }
    w = white_at(r, at);
    if (s->whole_tail && w.end == r->n)
        return w.end;
    return w.lines ? w.lines : end_of_white(at, &w);
}

static size_t piece_cl100k(const struct scanner *s, const struct reading *r, size_t at)
{
    size_t next, behind, word = scan_contraction(r->p + at, r->n - at, true);
    unsigned class = look(r, at, &next);

    if (word)
        return at + word;
    if (class & SCAN_LETTER)
        return skip(r, at, SCAN_LETTER);
    if (class != SCAN_NUMBER && !is_line_end(r, at) && next < r->n &&
        (look(r, next, &behind) & SCAN_LETTER))
        return skip(r, next, SCAN_LETTER);
    return piece_rest(s, r, at);
}

/* [Lu Lt Lm Lo M]*[Ll Lm Lo M]+ from `at`, or 0. *upper: where the first part ends. */
static size_t cased(const struct reading *r, size_t at, size_t *upper)
{
    size_t next, both = 0;
    unsigned class;

    for (*upper = at;; *upper = next) {
        class = look(r, *upper, &next);
        if (class == ~0u || !(class & (SCAN_LETTER | SCAN_MARK)) || (class & SCAN_LOWER))
            break;
        if (!(class & SCAN_UPPER))
            both = next;
    }
    if (class == ~0u || !(class & SCAN_LOWER))
        return both;
    for (at = *upper;; at = next) {
        class = look(r, at, &next);
        if (class == ~0u || !(class & (SCAN_LETTER | SCAN_MARK)) || (class & SCAN_UPPER))
            return at;
    }
}

static size_t piece_o200k(const struct scanner *s, const struct reading *r, size_t at)
{
    size_t next, with, without, end = 0;
    unsigned class = look(r, at, &next);
    bool prefix = !(class & (SCAN_LETTER | SCAN_NUMBER)) && !is_line_end(r, at);

    if (prefix)
        end = cased(r, next, &with);
    if (end == 0)
        end = cased(r, at, &without);
    if (end == 0 && prefix && with > next)
        end = with;
    if (end == 0 && without > at)
        end = without;
    if (end == 0)
        return piece_rest(s, r, at);
    return end < r->n ? end + scan_contraction(r->p + end, r->n - end, true) : end;
}

/* A control character that nothing matches, and those behind it. */
static size_t end_of_control(const struct reading *r, size_t at)
{
    size_t next, last = at;
    unsigned class;

    for (; (class = look(r, at, &next)) == SCAN_CONTROL; at = next)
        last = at;
    return class != ~0u && (class & (SCAN_LETTER | SCAN_MARK)) ? last : at;
}

static bool is_ascii_letter(unsigned char c) { return (unsigned char)((c | 0x20) - 'a') < 26; }

/* [P S]+[\r\n]* of the part. */
static size_t end_of_others(const struct reading *r, size_t at)
{
    size_t next;

    while (look(r, at, &next) == 0)
        at = next;
    while (is_line_end(r, at) && look(r, at, &next) == SCAN_SPACE)
        at = next;
    return at;
}

static size_t piece_deepseek(const struct scanner *s, struct reading *r, size_t at)
{
    const unsigned words = SCAN_LETTER | SCAN_MARK;
    size_t next, behind;
    unsigned class = look(r, at, &next), following;
    struct white w;

    if (class == SCAN_NUMBER)
        return digits_at(r, at, s->digits);
    r->parts = true;
    r->han = is_han(r->p + at, (unsigned)(next - at));
    following = look(r, next, &behind);
    if (class & words)
        return skip(r, at, words);
    if (class == 0 && r->p[at] < 0x80 && next < r->n && is_ascii_letter(r->p[next])) {
        while (next < r->n && is_ascii_letter(r->p[next]))
            next++;
        return next;
    }
    if (class != 0 && !is_line_end(r, at) && following != ~0u && (following & words))
        return skip(r, next, words);
    if (class == 0 || (r->p[at] == ' ' && following == 0))
        return end_of_others(r, class == 0 ? at : next);
    if (class == SCAN_CONTROL)
        return end_of_control(r, at);
    w = white_at(r, at);
    return w.lines ? w.lines : end_of_white(at, &w);
}

size_t scan_piece(const struct scanner *s, struct span text, size_t at)
{
    struct reading r = { .classes = s->classes, .p = (const unsigned char *)text.p, .n = text.n };

    if (s->kind == SCAN_GPT2)
        return piece_gpt2(&r, at);
    if (s->kind == SCAN_DEEPSEEK)
        return piece_deepseek(s, &r, at);
    return s->kind == SCAN_CL100K ? piece_cl100k(s, &r, at) : piece_o200k(s, &r, at);
}
