/*
 * What Python's str does to a text where filters of the datatrove family rest on it.
 */
#ifndef TUNDISH_CURATE_PYTHON_TEXT_H
#define TUNDISH_CURATE_PYTHON_TEXT_H

#include <stdbool.h>

#include "base/str.h"

/* Bytes of a line end at p < end as str.splitlines() has them (\n \r \r\n \v \f \x1c-\x1e U+0085 U+2028 U+2029), 0: none. */
size_t python_line_end(const char *p, const char *end);
/* Takes the next line of splitlines() off *rest; false when nothing is left: a line end behind the last line makes no further one. */
bool python_line(struct span *rest, struct span *line);

/* Appends str.lower() of well-formed text; final sigma is not looked for: c4's phrases and words have none at their end. */
void python_lower(struct buf *out, struct span text);

#endif
