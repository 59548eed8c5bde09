/*
 * Safe places (safe_cut.h) of tokenizers as those of SentencePiece: the normalizer puts something in front of a text and makes every
 * space U+2581, and pieces begin at runs of these.
 *
 * The place is before a space, behind a character that is neither white space nor U+2581 and does not end an added token. So both
 * characters lie in one stretch of text without added tokens, A before the place and B behind it. With R for Replace and P for what
 * is put in front, AB becomes P R(AB) = P R(A) R(B), as Replace looks at single characters. A piece begins with R(B): it is a
 * run of U+2581 behind another character, and A is not empty. Pieces are encoded apart. A is P R(A) by itself, too; what begins
 * with B must be normalized without P: normalizer_inside, for the first stretch of a part that is not the first.
 * Added tokens that are matched after normalization are not proven: none of them may be there. Those that are matched before:
 * added_set_allows_cut(); both sides are not white space, as it wants.
 */
#ifndef TUNDISH_TOKENIZE_MARK_CUT_H
#define TUNDISH_TOKENIZE_MARK_CUT_H

#include "tokenize/tokenizer.h"

/* Makes t->normalizer_inside where the tokenizer is of this kind. At the end of loading. */
void mark_cut_prepare(struct tokenizer *t);
/* As safe_cut(), where t->normalizer_inside is there. */
size_t mark_cut(const struct tokenizer *t, struct span text, size_t from, size_t limit);

#endif
