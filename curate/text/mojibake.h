/*
 * Mojibake: UTF-8 that was read as another encoding and saved as UTF-8 again ("cafÃ©", "РџСЂРёРІРµС‚"), also several times.
 *
 * The one idea: such text is a row of characters whose bytes in that encoding are UTF-8. That alone is no proof (French
 * "É»", Ukrainian "Рі"), so a piece of text (a line, at most MOJIBAKE_PIECE bytes of it) is changed only where it gets
 * clearly better: sequences are weighed by how odd the characters stand (a sign inside of a word, a capital behind a
 * small letter, control characters, letters of two scripts in touch) and by what would become of them (a letter that
 * fits its neighbours, a quotation mark, several letters of one script in a row); one that would become something odd
 * counts against it. A run of characters beyond ASCII with a letter that is no part of a sequence is left alone. What
 * was changed is looked at again, up to MOJIBAKE_ROUNDS times.
 *
 * Control characters that are left over (0x80 to 0x9F, but NEL) stand for the signs that windows-1252 has there: a text in
 * that encoding was taken for ISO 8859-1.
 *
 * Encodings: windows-1252 (with it ISO 8859-1), -1251, -1250, -1253, -1254, -1257, ISO 8859-2, Mac Roman, IBM 437.
 *
 * Linear. Text without a suspicious pair of characters is passed over at memory speed or nearly so.
 */
#ifndef TUNDISH_CURATE_MOJIBAKE_H
#define TUNDISH_CURATE_MOJIBAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define MOJIBAKE_PIECE 4096
#define MOJIBAKE_ROUNDS 4

struct mojibake;
struct mojibake *mojibake_new(void);
void mojibake_free(struct mojibake *m);
/* text: well-formed UTF-8. Writes the mended text into out (cleared first) and returns how many characters were made of
 * several, or of control characters. 0: there was nothing to mend, and what stands in out means nothing. */
uint64_t mojibake_mend(struct mojibake *m, struct span text, struct buf *out);
/* Where the first run of characters begins that may be mojibake; text.n: none. */
size_t mojibake_scan(const struct mojibake *m, struct span text);

#endif
