/*
 * Unicode normalization forms (UAX #15), for tokenizers whose file asks for one.
 *
 * utf8proc gives the decompositions, classes and compositions (Unicode 15 or what it was built
 * with); the canonical ordering in between is our own stable counting sort, so that a text of a
 * million combining marks costs linear time.
 */
#ifndef TUNDISH_TOKENIZE_TOKEN_NFC_H
#define TUNDISH_TOKENIZE_TOKEN_NFC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum normal_form { FORM_NFC, FORM_NFD, FORM_NFKC, FORM_NFKD };

struct token_nfc {           /* scratch of one thread; {0} before use */
    int32_t *cp, *sorted;
    uint8_t *class_of;
    size_t cap;
};
void token_nfc_release(struct token_nfc *s);
/* True where text (well-formed UTF-8) is surely its own normal form: for NFC, all code points are
 * below U+0300; for the others, all are ASCII. */
bool token_nfc_is_plain(struct span text, enum normal_form form);
/* Appends the normal form of well-formed text. */
void token_nfc(struct token_nfc *s, struct span text, enum normal_form form, struct buf *out);

#endif
