/* The inside of the pre-tokenizer, for the files of this folder. */
#ifndef TUNDISH_TOKENIZE_PRETOK_PART_H
#define TUNDISH_TOKENIZE_PRETOK_PART_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "tokenize/pretok/pretok.h"
#include "tokenize/pretok/scan.h"

#define CUTS_MAX 8
#define BATCH_ENDS SCAN_ENDS

struct cut {
    char *what, *pattern;
    enum pretok_behavior behavior;
    bool invert;
    struct scanner scanner;          /* of kind SCAN_NONE: code matches */
    scan_fn *scan;
    pcre2_code *code;
    bool jit;
};
struct pretok {
    struct cut cuts[CUTS_MAX];
    size_t count;
    bool known_first, drops;         /* known_first: the first cut is a named pattern, as Isolated */
    int unicode;
    struct scan_classes *classes;    /* NULL: no cut has a scanner yet */
    const struct scan_level *level;  /* NULL: regular expressions only */
};

/* PCRE2's words for an error code. */
void pretok_error_text(int code, char text[256]);

#endif
