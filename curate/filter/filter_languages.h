/*
 * `languages: FILE` of a filter: thresholds and words of its own for some languages.
 *
 *     # A language's code as `language` gives it ("de", "zh-Hant"); what a language does not name is as in the step.
 *     de:
 *       max-mean-word-length: 14
 *       stop-words: [der, und, die]
 *     th: {min-words: 20, quality: false}
 *
 * Keys are the filter's own options, so there is nothing to keep in step: each entry is read by the same table, over
 * a copy of what the step itself says. An unknown key is an error with the nearest name, file and line. `profile` and
 * `languages` cannot stand there. A document without a language, or of one that is not in the file, is judged by the step's own
 * options. "zh-Hant" that is not there is looked for as "zh". A key may be any name that language_code.h knows ("eng").
 *
 * A profile has a member `struct filter_languages *languages` (no row fills it) and a row "languages"; its load() calls
 * filter_languages_load(), its unload() filter_languages_free(), and its each() begins with
 *
 *     const struct my_cfg *c = filter_languages_pick(own->languages, own, d);
 */
#ifndef TUNDISH_CURATE_FILTER_LANGUAGES_H
#define TUNDISH_CURATE_FILTER_LANGUAGES_H

#include "base/opt.h"
#include "curate/chain/doc.h"

struct filter_languages;

struct filter_languages_args {
    const char *path;             /* NULL: no file, *out = NULL */
    const struct opt *opts;       /* the profile's table */
    const void *cfg;              /* what the step itself says */
    size_t cfg_size;
    bool by_extension;            /* the keys are no languages, but the endings of files ("py") */
    /* As step_kind's; may be NULL. `check` judges each language's configuration; `finish` and `discard` make and free what a profile
     * derives of its options (a set of stop words) in that copy: derived members of cfg are copied as they are before. */
    enum status (*check)(const void *cfg, const struct yaml *at);
    enum status (*finish)(void *cfg);
    void (*discard)(void *cfg);
};
MUST_USE enum status filter_languages_load(const struct filter_languages_args *args,
                                           struct filter_languages **out);
/* The configuration for d->language; own where there is none. l may be NULL. Any thread. */
const void *filter_languages_pick(const struct filter_languages *l, const void *own, const struct doc *d);
/* l may be NULL. */
void filter_languages_free(struct filter_languages *l);

#endif
