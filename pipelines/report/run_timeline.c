/*
 * When each attempt of a run was at work: a row a stage, a bar an attempt, time from left to right.
 *
 * Colour is never alone: an attempt that failed is hollow and ends in a cross, one that was stopped
 * is hollow and dashed, a stage that was cached is a diamond. The tables behind the drawing say the
 * same in numbers.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pipelines/report/run_page.h"
#include "pipelines/run/show.h"

enum {
    WIDTH = 960, LEFT = 196, RIGHT = 128,      /* names to the left, words behind bars */
    TOP = 30, ROW = 27, BAR = 15,
    ROWS_MOST = 60, CACHED_MOST = 8, NAME_MOST = 25, TICKS_MOST = 8, CHAIN_MOST = 8
};

struct lane {
    size_t stage;
    double begun, seconds;
    bool bad;
};
struct lanes {
    struct lane *v;              /* those drawn, in the order in which they began */
    size_t count, ran, cached;
    double end;                  /* seconds after the run's begin */
    bool failed, stopped, paused;      /* what the key must explain */
};

static bool is_cached(const struct run_page *p, size_t i)
{
    return strcmp(result_word_of(&p->report->now, i), "cached") == 0;
}

/* ---- what is drawn ---- */

static int by_weight(const void *x, const void *y)
{
    const struct lane *a = x, *b = y;

    if (a->bad != b->bad)
        return a->bad ? -1 : 1;
    return a->seconds != b->seconds ? (a->seconds > b->seconds ? -1 : 1) : 0;
}

static int by_begin(const void *x, const void *y)
{
    const struct lane *a = x, *b = y;

    if (a->begun != b->begun)
        return a->begun < b->begun ? -1 : 1;
    return a->stage < b->stage ? -1 : a->stage > b->stage;
}

static void look_at_attempts(struct lanes *l, const struct run_page *p, const struct turn *t)
{
    for (size_t k = 0; k < t->attempt_count; k++) {
        const struct attempt *a = &t->attempts[k];
        bool last = k + 1 == t->attempt_count;

        l->end = fmax(l->end, a->begun + a->end.seconds);
        l->failed |= a->cause >= 0 || (last && t->state == TURN_FAILED);
        l->stopped |= last && t->state == TURN_STOPPED;
        l->paused |= !last;
    }
}

/* Those with trouble, then those that took longest, as many as there is room for. */
static struct lanes choose(const struct run_page *p)
{
    const struct run_now *now = &p->report->now;
    struct lanes l = { mem_array(now->plan->count + 1, sizeof *l.v), 0, 0, 0, 0, 0, 0, 0 };

    for (size_t i = 0; i < now->plan->count; i++) {
        const struct turn *t = &now->turns[i];
        l.cached += is_cached(p, i);
        if (t->attempt_count == 0)
            continue;
        look_at_attempts(&l, p, t);
        l.v[l.ran++] = (struct lane){ i, t->attempts[0].begun, result_seconds_of(now, i),
                                      run_page_is_bad(p, i) };
    }
    qsort(l.v, l.ran, sizeof *l.v, by_weight);
    l.count = l.ran < ROWS_MOST ? l.ran : ROWS_MOST;
    qsort(l.v, l.count, sizeof *l.v, by_begin);
    return l;
}

/* ---- how much at a time ---- */

struct moment {
    double at;
    int more;
};

static int by_time(const void *x, const void *y)
{
    const struct moment *a = x, *b = y;

    return a->at != b->at ? (a->at < b->at ? -1 : 1) : a->more - b->more;
}

/* The most attempts that were at work at one time. */
static int side_by_side(const struct run_now *now, double *work)
{
    struct moment *all;
    size_t n = 0, attempts = 0;
    int here = 0, most = 0;

    for (size_t i = 0; i < now->plan->count; i++)
        attempts += now->turns[i].attempt_count;
    all = mem_array(2 * attempts + 1, sizeof *all);
    *work = 0;
    for (size_t i = 0; i < now->plan->count; i++)
        for (size_t k = 0; k < now->turns[i].attempt_count; k++) {
            const struct attempt *a = &now->turns[i].attempts[k];
            *work += a->end.seconds;
            all[n++] = (struct moment){ a->begun, 1 };
            all[n++] = (struct moment){ a->begun + a->end.seconds, -1 };
        }
    qsort(all, n, sizeof *all, by_time);
    for (size_t k = 0; k < n; k++) {
        here += all[k].more;
        most = here > most ? here : most;
    }
    free(all);
    return most;
}

