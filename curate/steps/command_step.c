#include "curate/steps/command_step.h"

#include <math.h>

#include "base/child_program.h"
#include "base/json.h"
#include "base/log.h"

#define ANSWER_LEAST ((size_t)16 << 20)      /* an answer may have this and four times its question */
#define FAILURES_TOLD 20                     /* so many and no answer yet: the program is at fault, not the documents */

static const char *const failures[] = { "fail", "drop", "keep", NULL };

static enum status check_timeout(const struct yaml *value)
{
    double seconds;

    if (value->kind == YAML_SCALAR && str_parse_duration(value->text, &seconds) && seconds > 0)
        return ST_OK;
    return yaml_fail(value, "want a span of time above 0, as 30s or 1m30s");
}

const struct opt command_opts[] = {
    OPT_LIST(struct command_cfg, run, "run",
             "program and its words, as [python3, -u, score.py]: JSON lines {id, text, ...} in, one line back for each: "
             "{keep, reason, score, text, metadata}, {} keeps it as it is", .flags = OPT_REQUIRED),
    OPT_INPUTS(struct command_cfg, files, "files", "files that decide what the program does (its script, its model)"),
    OPT_STR(struct command_cfg, timeout, "timeout", "30s", "longest time for one document", .check = check_timeout),
    OPT_SIZE(struct command_cfg, memory, "memory", "4G", 0, (double)(UINT64_C(1) << 50),
             "most address space of each of its processes; 0: no bound"),
    OPT_CHOICE(struct command_cfg, on_failure, "on-failure", "fail", failures,
               "no answer, a wrong one, or an end: fail the run, drop the document, or keep it as it is"),
    OPT_END
};

static const struct drop_reason dropped = { "command_dropped", "the program wants it dropped (0)" };
static const struct drop_reason failed = { "command_failed", "the program gave no answer, or a wrong one (0)" };
static const struct drop_reason score_told = { "command_score", "what the program made of it" };
const struct drop_reason *const command_reasons[] = { &dropped, &failed, &score_told, &drop_empty, NULL };

enum { COUNT_CHANGED, COUNT_FAILED };
const char *const command_counters[] = { "changed_texts", "failures", NULL };

enum status command_check(const void *cfg, const struct yaml *at)
{
    const struct command_cfg *c = cfg;

    if (c->run.count > 0 && *c->run.v[0])
        return ST_OK;
    return yaml_fail(at, "want the program and its words, as {run: [awk, -f, x.awk]}; found none");
}

/* ---- state ---- */

struct command_state {
    const struct command_cfg *cfg;
    struct child_program *child;       /* NULL: none runs */
    struct buf question, answer, scratch;
    int failures;                      /* before the first answer; -1: there was one */
};

enum status command_open(const void *cfg, void **state)
{
    struct command_state *s = mem_alloc(sizeof *s);

    s->cfg = cfg;
    *state = s;
    return ST_OK;
}

void command_close(void *state)
{
    struct command_state *s = state;
    struct buf how = { 0 };

    if (s->child != NULL && !child_program_end(s->child, true, &how))
        log_warn("the program '%s' ended with %s behind its last document", s->cfg->run.v[0], how.p ? how.p : "?");
    buf_release(&how);
    buf_release(&s->question);
    buf_release(&s->answer);
    buf_release(&s->scratch);
    free(s);
}

/* ---- the question ---- */

static void add_member(struct buf *out, const char *key, struct span value)
{
    if (value.p == NULL)
        return;
    buf_printf(out, "%s\"%s\":", out->n > 1 ? "," : "", key);
    json_quote(out, value.p, value.n);
}

static void ask_line(struct command_state *s, const struct doc *d)
{
    struct document printed = doc_print(d, &s->scratch);
    struct buf *q = &s->question;
    size_t start;

    buf_clear(q);
    buf_addc(q, '{');
    add_member(q, "id", printed.id);
    add_member(q, "text", (struct span){ d->text.p ? d->text.p : "", d->text.n });
    add_member(q, "source", printed.source);
    add_member(q, "created", printed.created);
    add_member(q, "language", d->language ? span_of(d->language) : (struct span){ NULL, 0 });
    if (printed.metadata.p != NULL) {
        buf_adds(q, ",\"metadata\":");
        start = q->n;
        buf_add(q, printed.metadata.p, printed.metadata.n);
        for (size_t i = start; i < q->n; i++)      /* raw JSON: a line feed stands only between its parts */
            if (q->p[i] == '\n' || q->p[i] == '\r')
                q->p[i] = ' ';
    }
    buf_adds(q, "}\n");
}

/* ---- the answer ---- */

struct command_answer {
    json_t *keep, *reason, *score, *text, *metadata, *id;
};

static bool is_number(const json_t *v) { return json_is_number(v) && isfinite(json_number_value(v)); }

/* NULL: it is as it should be; else what is wrong with it, in words. */
static const char *read_answer(const json_t *object, const struct doc *d, struct command_answer *a)
{
    static const char *const known[] = { "keep", "reason", "score", "text", "metadata", "id",
                                         "source", "created", "language", NULL };
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return "the line is no JSON object";
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        size_t i = 0;

        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL)
            return "a member is none of keep, reason, score, text, metadata, id, source, created, language";
    }
    *a = (struct command_answer){
        json_object_get(object, "keep"), json_object_get(object, "reason"), json_object_get(object, "score"),
        json_object_get(object, "text"), json_object_get(object, "metadata"), json_object_get(object, "id"),
    };
    if ((a->keep && !json_is_boolean(a->keep)) || (a->score && !is_number(a->score)))
        return "'keep' is not true or false, or 'score' not a number";
    if ((a->reason && !json_is_string(a->reason)) || (a->text && !json_is_string(a->text)))
        return "'reason' or 'text' is not a text";
    if (a->metadata && !json_is_object(a->metadata))
        return "'metadata' is not an object";
    if (a->id && (!json_is_string(a->id) || strcmp(json_string_value(a->id), d->id) != 0))
        return "'id' is another document's";
    return NULL;
}

