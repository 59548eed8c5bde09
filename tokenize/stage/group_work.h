/*
 * One group of the corpus, from where it stands to its end: read, encoded by a pool, put into shards that grow in
 * OUT.work, and handed to the sealer.
 *
 * Where it stands follows from the files alone. Shards are closed by their own counts, so the first one that is not
 * full is the one that goes on; all documents of those before it, and those that it holds itself, are passed over
 * without a look into them. A shard behind one that was not full held documents that are lost to the former: it is
 * begun anew.
 */
#ifndef TUNDISH_TOKENIZE_GROUP_WORK_H
#define TUNDISH_TOKENIZE_GROUP_WORK_H

#include "base/pool.h"
#include "tokenize/stage/sealer.h"
#include "tokenize/stage/stage.h"

struct group_args {
    struct tokenize_work *work;
    struct pool *pool;
    struct sealer *sealer;
    size_t group;
};
/* Returns while the group's last shard may still be with the sealer. A failure leaves all that was encoded so far. */
MUST_USE enum status group_encode(const struct group_args *args);

#endif
