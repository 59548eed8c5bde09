#include "tokenize/pretok/regex_dialect.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <stdio.h>
#include <strings.h>

#include "base/arena.h"
#include "tokenize/pretok/unicode_table.h"

#define PATTERN_LIMIT (16u << 10)
#define DEPTH_LIMIT 200

struct dialect {
    const char *what;
    const char *start, *p, *end;
    struct buf *out;
    int unicode, have;               /* versions: wanted, PCRE2's */
    int depth;
    bool folds[DEPTH_LIMIT + 1];     /* whether case is ignored, by depth of groups */
};

static enum status refuse(const struct dialect *d, const char *construct, const char *instead)
{
    return fail(ST_UNSUPPORTED, "%s: the pattern has %s at byte %zu, which cannot be matched as "
                "Hugging Face's tokenizers would%s%s: '%.200s'", d->what, construct,
                (size_t)(d->p - d->start), *instead ? "; write " : "", instead, d->start);
}

static bool at(const struct dialect *d, const char *word)
{
    size_t n = strlen(word);

    return (size_t)(d->end - d->p) >= n && memcmp(d->p, word, n) == 0;
}

static void copy(struct dialect *d, size_t n)
{
    buf_add(d->out, d->p, n);
    d->p += n;
}

/* ---- \p{...} ---- */

static const char *const categories[] = {
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No",
    "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So",
    "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cn", "Co", NULL
};
/* Long names, and the properties that both engines take from the same Unicode files. */
static const struct {
    const char *name, *as;
} properties[] = {
    { "Letter", "L" }, { "Mark", "M" }, { "Number", "N" }, { "Punctuation", "P" },
    { "Symbol", "S" }, { "Separator", "Z" }, { "Other", "C" }, { "Alphabetic", "Alphabetic" },
    { "Uppercase", "Uppercase" }, { "Lowercase", "Lowercase" }, { "WhiteSpace", "White_Space" },
};

/* The name in PCRE2's words: of a category as it is there, else a property or "sc:" and the script. name: without
 * spaces, '_' and '-'. */
static const char *property_name(const char *name, char script[80])
{
    for (int i = 0; categories[i]; i++)
        if (strcasecmp(name, categories[i]) == 0)
            return categories[i];
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        if (strcasecmp(name, properties[i].name) == 0)
            return properties[i].as;
    snprintf(script, 80, "sc:%s", name);
    return script;
}

/* Categories are those of the wanted version of Unicode; scripts and other properties are PCRE2's own. */
static void print_property(const struct dialect *d, const char *name, bool negated, bool in_class)
{
    char script[80];
    struct unicode_class c = { property_name(name, script), 0, false, d->unicode, d->have };

    c.bits = unicode_category_bits(c.name);
    if (c.bits == 0 || c.want == c.have) {
        buf_printf(d->out, "\\%c{%s}", negated ? 'P' : 'p', c.name);
        return;
    }
    c.negated = negated && in_class;
    buf_adds(d->out, in_class ? "" : negated ? "[^" : "[");
    unicode_print_class(&c, d->out);
    buf_adds(d->out, in_class ? "" : "]");
}

static enum status take_property(struct dialect *d, bool in_class)
{
    bool negated = d->p[1] == 'P';
    const char *q = d->p + 2;
    char name[64];
    size_t n = 0;

    if (d->folds[d->depth])
        return refuse(d, "a property where case is ignored", "");
    if (q == d->end || *q != '{')
        return refuse(d, "\\p without braces", "\\p{...}");
    q++;
    if (q < d->end && *q == '^') {
        negated = !negated;
        q++;
    }
    for (; q < d->end && *q != '}' && n + 1 < sizeof name; q++)
        if (isalnum((unsigned char)*q))
            name[n++] = *q;
        else if (*q != ' ' && *q != '_' && *q != '-')
            return refuse(d, "a property that is not a plain name", "\\p{Name}");
    if (q == d->end || *q != '}' || n == 0)
        return refuse(d, "a property without an end", "\\p{Name}");
    name[n] = 0;
    print_property(d, name, negated, in_class);
    d->p = q + 1;
    return ST_OK;
}

/* ---- other escapes ---- */

/* \xHH, \x{H...}, \uHHHH: all become \x{...}. */
static enum status take_code_point(struct dialect *d)
{
    bool braces = d->p[1] == 'x' && d->end - d->p > 2 && d->p[2] == '{';
    const char *q = d->p + (braces ? 3 : 2);
    int most = braces ? 6 : d->p[1] == 'u' ? 4 : 2, n = 0;
    uint32_t cp = 0;
    char utf8[4];

