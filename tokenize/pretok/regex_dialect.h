/*
 * Regular expressions as a tokenizer.json means them, for PCRE2.
 *
 * Hugging Face's tokenizers match with Oniguruma in its Ruby dialect; we match with PCRE2. Most of
 * what such files hold means the same in both, some does not (\s on U+180E, \h, \p{Han}, `{1,3}+`,
 * `^`, nested classes). The one idea: only constructs that are known to mean the same, or that can
 * be rewritten so that they do, pass; all else is refused by name. So an unknown pattern is never
 * cut in another way silently.
 *
 * Rewritten: \w \W (L, M, Nd, Nl, Pc and the letters in circles and squares; outside of classes also the six other numbers of Latin-1,
 * as Oniguruma has it), \b \B (look-around over that), \h \H and [:xdigit:] (hexadecimal digits), [:word:], [:digit:], [:punct:]
 * (P and S), [:space:], [:cntrl:] and [:^...:] in classes, \s \S (Unicode White_Space), \d \D, \v, \uHHHH, \xHH, \p{^X}, \p{Script} (PCRE2 would
 * take Script_Extensions).
 * Refused: \R \X \K \G, repeated \b and \B, [:alpha:], [:alnum:], [:upper:], [:lower:], [:graph:], [:print:], [:blank:], [:ascii:] (they
 * need properties by version, or fold), '-' between a set and more of a class, class operators (&&, nested sets), `{n,m}+`,
 * `{n}?`, `{,m}`, groups other than plain, (?:...), (?i:...), look-around and atomic, letters in
 * (?i:...) that fold to several (ss, ff, fi, fl, st).
 * Categories (\p{L}, \d) are those of the version of Unicode that is asked for, whatever PCRE2's own tables are (10.42:
 * version 14): what they lack is written out. Scripts (\p{Han}), Alphabetic, Uppercase and Lowercase, and the folding of
 * (?i:...), remain the library's own.
 *
 * To let another construct pass: show on all code points that both engines agree, then add it here.
 */
#ifndef TUNDISH_TOKENIZE_REGEX_DIALECT_H
#define TUNDISH_TOKENIZE_REGEX_DIALECT_H

#include "base/status.h"
#include "base/str.h"

/* The version of PCRE2's own tables (unicode_table.h). */
int regex_unicode(void);
/* Appends the pattern in PCRE2's dialect, to be compiled with UTF, UCP and MULTILINE, newline
 * LF. `what` names its place in errors (ST_UNSUPPORTED: a construct; ST_FORMAT: not a
 * pattern). At most 16 KiB.
 * unicode: a version as in unicode_table.h; 0: that of PCRE2's own tables. */
MUST_USE enum status regex_to_pcre2(const char *what, struct span pattern, int unicode,
                                    struct buf *out);
/* Appends the pattern that matches just this text. */
void regex_quote(struct buf *out, struct span text);

#endif
