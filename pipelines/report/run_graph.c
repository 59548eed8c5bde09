/*
 * The graph of a run's stages as SVG: layers from left to right, by the longest way to a box.
 *
 * A box is a stage. Where there are too many for a reader, a box is all instances of a matrix, with
 * what became of them; where there are still too many, the drawing ends, and says so.
 */
#include <stdio.h>
#include <string.h>

#include "pipelines/plan/name_index.h"
#include "pipelines/report/run_page.h"
#include "pipelines/run/show.h"

enum {
    BOX_WIDTH = 128, BOX_HEIGHT = 56, TALL_HEIGHT = 73, GAP_X = 34, GAP_Y = 24, NAME_MOST = 13,
    STAGES_MOST = 36, ROWS_MOST = 10,      /* drawn one by one */
    BOXES_MOST = 80
};

struct box {
    size_t first, count;         /* stages: instances of one matrix stand behind each other */
    size_t layer, row;
};
struct graph {
    const struct run_page *page;
    struct box *boxes;
    size_t count, drawn;         /* those in front in the order of the plan are drawn */
    size_t *order, *box_of;      /* boxes in the order of the plan; the box of each stage */
    size_t far, rows;
    int height;                  /* of a box: more where names have two lines */
};

/* ---- boxes ---- */

static size_t base_length(const char *name) { return strcspn(name, "["); }

static bool same_matrix(const struct plan *p, size_t i)
{
    size_t n = base_length(p->names[i]);

    return i > 0 && p->names[i][n] == '[' && p->names[i - 1][n] == '['
           && strncmp(p->names[i], p->names[i - 1], n + 1) == 0;
}

static void make_boxes(struct graph *g, bool together)
{
    const struct plan *p = g->page->args->plan;
    bool *seen = mem_array(p->count + 1, sizeof *seen);

    g->count = g->drawn = g->far = g->rows = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (!together || !same_matrix(p, i))
            g->boxes[g->count++] = (struct box){ .first = i };
        g->boxes[g->count - 1].count++;
        g->box_of[i] = g->count - 1;
    }
    for (size_t k = 0; k < p->count; k++) {
        size_t b = g->box_of[p->order[k]];
        if (!seen[b])
            g->order[g->drawn++] = b;
        seen[b] = true;
    }
    free(seen);
}

static void place(struct graph *g)
{
    const struct plan *p = g->page->args->plan;
    size_t *used = mem_array(g->count + 1, sizeof *used);

    for (size_t k = 0; k < p->count; k++) {
        struct box *b = &g->boxes[g->box_of[p->order[k]]];
        for (size_t e = 0; e < p->stages[p->order[k]].after_count; e++) {
            const struct box *from = &g->boxes[g->box_of[p->stages[p->order[k]].after[e].from]];
            if (from != b && from->layer + 1 > b->layer)
                b->layer = from->layer + 1;
        }
    }
    g->drawn = g->count < BOXES_MOST ? g->count : BOXES_MOST;
    for (size_t k = 0; k < g->drawn; k++) {
        struct box *b = &g->boxes[g->order[k]];
        b->row = used[b->layer]++;
        g->far = b->layer > g->far ? b->layer : g->far;
        g->rows = b->row + 1 > g->rows ? b->row + 1 : g->rows;
    }
    free(used);
}

static bool is_drawn(const struct graph *g, size_t box)
{
    for (size_t k = 0; k < g->drawn; k++)
        if (g->order[k] == box)
            return true;
    return false;
}

/* ---- arrows ---- */

static int left_of(const struct box *b) { return 2 + (int)b->layer * (BOX_WIDTH + GAP_X); }
static int top_of(const struct graph *g, const struct box *b)
{
    return 4 + (int)b->row * (g->height + GAP_Y);
}

/* How far below the boxes the handles of an arc lie; the arc itself goes down 3/4 of it. */
static int deep_of(const struct box *a, const struct box *b)
{
    return b->layer > a->layer + 1 ? 18 + 12 * (int)(b->layer - a->layer) : 0;
}