static void set_text(struct doc *d, const json_t *text, struct step_work *w)
{
    size_t n = json_string_length(text);
    const char *p = json_string_value(text);

    if (n == d->text.n && (n == 0 || memcmp(p, d->text.p, n) == 0))
        return;
    buf_clear(&d->text);
    buf_add(&d->text, p, n);
    d->edits++;
    w->counts[COUNT_CHANGED]++;
}

static void set_metadata(struct doc *d, const json_t *metadata)
{
    char *text = json_dumps(metadata, JSON_COMPACT | JSON_ENCODE_ANY);

    BUG_IF(text == NULL);
    free(d->metadata);
    d->metadata = text;
}

static void take_answer(struct doc *d, const struct command_answer *a, struct step_work *w)
{
    bool keep = a->keep == NULL || json_is_true(a->keep);

    if (a->score)
        trace_add(&w->trace, &(struct trace_value){ &score_told, json_number_value(a->score), 0, TRACE_TELLS, false });
    if (a->reason && !keep) {
        free(d->said);
        d->said = mem_strdup(json_string_value(a->reason));
    }
    if (doc_judge(d, &w->trace, &(struct trace_value){ &dropped, keep, 1, TRACE_AT_LEAST, !keep }))
        return;
    if (a->metadata)
        set_metadata(d, a->metadata);
    if (a->text)
        set_text(d, a->text, w);
    if (d->text.n == 0)
        doc_judge(d, &w->trace, &(struct trace_value){ &drop_empty, 0, 1, TRACE_AT_LEAST, true });
}

/* ---- failures ---- */

/* The program is ended; what comes of the document. words: what was wrong. */
static enum status give_up(struct command_state *s, struct doc *d, struct step_work *w, const char *words)
{
    const struct command_cfg *c = s->cfg;
    struct buf how = { 0 }, said = { 0 };
    bool itself;

    buf_adds(&said, child_program_said(s->child));
    itself = strstr(words, "ended") != NULL;
    child_program_end(s->child, itself, &how);
    s->child = NULL;
    w->counts[COUNT_FAILED]++;
    if (s->failures >= 0 && ++s->failures == FAILURES_TOLD && c->on_failure != COMMAND_FAIL)
        log_warn("the program '%s' failed at each of its first %d documents, and is started anew for each: %s%s%s", c->run.v[0], FAILURES_TOLD,
                 words, said.n ? "; it said: " : "", said.n ? said.p : "");
    if (c->on_failure == COMMAND_FAIL)
        fail(ST_FAILED, "the program '%s' failed at document '%s': %s%s%s; want a line of JSON back for each%s%s",
             c->run.v[0], d->id, words, itself && how.n ? " with " : "", itself && how.n ? how.p : "",
             said.n ? "; it said: " : " (it said nothing on its standard error)", said.n ? said.p : "");
    else
        doc_judge(d, &w->trace, &(struct trace_value){ &failed, 0, 1, TRACE_AT_LEAST, c->on_failure == COMMAND_DROP });
    buf_release(&how);
    buf_release(&said);
    return c->on_failure == COMMAND_FAIL ? ST_FAILED : ST_OK;
}

static enum status stopped(struct command_state *s)
{
    child_program_end(s->child, false, NULL);
    s->child = NULL;
    return fail(ST_INTERRUPTED, "stopped while the program '%s' was at work", s->cfg->run.v[0]);
}

static const char *what_went_wrong(enum child_program_how how)
{
    switch (how) {
    case CHILD_PROGRAM_LATE: return "no answer came in time, which is `timeout` (does it flush behind each line, and wait for no more than one?)";
    case CHILD_PROGRAM_ENDED: return "it ended";
    case CHILD_PROGRAM_ENDLESS: return "its answer has no end";
    case CHILD_PROGRAM_UNASKED: return "it had answered with more than one line before";
    case CHILD_PROGRAM_ANSWERED:
    case CHILD_PROGRAM_STOPPED: break;
    }
    return NULL;
}

/* ---- the step ---- */

static enum status take_line(struct command_state *s, struct doc *d, struct step_work *w)
{
    struct command_answer a;
    json_t *object = NULL;
    const char *wrong;
    enum status st = ST_OK;

    if (json_parse(s->answer.p ? s->answer.p : "", s->answer.n, "answer", &object) != ST_OK)
        return give_up(s, d, w, "the line is no JSON object");
    wrong = read_answer(object, d, &a);
    if (wrong != NULL)
        st = give_up(s, d, w, wrong);
    else {
        s->failures = -1;
        take_answer(d, &a, w);
    }
    json_decref(object);
    return st;
}

enum status command_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct command_cfg *c = cfg;
    struct command_state *s = w->state;
    struct child_program_question q = { .seconds = 0 };
    enum child_program_how how;

    if (s->child == NULL)
        TRY(child_program_start(&(struct child_program_args){ &c->run, c->memory }, &s->child));
    ask_line(s, d);
    BUG_IF(!str_parse_duration(c->timeout, &q.seconds));
    q.line = (struct span){ s->question.p, s->question.n };
    q.most = ANSWER_LEAST + 4 * s->question.n;
    how = child_program_ask(s->child, &q, &s->answer);
    if (how == CHILD_PROGRAM_STOPPED)
        return stopped(s);
    if (how != CHILD_PROGRAM_ANSWERED)
        return give_up(s, d, w, what_went_wrong(how));
    return take_line(s, d, w);
}
