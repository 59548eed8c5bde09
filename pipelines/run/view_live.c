/*
 * The view for terminals: a head line and a row a stage, drawn again a few times a second below the
 * messages.
 *
 *   docs  3 of 7 done, 2 running, 1 waiting, 12.4 s
 *     corpus     cached
 *     tokenizer  done       12.3 s
 *     tokens     running     3.1 s  [=====>      ] 45 %, 5s left, 3 MB/s
 *     train      waiting            for tokens
 *
 * Where there are more stages than rows, those that run or went wrong come first, then those that
 * come next, and the last row counts the rest.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bench.h"
#include "base/log.h"
#include "base/progress.h"
#include "pipelines/run/run_view.h"
#include "pipelines/run/show.h"

#define DRAW_EVERY 0.2           /* seconds */
#define NAME_MOST 40             /* columns of a stage's name */
#define LINE_ROOM 200            /* bytes of a stage's last words */

struct live_view {
    struct run_view view;
    double next_draw;
    char (*words)[LINE_ROOM];    /* one a stage: its last line */
    size_t *order;               /* rows, best first */
    size_t count;
};

/* ---- the terminal ---- */

struct screen {
    size_t rows, columns;
};

static struct screen screen_size(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 1)
        return (struct screen){ size.ws_row, size.ws_col };
    return (struct screen){ 24, 80 };
}

/* Appends at most `columns` of text, control characters left out. */
static void add_cut(struct buf *out, const char *text, size_t columns)
{
    const char *end = text + strlen(text);

    for (size_t n, used = 0; text < end; text += n) {
        uint32_t cp;
        n = utf8_decode(text, end, &cp);
        if (n == 0 || cp < 0x20 || (cp >= 0x7F && cp < 0xA0))
            cp = 0;
        used += cp != 0 ? (size_t)utf8_columns(cp) : 1;
        if (used > columns)
            break;
        if (cp != 0)
            buf_add(out, text, n);
        else
            buf_addc(out, '?');
        n = n ? n : 1;
    }
}

/* ---- one row ---- */

static const char *colour_of(enum turn_state s)
{
    if (!log_has_colours())
        return "";
    switch (s) {
    case TURN_RUNNING: return "\033[36m";
    case TURN_DONE: return "\033[32m";
    case TURN_FAILED:
    case TURN_GATED: return "\033[31m";
    case TURN_PAUSED:
    case TURN_STOPPED: return "\033[33m";
    default: return "\033[2m";
    }
}

/* What the stage in the state is about: progress, what it waits for, why it failed. */
static void add_detail(struct buf *out, const struct live_view *v, const struct run_now *now,
                       size_t i)
{
    const struct plan_stage *s = &now->plan->stages[i];
    const struct turn *t = &now->turns[i];
    struct progress_now progress;
    bool first = true;

    if (t->state == TURN_RUNNING) {
        if (t->progress != NULL && progress_read(t->progress, &progress) && progress.what[0])
            progress_brief(out, &progress);
        else
            buf_adds(out, v->words[i]);
    } else if (t->state == TURN_PAUSED) {
        buf_printf(out, "attempt %zu of %lld begins in %.0f s", t->attempt_count + 1,
                   s->retry.times + 1, t->next_attempt - run_seconds(now));
    } else if (t->state == TURN_READY) {
        buf_adds(out, "for room: processors, memory or jobs");
    } else if (t->state == TURN_WAITING) {
        for (size_t k = 0; k < s->after_count; k++) {
            size_t from = s->after[k].from;
            if (now->turns[from].state == TURN_DONE || now->turns[from].state == TURN_LEFT_OUT)
                continue;
            buf_printf(out, "%s%s", first ? "for " : ", ", now->plan->names[from]);
            first = false;
        }
    } else if (t->state == TURN_GATED && t->gates != NULL) {
        for (size_t k = 0; k < s->gate_count; k++)
            if (t->gates[k].outcome == GATE_FAILED)
                buf_adds(out, t->gates[k].words);
    } else if (t->state == TURN_FAILED && t->attempt_count > 0) {
        buf_printf(out, "see %s", t->attempts[t->attempt_count - 1].log);
    }
}

