/*
 * A program of our own to run pipelines on: the test binary calls itself, as `tundish` would, with
 * these subcommands.
 *
 *   grow        makes a "thing" from texts, options and inputs; any change in those changes its bytes
 *   mill fine   makes "flour" from one thing; its bytes are (hash of all) mod `modulo`, so that a change may end there
 *   walk        a long stage that keeps its state in <out>.work and goes on from it: what it makes does not depend on how often
 *               it was killed
 *   weigh       makes a report of flour
 *   serve       is no stage
 *
 * FAKE_LOG names a file to which every stage appends its name when it begins: what ran. FAKE_TRACE names one
 * to which it appends "+ name" when it begins and "- name" when it ends by itself: what ran beside what. If
 * there is a FAKE_LOSE, stages end well and leave nothing.
 */
#ifndef TUNDISH_TESTS_PIPELINES_FAKE_H
#define TUNDISH_TESTS_PIPELINES_FAKE_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/command.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/stop.h"
#include "pipelines/history/history_cmd.h"
#include "pipelines/run_cmd.h"
#include "store/artifact/artifact.h"

struct fake_cfg {
    struct opt_list in, words;
    struct yaml *sources;        /* a list of {path: P, as: NAME} */
    const char *one;
    const char *text;
    int64_t size, modulo, steps, fail, nap_ms, threads;
    double rate;
    uint64_t room;
    bool flag;
    int style;
    struct yaml *plan;
    const char *out;
};

static const char *const fake_styles[] = { "plain", "fancy", NULL };

/* Each item of plan is a map with one key: "cut" or "fold". */
static enum status fake_check_plan(const struct yaml *value)
{
    if (value->kind != YAML_LIST)
        return yaml_fail(value, "want a list of steps");
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml *item = value->items[i];
        if (item->kind != YAML_MAP || item->count != 1)
            return yaml_fail(item, "want a map with one key");
        if (strcmp(item->keys[0]->text, "cut") != 0 && strcmp(item->keys[0]->text, "fold") != 0)
            return yaml_fail(item->keys[0], "unknown step '%s'", item->keys[0]->text);
    }
    return ST_OK;
}

static enum status fake_source_paths(struct yaml *value, opt_path_fn *visit, void *ctx)
{
    for (size_t i = 0; value->kind == YAML_LIST && i < value->count; i++) {
        struct yaml *path = value->items[i]->kind == YAML_MAP ? yaml_get(value->items[i], "path")
                                                              : value->items[i];
        if (path != NULL && path->kind == YAML_SCALAR)
            TRY(visit(ctx, path));
    }
    return ST_OK;
}

static enum status fake_check_sources(const struct yaml *value)
{
    return value->kind == YAML_LIST ? ST_OK : yaml_fail(value, "want a list of sources");
}

#define FAKE_COMMON                                                                                \
    OPT_INT(struct fake_cfg, fail, "fail", "0", 0, 255, "exit code to fail with", .flags = OPT_NEUTRAL),\
    OPT_INT(struct fake_cfg, nap_ms, "nap", "0", 0, 60000, "milliseconds to sleep", .flags = OPT_NEUTRAL),\
    OPT_INT(struct fake_cfg, threads, "threads", "1", 1, 64, "threads", .flags = OPT_NEUTRAL),     \
    OPT_OUTPUT(struct fake_cfg, out, "out", "where the artifact goes", .flags = OPT_REQUIRED)

static const struct opt fake_grow_opts[] = {
    OPT_INPUTS(struct fake_cfg, in, "in", "what is read"),
    OPT_TREE(struct fake_cfg, sources, "sources", "more that is read", .check = fake_check_sources,
             .paths = fake_source_paths),
    OPT_STR(struct fake_cfg, text, "text", "", "a text"),
    OPT_LIST(struct fake_cfg, words, "words", "texts", .fallback = "one"),
    OPT_INT(struct fake_cfg, size, "size", "10", 1, 1000, "a number"),
    OPT_REAL(struct fake_cfg, rate, "rate", "0.5", 0, 1, "a rate"),
    OPT_SIZE(struct fake_cfg, room, "room", "1K", 1, 1e12, "bytes"),
    OPT_BOOL(struct fake_cfg, flag, "group.flag", "false", "a flag in a group"),
    OPT_CHOICE(struct fake_cfg, style, "style", "plain", fake_styles, "a choice"),
    OPT_TREE(struct fake_cfg, plan, "plan", "steps", .check = fake_check_plan),
    FAKE_COMMON,
    OPT_END
};
static const struct opt fake_mill_opts[] = {
    OPT_INPUT(struct fake_cfg, one, "thing", "what is milled", .flags = OPT_REQUIRED),
    OPT_INT(struct fake_cfg, modulo, "modulo", "1000000007", 1, 1e12, "coarseness"),
    FAKE_COMMON,
    OPT_END
};
static const struct opt fake_walk_opts[] = {
    OPT_INPUT(struct fake_cfg, one, "thing", "where it begins"),
    OPT_INT(struct fake_cfg, steps, "steps", "10", 1, 100000, "how far"),
    FAKE_COMMON,
    OPT_END
};

