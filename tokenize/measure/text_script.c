#include "tokenize/measure/text_script.h"

#include <stdbool.h>
#include <utf8proc.h>

/*       key and name */
#define SCRIPTS(X) \
    X(LATIN, "Latin") X(GREEK, "Greek") X(CYRILLIC, "Cyrillic") X(ARMENIAN, "Armenian") \
    X(GEORGIAN, "Georgian") X(HEBREW, "Hebrew") X(ARABIC, "Arabic") X(SYRIAC, "Syriac") \
    X(THAANA, "Thaana") X(NKO, "N'Ko") X(DEVANAGARI, "Devanagari") X(BENGALI, "Bengali") \
    X(GURMUKHI, "Gurmukhi") X(GUJARATI, "Gujarati") X(ORIYA, "Oriya") X(TAMIL, "Tamil") \
    X(TELUGU, "Telugu") X(KANNADA, "Kannada") X(MALAYALAM, "Malayalam") X(SINHALA, "Sinhala") \
    X(THAI, "Thai") X(LAO, "Lao") X(TIBETAN, "Tibetan") X(MYANMAR, "Myanmar") \
    X(KHMER, "Khmer") X(MONGOLIAN, "Mongolian") X(ETHIOPIC, "Ethiopic") \
    X(CHEROKEE, "Cherokee") X(CANADIAN, "Canadian syllabics") X(TIFINAGH, "Tifinagh") \
    X(YI, "Yi") X(HANGUL, "Hangul") X(BOPOMOFO, "Bopomofo") X(HAN, "Han") X(KANA, "Kana")

enum script {
    OTHER,
#define X(key, name) key,
    SCRIPTS(X)
#undef X
    COUNT
};
static const char *const names[COUNT] = {
    "Other",
#define X(key, name) name,
    SCRIPTS(X)
#undef X
};

/* Where the letters of each script lie (Unicode 15, the property Script), in order. What lies
 * between two letters of one script, such as its marks and digits, goes with them. */
static const struct range {
    uint32_t first, last;
    enum script script;
} ranges[] = {
    { 0x41, 0xAA, LATIN }, { 0xBA, 0x2B8, LATIN }, { 0x2E0, 0x2E4, LATIN },
    { 0x370, 0x373, GREEK }, { 0x376, 0x3E1, GREEK }, { 0x3F0, 0x3FF, GREEK },
    { 0x400, 0x52F, CYRILLIC }, { 0x531, 0x588, ARMENIAN }, { 0x5D0, 0x5F2, HEBREW },
    { 0x620, 0x63F, ARABIC }, { 0x641, 0x6FF, ARABIC }, { 0x710, 0x74F, SYRIAC },
    { 0x750, 0x77F, ARABIC }, { 0x780, 0x7B1, THAANA }, { 0x7CA, 0x7FA, NKO },
    { 0x860, 0x86A, SYRIAC }, { 0x870, 0x8C9, ARABIC }, { 0x904, 0x97F, DEVANAGARI },
    { 0x980, 0x9FC, BENGALI }, { 0xA05, 0xA74, GURMUKHI }, { 0xA85, 0xAF9, GUJARATI },
    { 0xB05, 0xB71, ORIYA }, { 0xB83, 0xBD0, TAMIL }, { 0xC05, 0xC61, TELUGU },
    { 0xC80, 0xCF2, KANNADA }, { 0xD04, 0xD7F, MALAYALAM }, { 0xD85, 0xDC6, SINHALA },
    { 0xE01, 0xE46, THAI }, { 0xE81, 0xEDF, LAO }, { 0xF00, 0xF8C, TIBETAN },
    { 0x1000, 0x108E, MYANMAR }, { 0x10A0, 0x10FF, GEORGIAN }, { 0x1100, 0x11FF, HANGUL },
    { 0x1200, 0x138F, ETHIOPIC }, { 0x13A0, 0x13FD, CHEROKEE }, { 0x1401, 0x167F, CANADIAN },
    { 0x1780, 0x17DC, KHMER }, { 0x1820, 0x18AA, MONGOLIAN }, { 0x18B0, 0x18F5, CANADIAN },
    { 0x1C80, 0x1C88, CYRILLIC }, { 0x1C90, 0x1CBF, GEORGIAN }, { 0x1D00, 0x1D25, LATIN },
    { 0x1D26, 0x1D2A, GREEK }, { 0x1D2B, 0x1D2B, CYRILLIC }, { 0x1D2C, 0x1D5C, LATIN },
    { 0x1D5D, 0x1D61, GREEK }, { 0x1D62, 0x1D65, LATIN }, { 0x1D66, 0x1D6A, GREEK },
    { 0x1D6B, 0x1D77, LATIN }, { 0x1D78, 0x1D78, CYRILLIC }, { 0x1D79, 0x1DBE, LATIN },
    { 0x1DBF, 0x1DBF, GREEK }, { 0x1E00, 0x1EFF, LATIN }, { 0x1F00, 0x1FFC, GREEK },
    { 0x2071, 0x209C, LATIN }, { 0x2126, 0x2126, GREEK }, { 0x212A, 0x212B, LATIN },
    { 0x2132, 0x2132, LATIN }, { 0x214E, 0x2184, LATIN }, { 0x2C60, 0x2C7F, LATIN },
    { 0x2D00, 0x2D2D, GEORGIAN }, { 0x2D30, 0x2D6F, TIFINAGH }, { 0x2D80, 0x2DDE, ETHIOPIC },
    { 0x3005, 0x3005, HAN }, { 0x303B, 0x303B, HAN }, { 0x3041, 0x30FA, KANA },
    { 0x30FD, 0x30FF, KANA }, { 0x3105, 0x312F, BOPOMOFO }, { 0x3131, 0x318E, HANGUL },
    { 0x31A0, 0x31BF, BOPOMOFO }, { 0x31F0, 0x31FF, KANA }, { 0x3400, 0x9FFF, HAN },
    { 0xA000, 0xA48C, YI }, { 0xA640, 0xA69D, CYRILLIC }, { 0xA722, 0xA787, LATIN },
    { 0xA78B, 0xA7FF, LATIN }, { 0xA8F2, 0xA8FE, DEVANAGARI }, { 0xA960, 0xA97C, HANGUL },
    { 0xA9E0, 0xA9FE, MYANMAR }, { 0xAA60, 0xAA7F, MYANMAR }, { 0xAB01, 0xAB2E, ETHIOPIC },
    { 0xAB30, 0xAB64, LATIN }, { 0xAB65, 0xAB65, GREEK }, { 0xAB66, 0xAB69, LATIN },
    { 0xAB70, 0xABBF, CHEROKEE }, { 0xAC00, 0xD7FB, HANGUL }, { 0xF900, 0xFAD9, HAN },
    { 0xFB00, 0xFB06, LATIN }, { 0xFB13, 0xFB17, ARMENIAN }, { 0xFB1D, 0xFB4F, HEBREW },
    { 0xFB50, 0xFEFC, ARABIC }, { 0xFF21, 0xFF5A, LATIN }, { 0xFF66, 0xFF6F, KANA },
    { 0xFF71, 0xFF9D, KANA }, { 0xFFA0, 0xFFDC, HANGUL }, { 0x10780, 0x107BA, LATIN },
    { 0x11AB0, 0x11ABF, CANADIAN }, { 0x16FE3, 0x16FE3, HAN }, { 0x1AFF0, 0x1B122, KANA },
    { 0x1B150, 0x1B152, KANA }, { 0x1B164, 0x1B167, KANA }, { 0x1DF00, 0x1DF1E, LATIN },
    { 0x1E7E0, 0x1E7FE, ETHIOPIC }, { 0x1EE00, 0x1EEBB, ARABIC }, { 0x20000, 0x2B738, HAN },
    { 0x2B740, 0x3134A, HAN },
};
enum { RANGES = sizeof ranges / sizeof *ranges };

