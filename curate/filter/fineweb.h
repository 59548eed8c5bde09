/*
 * `filter: {profile: fineweb}`: the rules that FineWeb (Penedo et al., 2024) added, as datatrove 0.10.1 has them
 * (FineWebQualityFilter), in its order. Lines are what '\n' separates, without those of white space alone; a document of no other is
 * `empty`.
 *
 *     line_punct_ratio   share of lines that end with a sentence end of any script (or one of `stop-chars`) is too small
 *     short_line_ratio   share of lines of at most `short-line-length` characters is too large
 *     char_dup_ratio     characters of lines that stood before, of all characters but '\n', are too many
 *     list_ratio         too many '\n' for the number of words (curate/text/text_scan.h)
 *
 * Thresholds are those of the class; unlike Gopher's, 0 is a threshold like any other.
 */
#ifndef TUNDISH_CURATE_FINEWEB_H
#define TUNDISH_CURATE_FINEWEB_H

#include "curate/filter/gopher.h"

struct fineweb_cfg {
    int profile, rules;
    double line_punct, short_line, char_duplicates, new_line;
    bool exclude_zero;
    int64_t short_line_length;
    struct opt_list stop_chars;
    const char *languages_path;
    struct filter_languages *languages;      /* made by fineweb_load() */
};
extern const struct opt fineweb_opts[];
extern const struct drop_reason *const fineweb_reasons[];

MUST_USE enum status fineweb_load(void *cfg);
void fineweb_unload(void *cfg);
MUST_USE enum status fineweb_each(const void *cfg, struct doc *d, struct step_work *w);

#endif
