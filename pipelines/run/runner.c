#include "pipelines/run/runner.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/log.h"
#include "base/platform.h"
#include "base/stop.h"
#include "pipelines/plan/options.h"
#include "pipelines/run/brought_back.h"
#include "pipelines/run/notify.h"
#include "pipelines/run/run_part.h"
#include "pipelines/run/run_record.h"
#include "pipelines/run/run_record_write.h"

#define END_PATIENCE 10.0  /* seconds for stages to leave a resumable state when the run has a fault */
#define TICK_MS 100               /* how long a wish to stop, a limit or new words may go unseen */

const char *turn_state_word(enum turn_state s)
{
    static const char *const words[] = {
#define X(name, word, text) word,
        TURN_STATES(X)
#undef X
    };
    return words[s];
}

double run_seconds(const struct run_now *now) { return bench_now() - now->began; }

void run_failed(struct run *r, enum status st)
{
    static const int weight[ST_COUNT] = { [ST_OK] = 0, [ST_GATE] = 1, [ST_INTERRUPTED] = 2 };
    int now = st == ST_OK || weight[st] ? weight[st] : 3;
    int before = r->first.st == ST_OK || weight[r->first.st] ? weight[r->first.st] : 3;

    if (st != ST_GATE && st != ST_INTERRUPTED && r->failures++ > 0)
        log_warn("%s", fail_message());      /* the first one is the run's own message */
    if (now > before)
        failure_save(&r->first, st);
}

/* ---- before anything runs ---- */

static enum status nothing_there(const struct plan_input *in)
{
    return yaml_fail(in->node, "no such file or folder: '%s'", in->node->text);
}

/* The first thing that makes this plan impossible. */
static enum status check_possible(struct run *r)
{
    for (size_t i = 0; i < r->plan->count; i++) {
        const struct plan_stage *s = &r->plan->stages[i];
        const struct stage_view *v = &r->survey->views[i];
        if (!r->args->selected[i])
            continue;
        if (v->state == STAGE_BLOCKED)
            return nothing_there(v->missing);
        for (size_t k = 0; k < s->input_count; k++) {
            size_t from = s->inputs[k].from;
            if (from != PLAN_OUTSIDE && r->survey->views[from].state == STAGE_ABSENT)
                return fail(ST_USAGE,
                            "stage '%s' reads stage '%s', which is not selected and has no "
                            "artifact yet; run it first (--until %s)",
                            s->name, r->plan->names[from], r->plan->names[from]);
        }
    }
    return capacity_check(r->plan, r->args->selected, &r->args->machine);
}

static enum status look(struct run *r)
{
    struct survey *s = r->survey;

    TRY(journal_open(r->work->journal, &r->report->journal));
    r->journal = r->now->journal = r->report->journal;
    *s = (struct survey){ .arena = r->arena, .plan = r->plan, .work = r->work,
                          .journal = r->journal,
                          .selected = r->args->selected, .forced = r->args->forced };
    if (!r->args->dry) {
        TRY(strays_end(r));
        workdir_clear_leftovers(r->arena, r->work);
    }
    TRY(survey_begin(s));
    if (r->args->view != NULL && r->args->view->surveyed != NULL)
        r->args->view->surveyed(r->args->view, r->now);
    return check_possible(r);
}

/* ---- the state of stages ---- */

static void show_change(struct run *r, size_t i)
{
    if (r->args->view != NULL && r->args->view->changed != NULL)
        r->args->view->changed(r->args->view, r->now, i);
}

static void lose(struct run *r, size_t first);

/* Who waits for the stage may come, or never will. */
static void release_behind(struct run *r, size_t i)
{
    for (size_t k = r->arrows.first[i]; k > 0; k = r->arrows.next[k - 1]) {
        size_t j = r->arrows.head[k - 1];
        if (r->turns[i].state != TURN_DONE)
            lose(r, j);
        else if (--r->turns[j].waits == 0 && r->turns[j].state == TURN_WAITING)
            r->arrived[r->arrived_count++] = j;
    }
}

static void lose(struct run *r, size_t first)
{
    size_t *stack = mem_array(r->plan->count, sizeof *stack), n = 0;

    if (r->turns[first].state == TURN_WAITING) {
        r->turns[first].state = TURN_LOST;
        stack[n++] = first;
    }
    while (n > 0) {
        size_t i = stack[--n];
        show_change(r, i);
        for (size_t k = r->arrows.first[i]; k > 0; k = r->arrows.next[k - 1]) {
            size_t j = r->arrows.head[k - 1];
            if (r->turns[j].state != TURN_WAITING)
                continue;
            r->turns[j].state = TURN_LOST;
            stack[n++] = j;
        }
    }
    free(stack);
}

