/* What stages took of what they asked for, attempt by attempt, and what the machine had to give. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/platform.h"
#include "pipelines/report/run_page.h"
#include "pipelines/run/show.h"

enum { ATTEMPTS_MOST = 200, ATTEMPTS_OPEN = 24 };     /* rows; above the second they are folded */

static const char none[] = "<td class=\"n\">&ndash;</td>";

/* ---- a stage's attempts, taken together ---- */

struct usage {
    double seconds, longest, cpu;
    uint64_t memory;             /* of the largest process */
};

static struct usage usage_of(const struct turn *t)
{
    struct usage u = { 0 };

    for (size_t k = 0; k < t->attempt_count; k++) {
        const struct job_end *e = &t->attempts[k].end;
        u.seconds += e->seconds;
        u.cpu += e->cpu_seconds;
        u.longest = e->seconds > u.longest ? e->seconds : u.longest;
        u.memory = e->peak_memory > u.memory ? e->peak_memory : u.memory;
    }
    return u;
}

/* Threads of all ranks that the stage asked for; 0: it did not say. */
static double threads_asked(const struct plan_stage *s)
{
    if (s->threads > 0)
        return (double)s->ranks * (double)s->threads;
    return s->ranks > 1 ? (double)s->ranks : 0;
}

/* ---- cells ---- */

/* "used of asked" and, for the eye, how much of it that is. */
static void add_used(struct buf *out, const char *used, const char *asked, double share)
{
    buf_printf(out, "<td class=\"n\">%s", used);
    if (asked != NULL)
        buf_printf(out, " <span class=\"soft\">of %s</span><div class=\"track\" "
                        "aria-hidden=\"true\"><div class=\"bar\" style=\"width:%.0f%%\"></div>"
                        "</div>", asked, share > 1 ? 100 : share > 0 ? 100 * share : 0);
    buf_adds(out, "</td>");
}

static void add_processors(struct buf *out, const struct plan_stage *s, const struct usage *u)
{
    double asked = threads_asked(s), mean = u->seconds > 0 ? u->cpu / u->seconds : 0;
    char used[32], said[64];

    snprintf(used, sizeof used, "%.2f", mean);
    if (s->ranks > 1)
        snprintf(said, sizeof said, "%lld &#215; %lld", s->ranks, s->threads > 0 ? s->threads : 1);
    else
        snprintf(said, sizeof said, "%lld", s->threads);
    add_used(out, used, asked > 0 ? said : NULL, asked > 0 ? mean / asked : 0);
}

/* A limit as it is mostly said: "90 s", "2 min", "1 h 30 min". */
static const char *limit_text(char *text, double seconds)
{
    if (seconds < 60 || (seconds < 120 && seconds > 60))
        snprintf(text, 32, "%g s", seconds);
    else if (seconds < 3600 && seconds == 60 * (double)(long)(seconds / 60))
        snprintf(text, 32, "%g min", seconds / 60);
    else if (seconds == 3600 * (double)(long)(seconds / 3600))
        snprintf(text, 32, "%g h", seconds / 3600);
    else
        run_page_duration(text, seconds);
    return text;
}

static void add_usage(struct buf *out, const struct plan_stage *s, const struct turn *t)
{
    struct usage u = usage_of(t);
    char used[32], asked[32];

    buf_printf(out, "<td class=\"n\">%.2f</td>", t->attempts[0].begun);
    snprintf(used, sizeof used, "%.2f", u.seconds);
    add_used(out, used, s->timeout > 0 ? limit_text(asked, s->timeout) : NULL,
             s->timeout > 0 ? u.longest / s->timeout : 0);
    buf_printf(out, "<td class=\"n\">%.2f</td>", u.cpu);
    add_processors(out, s, &u);
    str_bytes(u.memory, used);
    add_used(out, used, s->memory > 0 ? str_bytes(s->memory, asked) : NULL,
             s->memory > 0 ? (double)u.memory / (double)s->memory : 0);
}

/* The row is the anchor of a stage that has no section. */
static void add_stage(struct buf *out, const struct run_page *p, size_t i)
{
    const struct turn *t = &p->report->now.turns[i];

    if (p->in_full[i]) {
        run_page_row(out, p, i);
    } else {
        buf_printf(out, "<tr id=\"stage-%s\"><th scope=\"row\">", p->args->plan->stages[i].slug);
        page_escape(out, p->args->plan->names[i]);
        buf_adds(out, "</th>");
    }
    buf_printf(out, "<td%s>%s</td>", run_page_is_bad(p, i) ? " class=\"bad\"" : "",
               result_word_of(&p->report->now, i));
    if (t->attempt_count == 0)
        buf_printf(out, "%s%s%s%s%s", none, none, none, none, none);
    else
        add_usage(out, &p->args->plan->stages[i], t);
    buf_adds(out, "</tr>\n");
}

