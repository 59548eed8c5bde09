/*
 * A group in stretches, so that whatever ends a run costs what stands behind the last one and no more.
 *
 * A stretch is what a stretch of the group's input gave, whole: in the last pass one shard of the corpus itself and
 * what went to its parts meanwhile, in another pass so much text in a spool. Nothing crosses its end: shards of parts end
 * with it, ids are unique within it, its report adds up with the others'. So to go on behind it one number is enough,
 * how many documents of the input were taken. It ends where a batch of documents does, by what was written, so that the
 * bytes do not depend on whether, or where, a run was ended.
 *
 *     group-00012.part/stretch-00000   while the group is worked on; each synced before it has that name
 *     group-00012                      the same folder, when the last of them is there
 */
#ifndef TUNDISH_CURATE_GROUP_STRETCH_H
#define TUNDISH_CURATE_GROUP_STRETCH_H

#include "curate/run/curate_work.h"
#include "curate/run/group_sink.h"

#define STRETCH_RECORD_VERSION 2

struct stretches {
    const struct curate_work *work;
    const struct phase *phase;
    struct arena arena;
    const char *group, *growing;     /* the group's folder, and while it grows */
    size_t number;                   /* of the stretch in hand */
    uint64_t taken;                  /* documents of the input before it */
    bool complete;                   /* the last one is there */
    struct source_stats before;      /* what the reader had told before it; samples are the reader's */
    const char *path, *folder;       /* the stretch's, and while it is written; NULL: none is in hand */
    struct group_sink *sink;
    struct report *report;           /* of the stretch */
};
/* Looks what an earlier run left of the group: from then on number, taken and complete say where to go on. */
MUST_USE enum status stretches_open(const struct curate_work *w, size_t group, struct stretches *s);
MUST_USE enum status stretch_begin(struct stretches *s);
/* Is there enough in it? */
bool stretch_is_full(const struct stretches *s);
/* taken: as in struct stretches, behind it. stats: what the reader told up to there; NULL: the pass has none. */
struct stretch_end {
    uint64_t taken;
    const struct source_stats *stats;
    bool last;
};
MUST_USE enum status stretch_finish(struct stretches *s, const struct stretch_end *end);
/* The group has its name from then on. */
MUST_USE enum status stretches_commit(struct stretches *s);
/* Also after a failure: removes the stretch in hand, and leaves those before it. */
void stretches_close(struct stretches *s);

/* Of a group that is done: how many it has, and the folder of one, in the arena. */
size_t stretch_count(const char *group);
const char *stretch_path(struct arena *a, const char *group, size_t number);

#endif