static void begin_turns(struct run *r)
{
    size_t count = r->plan->count;

    r->turns = r->now->turns = arena_array(r->arena, count, sizeof *r->turns);
    r->live = arena_array(r->arena, count, sizeof *r->live);
    r->ready = arena_array(r->arena, count, sizeof *r->ready);
    r->arrived = arena_array(r->arena, count, sizeof *r->arrived);
    r->place = arena_array(r->arena, count, sizeof *r->place);
    r->left = r->args->machine;
    r->arrows = plan_arrows(r->plan, r->args->selected);
    for (size_t k = 0; k < count; k++) {
        size_t i = r->plan->order[k];
        r->place[i] = k;
        r->turns[i].waits = r->arrows.waits[i];
        r->live[i].claim = capacity_claim(&r->plan->stages[i], &r->args->machine);
        if (!r->args->selected[i])
            r->turns[i].state = TURN_LEFT_OUT;
        else if (r->turns[i].waits == 0)
            r->arrived[r->arrived_count++] = i;
    }
}

/* ---- settling ---- */

static enum status gate_shut(struct run *r, size_t i)
{
    const struct gate_result *g = r->turns[i].gates;

    while (g->outcome != GATE_FAILED)
        g++;
    r->shut++;
    return fail(ST_GATE, "the gate of stage '%s' is shut: %s; what waits for it is not run",
                r->plan->names[i], g->words);
}

/* The stage came through, or will not: gates, and those behind it. */
static enum status settled(struct run *r, size_t i)
{
    struct turn *t = &r->turns[i];
    bool open = true;
    enum status st;

    if (t->state == TURN_DONE) {
        st = gates_look(r, i, &open);
        if (st != ST_OK) {
            t->state = TURN_FAILED;
            run_failed(r, fail_within(st, "gate of stage '%s': ", r->plan->names[i]));
        } else if (!open) {
            t->state = TURN_GATED;
            run_failed(r, gate_shut(r, i));
        }
    }
    show_change(r, i);
    release_behind(r, i);
    return ST_OK;
}

/* A finished artifact that the journal does not know as the stage's last (the runner was killed
 * right behind it, or an older one fits again): said now, so that history and `current` follow. */
static enum status adopt(struct run *r, size_t i)
{
    const struct plan_stage *s = &r->plan->stages[i];
    const struct stage_view *v = &r->survey->views[i];
    r->turns[i].state = TURN_DONE;
    if (v->changed != NULL)
        log_warn("stage '%s': %s; --force %s makes it anew", r->plan->names[i], v->changed, r->plan->names[i]);
    TRY(workdir_point_current(r->arena, r->work, s->slug, v->artifact));
    if (!journal_ends_with(r->journal, s->name, v->key)) {
        durable_add(r, i);
        if (strcmp(s->command->makes, "token-store") == 0)
            brought_back_warn(&(struct brought_back){ r->work, s->slug, v->artifact });
    }
    return settled(r, i);
}

/* All in front of it came through: is there anything to do? */
static enum status arrive(struct run *r, size_t i)
{
    struct stage_view *v = &r->survey->views[i];
    enum status st = v->state != STAGE_CACHED ? survey_stage(r->survey, i) : ST_OK;

    if (st == ST_OK && v->state == STAGE_BLOCKED)      /* gone since the plan was shown */
        st = nothing_there(v->missing);
    if (st != ST_OK) {
        r->turns[i].state = TURN_FAILED;
        run_failed(r, st);
        return settled(r, i);
    }
    if (v->state == STAGE_CACHED)
        return adopt(r, i);
    BUG_IF(v->state != STAGE_RUN);
    r->turns[i].state = TURN_READY;
    r->ready[r->ready_count++] = i;
    show_change(r, i);
    return ST_OK;
}

static enum status arrive_all(struct run *r)
{
    while (r->arrived_count > 0)
        TRY(arrive(r, r->arrived[--r->arrived_count]));
    return ST_OK;
}

/* ---- starting ---- */

static bool may_start(const struct run *r)
{
    return !r->stopping && (r->failures == 0 || r->args->keep_going);
}

