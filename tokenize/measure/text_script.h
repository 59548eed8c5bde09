/*
 * What a text looks like without any tokenizer: its characters, its words, and the script that most
 * of its letters are of. The yardsticks that numbers of tokens are held against.
 *
 * A word is a run of characters that are not white space, so a Chinese, Japanese or Thai text has
 * few and long ones: there tokens are counted per character. Scripts are told by a table of ranges
 * of code points (36 scripts in common use; all else is "Other"); a text of Han with at least one
 * Kana to twenty letters is "Japanese".
 */
#ifndef TUNDISH_TOKENIZE_TEXT_SCRIPT_H
#define TUNDISH_TOKENIZE_TEXT_SCRIPT_H

#include <stdint.h>

#include "base/str.h"

/* What the script of a code point is called ("Latin", "Kana" for Hiragana and Katakana), or NULL
 * where it is not in the table (digits, signs, spaces, rare scripts). */
const char *text_script_of(uint32_t cp);

struct text_shape {
    uint64_t characters;         /* code points; a byte that is not UTF-8 counts as one */
    uint64_t words;
    const char *script;          /* a static text; "None" where there is no letter */
};
struct text_shape text_shape_of(struct span text);

#endif
