#include <ctype.h>
#include <iconv.h>
#include <string.h>
#include <utf8proc.h>

#include "base/arena.h"
#include "curate/html/charset.h"
#include "curate/html/charset_part.h"

#define LOOKED_AT ((size_t)64 << 10)

/* --- mostly UTF-8 --- */

/* Characters of several bytes that are well-formed, and bytes of none. */
static void count_utf8(struct span s, size_t *good, size_t *bad)
{
    const char *p = s.p, *end = s.p + s.n;

    *good = *bad = 0;
    while (p < end) {
        unsigned char c = (unsigned char)*p;
        size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
        bool whole = n > 1 && (size_t)(end - p) >= n;
        for (size_t i = 1; whole && i < n; i++)
            whole = ((unsigned char)p[i] & 0xc0) == 0x80;
        *good += whole;
        *bad += c >= 0x80 && !whole;
        p += whole || n == 1 ? n : 1;
    }
}

bool charset_is_mostly_utf8(struct span bytes)
{
    size_t good, bad;

    count_utf8(bytes, &good, &bad);
    return good >= bad || bad < 5;
}

/* --- double-byte encodings --- */

struct zone { unsigned char lead_from, lead_to, trail_from, trail_to; };
struct wide {
    const char *name;
    struct zone valid[4];      /* of two bytes; ends with a lead of 0 */
    struct zone usual[4];      /* where most of a text stands: syllables and the common half of the characters */
    struct zone mark[2];       /* what no text of the language is without */
    unsigned char single_from, single_to;      /* bytes beyond ASCII that stand alone */
    int mark_least;            /* hundredths */
};
static const struct wide wides[] = {
    { "CP932", { { 0x81, 0x9f, 0x40, 0xfc }, { 0xe0, 0xfc, 0x40, 0xfc } },
      { { 0x81, 0x81, 0x40, 0x7e }, { 0x82, 0x82, 0x4f, 0xf1 }, { 0x83, 0x83, 0x40, 0x96 }, { 0x88, 0x98, 0x40, 0xfc } },
      { { 0x82, 0x83, 0x40, 0xf1 } }, 0xa1, 0xdf, 10 },
    { "EUC-JP", { { 0xa1, 0xfe, 0xa1, 0xfe }, { 0x8e, 0x8e, 0xa1, 0xdf } },
      { { 0xa1, 0xa1, 0xa1, 0xfe }, { 0xa3, 0xa5, 0xa1, 0xf6 }, { 0xb0, 0xcf, 0xa1, 0xfe } },
      { { 0xa4, 0xa5, 0xa1, 0xf6 } }, 0, 0, 10 },
    { "CP949", { { 0x81, 0xfe, 0x41, 0xfe } }, { { 0xa1, 0xa1, 0xa1, 0xfe }, { 0xb0, 0xc8, 0xa1, 0xfe } },
      { { 0xb0, 0xc8, 0xa1, 0xfe } }, 0, 0, 90 },
    { "GB18030", { { 0x81, 0xfe, 0x40, 0xfe } },
      { { 0xa1, 0xa1, 0xa1, 0xfe }, { 0xa3, 0xa3, 0xa1, 0xfe }, { 0xb0, 0xd7, 0xa1, 0xfe } },
      { { 0xb0, 0xd7, 0xa1, 0xfe } }, 0, 0, 30 },
    { "BIG5-HKSCS", { { 0x87, 0xfe, 0x40, 0x7e }, { 0x87, 0xfe, 0xa1, 0xfe } },
      { { 0xa1, 0xa1, 0x40, 0xfe }, { 0xa4, 0xc6, 0x40, 0xfe } }, { { 0xa4, 0xc6, 0x40, 0x7e } }, 0, 0, 10 },
};

static bool in_zones(const struct zone *z, int count, const unsigned char *c)
{
    for (int i = 0; i < count && z[i].lead_from != 0; i++)
        if (c[0] >= z[i].lead_from && c[0] <= z[i].lead_to && c[1] >= z[i].trail_from && c[1] <= z[i].trail_to)
            return true;
    return false;
}

/* 0 to 10: which share of the characters beyond ASCII is usual; 0 where too much is ill-formed or the marks are missing. */
static double wide_score(const struct wide *w, struct span s)
{
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
    size_t all = 0, usual = 0, marks = 0, bad = 0, alone = 0;

    while (p + 1 < end) {
        if (*p < 0x80) {
            p++;
        } else if (in_zones(w->valid, 4, p)) {
            all++;
            usual += in_zones(w->usual, 4, p);
            marks += in_zones(w->mark, 2, p);
            alone += p > (const unsigned char *)s.p && isalpha(p[-1]) && p + 2 < end && isalpha(p[2]);
            p += 2;
        } else {
            bool single = *p >= w->single_from && *p <= w->single_to;
            all += single;
            bad += !single;
            p++;
        }
    }
    if (all == 0 || bad * 50 > all || alone * 4 > all || marks * 100 < all * (size_t)w->mark_least)
        return 0;
    return 10.0 * (double)usual / (double)(all + bad);
}

