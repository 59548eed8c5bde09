#include "pipelines/run_cmd.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/bench.h"
#include "base/log.h"
#include "base/output.h"
#include "pipelines/plan/options.h"
#include "pipelines/report/run_page.h"
#include "pipelines/run/run_bench.h"
#include "pipelines/run/run_view.h"
#include "pipelines/run/show.h"

struct pipeline_cfg {
    const char *file;
    struct opt_list words;       /* of `explain`: the file, and a stage behind it */
    struct opt_list sets;
    const char *work, *site;
    const char *from, *until;
    struct opt_list only, force;
    int64_t jobs, threads;
    uint64_t memory;
    bool dry_run, keep_going, json;
    int format;
};

/* ---- rows that several commands have ---- */

#define ROW_FILE                                                                                   \
    OPT_INPUT(struct pipeline_cfg, file, "file", "the pipeline file",                              \
              .flags = OPT_REQUIRED | OPT_POSITIONAL)
#define ROW_SETS                                                                                   \
    OPT_LIST(struct pipeline_cfg, sets, "set", "name=value of a param of the file; may be repeated")
#define ROW_SITE                                                                                   \
    OPT_STR(struct pipeline_cfg, site, "site", NULL,                                               \
            "site profile: what this machine gives to stages (pipelines/plan/plan.h)", .value = "FILE")
#define ROW_WORK                                                                                   \
    OPT_STR(struct pipeline_cfg, work, "work", NULL,                                               \
            "folder of artifacts, logs and journal; none: work/<pipeline>")

static const char *const graph_formats[] = { "text", "dot", "names", NULL };

/* ---- what they share ---- */

static enum status read_plan(struct arena *a, const struct pipeline_cfg *c, const char *file,
                             struct plan **out)
{
    struct plan_args args = { .name = file, .commands = command_all(), .sets = &c->sets,
                              .site = c->site };

    return plan_read_file(a, &args, out);
}

/* ---- run ---- */

/* The table of results, or, of a dry run, the plan. */
static enum status print_outcome(const struct run_report *report, const struct run_args *args)
{
    struct buf text = { 0 };
    enum status st = ST_OK;

    if (args->dry && report->survey.views != NULL)
        show_plan(&report->survey, &text);
    else if (report->now.turns != NULL)
        show_results(&report->now, &text);
    if (text.n > 0)
        st = output_text(&text);
    buf_release(&text);
    return st;
}

/* A page that cannot be written takes nothing from a run. */
static void write_page(const struct run_page *page)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    const char *path;

    if (page->args->dry || page->report->survey.views == NULL
        || (!page->report->now.something_ran && page->outcome == ST_OK))
        return;
    sigaction(SIGPIPE, &ignore, &before);      /* a stderr that nobody reads must not end the run */
    if (run_page_write(page, &path) == ST_OK)
        log_info("report: %s", path);
    else
        log_warn("no report of this run: %s", fail_message());
    sigaction(SIGPIPE, &before, NULL);
}

/* What was asked for behind the file, for the record. */
static void say_words(struct arena *a, const struct pipeline_cfg *c, struct words *out)
{
    const struct {
        const char *name, *value;
    } texts[] = { { "site", c->site }, { "from", c->from }, { "until", c->until } };
    const struct {
        const char *name;
        const struct opt_list *list;
    } lists[] = { { "set", &c->sets }, { "only", &c->only }, { "force", &c->force } };

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t k = 0; k < lists[i].list->count; k++)
            words_add(out, arena_printf(a, "--%s=%s", lists[i].name, lists[i].list->v[k]));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].value != NULL)
            words_add(out, arena_printf(a, "--%s=%s", texts[i].name, texts[i].value));
}

static enum status run_run(struct arena *a, void *cfg)
{
    const struct pipeline_cfg *c = cfg;
    struct plan_selection selection = { c->from, c->until, &c->only, &c->force };
    struct capacity asked = { c->jobs, c->threads, c->memory };
    struct run_args args = { .arena = a, .dry = c->dry_run, .keep_going = c->keep_going };
    struct run_report report = { 0 };
    struct words words = { .arena = a };
    struct opt_list word_list;
    struct failure failure;
    struct workdir work;
    bool *selected, *forced;
    double begun = bench_now();
    time_t when = time(NULL);
    enum status st, printed;