    for (; n < most && q < d->end && isxdigit((unsigned char)*q); n++, q++)
        cp = cp * 16 + (uint32_t)(isdigit((unsigned char)*q) ? *q - '0' : (*q | 32) - 'a' + 10);
    if (n == 0 || (!braces && n < most) || (braces && (q == d->end || *q++ != '}')))
        return refuse(d, "an unfinished code point", "\\x{HHHH}");
    if (cp == 0 || cp > 0x10FFFF || (!braces && most == 2 && cp > 0x7F) ||
        !utf8_valid(utf8, utf8_encode(cp, utf8)))
        return refuse(d, "a code point that is not a character", "\\x{HHHH}");
    buf_printf(d->out, "\\x{%x}", (unsigned)cp);
    d->p = q;
    return ST_OK;
}

/* ---- sets: \w, \h, [:punct:] ---- */

/* What a set holds: categories, then single ranges, here and as all that is not in them. */
static const struct set {
    const char *name;
    const char *categories[6];
    const char *ranges, *others;
} sets[] = {
    { "word", { "L", "M", "Nd", "Nl", "Pc" },
      "\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}", NULL },
    { "digit", { "Nd" }, "", NULL },
    { "punct", { "P", "S" }, "", NULL },
    { "space", { NULL }, "\\p{White_Space}", "\\P{White_Space}" },
    { "cntrl", { NULL }, "\\p{Cc}", "\\P{Cc}" },
    { "xdigit", { NULL }, "0-9A-Fa-f", "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{47}-\\x{60}\\x{67}-\\x{10ffff}" },
};

static const struct set *find_set(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (strlen(sets[i].name) == n && memcmp(sets[i].name, name, n) == 0)
            return &sets[i];
    return NULL;
}

/* What stands in a class for the set, or for all else. */
static void print_set(const struct dialect *d, const struct set *s, bool negated)
{
    struct unicode_class all = { s->name, 0, true, d->unicode, d->have };

    if (negated && s->others) {
        buf_adds(d->out, s->others);
        return;
    }
    for (const char *const *name = s->categories; *name; name++) {
        struct unicode_class c = { *name, unicode_category_bits(*name), false, d->unicode, d->have };

        all.bits |= c.bits;
        if (!negated)
            unicode_print_class(&c, d->out);
    }
    if (negated)
        unicode_print_ranges(&all, s == &sets[0], d->out);
    else
        buf_adds(d->out, s->ranges);
}

/* Outside of classes Oniguruma counts the six numbers of Latin-1 among \w too, and so do \b and \B. */
static void print_word(const struct dialect *d, bool negated)
{
    buf_adds(d->out, negated ? "[^" : "[");
    print_set(d, &sets[0], false);
    buf_adds(d->out, "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}]");
}

static enum status take_boundary(struct dialect *d)
{
    bool inside = d->p[1] == 'B';

    if (d->end - d->p > 2 && strchr("*+?{", d->p[2]))
        return refuse(d, "a repeated \\b or \\B", "");
    buf_adds(d->out, "(?:(?<=");
    print_word(d, false);
    buf_adds(d->out, inside ? ")(?=" : ")(?!");
    print_word(d, false);
    buf_adds(d->out, ")|(?<!");
    print_word(d, false);
    buf_adds(d->out, inside ? ")(?!" : ")(?=");
    print_word(d, false);
    buf_adds(d->out, "))");
    d->p += 2;
    return ST_OK;
}

/* n: bytes of the pattern that name it. In a class no '-' beside it may make a range. */
static enum status take_set(struct dialect *d, const struct set *s, bool negated, size_t n)
{
    if (d->p[-1] == '-')
        return refuse(d, "a set behind '-' in a class", "\\-");
    print_set(d, s, negated);
    d->p += n;
    if (d->p < d->end && *d->p == '-') {
        if (d->end - d->p < 2 || d->p[1] != ']')
            return refuse(d, "'-' behind a set in a class", "\\-");
        buf_adds(d->out, "\\-");
        d->p++;
    }
    return ST_OK;
}

/* \w \W \h \H \b \B */
static enum status take_set_escape(struct dialect *d, bool in_class)
{
    char letter = d->p[1];
    bool negated = letter == 'W' || letter == 'H', word = letter == 'w' || letter == 'W';

