#include "base/page.h"

#include <math.h>

static const char style[] =
    ":root { color-scheme: light dark; --ink: #1c2126; --soft: #56606a; --line: #d8dde2; "
    "--page: #fbfbfa;\n  --card: #ffffff; --bar: #2f6f8f; --lost: #a8501c; --good: #2d6a3e; }\n"
    "@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --soft: #a3adb7; "
    "--line: #353c44;\n  --page: #16191d; --card: #1d2126; --bar: #5aa3c7; --lost: #e39a6c; "
    "--good: #7cc08f; } }\n"
    "* { box-sizing: border-box; }\n"
    "body { margin: 0; background: var(--page); color: var(--ink); "
    "font: 16px/1.55 system-ui, sans-serif; }\n"
    "main { margin: 2.5rem auto 4rem; max-width: 64rem; padding: 0 1.25rem; }\n"
    "h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }\n"
    "h2 { font-size: 1.25rem; margin: 2.8rem 0 .6rem; padding-top: .8rem; "
    "border-top: 1px solid var(--line); }\n"
    "h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }\n"
    "h4 { font-size: .9rem; margin: 1.2rem 0 .3rem; }\n"
    ".scroll { overflow-x: auto; } .scroll svg { max-width: none; }\n"
    "table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .4rem 0 1rem; }\n"
    "caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }\n"
    "th, td { text-align: left; padding: .32rem .9rem .32rem 0; "
    "border-bottom: 1px solid var(--line); vertical-align: top; }\n"
    "th { font-weight: 600; color: var(--soft); }\n"
    "td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }\n"
    ".track { height: .7rem; min-width: 6rem; background: var(--line); border-radius: 2px; "
    "margin-top: .4rem; }\n"
    ".bar { height: 100%; background: var(--bar); border-radius: 2px; }\n"
    ".soft { color: var(--soft); } .bad { color: var(--lost); font-weight: 600; } "
    ".good { color: var(--good); font-weight: 600; }\n"
    "code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }\n"
    "code { font-size: .86em; overflow-wrap: anywhere; } a { color: var(--bar); }\n"
    "details { margin: .3rem 0; } summary { cursor: pointer; color: var(--soft); }\n"
    "pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0 .9rem; "
    "padding: .6rem .8rem;\n  background: var(--card); border-left: 3px solid var(--bar); "
    "font-size: .82rem; }\n"
    "pre.lost { border-left-color: var(--lost); }\n"
    "figure { margin: .6rem 0 1.2rem; } figcaption { font-size: .9rem; color: var(--soft); }\n"
    "svg { max-width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; }\n"
    "svg .axis { stroke: var(--line); } svg .raw { stroke: var(--bar); opacity: .3; fill: none; }\n"
    "svg .smooth { stroke: var(--bar); stroke-width: 2; fill: none; } "
    "svg .dots { fill: var(--lost); }\n"
    "svg .box { fill: var(--card); stroke: var(--line); } "
    "svg .edge { stroke: var(--soft); fill: none; }\n"
    "svg .name { fill: var(--ink); font-size: 14px; font-weight: 600; }\n"
    "svg .failed { stroke: var(--lost); stroke-width: 2; } svg .ran { stroke: var(--bar); }\n"
    "@media print { :root { --ink: #000; --soft: #444; --line: #bbb; --page: #fff; --card: #fff; "
    "--bar: #2f6f8f;\n  --lost: #a8501c; --good: #2d6a3e; } main { margin: 0; max-width: none; } "
    "figure, tr { break-inside: avoid; } .scroll { overflow: visible; }\n  "
    ".scroll svg { max-width: 100%; } }\n";