static const struct opt fake_weigh_opts[] = {
    OPT_INPUT(struct fake_cfg, one, "flour", "what is weighed", .flags = OPT_REQUIRED,
              .reads = "flour path"),
    FAKE_COMMON,
    OPT_END
};

static const struct command fake_grow, fake_mill, fake_walk, fake_weigh;

/* ---- what they do ---- */

static void fake_append(const char *variable, const char *sign, const char *name)
{
    const char *path = getenv(variable);
    int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);

    if (fd >= 0) {
        dprintf(fd, "%s%s\n", sign, name);
        close(fd);
    }
}

static char fake_name[256];

static void fake_trace_end(void) { fake_append("FAKE_TRACE", "- ", fake_name); }

static enum status fake_begin(const struct fake_cfg *c)
{
    struct timespec nap = { c->nap_ms / 1000, c->nap_ms % 1000 * 1000000L };

    snprintf(fake_name, sizeof fake_name, "%s", path_base(c->out));
    fake_append("FAKE_LOG", "", fake_name);
    fake_append("FAKE_TRACE", "+ ", fake_name);
    atexit(fake_trace_end);
    fprintf(stderr, "words of %s\n", path_base(c->out));
    while (nanosleep(&nap, &nap) != 0 && errno == EINTR)
        ;      /* a unit of work that is finished, whoever asks to stop */
    if (c->fail != 0) {
        fprintf(stderr, "it went wrong\n");
        exit((int)c->fail);
    }
    if (getenv("FAKE_LOSE") != NULL)
        exit(0);
    return stop_requested() ? fail(ST_INTERRUPTED, "stopped") : ST_OK;
}

/* The digest of all that must decide the bytes: what the manifest would say, in our own words. */
static enum status fake_digest_path(void *ctx, struct yaml *path)
{
    char hex[SHA256_HEX];

    TRY(artifact_digest_path(path->text, NULL, hex));
    buf_adds(ctx, hex);
    return ST_OK;
}

static enum status fake_hash(const struct command *command, const struct fake_cfg *c, char hex[SHA256_HEX])
{
    struct buf all = { 0 };
    json_t *record = opt_record(command->opts, c);
    enum status st = ST_OK;

    buf_adds(&all, command->name);
    json_canonical(&all, record);
    json_decref(record);
    for (size_t i = 0; st == ST_OK && i < c->in.count; i++) {
        st = artifact_digest_path(c->in.v[i], NULL, hex);
        buf_adds(&all, hex);
    }
    if (st == ST_OK && c->one != NULL) {
        st = artifact_digest_path(c->one, NULL, hex);
        buf_adds(&all, hex);
    }
    if (st == ST_OK && c->sources != NULL)
        st = fake_source_paths(c->sources, fake_digest_path, &all);
    sha256_bytes(all.p, all.n, hex);
    buf_release(&all);
    return st;
}

static enum status fake_write(const struct command *command, const struct fake_cfg *c, const char *text)
{
    struct artifact *artifact;
    struct arena a = { 0 };
    enum status st;

    TRY(artifact_begin(command, c, c->out, &artifact));
    st = file_write_atomic(path_join(&a, artifact_folder(artifact), "data"), text, strlen(text));
    arena_release(&a);
    if (st == ST_OK)
        return artifact_commit(artifact, NULL);
    artifact_abort(artifact);
    return st;
}

static enum status fake_grow_run(struct arena *a, void *cfg)
{
    char hex[SHA256_HEX];

    TRY(fake_begin(cfg));
    TRY(fake_hash(&fake_grow, cfg, hex));
    return fake_write(&fake_grow, cfg, hex);
}

static enum status fake_mill_run(struct arena *a, void *cfg)
{
    const struct fake_cfg *c = cfg;
    char hex[SHA256_HEX];

    TRY(fake_begin(cfg));
    TRY(fake_hash(&fake_mill, cfg, hex));
    hex[15] = 0;
    return fake_write(&fake_mill, cfg, arena_printf(a, "%" PRIu64, (uint64_t)strtoull(hex, NULL, 16) % (uint64_t)c->modulo));
}

static enum status fake_weigh_run(struct arena *a, void *cfg)
{
    char hex[SHA256_HEX];

