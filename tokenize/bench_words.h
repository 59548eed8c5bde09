/* The text that the benches of this folder make for themselves, where none is given by --in. */
#ifndef TUNDISH_TOKENIZE_BENCH_WORDS_H
#define TUNDISH_TOKENIZE_BENCH_WORDS_H

#include "base/str.h"

/* Appends at least `bytes` of words with a Zipf-like frequency, of so many different ones, some capitalized, with
 * punctuation, digits, line ends and letters that are not ASCII. The same text each time. */
void bench_words(struct buf *out, size_t bytes, unsigned words);

#endif