    TRY(read_plan(a, c, c->file, &args.plan));
    TRY(plan_select(args.plan, &selection, &selected, &forced));
    work = workdir_at(a, c->work, args.plan->name);
    args.work = &work;
    args.selected = selected;
    args.forced = forced;
    args.machine = capacity_of(args.plan, &asked);
    say_words(a, c, &words);
    word_list = (struct opt_list){ words.v, words.count };
    args.words = &word_list;
    if (!c->dry_run)
        args.view = log_is_terminal() && !log_is_quiet() ? view_live_new() : view_plain_new();
    st = run_plan(&args, &report);
    failure_save(&failure, st);
    write_page(&(struct run_page){ .args = &args, .report = &report, .outcome = st,
                                   .message = st == ST_OK ? "" : failure.text,
                                   .seconds = bench_now() - begun, .begun = when });
    printed = print_outcome(&report, &args);
    run_report_release(&report);
    if (args.view != NULL)
        args.view->release(args.view);
    return st != ST_OK ? failure_restore(&failure) : printed;
}

static const struct opt run_opts[] = {
    ROW_FILE,
    ROW_SETS,
    ROW_SITE,
    ROW_WORK,
    OPT_STR(struct pipeline_cfg, from, "from", NULL,
            "run this stage and those behind it, on the last artifacts of all others",
            .value = "STAGE"),
    OPT_STR(struct pipeline_cfg, until, "until", NULL, "run this stage and what it waits for",
            .value = "STAGE"),
    OPT_LIST(struct pipeline_cfg, only, "only", "run this stage alone; may be repeated",
             .value = "STAGE"),
    OPT_LIST(struct pipeline_cfg, force, "force",
             "run this stage though its artifact fits; may be repeated", .value = "STAGE"),
    OPT_INT(struct pipeline_cfg, jobs, "jobs", "0", 0, 10000,
            "most stages side by side; 0: as the site profile says, else one a thread",
            .letter = 'j'),
    OPT_INT(struct pipeline_cfg, threads, "threads", "0", 0, 100000,
            "threads that stages share; 0: as the site profile says, else all processors"),
    OPT_SIZE(struct pipeline_cfg, memory, "memory", "0", 0, 1e18,
             "memory that stages share; 0: as the site profile says, else the machine's"),
    OPT_BOOL(struct pipeline_cfg, keep_going, "keep-going", "false",
             "a failure stops only what waits for it", .letter = 'k'),
    OPT_BOOL(struct pipeline_cfg, dry_run, "dry-run", "false",
             "print what would run and why, and do nothing", .letter = 'n'),
    OPT_END
};

const struct command cmd_run = {
    .name = "run",
    .summary = "run a pipeline file: every stage that is not up to date",
    .details =
        "Each stage is this program's own subcommand, called with the options of its `with:`. "
        "A stage\n"
        "whose kind, options and inputs (by content) are those of an artifact in the work folder "
        "is not\n"
        "run again. What is cut off, by Ctrl-C or by power loss, "
        "goes on when the same command is given\n"
        "again. Paths in the file are relative to the current folder. "
        "The plan and the stages' own words\n"
        "go to stderr, the table of results to stdout.\n"
        "\n"
        "  tundish run pipelines/quickstart.yaml --set documents=/usr/share/doc\n"
        "  tundish run my.yaml --dry-run --from pretrain\n"
        "\n"
        "Stages that do not wait for each other run side by side, as far as --jobs, threads and memory "
        "go.\n"
        "Exit code 0: all is up to date; 1: a stage failed; 2: wrong usage or file; 3: a gate is "
        "shut; 4:\n"
        "another run is at work; 6: the journal is damaged; 130: stopped.",
    .opts = run_opts,
    .cfg_size = sizeof(struct pipeline_cfg),
    .run = run_run,
    .benches = run_benches,
};

/* ---- status, explain ---- */

/* A survey of all stages, without the lock: nothing is changed. */
static enum status take_survey(struct arena *a, const struct pipeline_cfg *c, struct plan *plan,
                               struct workdir *work, struct run_report *report)
{
    *work = workdir_at(a, c->work, plan->name);
    TRY(journal_open(work->journal, &report->journal));
    report->survey = (struct survey){ .arena = a, .plan = plan, .work = work,
                                      .journal = report->journal };
    return survey_begin(&report->survey);
}

static enum status print_status(const struct survey *s, bool as_json)
{
    struct buf text = { 0 };
    json_t *value;
    enum status st;

    if (as_json) {
        value = status_json(s);
        st = output_json(value);
        json_decref(value);
        return st;
    }
    show_status(s, &text);
    st = output_text(&text);
    buf_release(&text);
    return st;
}