/* The first stage in the plan's order that there is room for; SIZE_MAX. The place in the list. */
static size_t choose(const struct run *r)
{
    size_t best = SIZE_MAX;

    for (size_t k = 0; k < r->ready_count; k++) {
        size_t i = r->ready[k];
        if (capacity_fits(&r->live[i].claim, &r->left)
            && (best == SIZE_MAX || r->place[i] < r->place[r->ready[best]]))
            best = k;
    }
    return best;
}

static enum status start_stages(struct run *r)
{
    size_t k;

    while (may_start(r) && (k = choose(r)) != SIZE_MAX) {
        size_t i = r->ready[k];
        r->ready[k] = r->ready[--r->ready_count];
        if (run_record_begin(r->now, r->args) != ST_OK)
            log_warn("no record of this run yet: %s", fail_message());
        TRY(attempt_start(r, i));
        if (r->turns[i].state != TURN_RUNNING) {      /* no process came of it */
            TRY(settled(r, i));
            continue;
        }
        capacity_take(&r->left, &r->live[i].claim);
        r->running++;
        show_change(r, i);
    }
    return ST_OK;
}

/* Stages whose pause is over are ready again; *next: when the next one is, at most. */
static void wake_paused(struct run *r, double *next)
{
    double at = run_seconds(r->now);

    for (size_t i = 0; r->paused > 0 && i < r->plan->count; i++) {
        if (r->turns[i].state != TURN_PAUSED)
            continue;
        if (r->turns[i].next_attempt > at) {
            *next = r->turns[i].next_attempt < *next ? r->turns[i].next_attempt : *next;
            continue;
        }
        r->turns[i].state = TURN_READY;
        r->ready[r->ready_count++] = i;
        r->paused--;
    }
}

/* ---- the loop ---- */

static enum status look_at_running(struct run *r)
{
    size_t seen = 0, running = r->running;

    for (size_t i = 0; seen < running && i < r->plan->count; i++) {
        bool ended = false;
        if (r->turns[i].state != TURN_RUNNING)
            continue;
        seen++;
        TRY(attempt_look(r, i, &ended));
        if (!ended)
            continue;
        r->running--;
        capacity_give(&r->left, &r->live[i].claim);
        if (r->turns[i].state == TURN_PAUSED) {
            r->paused++;
            show_change(r, i);
        } else {
            TRY(settled(r, i));
        }
    }
    return ST_OK;
}

static void notice_stop(struct run *r)
{
    if (r->stopping || !stop_requested())
        return;
    r->stopping = true;
    for (size_t i = 0; i < r->plan->count; i++)
        if (r->turns[i].state == TURN_RUNNING)
            attempt_end(r, i, WISH_STOP);
}

static void sleep_until_something(struct run *r, double next)
{
    struct pollfd *fds = mem_array(r->running + 1, sizeof *fds);
    double left = (next - run_seconds(r->now)) * 1000;
    nfds_t n = 0;
    int ms = left < TICK_MS ? (int)left + 1 : TICK_MS;

    fds[n++] = (struct pollfd){ durable_fd(r), POLLIN, 0 };
    for (size_t i = 0; n < r->running + 1 && i < r->plan->count; i++)
        if (r->turns[i].state == TURN_RUNNING)
            fds[n++] = (struct pollfd){ attempt_fd(r, i), POLLIN, 0 };
    (void)poll(fds, n, ms < 0 ? 0 : ms);
    free(fds);
    if (r->args->view != NULL && r->args->view->tick != NULL)
        r->args->view->tick(r->args->view, r->now);
}

static enum status loop(struct run *r)
{
    for (;;) {
        double next = 1e300;
        TRY(arrive_all(r));
        notice_stop(r);
        wake_paused(r, &next);
        TRY(start_stages(r));
        TRY(durable_step(r));
        if (r->running == 0 && r->arrived_count == 0
            && (!may_start(r) || (r->paused == 0 && r->ready_count == 0)))
            return ST_OK;
        sleep_until_something(r, next);
        TRY(look_at_running(r));
    }
}

/* For the second Ctrl-C. The kernel ends a stage's process with us, but not what that has started.
 */
static struct run *at_work;

static void kill_all_now(void)
{
    const struct run *r = at_work;

    for (size_t i = 0; r != NULL && i < r->plan->count; i++)
        if (r->turns[i].state == TURN_RUNNING && r->live[i].id.pid > 1)
            (void)kill(-r->live[i].id.pid, r->plan->stages[i].ranks > 1 ? SIGTERM : SIGKILL);
}

