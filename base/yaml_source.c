#include "base/yaml_source.h"

#include <stdio.h>

#include "base/str.h"
#include "base/yaml.h"

#define SHOWN_COLUMNS 94      /* of a source line: with its margin of two it fits 100 columns */
#define SHOWN_BEFORE 48       /* columns kept in front of the caret when a line is cut */

/* ---- places ---- */

static size_t break_length(const char *p, const char *end)
{
    if (p + 1 < end && p[0] == '\r' && p[1] == '\n')
        return 2;
    return p < end && (*p == '\n' || *p == '\r');
}

/* Bytes of the code point at p; an ill-formed byte counts as one. */
static size_t point_length(const char *p, const char *end, uint32_t *cp)
{
    size_t n = utf8_decode(p, end, cp);

    if (n > 0)
        return n;
    *cp = 0xFFFD;
    return 1;
}

struct yaml_place yaml_place_of(const struct yaml_source *s, size_t offset)
{
    struct yaml_place at = { 1, 1 };
    const char *end = s->text + s->n;
    uint32_t cp;

    for (const char *p = s->text; p < s->text + offset;) {
        size_t n = break_length(p, end);
        if (n > 0) {
            at.line++;
            at.column = 1;
        } else {
            n = point_length(p, end, &cp);
            at.column++;
        }
        p += n;
    }
    return at;
}

size_t yaml_offset_of(const struct yaml_source *s, struct yaml_place at)
{
    const char *p = s->text, *end = s->text + s->n;
    uint32_t cp;

    for (int line = 1; line < at.line && p < end;) {
        size_t n = break_length(p, end);
        line += n > 0;
        p += n ? n : 1;
    }
    for (int column = 1; column < at.column && p < end && !break_length(p, end); column++)
        p += point_length(p, end, &cp);
    return (size_t)(p - s->text);
}

/* ---- showing a line ---- */

static bool in_range(uint32_t cp, uint32_t lo, uint32_t hi) { return cp >= lo && cp <= hi; }

/* Terminal columns of a code point: 0 for marks that combine, 2 for the wide East Asian blocks and
 * emoji, else 1 (the blocks of Unicode's EastAsianWidth.txt, coarsely). */
static int columns_of(uint32_t cp)
{
    if (in_range(cp, 0x300, 0x36F) || in_range(cp, 0x200B, 0x200F) || in_range(cp, 0x20D0, 0x20FF)
        || in_range(cp, 0xFE00, 0xFE0F) || in_range(cp, 0xFE20, 0xFE2F))
        return 0;
    if (in_range(cp, 0x1100, 0x115F) || in_range(cp, 0x2E80, 0xA4CF) || in_range(cp, 0xAC00, 0xD7A3)
        || in_range(cp, 0xF900, 0xFAFF) || in_range(cp, 0xFE30, 0xFE6F)
        || in_range(cp, 0xFF00, 0xFF60) || in_range(cp, 0xFFE0, 0xFFE6)
        || in_range(cp, 0x1F300, 0x1F64F) || in_range(cp, 0x1F900, 0x1F9FF)
        || in_range(cp, 0x20000, 0x3FFFD))
        return 2;
    return 1;
}

/* Terminal columns from p to end. */
static size_t width_of(const char *p, const char *end)
{
    size_t width = 0;
    uint32_t cp;

    while (p < end) {
        p += point_length(p, end, &cp);
        width += (size_t)columns_of(cp);
    }
    return width;
}

/* Appends the code point at p as it can be shown: no control bytes, nothing ill-formed, nothing
 * that ends lines or turns the direction of text. */
static void show_point(struct buf *out, const char *p, size_t n, uint32_t cp)
{
    if (cp == '\t')
        buf_addc(out, ' ');
    else if (cp < 0x20 || in_range(cp, 0x7F, 0x9F) || cp == 0xFFFD
             || in_range(cp, 0x2028, 0x202E) || in_range(cp, 0x2066, 0x2069))
        buf_addc(out, '?');
    else
        buf_add(out, p, n);
}

/* The part of a line that is shown. */
struct cut {
    const char *from, *to;
};

/* Cuts [line, end) so that it has at most SHOWN_COLUMNS with the place `at` inside. */
static struct cut cut_line(const char *line, const char *at, const char *end)
{
    struct cut cut = { line, end };
    size_t before = width_of(line, at), shown = 6;      /* room for "..." on both sides */
    uint32_t cp;

    if (before + width_of(at, end) <= SHOWN_COLUMNS)
        return cut;
    while (before > SHOWN_BEFORE) {
        cut.from += point_length(cut.from, at, &cp);
        before -= (size_t)columns_of(cp);
    }
    for (const char *p = cut.from; p < end; p += point_length(p, end, &cp)) {
        point_length(p, end, &cp);
        shown += (size_t)columns_of(cp);
        if (shown > SHOWN_COLUMNS) {
            cut.to = p;
            break;
        }
    }
    return cut;
}

static void show_place(struct buf *out, const struct yaml_source *s, struct yaml_place where)
{
    const char *text_end = s->text + s->n, *at = s->text + yaml_offset_of(s, where);
    const char *line = s->text + yaml_offset_of(s, (struct yaml_place){ where.line, 1 });
    const char *end = line;
    struct cut cut;
    uint32_t cp;

    while (end < text_end && !break_length(end, text_end))
        end++;
    if (end == line)
        return;      /* an empty line shows nothing */
    cut = cut_line(line, at, end);
    buf_adds(out, cut.from > line ? "\n  ..." : "\n  ");
    for (const char *p = cut.from; p < cut.to;) {
        size_t n = point_length(p, cut.to, &cp);
        show_point(out, p, n, cp);
        p += n;
    }
    buf_printf(out, "%s\n  %*s^", cut.to < end ? "..." : "",
               (int)(width_of(cut.from, at) + (cut.from > line ? 3 : 0)), "");
}

/* ---- messages ---- */

static void add_message(struct buf *text, const struct yaml_source *s, struct yaml_place at,
                        const char *message)
{
    if (s == NULL)
        buf_adds(text, message);
    else if (s->text == NULL)
        buf_printf(text, "%s: %s", s->name, message);
    else
        buf_printf(text, "%s:%d:%d: %s", s->name, at.line, at.column, message);
    if (s != NULL && s->text != NULL)
        show_place(text, s, at);
}

static enum status fail_here(const struct yaml_source *s, struct yaml_place at, const char *fmt,
                             va_list args, const struct yaml *from)
{
    struct buf text = { 0 };
    char message[2048];

    vsnprintf(message, sizeof message, fmt, args);
    add_message(&text, s, at, message);
    if (from != NULL) {
        buf_addc(&text, '\n');
        add_message(&text, from->source, (struct yaml_place){ from->line, from->column },
                    "this is where the value comes from");
    }
    fail(ST_CONFIG, "%s", text.p);
    buf_release(&text);
    return ST_CONFIG;
}

enum status yaml_fail_at(const struct yaml_source *s, struct yaml_place at, const char *fmt, ...)
{
    va_list args;
    enum status st;

    va_start(args, fmt);
    st = fail_here(s, at, fmt, args, NULL);
    va_end(args);
    return st;
}

enum status yaml_fail(const struct yaml *node, const char *fmt, ...)
{
    va_list args;
    enum status st;

    va_start(args, fmt);
    st = fail_here(node->source, (struct yaml_place){ node->line, node->column }, fmt, args,
                   node->from);
    va_end(args);
    return st;
}
