/*
 * What the page of a run says of one artifact, by its kind. Stages meet only in files, so all of
 * it is read from the artifact's files as store/FORMATS.md gives them; a file that is missing or
 * damaged gives a sentence that says so.
 *
 * To add a kind: write its function, add its row to the table in run_sections.c.
 */
#ifndef TUNDISH_PIPELINES_RUN_SECTIONS_H
#define TUNDISH_PIPELINES_RUN_SECTIONS_H

#include "base/arena.h"
#include "base/json.h"

struct run_section {
    struct arena *arena;
    struct buf *out;
    const char *folder;          /* of the artifact */
    const json_t *manifest;
};
/* Counts, and the kind's own part; of a kind without a row the counts alone. */
void run_section_of_kind(const struct run_section *s);
/* Of a checkpoint: loss, learning rate and gradient norm over tokens. (run_curve.c) */
void run_section_checkpoint(const struct run_section *s);
/* A table of an object's members, values as JSON; nothing for an empty one. */
void run_section_members(struct buf *out, const char *caption, const json_t *object);

#endif
