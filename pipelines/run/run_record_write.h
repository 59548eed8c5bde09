/* Writes the record of a run (run_record.h). */
#ifndef TUNDISH_PIPELINES_RUN_RECORD_WRITE_H
#define TUNDISH_PIPELINES_RUN_RECORD_WRITE_H

#include "pipelines/run/runner.h"

/* Gives the run its id, times and nothing else; touches no file. */
void run_record_name(struct arena *a, struct run_now *now);
/* When the first stage is about to run: a record with the outcome "running"; takes the id. Again:
 * nothing happens. */
MUST_USE enum status run_record_begin(struct run_now *now, const struct run_args *args);
/* Puts the record in place of the one that was begun. */
MUST_USE enum status run_record_write(struct run_now *now, const struct run_args *args,
                                      const json_t *record);
/* The record as it would be written now; owned by the caller. */
json_t *run_record_json(const struct run_now *now, const struct run_args *args, const char *outcome,
                        const char *message);
const char *run_record_outcome(enum status st);

#endif
