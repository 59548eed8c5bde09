#include <math.h>

#include "base/page.h"

enum { TICK_GAP = 64, TICKS_MOST = 20 };     /* the gap in the drawing's units */
enum { LARGE = 600 };                        /* from this width on it is much larger than a phone */

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
    if (!(f->y1 - f->y0 > 1e-9 * fabs(f->y1))) {
        f->y1 += f->y0 != 0 ? fabs(f->y0) / 10 : 1;
        f->y0 -= fabs(f->y0) / 10;
    }
    step = round_step(f->y1 - f->y0, height);
    f->y0 = floor(f->y0 / step + 1e-6) * step;
    f->y1 = ceil(f->y1 / step - 1e-6) * step;
}

static bool find_frame(const struct page_chart *c, struct frame *f)
{
    *f = (struct frame){ INFINITY, -INFINITY, INFINITY, -INFINITY, 64,
                         c->width - 40, 18, c->height - 34 };
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
        buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" dy=\"1.3em\" text-anchor=\"middle\">",
                   at_x(f, (first + i) * step), f->bottom);
        add_short(out, (first + i) * step);
        buf_adds(out, "</text>\n");
    }
}

static void add_dot(struct buf *out, const struct frame *f, double x, double y)
{
    buf_printf(out, "<circle class=\"dots\" r=\"4\" cx=\"%.1f\" cy=\"%.1f\"><title>%.4g at ",
               at_x(f, x), at_y(f, y), y);
    add_short(out, x);
    buf_adds(out, "</title></circle>\n");
}

static void add_line(struct buf *out, const struct page_line *l, const struct frame *f)
{
    bool dots = strcmp(l->style, "dots") == 0;

    if (!dots)
        buf_printf(out, "<polyline class=\"%s\" points=\"", l->style);
    for (size_t i = 0; i < l->count; i++) {
        if (!isfinite(l->x[i]) || !isfinite(l->y[i]))
            continue;
        if (dots)
            add_dot(out, f, l->x[i], l->y[i]);
        else
            buf_printf(out, "%.1f,%.1f ", at_x(f, l->x[i]), at_y(f, l->y[i]));
    }
    if (!dots)
        buf_adds(out, "\"/>\n");
}

/* What each line is, and what it is drawn over. */
static void add_key(struct buf *out, const struct page_chart *c)
{
    buf_adds(out, "<p class=\"key\">");
    for (size_t k = 0; k < c->count; k++) {
        if (c->lines[k].name == NULL)
            continue;
        buf_adds(out, "<span><svg viewBox=\"0 0 22 10\" aria-hidden=\"true\">");
        if (strcmp(c->lines[k].style, "dots") == 0)
            buf_adds(out, "<circle class=\"dots\" r=\"4\" cx=\"11\" cy=\"5\"/>");
        else
            buf_printf(out, "<path class=\"%s\" d=\"M0 5H22\"/>", c->lines[k].style);
        buf_adds(out, "</svg>");
        page_escape(out, c->lines[k].name);
        buf_adds(out, "</span>\n");
    }
    buf_adds(out, "<span>across: ");
    page_escape(out, c->x_name);
    buf_adds(out, "</span></p>\n");
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
    buf_adds(out, "</figcaption>\n");
    add_key(out, c);
    buf_printf(out, "<svg class=\"%s\" role=\"img\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                    "height=\"%d\" aria-label=\"",
               c->width > LARGE ? "large" : "half", c->width, c->height, c->width, c->height);
    page_escape(out, c->title);
    buf_printf(out, ", from %.4g to %.4g\">\n", f.y0, f.y1);
    widen(&f, c->height);
    add_axes(out, c, &f);
    for (size_t k = 0; k < c->count; k++)
        add_line(out, &c->lines[k], &f);
    buf_adds(out, "</svg>\n</figure>\n");
}
