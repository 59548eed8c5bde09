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
    ".narrow { width: auto; min-width: 24rem; } .small { font-size: .8rem; }\n"
    ".pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); "
    "gap: 0 1.5rem; }\n.pair > div { min-width: 0; } .pair pre { margin-bottom: 0; }\n"
    "td, code, pre { unicode-bidi: isolate; }\n"
    "svg { max-width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; }\n"
    "svg .axis { stroke: var(--line); } svg .raw { stroke: var(--bar); opacity: .45; fill: none }\n"
    "svg .smooth { stroke: var(--bar); stroke-width: 2; fill: none; } "
    "svg .dots { fill: var(--lost); }\n"
    "svg .box { fill: var(--card); stroke: var(--line); } "
    "svg .edge { stroke: var(--soft); fill: none; }\n"
    "svg .name { fill: var(--ink); font-size: 14px; font-weight: 600; }\n"
    "svg .failed { stroke: var(--lost); stroke-width: 2; } svg .ran { stroke: var(--bar); }\n"
    "@media print { body { font-size: 10.5pt; }\n  :root { --ink: #000; --soft: #444; "
    "--line: #bbb; --page: #fff; --card: #fff; "
    "--bar: #2f6f8f;\n  --lost: #a8501c; --good: #2d6a3e; } main { margin: 0; max-width: none; } "
    "* { print-color-adjust: exact; } h2, h3, h4 { break-after: avoid; }\n  "
    "figure, tr { break-inside: avoid; } .scroll { overflow: visible; }\n  "
    ".scroll svg { max-width: 100%; } }\n";

void page_begin(struct buf *out, const char *title)
{
    buf_adds(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" "
                  "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<title>");
    page_escape(out, title);
    buf_printf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<h1>", style);
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

enum { TICK_GAP = 64, TICKS_MOST = 20 };     /* the gap in the drawing's units */

struct frame {
    double x0, x1, y0, y1;            /* of the data */
    double left, right, top, bottom;  /* of the drawing */
};

/* 1, 2 or 5 times a power of ten, so that steps over the range stand about TICK_GAP apart on a
 * drawing of that size. */
static double round_step(double range, int size)
{
    double rough = range / (size > 2 * TICK_GAP ? (double)size / TICK_GAP : 2);
    double power = pow(10, floor(log10(rough))), lead = rough / power;

    return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

/* To round numbers, so that the curve lies between two ticks; flat curves get room. */
static void widen(struct frame *f, int height)
{
    double step;

    if (!(f->x1 - f->x0 > 1e-9 * fabs(f->x1)))
        f->x1 = f->x0 + fmax(1, fabs(f->x0));
    if (!(f->y1 - f->y0 > 1e-9 * fabs(f->y1)))
        f->y1 = f->y0 + (f->y0 != 0 ? fabs(f->y0) : 1);
    step = round_step(f->y1 - f->y0, height);
    f->y0 = floor(f->y0 / step + 1e-6) * step;
    f->y1 = ceil(f->y1 / step - 1e-6) * step;
}

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
    return f->x0 <= f->x1;
}

static double at_x(const struct frame *f, double x)
{
    return f->left + (x - f->x0) / (f->x1 - f->x0) * (f->right - f->left);
}

static double at_y(const struct frame *f, double y)
{
    return f->bottom - (y - f->y0) / (f->y1 - f->y0) * (f->bottom - f->top);
}

/* "0.25", "100 k", "1.5 M" */
static void add_short(struct buf *out, double x)
{
    double far = fabs(x), unit = far >= 1e6 ? 1e6 : far >= 1e4 ? 1e3 : 1;

    buf_printf(out, "%.6g%s", x / unit, unit > 1e3 ? " M" : unit > 1 ? " k" : "");
}

/* The first multiple of step at or behind from, and so on; ticks at round numbers only. */
static void add_axes(struct buf *out, const struct page_chart *c, const struct frame *f)
{
    double step = round_step(f->y1 - f->y0, c->height), first = ceil(f->y0 / step - 1e-6);

    for (int i = 0; i <= TICKS_MOST && (first + i) * step <= f->y1 + step * 1e-6; i++) {
        double y = at_y(f, (first + i) * step);
        buf_printf(out,
                   "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                   "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
                   f->left, f->right, y, y, f->left - 8, y + 4);
        add_short(out, (first + i) * step);
        buf_adds(out, "</text>\n");
    }
    step = round_step(f->x1 - f->x0, c->width / 2);
    first = ceil(f->x0 / step - 1e-6);
    for (int i = 0; i <= TICKS_MOST && (first + i) * step <= f->x1 + step * 1e-6; i++) {
        buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
                   at_x(f, (first + i) * step), f->bottom + 16);
        add_short(out, (first + i) * step);
        buf_adds(out, "</text>\n");
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
    widen(&f, c->height);
    add_axes(out, c, &f);
    for (size_t k = 0; k < c->count; k++)
        add_line(out, &c->lines[k], &f);
    buf_adds(out, "</svg>\n</figure>\n");
}
