/*
 * Gates: what was asked of a stage's metrics, and what was found. A gain is drawn with its interval
 * against no gain and the gain that is wanted; what fails is hollow as well as of another colour.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pipelines/report/run_page.h"

enum { WIDTH = 220, HEIGHT = 48, SIDE = 22, MIDDLE = 23, GATES_MOST = 400 };

/* ---- the gain as a drawing ---- */

struct scale {
    double low, high;
};

static double at_x(const struct scale *s, double gain)
{
    return SIDE + (gain - s->low) / (s->high - s->low) * (WIDTH - 2 * SIDE);
}

/* A line where the gain would be that much, and its name. */
static void add_mark(struct buf *out, const struct scale *s, double gain, const char *style,
                     const char *name)
{
    double x = at_x(s, gain);
    bool above = strcmp(style, "wanted") == 0;

    buf_printf(out, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"13\" y2=\"33\"/>"
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>",
               style, x, x, fmin(fmax(x, 4), WIDTH - 4), above ? 9 : HEIGHT - 5,
               x < 60 ? "start" : x > WIDTH - 60 ? "end" : "middle", name);
}

static void add_drawing(struct buf *out, const struct plan_gate *g, const struct gate_result *r)
{
    bool sure = g->confidence > 0;
    double low = sure ? r->low : r->gain, high = sure ? r->high : r->gain;
    struct scale s = { fmin(fmin(low, 0), g->gain), fmax(fmax(high, 0), g->gain) };
    const char *style = r->outcome == GATE_FAILED ? "lost" : "won";

    if (!isfinite(s.low) || !isfinite(s.high))
        return;
    if (!(s.high > s.low))
        s = (struct scale){ s.low - 1, s.high + 1 };
    buf_printf(out, "<svg class=\"gain\" role=\"img\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                    "height=\"%d\" aria-label=\"the gain beside 0 and the wanted gain; the cells "
                    "say the same\">",
               WIDTH, HEIGHT, WIDTH, HEIGHT);
    add_mark(out, &s, 0, "zero", g->gain == 0 ? "no gain, wanted" : "no gain");
    if (g->gain != 0)
        add_mark(out, &s, g->gain, "wanted", "wanted");
    if (sure)
        buf_printf(out, "<path class=\"%s\" d=\"M%.1f %dv10m0 -5H%.1fm0 -5v10\"/>", style,
                   at_x(&s, low), MIDDLE - 5, at_x(&s, high));
    if (r->outcome == GATE_FAILED)
        buf_printf(out, "<path class=\"lost dot\" d=\"M%.1f %dl5 5l-5 5l-5 -5z\"/>",
                   at_x(&s, r->gain), MIDDLE - 5);
    else
        buf_printf(out, "<circle class=\"won dot\" r=\"4\" cx=\"%.1f\" cy=\"%d\"/>",
                   at_x(&s, r->gain), MIDDLE);
    buf_adds(out, "</svg>");
}

/* ---- cells ---- */

static void add_asked(struct buf *out, const struct plan_gate *g)
{
    buf_adds(out, "<td>");
    if (g->has_min)
        buf_printf(out, "at least %.6g%s", g->min, g->has_max ? ", " : "");
    if (g->has_max)
        buf_printf(out, "at most %.6g", g->max);
    if (g->versus != NULL) {
        buf_printf(out, "a gain of at least %.6g over ", g->gain);
        page_code(out, g->versus);
        if (g->confidence > 0)
            buf_printf(out, ", at %.6g %% confidence", 100 * g->confidence);
    }
    buf_adds(out, "</td>");
}

static void add_number(struct buf *out, double x, bool known)
{
    if (known)
        buf_printf(out, "<td class=\"n\">%.6g</td>", x);
    else
        buf_adds(out, "<td class=\"n\">&ndash;</td>");
}

/* Whether the other model was looked at and, with a confidence, enough documents were there. */
static bool has_gain(const struct plan_gate *g, const struct gate_result *r)
{
    return g->versus != NULL && r->outcome != GATE_OPEN
           && (g->confidence > 0 ? r->documents >= GATE_DOCUMENTS_LEAST && r->low <= r->high
                                 : r->other != 0 || r->gain != 0);
}

static void add_gain(struct buf *out, const struct plan_gate *g, const struct gate_result *r)
{
    if (!has_gain(g, r)) {
        buf_adds(out, "<td>&ndash;</td>");
        return;
    }
    buf_printf(out, "<td>%.4g", r->gain);
    if (g->confidence > 0)
        buf_printf(out, " [%.4g, %.4g]<br><span class=\"soft small\">%zu documents</span>",
                   r->low, r->high, r->documents);
    buf_adds(out, "<br>");
    add_drawing(out, g, r);
    buf_adds(out, "</td>");
}

