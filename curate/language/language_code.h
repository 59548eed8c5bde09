/*
 * Names of languages, brought to one form: ISO 639-1 ("en"), where there is none ISO 639-3 ("ceb"), with a script only
 * where CLD2 tells two ways of writing Chinese apart ("zh-Hant").
 *
 * What comes in: `en`, `EN`, `eng`; fastText's labels `__label__en`, and those with a script, `__label__eng_Latn`
 * (GlotLID, NLLB), whose members of a macrolanguage become the language that people mean (`cmn_Hani` is zh, `arb_Arab`
 * ar); CLD2's old codes (`iw` is he, `jw` jv).
 */
#ifndef TUNDISH_CURATE_LANGUAGE_CODE_H
#define TUNDISH_CURATE_LANGUAGE_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define LANGUAGE_CODE 12      /* bytes of the longest, NUL included */

/* False, out "" : not a language's name ("un", "xx-Latn", "zxx"), or too long for one. */
bool language_code(struct span label, char out[LANGUAGE_CODE]);
/* Is `code`, as language_code() makes it, one that a language may have? Of two letters: only ISO 639-1's and `sh`, which models still
 * have; of three letters there are thousands, and any will do. */
bool language_code_exists(const char *code);
/* Is `code` the language `wanted`, or one of its ways of writing? "zh" covers "zh-Hant". Both as language_code() makes them. */
bool language_covers(const char *wanted, const char *code);

#endif
