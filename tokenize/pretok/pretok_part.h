/* The inside of the pre-tokenizer, for the files of this folder. */
#ifndef TUNDISH_TOKENIZE_PRETOK_PART_H
#define TUNDISH_TOKENIZE_PRETOK_PART_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "tokenize/pretok/pretok.h"
#include "tokenize/pretok/scan.h"

#define CUTS_MAX 8
#define BATCH_ENDS SCAN_ENDS

struct program {
    pcre2_code *code;
    bool jit;
};
struct cut {
    char *what, *pattern;
    enum pretok_behavior behavior;
    bool invert;
    struct scanner scanner;          /* of kind SCAN_NONE: a program matches */
    scan_fn *scan;
    struct program exact;            /* categories of the wanted Unicode version */
    struct program own;              /* those of PCRE2's tables, about twice as fast; code NULL: no difference */
};
struct pretok {
    struct cut cuts[CUTS_MAX];
    size_t count;
    struct cut chain;                /* scan not NULL: this one does what all cuts do */
    bool known_first, drops;         /* known_first: the first cut is a named pattern, as Isolated, or the first are DeepSeek's */
    int unicode;
    uint8_t *changed;                /* pages whose categories PCRE2 has otherwise; NULL: none, or never asked */
    struct scan_classes *classes;    /* NULL: no cut has a scanner yet */
    const struct scan_level *level;  /* NULL: regular expressions only */
};

/* PCRE2's words for an error code. */
void pretok_error_text(int code, char text[256]);

#endif
