/* What a run did not have to do again. */
#include <stdio.h>
#include <string.h>

#include "pipelines/report/run_page.h"
#include "pipelines/run/show.h"

enum { ROWS_MOST = 1000 };

static bool is_saved(const struct run_page *p, size_t i)
{
    return p->report->now.turns != NULL && p->report->now.turns[i].attempt_count == 0
           && strcmp(result_word_of(&p->report->now, i), "cached") == 0;
}

/* The success that it is cached from; NULL if the journal does not know it. */
static const json_t *success_of(const struct run_page *p, size_t i)
{
    return journal_done(p->report->journal, p->args->plan->names[i],
                        p->report->survey.views[i].key);
}

bool run_page_has_savings(const struct run_page *p)
{
    for (size_t i = 0; i < p->args->plan->count; i++)
        if (is_saved(p, i))
            return true;
    return false;
}

static void add_summary(struct buf *out, const struct run_page *p)
{
    size_t saved = 0, unknown = 0;
    double seconds = 0;
    char took[32];

    for (size_t i = 0; i < p->args->plan->count; i++) {
        const json_t *took_then;
        if (!is_saved(p, i))
            continue;
        saved++;
        took_then = json_object_get(success_of(p, i), "seconds");
        unknown += !json_is_number(took_then);
        seconds += json_number_value(took_then);
    }
    buf_printf(out, "<p>%zu of %zu stages had their result already. Making it took %s", saved,
               p->args->plan->count, run_page_duration(took, seconds));
    if (unknown > 0)
        buf_printf(out, ", beside %zu of which the time is not known", unknown);
    buf_adds(out, ": that was saved.</p>\n");
}

static void add_row(struct buf *out, const struct run_page *p, size_t i, double most)
{
    const json_t *done = success_of(p, i), *seconds = json_object_get(done, "seconds");
    char when[32];

    run_page_row(out, p, i);
    if (json_is_number(seconds))
        buf_printf(out, "<td class=\"n\">%.2f</td>", json_number_value(seconds));
    else
        buf_adds(out, "<td class=\"n\">&ndash;</td>");
    page_cell_text(out, json_is_number(json_object_get(done, "t"))
                            ? run_page_time(when, json_number_value(json_object_get(done, "t")))
                            : "not known");
    page_cell_bar(out, json_number_value(seconds), 0, most);
    buf_adds(out, "</tr>\n");
}

void run_page_savings(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    size_t rows = 0, shown = 0;
    double most = 0;

    if (!run_page_has_savings(p))
        return;
    for (size_t i = 0; i < plan->count; i++) {
        double took = is_saved(p, i)
                          ? json_number_value(json_object_get(success_of(p, i), "seconds")) : 0;
        rows += is_saved(p, i);
        most = took > most ? took : most;
    }
    buf_adds(out, "<section aria-labelledby=\"savings\">\n<h2 id=\"savings\">Saved by the "
                  "cache</h2>\n");
    add_summary(out, p);
    if (rows > RUN_PAGE_FOLD)
        page_more_begin(out, "The cached stages");
    page_table_begin(out, NULL, "Cached stages, and what they took when they ran",
                     "stage|#seconds|done|");
    for (size_t k = 0; k < plan->count && shown < ROWS_MOST; k++)
        if (is_saved(p, plan->order[k])) {
            add_row(out, p, plan->order[k], most);
            shown++;
        }
    page_table_end(out);
    if (shown < rows)
        buf_printf(out, "<p class=\"soft small\">The first %zu of %zu are here; "
                        "<code>runs/%s.json</code> has all.</p>\n", shown, rows,
                   p->report->now.id);
    if (rows > RUN_PAGE_FOLD)
        page_more_end(out);
    buf_adds(out, "</section>\n");
}
