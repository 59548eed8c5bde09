/*
 * Where the bytes of a normalized text come from: for each of them the range of bytes of the text
 * before normalization that it stands for. Filled on request only (offsets).
 *
 * A byte of a part that normalization left as it was stands for itself. Where something was changed
 * (composed, reordered), every byte stands for the whole part that was changed, so ranges never
 * tell more than is known. Ranges grow from byte to byte: from and to never fall.
 */
#ifndef TUNDISH_TOKENIZE_TEXT_ORIGIN_H
#define TUNDISH_TOKENIZE_TEXT_ORIGIN_H

#include <stdint.h>

#include "base/str.h"
#include "tokenize/encode/token_nfc.h"

struct text_origin_byte {
    uint32_t from, to;               /* bytes [from, to) of the text before */
};
struct text_origin {                 /* {0} before use; v[i] is of byte i of the normalized text */
    struct text_origin_byte *v;
    size_t count, cap;
};
void text_origin_release(struct text_origin *o);
/* Appends n bytes that stand for the same bytes from `from` on. */
void text_origin_keep(struct text_origin *o, size_t from, size_t n);
/* Appends n bytes that all stand for [from, to). */
void text_origin_change(struct text_origin *o, size_t n, size_t from, size_t to);

/* token_nfc() that tells the origins too; text is less than 4 GiB. out and o begin empty. */
void token_nfc_with_origin(struct token_nfc *s, struct span text, struct buf *out,
                           struct text_origin *o);

#endif