/* --- 8-bit encodings --- */

static const struct narrow {
    const char *name;
    enum charset_group group;
    double handicap;      /* of encodings that a text of a few letters is hardly in */
} narrows[] = {
    { CHARSET_WESTERN, CHARSET_WEST, 0 }, { "CP1250", CHARSET_CENTRAL, 0 }, { "ISO-8859-2", CHARSET_CENTRAL, 0 },
    { "CP1251", CHARSET_CYRILLIC, 0 }, { "KOI8-U", CHARSET_CYRILLIC, 0 }, { "ISO-8859-5", CHARSET_CYRILLIC, 0 },
    { "CP866", CHARSET_CYRILLIC, 0 }, { "CP1253", CHARSET_GREEK, 0 }, { "ISO-8859-7", CHARSET_GREEK, 0 },
    { "CP1254", CHARSET_TURKISH, 0 }, { "CP1257", CHARSET_BALTIC, 0 }, { "ISO-8859-4", CHARSET_BALTIC, 0 },
    { "CP1255", CHARSET_HEBREW, 0 }, { "CP1256", CHARSET_ARABIC, 0 }, { "ISO-8859-6", CHARSET_ARABIC, 0 }, { "CP874", CHARSET_THAI, 0 },
    { "CP1258", CHARSET_VIETNAMESE, 0 }, { "ISO-8859-3", CHARSET_SOUTH, 0 }, { "ISO-8859-15", CHARSET_WEST, 0 },
    { "MACINTOSH", CHARSET_WEST, 2 }, { "CP850", CHARSET_WEST, 2 }, { "CP852", CHARSET_CENTRAL, 2 },
};

#define LANGUAGES 48
#define SLOTS 16384             /* more than twice the pairs of all languages together */
#define NO_LETTER '_'
#define BAD 1                   /* no character, or one that no text has */

struct letters { uint32_t of[256]; bool upper[256]; };
struct model {
    uint32_t keys[SLOTS];
    uint8_t weights[SLOTS][LANGUAGES];
    uint32_t counts[1 << 16];      /* of two bytes, the first below */
    uint16_t pairs[1 << 16];       /* those that came */
    size_t pair_count, total;
};

static size_t slot_of(const struct model *m, uint32_t key)
{
    size_t i = (size_t)(key * 2654435761u) >> 18 & (SLOTS - 1);

    while (m->keys[i] != 0 && m->keys[i] != key)
        i = (i + 1) & (SLOTS - 1);
    return i;
}

static void learn(struct model *m)
{
    for (size_t k = 0; charset_languages[k].pairs != NULL && k < LANGUAGES; k++) {
        const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)charset_languages[k].pairs;
        uint8_t weight = 0;
        while (*p != 0) {
            utf8proc_int32_t a, b;
            size_t i;
            if (*p >= '0' && *p <= '9') {
                weight = (uint8_t)(*p++ - '0' + 1);
                continue;
            }
            p += utf8proc_iterate(p, -1, &a);
            p += utf8proc_iterate(p, -1, &b);
            i = slot_of(m, (uint32_t)a << 16 | (uint32_t)b);
            m->keys[i] = (uint32_t)a << 16 | (uint32_t)b;
            m->weights[i][k] = weight;
        }
    }
}

static void count_pairs(struct model *m, struct span s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t i = 0; i + 1 < s.n; i++)
        if ((p[i] | p[i + 1]) >= 0x80) {
            uint16_t pair = (uint16_t)(p[i] << 8 | p[i + 1]);
            if (m->counts[pair]++ == 0)
                m->pairs[m->pair_count++] = pair;
            m->total++;
        }
}

static uint32_t letter_of(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_MN:
        return (uint32_t)utf8proc_tolower(c);
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_SO:      /* lines and blocks of the old DOS pages */
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_NO:
        return BAD;
    default:
        return NO_LETTER;
    }
}

/* What each byte is in this encoding; false: this machine's iconv has not got it. */
static bool letters_of(const char *name, struct letters *out)
{
    iconv_t conv = iconv_open("UTF-32LE", name);

    if (conv == (iconv_t)-1)
        return false;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c, *in = &byte, to[64], *at = to;
        size_t left = 1, room = sizeof to;
        uint32_t cp = 0;
        if (c >= 0x80 && iconv(conv, &in, &left, &at, &room) != (size_t)-1)
            iconv(conv, NULL, NULL, &at, &room);      /* Vietnamese and Hebrew letters wait for their marks */
        if (at - to >= 4)
            memcpy(&cp, to, 4);
        iconv(conv, NULL, NULL, NULL, NULL);
        if (c < 0x80)
            out->of[c] = isalpha(c) ? (uint32_t)tolower(c) : NO_LETTER;
        else
            out->of[c] = cp == 0 ? BAD : letter_of((utf8proc_int32_t)cp);
        out->upper[c] = c < 0x80 ? isupper(c) : cp != 0 && utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_LU;
    }
    iconv_close(conv);
    return true;
}

