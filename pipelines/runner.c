#include "pipelines/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/stop.h"
#include "pipelines/options.h"

#define STRAY_PATIENCE_MS 10000   /* for a process of an earlier run to leave a resumable state */
#define TAIL_LINES 8              /* of a failed stage's log, in the message */
#define TAIL_BYTES 2000

struct run {
    const struct run_args *args;
    struct run_report *report;
    struct arena *arena;
    const struct plan *plan;
    const struct workdir *work;
    struct survey *survey;
    struct journal *journal;
};

/* ---- processes of an earlier run ---- */

static enum status end_stray(struct run *r, const char *stage)
{
    struct journal_view h = journal_of(r->journal, stage);
    const char *mark = json_string_value(json_object_get(h.start, "mark"));
    struct process_id id;

    if (h.start == NULL || h.end != NULL)
        return ST_OK;
    id = journal_process(h.start);
    if (!process_is_alive(&id) && (mark == NULL || process_count_marked(mark) == 0))
        return ST_OK;
    log_info("ending process %ld of an earlier run (stage %s)", (long)id.pid, stage);
    return process_end(&id, mark, STRAY_PATIENCE_MS);
}

/* ---- one stage ---- */

static void make_words(struct run *r, const struct plan_stage *s, const struct stage_view *v,
                       struct words *w)
{
    const char *name = s->command->name, *space = strchr(name, ' ');
    const struct opt *out = options_row_of_type(s->command->opts, OPT_T_OUTPUT);

    *w = (struct words){ .arena = r->arena };
    if (space != NULL)
        words_add(w, arena_strndup(r->arena, name, (size_t)(space - name)));
    words_add(w, space != NULL ? space + 1 : name);
    options_words(s->command->opts, s->with, w);
    if (s->threads > 0)
        words_add(w, arena_printf(r->arena, "--threads=%lld", s->threads));
    words_add(w, arena_printf(r->arena, "--%s=%s", out->name, v->artifact));
}

static enum status append_start(struct run *r, const struct plan_stage *s,
                                const struct stage_view *v, const struct job *job,
                                const struct process_id *id)
{
    long long attempt = journal_of(r->journal, s->name).attempts + 1;
    json_t *event =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:s, s:s}", "event", "start", "stage",
                  s->name, "key", v->key, "artifact", path_base(v->artifact), "attempt",
                  (json_int_t)attempt, "log", path_base(job->log), "pid", (json_int_t)id->pid,
                  "ticks", (json_int_t)id->ticks, "boot", id->boot, "mark", job->mark);

    BUG_IF(event == NULL);
    return journal_append(r->journal, event);
}

/* log and end NULL: the end of a process that nobody saw. */
static enum status append_end(struct run *r, const struct plan_stage *s, const struct stage_view *v,
                              const char *what, const char *log, const struct job_end *end)
{
    json_t *event = json_pack("{s:s, s:s, s:s, s:s}", "event", what, "stage", s->name, "key",
                              v->key, "artifact", path_base(v->artifact));

    BUG_IF(event == NULL);
    if (log != NULL)
        json_object_update_new(event, json_pack("{s:s, s:f, s:i, s:i}", "log", path_base(log),
                                                "seconds", end->seconds, "code", end->code,
                                                "signal", end->signal));
    if (strcmp(what, "done") == 0)
        json_object_set_new(event, "digest", json_string(v->digest));
    return journal_append(r->journal, event);
}