static void add_outcome(struct buf *out, const struct gate_result *r)
{
    static const char *const styles[] = { [GATE_PASSED] = "good", [GATE_FAILED] = "bad",
                                          [GATE_OPEN] = "soft" };

    buf_printf(out, "<td class=\"verdict\"><strong class=\"%s\">%s</strong>", styles[r->outcome],
               gate_outcome_words[r->outcome]);
    buf_adds(out, "<div class=\"soft small\">");
    page_escape(out, r->words);
    buf_adds(out, "</div></td>");
}

static void add_gate(struct buf *out, const struct run_page *p, size_t i, size_t k)
{
    const struct plan_gate *g = &p->args->plan->stages[i].gates[k];
    const struct gate_result *r = p->report->now.turns[i].gates;

    r = r != NULL && r[k].words != NULL ? &r[k] : NULL;
    run_page_row(out, p, i);
    page_cell_text(out, g->metric);
    add_asked(out, g);
    if (r == NULL) {
        buf_adds(out, "<td class=\"n\">&ndash;</td><td class=\"n\">&ndash;</td><td>&ndash;</td>"
                      "<td class=\"soft\">not looked at: the stage did "
                      "not come so far</td></tr>\n");
        return;
    }
    add_number(out, r->value, true);
    add_number(out, r->other, g->versus != NULL && r->outcome != GATE_OPEN && r->other != 0);
    add_gain(out, g, r);
    add_outcome(out, r);
    buf_adds(out, "</tr>\n");
}

bool run_page_has_gates(const struct run_page *p)
{
    for (size_t i = 0; p->report->now.turns != NULL && i < p->args->plan->count; i++)
        if (p->args->plan->stages[i].gate_count > 0)
            return true;
    return false;
}

/* How many of the selected stages' gates have that outcome. */
static size_t count_of(const struct run_page *p, enum gate_outcome outcome)
{
    size_t n = 0;

    for (size_t i = 0; i < p->args->plan->count; i++)
        for (size_t k = 0; p->report->now.turns[i].gates != NULL
                           && k < p->args->plan->stages[i].gate_count; k++)
            n += p->report->now.turns[i].gates[k].words != NULL
                 && p->report->now.turns[i].gates[k].outcome == outcome;
    return n;
}

/* Stages whose gate is shut first. Returns how many rows it wrote. */
static size_t add_gates_of(struct buf *out, const struct run_page *p, bool shut, size_t most)
{
    const struct plan *plan = p->args->plan;
    size_t rows = 0;

    for (size_t o = 0; o < plan->count; o++) {
        size_t i = plan->order[o];
        for (size_t k = 0; k < plan->stages[i].gate_count && rows < most; k++)
            if ((p->report->now.turns[i].state == TURN_GATED) == shut) {
                add_gate(out, p, i, k);
                rows++;
            }
    }
    return rows;
}

void run_page_gates(struct buf *out, const struct run_page *p)
{
    size_t gates = 0, rows;

    if (!run_page_has_gates(p))
        return;
    for (size_t i = 0; i < p->args->plan->count; i++)
        gates += p->args->plan->stages[i].gate_count;
    buf_printf(out, "<section aria-labelledby=\"gates\">\n<h2 id=\"gates\">Gates</h2>\n<p>%zu "
                    "passed, %zu failed, %zu open (there was nothing to be better than). A gain "
                    "counts from the side that is better.</p>\n",
               count_of(p, GATE_PASSED), count_of(p, GATE_FAILED), count_of(p, GATE_OPEN));
    if (gates > RUN_PAGE_FOLD)
        page_more_begin(out, "All gates, shut ones first");
    page_table_begin(out, "broad", "What was asked, and what was found",
                     "stage|metric|asked|#value|#promoted|gain [its interval]|outcome");
    rows = add_gates_of(out, p, true, GATES_MOST);
    rows += add_gates_of(out, p, false, GATES_MOST - rows);
    page_table_end(out);
    if (rows < gates)
        buf_printf(out, "<p class=\"soft small\">%zu of %zu gates are here; "
                        "<code>runs/%s.json</code> has all.</p>\n",
                   rows, gates, p->report->now.id);
    if (gates > RUN_PAGE_FOLD)
        page_more_end(out);
    buf_adds(out, "</section>\n");
}
