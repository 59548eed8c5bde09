/*
 * A web page to the text that its readers came for. How it is done: html_part.h.
 */
#ifndef TUNDISH_CURATE_HTML_H
#define TUNDISH_CURATE_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/str.h"

/* HTML to its main text (libxml2's HTML parser): drops scripts, styles, navigation, headers,
 * footers, forms, link lists; keeps headings, paragraphs, lists ("- ", "1. "; what an item or a
 * definition goes on with is indented), preformatted text as it is and tables as lines ("a | b");
 * blocks are separated by a blank line. The charset: charset.h. Appends UTF-8 to out, with a final line break unless there is no
 * text; title (may be NULL) gets the <title>. too_deep is set when elements nest deeper than 256,
 * libxml2's own limit for trees: the page is cut there. Time is linear in n; memory is about 48
 * bytes an element and piece of text (at most 16 n) and three copies. */
struct html_result {
    const char *transport;      /* in: the charset that came with the page, or NULL */
    const char *charset;        /* out: what it was taken for, a name as in charset.h */
    bool too_deep;
    struct buf *title;
};
MUST_USE enum status html_main_text(const char *bytes, size_t n, struct buf *out,
                                    struct html_result *result);

/* `tundish bench curate`, case "html": MB/s of HTML by one thread. --in: pages one after the other. */
struct bench;
MUST_USE enum status html_bench(struct bench *b);

#endif