/* The last lines of a log, indented, "" if there are none. */
static const char *log_tail(struct run *r, const char *path)
{
    char text[TAIL_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC), lines = 0;
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    ssize_t n = fd < 0 ? 0 : pread(fd, text, TAIL_BYTES, size > TAIL_BYTES ? size - TAIL_BYTES : 0);
    struct buf out = { 0 };
    const char *kept, *from;

    if (fd >= 0)
        close(fd);
    while (n > 0 && text[n - 1] == '\n')
        n--;
    text[n > 0 ? n : 0] = 0;
    for (from = text + (n > 0 ? n : 0); from > text; from--)
        if (from[-1] == '\n' && ++lines == TAIL_LINES)
            break;
    while (*from != 0) {
        size_t length = strcspn(from, "\n");
        if (*from != '$' || from != text)      /* the first line is the command */
            buf_printf(&out, "\n  | %.*s", (int)length, from);
        from += length + (from[length] == '\n');
    }
    kept = arena_strdup(r->arena, out.n ? out.p : "");
    buf_release(&out);
    return kept;
}

static enum status stage_failed(struct run *r, const struct plan_stage *s, const char *log,
                                const struct job_end *end)
{
    const char *how = arena_printf(r->arena, "exit code %d", end->code);

    if (end->signal != 0)
        how = arena_printf(r->arena, "ended by signal %d, %s", end->signal, strsignal(end->signal));
    return fail(ST_FAILED, "stage '%s' failed (%s); its log is %s%s", s->name, how, log,
                log_tail(r, log));
}

/* The process ended: what that means. */
static enum status settle(struct run *r, size_t i, const char *log, const struct job_end *end)
{
    const struct plan_stage *s = &r->plan->stages[i];
    struct stage_view *v = &r->survey->views[i];
    struct run_result *result = &r->report->results[i];
    struct cache_look look;

    result->seconds = end->seconds;
    if (end->code == status_exit_code(ST_INTERRUPTED)
        || (end->asked_to_stop && (end->code != 0 || end->signal != 0))) {
        result->outcome = OUTCOME_STOPPED;
        TRY(append_end(r, s, v, "interrupted", log, end));
        return fail(ST_INTERRUPTED,
                    "stage '%s' was interrupted; the same command goes on from there", s->name);
    }
    result->outcome = OUTCOME_FAILED;
    if (end->code != 0) {
        TRY(append_end(r, s, v, "failed", log, end));
        return stage_failed(r, s, log, end);
    }
    look = cache_look_at(r->arena, v->artifact, v->key, s->command->makes);
    if (look.state != CACHE_VALID) {
        TRY(append_end(r, s, v, "failed", log, end));
        return fail(ST_FAILED,
                    "stage '%s' said that it is done, but left no good artifact at '%s'%s%s",
                    s->name, v->artifact, look.why ? ": " : "", look.why ? look.why : "");
    }
    result->outcome = OUTCOME_RAN;
    v->state = STAGE_CACHED;
    memcpy(v->digest, look.digest, sizeof v->digest);
    TRY(append_end(r, s, v, "done", log, end));
    return workdir_point_current(r->arena, r->work, s->name, v->artifact);
}

/* Makes the place free and says there what will be in it. */
static enum status prepare(struct run *r, const struct stage_view *v)
{
    if (v->clear_away) {
        TRY(file_remove_tree(v->artifact));
        TRY(file_remove_tree(arena_printf(r->arena, "%s.work", v->artifact)));
    }
    return key_store(r->arena, v->artifact, v->key, v->record);
}

static enum status run_stage(struct run *r, size_t i)
{
    const struct plan_stage *s = &r->plan->stages[i];
    const struct stage_view *v = &r->survey->views[i];
    const struct executor *x = r->args->executor;
    const char *log = workdir_log(r->arena, r->work, s->name,
                                  journal_of(r->journal, s->name).attempts + 1);
    char mark[PROCESS_MARK_ROOM];
    struct job_end end = { 0 };
    struct process_id id;
    struct running *running;
    struct words words;
    struct job job = { .ranks = s->ranks, .log = log, .mark = mark };
    enum status st;

