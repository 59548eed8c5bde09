/*
 * The quick check of NFC (UAX #15, 9): which parts of a text may change when it is normalized. Most
 * text has none, and need not be decomposed to see that.
 *
 * A code point is steady when its NFC is itself, it is a starter (combining class 0) and it composes
 * with nothing before it. So a text of steady code points is its own NFC; and NFC of a text is that
 * of its parts where it is cut before steady ones. A part that may change is a run of code points
 * that are not steady, with the one before it, which they may compose with (unless that is a space or
 * control character).
 * What was assigned after Unicode 9 counts as steady, for the reference, Hugging Face's tokenizers,
 * normalizes by the tables of Unicode 9 (seen with 0.23.3): ids are to be equal.
 * The table is made of utf8proc's properties (some 2 ms) and is immutable then, shared by threads.
 */
#ifndef TUNDISH_TOKENIZE_NFC_QUICK_H
#define TUNDISH_TOKENIZE_NFC_QUICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct nfc_quick;
struct nfc_quick *nfc_quick_new(void);
void nfc_quick_free(struct nfc_quick *q);
struct nfc_part {
    size_t first, end;       /* bytes [first, end) of the text */
};
/* The next part of well-formed text that may change, at or behind `from`, which is 0 or the end of
 * the part before. False: the rest is its own NFC. */
bool nfc_quick_next(const struct nfc_quick *q, struct span text, size_t from, struct nfc_part *part);
/* Was c, which NFC moves or composes, assigned after Unicode 9? */
bool nfc_quick_is_newer(uint32_t c);

#endif