static void add_summary(struct buf *out, const struct run_page *p, const struct lanes *l)
{
    double work;
    int most = side_by_side(&p->report->now, &work);
    char worked[32], took[32];

    buf_printf(out, "<p>%zu stage%s ran, at most %d at a time: %s of work in %s.", l->ran,
               l->ran == 1 ? "" : "s", most, run_page_duration(worked, work),
               run_page_duration(took, l->end));
    if (l->count < l->ran)
        buf_printf(out, " The drawing has %zu of them: those with trouble, and those that took "
                        "longest. The table has all.", l->count);
    buf_adds(out, "</p>\n");
}

/* ---- what held it up ---- */

/* When each stage was settled: its last attempt's end, or, of one that took no time, the end of
 * what it waited for; -1: at once. */
static double *settled_times(const struct run_now *now)
{
    const struct plan *plan = now->plan;
    double *at = mem_array(plan->count + 1, sizeof *at);

    for (size_t o = 0; o < plan->count; o++) {
        size_t i = plan->order[o];
        const struct turn *t = &now->turns[i];

        at[i] = -1;
        for (size_t k = 0; k < plan->stages[i].after_count && t->attempt_count == 0; k++)
            at[i] = fmax(at[i], at[plan->stages[i].after[k].from]);
        if (t->attempt_count > 0)
            at[i] = t->attempts[t->attempt_count - 1].begun
                    + t->attempts[t->attempt_count - 1].end.seconds;
    }
    return at;
}

/* Of those in front of the stage the one that was settled last; PLAN_OUTSIDE: none took time. */
static size_t waited_for(const struct plan_stage *s, const double *at)
{
    size_t last = PLAN_OUTSIDE;

    for (size_t k = 0; k < s->after_count; k++) {
        size_t from = s->after[k].from;
        if (at[from] >= 0 && (last == PLAN_OUTSIDE || at[from] > at[last]))
            last = from;
    }
    return last;
}

/* From the stage that ended last back to one that waited for none: a faster run needs one of these
 * to be faster. */
static void add_chain(struct buf *out, const struct run_page *p)
{
    const struct run_now *now = &p->report->now;
    size_t *chain = mem_array(now->plan->count + 1, sizeof *chain), n = 0, last = PLAN_OUTSIDE;
    double work = 0, *at = settled_times(now);
    char took[32];

    for (size_t i = 0; i < now->plan->count; i++)
        if (now->turns[i].attempt_count > 0 && (last == PLAN_OUTSIDE || at[i] > at[last]))
            last = i;
    for (size_t i = last; i != PLAN_OUTSIDE; i = waited_for(&now->plan->stages[i], at)) {
        work += result_seconds_of(now, i);
        chain[n++] = i;
    }
    if (n > 1) {
        buf_printf(out, "<p>What its end waited for (%s of work): ", run_page_duration(took, work));
        if (n > CHAIN_MOST)
            buf_printf(out, "%zu stages, &#8594; ", n - CHAIN_MOST);
        for (size_t k = n < CHAIN_MOST ? n : CHAIN_MOST; k > 0; k--) {
            run_page_link(out, p, chain[k - 1]);
            buf_adds(out, k > 1 ? " &#8594; " : ".</p>\n");
        }
    }
    free(chain);
    free(at);
}

/* ---- the axis ---- */

/* Round steps of time, so that there are few enough of them. */
static double time_step(double range)
{
    static const double steps[] = { 0.01, 0.02, 0.05, 0.1, 0.2,  0.5,  1,    2,     5,     10,
                                    15,   30,   60,   120, 300,  600,  900,  1800,  3600,  7200,
                                    10800, 21600, 43200, 86400 };
    double step = 0;

    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
        if ((step = steps[k]) * TICKS_MOST >= range)
            return step;
    while (step * TICKS_MOST < range)
        step *= 2;
    return step;
}