static double seconds_of(const struct run_now *now, size_t i)
{
    const struct turn *t = &now->turns[i];
    double running = t->state == TURN_RUNNING
                         ? run_seconds(now) - t->attempts[t->attempt_count - 1].begun : 0;

    return result_seconds_of(now, i) + running;
}

static void add_row(struct buf *out, const struct live_view *v, const struct run_now *now, size_t i,
                    int width, size_t columns)
{
    const struct turn *t = &now->turns[i];
    const char *word = t->state == TURN_DONE && t->attempt_count == 0 ? "cached"
                                                                     : turn_state_word(t->state);
    struct buf plain = { 0 }, detail = { 0 };
    size_t head;

    buf_printf(&plain, "  %-*.*s  ", width, width, now->plan->names[i]);
    head = plain.n;
    buf_printf(&plain, "%-8s  ", word);
    if (t->attempt_count > 0)
        buf_printf(&plain, "%8.1f s  ", seconds_of(now, i));
    else
        buf_printf(&plain, "%12s", "");
    buf_adds(&detail, "");
    add_detail(&detail, v, now, i);
    buf_adds(&plain, detail.p);
    buf_addc(out, '\n');
    if (columns <= head + 8) {
        add_cut(out, plain.p, columns);
    } else {
        buf_add(out, plain.p, head);
        buf_printf(out, "%s%-8s%s", colour_of(t->state), word, *colour_of(t->state) ? "\033[0m" : "");
        add_cut(out, plain.p + head + strlen(word) + (strlen(word) < 8 ? 8 - strlen(word) : 0),
                columns - head - 8);
    }
    buf_release(&detail);
    buf_release(&plain);
}

/* ---- the whole ---- */

#define RANKS 5

/* Which rows matter most: 0 to RANKS - 1. */
static int rank_of(enum turn_state s)
{
    switch (s) {
    case TURN_RUNNING:
    case TURN_PAUSED: return 0;
    case TURN_FAILED:
    case TURN_GATED:
    case TURN_STOPPED: return 1;
    case TURN_READY: return 2;
    case TURN_WAITING: return 3;
    default: return 4;
    }
}

/* Fills order with the stages to show: those that matter most, in the plan's order; how many. */
static size_t choose_rows(struct live_view *v, const struct run_now *now, size_t most)
{
    size_t count = now->plan->count, n = 0, room = most;
    int last = 0;                /* the first rank that there is not room enough for */

    for (; last < RANKS; last++) {
        size_t of_rank = 0;
        for (size_t i = 0; i < count; i++)
            of_rank += rank_of(now->turns[i].state) == last;
        if (of_rank > room)
            break;
        room -= of_rank;
    }
    for (size_t k = 0; k < count && n < most; k++) {
        size_t i = now->plan->order[k];
        int rank = rank_of(now->turns[i].state);
        if (rank < last || (rank == last && room > 0)) {
            room -= rank == last ? 1 : 0;
            v->order[n++] = i;
        }
    }
    return n;
}

static void add_head(struct buf *out, const struct run_now *now)
{
    static const struct {
        enum turn_state state;
        const char *word;
    } told[] = { { TURN_RUNNING, "running" }, { TURN_READY, "ready" }, { TURN_PAUSED, "paused" },
                 { TURN_WAITING, "waiting" }, { TURN_FAILED, "failed" },
                 { TURN_GATED, "stopped by a gate" }, { TURN_LOST, "not run" } };
    size_t counts[TURN_LEFT_OUT + 1] = { 0 };

    for (size_t i = 0; i < now->plan->count; i++)
        counts[now->turns[i].state]++;
    buf_printf(out, "%s  %zu of %zu done", now->plan->name, counts[TURN_DONE],
               now->plan->count - counts[TURN_LEFT_OUT]);
    for (size_t k = 0; k < sizeof told / sizeof *told; k++)
        if (counts[told[k].state] > 0)
            buf_printf(out, ", %zu %s", counts[told[k].state], told[k].word);
    buf_printf(out, ", %.1f s", run_seconds(now));
}

