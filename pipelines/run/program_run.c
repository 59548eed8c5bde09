/*
 * A program of others as a stage: it fills a folder, which becomes an artifact when it has ended
 * well. A small one is made at once; the files of a large one are hashed by a child, so that the
 * loop goes on.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "pipelines/run/cache.h"
#include "pipelines/run/run_part.h"
#include "store/artifact/artifact.h"

#define AT_ONCE_BYTES (1u << 20)
#define AT_ONCE_FILES 64

enum status program_begin(struct run *r, size_t i)
{
    const struct plan_stage *s = &r->plan->stages[i];
    void *cfg;

    TRY(stage_config(r->arena, s, r->survey->views[i].artifact, &cfg));
    return artifact_begin(s->command, cfg, r->survey->views[i].artifact, &r->live[i].artifact);
}

/* The manifest is ours: of a program that wrote one of that name, it would be lost. So would a
 * link: no digest covers it. */
static enum status check_folder(const char *folder)
{
    struct arena a;
    struct stat s;
    bool taken;

    if (lstat(folder, &s) != 0 || !S_ISDIR(s.st_mode))
        return fail(ST_FAILED, "the folder that it was to fill is no folder any more");
    arena_init(&a);
    taken = file_exists(path_join(&a, folder, "manifest.json"));
    arena_release(&a);
    if (taken)
        return fail(ST_FAILED, "it wrote 'manifest.json' into its folder, the name of the list of "
                    "its files; let it choose another");
    return file_check_plain(folder);
}

static enum status make_whole(struct artifact *artifact)
{
    enum status st = check_folder(artifact_folder(artifact));

    if (st == ST_OK)
        return artifact_commit(artifact, NULL);
    artifact_abort(artifact);
    return st;
}

struct amount {
    uint64_t bytes;
    size_t files;
};

/* Ends the walk when it is no longer small: there may be millions. */
static enum status add_file(void *ctx, const char *name, const struct stat *info)
{
    struct amount *all = ctx;

    (void)name;
    all->bytes += (uint64_t)info->st_size;
    return ++all->files > AT_ONCE_FILES || all->bytes > AT_ONCE_BYTES ? ST_LIMIT : ST_OK;
}

static bool is_small(const char *folder)
{
    struct amount all = { 0 };

    return file_visit_tree(folder, add_file, &all) == ST_OK;
}

/* In a child, whose words go into the stage's log. */
static int make_whole_there(void *artifact)
{
    enum status st = make_whole(artifact);

    if (st != ST_OK)
        dprintf(STDERR_FILENO, "error: %s\n", fail_message());
    return status_exit_code(st);
}

static void say_in_log(const char *log, const char *words)
{
    FILE *f = fopen(log, "ae");

    if (f != NULL) {
        fprintf(f, "error: %s\n", words);
        fclose(f);
    }
}

static enum status begin_child(struct run *r, size_t i)
{
    const struct turn *t = &r->turns[i];
    struct live *l = &r->live[i];
    const char *words[] = { "tundish", "hash", artifact_folder(l->artifact), NULL };
    struct job job = { .words = words, .foreign = true, .body = make_whole_there, .ranks = 1,
                       .ctx = l->artifact, .log = t->attempts[t->attempt_count - 1].log,
                       .mark = l->mark };

    l->committing = true;
    TRY(l->executor->start(&job, &l->process));
    l->id = l->executor->who(l->process);
    return ST_OK;
}

enum status program_end(struct run *r, size_t i, struct job_end *end, bool *ended)
{
    const struct turn *t = &r->turns[i];
    struct live *l = &r->live[i];
    struct artifact *artifact = l->artifact;
    enum status st;

    if (!l->committing && l->wish != WISH_NONE && end->code == 0)
        end->code = status_exit_code(ST_INTERRUPTED); /* it may have given up half-way, politely */
    if (!l->committing && end->code == 0 && !is_small(artifact_folder(artifact))) {
        *ended = false;
        return begin_child(r, i);
    }
    l->artifact = NULL;
    if (l->committing || end->code != 0) {
        artifact_abort(artifact);      /* of a finished child's: what is left of it here */
        return ST_OK;
    }
    st = make_whole(artifact);
    if (st != ST_OK) {
        say_in_log(t->attempts[t->attempt_count - 1].log, fail_message());
        end->code = status_exit_code(st);
    }
    return ST_OK;
}
