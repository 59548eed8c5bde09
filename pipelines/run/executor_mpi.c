/* Several ranks of this machine, or of those that mpirun knows of: the local executor with mpirun
 * in front. */
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "pipelines/plan/options.h"
#include "pipelines/run/executor.h"

#define PATIENCE "60"            /* seconds that ranks get to finish their unit */

static const char *own_path(struct arena *a)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    return n > 0 ? arena_strndup(a, path, (size_t)n) : "tundish";
}

static void make_argv(struct words *w, const struct job *job)
{
    static const char *const launcher[] = { "mpirun", "--oversubscribe", "--bind-to", "none", "--mca",
                                            "odls_base_sigkill_timeout", PATIENCE, "-np", NULL };

    for (size_t i = 0; launcher[i] != NULL; i++)
        words_add(w, launcher[i]);
    words_add(w, arena_printf(w->arena, "%lld", job->ranks));
    if (!job->foreign)
        words_add(w, own_path(w->arena));
    for (size_t i = 0; job->words[i] != NULL; i++)
        words_add(w, job->words[i]);
}

static enum status mpi_start(const struct job *job, struct running **out)
{
    struct words argv = { 0 };
    struct arena a;
    enum status st;

    if (geteuid() == 0) {        /* Open MPI's wish, see its mpirun(1) */
        setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
        setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    }
    arena_init(&a);
    argv.arena = &a;
    make_argv(&argv, job);
    st = executor_start_child(job, &(struct child_args){ argv.v[0], argv.v, true }, out);
    arena_release(&a);
    return st;
}

static struct process_id mpi_who(const struct running *r) { return executor_local.who(r); }
static int mpi_end_fd(const struct running *r) { return executor_local.end_fd(r); }
static bool mpi_ended(struct running *r, struct job_end *e) { return executor_local.ended(r, e); }
static void mpi_signal(struct running *r, int number) { executor_local.signal(r, number); }

const struct executor executor_mpi = {
    .name = "mpi",
    .start = mpi_start,
    .who = mpi_who,
    .end_fd = mpi_end_fd,
    .ended = mpi_ended,
    .signal = mpi_signal,
};
