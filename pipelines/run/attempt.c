/* One process of a stage: its preparation, its limits, and what its end means. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/stop.h"
#include "pipelines/plan/options.h"
#include "pipelines/plan/program.h"
#include "pipelines/run/brought_back.h"
#include "pipelines/run/process.h"
#include "pipelines/run/run_part.h"
#include "store/artifact/artifact.h"

#define KILL_PATIENCE 10.0        /* seconds between SIGTERM and SIGKILL: to leave a resumable state */
#define REST_PATIENCE 1.0         /* seconds that what a stage left alive has to end by itself */
#define DEATH_PATIENCE 5.0        /* seconds behind SIGKILL */
#define MEMORY_EVERY 0.5          /* seconds between two looks at what a stage takes */
#define HEAR_BYTES (4u << 20)     /* of a log, at most, at one look */
#define TAIL_LINES 8              /* of a failed stage's log, in the message */
#define TAIL_BYTES 2000

/* ---- start ---- */

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

static void make_job(struct run *r, size_t i, struct job *job)
{
    const struct plan_stage *s = &r->plan->stages[i];
    const struct stage_view *v = &r->survey->views[i];
    long long threads = s->threads > 0 ? s->threads : 1;
    struct words words;

    job->ranks = s->ranks;
    job->mark = r->live[i].mark;
    job->log = workdir_log(r->arena, r->work, s->slug,
                           journal_attempts(r->journal, s->name) + 1);
    job->progress = arena_printf(r->arena, "%s.progress", job->log);
    process_new_mark(r->live[i].mark);
    if (s->command != &stage_program) {
        make_words(r, s, v, &words);
        job->words = words.v;
        return;
    }
    job->foreign = true;
    job->words = program_argv(r->arena, s, artifact_folder(r->live[i].artifact), threads);
}

static enum status append_start(struct run *r, size_t i, const struct attempt *a)
{
    const struct stage_view *v = &r->survey->views[i];
    json_t *event =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "event", "start", "stage",
                  r->plan->names[i], "run", r->now->id, "key", v->key, "artifact",
                  path_base(v->artifact), "attempt", (json_int_t)a->number, "log",
                  path_base(a->log), "boot", process_boot(), "mark", r->live[i].mark);

    BUG_IF(event == NULL);
    return journal_append(r->journal, event);
}

static enum status append_process(struct run *r, size_t i)
{
    const struct process_id *id = &r->live[i].id;
    json_t *event = json_pack("{s:s, s:s, s:I, s:I}", "event", "process", "stage",
                              r->plan->names[i], "pid", (json_int_t)id->pid, "ticks",
                              (json_int_t)id->ticks);

    BUG_IF(event == NULL);
    return journal_append(r->journal, event);
}

static enum status append_end(struct run *r, size_t i, const char *what, const struct attempt *a)
{
    const struct stage_view *v = &r->survey->views[i];
    json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:i, s:i}", "event", what, "stage",
                              r->plan->names[i], "key", v->key, "artifact",
                              path_base(v->artifact), "log", path_base(a->log), "seconds",
                              a->end.seconds, "code", a->end.code, "signal", a->end.signal);

    BUG_IF(event == NULL);
    if (a->cause >= 0)
        json_object_set_new(event, "cause", json_string(fail_cause_words[a->cause]));
    if (strcmp(what, "failed") == 0)
        json_object_set_new(event, "again", json_boolean(r->turns[i].state == TURN_PAUSED));
    return journal_append(r->journal, event);
}

static struct attempt *new_attempt(struct run *r, size_t i, const char *log)
{
    struct turn *t = &r->turns[i];
    struct attempt *all = arena_array(r->arena, t->attempt_count + 1, sizeof *all);
    struct attempt *a = &all[t->attempt_count];

    if (t->attempt_count > 0)
        memcpy(all, t->attempts, t->attempt_count * sizeof *all);
    t->attempts = all;
    t->attempt_count++;
    *a = (struct attempt){ .begun = run_seconds(r->now), .log = log, .cause = -1,
                           .number = journal_attempts(r->journal, r->plan->names[i]) + 1 };
    return a;
}

