/*
 * `normalize`: the same text in one form. In this order:
 *   repair           each maximal ill-formed part becomes U+FFFD;
 *                    too many of them drop the document (invalid_utf8)
 *   mojibake         UTF-8 that was read as another encoding is mended (curate/text/mojibake.h); it stands here and
 *                    in no step of its own because half of such text is made of control characters, which go next
 *   newlines         CRLF, CR, NEL, VT and FF become LF
 *   controls         C0, DEL and C1 go, but for \n and \t (and \r where `newlines` is off);
 *                    U+FEFF at the start goes
 *   trailing-spaces  spaces and tabs at the end of a line go
 *   blank-lines      no more than so many in a row; none at the start, nor white space at the end
 *   unicode: nfc     canonical composition (Unicode 15), but for runs of more than
 *                    NFC_RUN_MAX marks, which stay
 * A document of which nothing is left is dropped (empty). Doing it twice changes nothing more, `mojibake` aside.
 */
#ifndef TUNDISH_CURATE_NORMALIZE_H
#define TUNDISH_CURATE_NORMALIZE_H

#include "curate/chain/step.h"

enum normalize_unicode { NORMALIZE_NFC, NORMALIZE_NONE };

struct normalize_cfg {
    int unicode;
    bool repair, mojibake, newlines, controls, trailing_spaces;
    double max_invalid;
    int64_t blank_lines;
};
extern const struct opt normalize_opts[];
extern const struct drop_reason *const normalize_reasons[];
extern const char *const normalize_counters[];
MUST_USE enum status normalize_each(const void *cfg, struct doc *d, struct step_work *w);

/* --- nfc.c --- */

#define NFC_RUN_MAX 256

struct nfc_scratch;
void nfc_scratch_free(struct nfc_scratch *s);
/* Appends text (well-formed UTF-8) in NFC, and returns true; false, with nothing appended, if
 * it is in NFC already. *kept counts runs that were too long. *scratch is made when it is
 * needed. Linear. */
bool nfc_append(struct buf *out, struct span text, uint64_t *kept, struct nfc_scratch **scratch);

#endif