static const struct range *range_of(uint32_t cp)
{
    size_t low = 0, high = RANGES;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (ranges[middle].last < cp)
            low = middle + 1;
        else
            high = middle;
    }
    return low < RANGES && ranges[low].first <= cp ? &ranges[low] : NULL;
}

const char *text_script_of(uint32_t cp)
{
    const struct range *r = range_of(cp);

    return r ? names[r->script] : NULL;
}

/* ---- texts ---- */

struct count {                       /* of the text so far */
    uint64_t characters, words, letters[COUNT];
    bool in_word;
    const struct range *last;        /* the next letter is mostly of the same */
};

/* White_Space of Unicode. */
static bool is_space(uint32_t cp)
{
    if (cp < 0x80)
        return cp == ' ' || (cp >= 0x9 && cp <= 0xD);
    return cp == 0x85 || cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

static bool is_ascii_letter(uint32_t cp)
{
    return (cp | 0x20) - 'a' < 26;
}

static bool is_letter(uint32_t cp)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);

    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

static void add_character(struct count *c, uint32_t cp)
{
    bool space = is_space(cp);

    c->characters++;
    c->words += !space && !c->in_word;
    c->in_word = !space;
    if (cp < 0x80) {
        c->letters[LATIN] += is_ascii_letter(cp);
        return;
    }
    if (c->last == NULL || cp < c->last->first || cp > c->last->last)
        c->last = range_of(cp);
    if (c->last != NULL)
        c->letters[c->last->script]++;
    else
        c->letters[OTHER] += is_letter(cp);
}

static const char *script_of_count(struct count *c)
{
    uint64_t japanese = c->letters[HAN] + c->letters[KANA];
    enum script most = OTHER;

    if (c->letters[KANA] > 0 && c->letters[KANA] * 20 >= japanese) {
        c->letters[KANA] = japanese;
        c->letters[HAN] = 0;
    }
    for (int i = 0; i < COUNT; i++)
        if (c->letters[i] > c->letters[most])
            most = (enum script)i;
    if (c->letters[most] == 0)
        return "None";
    return most == KANA ? "Japanese" : names[most];
}

struct text_shape text_shape_of(struct span text)
{
    struct count c = { 0 };
    const char *p = text.p, *end = text.p + text.n;

    while (p < end) {
        uint32_t cp = (unsigned char)*p;
        size_t n = cp < 0x80 ? 1 : utf8_decode(p, end, &cp);

        add_character(&c, n ? cp : 0xFFFD);
        p += n ? n : 1;
    }
    return (struct text_shape){ c.characters, c.words, script_of_count(&c) };
}
