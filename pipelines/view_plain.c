/* The view for logs: one line a thing that happens. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "pipelines/run_view.h"
#include "pipelines/show.h"

#define POLL_MS 200

struct plain {
    struct run_view view;
    struct buf *held;            /* one a stage: the beginning of a line */
    size_t count;
    bool deaf;                   /* stderr takes no more */
};

static void surveyed(struct run_view *v, const struct run_now *now)
{
    struct plain *p = (struct plain *)v;
    struct buf text = { 0 };
    char *rest = NULL;

    p->count = now->plan->count;
    p->held = mem_array(p->count, sizeof *p->held);
    show_plan(now->survey, &text);
    for (char *line = strtok_r(text.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        log_info("%s", line);
    buf_release(&text);
}

static void changed(struct run_view *v, const struct run_now *now, size_t i)
{
    const struct plan_stage *s = &now->plan->stages[i];
    const struct turn *t = &now->turns[i];

    (void)v;
    if (t->state == TURN_RUNNING)
        log_info("stage %s: %s (log %s)", s->name, s->command->name,
                 t->attempts[t->attempt_count - 1].log);
    else if (t->state == TURN_DONE && t->attempt_count > 0)
        log_info("stage %s: done in %.1f s", s->name, t->attempts[t->attempt_count - 1].end.seconds);
    else if (t->state == TURN_FAILED || t->state == TURN_STOPPED)
        log_info("stage %s: %s", s->name, turn_state_word(t->state));
}

/* Bytes as they are: a stage's words have been made fit for a terminal by the stage. A stderr that
 * nobody reads any more is no reason to end hours of work: the log has it all. */
static void write_out(struct plain *p, const char *text, size_t n)
{
    while (n > 0 && !p->deaf && !log_is_quiet()) {
        ssize_t done = write(STDERR_FILENO, text, n);
        if (done < 0 && errno == EAGAIN)
            poll(&(struct pollfd){ STDERR_FILENO, POLLOUT, 0 }, 1, POLL_MS);
        else if (done < 0 && errno != EINTR)
            p->deaf = true;
        text += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
}

static void said(struct run_view *v, const struct run_now *now, size_t i, const char *text, size_t n)
{
    struct plain *p = (struct plain *)v;
    struct buf *held = &p->held[i];
    struct buf line = { 0 };

    buf_add(held, text, n);
    for (const char *from = held->p, *end; (end = strchr(from, '\n')) != NULL; from = end + 1) {
        buf_printf(&line, "%s | %.*s\n", now->plan->names[i], (int)(end - from), from);
        n = (size_t)(held->p + held->n - end - 1);
    }
    if (line.n > 0) {
        memmove(held->p, held->p + held->n - n, n + 1);
        held->n = n;
        write_out(p, line.p, line.n);
    }
    buf_release(&line);
}

static void ended(struct run_view *v, const struct run_now *now)
{
    for (size_t i = 0; i < ((struct plain *)v)->count; i++)
        if (((struct plain *)v)->held[i].n > 0)
            said(v, now, i, "\n", 1);
}

static void release(struct run_view *v)
{
    struct plain *p = (struct plain *)v;

    for (size_t i = 0; i < p->count; i++)
        buf_release(&p->held[i]);
    free(p->held);
    free(p);
}

struct run_view *view_plain_new(void)
{
    struct plain *p = mem_alloc(sizeof *p);

    p->view = (struct run_view){ .surveyed = surveyed, .changed = changed, .said = said,
                                 .ended = ended, .release = release };
    return &p->view;
}
