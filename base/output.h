/*
 * stdout: data for people and programs. What was written must reach the disk or pipe before success
 * is claimed; a reader that has gone away (`tundish runs FILE | head -1`) is no failure.
 */
#ifndef TUNDISH_BASE_OUTPUT_H
#define TUNDISH_BASE_OUTPUT_H

#include "base/json.h"
#include "base/status.h"
#include "base/str.h"

/* Writes the text, and out with it. */
MUST_USE enum status output_text(const struct buf *text);
/* Writes the value in canonical form, and a line feed. */
MUST_USE enum status output_json(const json_t *value);
/* Writes out what stdio holds. */
MUST_USE enum status output_flush(void);
/* The same amid a long stream: without a reader there is nothing more to do, and the process ends
 * with exit code 0. */
MUST_USE enum status output_flush_stream(void);
MUST_USE enum status output_stream(const struct buf *text);

#endif