static enum status run_status(struct arena *a, void *cfg)
{
    const struct pipeline_cfg *c = cfg;
    struct run_report report = { 0 };
    struct workdir work;
    struct plan *plan;
    enum status st;

    TRY(read_plan(a, c, c->file, &plan));
    st = take_survey(a, c, plan, &work, &report);
    if (st == ST_OK)
        st = print_status(&report.survey, c->json);
    run_report_release(&report);
    return st;
}

static const struct opt status_opts[] = {
    ROW_FILE,
    ROW_SETS,
    ROW_SITE,
    ROW_WORK,
    OPT_BOOL(struct pipeline_cfg, json, "json", "false", "one JSON object instead of a table"),
    OPT_END
};

const struct command cmd_status = {
    .name = "status",
    .summary = "show the state of a pipeline's stages",
    .details =
        "done, gate (done, and its gate was shut), running, failed, interrupted, never ran, out of date, "
        "waits (a stage in front is not done) or\n"
        "blocked (something that it reads does not exist). `tundish explain` says why.\n"
        "\n"
        "  tundish status pipelines/quickstart.yaml --json",
    .opts = status_opts,
    .cfg_size = sizeof(struct pipeline_cfg),
    .run = run_status,
};

static enum status print_explain(const struct survey *s, size_t stage)
{
    struct buf text = { 0 };
    enum status st;

    show_explain(s, stage, &text);
    st = output_text(&text);
    buf_release(&text);
    return st;
}

static enum status run_explain(struct arena *a, void *cfg)
{
    const struct pipeline_cfg *c = cfg;
    struct run_report report = { 0 };
    struct plan_span span = { PLAN_OUTSIDE, 1 };
    struct workdir work;
    struct plan *plan;
    enum status st;

    if (c->words.count > 2)
        return fail(ST_USAGE, "unexpected word '%s' behind the file and a stage", c->words.v[2]);
    TRY(read_plan(a, c, c->words.v[0], &plan));
    if (c->words.count == 2)
        TRY(plan_find(plan, "explain", c->words.v[1], &span));
    st = take_survey(a, c, plan, &work, &report);
    for (size_t i = 0; st == ST_OK && i < span.count; i++)
        st = print_explain(&report.survey, span.first + i);
    run_report_release(&report);
    return st;
}

static const struct opt explain_opts[] = {
    OPT_LIST(struct pipeline_cfg, words, "file",
             "the pipeline file, and behind it one stage if only that is wanted",
             .flags = OPT_REQUIRED | OPT_POSITIONAL, .value = "FILE [STAGE]"),
    ROW_SETS,
    ROW_SITE,
    ROW_WORK,
    OPT_END
};

const struct command cmd_explain = {
    .name = "explain",
    .summary = "say of each stage whether it would run, and why",
    .details =
        "What changed since the stage's last success: options with both values, inputs, "
        "the version of the stage.\n"
        "\n"
        "  tundish explain my.yaml\n"
        "  tundish explain my.yaml pretrain --set lr=3e-4",
    .opts = explain_opts,
    .cfg_size = sizeof(struct pipeline_cfg),
    .run = run_explain,
};

/* ---- graph ---- */

static enum status run_graph(struct arena *a, void *cfg)
{
    const struct pipeline_cfg *c = cfg;
    struct buf text = { 0 };
    struct plan *plan;
    enum status st;

    TRY(read_plan(a, c, c->file, &plan));
    if (strcmp(graph_formats[c->format], "dot") == 0)
        show_dot(plan, &text);
    else if (strcmp(graph_formats[c->format], "names") == 0)
        for (size_t i = 0; i < plan->count; i++)
            buf_printf(&text, "%s\n", plan->names[i]);
    else
        show_tree(plan, &text);
    st = output_text(&text);
    buf_release(&text);
    return st;
}

static const struct opt graph_opts[] = {
    ROW_FILE,
    ROW_SETS,
    ROW_SITE,
    OPT_CHOICE(struct pipeline_cfg, format, "format", "text", graph_formats,
               "a tree for people, a graph for Graphviz's dot, or the stages' names alone"),
    OPT_END
};

const struct command cmd_graph = {
    .name = "graph",
    .summary = "show which stage of a pipeline waits for which",
    .details =
        "As a tree: the last stages, and below each what it waits for; (*) "
        "stands for branches shown above.\n"
        "\n"
        "  tundish graph my.yaml\n"
        "  tundish graph my.yaml --format dot | dot -Tsvg > graph.svg",
    .opts = graph_opts,
    .cfg_size = sizeof(struct pipeline_cfg),
    .run = run_graph,
};