/* The mean weight of the pairs in the language of the group that fits best. What no word has counts against it. */
static double narrow_score(const struct model *m, const struct narrow *n, const struct letters *l)
{
    double sums[LANGUAGES] = { 0 }, best = -100, minus = 0;

    for (size_t i = 0; i < m->pair_count; i++) {
        unsigned a = m->pairs[i] >> 8, b = m->pairs[i] & 255;
        double count = m->counts[m->pairs[i]];
        size_t slot;
        if (l->of[a] == BAD || l->of[b] == BAD) {
            minus += 4 * count;
            continue;
        }
        if (!l->upper[a] && l->of[a] != NO_LETTER && l->upper[b])
            minus += 2 * count;
        slot = slot_of(m, l->of[a] << 16 | l->of[b]);
        if (m->keys[slot] == 0 && l->of[a] != NO_LETTER && l->of[b] != NO_LETTER)
            minus += count;
        for (size_t k = 0; m->keys[slot] != 0 && charset_languages[k].pairs != NULL; k++)
            if (charset_languages[k].group == n->group)
                sums[k] += count * m->weights[slot][k];
    }
    for (size_t k = 0; charset_languages[k].pairs != NULL; k++)
        if (charset_languages[k].group == n->group && sums[k] > best)
            best = sums[k];
    return (best - minus) / (double)m->total;
}

/* --- all --- */

#define LEAST_SCORE 2.0      /* 8-bit letters that look like a language; noise gets less */
#define LEAST_PAIRS 6        /* fewer pairs of letters can be of the commonest encoding only */
#define LEAST_WIDE 8.0       /* eight in ten characters are usual */

static const char *guess_narrow(struct span s, double *score)
{
    struct model *m = mem_alloc(sizeof *m);
    const char *best = NULL;

    *score = LEAST_SCORE;
    learn(m);
    count_pairs(m, s);
    for (size_t i = 0; i < sizeof narrows / sizeof narrows[0] && m->total > 0; i++) {
        struct letters l;
        if (narrows[i].group != CHARSET_WEST && m->total < LEAST_PAIRS)
            continue;
        double got = letters_of(narrows[i].name, &l) ? narrow_score(m, &narrows[i], &l) - narrows[i].handicap : 0;
        if (got > *score + 0.01) {
            *score = got;
            best = narrows[i].name;
        }
    }
    free(m);
    return best;
}

static const char *guess_wide(struct span s, double *score)
{
    const char *best = NULL;

    *score = LEAST_WIDE;
    for (size_t i = 0; i < sizeof wides / sizeof wides[0]; i++) {
        double got = wide_score(&wides[i], s);
        if (got > *score) {
            *score = got;
            best = wides[i].name;
        }
    }
    return best;
}

/* Are most bytes beyond ASCII quotes, dashes, dots and blanks as Windows programs put them into texts without any other? */
static bool is_windows_punctuation(struct span s)
{
    static const char marks[] = "\x80\x85\x91\x92\x93\x94\x95\x96\x97\x99\xa0\xa9\xae\xb0\xb1\xb5\xb7";
    size_t all = 0, known = 0;

    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80) {
            all++;
            known += memchr(marks, s.p[i], sizeof marks - 1) != NULL;
        }
    return known * 2 > all;
}

const char *charset_guess(struct span bytes)
{
    struct span s = bytes;
    double narrow_by, wide_by;
    const char *narrow, *wide;
    size_t good, bad;

    while (s.n > 0 && (unsigned char)*s.p < 0x80) {
        if (*s.p == 27 && s.n > 2 && s.p[1] == '$' && (s.p[2] == 'B' || s.p[2] == '@'))
            return "ISO-2022-JP";
        s.p++;
        s.n--;
    }
    if (s.n == 0)
        return CHARSET_UTF8;
    /* The letter before the first one beyond ASCII is part of its pair. */
    if (s.p > bytes.p)
        s.p--, s.n++;
    s.n = s.n < LOOKED_AT ? s.n : LOOKED_AT;
    count_utf8(s, &good, &bad);
    if (good > 9 * bad)
        return CHARSET_UTF8;
    wide = guess_wide(s, &wide_by);
    narrow = guess_narrow(s, &narrow_by);
    if (wide != NULL && wide_by > narrow_by)
        return wide;
    return narrow == NULL && is_windows_punctuation(s) ? CHARSET_WESTERN : narrow;
}
