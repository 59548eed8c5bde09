/*
 * The cuts of a tokenizer that is trained: a named pattern or a regular expression, with changes
 * that are asked for often.
 */
#ifndef TUNDISH_TOKENIZE_TRAIN_PATTERN_H
#define TUNDISH_TOKENIZE_TRAIN_PATTERN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"

enum train_digits {
    DIGITS_PATTERN,          /* as the pattern has it */
    DIGITS_1,                /* each digit is a piece */
    DIGITS_3,                /* up to three are */
    DIGITS_ANY,              /* all that follow each other are */
};
struct train_cuts_args {
    const char *pattern;     /* name or regular expression */
    enum train_digits digits;        /* a change needs a named pattern */
    bool scripts;            /* a second cut: no piece holds letters of two scripts */
};
#define TRAIN_CUTS_MAX 2
struct train_cuts {
    const char *patterns[TRAIN_CUTS_MAX + 1];    /* NULL behind the last */
};
/* Texts live in the arena or for ever. */
MUST_USE enum status train_cuts(struct arena *a, const struct train_cuts_args *args,
                                struct train_cuts *out);

#endif