    TRY(prepare(r, v));
    make_words(r, s, v, &words);
    job.words = words.v;
    process_new_mark(mark);
    log_info("stage %s: %s (log %s)", s->name, s->command->name, log);
    TRY(x->start(&job, &running));
    id = x->who(running);
    st = append_start(r, s, v, &job, &id);
    if (st == ST_OK)
        st = x->release(running);
    if (st != ST_OK) {
        x->drop(running);
        return st;
    }
    TRY(x->wait(running, &end));
    if (s->ranks > 1)      /* ranks whose launcher was killed */
        TRY(process_end(&id, mark, STRAY_PATIENCE_MS));
    return settle(r, i, log, &end);
}

/* ---- all stages ---- */

static enum status nothing_there(const struct plan_input *in)
{
    return yaml_fail(in->node, "no such file or folder: '%s'", in->node->text);
}

/* The first thing that makes this plan impossible, before anything runs. */
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
    return ST_OK;
}

static bool is_cached(const struct run *r, size_t i)
{
    return r->survey->views[i].state == STAGE_CACHED;
}

/* A finished artifact that the journal does not know as the stage's last (the runner was killed
 * right behind it, or an older one fits again): said now, so that history and `current` follow. */
static enum status adopt(struct run *r, size_t i)
{
    const struct plan_stage *s = &r->plan->stages[i];
    const struct stage_view *v = &r->survey->views[i];
    struct journal_view h = journal_of(r->journal, s->name);
    const char *last = json_string_value(json_object_get(h.done, "key"));
    bool cut_off = h.start != NULL && h.end == NULL;

    TRY(workdir_point_current(r->arena, r->work, s->name, v->artifact));
    if (last != NULL && strcmp(last, v->key) == 0 && !cut_off)
        return ST_OK;
    return append_end(r, s, v, "done", NULL, NULL);
}

/* One stage's turn. */
static enum status take_turn(struct run *r, size_t i)
{
    if (!is_cached(r, i))
        TRY(survey_stage(r->survey, i));
    if (r->survey->views[i].state == STAGE_BLOCKED)      /* gone since the plan was shown */
        return nothing_there(r->survey->views[i].missing);
    if (is_cached(r, i))
        return adopt(r, i);
    BUG_IF(r->survey->views[i].state != STAGE_RUN);
    if (stop_requested())
        return fail(ST_INTERRUPTED,
                    "stopped in front of stage '%s'; the same command goes on from there",
                    r->plan->names[i]);
    return run_stage(r, i);
}

static enum status take_turns(struct run *r)
{
    r->report->results = arena_array(r->arena, r->plan->count, sizeof *r->report->results);
    for (size_t k = 0; k < r->plan->count; k++)
        if (r->args->selected[r->plan->order[k]])
            TRY(take_turn(r, r->plan->order[k]));
    return ST_OK;
}

static enum status look(struct run *r)
{
    struct survey *s = r->survey;

    TRY(journal_open(r->work->journal, &r->report->journal));
    r->journal = r->report->journal;
    *s = (struct survey){ .arena = r->arena, .plan = r->plan, .work = r->work,
                          .journal = r->journal,
                          .selected = r->args->selected, .forced = r->args->forced };
    for (size_t i = 0; !r->args->dry && i < r->plan->count; i++)
        TRY(end_stray(r, r->plan->names[i]));
    TRY(survey_begin(s));
    if (r->args->show_plan != NULL)
        r->args->show_plan(s);
    return check_possible(r);
}

static enum status run_locked(struct run *r)
{
    TRY(look(r));
    return take_turns(r);
}

enum status run_plan(const struct run_args *args, struct run_report *report)
{
    struct run r = { .args = args, .report = report, .arena = args->arena, .plan = args->plan,
                     .work = args->work, .survey = &report->survey };
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    struct file_lock lock;
    enum status st;

    if (args->dry)
        return look(&r);
    TRY(workdir_make(args->work));
    st = file_lock_take(&lock, args->work->lock);
    if (st != ST_OK)
        return st == ST_HELD ? fail_within(st, "another run of '%s' is at work: ", args->plan->name)
                             : st;
    sigaction(SIGPIPE, &ignore, &before);      /* a stderr that nobody reads must not end a stage */
    st = run_locked(&r);
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