/* Makes the place free and says there what will be in it. */
static enum status prepare(struct run *r, struct stage_view *v)
{
    if (v->clear_away) {
        TRY(file_remove_tree(v->artifact));
        TRY(file_remove_tree(arena_printf(r->arena, "%s.work", v->artifact)));
        v->clear_away = false;      /* what this attempt leaves, the next one goes on from */
    }
    return key_store(r->arena, v->artifact, v->key, v->record);
}

/* How often the kernel has ended a process for want of memory since the machine began. */
static unsigned long long memory_kills(void)
{
    unsigned long long count = 0;
    char line[128];
    FILE *f = fopen("/proc/vmstat", "re");

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "oom_kill %llu", &count) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return count;
}

/* The log, behind its first line: the words that the stage was called with. */
static int open_log_to_hear(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[4096], *line_end = NULL;
    off_t at = 0;
    ssize_t n;

    while (fd >= 0 && line_end == NULL && (n = pread(fd, text, sizeof text, at)) > 0) {
        line_end = memchr(text, '\n', (size_t)n);
        at += line_end != NULL ? line_end - text + 1 : n;
    }
    if (fd >= 0)
        (void)lseek(fd, at, SEEK_SET);
    return fd;
}

static enum status begin_process(struct run *r, size_t i, const struct job *job, bool replaces)
{
    struct live *l = &r->live[i];

    TRY(append_start(r, i, new_attempt(r, i, job->log)));
    if (replaces)      /* an older "done" of this key must not vouch for what power loss leaves */
        TRY(journal_sync(r->journal));
    l->executor = executor_of(job->ranks);
    TRY(l->executor->start(job, &l->process));
    l->id = l->executor->who(l->process);
    if (r->args->view != NULL && r->args->view->said != NULL)
        l->log = open_log_to_hear(job->log);
    r->turns[i].state = TURN_RUNNING;
    return append_process(r, i);
}

static enum status start(struct run *r, size_t i)
{
    const struct plan_stage *s = &r->plan->stages[i];
    struct live *l = &r->live[i];
    struct job job = { 0 };
    bool replaces = r->survey->views[i].clear_away;

    TRY(prepare(r, &r->survey->views[i]));
    if (s->command == &stage_program)
        TRY(program_begin(r, i));
    make_job(r, i, &job);
    if (s->memory > 0)
        l->kills_before = memory_kills();
    TRY(begin_process(r, i, &job, replaces));
    if (s->timeout > 0)
        l->deadline = run_seconds(r->now) + s->timeout;
    r->turns[i].progress = job.progress;
    r->now->something_ran = true;
    return ST_OK;
}

/* A full disk, say: the other stages go on, and may yet leave what they can. */
static void start_failed(struct run *r, size_t i, enum status st, size_t attempts_before)
{
    struct turn *t = &r->turns[i];

    artifact_abort(r->live[i].artifact);
    r->live[i].artifact = NULL;
    t->state = TURN_FAILED;
    run_failed(r, fail_within(st, "stage '%s' cannot be started: ", r->plan->names[i]));
    if (t->attempt_count > attempts_before) {
        t->attempts[attempts_before].cause = CAUSE_EXIT;
        t->attempts[attempts_before].end.code = status_exit_code(st);
        if (append_end(r, i, "failed", &t->attempts[attempts_before]) != ST_OK)
            log_warn("%s", fail_message());
    }
}

enum status attempt_start(struct run *r, size_t i)
{
    struct live *l = &r->live[i];
    size_t attempts = r->turns[i].attempt_count;
    enum status st;

    *l = (struct live){ .claim = l->claim, .log = -1, .deadline = INFINITY, .kill_at = INFINITY };
    st = start(r, i);
    if (st == ST_OK || l->process != NULL)
        return st;
    start_failed(r, i, st, attempts);
    return ST_OK;
}

/* ---- while it runs ---- */

