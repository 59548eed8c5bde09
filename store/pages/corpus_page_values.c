/* What rules measured, as histograms. */
#include <math.h>

#include "store/pages/corpus_page_part.h"

#define BINS_MOST 4096
#define SWATCH(style) \
    "<svg viewBox=\"0 0 22 10\" aria-hidden=\"true\"><rect class=\"" style "\" width=\"22\" height=\"10\"/></svg>"

struct totals {
    double kept, broken;
};

static double item_real(const json_t *row, size_t i) { return json_number_value(json_array_get(row, i)); }

static struct totals totals_of(const json_t *values)
{
    struct totals t = { 0 };
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(values, "bins"), i, row) {
        t.kept += item_real(row, 2);
        t.broken += item_real(row, 3);
    }
    return t;
}

static uint64_t whole(double n) { return n > 0 && n < 1e18 ? (uint64_t)n : 0; }

static bool only_tells(const json_t *values)
{
    const char *side = member_text(values, "side");

    return side && strcmp(side, "tells") == 0;
}

/* "12 of 3,400 broke it; want at least 50" */
static char *note_of(struct arena *a, const json_t *values, struct totals t)
{
    const char *side = member_text(values, "side"), *meaning = member_text(values, "meaning");
    double low = member_real(values, "threshold_min"), high = member_real(values, "threshold_max");
    char broken[28], all[28], from[28], to[28], want[100] = "";

    if (side && strcmp(side, "tells") != 0)
        snprintf(want, sizeof want, "; want at %s %s%s%s", strcmp(side, "at_least") == 0 ? "least" : "most",
                 page_number(low, from), low < high ? " to " : "", low < high ? page_number(high, to) : "");
    if (only_tells(values))
        return arena_printf(a, "%s; %s documents", meaning ? meaning : "", str_count(whole(t.kept + t.broken), all));
    return arena_printf(a, "%s. %s of %s broke it%s", meaning ? meaning : "", str_count(whole(t.broken), broken),
                        str_count(whole(t.kept + t.broken), all), want);
}

static void draw(struct buf *out, const json_t *values)
{
    const json_t *list = json_object_get(values, "bins"), *row;
    const char *side = member_text(values, "side");
    size_t n = json_array_size(list) < BINS_MOST ? json_array_size(list) : BINS_MOST, i;
    bool wants = side && strcmp(side, "tells") != 0;
    struct page_bin *bins = mem_array(n + 1, sizeof *bins);
    struct arena a;

    arena_init(&a);
    json_array_foreach(list, i, row)
        if (i < n)
            bins[i] = (struct page_bin){ item_real(row, 0), item_real(row, 1), item_real(row, 2), item_real(row, 3) };
    page_histogram(out, &(struct page_histogram){
        .title = member_text(values, "rule"), .note = note_of(&a, values, totals_of(values)),
        .bins = bins, .count = n,
        .mark_from = wants ? member_real(values, "threshold_min") : NAN,
        .mark_to = wants ? member_real(values, "threshold_max") : NAN,
    });
    arena_release(&a);
    free(bins);
}

/* Those that some document broke, or that only tell a score; or the others. */
static size_t draw_those(struct buf *out, const json_t *list, bool broken)
{
    const json_t *values;
    size_t i, n = 0;

    json_array_foreach(list, i, values) {
        if ((totals_of(values).broken > 0 || only_tells(values)) != broken)
            continue;
        n++;
        if (out)
            draw(out, values);
    }
    return n;
}

static void step_values(struct buf *out, const json_t *step, bool is_first)
{
    const json_t *list = json_object_get(step, "values");
    size_t broken = draw_those(NULL, list, true), others = draw_those(NULL, list, false);
    char title[80];

    if (broken + others == 0)
        return;
    if (is_first)
        buf_adds(out, "<h3>What the rules measured</h3>\n<p class=\"soft small\">Each drawing has the documents that a "
                      "rule was asked about.</p>\n<p class=\"key\">"
                      "<span>" SWATCH("kept") "passed the rule</span> <span>" SWATCH("broken") "broke it</span> <span>"
                      "<svg viewBox=\"0 0 22 10\" aria-hidden=\"true\"><path class=\"wanted\" d=\"M11 0V10\"/></svg>"
                      "threshold</span></p>\n");
    buf_adds(out, "<h4>");
    page_escape(out, member_text(step, "step"));
    buf_adds(out, "</h4>\n");
    buf_adds(out, "<div class=\"grid\">\n");
    draw_those(out, list, true);
    buf_adds(out, "</div>\n");
    if (others == 0)
        return;
    snprintf(title, sizeof title, "%zu rule%s that no document broke", others, others == 1 ? "" : "s");
    page_more_begin(out, title);
    buf_adds(out, "<div class=\"grid\">\n");
    draw_those(out, list, false);
    buf_adds(out, "</div>\n");
    page_more_end(out);
}

void corpus_page_values(struct buf *out, const json_t *json)
{
    const json_t *step;
    bool is_first = true;
    size_t i;

    json_array_foreach(json_object_get(json, "steps"), i, step) {
        size_t before = out->n;

        step_values(out, step, is_first);
        is_first &= out->n == before;
    }
}
