/*
 * The work folder of a pipeline: everything that runs leave behind, and nothing else.
 *
 *   lock                         held by the runner (flock: the kernel drops
 *                                it when the runner dies)
 *   journal.jsonl                what happened, one event a line (journal.h)
 *   digests                      remembered digests of files outside (store/artifact/artifact.h)
 *   artifacts/<stage>-<12 hex>/      an artifact; the digits begin its cache key
 *   artifacts/<stage>-<12 hex>.key   the whole key and the record it was made
 *                                    from, as JSON (cache.h)
 *   logs/<stage>-<n>.log         what attempt n of the stage printed
 *   runs/<UTC time>.json         the record of each run that did something (run_record.h)
 *   report.html                  the last run as a page (run_page.h)
 *   reports/<id>.html            the same of each run; the newest 50 stay
 *   current/<stage>              a link to the stage's last finished artifact, for people
 *
 * The folder may be moved or renamed between runs: no name in it is absolute.
 */
#ifndef TUNDISH_PIPELINES_WORKDIR_H
#define TUNDISH_PIPELINES_WORKDIR_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"

struct workdir {
    const char *path;
    const char *artifacts, *logs, *current, *runs;
    const char *journal, *digests, *lock;
};
/* Names only; nothing is touched. path NULL: "work/<pipeline>". */
struct workdir workdir_at(struct arena *a, const char *path, const char *pipeline);
/* Makes the folders that are missing. */
MUST_USE enum status workdir_make(const struct workdir *w);
/* Removes what killed runners and stages left under temporary names, and progress files; what
 * cannot be removed is told and stays. For the holder of the lock, when no stage is alive. */
void workdir_clear_leftovers(struct arena *a, const struct workdir *w);
char *workdir_artifact(struct arena *a, const struct workdir *w, const char *stage,
                       const char key[SHA256_HEX]);
/* The path of an artifact by its name in the journal. */
char *workdir_artifact_named(struct arena *a, const struct workdir *w, const char *name);
/* The first free log name of the stage from attempt n on. */
char *workdir_log(struct arena *a, const struct workdir *w, const char *stage, long long n);
/* Lets current/<stage> point to the artifact; a link that already does is left alone. */
MUST_USE enum status workdir_point_current(struct arena *a, const struct workdir *w,
                                           const char *stage, const char *artifact);

#endif
