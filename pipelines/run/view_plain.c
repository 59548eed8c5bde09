/* The view for logs: one line a thing that happens. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "pipelines/run/run_view.h"
#include "pipelines/run/show.h"

#define POLL_MS 200
#define LINE_LIMIT 65536         /* bytes of a line; a longer one is shown in parts */

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

static void said(struct run_view *v, const struct run_now *now, size_t stage, const char *text,
                 size_t n);

/* The words of a process that ended without the end of a line. */
static void end_line(struct run_view *v, const struct run_now *now, size_t i)
{
    if (((struct plain *)v)->held[i].n > 0)
        said(v, now, i, "\n", 1);
}

static void changed(struct run_view *v, const struct run_now *now, size_t i)
{
    const struct plan_stage *s = &now->plan->stages[i];
    const struct turn *t = &now->turns[i];

    end_line(v, now, i);
    if (t->state == TURN_RUNNING)
        log_info("stage %s: %s (log %s)", s->name, s->command->name,
                 t->attempts[t->attempt_count - 1].log);
    else if (t->state == TURN_DONE && t->attempt_count > 0)
        log_info("stage %s: done in %.1f s", s->name, t->attempts[t->attempt_count - 1].end.seconds);
    else if (t->state == TURN_FAILED || t->state == TURN_STOPPED)
        log_info("stage %s: %s", s->name, turn_state_word(t->state));
}

/* Bytes as the stage wrote them. A stderr that nobody reads any more is no reason to end hours of
 * work: the log has it all. */
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
    const char *from, *end;
    size_t left;

    buf_add(held, text, n);
    from = held->p;
    left = held->n;
    while ((end = memchr(from, '\n', left)) != NULL || left >= LINE_LIMIT) {
        n = end != NULL ? (size_t)(end - from) : left;
        buf_printf(&line, "%s | ", now->plan->names[i]);
        buf_add(&line, from, n);
        buf_addc(&line, '\n');
        n += end != NULL;
        from += n;
        left -= n;
    }
    memmove(held->p, from, left + 1);
    held->n = left;
    write_out(p, line.p, line.n);
    buf_release(&line);
}

static void ended(struct run_view *v, const struct run_now *now)
{
    for (size_t i = 0; i < ((struct plain *)v)->count; i++)
        end_line(v, now, i);
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
