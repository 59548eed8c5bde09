/*
 * Where a long text may be cut in two that are encoded apart, with the same ids: what streaming,
 * windows and several threads on one text rest on.
 *
 * The pattern must allow it: pretok_safe_cut(), which knows places for the patterns that have a name.
 * In all of them a character ends before the place and another begins there, and at most one of the two
 * is white space. The other steps of encoding then allow it where
 *   - ill-formed UTF-8: both characters are well-formed, so no sequence is cut;
 *   - added tokens: added_set_allows_cut(). Those that are matched after normalization are looked for
 *     in the text as it is; so near the place the text must be its own normal form;
 *   - NFC: what is before the place does not compose with what is behind it. The place is behind a
 *     line feed, which composes with nothing and is not moved, or before white space or punctuation,
 *     all of them starters that compose with nothing before them (UAX #15, 9.1).
 * Tokenizers whose normalizer makes marks of spaces have places of their own (mark_cut.h); with others no place is known.
 * What is behind a place is encoded as a text that goes on: encoder_go_on().
 */
#ifndef TUNDISH_TOKENIZE_SAFE_CUT_H
#define TUNDISH_TOKENIZE_SAFE_CUT_H

#include "tokenize/tokenizer.h"

/* The greatest such place in (from, limit], limit <= text.n, or 0 if none is known. The text may
 * go on behind text.n. from: 0, or a place before which there is nothing to be found. Cost: the
 * bytes between. */
size_t safe_cut(const struct tokenizer *t, struct span text, size_t from, size_t limit);

#endif