static int name_width(const struct live_view *v, const struct run_now *now, size_t rows)
{
    size_t width = 5;

    for (size_t k = 0; k < rows; k++) {
        size_t n = strlen(now->plan->names[v->order[k]]);
        width = n > width ? n : width;
    }
    return (int)(width < NAME_MOST ? width : NAME_MOST);
}

static void draw(struct live_view *v, const struct run_now *now)
{
    struct screen screen = screen_size();
    struct buf text = { 0 }, head = { 0 };
    size_t most = screen.rows > 2 ? screen.rows - 2 : 0, rows;
    bool all = now->plan->count <= most || most == 0;
    int width;

    rows = most > 0 ? choose_rows(v, now, all ? most : most - 1) : 0;
    width = name_width(v, now, rows);
    add_head(&head, now);
    add_cut(&text, head.p, screen.columns - 1);
    for (size_t k = 0; k < rows; k++)
        add_row(&text, v, now, v->order[k], width, screen.columns - 1);
    if (!all) {
        buf_clear(&head);
        buf_printf(&head, "  and %zu more", now->plan->count - rows);
        buf_addc(&text, '\n');
        add_cut(&text, head.p, screen.columns - 1);
    }
    log_status_block(text.p);
    buf_release(&head);
    buf_release(&text);
}

/* ---- the view ---- */

/* What would run and why, where there is room for it above the rows. */
static void tell_plan(const struct run_now *now)
{
    struct buf text = { 0 };
    char *rest = NULL;

    if (2 * now->plan->count + 4 > screen_size().rows)
        return;
    show_plan(now->survey, &text);
    for (char *line = strtok_r(text.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        log_info("%s", line);
    buf_release(&text);
}

static void surveyed(struct run_view *view, const struct run_now *now)
{
    struct live_view *v = (struct live_view *)view;

    tell_plan(now);
    v->count = now->plan->count;
    v->words = mem_array(v->count, sizeof *v->words);
    v->order = mem_array(v->count, sizeof *v->order);
}

static void tick(struct run_view *view, const struct run_now *now)
{
    struct live_view *v = (struct live_view *)view;

    if (now->turns == NULL || bench_now() < v->next_draw)
        return;
    v->next_draw = bench_now() + DRAW_EVERY;
    draw(v, now);
}

static void changed(struct run_view *view, const struct run_now *now, size_t i)
{
    struct live_view *v = (struct live_view *)view;

    if (now->turns[i].state == TURN_RUNNING)
        v->words[i][0] = 0;      /* those of its last attempt */
    tick(view, now);
}

/* Keeps the last line that is not empty. */
static void said(struct run_view *view, const struct run_now *now, size_t i, const char *text,
                 size_t n)
{
    char *kept = ((struct live_view *)view)->words[i];
    size_t end = n, start;

    (void)now;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r'))
        end--;
    for (start = end; start > 0 && text[start - 1] != '\n' && text[start - 1] != '\r';)
        start--;
    if (end == start)
        return;
    n = end - start < LINE_ROOM - 1 ? end - start : LINE_ROOM - 1;
    memcpy(kept, text + start, n);
    kept[n] = 0;
}

static void ended(struct run_view *view, const struct run_now *now)
{
    (void)view, (void)now;
    log_status_block("");        /* the table of results says it all */
}

static void release(struct run_view *view)
{
    struct live_view *v = (struct live_view *)view;

    free(v->words);
    free(v->order);
    free(v);
}

struct run_view *view_live_new(void)
{
    struct live_view *v = mem_alloc(sizeof *v);

    v->view = (struct run_view){ .surveyed = surveyed, .changed = changed, .said = said,
                                 .tick = tick, .ended = ended, .release = release };
    return &v->view;
}
