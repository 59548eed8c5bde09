/*
 * Sentences as spaCy's rule "sentencizer" ends them: behind a token that is one of its sentence ends, and all tokens of punctuation
 * that follow it. White space that is more than one blank is a token, and none of punctuation.
 */
#ifndef TUNDISH_CURATE_SENTENCES_H
#define TUNDISH_CURATE_SENTENCES_H

#include "curate/text/text_scan.h"

/* Words of a scan, as a text of their own: from word `from` on, those that begin in front of byte `end` of the whole one. */
struct sentence_part {
    size_t from, end;
    size_t to;             /* out: the first word behind it */
};
/* At least 1. */
size_t sentences_count(const struct text_scan *s, struct sentence_part *part);
/* The end (byte in the text) of the sentence that begins with word `from` or the white space in front of it; *next: the word that the next
 * one begins with. The last one ends where the text does. */
size_t sentence_end(const struct text_scan *s, size_t from, size_t *next);

#endif
