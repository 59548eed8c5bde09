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
/* The kind's own part; of a kind without a row its counts. */
void run_section_of_kind(const struct run_section *s);
/* What of it belongs into the few numbers at the top of the page; for most kinds one or none. */
void run_section_figures(const struct run_section *s);

/* Of a checkpoint: loss, learning rate and gradient norm over tokens. (run_curve.c) */
void run_section_checkpoint(const struct run_section *s);
/* Of a tokenizer, of a token store: what tokens look like. (run_tokens.c) */
void run_section_tokenizer(const struct run_section *s);
void run_section_token_store(const struct run_section *s);
/* Of a blend: its stores, their shares and caps. (run_tokens.c) */
void run_section_token_blend(const struct run_section *s);

/* ---- pieces for them ---- */
/* "Cannot be shown: " and the last failure. */
void run_section_unreadable(const struct run_section *s);
/* The file as a JSON object, or NULL, and then the page says why. The caller owns it. */
json_t *run_section_json(const struct run_section *s, const char *name);
/* A member of the manifest's counts as "1,234"; text has room for 28. */
const char *run_section_count(const struct run_section *s, const char *name, char *text);
/* A table of an object's members, values as JSON; nothing for an empty one. */
void run_section_members(struct buf *out, const char *caption, const json_t *object);

#endif