void attempt_end(struct run *r, size_t i, enum end_wish why)
{
    struct live *l = &r->live[i];

    if (l->wish != WISH_NONE || l->process == NULL)
        return;
    l->wish = why;
    if (why == WISH_STOP) {
        l->executor->signal(l->process, SIGINT);
        return;
    }
    l->executor->signal(l->process, why == WISH_TIMEOUT ? SIGTERM : SIGKILL);
    l->kill_at = run_seconds(r->now) + KILL_PATIENCE;
}

/* At most so many bytes: who writes faster than we read must not keep us from everything else. */
static void hear(struct run *r, size_t i, size_t most)
{
    struct live *l = &r->live[i];
    struct run_view *view = r->args->view;
    char text[16384];
    ssize_t n;

    if (view == NULL || view->said == NULL || l->log < 0)
        return;
    for (size_t heard = 0; heard < most && (n = read(l->log, text, sizeof text)) > 0;
         heard += (size_t)n)
        view->said(view, r->now, i, text, (size_t)n);
}

/* What there is to read at the moment: a process that was left behind may go on writing. */
static size_t rest_of_log(const struct live *l)
{
    struct stat s;
    off_t at = l->log < 0 ? 0 : lseek(l->log, 0, SEEK_CUR);

    return l->log >= 0 && fstat(l->log, &s) == 0 && s.st_size > at ? (size_t)(s.st_size - at) : 0;
}

static void check_limits(struct run *r, size_t i)
{
    const struct plan_stage *s = &r->plan->stages[i];
    struct live *l = &r->live[i];
    double at = run_seconds(r->now);

    if (at >= l->deadline && l->wish == WISH_STOP) {      /* it was asked to stop and did not */
        l->executor->signal(l->process, SIGTERM);
        l->kill_at = at + KILL_PATIENCE;
        l->deadline = INFINITY;
    }
    if (at >= l->deadline)
        attempt_end(r, i, WISH_TIMEOUT);
    if (at >= l->kill_at) {
        l->executor->signal(l->process, SIGKILL);
        l->kill_at = INFINITY;
    }
    if (s->memory > 0 && at >= l->memory_look) {
        l->memory_look = at + MEMORY_EVERY;
        if (process_memory_marked(l->mark) > s->memory)
            attempt_end(r, i, WISH_MEMORY);
    }
}

/* ---- its end ---- */

/* The last lines of a log, indented, "" if there are none. */
static const char *log_tail(struct run *r, const char *path)
{
    char text[TAIL_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC), lines = 0;
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    ssize_t n = fd < 0 ? 0 : pread(fd, text, TAIL_BYTES, size > TAIL_BYTES ? size - TAIL_BYTES : 0);
    struct buf out = { 0 }, good = { 0 };
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
    utf8_repair(&good, out.n ? out.p : "", out.n);      /* the cut may be inside a character */
    kept = arena_strdup(r->arena, good.n ? good.p : "");
    buf_release(&out);
    buf_release(&good);
    return kept;
}

static const char *how_it_ended(struct run *r, size_t i, const struct attempt *a)
{
    const struct plan_stage *s = &r->plan->stages[i];
    char room[32];

    if (a->cause == CAUSE_TIMEOUT)
        return arena_printf(r->arena, "it took longer than %g s", s->timeout);
    if (a->cause == CAUSE_MEMORY && r->live[i].wish == WISH_MEMORY)
        return arena_printf(r->arena, "it took more than %s of memory", str_bytes(s->memory, room));
    if (a->cause == CAUSE_MEMORY)
        return "the kernel ended it for want of memory";
    if (a->end.signal != 0)
        return arena_printf(r->arena, "ended by signal %d, %s", a->end.signal,
                            strsignal(a->end.signal));
    return arena_printf(r->arena, "exit code %d", a->end.code);
}

static int cause_of(const struct run *r, size_t i, const struct job_end *end)
{
    const struct live *l = &r->live[i];

    if (l->wish == WISH_TIMEOUT)
        return CAUSE_TIMEOUT;
    if (l->wish == WISH_MEMORY)
        return CAUSE_MEMORY;
    if (end->signal == SIGKILL && r->plan->stages[i].memory > 0 && memory_kills() > l->kills_before)
        return CAUSE_MEMORY;
    if (end->signal != 0)
        return CAUSE_SIGNAL;
    return end->code == status_exit_code(ST_AGAIN) ? CAUSE_LATER : CAUSE_EXIT;
}

