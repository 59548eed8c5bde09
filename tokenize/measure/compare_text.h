/*
 * What metrics.json says of several tokenizers, as tables for a terminal.
 */
#ifndef TUNDISH_TOKENIZE_COMPARE_TEXT_H
#define TUNDISH_TOKENIZE_COMPARE_TEXT_H

#include "base/json.h"

void compare_text(struct buf *out, const json_t *metrics);

#endif
