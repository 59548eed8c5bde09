/* A program of others as a stage: it fills a folder, which becomes an artifact if it ends well. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "pipelines/cache.h"
#include "pipelines/program.h"
#include "pipelines/run_part.h"
#include "store/artifact.h"

_Noreturn static void run_argv(const char *const *argv, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "tundish: cannot run '%s': %s\n", argv[0],
            errno == E2BIG ? "its words are too long for a command line" : strerror(errno));
    _exit(127);
}

/* Its exit status as wait() tells it. */
static enum status call(const char *const *argv, int *how)
{
    pid_t self = getpid(), pid = fork();

    if (pid == 0)
        run_argv(argv, self);
    if (pid < 0)
        return fail_errno(ST_FAILED, "cannot start a process");
    signal(SIGINT, SIG_IGN);     /* they go to the whole group: the program decides */
    signal(SIGTERM, SIG_IGN);
    while (waitpid(pid, how, 0) < 0)
        if (errno != EINTR)
            return fail_errno(ST_FAILED, "cannot wait for process %ld", (long)pid);
    return ST_OK;
}

/* The manifest is ours: a program that wrote one of that name would have its own lost. */
static enum status check_folder(struct arena *a, const char *folder)
{
    if (file_exists(path_join(a, folder, "manifest.json")))
        return fail(ST_FAILED, "it wrote 'manifest.json' into its folder, the name of the list of "
                    "its files; let it choose another");
    return ST_OK;
}

static enum status make_artifact(struct arena *a, const struct program_job *j, int *how)
{
    struct artifact *artifact;
    void *cfg;
    enum status st;

    TRY(stage_config(a, j->stage, j->artifact, &cfg));
    TRY(artifact_begin(j->stage->command, cfg, j->artifact, &artifact));
    st = call(program_argv(a, j->stage, artifact_folder(artifact), j->threads), how);
    if (st == ST_OK && *how == 0)
        st = check_folder(a, artifact_folder(artifact));
    if (st != ST_OK || *how != 0) {
        artifact_abort(artifact);
        return st;
    }
    return artifact_commit(artifact, NULL);
}

int program_run(void *ctx)
{
    const struct program_job *j = ctx;
    struct arena a;
    enum status st;
    int how = 0;

    arena_init(&a);
    st = make_artifact(&a, j, &how);
    if (st != ST_OK) {
        dprintf(STDERR_FILENO, "error: %s\n", fail_message());
        return status_exit_code(st);
    }
    if (WIFSIGNALED(how)) {      /* as it ended, so does its stage */
        signal(WTERMSIG(how), SIG_DFL);
        raise(WTERMSIG(how));
    }
    return WIFEXITED(how) ? WEXITSTATUS(how) : 1;
}
