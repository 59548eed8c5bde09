/*
 * A thousand trivial stages in a binary tree, each a `touch` of one file:
 *   stages      all of them run, against starting the same programs, as many at once, and nothing else
 *   unchanged   none of them runs, against reading their manifests and key files
 * The whole is that of one `tundish run` but for its start and its words.
 */
#include "pipelines/run/run_bench.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bench.h"
#include "base/file.h"
#include "pipelines/run/runner.h"
#include "store/store_bench.h"

#define STAGES 1000
#define REPEATS 32

static void make_file(struct buf *out, const char *name)
{
    buf_printf(out, "pipeline: %s\nstages:\n", name);
    for (int i = 0; i < STAGES; i++) {
        buf_printf(out, "  s%d: {run: [touch, \"{out}/x\"]", i);
        if (2 * i + 1 < STAGES)
            buf_printf(out, ", in: {left: \"@s%d\"", 2 * i + 1);
        if (2 * i + 2 < STAGES)
            buf_printf(out, ", right: \"@s%d\"", 2 * i + 2);
        buf_adds(out, 2 * i + 1 < STAGES ? "}}\n" : "}\n");
    }
}

/* One run in the work folder; its seconds. */
static enum status run_once(struct arena *a, const struct bench *b, const char *work_path,
                            double *seconds)
{
    struct plan_args plan_args = { .name = "bench.yaml", .commands = command_all() };
    struct plan_selection everything = { 0 };
    struct run_args args = { .arena = a };
    struct capacity asked = { b->threads, b->threads, 0 };
    struct run_report report = { 0 };
    struct buf text = { 0 };
    struct workdir work = workdir_at(a, work_path, "bench");
    double begun = bench_now();
    bool *selected, *forced;
    enum status st;

    make_file(&text, "bench");
    st = plan_parse(a, &plan_args, text.p, text.n, &args.plan);
    if (st == ST_OK)
        st = plan_select(args.plan, &everything, &selected, &forced);
    if (st == ST_OK) {
        args.work = &work;
        args.selected = selected;
        args.forced = forced;
        args.machine = capacity_of(args.plan, &asked);
        st = run_plan(&args, &report);
        run_report_release(&report);
    }
    buf_release(&text);
    *seconds = bench_now() - begun;
    return st;
}

/* ---- yardsticks ---- */

static enum status start_touch(struct arena *a, const char *folder, int i)
{
    extern char **environ;
    const char *argv[] = { "touch", arena_printf(a, "%s/plain-%d", folder, i), NULL };
    pid_t pid;

    if (posix_spawnp(&pid, argv[0], NULL, NULL, (char **)(uintptr_t)argv, environ) != 0)
        return fail_errno(ST_FAILED, "cannot start 'touch'");
    return ST_OK;
}

static enum status start_all(struct arena *a, const struct bench *b, const char *folder,
                             double *seconds)
{
    double begun = bench_now();
    int running = 0, threads = b->threads > 0 ? b->threads : 1;

    for (int i = 0; i < STAGES; i++) {
        TRY(start_touch(a, folder, i));
        if (++running < threads)
            continue;
        (void)wait(NULL);
        running--;
    }
    while (running-- > 0)
        (void)wait(NULL);
    *seconds = bench_now() - begun;
    return ST_OK;
}

static enum status read_all(struct arena *a, const char *work, double *seconds)
{
    struct file_list files;
    struct buf text = { 0 };
    enum status st = ST_OK;
    double begun;

    TRY(file_list_tree(a, path_join(a, work, "artifacts"), &files));
    begun = bench_now();
    for (size_t i = 0; st == ST_OK && i < files.count; i++)
        st = file_read(arena_printf(a, "%s/artifacts/%s", work, files.names[i]), 1u << 20, &text);
    *seconds = bench_now() - begun;
    buf_release(&text);
    return st;
}

/* ---- cases ---- */

static int repeats(const struct bench *b)
{
    return b->repeat < 1 ? 1 : b->repeat < REPEATS ? b->repeat : REPEATS;
}

static enum status measure_stages(struct arena *a, const struct bench *b, const char *folder)
{
    double values[REPEATS], seconds, plain = 0;

    for (int k = 0; k < repeats(b); k++) {
        TRY(run_once(a, b, arena_printf(a, "%s/work-%d", folder, k), &seconds));
        values[k] = STAGES / seconds;
    }
    TRY(start_all(a, b, folder, &plain));
    bench_report(b, &(struct bench_result){ .unit = "stages/s", .values = values,
                                            .count = repeats(b),
                                            .yardstick = "starting the programs alone",
                                            .yardstick_value = STAGES / plain });
    return ST_OK;
}

static enum status measure_unchanged(struct arena *a, const struct bench *b, const char *folder)
{
    const char *work = path_join(a, folder, "work");
    double values[REPEATS], seconds, plain = 0;

    TRY(run_once(a, b, work, &seconds));
    for (int k = 0; k < repeats(b); k++) {
        TRY(run_once(a, b, work, &seconds));
        values[k] = STAGES / seconds;
    }
    TRY(read_all(a, work, &plain));
    bench_report(b, &(struct bench_result){ .unit = "stages/s", .values = values,
                                            .count = repeats(b),
                                            .yardstick = "reading manifests and keys",
                                            .yardstick_value = STAGES / plain });
    return ST_OK;
}

static enum status in_folder(struct bench *b, enum status (*measure)(struct arena *a,
                                                                     const struct bench *b,
                                                                     const char *folder))
{
    struct arena a;
    char *folder;
    enum status st;

    arena_init(&a);
    st = bench_folder_open(&a, &folder);
    if (st == ST_OK)
        st = bench_folder_close(folder, measure(&a, b, folder));
    arena_release(&a);
    return st;
}

static enum status bench_stages(struct bench *b) { return in_folder(b, measure_stages); }
static enum status bench_unchanged(struct bench *b) { return in_folder(b, measure_unchanged); }

const struct bench_case run_benches[] = {
    { "1000 stages", bench_stages },
    { "1000 stages unchanged", bench_unchanged },
    { NULL, NULL },
};
