/* The inside of the pre-tokenizer, for the files of this folder. */
#ifndef TUNDISH_TOKENIZE_PRETOK_PART_H
#define TUNDISH_TOKENIZE_PRETOK_PART_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "tokenize/pretok/pretok.h"

#define CUTS_MAX 8
#define BATCH_ENDS 2048

struct cut {
    char *what, *pattern;
    enum pretok_behavior behavior;
    bool invert;
    pcre2_code *code;
    bool jit;
};
struct pretok {
    struct cut cuts[CUTS_MAX];
    size_t count;
    bool all_named, drops;
};

/* PCRE2's words for an error code. */
void pretok_error_text(int code, char text[256]);

#endif