    if (letter == 'B' && in_class)
        return refuse(d, "\\B in a class", "");
    if (letter == 'b' && in_class)
        return refuse(d, "\\b in a class", "\\x08");
    if (letter == 'b' || letter == 'B')
        return take_boundary(d);
    if (in_class)
        return take_set(d, word ? &sets[0] : find_set("xdigit", 6), negated, 2);
    if (word)
        print_word(d, negated);
    else
        buf_adds(d->out, negated ? "[^0-9A-Fa-f]" : "[0-9A-Fa-f]");
    d->p += 2;
    return ST_OK;
}

/* "[:name:]" and "[:^name:]" in a class. */
static enum status take_bracket(struct dialect *d)
{
    const char *name = d->p + 2, *end;
    const struct set *s = NULL;
    bool negated = name < d->end && *name == '^';

    name += negated;
    for (end = name; end < d->end && isalpha((unsigned char)*end); end++)
        ;
    if (d->end - end >= 2 && memcmp(end, ":]", 2) == 0)
        s = find_set(name, (size_t)(end - name));
    if (s == NULL)
        return refuse(d, "'[' in a class", "\\[, or [:word:], [:digit:], [:punct:], [:space:], [:cntrl:], [:xdigit:]");
    return take_set(d, s, negated, (size_t)(end + 2 - d->p));
}

static enum status take_escape(struct dialect *d, bool in_class)
{
    static const char *const simple[][2] = {
        { "s", "\\p{White_Space}" }, { "S", "\\P{White_Space}" },
        { "v", "\\x{b}" },
        { "r", "\\r" }, { "n", "\\n" }, { "t", "\\t" }, { "f", "\\f" }, { "a", "\\a" },
        { "e", "\\e" },
    };
    char letter, shown[40];

    if (d->end - d->p < 2)
        return fail(ST_FORMAT, "%s: the pattern ends with a backslash: '%.200s'", d->what,
                    d->start);
    letter = d->p[1];
    if (letter == 'p' || letter == 'P')
        return take_property(d, in_class);
    if (letter == 'd' || letter == 'D') {
        print_property(d, "Nd", letter == 'D', in_class);
        d->p += 2;
        return ST_OK;
    }
    if (strchr("wWhHbB", letter) && letter)
        return take_set_escape(d, in_class);
    if (letter == 'x' || letter == 'u')
        return take_code_point(d);
    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++)
        if (letter == simple[i][0][0]) {
            buf_adds(d->out, simple[i][1]);
            d->p += 2;
            return ST_OK;
        }
    if (!in_class && (letter == 'A' || letter == 'z')) {
        copy(d, 2);
        return ST_OK;
    }
    if (isalnum((unsigned char)letter) || (unsigned char)letter >= 0x80 ||
        (unsigned char)letter < ' ') {
        snprintf(shown, sizeof shown, isprint((unsigned char)letter) ? "\\%c" : "\\ and byte %#x",
                 (unsigned char)letter);
        return refuse(d, shown, "");
    }
    copy(d, 2);
    return ST_OK;
}

/* ---- classes, groups, quantifiers ---- */

static enum status take_class(struct dialect *d)
{
    copy(d, 1);
    if (d->p < d->end && *d->p == '^')
        copy(d, 1);
    if (d->p < d->end && *d->p == ']')
        return refuse(d, "']' as the first of a class", "\\]");
    while (d->p < d->end && *d->p != ']') {
        if (at(d, "[:")) {
            TRY(take_bracket(d));
            continue;
        }
        if (*d->p == '[')
            return refuse(d, "'[' in a class", "\\[");
        if (at(d, "&&"))
            return refuse(d, "'&&' in a class", "\\&\\&");
        if (d->folds[d->depth] && (unsigned char)*d->p >= 0x80)
            return refuse(d, "a character beyond ASCII where case is ignored", "");
        if (*d->p == '\\')
            TRY(take_escape(d, true));
        else
            copy(d, 1);
    }
    if (d->p == d->end)
        return fail(ST_FORMAT, "%s: a class in the pattern has no end: '%.200s'", d->what,
                    d->start);
    copy(d, 1);
    return ST_OK;
}