static void add_stages(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    char summary[64];

    snprintf(summary, sizeof summary, "All %zu stages", plan->count);
    if (plan->count > RUN_PAGE_FOLD)
        page_more_begin(out, summary);
    page_table_begin(out, "broad", "What each stage took, and of what",
                     "stage|result|#began, s|#seconds|#CPU seconds|#processors|#peak memory");
    for (size_t k = 0; k < plan->count; k++)
        add_stage(out, p, plan->order[k]);
    page_table_end(out);
    buf_adds(out, "<p class=\"soft small\">Of a stage with several attempts: seconds of all of "
                  "them, and of its time limit the share that the longest took. Processors: CPU "
                  "seconds a second, of the threads that it asked for. Peak memory: of the largest "
                  "process, of what all of them may take together.</p>\n");
    if (plan->count > RUN_PAGE_FOLD)
        page_more_end(out);
}

/* ---- attempts ---- */

static void add_cause(struct buf *out, const struct run_page *p, const struct turn *t, size_t k)
{
    static const struct {
        const char *word, *text;
    } causes[] = {
#define X(name, word, text) { word, text },
        FAIL_CAUSES(X)
#undef X
    };
    const struct attempt *a = &t->attempts[k];
    bool last = k + 1 == t->attempt_count;

    if (a->cause >= 0) {
        buf_printf(out, "<td><strong class=\"bad\">%s</strong>", causes[a->cause].word);
        if (a->end.signal != 0)
            buf_printf(out, " (signal %d)", a->end.signal);
        else if (a->end.code != 0)
            buf_printf(out, " (code %d)", a->end.code);
        if (a->cause != CAUSE_EXIT) {      /* which says nothing that its code does not */
            buf_adds(out, " <span class=\"soft\">");
            page_escape(out, causes[a->cause].text);
            buf_adds(out, "</span>");
        }
        buf_adds(out, "</td>");
    } else if (last && (t->state == TURN_FAILED || t->state == TURN_STOPPED)) {
        buf_printf(out, "<td><strong class=\"bad\">%s</strong></td>", turn_state_word(t->state));
    } else {
        buf_adds(out, "<td>came through</td>");
    }
}

static void add_attempts_of(struct buf *out, const struct run_page *p, size_t i, size_t *left)
{
    const struct turn *t = &p->report->now.turns[i];
    char memory[24];

    for (size_t k = 0; k < t->attempt_count && *left > 0; k++, --*left) {
        const struct attempt *a = &t->attempts[k];

        run_page_row(out, p, i);
        buf_printf(out, "<td class=\"n\">%lld</td><td class=\"n\">%.2f</td>"
                        "<td class=\"n\">%.2f</td><td class=\"n\">%.2f</td>"
                        "<td class=\"n\">%s</td>",
                   a->number, a->begun, a->end.seconds, a->end.cpu_seconds,
                   str_bytes(a->end.peak_memory, memory));
        add_cause(out, p, t, k);
        page_cell_code(out, a->log != NULL ? path_base(a->log) : "");
        buf_adds(out, "</tr>\n");
    }
}

/* All of them, or, where they are many, those of stages with more than one or with trouble. */
static void add_attempts(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    const struct run_now *now = &p->report->now;
    size_t attempts = 0, troubled = 0, left = ATTEMPTS_MOST;
    bool all, fold;

    for (size_t i = 0; i < plan->count; i++) {
        size_t n = now->turns[i].attempt_count;
        attempts += n;
        troubled += n > 1 || (n > 0 && run_page_is_bad(p, i)) ? n : 0;
    }
    all = attempts <= ATTEMPTS_MOST;
    if (attempts == 0 || (!all && troubled == 0))
        return;
    fold = troubled == 0 || (all ? attempts : troubled) > ATTEMPTS_OPEN;
    if (fold)
        page_more_begin(out, all ? "Every attempt, and its log"
                                 : "Attempts of stages with trouble");
    page_table_begin(out, "broad", all ? "Every attempt" : "Attempts of stages with trouble",
                     "stage|#attempt|#began, s|#seconds|#CPU seconds|#peak memory|how it ended|"
                     "log, in logs/");
    for (size_t k = 0; k < plan->count; k++) {
        size_t i = plan->order[k], n = now->turns[i].attempt_count;
        if (all || n > 1 || run_page_is_bad(p, i))
            add_attempts_of(out, p, i, &left);
    }
    page_table_end(out);
    if (!all)
        buf_printf(out, "<p class=\"soft small\">%zu of %zu attempts are here; "
                        "<code>runs/%s.json</code> has all.</p>\n",
                   ATTEMPTS_MOST - left, attempts, now->id);
    if (fold)
        page_more_end(out);
}

/* ---- the machine ---- */

static void add_machine(struct buf *out, const struct run_page *p)
{
    const struct capacity *m = &p->report->now.machine;
    char memory[24];

    buf_adds(out, "<p>Machine: ");
    page_escape(out, host_name());
    buf_printf(out, ", with %lld thread%s, %s of memory and %lld job%s side by side for stages",
               m->threads, m->threads == 1 ? "" : "s", str_bytes(m->memory, memory), m->jobs,
               m->jobs == 1 ? "" : "s");
    if (p->args->plan->site != NULL) {
        buf_adds(out, "; site profile ");
        page_code(out, p->args->plan->site);
    }
    buf_adds(out, ".</p>\n");
}

void run_page_resources(struct buf *out, const struct run_page *p)
{
    add_machine(out, p);
    if (p->report->now.turns == NULL)
        return;
    add_stages(out, p);
    add_attempts(out, p);
}
