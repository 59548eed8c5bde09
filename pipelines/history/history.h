/*
 * What the commands that look back share: which work folder is meant, and printing.
 *
 * They take a pipeline file or a work folder. Of the file only the pipeline's name is read, so that
 * a file that is being mended blocks nobody's view of what ran before.
 */
#ifndef TUNDISH_PIPELINES_HISTORY_H
#define TUNDISH_PIPELINES_HISTORY_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "base/str.h"
#include "base/yaml.h"
#include "pipelines/run/workdir.h"

struct history {
    struct workdir work;
    const struct yaml *file;     /* the pipeline file as a tree, unchecked; NULL: a folder was
                                    given, or --work */
    const char *pipeline;        /* NULL: not known */
};
/* word: the file or folder; work: of --work, or NULL. ST_MISSING if there is no work folder. */
MUST_USE enum status history_open(struct arena *a, const char *word, const char *work,
                                  struct history *out);

/* "2026-01-31 09:00:00", local time, in the arena; "-" if that is no time. */
const char *history_time(struct arena *a, double when);
/* The shortest digits that read back as the same number. */
const char *history_number(struct arena *a, double x);
/* Bytes as str_bytes(), in the arena. */
const char *history_bytes(struct arena *a, uint64_t n);

#define HISTORY_ROW_WORK(S)                                                                        \
    OPT_STR(S, work, "work", NULL, "folder of artifacts, logs and journal; none: work/<pipeline>")
#define HISTORY_ROW_JSON(S)                                                                        \
    OPT_BOOL(S, json, "json", "false", "one JSON object instead of a table")

#endif