/* A fault of the run itself: nothing may live on behind it. */
static void end_all(struct run *r)
{
    struct process_job *jobs = arena_array(r->arena, r->plan->count, sizeof *jobs);
    size_t count = 0;

    for (size_t i = 0; i < r->plan->count; i++)
        if (r->turns[i].state == TURN_RUNNING)
            jobs[count++] = (struct process_job){ r->live[i].id, r->live[i].mark, r->plan->names[i] };
    count = processes_end(jobs, count, END_PATIENCE, NULL);
    for (size_t k = 0; k < count; k++)
        log_warn("process %ld of stage %s is still alive and cannot be ended",
                 (long)jobs[k].id.pid, jobs[k].name);
}

static enum status outcome(struct run *r)
{
    size_t open = 0;

    if (r->first.st != ST_OK) {
        enum status st = failure_restore(&r->first);
        return r->failures > 1 ? fail(st, "%s\n  and %zu more stage%s failed", r->first.text,
                                      r->failures - 1, r->failures == 2 ? "" : "s") : st;
    }
    for (size_t i = 0; i < r->plan->count; i++)
        open += r->turns[i].state != TURN_DONE && r->turns[i].state != TURN_LEFT_OUT;
    if (open > 0)
        return fail(ST_INTERRUPTED,
                    "stopped with %zu stage%s still to do; the same command goes on from there",
                    open, open == 1 ? "" : "s");
    return ST_OK;
}

static enum status run_turns(struct run *r)
{
    struct failure fault;
    enum status st;

    begin_turns(r);
    at_work = r;
    stop_at_once_does(kill_all_now);
    st = loop(r);
    stop_at_once_does(NULL);
    failure_save(&fault, st);
    if (st != ST_OK)
        end_all(r);
    if (durable_finish(r) != ST_OK && st == ST_OK)
        return ST_IO;
    return st != ST_OK ? failure_restore(&fault) : outcome(r);
}

static enum status run_locked(struct run *r)
{
    enum status st;

    TRY(look(r));
    TRY(journal_compact(r->journal));
    file_defer_care(true);       /* durable.c takes it over */
    st = run_turns(r);
    file_defer_care(false);
    if (r->args->view != NULL && r->args->view->ended != NULL)
        r->args->view->ended(r->args->view, r->now);
    return st;
}

/* The record of a run in which something happened, and those who want to know of it: they are told
 * though there may be no room for the record. */
static void write_down(struct run *r, enum status st)
{
    struct failure failure;
    struct buf text = { 0 };
    json_t *record;

    if (r->now->turns == NULL || (!r->now->something_ran && st == ST_OK))
        return;
    failure_save(&failure, st);
    if (run_record_begin(r->now, r->args) != ST_OK)      /* it may be the first that is heard of it */
        log_warn("no record of this run yet: %s", fail_message());
    record = run_record_json(r->now, r->args, run_record_outcome(st),
                             st == ST_OK ? "" : failure.text);
    if (run_record_write(r->now, r->args, record) != ST_OK)
        log_warn("no record of this run: %s", fail_message());
    json_canonical(&text, record);
    buf_addc(&text, '\n');
    notify_all(r->plan, &text, st);
    json_decref(record);
    buf_release(&text);
    if (st != ST_OK)
        (void)failure_restore(&failure);
}

enum status run_plan(const struct run_args *args, struct run_report *report)
{
    struct run r = { .args = args, .report = report, .arena = args->arena, .plan = args->plan,
                     .work = args->work, .survey = &report->survey, .now = &report->now };
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    struct sigaction normal = { .sa_handler = SIG_DFL }, child_before;
    struct file_lock lock;
    enum status st;

    report->now = (struct run_now){ .plan = args->plan, .work = args->work,
                                    .survey = &report->survey, .selected = args->selected,
                                    .machine = args->machine };
    run_record_name(args->arena, &report->now);
    if (args->dry)
        return look(&r);
    TRY(workdir_make(args->work));
    st = file_lock_take(&lock, args->work->lock);
    if (st != ST_OK)
        return st == ST_HELD ? fail_within(st, "another run of '%s' is at work: ", args->plan->name)
                             : st;
    sigaction(SIGPIPE, &ignore, &before);      /* a stderr that nobody reads must not end a stage */
    sigaction(SIGCHLD, &normal, &child_before); /* who ignores it is never told how a child ended */
    st = run_locked(&r);
    write_down(&r, st);
    sigaction(SIGCHLD, &child_before, NULL);
    sigaction(SIGPIPE, &before, NULL);
    file_lock_drop(&lock);
    return st;
}

void run_report_release(struct run_report *report)
{
    survey_release(&report->survey);
    journal_close(report->journal);
    report->journal = NULL;
}
