/*
 * Finishing a shard beside the encoding of the next one: the working file becomes the finished one, its bytes are
 * hashed, and the group's record says so. A lane has one sealer, which does one job at a time, in order: a record
 * never names a shard without those before it.
 */
#ifndef TUNDISH_TOKENIZE_SEALER_H
#define TUNDISH_TOKENIZE_SEALER_H

#include <pthread.h>

#include "store/tokens/token_shard.h"
#include "tokenize/stage/group_record.h"

struct seal_job {
    struct token_shard_writer *shard;    /* NULL: the file is finished already */
    const char *shard_path;              /* NULL: no shard, only the end of the group */
    const char *record_path;
    struct group_record *record;         /* on the heap; the sealer's until the job is done */
    bool last;                           /* of its group: the record is the sealer's for good */
};
struct sealer {
    pthread_t thread;
    bool busy;
    struct arena arena;                  /* the paths of the job */
    struct seal_job job;
    enum status st;
    struct failure failure;
};
/* Waits for the job before, whose failure is this call's, then begins; the shard is taken over in any case. */
MUST_USE enum status sealer_start(struct sealer *s, const struct seal_job *job);
/* Waits for the job that is going on, if one is. */
MUST_USE enum status sealer_wait(struct sealer *s);
void sealer_release(struct sealer *s);   /* nothing may be going on */

#endif
