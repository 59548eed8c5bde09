/*
 * Markdown (CommonMark, with GitHub's tables) as the text that a reader of the page would see.
 *
 * Goes: front matter (between lines `---` or `+++` at the start), the marks of headings, quotes, emphasis, code and
 * fences, rules, link targets and definitions, HTML tags and comments, the frame of tables (cells are parted by tabs).
 * Stays: the text of links and images, code as it stands, the bullets and numbers of lists, line breaks.
 *
 * Not a parser of all of CommonMark: what it does not take for markup stays. A paragraph is looked at as a whole; one
 * look at each byte, but for the target of a link, for which MARKDOWN_TARGET bytes are looked through.
 */
#ifndef TUNDISH_CURATE_MARKDOWN_H
#define TUNDISH_CURATE_MARKDOWN_H

#include "base/str.h"

#define MARKDOWN_TARGET 1024

/* Appends the text, lines ending with \n. text: any bytes; what is UTF-8 stays so. */
void markdown_text(struct span text, struct buf *out);

#endif