static double at_x(const struct lanes *l, double seconds)
{
    return LEFT + seconds / l->end * (WIDTH - LEFT - RIGHT);
}

static void add_axis(struct buf *out, const struct lanes *l, int height)
{
    double step = time_step(l->end), unit = step < 60 ? 1 : step < 3600 ? 60 : 3600;
    const char *name = step < 60 ? "s" : step < 3600 ? "min" : "h";

    for (int k = 0; k <= TICKS_MOST && k * step <= l->end * (1 + 1e-9); k++) {
        double x = at_x(l, k * step);
        buf_printf(out, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                        "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g %s</text>\n",
                   x, x, TOP - 8, height, x, TOP - 14, k * step / unit, name);
    }
}

/* ---- rows ---- */

static const char *ending_class(const struct turn *t, size_t k)
{
    bool last = k + 1 == t->attempt_count;

    if (!last || t->state == TURN_FAILED)
        return "fell";
    return t->state == TURN_STOPPED ? "cut" : "span";
}

static void add_attempt(struct buf *out, const struct lanes *l, const struct turn *t, size_t k,
                        int y)
{
    const struct attempt *a = &t->attempts[k];
    const char *style = ending_class(t, k);
    double x = at_x(l, a->begun), wide = fmax(3, at_x(l, a->begun + a->end.seconds) - x);
    char took[32];

    buf_printf(out, "<g><title>attempt %lld, %s, from %.2f s on: %s</title>"
                    "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
                    "rx=\"2\"/>",
               a->number, run_page_duration(took, a->end.seconds), a->begun,
               *style == 's' ? "came through" : *style == 'c' ? "stopped" : "failed", style, x, y,
               wide, BAR);
    if (*style == 'f')      /* a cross where it ended */
        buf_printf(out, "<path class=\"cross\" d=\"M%.1f %dl9 9m0 -9l-9 9\"/>", x + wide - 4.5,
                   y + (BAR - 9) / 2);
    buf_adds(out, "</g>");
    if (k > 0) {
        const struct attempt *b = &t->attempts[k - 1];
        double from = at_x(l, b->begun + b->end.seconds) + 7;
        if (x - from > 2)
            buf_printf(out, "<path class=\"pause\" d=\"M%.1f %.1fH%.1f\"/>", from,
                       y + BAR / 2.0, x);
    }
}

static void add_words(struct buf *out, const struct run_page *p, size_t i)
{
    const struct turn *t = &p->report->now.turns[i];
    const struct attempt *a = &t->attempts[t->attempt_count - 1];
    char took[32];

    if (t->state == TURN_FAILED && a->cause >= 0)
        buf_printf(out, a->cause == CAUSE_EXIT ? "%s %d, " : "%s, ", fail_cause_words[a->cause],
                   a->end.code);
    else if (run_page_is_bad(p, i))
        buf_printf(out, "%s, ", t->state == TURN_GATED ? "gate shut" : turn_state_word(t->state));
    buf_adds(out, run_page_duration(took, a->end.seconds));
}

static void add_name(struct buf *out, const struct run_page *p, size_t i, int y)
{
    const struct plan_stage *s = &p->args->plan->stages[i];

    buf_printf(out, "<a href=\"#stage-%s\"><text class=\"label\" x=\"0\" y=\"%d\">", s->slug,
               y + 12);
    run_page_cut(out, s->name, NAME_MOST);
    buf_adds(out, "<title>");
    page_escape(out, s->name);
    buf_adds(out, "</title></text></a>");
}

static void add_lane(struct buf *out, const struct run_page *p, const struct lanes *l, size_t row)
{
    size_t i = l->v[row].stage;
    const struct turn *t = &p->report->now.turns[i];
    const struct attempt *last = &t->attempts[t->attempt_count - 1];
    int y = TOP + (int)row * ROW;

    add_name(out, p, i, y);
    for (size_t k = 0; k < t->attempt_count; k++)
        add_attempt(out, l, t, k, y);
    buf_printf(out, "<text x=\"%.1f\" y=\"%d\">",
               fmax(at_x(l, last->begun + last->end.seconds), at_x(l, last->begun) + 3)
                   + (t->state == TURN_FAILED ? 10 : 6),
               y + 12);
    add_words(out, p, i);
    buf_adds(out, "</text>\n");
}

