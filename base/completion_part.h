/*
 * Completion scripts: tables made from the commands, and a driver a shell, which is a file in
 * base/completion that the program carries. Private to base/completion_*.c.
 *
 * What a value is comes from its row, as words that begin with '@': `@path`, `@folder`, `@stage` (a
 * stage of the pipeline file on the line), `@file-stage` (that file, then a stage), `@command`,
 * `@text` (nothing to propose); a choice is its words. "" is a flag: no value.
 */
#ifndef TUNDISH_BASE_COMPLETION_PART_H
#define TUNDISH_BASE_COMPLETION_PART_H

#include "base/command.h"
#include "base/str.h"

/* Appended to kind (cleared first). */
void completion_value(struct buf *kind, const struct opt *row);
/* The row that takes plain words, or NULL. */
const struct opt *completion_plain(const struct command *c);
/* Text in single quotes, as all three shells read it. */
void completion_quote(struct buf *out, const char *text);
/* Is c the first in the list of commands with its first word? Sets word to that. */
bool completion_first(const struct command *c, struct span *word);

/* base/completion/driver.fish */
struct span completion_fish_driver(void);
void completion_fish(struct buf *out);

#endif
