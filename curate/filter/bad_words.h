/*
 * A list of words and phrases that drop a document, as C4 used LDNOOBW's: a file of one a line, UTF-8, blank lines and white space
 * around them left out. They are looked for in the text in small letters (Python's str.lower()), as they stand.
 */
#ifndef TUNDISH_CURATE_BAD_WORDS_H
#define TUNDISH_CURATE_BAD_WORDS_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"
#include "curate/text/word_class.h"

struct bad_words;
/* path NULL: *out = NULL. */
MUST_USE enum status bad_words_read(const char *path, struct bad_words **out);
/* inside: also within words. text: small letters already. */
bool bad_words_found(const struct bad_words *b, const struct word_classes *c, struct span text, bool inside);
void bad_words_free(struct bad_words *b);

#endif
