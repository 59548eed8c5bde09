#include "curate/text/text_scan.h"

#include "base/arena.h"
#include "base/status.h"
#include "curate/text/char_class.h"

/* ---- hashes ---- */

static uint64_t power_slow(size_t n)
{
    uint64_t r = 1, b = HASH_BASE;

    for (; n > 0; n >>= 1, b *= b)
        if (n & 1)
            r *= b;
    return r;
}

/* B^0 .. B^8, by the compiler. */
#define B1 HASH_BASE
#define B2 (B1 * B1)
#define B3 (B2 * B1)
#define B4 (B2 * B2)
#define B5 (B4 * B1)
#define B6 (B4 * B2)
#define B7 (B4 * B3)
#define B8 (B4 * B4)

uint64_t text_hash_power(size_t n)
{
    static const uint64_t small[] = { 1, B1, B2, B3, B4, B5, B6, B7, B8 };

    if (n <= 8)
        return small[n];
    return n <= 16 ? small[n - 8] * B8 : power_slow(n);
}

uint64_t text_hash(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    uint64_t h = 0;

    for (; n >= 8; n -= 8, u += 8)
        h = h * B8 + ((u[0] * B7 + u[1] * B6) + (u[2] * B5 + u[3] * B4)) +
            ((u[4] * B3 + u[5] * B2) + (u[6] * B1 + u[7]));
    for (; n > 0; n--, u++)
        h = h * B1 + *u;
    return h;
}

/* ---- tokens ---- */

static struct text_word *new_word(struct text_scan *s)
{
    if (s->word_count == s->word_cap) {
        s->word_cap = s->word_cap ? s->word_cap * 2 : 1024;
        s->words = mem_grow(s->words, s->word_cap, sizeof *s->words);
    }
    return &s->words[s->word_count++];
}

static void add_word(struct text_scan *s, const char *p, const char *end)
{
    struct text_word *w;
    unsigned any = 0, all = CHAR_SYMBOL;
    uint32_t chars = 0, cp;

    if (p == end)
        return;
    w = new_word(s);
    w->at = (uint32_t)(p - s->text.p);
    w->bytes = (uint32_t)(end - p);
    w->hash = text_hash(p, (size_t)(end - p));
    w->power = text_hash_power((size_t)(end - p));
    for (; p < end; chars++) {
        unsigned c;

        if ((unsigned char)*p < 0x80) {
            c = char_class_ascii[(unsigned char)*p++];
        } else {
            p += char_decode(p, &cp);
            c = char_class(cp);
        }
        any |= c;
        all &= c;
    }
    w->chars = chars;
    w->alpha = any & CHAR_ALPHA;
    w->symbol = all & CHAR_SYMBOL;
}

/* A word of ASCII letters and digits. */
static void add_plain(struct text_scan *s, const char *p, const char *end, unsigned any)
{
    struct text_word *w = new_word(s);

    w->at = (uint32_t)(p - s->text.p);
    w->bytes = w->chars = (uint32_t)(end - p);
    w->hash = text_hash(p, (size_t)(end - p));
    w->power = text_hash_power((size_t)(end - p));
    w->alpha = any & CHAR_ALPHA;
    w->symbol = false;
}

/* ---- pieces between white space ---- */

static unsigned class_at(const char *p, const char *end, size_t *n)
{
    uint32_t cp;

    if (p == end) {
        *n = 0;
        return 0;
    }
    *n = char_decode(p, &cp);
    return char_class(cp);
}

static unsigned class_before(const char *start, const char *p, size_t *n)
{
    uint32_t cp;

    if (p == start) {
        *n = 0;
        return 0;
    }
    *n = char_decode_back(start, p, &cp);
    return char_class(cp);
}

static size_t dots_at(const char *p, const char *end)
{
    size_t n = 0;

    while (p + n < end && p[n] == '.')
        n++;
    return n;
}

static bool is_currency(const char *p, size_t n)
{
    static const char *const signs[] = {
        "\xC2\xA2", "\xC2\xA3", "\xC2\xA5", "\xE2\x82\xAC", "\xE2\x82\xB9", "\xE2\x82\xBD",
        "\xE0\xB8\xBF", NULL,
    };

    for (int i = 0; n > 1 && signs[i]; i++)
        if (strlen(signs[i]) == n && memcmp(signs[i], p, n) == 0)
            return true;
    return *p == '$';
}

