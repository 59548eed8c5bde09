/*
 * CLD2, as C sees it: which language a text is in, from the letters and four-letter groups that CLD2's own tables know
 * (the full set, about 160 languages). Threads may call at once.
 */
#ifndef TUNDISH_CURATE_CLD2_SHIM_H
#define TUNDISH_CURATE_CLD2_SHIM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cld2_guess {
    const char *code;      /* CLD2's own ("iw", "zh-Hant", "un"); never freed */
    double share;          /* of the text's letters that are in it, 0 to 1, in hundredths */
    bool reliable;         /* the next language is clearly behind */
};
/* text: well-formed UTF-8 without markup, less than 2 GiB. No hints are used. */
struct cld2_guess cld2_detect(const char *text, size_t n);

#ifdef __cplusplus
}
#endif

#endif
