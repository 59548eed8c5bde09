/* A chunk between white space becomes words: edges, special texts, addresses, inner cuts. */
#include <string.h>

#include "base/arena.h"
#include "curate/text/words.h"

/* ---- edges ---- */

static size_t dots_at(const char *p, const char *end)
{
    size_t n = 0;

    while (p + n < end && p[n] == '.')
        n++;
    return n;
}

static size_t money_head(const char *p, const char *end)
{
    for (int i = 0; word_money_heads[i]; i++) {
        size_t n = strlen(word_money_heads[i]);

        if ((size_t)(end - p) >= n && memcmp(p, word_money_heads[i], n) == 0)
            return n;
    }
    return 0;
}

/* Bytes of the token that begins the chunk, 0: none. */
static size_t prefix_of(const struct word_classes *c, const char *p, const char *end)
{
    size_t n;
    unsigned flags = word_class_at(c, p, &n);

    if (flags & WORD_PREFIX)
        return n;
    switch (*p) {
    case '.': return dots_at(p, end) > 1 ? dots_at(p, end) : 0;
    case '+': return p + 1 < end && is_digit09(p[1]) ? 0 : 1;
    case 'U':
    case 'C':
    case 'A': return money_head(p, end);
    default: return 0;
    }
}

/* A last dot: a run of them, or one behind what the rules name; 0: part of the word. */
static size_t dot_suffix(const struct word_classes *c, const char *p, const char *end)
{
    size_t dots = 1, n, n2;
    unsigned before, before2;

    while (end - dots > p && end[-(ptrdiff_t)dots - 1] == '.')
        dots++;
    if (dots > 1)
        return dots;
    before = word_class_before(c, p, end - 1, &n);
    if (before & WORD_BEFORE_DOT)
        return 1;
    if (n == 0)
        return 0;
    before2 = word_class_before(c, p, end - 1 - n, &n2);
    if (before & before2 & WORD_UPPER)
        return 1;
    return n2 == 2 && end[-2] != 0 && strchr("FfCcKk", end[-2]) && memcmp(end - 4, "\xC2\xB0", 2) == 0;
}

/* Bytes of "'s" at the end, 0: none. */
static size_t possessive(const char *p, const char *end)
{
    size_t n = (size_t)(end - p);

    if (n < 2 || (end[-1] != 's' && end[-1] != 'S'))
        return 0;
    if (end[-2] == '\'')
        return 2;
    return n >= 4 && memcmp(end - 4, "\xE2\x80\x99", 3) == 0 ? 4 : 0;
}

#define UNIT_BYTES 12

/* A unit or a sign of money behind the last digit. */
static size_t unit_suffix(const struct word_lookup *l, const char *p, const char *end)
{
    size_t n = 0;

    while (n <= UNIT_BYTES && (size_t)(end - p) > n && !is_digit09(end[-(ptrdiff_t)n - 1]))
        n++;
    if (n == 0 || n > UNIT_BYTES || n == (size_t)(end - p))
        return 0;
    return (n == 1 && end[-1] == '+') || word_is_unit(l, end - n, n) ? n : 0;
}

/* Bytes of the token that ends the chunk, 0: none. */
static size_t suffix_of(const struct text_scan *s, const char *p, const char *end)
{
    size_t n, tail;
    unsigned flags;

    if (p == end)
        return 0;
    flags = word_class_before(s->classes, p, end, &n);
    if (flags & WORD_SUFFIX) {
        bool two = n == 3 && end - p >= 6 && memcmp(end - 6, "\xE2\x80\xA6\xE2\x80\xA6", 6) == 0;

        return two ? 6 : n;
    }
    if (end[-1] == '.')
        return dot_suffix(s->classes, p, end);
    tail = possessive(p, end);
    return tail ? tail : unit_suffix(s->lookup, p, end);
}

/* ---- special texts ---- */

static const struct word_special *special_at(const struct text_scan *s, const char *p, const char *end)
{
    size_t n = (size_t)(end - p);

    if (n == 0 || !word_may_be_special(s->lookup, p, n))
        return NULL;
    return word_special_find(s->lookup, p, n, word_hash(s, p, n), s->rules == WORDS_ENGLISH);
}

static void add_special(struct text_scan *s, const struct word_special *w, const char *p, const char *end)
{
    word_append(s, p, p + w->first);
    word_append(s, p + w->first, p + w->first + w->second);
    word_append(s, p + w->first + w->second, end);
}

/* ---- inner cuts ---- */

/* Bytes of a hyphen at p that the rules would try, by number; 0: no more. */
static size_t hyphen_at(const char *p, const char *end, int number)
{
    static const char *const hyphens[] = { "-", "\xE2\x80\x93", "\xE2\x80\x94", "--", "---", "\xE2\x80\x94\xE2\x80\x94", "~" };

    size_t n = strlen(hyphens[number]);

    return (size_t)(end - p) > n && memcmp(p, hyphens[number], n) == 0 ? n : 0;
}
#define HYPHENS 7

static size_t hyphen_cut(const struct word_classes *c, const char *p, const char *end)
{
    size_t after;

    for (int i = 0; i < HYPHENS; i++) {
        size_t n = hyphen_at(p, end, i);

        if (n > 0 && (word_class_at(c, p + n, &after) & WORD_ALPHA))
            return n;
    }
    return 0;
}

