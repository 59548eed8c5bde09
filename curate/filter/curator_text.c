/* What Curator's heuristics look for in a text: addresses, phrases, endings. Each is one walk from places that the scan
 * has marked. The phrases are those of nemo_curator/stages/text/utils/constants.py; where one of its phrases holds another
 * one, the shorter stands here alone. */
#include "curate/filter/curator.h"

static inline unsigned char small_letter(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static inline bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (small_letter(c) >= 'a' && small_letter(c) <= 'f');
}

/* ---- addresses ---- */

static bool in_url(char c)
{
    return (small_letter(c) >= 'a' && small_letter(c) <= 'z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("$-_@.&+/:=?#~!*(),", c) != NULL);
}

/* The end of what belongs to an address from p on. */
static const char *url_end(const char *p, const char *end)
{
    while (p < end)
        if (in_url(*p))
            p++;
        else if (*p == '%' && end - p >= 3 && is_hex(p[1]) && is_hex(p[2]))
            p += 3;
        else
            break;
    return p;
}

/* Where the "http" or "https" in front of the colon begins; NULL: there is none behind `from`. */
static const char *url_start(const char *from, const char *colon)
{
    if (colon - from >= 4 && memcmp(colon - 4, "http", 4) == 0)
        return colon - 4;
    return colon - from >= 5 && memcmp(colon - 5, "https", 5) == 0 ? colon - 5 : NULL;
}

uint64_t curator_url_chars(const struct space_scan *s)
{
    const char *text = s->text.p, *end = text + s->text.n, *from = text;
    uint64_t chars = 0;

    for (size_t k = 0; k <= (s->text.n - 1) / 64; k++)
        for (uint64_t colons = s->bits.colon[k]; colons; colons &= colons - 1) {
            const char *colon = text + 64 * k + __builtin_ctzll(colons);
            const char *start = colon >= from ? url_start(from, colon) : NULL, *stop;

            if (start == NULL || end - colon < 4 || colon[1] != '/' || colon[2] != '/')
                continue;
            stop = url_end(colon + 3, end);
            if (stop == colon + 3)
                continue;
            chars += (uint64_t)(stop - start);
            from = stop;
        }
    return chars;
}

/* ---- phrases ---- */

#define PHRASE(pair, text) { text, sizeof(text) - 1, pair }
static const struct phrase {
    const char *text;
    size_t n;                      /* bytes */
    size_t pair;                   /* where its marked pair (space_bits.h) stands */
} phrases[] = {
    PHRASE(3, "terms of use"),
    PHRASE(3, "privacy policy"),
    PHRASE(3, "privacy overview"),
    PHRASE(3, "cookie policy"),
    PHRASE(8, "uses cookies"),
    PHRASE(10, "use of cookies"),
    PHRASE(7, "use cookies"),
    PHRASE(3, "privacy & cookies policy"),
    PHRASE(3, "privacy and cookies policy"),
    PHRASE(13, "necessary cookies are absolutely essential for the website to function properly. this category only includes "
      "cookies that ensures basic functionalities and security features of the website. these cookies do not store any "
      "personal information."),
    PHRASE(7, "any cookies that may not be particularly necessary for the website to function and is used specifically to "
      "collect user personal data via analytics, ads, other embedded contents are termed as non-necessary cookies. it is "
      "mandatory to procure user consent prior to running these cookies on your website."),
    PHRASE(61, "if you continue to browse this site without changing your cookie settings, you agree to this use. acceptread "
      "more"),
    PHRASE(7, "lorem ipsum"),
};
#define PHRASES (sizeof phrases / sizeof phrases[0])
#define LOREM (PHRASES - 1)

static bool stands_at(const struct phrase *f, const char *pair, const char *text, const char *end)
{
    if ((size_t)(pair - text) < f->pair || small_letter(*pair) != (unsigned char)f->text[f->pair])
        return false;
    pair -= f->pair;
    if ((size_t)(end - pair) < f->n)
        return false;
    for (size_t i = 0; i < f->n; i++)
        if (small_letter(pair[i]) != (unsigned char)f->text[i])
            return false;
    return true;
}

/* The phrase around a pair; PHRASES: none. */
static size_t phrase_at(const char *pair, const char *text, const char *end)
{
    for (size_t i = 0; i < PHRASES; i++)
        if (stands_at(&phrases[i], pair, text, end))
            return i;
    return PHRASES;
}

double curator_phrase_share(struct space_scan *s)
{
    const char *text = s->text.p, *end = text + s->text.n, *last = NULL;
    uint64_t paragraphs = 0;

    for (size_t k = 0; k <= (s->text.n - 1) / 64; k++)
        for (uint64_t pairs = s->bits.pair[k]; pairs; pairs &= pairs - 1) {
            const char *pair = text + 64 * k + __builtin_ctzll(pairs);
            size_t found = phrase_at(pair, text, end);

            if (found == LOREM)
                return 1;
            if (found == PHRASES)
                continue;
            paragraphs += last == NULL || memmem(last, (size_t)(pair - last), "\n\n", 2) != NULL;
            last = pair;
        }
    return paragraphs ? space_share(paragraphs, space_units(s, SPACE_PARAGRAPHS)->count, 0) : 0;
}

/* ---- words and lines ---- */

#define ELLIPSIS(text) { text, sizeof(text) - 1 }
static const struct ellipsis {
    const char *text;
    size_t n;
} ellipses[] = {
    ELLIPSIS("..."), ELLIPSIS("[...]"), ELLIPSIS("\xE2\x80\xA6"), ELLIPSIS("(...)"), ELLIPSIS("[\xE2\x80\xA6]"),
    ELLIPSIS("-\xC2\xBB"), ELLIPSIS("read more.."), ELLIPSIS("read more"),
};
#define ELLIPSES (sizeof ellipses / sizeof ellipses[0])

static bool is_ellipsis(struct span word)
{
    for (size_t i = 0; i < ELLIPSES; i++)
        if (word.n == ellipses[i].n && memcmp(word.p, ellipses[i].text, word.n) == 0)
            return true;
    return false;
}

/* From the last byte on: most lines differ there. */
static bool ends_with(struct span line, const struct ellipsis *want)
{
    const char *p;

    if (line.n < want->n)
        return false;
    p = line.p + line.n - want->n;
    for (size_t i = want->n; i-- > 0;)
        if (small_letter(p[i]) != (unsigned char)want->text[i])
            return false;
    return true;
}

static uint64_t hash_runs(struct span word)
{
    uint64_t runs = 0;

    for (size_t i = 0; i < word.n; i++)
        runs += word.p[i] == '#' && (i == 0 || word.p[i - 1] != '#');
    return runs;
}

static inline bool is_space(const struct space_scan *s, size_t at)
{
    return s->bits.space[at / 64] >> at % 64 & 1;
}

/* The word that byte `at` is in, but for what is more than `most` bytes before it. */
static struct span word_around(const struct space_scan *s, size_t at, size_t most)
{
    size_t from = at, to = at;

    while (from > 0 && at - from < most && !is_space(s, from - 1))
        from--;
    while (to < s->text.n && !is_space(s, to))
        to++;
    return (struct span){ s->text.p + from, to - from };
}

/* Bits moved up by n from 1 to 63, with those that come from the block before. */
static inline uint64_t moved_up(uint64_t bits, uint64_t before, int n) { return bits << n | before >> (64 - n); }

/* No ellipsis has a letter; each has three or five bytes. */
static uint64_t ellipsis_words(const struct space_scan *s)
{
    uint64_t count = 0, before = 0;

    for (size_t k = 0; k <= s->blocks; k++) {
        uint64_t word = ~s->bits.space[k], ends = s->letterless[k];

        ends &= moved_up(word, before, 3) & moved_up(word, before, 2);
        ends &= ~moved_up(word, before, 4) | (moved_up(word, before, 5) & ~moved_up(word, before, 6));
        for (; ends; ends &= ends - 1)
            count += is_ellipsis(word_around(s, 64 * k + (size_t)__builtin_ctzll(ends) - 1, 5));
        before = word;
    }
    return count;
}

/* Words more than half of whose characters begin a run of '#'. */
static uint64_t mark_words(const struct space_scan *s)
{
    uint64_t count = 0;
    size_t from = 0;

    for (size_t k = 0; k < s->blocks; k++)
        for (uint64_t marks = s->bits.mark[k]; marks; marks &= marks - 1) {
            size_t at = 64 * k + (size_t)__builtin_ctzll(marks);
            struct span word;

            if (at < from || s->text.p[at] != '#')
                continue;
            word = word_around(s, at, at - from);
            count += (double)hash_runs(word) / (double)space_chars(s, word.p, word.n) > 0.5;
            from = (size_t)(word.p + word.n - s->text.p);
        }
    return count;
}

uint64_t curator_symbol_words(const struct space_scan *s) { return ellipsis_words(s) + mark_words(s); }

/* By its last bytes. */
static bool may_be_ellipsis(struct span line)
{
    switch (small_letter(line.p[line.n - 1])) {
    case '.': return line.n > 1 && line.p[line.n - 2] == '.';
    case ']':
    case ')':
    case 'e':
    case 0xA6:
    case 0xBB: return true;
    default: return false;
    }
}

static bool ends_with_ellipsis(struct span line)
{
    if (!may_be_ellipsis(line))
        return false;
    for (size_t i = 0; i < ELLIPSES; i++)
        if (ends_with(line, &ellipses[i]))
            return true;
    return false;
}

static bool begins_with_bullet(struct span line)
{
    static const char *const bullets[] = {
        "\xE2\x80\xA2", "\xE2\x80\xA3", "\xE2\x81\x83", "\xE2\x81\x8C", "\xE2\x81\x8D", "\xE2\x88\x99",
        "\xE2\x97\x8B", "\xE2\x97\x8F", "\xE2\x97\x98", "\xE2\x97\xA6", "\xE2\xA6\xBE", "\xE2\xA6\xBF", NULL,
    };

    for (int i = 0; line.n >= 3 && line.p[0] == '\xE2' && bullets[i]; i++)
        if (memcmp(line.p, bullets[i], 3) == 0)
            return true;
    return false;
}

static bool ends_sentence(char c) { return (c == '.') | (c == '?') | (c == '!') | (c == '"') | (c == '\''); }

struct curator_lines curator_line_edges(const struct space_scan *s)
{
    struct curator_lines out = { 0 };

    for (size_t i = 0; i < s->line_count; i++) {
        struct span line = { s->text.p + s->lines[i].core_at, s->lines[i].core_bytes };

        if (line.n == 0)
            continue;
        out.filled++;
        out.without_end += !ends_sentence(line.p[line.n - 1]);
        out.ellipses += ends_with_ellipsis(line);
        out.bullets += begins_with_bullet(line);
    }
    return out;
}

/* ---- an n-gram in the text ---- */

/* Blanks stand between words only, so every place is found from the end of a word: the n-gram's first one ends there. */
uint64_t curator_gram_chars(struct space_scan *s, size_t first, size_t n)
{
    const struct space_words *list = space_words(s);
    const struct space_word *w = &list->words[first];
    struct buf gram = { 0 };
    const char *text = s->text.p, *from = text;
    const uint64_t *found;
    uint64_t times = 0;

    for (size_t i = 0; i < n; i++) {
        buf_add(&gram, text + w[i].at, w[i].bytes);
        if (i + 1 < n)
            buf_addc(&gram, ' ');
    }
    found = space_triples(s, gram.p + w->bytes - 1);
    for (size_t k = 0; k < s->blocks; k++)
        for (uint64_t ends = found[k]; ends; ends &= ends - 1) {
            const char *end = text + 64 * k + __builtin_ctzll(ends) + 1, *start;

            if (end < from || (size_t)(end - from) < w->bytes)
                continue;
            start = end - w->bytes;
            if ((size_t)(text + s->text.n - start) < gram.n || memcmp(start, gram.p, gram.n) != 0)
                continue;
            times++;
            from = start + gram.n;
        }
    buf_release(&gram);
    return times * (space_word_chars(list, first, n) + n - 1);
}
