/*
 * Where a long text may be cut in two that are encoded apart, with the same ids: what streaming,
 * windows and several threads on one text rest on.
 *
 * There are two kinds of such places, both only where the pattern is one that is known by name:
 *   - the space between an ASCII letter or digit and an ASCII letter (pretok_safe_cut);
 *   - behind a line feed and before a letter. No piece of these patterns holds a line feed and a
 *     letter behind it. What is before the place is cut alike whether or not a text follows: the only
 *     things that look ahead are \s+(?!\S) and \s++$, and both meet the run of white space that ends
 *     there. In the patterns that have \s*[\r\n] that run is one piece either way; in the others it
 *     is one piece if it is the line feed alone, which is what is asked for there.
 * The other steps of encoding allow it, too:
 *   - ill-formed UTF-8: on one side of the place there is an ASCII character, on the other the end
 *     or the beginning of a whole one, so no sequence is cut;
 *   - added tokens: added_set_allows_cut(); white space is on one side only. Those that are matched
 *     after normalization are looked for in the text as it is; so near them the text must be its own
 *     normal form;
 *   - NFC: a space and a line feed compose with nothing, and the letter is a starter that composes
 *     with nothing before it, so the normal form of the whole is that of the parts (UAX #15, 9.1).
 */
#ifndef TUNDISH_TOKENIZE_SAFE_CUT_H
#define TUNDISH_TOKENIZE_SAFE_CUT_H

#include "tokenize/tokenizer.h"

/* The greatest such place in (from, limit], limit <= text.n, or 0 if none is known. The text may
 * go on behind text.n. from: 0, or a place before which there is nothing to be found. Cost: the
 * bytes between. */
size_t safe_cut(const struct tokenizer *t, struct span text, size_t from, size_t limit);

#endif