/* To the next layer straight, farther ones in an arc below the boxes between. */
static void add_edge(struct buf *out, const struct graph *g, const struct box *a,
                     const struct box *b)
{
    int x0 = left_of(a) + BOX_WIDTH, y0 = top_of(g, a) + g->height / 2;
    int x1 = left_of(b), y1 = top_of(g, b) + g->height / 2, deep;

    if (b->layer == a->layer + 1) {
        buf_printf(out, "<path class=\"edge\" d=\"M%d %dC%d %d %d %d %d %d\"/>"
                        "<path class=\"tip\" d=\"M%d %dl-7 -4v8z\"/>\n", x0, y0,
                   x0 + GAP_X / 2, y0, x1 - GAP_X / 2, y1, x1, y1, x1, y1);
        return;
    }
    deep = deep_of(a, b);
    y0 = top_of(g, a) + g->height;
    y1 = top_of(g, b) + g->height;
    buf_printf(out, "<path class=\"edge\" d=\"M%d %dC%d %d %d %d %d %d\"/>"
                    "<path class=\"tip\" d=\"M%d %dl-7 3l5 6z\"/>\n", x0 - 30, y0, x0,
               y0 + deep, x1, y1 + deep, x1 + 30, y1, x1 + 30, y1);
}

/* Every arrow between two boxes once. Returns how far down arcs reach. */
static int add_edges(struct buf *out, const struct graph *g)
{
    const struct plan *p = g->page->args->plan;
    struct name_index told = { .arena = g->page->args->arena };
    int deepest = 0;

    for (size_t k = 0; k < g->drawn; k++) {
        const struct box *b = &g->boxes[g->order[k]];
        for (size_t i = b->first; i < b->first + b->count; i++)
            for (size_t e = 0; e < p->stages[i].after_count; e++) {
                size_t from = g->box_of[p->stages[i].after[e].from];
                const struct box *a = &g->boxes[from];
                char pair[64];
                int below;

                snprintf(pair, sizeof pair, "%zu %zu", from, g->order[k]);
                if (a == b || name_index_find(&told, pair) != NAME_NONE || !is_drawn(g, from))
                    continue;
                name_index_add(&told, arena_strdup(told.arena, pair));
                add_edge(out, g, a, b);
                below = top_of(g, a) + g->height + deep_of(a, b) * 3 / 4;
                deepest = below > deepest ? below : deepest;
            }
    }
    return deepest;
}

/* ---- what stands in a box ---- */

/* The stage that speaks for the box: one with trouble, else one that ran, else the first. */
static size_t speaker_of(const struct run_page *p, const struct box *b)
{
    size_t ran = b->first;

    for (size_t i = b->first; i < b->first + b->count; i++) {
        if (run_page_is_bad(p, i))
            return i;
        if (p->report->now.turns != NULL && p->report->now.turns[i].attempt_count > 0
            && strcmp(result_word_of(&p->report->now, ran), "ran") != 0)
            ran = i;
    }
    return ran;
}

/* "3 of 12 failed", "12 cached": the speaker's word, and of how many it is true. */
static void add_state(struct buf *out, const struct run_page *p, const struct box *b, size_t by)
{
    const char *word = result_word_of(&p->report->now, by);
    size_t same = 0;

    if (b->count == 1) {
        buf_adds(out, word);
        if (result_seconds_of(&p->report->now, by) > 0)
            buf_printf(out, ", %.2f s", result_seconds_of(&p->report->now, by));
        return;
    }
    for (size_t i = b->first; i < b->first + b->count; i++)
        same += strcmp(result_word_of(&p->report->now, i), word) == 0;
    if (same < b->count)
        buf_printf(out, "%zu of ", same);
    buf_printf(out, "%zu %s", b->count, word);
}

