/*
 * A set of stop words, asked for the words of a scan (curate/text/text_scan.h) by their hashes.
 */
#ifndef TUNDISH_CURATE_STOP_WORDS_H
#define TUNDISH_CURATE_STOP_WORDS_H

#include "base/opt.h"
#include "curate/text/text_scan.h"

#define STOP_WORDS_MAX 4096

struct stop_words;
/* An empty list gives NULL. More than STOP_WORDS_MAX words are an error. */
MUST_USE enum status stop_words_make(const struct opt_list *words, struct stop_words **out);
/* How many different ones stand among the words; upper and lower case are different letters. */
size_t stop_words_distinct(const struct stop_words *w, const struct text_scan *s);

#endif
