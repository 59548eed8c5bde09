/*
 * What a tokenizer file does to text before it is cut: a list of steps, each a function from text
 * to text.
 *
 * The steps are Hugging Face's normalizers, and those of its pre-tokenizers that rewrite text
 * (Metaspace's marks, a space in front, the byte alphabet). Letters, marks and cases are
 * utf8proc's, white space is Unicode's White_Space. A normalizer is shared by threads; each
 * runs it with its own scratch.
 */
#ifndef TUNDISH_TOKENIZE_NORMALIZER_H
#define TUNDISH_TOKENIZE_NORMALIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "tokenize/encode/token_nfc.h"

enum normal_kind {
    NORMAL_FORM,             /* form */
    NORMAL_LOWERCASE,
    NORMAL_STRIP,            /* white space at the sides that left and right name */
    NORMAL_STRIP_ACCENTS,    /* marks (M), or only those that take no space (Mn) */
    NORMAL_REPLACE,          /* every `from` becomes `to` */
    NORMAL_REPLACE_REGEX,    /* every match of `from` becomes `to` */
    NORMAL_PREPEND,          /* `to` in front of a text that is not empty */
    NORMAL_PREPEND_UNLESS,   /* the same unless the text begins with it */
    NORMAL_NMT,
    NORMAL_BYTE_LEVEL,       /* bytes become the characters of store/formats/byte_level.h */
    NORMAL_BERT_CLEAN,       /* no control characters, all white space is ' ' */
    NORMAL_BERT_CHINESE,     /* spaces around ideographs */
};
struct normal_step {
    enum normal_kind kind;
    enum normal_form form;
    bool left, right;        /* NORMAL_STRIP */
    bool only_mn;            /* NORMAL_STRIP_ACCENTS */
    bool first_only;         /* NORMAL_PREPEND_UNLESS: only where the whole text begins */
    struct span from, to;    /* copied */
};

struct normalizer;
struct normalizer *normalizer_new(void);
void normalizer_free(struct normalizer *n);
/* Appends a step; at most 64. what names the file in errors (a pattern that is not understood). */
MUST_USE enum status normalizer_add(struct normalizer *n, const char *what,
                                    const struct normal_step *step);
size_t normalizer_count(const struct normalizer *n);
/* The step, for people; i < normalizer_count(). */
const struct normal_step *normalizer_step(const struct normalizer *n, size_t i);
/* Appends the steps' names as Hugging Face has them, with commas between. */
void normalizer_describe(const struct normalizer *n, struct buf *out);
/* Whether all it does is one normal form. */
bool normalizer_is_form(const struct normalizer *n, enum normal_form form);

struct normal_scratch {      /* of one thread; {0} before use */
    struct token_nfc nfc;
    struct buf one, other;
};
void normal_scratch_release(struct normal_scratch *s);
/* *text (well-formed UTF-8) becomes its normalized form, which lies in the scratch until the next
 * run, or is the text itself where nothing changes. first: the text begins where the whole text
 * does. ST_LIMIT: a pattern backtracks too much. */
MUST_USE enum status normalizer_run(const struct normalizer *n, struct normal_scratch *s,
                                    struct span *text, bool first);

/* Unicode's White_Space property. */
bool normal_is_white(uint32_t cp);

#endif
