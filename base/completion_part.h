/*
 * Completion scripts, one writer a shell. Private to base/completion_*.c.
 *
 * What a value is comes from its row, as words that begin with '@': `@path`, `@folder`, `@stage` (a
 * stage of the pipeline file on the line), `@file-stage` (that file, then a stage), `@command`,
 * `@text` (nothing to propose); a choice is its words. "" is a flag: no value.
 */
#ifndef TUNDISH_BASE_COMPLETION_PART_H
#define TUNDISH_BASE_COMPLETION_PART_H

#include "base/command.h"
#include "base/str.h"

#define COMPLETION_NAMES "graph --format names"      /* behind it a file: prints its stages' names */

/* Appended to kind (cleared first). */
void completion_value(struct buf *kind, const struct opt *row);
/* The row that takes plain words, or NULL. */
const struct opt *completion_plain(const struct command *c);
/* Text in single quotes, as all three shells read it. */
void completion_quote(struct buf *out, const char *text);
/* Is c the first in the list of commands with its first word? Then word is that, and second the
 * other word, or NULL. */
bool completion_first(const struct command *c, struct span *word);

void completion_bash(struct buf *out);
void completion_zsh(struct buf *out);
void completion_fish(struct buf *out);

#endif
