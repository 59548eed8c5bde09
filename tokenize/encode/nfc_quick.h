/*
 * The quick check of NFC (UAX #15, 9): which parts of a text may change when it is normalized. Most
 * text has none, and need not be decomposed to see that.
 *
 * A code point is steady when its NFC is itself, it is a starter (combining class 0) and it composes
 * with nothing before it. So a text of steady code points is its own NFC; and NFC of a text is that
 * of its parts where it is cut before steady ones. A part that may change is a run of code points
 * that are not steady, with the one before it, which they may compose with.
 * The table is made of utf8proc's properties (some 2 ms) and is immutable then, shared by threads.
 */
#ifndef TUNDISH_TOKENIZE_NFC_QUICK_H
#define TUNDISH_TOKENIZE_NFC_QUICK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct nfc_quick;
struct nfc_quick *nfc_quick_new(void);
void nfc_quick_free(struct nfc_quick *q);
/* The next part of well-formed text that may change, at or behind `from`, which is 0 or the end of
 * the part before: bytes [*first, *last). False: the rest is its own NFC. */
bool nfc_quick_next(const struct nfc_quick *q, struct span text, size_t from, size_t *first,
                    size_t *last);

#endif