/* Bytes of a token inside start..end at p, 0: none. */
static size_t infix_at(const struct text_scan *s, const char *start, const char *p, const char *end)
{
    const struct word_classes *c = s->classes;
    size_t n, other;
    unsigned here = word_class_at(c, p, &n), before, after;
    bool digit;

    if (here & WORD_INFIX)
        return n;
    if (*p == '.' && dots_at(p, end) > 1)
        return dots_at(p, end);
    if (p == start || p + n == end)
        return 0;
    before = word_class_before(c, start, p, &other);
    after = word_class_at(c, p + n, &other);
    digit = is_digit09(p[-1]);
    switch (*p) {
    case '.': return (before & (WORD_LOWER | WORD_QUOTE)) && (after & (WORD_UPPER | WORD_QUOTE)) ? 1 : 0;
    case ',': return (before & after & WORD_ALPHA) ? 1 : 0;
    case ':':
    case '<':
    case '>':
    case '=':
    case '/': return ((before & WORD_ALPHA) || digit) && (after & WORD_ALPHA) ? 1 : 0;
    case '+':
    case '*':
    case '^': return digit && (is_digit09(p[1]) || p[1] == '-') ? 1 : 0;
    case '-':
        if (digit && (is_digit09(p[1]) || p[1] == '-'))
            return 1;
        break;
    case '~':
    case '\xE2': break;
    default: return 0;
    }
    if (!(before & WORD_ALPHA) && !(digit && s->rules == WORDS_ENGLISH))
        return 0;
    return hyphen_cut(c, p, end);
}

static void add_with_infixes(struct text_scan *s, const char *p, const char *end)
{
    const char *from = p;

    for (const char *q = p; q < end;) {
        size_t n, bytes;
        unsigned flags = word_class_at(s->classes, q, &bytes);

        /* no letter, digit or mark begins an inner token, but where the table says so */
        if ((flags & (WORD_W | WORD_INFIX)) == WORD_W || (n = infix_at(s, p, q, end)) == 0) {
            q += bytes;
            continue;
        }
        if (q > p) {
            word_append(s, from, q);
            word_append(s, q, q + n);
            from = q + n;
        }
        q += n;
    }
    word_append(s, from, end);
}

/* Are p..end ASCII letters and digits alone? Nothing cuts them inside. */
static bool is_plain(const uint16_t *ascii, const char *p, const char *end, unsigned *any)
{
    unsigned all = WORD_W, some = 0;

    for (; p < end; p++) {
        unsigned flags = (unsigned char)*p < 0x80 ? ascii[(unsigned char)*p] : 0;

        all &= flags & ~(unsigned)(flags & WORD_PUNCT ? WORD_W : 0);
        some |= flags;
    }
    *any = some;
    return all;
}

static void add_core(struct text_scan *s, const char *p, const char *end, const struct word_special *special)
{
    unsigned any;

    if (p == end)
        return;
    if (special)
        add_special(s, special, p, end);
    else if (is_plain(s->classes->ascii, p, end, &any))
        word_append_plain(s, p, end, any & WORD_LETTER);
    else if (word_is_address(s->classes, p, end))
        word_append(s, p, end);
    else
        add_with_infixes(s, p, end);
}

/* ---- a chunk ---- */

static void push_tail(struct text_scan *s, size_t *tails, size_t n)
{
    if (*tails == s->tail_cap) {
        s->tail_cap = s->tail_cap ? s->tail_cap * 2 : 64;
        s->tail = mem_grow(s->tail, s->tail_cap, sizeof *s->tail);
    }
    s->tail[(*tails)++] = (uint32_t)n;
}

/* Takes what comes off at the edges of *p..*end: words in front are added, those behind pushed. Returns the special text that
 * is left, if one is. What is left after one edge alone came off has been looked for then. */
static const struct word_special *take_edges(struct text_scan *s, const char **p, const char **end, size_t *tails)
{
    bool known = false;

    while (*p < *end) {
        const struct word_special *special = known ? NULL : special_at(s, *p, *end);
        size_t head, tail;

        if (special)
            return special;
        head = prefix_of(s->classes, *p, *end);
        if (head && (special = special_at(s, *p + head, *end)) != NULL) {
            word_append(s, *p, *p + head);
            *p += head;
            return special;
        }
        tail = suffix_of(s, *p + head, *end);
        if (tail && (special = special_at(s, *p, *end - tail)) != NULL) {
            push_tail(s, tails, tail);
            *end -= tail;
            return special;
        }
        if (head == 0 && tail == 0)
            return NULL;
        word_append(s, *p, *p + head);
        *p += head;
        *end -= tail;
        if (tail)
            push_tail(s, tails, tail);
        known = head == 0 || tail == 0;
    }
    return NULL;
}

void words_of_chunk(struct text_scan *s, const char *p, const char *end)
{
    size_t tails = 0;
    const struct word_special *special = take_edges(s, &p, &end, &tails);

    add_core(s, p, end, special);
    for (; tails > 0; end += s->tail[tails])
        word_append(s, end, end + s->tail[--tails]);
}
