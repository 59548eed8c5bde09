#include "base/page.h"

#include <math.h>
#include <stdio.h>

void page_begin(struct buf *out, const char *kind, const char *title)
{
    buf_adds(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" "
                  "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<title>");
    page_escape(out, title);
    buf_adds(out, ": ");
    page_escape(out, kind);
    buf_printf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<header>\n"
                    "<p class=\"kind\">",
               page_style);
    page_escape(out, kind);
    buf_adds(out, "</p>\n<h1>");
    page_escape(out, title);
    buf_adds(out, "</h1>\n");
}

void page_end(struct buf *out) { buf_adds(out, "</main>\n</body>\n</html>\n"); }

/* ---- text ---- */

/* Control characters, and those that turn the direction of the text behind them. */
static bool is_unshown(uint32_t cp)
{
    return (cp < 0x20 && cp != '\t' && cp != '\n') || (cp >= 0x7f && cp < 0xa0)
           || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static const char *entity_of(uint32_t cp)
{
    switch (cp) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return is_unshown(cp) ? "\xEF\xBF\xBD" : NULL;
    }
}

void page_text(struct buf *out, const char *p, size_t n)
{
    struct buf good = { 0 };
    uint32_t cp;

    utf8_repair(&good, p, n);
    for (size_t i = 0, length; i < good.n; i += length) {
        const char *entity;

        length = utf8_decode(good.p + i, good.p + good.n, &cp);
        entity = entity_of(cp);
        if (entity != NULL)
            buf_adds(out, entity);
        else
            buf_add(out, good.p + i, length);
    }
    buf_release(&good);
}

void page_escape(struct buf *out, const char *s)
{
    if (s != NULL)
        page_text(out, s, strlen(s));
}

void page_code(struct buf *out, const char *s)
{
    buf_adds(out, "<code>");
    page_escape(out, s);
    buf_adds(out, "</code>");
}

/* ---- tables ---- */

static void add_head(struct buf *out, const char *name, size_t n)
{
    if (n == 0) {
        buf_adds(out, "<td></td>");
        return;
    }
    buf_adds(out, name[0] == '#' ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
    page_text(out, name + (name[0] == '#'), n - (name[0] == '#'));
    buf_adds(out, "</th>");
}

void page_table_begin(struct buf *out, const char *style, const char *caption, const char *heads)
{
    const char *p = heads;
    size_t n;

    buf_adds(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
    page_escape(out, caption);
    buf_printf(out, "\">\n<table%s%s%s><caption>", style ? " class=\"" : "", style ? style : "",
               style ? "\"" : "");
    page_escape(out, caption);
    buf_adds(out, "</caption>\n<thead><tr>");
    for (;; p += n + 1) {
        n = strcspn(p, "|");
        add_head(out, p, n);
        if (p[n] == 0)
            break;
    }
    buf_adds(out, "</tr></thead>\n<tbody>\n");
}

void page_table_end(struct buf *out) { buf_adds(out, "</tbody></table></div>\n"); }

void page_row(struct buf *out, const char *name)
{
    buf_adds(out, "<tr><th scope=\"row\">");
    page_escape(out, name);
    buf_adds(out, "</th>");
}

void page_cell_text(struct buf *out, const char *text)
{
    buf_adds(out, "<td>");
    page_escape(out, text);
    buf_adds(out, "</td>");
}

void page_cell_code(struct buf *out, const char *text)
{
    buf_adds(out, "<td>");
    page_code(out, text);
    buf_adds(out, "</td>");
}

void page_cell_count(struct buf *out, uint64_t n)
{
    char text[28];

    buf_printf(out, "<td class=\"n\">%s</td>", str_count(n, text));
}

void page_cell_bytes(struct buf *out, uint64_t n)
{
    char text[24];

    buf_printf(out, "<td class=\"n\">%s</td>", str_bytes(n, text));
}

const char *page_number(double x, char *text)
{
    if (x == floor(x) && x >= 1000 && x < 1e15)
        return str_count((uint64_t)x, text);
    snprintf(text, 28, "%.4g", x);
    return text;
}

static double percent(double part, double whole)
{
    double share = whole > 0 && part > 0 ? 100.0 * part / whole : 0;

    return share < 100 ? share : 100.0;
}

void page_cell_bar(struct buf *out, double part, double lost, double whole)
{
    double here = percent(part, whole), gone = percent(lost, whole);

    buf_printf(out,
               "<td class=\"wide\" aria-hidden=\"true\"><div class=\"track\">"
               "<div class=\"bar\" style=\"width:%.2f%%\"></div>",
               here);
    if (gone > 0)
        buf_printf(out, "<div class=\"gone\" style=\"width:%.2f%%\"></div>",
                   gone < 100 - here ? gone : 100 - here);
    buf_adds(out, "</div></td>");
}

/* ---- more ---- */

void page_figure(struct buf *out, const char *name, const char *value, const char *note)
{
    buf_adds(out, "<div><dt>");
    page_escape(out, name);
    buf_adds(out, "</dt><dd>");
    page_escape(out, value);
    buf_adds(out, "</dd><dd class=\"soft\">");
    page_escape(out, note);
    buf_adds(out, "</dd></div>\n");
}

void page_more_begin(struct buf *out, const char *summary)
{
    buf_adds(out, "<details><summary>");
    page_escape(out, summary);
    buf_adds(out, "</summary>\n");
}

void page_more_end(struct buf *out) { buf_adds(out, "</details>\n"); }
