/*
 * The first step: raw bytes become text. HTML is reduced to its text, all else is text
 * already, and becomes UTF-8 where another encoding is told or found (curate/html/charset.h). Bytes of which nobody knows stay as they
 * are and are marked (doc.ill_formed): `normalize` repairs them.
 */
#ifndef TUNDISH_CURATE_EXTRACT_H
#define TUNDISH_CURATE_EXTRACT_H

#include "curate/chain/step.h"

enum extract_html {
    EXTRACT_MAIN,      /* html_main_text(): without navigation and the like */
    EXTRACT_ALL,       /* the text of the whole body */
    EXTRACT_NONE,      /* the markup itself, untouched */
};
enum extract_charset {
    EXTRACT_AUTO,      /* charset_guess() for text that is not UTF-8 */
    EXTRACT_UTF8,      /* text is UTF-8 or ill-formed */
};
enum extract_markdown {
    EXTRACT_MARKDOWN_KEEP,
    EXTRACT_MARKDOWN_TEXT,      /* markdown_text() */
};
struct extract_cfg {
    int html;
    int charset;
    int markdown;
};
extern const struct opt extract_opts[];
extern const struct drop_reason *const extract_reasons[];
extern const char *const extract_counters[];
MUST_USE enum status extract_each(const void *cfg, struct doc *d, struct step_work *w);

#endif