/* Another try, if the stage's `retry` grants one: then it says when. */
static bool may_retry(struct run *r, size_t i, const struct attempt *a)
{
    const struct plan_retry *retry = &r->plan->stages[i].retry;
    struct turn *t = &r->turns[i];
    double wait;

    if (r->stopping || (r->failures > 0 && !r->args->keep_going) ||
        (long long)t->attempt_count > retry->times || (retry->on & (1u << a->cause)) == 0)
        return false;
    wait = retry->wait * pow(retry->factor, (double)(t->attempt_count - 1));
    wait = wait < retry->most ? wait : retry->most;
    t->next_attempt = run_seconds(r->now) + wait;
    log_warn("stage %s failed (%s); attempt %zu of %lld begins in %g s", r->plan->names[i],
             how_it_ended(r, i, a), t->attempt_count + 1, retry->times + 1, wait);
    return true;
}

static enum status settle_failure(struct run *r, size_t i, struct attempt *a)
{
    struct turn *t = &r->turns[i];

    a->cause = cause_of(r, i, &a->end);
    t->state = may_retry(r, i, a) ? TURN_PAUSED : TURN_FAILED;
    TRY(append_end(r, i, "failed", a));
    if (t->state == TURN_PAUSED)
        return ST_OK;
    run_failed(r, fail(ST_FAILED, "stage '%s' failed (%s); its log is %s%s", r->plan->names[i],
                       how_it_ended(r, i, a), a->log, log_tail(r, a->log)));
    return ST_OK;
}

/* It may be made of other bytes than its key says: it goes, and the next run makes another. */
static enum status settle_changed_input(struct run *r, size_t i, struct attempt *a,
                                        const char *path)
{
    r->turns[i].state = TURN_FAILED;
    a->cause = CAUSE_EXIT;
    TRY(append_end(r, i, "failed", a));
    TRY(file_remove_tree(r->survey->views[i].artifact));
    run_failed(r, fail(ST_FAILED, "'%s' changed while stage '%s' ran; the same command runs it "
                       "again", path, r->plan->names[i]));
    return ST_OK;
}

static enum status settle_success(struct run *r, size_t i, struct attempt *a)
{
    const char *changed = "";
    const struct plan_stage *s = &r->plan->stages[i];
    struct stage_view *v = &r->survey->views[i];
    const struct cache_question question = { v->artifact, v->key, s->command->makes, v->record };
    struct cache_look look = cache_look_at(r->arena, &question);

    if (look.state != CACHE_VALID) {
        r->turns[i].state = TURN_FAILED;
        TRY(append_end(r, i, "failed", a));
        run_failed(r, fail(ST_FAILED,
                           "stage '%s' said that it is done, but left no good artifact at "
                           "'%s'%s%s", s->name, v->artifact, look.why ? ": " : "",
                           look.why ? look.why : ""));
        return ST_OK;
    }
    if (!survey_inputs_stand(r->survey, i, &changed))
        return settle_changed_input(r, i, a, changed);
    v->state = STAGE_CACHED;
    memcpy(v->digest, look.digest, sizeof v->digest);
    r->turns[i].state = TURN_DONE;
    durable_add(r, i);
    if (strcmp(s->command->makes, "token-store") == 0)
        brought_back_warn(&(struct brought_back){ r->work, s->slug, v->artifact });
    return workdir_point_current(r->arena, r->work, s->slug, v->artifact);
}

/* The process has ended: what that means. */
static enum status settle(struct run *r, size_t i)
{
    struct turn *t = &r->turns[i];
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    struct live *l = &r->live[i];
    bool asked = l->wish == WISH_STOP;

