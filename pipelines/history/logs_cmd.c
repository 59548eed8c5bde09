/* `tundish logs`: what an attempt of a stage printed, as it prints it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "pipelines/history/attempts.h"
#include "pipelines/history/columns.h"
#include "pipelines/history/history.h"
#include "pipelines/history/history_cmd.h"
#include "pipelines/history/log_copy.h"

#define POLL_MS 200
#define LOCK_POLLS 5            /* looks at the lock every so many polls */

struct logs_cfg {
    struct opt_list words;
    const char *work;
    int64_t attempt;
    bool follow, list;
};

/* ---- which stage, which attempt ---- */

/* The stages of the file, without checking it; NULL-terminated. */
static const char **names_of_file(struct arena *a, const struct history *h)
{
    const struct yaml *stages = h->file != NULL ? yaml_get(h->file, "stages") : NULL;
    size_t n = stages != NULL && stages->kind == YAML_MAP ? stages->count : 0;
    const char **names = arena_array(a, n + 1, sizeof *names);

    for (size_t i = 0; i < n; i++)
        names[i] = stages->keys[i]->text;
    return names;
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static enum status unknown_stage(const char *name, const char *const *seen,
                                 const char *const *planned)
{
    const char *near = strlen(name) < 60 ? str_nearest(name, seen) : NULL;

    if (near == NULL && strlen(name) < 60)
        near = str_nearest(name, planned);
    if (near != NULL)
        return fail(ST_USAGE, "there is no stage '%.60s'; did you mean '%s'?", name, near);
    if (seen[0] == NULL)
        return fail(ST_MISSING, "there is no log of stage '%.60s': nothing ran yet", name);
    return fail(ST_USAGE, "there is no stage '%.60s'; the first that has a log is '%s'", name,
                seen[0]);
}

/* "train" of a matrix stands for several stages: which of them have a log. */
static enum status not_run_yet(struct arena *a, const struct history *h, const struct attempts *t)
{
    size_t n = strlen(t->stage);
    const char *found = "";

    for (const char **name = t->stages.v; *name != NULL; name++)
        if (strncmp(*name, t->stage, n) == 0 && (*name)[n] == '[')
            found = arena_printf(a, "%s%s'%s'", found, *found ? ", " : "", *name);
    if (*found != 0)
        return fail(ST_USAGE, "stage '%s' is a matrix; want one of %.500s", t->stage, found);
    return fail(ST_MISSING, "stage '%s' has not run in '%s' yet", t->stage, h->work.path);
}

static enum status find_attempts(struct arena *a, const struct history *h, const char *stage,
                                 bool may_wait, struct attempts *t)
{
    const char **planned = names_of_file(a, h);

    *t = (struct attempts){ .arena = a, .work = &h->work, .stage = stage };
    TRY(attempts_read(t));
    if (t->count > 0)
        return ST_OK;
    if (!is_among(stage, planned) && !is_among(stage, t->stages.v))
        return unknown_stage(stage, t->stages.v, planned);
    if (may_wait && file_lock_is_held(h->work.lock))
        return ST_OK;
    return not_run_yet(a, h, t);
}

static enum status find_attempt(const struct attempts *t, int64_t number, size_t *out)
{
    for (*out = t->count; *out > 0; --*out)
        if (number == 0 || t->v[*out - 1].number == number) {
            --*out;
            return ST_OK;
        }
    if (number == 0)
        return ST_OK;      /* none yet: it will be the first */
    return fail(ST_MISSING, "stage '%s' has no attempt %lld; it has %lld to %lld", t->stage,
                (long long)number, t->count ? t->v[0].number : 0,
                t->count ? t->v[t->count - 1].number : 0);
}

/* ---- the list ---- */

static const char *end_words(struct arena *a, const struct logged_attempt *one, bool may_run)
{
    if (one->end == NULL)
        return may_run ? "running" : one->begun > 0 ? "cut off" : "-";
    if (strcmp(one->end, "failed") == 0 && one->signal != 0)
        return arena_printf(a, "failed (signal %d)", one->signal);
    if (strcmp(one->end, "failed") == 0)
        return arena_printf(a, "failed (exit code %d)", one->code);
    return one->end;
}

static enum status print_list(const struct attempts *t)
{
    static const char *const head[] = { "attempt", "begun", "seconds", "result", "log" };
    struct arena *a = t->arena;
    struct columns c = { .arena = a, .count = 5, .right = 1u << 0 | 1u << 2 };
    bool held = file_lock_is_held(t->work->lock);
    struct buf text = { 0 };
    enum status st;

    for (size_t i = 0; i < c.count; i++)
        columns_add(&c, head[i]);
    for (size_t i = 0; i < t->count; i++) {
        const struct logged_attempt *one = &t->v[i];
        columns_add(&c, arena_printf(a, "%lld", one->number));
        columns_add(&c, history_time(a, one->begun));
        columns_add(&c, one->seconds < 0 ? "-" : arena_printf(a, "%.2f", one->seconds));
        columns_add(&c, end_words(a, one, held && i + 1 == t->count && one->begun > 0));
        columns_add(&c, file_exists(attempts_log(t, one)) ? attempts_log(t, one) : "(removed)");
    }
    columns_print(&c, &text);
    st = output_text(&text);
    buf_release(&text);
    return st;
}

/* ---- printing ---- */

static enum status print_log(const struct attempts *t, size_t i)
{
    struct log_copy c = { .path = attempts_log(t, &t->v[i]) };

    if (!file_exists(c.path))
        return fail(ST_MISSING, "the log of attempt %lld was removed: '%s'", t->v[i].number,
                    c.path);
    TRY(log_copy_more(&c));
    return log_copy_end(&c);
}

/* ---- following ---- */

/* Nothing is half done here, so the first Ctrl-C is the end. */
static void leave(int number)
{
    (void)number;
    _exit(130);
}

static void leave_at_once(void)
{
    struct sigaction action = { .sa_handler = leave };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

struct follow {
    struct attempts *attempts;
    size_t now;                  /* the attempt that is shown; attempts->count: it is to come */
    bool only_this;              /* --attempt: no other one after it */
    unsigned polls;
    bool held;                   /* someone runs the pipeline, as last seen */
    bool told;                   /* that it waits */
};

/* Can nothing more come of this attempt? What is in its log now is then the last of it. */
static bool has_ended(const struct follow *f)
{
    const struct attempts *t = f->attempts;

    return !f->held
           || (f->now < t->count && (t->v[f->now].end != NULL || f->now + 1 < t->count));
}

/* May another attempt follow? Only a failed one is tried again, while the run goes on. */
static bool may_go_on(const struct follow *f)
{
    const struct attempts *t = f->attempts;
    const char *end = f->now < t->count ? t->v[f->now].end : NULL;

    if (f->now + 1 < t->count)
        return !f->only_this;
    return f->held && !f->only_this && (end == NULL || strcmp(end, "failed") == 0);
}

static enum status look_again(struct follow *f)
{
    const struct timespec nap = { POLL_MS / 1000, POLL_MS % 1000 * 1000000L };

    nanosleep(&nap, NULL);
    if (++f->polls % LOCK_POLLS == 0)
        f->held = file_lock_is_held(f->attempts->work->lock);
    return attempts_update(f->attempts);
}

static void tell_wait(struct follow *f)
{
    const struct attempts *t = f->attempts;

    if (!f->told && f->now < t->count)
        log_info("attempt %lld failed; waiting for another one while the run goes on (Ctrl-C ends)",
                 t->v[f->now].number);
    else if (!f->told)
        log_info("waiting for stage '%s' to begin (Ctrl-C ends)", t->stage);
    f->told = true;
}

/* Waits until there is an attempt to show; false: none will come. */
static enum status wait_for_attempt(struct follow *f, size_t wanted, bool *there)
{
    while (f->attempts->count <= wanted) {
        if (!may_go_on(f)) {
            *there = false;
            return ST_OK;
        }
        tell_wait(f);
        TRY(look_again(f));
    }
    *there = true;
    f->told = false;
    return ST_OK;
}

static enum status follow_one(struct follow *f, struct log_copy *c)
{
    for (bool ended = false; !ended && !c->reader_gone;) {
        ended = has_ended(f);          /* asked first: then what is copied is all */
        TRY(log_copy_more(c));
        if (!ended)
            TRY(look_again(f));
    }
    return log_copy_end(c);
}

static enum status follow(struct attempts *t, size_t first, bool only_this)
{
    struct follow f = { .attempts = t, .now = first, .only_this = only_this };
    bool there;

    leave_at_once();
    f.held = file_lock_is_held(t->work->lock);
    TRY(attempts_update(t));           /* behind the lock, so that no end is missed */
    for (size_t wanted = first;; wanted++) {
        struct log_copy c = { 0 };
        TRY(wait_for_attempt(&f, wanted, &there));
        if (!there)
            return ST_OK;
        f.now = wanted;
        c.path = attempts_log(t, &t->v[wanted]);
        if (wanted != first)
            log_info("attempt %lld: %s", t->v[wanted].number, c.path);
        TRY(follow_one(&f, &c));
        if (c.reader_gone || only_this)
            return ST_OK;
    }
}

/* ---- the command ---- */

static enum status run_logs(struct arena *a, void *cfg)
{
    const struct logs_cfg *c = cfg;
    struct history history;
    struct attempts attempts;
    size_t chosen;

    if (c->words.count != 2)
        return fail(ST_USAGE, "found %zu words, want two: the pipeline file (or its work folder) "
                    "and a stage", c->words.count);
    TRY(history_open(a, c->words.v[0], c->work, &history));
    TRY(find_attempts(a, &history, c->words.v[1], c->follow, &attempts));
    if (c->list)
        return print_list(&attempts);
    TRY(find_attempt(&attempts, c->attempt, &chosen));
    if (c->follow)
        return follow(&attempts, chosen, c->attempt != 0);
    return print_log(&attempts, chosen);
}

static const struct opt logs_opts[] = {
    OPT_LIST(struct logs_cfg, words, "file",
             "the pipeline file or its work folder, and behind it the stage",
             .flags = OPT_REQUIRED | OPT_POSITIONAL, .value = "FILE STAGE"),
    OPT_BOOL(struct logs_cfg, follow, "follow", "false",
             "go on as the log grows, until the stage has ended", .letter = 'f'),
    OPT_INT(struct logs_cfg, attempt, "attempt", "0", 0, 1e9,
            "that attempt (--list numbers them); 0: the newest"),
    OPT_BOOL(struct logs_cfg, list, "list", "false", "list the attempts instead"),
    HISTORY_ROW_WORK(struct logs_cfg),
    OPT_END
};

const struct command cmd_logs = {
    .name = "logs",
    .summary = "print what a stage printed, or follow it",
    .details =
        "The log of the stage's newest attempt. With --follow it goes on as the log grows, and "
        "with the next\n"
        "attempt if a failed one is tried again, until the stage is done or nobody runs the "
        "pipeline any more.\n"
        "A progress bar that draws over itself comes out as lines.\n"
        "\n"
        "  tundish logs my.yaml train -f\n"
        "  tundish logs my.yaml train --list\n"
        "  tundish logs work/my train --attempt 2 | less",
    .opts = logs_opts,
    .cfg_size = sizeof(struct logs_cfg),
    .run = run_logs,
};
