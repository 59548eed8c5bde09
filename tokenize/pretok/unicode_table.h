/*
 * The general category of every code point, in the version of Unicode that a tokenizer's own
 * library has.
 *
 * The one idea: categories of existing characters almost never change (one did from version 14 to 16), so one table of ranges
 * and the list of what each version added describe all versions. Versions are written as ten times
 * their number: 140, 150, 151, 160, 170. Hugging Face's tokenizers since 0.21.2 and tiktoken 0.14
 * match with 160, tokenizers before with 140, PCRE2 10.42 with 140.
 */
#ifndef TUNDISH_TOKENIZE_UNICODE_TABLE_H
#define TUNDISH_TOKENIZE_UNICODE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define UNICODE_POINTS 0x110000u
#define UNICODE_DEFAULT 160

enum unicode_category {
    UNICODE_LU, UNICODE_LL, UNICODE_LT, UNICODE_LM, UNICODE_LO, UNICODE_MN, UNICODE_MC, UNICODE_ME,
    UNICODE_ND, UNICODE_NL, UNICODE_NO, UNICODE_PC, UNICODE_PD, UNICODE_PS, UNICODE_PE, UNICODE_PI,
    UNICODE_PF, UNICODE_PO, UNICODE_SM, UNICODE_SC, UNICODE_SK, UNICODE_SO, UNICODE_ZS, UNICODE_ZL,
    UNICODE_ZP, UNICODE_CC, UNICODE_CF, UNICODE_CS, UNICODE_CO, UNICODE_CN,
    UNICODE_CATEGORIES
};
struct unicode_change {
    uint32_t first, last;
    uint8_t before, now, since;      /* since: version */
};
/* The generated tables (unicode_ranges.c). */
extern const uint32_t unicode_ranges[];
extern const size_t unicode_range_count;
extern const struct unicode_change unicode_changes[];
extern const size_t unicode_change_count;

/* Whether there is a table for it. */
bool unicode_known(int version);
/* Fills category[UNICODE_POINTS]. */
void unicode_fill(int version, uint8_t *category);
/* The categories that a name as in \p{...} stands for ("Lu", "L"), as bits 1 << enum unicode_category; 0: not the name of a
 * category. Case is ignored. */
uint32_t unicode_category_bits(const char *name);
/* Whether the text (well-formed UTF-8) has no character of a page that is set. */
bool unicode_without(const uint8_t *pages, struct span text);
/* [UNICODE_POINTS / 64]: 1 for each 64 code points of which one has another category in the other version; the caller's to free().
 * NULL if there are none. */
uint8_t *unicode_changed_pages(int version, int other);
/* Appends what stands in a class of PCRE2 ("[...]") for the categories in version `want` (those that are not in them, if
 * negated), where PCRE2's own tables are of version `have`: \p{name} and what to add, or all ranges. */
struct unicode_class {
    const char *name;
    uint32_t bits;
    bool negated;
    int want, have;
};
void unicode_print_class(const struct unicode_class *c, struct buf *out);
/* The same written out as ranges; circled: with the letters in circles and squares (U+24B6 and others), of category So. */
void unicode_print_ranges(const struct unicode_class *c, bool circled, struct buf *out);

#endif