    TRY(fake_begin(cfg));
    TRY(fake_hash(&fake_weigh, cfg, hex));
    return fake_write(&fake_weigh, cfg, hex);
}

/* The state is "step value"; each step is x -> hash(x), and is kept before the next. */
static enum status fake_walk_run(struct arena *a, void *cfg)
{
    const struct fake_cfg *c = cfg;
    const char *folder = arena_printf(a, "%s.work", c->out), *state = path_join(a, folder, "state");
    const struct timespec nap = { 0, 500000 };
    struct buf text = { 0 };
    struct file_lock lock;
    long long step = 0;
    char hex[SHA256_HEX] = "";

    TRY(fake_begin(cfg));
    if (file_exists(c->out))
        return fail(ST_FAILED, "'%s' is there already", c->out);
    TRY(file_make_folders(folder));
    TRY(file_lock_take(&lock, path_join(a, folder, "lock")));      /* two at once would be a fault */
    if (file_exists(state))
        TRY(file_read(state, 1000, &text));
    if (text.n > 0)
        sscanf(text.p, "%lld %64s", &step, hex);
    else
        TRY(fake_hash(&fake_walk, cfg, hex));
    for (; step < c->steps; step++) {
        if (stop_requested())
            return fail(ST_INTERRUPTED, "stopped at step %lld", step);
        sha256_bytes(hex, strlen(hex), hex);
        text.n = 0;
        buf_printf(&text, "%lld %s", step + 1, hex);
        TRY(file_write_atomic(state, text.p, text.n));
        nanosleep(&nap, NULL);
    }
    buf_release(&text);
    TRY(fake_write(&fake_walk, cfg, hex));
    return file_remove_tree(folder);
}

static enum status fake_serve_run(struct arena *a, void *cfg) { return ST_OK; }

/* A class that the test can change. */
static const char *fake_class(const void *cfg)
{
    const char *name = getenv("FAKE_CLASS");

    return name != NULL ? name : "fake-1";
}

#define FAKE_COMMAND(nm, table, fn, version, kind)                                                 \
    { .name = nm, .summary = "a fake", .details = "", .opts = table, .cfg_size = sizeof(struct fake_cfg),\
      .stage_version = version, .makes = kind, .run = fn }
static const struct command fake_grow = FAKE_COMMAND("grow", fake_grow_opts, fake_grow_run, 1, "thing");
static const struct command fake_mill = FAKE_COMMAND("mill fine", fake_mill_opts, fake_mill_run, 1, "flour");
static const struct command fake_walk = {
    .name = "walk", .summary = "a fake", .details = "", .opts = fake_walk_opts,
    .cfg_size = sizeof(struct fake_cfg), .stage_version = 3, .makes = "path",
    .numeric_class = fake_class, .run = fake_walk_run };
static const struct command fake_weigh = FAKE_COMMAND("weigh", fake_weigh_opts, fake_weigh_run, 1, "report");
static const struct command fake_serve = FAKE_COMMAND("serve", fake_walk_opts, fake_serve_run, 0, NULL);

static const struct command *const fake_commands[] = { &fake_grow, &fake_mill, &fake_walk, &fake_weigh, &fake_serve,
                                                       &cmd_run, &cmd_status, &cmd_explain, &cmd_graph,
                                                       &cmd_runs, &cmd_compare, &cmd_logs, &cmd_gc,
                                                       NULL };

/* ---- the program ---- */

/* The command that the first words name; *used tells how many words that is. */
static const struct command *fake_find(int argc, char **argv, int *used)
{
    char two[64];

    snprintf(two, sizeof two, "%s %s", argv[1], argc > 2 ? argv[2] : "");
    *used = 2;
    if (command_find(fake_commands, two) != NULL)
        return command_find(fake_commands, two);
    *used = 1;
    return command_find(fake_commands, argv[1]);
}

/* What main() of a test does first: if words are given, be the program, and end. */
static inline void fake_be_program(int argc, char **argv)
{
    const struct command *command;
    struct arena a = { 0 };
    enum status st;
    void *cfg;
    int used;

    command_set_all(fake_commands);
    if (argc < 2)
        return;
    stop_install();
    command = fake_find(argc, argv, &used);
    if (command == NULL) {
        fprintf(stderr, "no command '%s'\n", argv[1]);
        exit(2);
    }
    cfg = arena_alloc(&a, command->cfg_size);
    st = opt_parse(command->opts, &a, argc - 1 - used, argv + 1 + used, cfg);
    if (st == ST_OK)
        st = command->run(&a, cfg);
    if (st != ST_OK)
        fprintf(stderr, "error: %s\n", fail_message());
    arena_release(&a);
    exit(status_exit_code(st));
}

#endif
