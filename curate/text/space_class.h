/*
 * What a code point is to rules that count characters and cut words at white space, as Python and its
 * `regex` package have it: one byte of flags, by table.
 */
#ifndef TUNDISH_CURATE_SPACE_CLASS_H
#define TUNDISH_CURATE_SPACE_CLASS_H

#include <stdint.h>

enum space_flag {
    SPACE_WHITE = 1,       /* str.isspace(): what str.split() cuts at and str.strip() takes away */
    SPACE_LETTER = 2,      /* str.isalpha(): categories L* */
    SPACE_ALPHABETIC = 4,  /* [[:alpha:]] of `regex`: the property Alphabetic, which has vowel signs, too */
    SPACE_NUMBER = 8,      /* categories N*; with letters: str.isalnum() */
    SPACE_ANGLE = 16,      /* U+27E8, U+27E9 */
    SPACE_WORDY = 32,      /* \w of `regex` */
};

/* Builds the table; once a process, before the other. Any thread. */
void space_class_init(void);
unsigned space_class(uint32_t cp);

#endif
