/* The graph of a run's stages as SVG: layers from left to right, by the longest way to a stage. */
#include <stdio.h>
#include <string.h>

#include "base/page.h"
#include "pipelines/run_page.h"
#include "pipelines/show.h"

enum { BOX_WIDTH = 126, BOX_HEIGHT = 56, GAP_X = 34, GAP_Y = 26, NAME_MOST = 12 };

struct spot {
    size_t layer, row;
};

/* Returns the farthest layer, *rows the most boxes in one. */
static size_t place(const struct plan *p, struct spot *spots, size_t *rows)
{
    size_t far = 0, *used = mem_array(p->count + 1, sizeof *used);

    *rows = 1;
    for (size_t k = 0; k < p->count; k++) {
        size_t i = p->order[k];
        for (size_t e = 0; e < p->stages[i].after_count; e++)
            if (spots[p->stages[i].after[e].from].layer + 1 > spots[i].layer)
                spots[i].layer = spots[p->stages[i].after[e].from].layer + 1;
        spots[i].row = used[spots[i].layer]++;
        far = spots[i].layer > far ? spots[i].layer : far;
        *rows = spots[i].row + 1 > *rows ? spots[i].row + 1 : *rows;
    }
    free(used);
    return far;
}

static int left_of(const struct spot *s) { return 2 + (int)s->layer * (BOX_WIDTH + GAP_X); }
static int top_of(const struct spot *s) { return 4 + (int)s->row * (BOX_HEIGHT + GAP_Y); }

/* How far below the boxes the handles of an arc lie; the arc itself goes down 3/4 of it. */
static int deep_of(const struct spot *a, const struct spot *b)
{
    return b->layer > a->layer + 1 ? 18 + 12 * (int)(b->layer - a->layer) : 0;
}

/* To the next layer straight, farther ones in an arc below the boxes between. */
static void add_edge(struct buf *out, const struct spot *a, const struct spot *b)
{
    int x0 = left_of(a) + BOX_WIDTH, y0 = top_of(a) + BOX_HEIGHT / 2;
    int x1 = left_of(b), y1 = top_of(b) + BOX_HEIGHT / 2, deep;

    if (b->layer == a->layer + 1) {
        buf_printf(out, "<path class=\"edge\" d=\"M%d %dC%d %d %d %d %d %d\"/>"
                        "<path class=\"tip\" d=\"M%d %dl-7 -4v8z\"/>\n", x0, y0,
                   x0 + GAP_X / 2, y0, x1 - GAP_X / 2, y1, x1, y1, x1, y1);
        return;
    }
    deep = deep_of(a, b);
    y0 = top_of(a) + BOX_HEIGHT;
    y1 = top_of(b) + BOX_HEIGHT;
    buf_printf(out, "<path class=\"edge\" d=\"M%d %dC%d %d %d %d %d %d\"/>"
                    "<path class=\"tip\" d=\"M%d %dl-7 3l5 6z\"/>\n", x0 - 30, y0, x0,
               y0 + deep, x1, y1 + deep, x1 + 30, y1, x1 + 30, y1);
}

static void add_box(struct buf *out, const struct run_page *p, size_t i, const struct spot *s)
{
    const char *name = p->args->plan->names[i];
    const char *word = result_word_of(&p->report->now, i);

    buf_printf(out,
               "<a href=\"#stage-%s\"><rect class=\"box %s\" x=\"%d\" y=\"%d\" width=\"%d\" "
               "height=\"%d\" rx=\"6\"/><text class=\"name\" x=\"%d\" y=\"%d\">%.*s%s</text>",
               name, word, left_of(s), top_of(s), BOX_WIDTH, BOX_HEIGHT, left_of(s) + 12,
               top_of(s) + 23, NAME_MOST, name, strlen(name) > NAME_MOST ? "&#8230;" : "");
    buf_printf(out, "<text x=\"%d\" y=\"%d\">%s", left_of(s) + 12, top_of(s) + 42, word);
    if (result_seconds_of(&p->report->now, i) > 0)
        buf_printf(out, ", %.2f s", result_seconds_of(&p->report->now, i));
    buf_adds(out, "</text></a>\n");
}

void run_page_graph(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    struct spot *spots = mem_array(plan->count + 1, sizeof *spots);
    size_t rows, far = place(plan, spots, &rows);
    int width = 4 + (int)far * (BOX_WIDTH + GAP_X) + BOX_WIDTH;
    int height, deepest = 0;

    for (size_t i = 0; i < plan->count; i++)
        for (size_t e = 0; e < plan->stages[i].after_count; e++) {
            const struct spot *from = &spots[plan->stages[i].after[e].from];
            int below = top_of(from) + BOX_HEIGHT + deep_of(from, &spots[i]) * 3 / 4;
            deepest = below > deepest ? below : deepest;
        }
    height = (int)rows * (BOX_HEIGHT + GAP_Y) - GAP_Y + 4;
    height = (deepest > height ? deepest : height) + 6;
    buf_printf(out,
               "<figure class=\"scroll\" role=\"region\" tabindex=\"0\" "
               "aria-label=\"The stages as a graph\"><figcaption>The stages: what reads what"
               "</figcaption>\n<svg role=\"group\" aria-label=\"graph of %zu stages; timings and "
               "lineage say the same in tables\" "
               "viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n",
               plan->count, width, height, width, height);
    for (size_t i = 0; i < plan->count; i++)
        for (size_t e = 0; e < plan->stages[i].after_count; e++)
            add_edge(out, &spots[plan->stages[i].after[e].from], &spots[i]);
    for (size_t k = 0; k < plan->count; k++)
        add_box(out, p, plan->order[k], &spots[plan->order[k]]);
    buf_adds(out, "</svg></figure>\n");
    free(spots);
}