static enum status take_group(struct dialect *d)
{
    static const char *const openings[] = { "(?i:", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>" };
    size_t n = 1;
    bool fold = d->folds[d->depth];

    if (at(d, "(?i)") && d->p == d->start) {
        d->folds[0] = true;
        copy(d, 4);
        return ST_OK;
    }
    if (at(d, "(*"))
        return refuse(d, "'(*'", "(?:\\*");
    if (at(d, "(?")) {
        n = 0;
        for (size_t i = 0; n == 0 && i < sizeof openings / sizeof openings[0]; i++)
            if (at(d, openings[i])) {
                n = strlen(openings[i]);
                fold = fold || i == 0;
            }
        if (n == 0)
            return refuse(d, "a group of another kind",
                          "(?:...), (?i:...), look-around or (?>...)");
    }
    if (d->depth == DEPTH_LIMIT)
        return fail(ST_LIMIT, "%s: groups nested deeper than %d in the pattern", d->what,
                    DEPTH_LIMIT);
    d->folds[++d->depth] = fold;
    copy(d, n);
    return ST_OK;
}

/* "{n}", "{n,}", "{n,m}"; any other brace is the character. */
static enum status take_brace(struct dialect *d)
{
    const char *q = d->p + 1;
    size_t low = 0, high = 0;
    bool comma = false;

    for (; q < d->end && isdigit((unsigned char)*q); q++)
        low++;
    if (q < d->end && *q == ',') {
        comma = true;
        for (q++; q < d->end && isdigit((unsigned char)*q); q++)
            high++;
    }
    if (q == d->end || *q != '}' || (low == 0 && high == 0)) {
        buf_adds(d->out, "\\{");
        d->p++;
        return ST_OK;
    }
    if (low == 0)
        return refuse(d, "'{,m}'", "{0,m}");
    if (q + 1 < d->end && q[1] == '+')
        return refuse(d, "'+' behind '{...}'", "'(?>...{...})' for a possessive one");
    if (q + 1 < d->end && q[1] == '?' && !comma)
        return refuse(d, "'?' behind '{n}'", "(?:...{n})?");
    copy(d, (size_t)(q + 1 - d->p));
    return ST_OK;
}

static enum status check_fold(const struct dialect *d)
{
    static const char *const several[] = { "ss", "ff", "fi", "fl", "st" };

    if ((unsigned char)*d->p >= 0x80)
        return refuse(d, "a character beyond ASCII where case is ignored", "");
    for (size_t i = 0; i < sizeof several / sizeof several[0]; i++)
        if (d->end - d->p >= 2 && strncasecmp(d->p, several[i], 2) == 0)
            return refuse(d, "letters that fold to one (ss, ff, fi, fl, st) where case is ignored",
                          "");
    return ST_OK;
}

static enum status take_one(struct dialect *d)
{
    switch (*d->p) {
    case '\\': return take_escape(d, false);
    case '[': return take_class(d);
    case '(': return take_group(d);
    case '{': return take_brace(d);
    case ')':
        if (d->depth == 0)
            return fail(ST_FORMAT, "%s: ')' without '(' in the pattern: '%.200s'", d->what,
                        d->start);
        d->depth--;
        break;
    default:
        if (d->folds[d->depth])
            TRY(check_fold(d));
    }
    copy(d, 1);
    return ST_OK;
}

/* Of a version that we have no table for, the nearest before. */
int regex_unicode(void)
{
    char text[40] = "";
    int major = 0, minor = 0, version;

    pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, text);
    sscanf(text, "%d.%d", &major, &minor);
    for (version = major * 10 + minor; version > 140 && !unicode_known(version);)
        version--;
    return version;
}

enum status regex_to_pcre2(const char *what, struct span pattern, int unicode, struct buf *out)
{
    struct dialect d = { .what = what, .out = out, .have = regex_unicode() };
    char *text;
    enum status st = ST_OK;

    d.unicode = unicode ? unicode : d.have;
    if (pattern.n == 0 || pattern.n > PATTERN_LIMIT)
        return fail(ST_LIMIT, "%s: a pattern of %zu bytes; want 1 to %u", what, pattern.n,
                    PATTERN_LIMIT);
    if (!utf8_valid(pattern.p, pattern.n) || memchr(pattern.p, 0, pattern.n))
        return fail(ST_FORMAT, "%s: the pattern is not UTF-8 without zero bytes", what);
    text = mem_alloc(pattern.n + 1);      /* messages print it: a NUL at the end is wanted */
    memcpy(text, pattern.p, pattern.n);
    d.start = d.p = text;
    d.end = text + pattern.n;
    while (st == ST_OK && d.p < d.end)
        st = take_one(&d);
    if (st == ST_OK && d.depth > 0)
        st = fail(ST_FORMAT, "%s: '(' without ')' in the pattern: '%.200s'", what, text);
    free(text);
    return st;
}

void regex_quote(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (ispunct((unsigned char)text.p[i]))
            buf_addc(out, '\\');
        buf_addc(out, text.p[i]);
    }
}