void page_begin(struct buf *out, const char *title)
{
    buf_adds(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<title>");
    page_escape(out, title);
    buf_printf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<h1>", style);
    page_escape(out, title);
    buf_adds(out, "</h1>\n");
}

void page_end(struct buf *out) { buf_adds(out, "</main>\n</body>\n</html>\n"); }

/* ---- text ---- */

static void add_escaped(struct buf *out, char c)
{
    switch (c) {
    case '<': buf_adds(out, "&lt;"); return;
    case '>': buf_adds(out, "&gt;"); return;
    case '&': buf_adds(out, "&amp;"); return;
    case '"': buf_adds(out, "&quot;"); return;
    case '\'': buf_adds(out, "&#39;"); return;
    case '\t':
    case '\n': buf_addc(out, c); return;
    default: break;
    }
    if ((unsigned char)c < 0x20 || c == 0x7f)
        buf_adds(out, "\xEF\xBF\xBD");
    else
        buf_addc(out, c);
}

void page_text(struct buf *out, const char *p, size_t n)
{
    struct buf good = { 0 };

    utf8_repair(&good, p, n);
    for (size_t i = 0; i < good.n; i++) {
        bool c1 = i + 1 < good.n && (unsigned char)good.p[i] == 0xC2
                  && (unsigned char)good.p[i + 1] < 0xA0;      /* U+0080 to U+009F */
        if (c1) {
            buf_adds(out, "\xEF\xBF\xBD");
            i++;
        } else {
            add_escaped(out, good.p[i]);
        }
    }
    buf_release(&good);
}

void page_escape(struct buf *out, const char *s)
{
    if (s != NULL)
        page_text(out, s, strlen(s));
}

/* ---- cells ---- */

void page_cell_text(struct buf *out, const char *text)
{
    buf_adds(out, "<td>");
    page_escape(out, text);
    buf_adds(out, "</td>");
}

void page_cell_code(struct buf *out, const char *text)
{
    buf_adds(out, "<td><code>");
    page_escape(out, text);
    buf_adds(out, "</code></td>");
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

void page_cell_bar(struct buf *out, double part, double whole)
{
    double share = whole > 0 && part > 0 ? 100.0 * part / whole : 0;

    buf_printf(out,
               "<td aria-hidden=\"true\"><div class=\"track\"><div class=\"bar\" "
               "style=\"width:%.2f%%\"></div></div></td>",
               share < 100 ? share : 100.0);
}

/* ---- charts ---- */

struct frame {
    double x0, x1, y0, y1;            /* of the data */
    double left, right, top, bottom;  /* of the drawing */
};

static bool find_frame(const struct page_chart *c, struct frame *f)
{
    *f = (struct frame){ INFINITY, -INFINITY, INFINITY, -INFINITY, 64,
                         c->width - 16, 12, c->height - 40 };
    for (size_t k = 0; k < c->count; k++)
        for (size_t i = 0; i < c->lines[k].count; i++) {
            double x = c->lines[k].x[i], y = c->lines[k].y[i];
            if (!isfinite(x) || !isfinite(y))
                continue;
            f->x0 = fmin(f->x0, x);
            f->x1 = fmax(f->x1, x);
            f->y0 = fmin(f->y0, y);
            f->y1 = fmax(f->y1, y);
        }
    if (f->x0 > f->x1)
        return false;
    if (f->x0 == f->x1)
        f->x1 = f->x0 + 1;
    if (f->y0 == f->y1)
        f->y1 = f->y0 + (f->y0 != 0 ? fabs(f->y0) : 1);
    return true;
}

static double at_x(const struct frame *f, double x)
{
    return f->left + (x - f->x0) / (f->x1 - f->x0) * (f->right - f->left);
}

static double at_y(const struct frame *f, double y)
{
    return f->bottom - (y - f->y0) / (f->y1 - f->y0) * (f->bottom - f->top);
}

static void add_axes(struct buf *out, const struct page_chart *c, const struct frame *f)
{
    for (int i = 0; i <= 4; i++) {
        double x = f->x0 + (f->x1 - f->x0) * i / 4, y = f->y0 + (f->y1 - f->y0) * i / 4;
        buf_printf(out,
                   "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                   "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>",
                   f->left, f->right, at_y(f, y), at_y(f, y), f->left - 8, at_y(f, y) + 4, y);
        buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.3g%s</text>\n",
                   at_x(f, x), f->bottom + 16, i == 0 ? "start" : i == 4 ? "end" : "middle",
                   x >= 1e6 ? x / 1e6 : x >= 1e3 ? x / 1e3 : x,
                   x >= 1e6 ? " M" : x >= 1e3 ? " k" : "");
    }
    buf_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"end\">", f->right, c->height - 6);
    page_escape(out, c->x_name);
    buf_adds(out, "</text>\n");
}

static void add_line(struct buf *out, const struct page_line *l, const struct frame *f)
{
    bool dots = strcmp(l->style, "dots") == 0;

    if (!dots)
        buf_printf(out, "<polyline class=\"%s\" points=\"", l->style);
    for (size_t i = 0; i < l->count; i++) {
        if (!isfinite(l->x[i]) || !isfinite(l->y[i]))
            continue;
        buf_printf(out, dots ? "<circle class=\"dots\" r=\"3\" cx=\"%.1f\" cy=\"%.1f\"/>"
                             : "%.1f,%.1f ",
                   at_x(f, l->x[i]), at_y(f, l->y[i]));
    }
    buf_adds(out, dots ? "\n" : "\"/>\n");
}

void page_chart(struct buf *out, const struct page_chart *c)
{
    struct frame f;

    buf_adds(out, "<figure>\n<figcaption>");
    page_escape(out, c->title);
    if (!find_frame(c, &f)) {
        buf_adds(out, ": nothing was measured.</figcaption></figure>\n");
        return;
    }
    buf_printf(out, "</figcaption>\n<svg role=\"img\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                    "height=\"%d\" aria-label=\"",
               c->width, c->height, c->width, c->height);
    page_escape(out, c->title);
    buf_printf(out, ", from %.4g to %.4g\">\n", f.y0, f.y1);
    add_axes(out, c, &f);
    for (size_t k = 0; k < c->count; k++)
        add_line(out, &c->lines[k], &f);
    buf_adds(out, "</svg>\n</figure>\n");
}