/* "train" and below it "lr=3e-4", or "train" and below it "12 stages". */
static void add_box(struct buf *out, const struct graph *g, const struct box *b)
{
    const struct plan *p = g->page->args->plan;
    size_t i = speaker_of(g->page, b), n = base_length(p->names[i]);
    const char *name = p->names[i], *inner = name[n] == '[' ? name + n + 1 : "";
    const char *word = result_word_of(&g->page->report->now, i);
    int x = left_of(b), y = top_of(g, b);
    char text[300];

    buf_printf(out, "<a href=\"#stage-%s\"><title>", p->stages[i].slug);
    page_text(out, name, b->count > 1 ? n : strlen(name));
    buf_printf(out, "</title><rect class=\"box %.*s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
                    "rx=\"6\"/><text class=\"name\" x=\"%d\" y=\"%d\">",
               (int)strcspn(word, " "), word, x, y, BOX_WIDTH, g->height, x + 11, y + 23);
    snprintf(text, sizeof text, "%.*s", (int)n, name);
    run_page_cut(out, text, NAME_MOST);
    buf_adds(out, "</text>");
    if (*inner) {
        snprintf(text, sizeof text, "%.*s", (int)strlen(inner) - 1, inner);
        if (b->count > 1)
            snprintf(text, sizeof text, "%zu stages", b->count);
        buf_printf(out, "<text class=\"inner\" x=\"%d\" y=\"%d\">", x + 11, y + 40);
        run_page_cut(out, text, NAME_MOST + 3);
        buf_adds(out, "</text>");
    }
    buf_printf(out, "<text x=\"%d\" y=\"%d\">", x + 11, y + g->height - 14);
    add_state(out, g->page, b, i);
    buf_adds(out, "</text></a>\n");
}

/* ---- the drawing ---- */

static void arrange(struct graph *g)
{
    const struct plan *p = g->page->args->plan;

    g->height = BOX_HEIGHT;
    for (size_t i = 0; i < p->count; i++)
        if (p->names[i][base_length(p->names[i])] == '[')
            g->height = TALL_HEIGHT;
    make_boxes(g, p->count > STAGES_MOST);
    place(g);
    if (g->rows > ROWS_MOST) {
        make_boxes(g, true);
        place(g);
    }
}

static void add_caption(struct buf *out, const struct graph *g)
{
    size_t stages = g->page->args->plan->count;

    buf_adds(out, "<figure class=\"scroll\" role=\"region\" tabindex=\"0\" "
                  "aria-label=\"The stages as a graph\"><figcaption>The stages: what reads what"
                  "</figcaption>\n");
    if (g->count < stages)
        buf_printf(out, "<p class=\"soft small\">%zu stages: all of one matrix are one box.</p>\n",
                   stages);
    if (g->drawn < g->count)
        buf_printf(out, "<p class=\"soft small\">The first %zu boxes of %zu, in the order of the "
                        "plan.</p>\n", g->drawn, g->count);
}

void run_page_graph(struct buf *out, const struct run_page *p)
{
    size_t count = p->args->plan->count;
    struct graph g = { .page = p,
                       .boxes = mem_array(count + 1, sizeof *g.boxes),
                       .order = mem_array(count + 1, sizeof *g.order),
                       .box_of = mem_array(count + 1, sizeof *g.box_of) };
    struct buf edges = { 0 };
    int width, height, deepest;

    arrange(&g);
    deepest = add_edges(&edges, &g);
    width = 4 + (int)g.far * (BOX_WIDTH + GAP_X) + BOX_WIDTH;
    height = (int)g.rows * (g.height + GAP_Y) - GAP_Y + 4;
    height = (deepest > height ? deepest : height) + 6;
    add_caption(out, &g);
    buf_printf(out, "<svg role=\"group\" aria-label=\"graph of %zu stages; timings and lineage say "
                    "the same in tables\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n",
               count, width, height, width, height);
    buf_adds(out, edges.n > 0 ? edges.p : "");
    for (size_t k = 0; k < g.drawn; k++)
        add_box(out, &g, &g.boxes[g.order[k]]);
    buf_adds(out, "</svg></figure>\n");
    buf_release(&edges);
    free(g.boxes);
    free(g.order);
    free(g.box_of);
}
