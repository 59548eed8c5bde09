/* metrics.jsonl of a checkpoint as charts. */
#include <stdio.h>

#include "base/file.h"
#include "base/page.h"
#include "pipelines/report/run_sections.h"

#define POINTS 600
#define LOOKS 24           /* rows of validation losses */
#define MOST_BYTES ((uint64_t)256 << 20)

struct column {
    double *x, *y;
    size_t count, room;
};
enum { LOSS, VALIDATION, RATE, NORM, COLUMNS };
static const char *const keys[] = { "loss", "validation_loss", "lr", "grad_norm" };

static void column_add(struct column *c, double x, double y)
{
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 256;
        c->x = mem_grow(c->x, c->room, sizeof *c->x);
        c->y = mem_grow(c->y, c->room, sizeof *c->y);
    }
    c->x[c->count] = x;
    c->y[c->count++] = y;
}

/* Returns how many lines are no JSON objects. */
static size_t read_columns(const struct buf *text, struct column columns[COLUMNS])
{
    const char *p = text->p, *end = text->p + text->n, *stop;
    size_t bad = 0;

    for (; p < end; p = stop + 1) {
        json_t *line;
        const json_t *value;

        stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        line = json_loadb(p, (size_t)(stop - p), 0, NULL);
        bad += !json_is_object(line);
        for (int k = 0; k < COLUMNS; k++)
            if ((value = json_object_get(line, keys[k])) != NULL)
                column_add(&columns[k], json_number_value(json_object_get(line, "tokens")),
                           json_number_value(value));
        json_decref(line);
    }
    return bad;
}

/* At most POINTS points, each the mean of its neighbours. */
static void thin_out(struct column *c)
{
    size_t step = (c->count + POINTS - 1) / POINTS, n = 0;

    for (size_t i = 0; step > 1 && i < c->count; n++) {
        double x = 0, y = 0;
        size_t taken = 0;

        for (; taken < step && i < c->count; taken++, i++) {
            x += c->x[i];
            y += c->y[i];
        }
        c->x[n] = x / (double)taken;
        c->y[n] = y / (double)taken;
    }
    if (step > 1)
        c->count = n;
}

/* Each point the mean of its neighbours on both sides, a thirtieth of the curve in all. At the
 * beginning, where it is steep, as many on either side as there are, so that it does not lag
 * behind; at the end, where it is flat, those that are left. */
static double *smooth(const struct column *c)
{
    double *out = mem_array(c->count + 1, sizeof *out);
    size_t wide = c->count / 60 + 2;

    for (size_t i = 0; i < c->count; i++) {
        size_t before = i < wide ? i : wide, to_end = c->count - 1 - i;
        size_t behind = to_end < before ? to_end : before;
        double sum = 0;

        for (size_t k = i - before; k <= i + behind; k++)
            sum += c->y[k];
        out[i] = sum / (double)(before + behind + 1);
    }
    return out;
}

static void draw(const struct run_section *s, struct column c[COLUMNS])
{
    double *even;
    struct page_line lines[3], rate, norm;

    for (int k = 0; k < COLUMNS; k++)
        thin_out(&c[k]);
    even = smooth(&c[LOSS]);
    lines[0] = (struct page_line){ c[LOSS].x, c[LOSS].y, c[LOSS].count, "raw", "training" };
    lines[1] = (struct page_line){ c[LOSS].x, even, c[LOSS].count, "smooth",
                                   "training, smoothed" };
    lines[2] = (struct page_line){ c[VALIDATION].x, c[VALIDATION].y, c[VALIDATION].count, "dots",
                                   c[VALIDATION].count ? "validation" : NULL };
    rate = (struct page_line){ c[RATE].x, c[RATE].y, c[RATE].count, "smooth", NULL };
    norm = (struct page_line){ c[NORM].x, c[NORM].y, c[NORM].count, "smooth", NULL };
    page_chart(s->out, &(struct page_chart){ "Loss, nats a token", "tokens", lines, 3, 960, 340 });
    buf_adds(s->out, "<div class=\"pair\">\n");
    page_chart(s->out, &(struct page_chart){ "Learning rate", "tokens", &rate, 1, 468, 200 });
    page_chart(s->out, &(struct page_chart){ "Gradient norm, before clipping", "tokens", &norm, 1,
                                             468, 200 });
    buf_adds(s->out, "</div>\n");
    free(even);
}

/* The dots as numbers, for whoever cannot see them; evenly chosen where they are many. */
static void add_looks(struct buf *out, const struct column *c)
{
    size_t stride = (c->count + LOOKS - 1) / LOOKS;

    if (c->count == 0)
        return;
    page_more_begin(out, "Validation losses");
    page_table_begin(out, "narrow", "Validation losses", "#tokens|#loss, nats a token");
    for (size_t i = (c->count - 1) % stride; i < c->count; i += stride) {
        buf_adds(out, "<tr>");
        page_cell_count(out, c->x[i] > 0 ? (uint64_t)c->x[i] : 0);
        buf_printf(out, "<td class=\"n\">%.4f</td></tr>\n", c->y[i]);
    }
    page_table_end(out);
    page_more_end(out);
}

static void add_summary(const struct run_section *s, const struct column c[COLUMNS])
{
    char parameters[28], tokens[28], steps[28];

    buf_printf(s->out, "<p>%s parameters; %s tokens seen in %s steps.",
               run_section_count(s, "parameters", parameters),
               run_section_count(s, "tokens", tokens), run_section_count(s, "step", steps));
    if (c[LOSS].count > 0)
        buf_printf(s->out, " Last training loss %.4f", c[LOSS].y[c[LOSS].count - 1]);
    if (c[LOSS].count > 0 && c[VALIDATION].count > 0)
        buf_printf(s->out, ", last validation loss %.4f",
                   c[VALIDATION].y[c[VALIDATION].count - 1]);
    buf_adds(s->out, c[LOSS].count > 0 ? " nats a token.</p>\n" : "</p>\n");
}

void run_section_checkpoint(const struct run_section *s)
{
    struct column columns[COLUMNS] = { 0 };
    struct buf text = { 0 }, looks = { 0 };
    size_t bad;

    if (file_read(path_join(s->arena, s->folder, "metrics.jsonl"), MOST_BYTES, &text) != ST_OK) {
        run_section_unreadable(s);
        buf_release(&text);
        return;
    }
    bad = read_columns(&text, columns);
    if (bad > 0)
        buf_printf(s->out, "<p class=\"bad\">metrics.jsonl: %zu lines are damaged.</p>\n", bad);
    add_summary(s, columns);
    add_looks(&looks, &columns[VALIDATION]);      /* before draw() makes means of them */
    draw(s, columns);
    buf_add(s->out, looks.p ? looks.p : "", looks.n);
    buf_release(&looks);
    for (int k = 0; k < COLUMNS; k++) {
        free(columns[k].x);
        free(columns[k].y);
    }
    buf_release(&text);
}
