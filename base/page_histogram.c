/* Histograms of a page. */
#include <math.h>

#include "base/page.h"

enum { WIDTH = 320, HEIGHT = 132, TICK_GAP = 22, LEFT = 6, RIGHT = 314, TOP = 8, BOTTOM = 108 };
enum { SHARE_BARS = 32, DOUBLING_BARS = 4, DOUBLINGS = 48, BARS_MOST = 2 + DOUBLINGS * DOUBLING_BARS };

struct scale {
    bool shares;               /* even, from 0 to 1 */
    bool small;                /* doublings: the first bar is what is 0 or below */
    int first, bars;           /* doublings: the number of the first bar behind that; how many bars there are */
};

/* Doublings: the place of v > 0, a whole number for each quarter of one. */
static double doubling_place(double v)
{
    int exponent;
    double m = frexp(v, &exponent);

    return DOUBLING_BARS * (exponent - 1 + (2 * m - 1));
}

static double place_of(const struct scale *s, double v)
{
    double place;

    if (s->shares)
        return fmin(fmax(v, 0), 1) * SHARE_BARS;
    if (!(v > 0))
        return s->small ? 0.5 : 0;
    place = doubling_place(v) - s->first;
    return s->small + fmin(fmax(place, 0), s->bars - s->small);
}

static int bar_of(const struct scale *s, double from)
{
    int bar = (!s->shares && !(from > 0)) ? 0 : (int)place_of(s, from);

    return bar < s->bars ? bar : s->bars - 1;
}

static bool is_drawn(const struct page_bin *b)
{
    return isfinite(b->from) && isfinite(b->to) && b->kept >= 0 && b->lost >= 0
           && b->kept + b->lost > 0 && b->kept + b->lost < 1e30;
}

static bool find_scale(const struct page_histogram *h, struct scale *s)
{
    double least = INFINITY, most = 0;
    bool any = false;

    *s = (struct scale){ .shares = true, .bars = SHARE_BARS };
    for (size_t i = 0; i < h->count; i++) {
        const struct page_bin *b = &h->bins[i];

        if (!is_drawn(b))
            continue;
        any = true;
        s->shares &= b->from >= 0 && b->from <= 1;
        s->small |= !(b->from > 0);
        if (b->from > 0) {
            least = fmin(least, b->from);
            most = fmax(most, b->from);
        }
    }
    if (s->shares || !any)
        return any;
    if (h->mark_from > 0) {
        least = fmin(least, h->mark_from);
        most = fmax(most, h->mark_to);
    }
    s->first = isfinite(least) ? (int)floor(doubling_place(least)) : 0;
    s->bars = s->small + (most > 0 ? (int)floor(doubling_place(most)) - s->first + 1 : 1);
    if (s->bars > BARS_MOST)
        s->bars = BARS_MOST;
    return true;
}

static double x_of(const struct scale *s, double place)
{
    return LEFT + place * (RIGHT - LEFT) / s->bars;
}

/* ---- drawing ---- */

static void add_rect(struct buf *out, const char *style, double x, double y, double width, double height)
{
    buf_printf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", style, x, y,
               width, height);
}

/* What there is has a height that can be seen. */
static double height_of(double n, double most)
{
    return n > 0 ? fmax(n / most * (BOTTOM - TOP), 1) : 0;
}

static void add_bars(struct buf *out, const struct page_histogram *h, const struct scale *s)
{
    double kept[BARS_MOST] = { 0 }, lost[BARS_MOST] = { 0 }, most = 0, width = x_of(s, 1) - LEFT;

    for (size_t i = 0; i < h->count; i++)
        if (is_drawn(&h->bins[i])) {
            int bar = bar_of(s, h->bins[i].from);

            kept[bar] += h->bins[i].kept;
            lost[bar] += h->bins[i].lost;
            most = fmax(most, kept[bar] + lost[bar]);
        }
    for (int i = 0; i < s->bars; i++) {
        double low = height_of(kept[i], most), high = height_of(lost[i], most);
        double gap = width > 3 ? 0.8 : 0;

        if (low > 0)
            add_rect(out, "kept", x_of(s, i), BOTTOM - low, width - gap, low);
        if (high > 0)
            add_rect(out, "broken", x_of(s, i), fmax(BOTTOM - low - high, 0), width - gap, high);
    }
    buf_adds(out, "\n");
}

/* last: where the one before stands; one that would touch it is left out. */
static void add_tick(struct buf *out, const struct scale *s, double v, double *last)
{
    double x = x_of(s, place_of(s, v));

    if (x - *last < TICK_GAP)
        return;
    *last = x;
    buf_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%.4g%s</text>", x, BOTTOM + 16,
               x < LEFT + 12 ? "start" : x > RIGHT - 12 ? "end" : "middle", v >= 1e6 ? v / 1e6 : v >= 1e4 ? v / 1e3 : v,
               v >= 1e6 ? " M" : v >= 1e4 ? " k" : "");
}

/* Is v > 0 on the axis, with a little room? */
static bool is_on(const struct scale *s, double v)
{
    double place = doubling_place(v) - s->first;

    return place >= 0 && place <= s->bars - s->small;
}

/* Powers of ten; where there are few, their doubles and fives too. */
static void add_ticks(struct buf *out, const struct scale *s)
{
    static const double leads[] = { 1, 2, 5 };
    double last = -TICK_GAP;
    int tens = 0;

    if (s->shares) {
        for (int i = 0; i <= 4; i++)
            add_tick(out, s, i / 4.0, &last);
        return;
    }
    if (s->small)
        add_tick(out, s, 0, &last);
    for (int k = -9; k <= 18; k++)
        tens += is_on(s, pow(10, k));
    for (int k = -9; k <= 18; k++)
        for (int i = 0; i < (tens > 2 ? 1 : 3); i++)
            if (is_on(s, leads[i] * pow(10, k)))
                add_tick(out, s, leads[i] * pow(10, k), &last);
}

static void add_mark(struct buf *out, const struct scale *s, double v)
{
    double x = x_of(s, place_of(s, v));

    if (isfinite(v))
        buf_printf(out, "<line class=\"wanted\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/>\n", x, x, BOTTOM + 3);
}

void page_histogram(struct buf *out, const struct page_histogram *h)
{
    struct scale s;
    bool any = find_scale(h, &s);

    buf_adds(out, "<figure><figcaption>");
    page_escape(out, h->title);
    if (h->note) {
        buf_adds(out, " <span class=\"soft\">");
        page_escape(out, h->note);
        buf_adds(out, "</span>");
    }
    buf_adds(out, any ? "</figcaption>\n" : ": nothing was measured.</figcaption></figure>\n");
    if (!any)
        return;
    buf_printf(out, "<svg class=\"half\" role=\"img\" viewBox=\"0 0 %d %d\" aria-label=\"histogram of ", WIDTH, HEIGHT);
    page_escape(out, h->title);
    buf_printf(out, "\"><line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", LEFT, RIGHT, BOTTOM, BOTTOM);
    add_bars(out, h, &s);
    add_ticks(out, &s);
    add_mark(out, &s, h->mark_from);
    if (h->mark_to != h->mark_from)
        add_mark(out, &s, h->mark_to);
    buf_adds(out, "</svg></figure>\n");
}
