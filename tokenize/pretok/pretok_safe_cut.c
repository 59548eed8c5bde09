/*
 * Where a long text may be cut in two. A place is safe if in the whole text it is the beginning of a piece, and if what is before it
 * is cut alike when the text ends there. What is behind then needs no proof: no named pattern looks behind. Nor do further cuts of
 * a chain, which see each piece as a text of its own.
 *
 * Of the named patterns (gpt2, r50k; cl100k, llama3, qwen2, nanochat; o200k), with W white space, L letters, N numbers, M marks, O
 * the rest:
 * 1. Before a W that is no line end, behind anything but W; before any W behind a sure L or N. No alternative that begins before W
 *    takes W, but for the line ends behind O (`[\r\n]*`), and those are excluded. Alternatives look ahead at W only from W
 *    (`\s+(?!\S)`, `\s++$`), so text that ends with another class is cut alike at its end. o200k asks what follows upper-case
 *    letters, but only for lower-case letters and marks: W and the end are alike.
 * 2. Behind a line feed that is the only W between two others, of which the second is a sure L, N or O and not '/'. In gpt2 it is a piece alone, also at the end of a
 *    text. In the others it belongs to the O before it, or is a piece alone; `\s++$` then makes the same one character. What
 *    follows is no W and cannot be taken by `[\r\n]*`, '/' not by o200k's `[\r\n/]*`.
 * 3. Before a sure O behind a sure L or N, the apostrophe excepted. L and N never go on into O, but by contractions, which begin with
 *    an apostrophe; and O does not join what is before. Again what is before ends with L or N in both cases.
 * DeepSeek's chain: its parts of numbers and of Chinese characters and kana begin and end by the character alone; W and the O of 3 are in neither,
 * so that a place before them is the end of such a part or lies in one that the last pattern cuts. That one is as llama3's in all that 1 to 3
 * ask: an O takes line ends, but neither white space nor '/' otherwise, letters and marks end before W and O, and `\s+(?!\S)` is asked
 * from W only. Control characters that it does not match are a piece up to W or the end, alike.
 * Sure means: of this class in every version of Unicode that there is a table for. All characters that a cut stands before
 * also begin a new stretch of text to NFC: none of them is a mark or composes with what is before.
 */
#include <ctype.h>

#include "tokenize/pretok/pretok_part.h"

enum kind { WHITE, LINE_END, LETTER_OR_NUMBER, OTHER, UNSURE };

static enum kind kind_of(uint32_t cp)
{
    if (cp == '\n' || cp == '\r')
        return LINE_END;
    if (cp < 0x80)
        return isspace((int)cp) ? WHITE : isalnum((int)cp) ? LETTER_OR_NUMBER : OTHER;
    if (cp == 0x85 || cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 ||
        cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000)
        return WHITE;
    if ((cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3041 && cp <= 0x3096) ||
        (cp >= 0x30A1 && cp <= 0x30FA) || (cp >= 0xAC00 && cp <= 0xD7A3) ||
        (cp >= 0x0400 && cp <= 0x0481))
        return LETTER_OR_NUMBER;
    if (cp == 0x3001 || cp == 0x3002 || cp == 0xFF0C || cp == 0xFF01 || cp == 0xFF1F || cp == 0xFF1A ||
        cp == 0xFF1B || (cp >= 0x3008 && cp <= 0x3011))
        return OTHER;
    return UNSURE;
}

static bool before(struct span text, size_t at, uint32_t *cp, size_t *begin)
{
    size_t n = 1;

    while (n < 4 && n < at && ((unsigned char)text.p[at - n] & 0xC0) == 0x80)
        n++;
    if (n > at || utf8_decode(text.p + at - n, text.p + at, cp) != n)
        return false;
    *begin = at - n;
    return true;
}

static bool is_white(uint32_t cp) { return kind_of(cp) == WHITE || kind_of(cp) == LINE_END; }

static bool is_safe(struct span text, size_t at)
{
    uint32_t last, next, second;
    size_t begin, second_begin;
    enum kind kind;

    if (((unsigned char)text.p[at] & 0xC0) == 0x80 ||
        utf8_decode(text.p + at, text.p + text.n, &next) == 0 || !before(text, at, &last, &begin))
        return false;
    kind = kind_of(next);
    if (last == '\n')
        return begin > 0 && (kind == LETTER_OR_NUMBER || kind == OTHER) && next != '/' &&
               before(text, begin, &second, &second_begin) && !is_white(second);
    if (kind == WHITE)
        return !is_white(last);
    if (kind == LINE_END || (kind == OTHER && next != '\''))
        return kind_of(last) == LETTER_OR_NUMBER;
    return false;
}

size_t pretok_safe_cut(const struct pretok *p, struct span text, size_t limit)
{
    if (!p->known_first || text.n < 2)
        return 0;
    for (size_t i = limit < text.n - 1 ? limit : text.n - 1; i > 0; i--)
        if (is_safe(text, i))
            return i;
    return 0;
}

/* A cut at spaces leaves such a text whole. */
bool pretok_cuts_at_marks(const struct pretok *p)
{
    const struct cut *last = p->cuts + (p->count == 2);

    if (p->count == 2 && (strcmp(p->cuts[0].pattern, " ") != 0 || p->cuts[0].invert))
        return false;
    return (p->count == 1 || p->count == 2) && last->scanner.kind == SCAN_MARKS && !last->scanner.space &&
           !last->scanner.each;
}