static void add_diamond(struct buf *out, double x, double y)
{
    buf_printf(out, "<path class=\"had\" d=\"M%.1f %.1fl6 6l-6 6l-6 -6z\"/>", x, y);
}

/* Cached stages need no time: a mark at the begin, for each or, of many, for all. Returns how many
 * rows that is. */
static size_t add_cached(struct buf *out, const struct run_page *p, const struct lanes *l)
{
    const struct plan *plan = p->args->plan;
    size_t rows = 0;
    int y = TOP + (int)l->count * ROW;

    if (l->cached > CACHED_MOST) {
        buf_printf(out, "<text class=\"label\" x=\"0\" y=\"%d\">%zu stages</text>", y + 12,
                   l->cached);
        add_diamond(out, LEFT, y + 1.5);
        buf_printf(out, "<text x=\"%d\" y=\"%d\">cached</text>\n", LEFT + 12, y + 12);
        return 1;
    }
    for (size_t k = 0; k < plan->count; k++) {
        if (!is_cached(p, plan->order[k]))
            continue;
        add_name(out, p, plan->order[k], y);
        add_diamond(out, LEFT, y + 1.5);
        buf_printf(out, "<text x=\"%d\" y=\"%d\">cached</text>\n", LEFT + 12, y + 12);
        y += ROW;
        rows++;
    }
    return rows;
}

/* ---- the drawing ---- */

static void add_key(struct buf *out, const struct lanes *l)
{
    static const char box[] = "<svg viewBox=\"0 0 22 10\" aria-hidden=\"true\">";

    buf_printf(out, "<p class=\"key\"><span>%s<rect class=\"span\" x=\"1\" y=\"1\" width=\"20\" "
                    "height=\"8\" rx=\"2\"/></svg>an attempt that came through</span>\n", box);
    if (l->failed)
        buf_printf(out, "<span>%s<rect class=\"fell\" x=\"1\" y=\"1\" width=\"16\" height=\"8\" "
                        "rx=\"2\"/><path class=\"cross\" d=\"M13 1l8 8m0 -8l-8 8\"/></svg>"
                        "failed</span>\n", box);
    if (l->stopped)
        buf_printf(out, "<span>%s<rect class=\"cut\" x=\"1\" y=\"1\" width=\"20\" height=\"8\" "
                        "rx=\"2\"/></svg>stopped</span>\n", box);
    if (l->paused)
        buf_printf(out, "<span>%s<path class=\"pause\" d=\"M0 5H22\"/></svg>a wait before the next "
                        "attempt</span>\n", box);
    if (l->cached > 0)
        buf_printf(out, "<span>%s<path class=\"had\" d=\"M11 0l5 5l-5 5l-5 -5z\"/></svg>"
                        "cached</span>\n", box);
    buf_adds(out, "<span>across: time since the run began</span></p>\n");
}

void run_page_timeline(struct buf *out, const struct run_page *p)
{
    struct buf rows = { 0 };
    struct lanes l;
    int height;

    if (p->report->now.turns == NULL)
        return;
    l = choose(p);
    l.end = l.end > 0 ? l.end : 1;
    if (l.ran > 0) {
        for (size_t k = 0; k < l.count; k++)
            add_lane(&rows, p, &l, k);
        height = TOP + ROW * (int)(l.count + add_cached(&rows, p, &l)) - 4;
        add_summary(out, p, &l);
        add_chain(out, p);
        buf_adds(out, "<figure class=\"scroll\" role=\"region\" tabindex=\"0\" "
                      "aria-label=\"When each stage ran\"><figcaption>When each stage ran"
                      "</figcaption>\n");
        add_key(out, &l);
        buf_printf(out, "<svg role=\"group\" aria-label=\"bars of %zu stages over time; the tables "
                        "below say the same\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                        "height=\"%d\">\n", l.count, WIDTH, height, WIDTH, height);
        add_axis(out, &l, height);
        buf_add(out, rows.p, rows.n);
        buf_adds(out, "</svg></figure>\n");
    }
    buf_release(&rows);
    free(l.v);
}
