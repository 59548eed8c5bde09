#include "tokenize/stage/sealer.h"

#include <signal.h>
#include <stdlib.h>

#include "base/file.h"
#include "store/tokens/token_reader.h"

/* What a finished shard says of itself. */
static enum status read_counts(const char *path, struct part_counts out[TOKENS_PARTS])
{
    struct token_shard shard;

    TRY(token_shard_open(&shard, path));
    part_counts_of(&shard.meta, out);
    token_shard_close(&shard);
    return ST_OK;
}

static enum status finish(struct seal_job *j, struct part_counts out[TOKENS_PARTS])
{
    struct token_shard_writer *shard = j->shard;

    if (shard == NULL)
        return read_counts(j->shard_path, out);
    part_counts_of(token_shard_state(shard), out);
    j->shard = NULL;
    return token_shard_finish(shard);
}

static enum status seal(struct seal_job *j)
{
    struct shard_entry e = { 0 };

    if (j->shard_path != NULL) {
        TRY(finish(j, e.parts));
        TRY(sha256_file(j->shard_path, e.sha256, &e.bytes));
        *group_record_add(j->record) = e;
    }
    j->record->done = j->last;
    return group_record_write(j->record_path, j->record);
}

static void *run(void *arg)
{
    struct sealer *s = arg;

    s->st = seal(&s->job);
    if (s->st != ST_OK)
        failure_save(&s->failure, s->st);
    return NULL;
}

static void let_go(const struct seal_job *j)
{
    if (!j->last)
        return;
    group_record_release(j->record);
    free(j->record);
}

enum status sealer_wait(struct sealer *s)
{
    if (!s->busy)
        return ST_OK;
    s->busy = false;
    BUG_IF(pthread_join(s->thread, NULL) != 0);
    let_go(&s->job);
    return s->st == ST_OK ? ST_OK : failure_restore(&s->failure);
}

/* Signals are for the other threads. */
static int start_thread(struct sealer *s)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

/* The job is not begun: its documents stay in the working file. */
static void leave(const struct seal_job *job)
{
    if (job->shard)
        token_shard_leave(job->shard, true);
    let_go(job);
}

enum status sealer_start(struct sealer *s, const struct seal_job *job)
{
    enum status st = sealer_wait(s);

    if (st != ST_OK) {
        leave(job);
        return failure_restore(&s->failure);
    }
    arena_reset(&s->arena);
    s->job = *job;
    s->job.shard_path = job->shard_path ? arena_strdup(&s->arena, job->shard_path) : NULL;
    s->job.record_path = arena_strdup(&s->arena, job->record_path);
    s->busy = start_thread(s) == 0;
    if (!s->busy) {                      /* no more threads to be had: then at once */
        st = seal(&s->job);
        let_go(&s->job);
    }
    return st;
}

void sealer_release(struct sealer *s)
{
    BUG_IF(s->busy);
    arena_release(&s->arena);
}