    hear(r, i, rest_of_log(l));
    if (l->log >= 0)
        close(l->log);
    (void)unlink(t->progress);
    t->progress = NULL;
    if (a->end.code == 0)
        return settle_success(r, i, a);
    if (asked || (a->end.code == status_exit_code(ST_INTERRUPTED) && l->wish == WISH_NONE)) {
        t->state = TURN_STOPPED;
        TRY(append_end(r, i, "interrupted", a));
        run_failed(r, fail(ST_INTERRUPTED, "stage '%s' was interrupted; the same command goes on "
                           "from there", r->plan->names[i]));
        return ST_OK;
    }
    return settle_failure(r, i, a);
}

/* ---- what it left alive ---- */

/* It would write into what counts as whole, or beside the next attempt. At first its process group
 * is asked for, which costs nothing; the mark, which also finds what has left the group, costs a
 * walk over /proc and is asked for where the stage did not end well: a server that a program has
 * left behind on purpose may stay. */
static bool is_rest_there(const struct run *r, size_t i)
{
    const struct job_end *end = &r->turns[i].attempts[r->turns[i].attempt_count - 1].end;
    const struct live *l = &r->live[i];
    bool well = end->code == 0 && l->wish == WISH_NONE && r->plan->stages[i].ranks <= 1;

    if (l->rest == REST_UNSEEN && (well || process_group_is_there(l->id.pid)))
        return process_group_is_there(l->id.pid);
    return process_count_marked(l->mark) > 0;
}

/* What was there has gone: but for what hides its mark. */
static void forget_rest(struct live *l)
{
    if (l->rest != REST_UNSEEN)
        process_signal_rest(l->id.pid, l->mark, SIGKILL);
    l->rest = REST_UNSEEN;
    l->kill_at = INFINITY;
}

/* Goes on with ending it, without waiting. *gone: nothing is left. */
static enum status end_rest(struct run *r, size_t i, bool *gone)
{
    static const int signals[] = { 0, SIGTERM, SIGKILL };
    static const double patience[] = { REST_PATIENCE, KILL_PATIENCE, DEATH_PATIENCE };
    struct live *l = &r->live[i];
    double at = run_seconds(r->now);

    *gone = !is_rest_there(r, i);
    if (*gone)
        forget_rest(l);
    if (*gone || (l->rest != REST_UNSEEN && at < l->kill_at))
        return ST_OK;
    if (l->rest == REST_KILLED)
        return fail(ST_HELD, "a process of stage '%s' is still alive and cannot be ended",
                    r->plan->names[i]);
    l->rest = l->wish == WISH_MEMORY ? REST_KILLED
              : l->rest == REST_UNSEEN && l->wish != WISH_NONE ? REST_ASKED : l->rest + 1;
    if (signals[l->rest - 1] != 0)
        process_signal_rest(l->id.pid, l->mark, signals[l->rest - 1]);
    l->kill_at = at + patience[l->rest - 1];
    return ST_OK;
}

/* A stage that is several processes, one behind the other. */
static void add_end(struct job_end *all, const struct job_end *one)
{
    all->code = one->code;
    all->signal = one->signal;
    all->seconds += one->seconds;
    all->cpu_seconds += one->cpu_seconds;
    all->peak_memory = one->peak_memory > all->peak_memory ? one->peak_memory : all->peak_memory;
}

int attempt_fd(const struct run *r, size_t i)
{
    const struct live *l = &r->live[i];

    return l->process != NULL ? l->executor->end_fd(l->process) : -1;
}

enum status attempt_look(struct run *r, size_t i, bool *ended)
{
    struct turn *t = &r->turns[i];
    struct live *l = &r->live[i];
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    struct job_end end;

    if (l->process != NULL && l->executor->ended(l->process, &end)) {
        l->process = NULL;
        add_end(&a->end, &end);
    }
    if (l->process == NULL)
        TRY(end_rest(r, i, ended));
    if (*ended && l->artifact != NULL)
        TRY(program_end(r, i, &a->end, ended));
    if (*ended)
        return settle(r, i);
    hear(r, i, HEAR_BYTES);
    if (l->process != NULL)
        check_limits(r, i);
    return ST_OK;
}