/* Length of the token that begins the piece, 0: none. */
static size_t head_token(const char *p, const char *end)
{
    size_t n, next;
    unsigned c = class_at(p, end, &n);

    if (c & CHAR_EDGE)
        return n;
    if (*p == '.' && dots_at(p, end) > 1)
        return dots_at(p, end);
    if (*p == '%' || *p == '=')
        return 1;
    if (*p == '+' && !(class_at(p + 1, end, &next) & CHAR_DIGIT))
        return 1;
    return is_currency(p, n) || (n == 2 && memcmp(p, "\xC2\xA7", 2) == 0) ? n : 0;
}

/* Length of "'s" at the end, 0: none. */
static size_t possessive(const char *p, const char *end)
{
    size_t n = (size_t)(end - p);

    if (n < 3 || (end[-1] != 's' && end[-1] != 'S'))
        return 0;
    if (end[-2] == '\'')
        return 2;
    return n >= 5 && memcmp(end - 4, "\xE2\x80\x99", 3) == 0 ? 4 : 0;
}

/* A unit behind digits: "10km" has the tail "km". */
static size_t unit_tail(const char *p, const char *end)
{
    static const char *const units[] = {
        "km", "m", "dm", "cm", "mm", "nm", "ha", "kg", "g", "mg", "t", "lb", "oz", "hPa", "Pa",
        "mb", "MB", "kb", "KB", "gb", "GB", "tb", "TB", "T", "G", "M", "K", "in", "ft", "yd", "m/s",
        "km/h", "mph", "%", NULL,
    };

    for (int i = 0; units[i]; i++) {
        size_t n = strlen(units[i]);

        if ((size_t)(end - p) > n && memcmp(end - n, units[i], n) == 0 &&
            end[-(ptrdiff_t)n - 1] >= '0' && end[-(ptrdiff_t)n - 1] <= '9')
            return n;
    }
    return 0;
}

/* Words that end with a dot of their own. */
static bool is_abbreviation(const char *p, const char *dot)
{
    static const char *const words[] = {
        "Inc", "Ltd", "Corp", "Co", "Dr", "Mr", "Mrs", "Ms", "Prof", "Jr", "Sr", "St", "vs", "e.g",
        "i.e", "a.m", "p.m", "Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Sept", "Oct",
        "Nov", "Dec", NULL,
    };

    for (int i = 0; words[i]; i++)
        if (words[i][0] == *p && strlen(words[i]) == (size_t)(dot - p) &&
            memcmp(words[i], p, (size_t)(dot - p)) == 0)
            return true;
    return false;
}

/* Is the dot at the end of p..end (which has more before it) a full stop? */
static bool full_stop(const char *p, const char *end)
{
    size_t n, n2;
    unsigned before = class_before(p, end - 1, &n);

    if (end - p <= 5 &&
        ((before & CHAR_ALPHA && n == (size_t)(end - 1 - p)) || is_abbreviation(p, end - 1)))
        return false;
    if ((before & (CHAR_LOWER | CHAR_DIGIT | CHAR_EDGE)) || strchr("%+", end[-2]))
        return true;
    return (before & CHAR_UPPER) && (class_before(p, end - 1 - n, &n2) & CHAR_UPPER);
}

/* Length of the token that ends the piece, 0: none. */
static size_t tail_token(const char *p, const char *end)
{
    size_t n, before;
    unsigned c = class_before(p, end, &n);

    if (c & CHAR_EDGE)
        return n;
    if (n == (size_t)(end - p))
        return 0;
    if (end[-1] == '.') {
        size_t dots = 1;

        while (end - dots > p && end[-(ptrdiff_t)dots - 1] == '.')
            dots++;
        return dots > 1 ? dots : full_stop(p, end);
    }
    if (c & (CHAR_LOWER | CHAR_UPPER)) {
        size_t tail = possessive(p, end);

        return tail ? tail : unit_tail(p, end);
    }
    if (end[-1] != '+' && end[-1] != '%' && !is_currency(end - n, n))
        return 0;
    return class_before(p, end - n, &before) & CHAR_DIGIT ? n : 0;
}

/* Copies a word of at most n - 1 bytes in small letters, with ASCII apostrophes;
 * returns its length, 0: too long. */
static size_t small_copy(const char *p, const char *end, char *out, size_t n)
{
    size_t k = 0;

    while (p < end && k + 1 < n)
        if (end - p >= 3 && memcmp(p, "\xE2\x80\x99", 3) == 0) {
            out[k++] = '\'';
            p += 3;
        } else {
            out[k++] = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
            p++;
        }
    out[k] = 0;
    return p == end ? k : 0;
}

/* Is the word up to n bytes one of the list? */
static bool in_list(const char *word, size_t n, const char *const *list)
{
    for (; *list; list++)
        if (strlen(*list) == n && memcmp(*list, word, n) == 0)
            return true;
    return false;
}

/* Length of what is contracted at the end of p..end, with the word in front of it; 0: nothing. */
static size_t contraction(const char *p, const char *end)
{
    static const char *const verbs[] = {
        "do", "does", "did", "is", "are", "was", "were", "have", "has", "had", "ca", "could",
        "would", "should", "must", "might", "need", "wo", "ought", "dare", "ai", "sha", "may", NULL,
    };
    static const char *const pronouns[] = {
        "i", "you", "he", "she", "it", "we", "they", "who", "what", "when", "where", "why", "how",
        "there", "that", "this", "these", "those", NULL,
    };
    static const char *const tails[] = { "'ll", "'re", "'ve", "'d", "'m", NULL };
    char word[16];
    size_t n = end - p >= 3 && end - p < 16 ? small_copy(p, end, word, sizeof word) : 0, tail = 0;

    if (n == 6 && memcmp(word, "cannot", 6) == 0)
        return 3;
    if (n > 3 && memcmp(word + n - 3, "n't", 3) == 0)
        return in_list(word, n - 3, verbs) ? 3 + ((size_t)(end - p) - n) : 0;
    for (int i = 0; tails[i] && tail == 0; i++)
        if (n > strlen(tails[i]) &&
            memcmp(word + n - strlen(tails[i]), tails[i], strlen(tails[i])) == 0)
            tail = strlen(tails[i]);
    return tail && in_list(word, n - tail, pronouns) ? tail + ((size_t)(end - p) - n) : 0;
}

static bool is_address(const char *p, const char *end)
{
    size_t n = (size_t)(end - p);
    const char *at = memchr(p, '@', n);

    if (memmem(p, n, "://", 3) != NULL || (n > 4 && memcmp(p, "www.", 4) == 0))
        return true;
    return at != NULL && at > p && memchr(at, '.', (size_t)(end - at)) != NULL;
}

/* Length of a hyphen at p: one to three '-', a dash, '~'. */
static size_t hyphen_at(const char *p, const char *end)
{
    size_t n = 0;

    while (p + n < end && p[n] == '-' && n < 3)
        n++;
    if (n > 0)
        return n;
    if (*p == '~')
        return 1;
    if (end - p >= 3 && (memcmp(p, "\xE2\x80\x93", 3) == 0 || memcmp(p, "\xE2\x80\x94", 3) == 0))
        return 3;
    return 0;
}

/* Length of a token between others at p (not the piece's first character), 0: none. */
static size_t inner_token(const char *start, const char *p, const char *end)
{
    static const unsigned letter = CHAR_LOWER | CHAR_UPPER;
    size_t n, hyphen, other;
    unsigned here = class_at(p, end, &n), before, after;

    if (here & (CHAR_ALPHA | CHAR_DIGIT))
        return 0;
    if (here & CHAR_PICTURE || (n == 3 && memcmp(p, "\xE2\x80\xA6", 3) == 0))
        return n;
    if (*p == '.' && dots_at(p, end) > 1)
        return dots_at(p, end);
    before = class_before(start, p, &other);
    after = class_at(p + n, end, &other);
    if (strchr("+-*^", *p) && (before & CHAR_DIGIT) && ((after & CHAR_DIGIT) || p[1] == '-'))
        return 1;
    if (*p == '.')
        return (before & CHAR_LOWER) && (after & CHAR_UPPER) ? 1 : 0;
    if (*p == ',')
        return (before & letter) && (after & letter) ? 1 : 0;
    hyphen = hyphen_at(p, end);
    if (hyphen)
        after = class_at(p + hyphen, end, &other);
    else if (strchr(":<>=/", *p))
        hyphen = 1;
    return hyphen && (before & (letter | CHAR_DIGIT)) && (after & letter) ? hyphen : 0;
}

/* What is left of a piece without its edges. */
static void split_core(struct text_scan *s, const char *p, const char *end)
{
    const char *from = p, *cut = end - contraction(p, end);

    for (const char *q = p; q < cut;) {
        uint32_t cp;
        size_t n = q > p ? inner_token(p, q, cut) : 0;

        if (n == 0) {
            q += char_decode(q, &cp);
            continue;
        }
        if (from == p && is_address(p, end))
            break;
        add_word(s, from, q);
        add_word(s, q, q + n);
        from = q += n;
    }
    add_word(s, from, cut);
    add_word(s, cut, end);
}

static void split_piece(struct text_scan *s, const char *p, const char *end)
{
    size_t n, tails = 0;

    while (p < end && (n = head_token(p, end)) > 0) {
        add_word(s, p, p + n);
        p += n;
    }
    while (p < end && (n = tail_token(p, end)) > 0) {
        if (tails == s->tail_cap) {
            s->tail_cap = s->tail_cap ? s->tail_cap * 2 : 64;
            s->tail = mem_grow(s->tail, s->tail_cap, sizeof *s->tail);
        }
        s->tail[tails++] = (uint32_t)n;
        end -= n;
    }
    if (p < end)
        split_core(s, p, end);
    while (tails > 0) {
        n = s->tail[--tails];
        add_word(s, end, end + n);
        end += n;
    }
}

static void scan_words(struct text_scan *s)
{
    const char *p = s->text.p, *end = p + s->text.n;

    s->word_count = 0;
    while (p < end) {
        const char *start = p;
        unsigned any = 0, odd = 0;

        while (p < end) {
            uint32_t cp = (unsigned char)*p;
            size_t n = 1;
            unsigned c;

            if (cp < 0x80) {
                c = char_class_ascii[cp];
            } else {
                n = char_decode(p, &cp);
                c = char_class(cp);
                odd = 1;
            }
            if (c & CHAR_SPACE) {
                s->odd_lines |=
                    (cp > '\n' && cp < ' ' && cp != 0x1F) || cp == 0x85 || cp >> 1 == 0x2028 >> 1;
                break;
            }
            any |= c;
            odd |= !(c & (CHAR_ALPHA | CHAR_DIGIT));
            p += n;
        }
        odd |= (any & (CHAR_ALPHA | CHAR_DIGIT)) == (CHAR_ALPHA | CHAR_DIGIT) ||
               (p - start == 6 && start[3] == 'n');
        if (p > start && odd)       /* "cannot" looks like a plain word */
            split_piece(s, start, p);
        else if (p > start)
            add_plain(s, start, p, any);
        if (p < end) {
            uint32_t cp;
            p += char_decode(p, &cp);
        }
    }
}

/* ---- lines ---- */

/* Code points of well-formed text: bytes that do not continue one. */
static uint32_t chars_of(const char *p, size_t n)
{
    uint32_t chars = 0;

    for (size_t i = 0; i < n; i++)
        chars += (p[i] & 0xC0) != 0x80;
    return chars;
}

static void scan_lines(struct text_scan *s)
{
    const char *p = s->text.p, *end = p + s->text.n;

    s->line_count = 0;
    s->chars = 0;
    for (;;) {
        const char *stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        size_t n = (size_t)((stop ? stop : end) - p);
        struct text_line *l;

        if (s->line_count == s->line_cap) {
            s->line_cap = s->line_cap ? s->line_cap * 2 : 256;
            s->lines = mem_grow(s->lines, s->line_cap, sizeof *s->lines);
        }
        l = &s->lines[s->line_count++];
        *l = (struct text_line){ text_hash(p, n), (uint32_t)(p - s->text.p), (uint32_t)n,
                                 chars_of(p, n) };
        s->chars += l->chars + (stop != NULL);
        if (stop == NULL)
            return;
        p = stop + 1;
    }
}

void text_scan(struct text_scan *s, struct span text)
{
    BUG_IF(text.n > UINT32_MAX);
    char_class_init();
    s->text = text;
    s->odd_lines = false;
    scan_lines(s);
    scan_words(s);
}

void text_scan_release(struct text_scan *s)
{
    free(s->words);
    free(s->lines);
    free(s->tail);
    *s = (struct text_scan){ 0 };
}
