/*
 * Pieces of an HTML page that is one file: no script, nothing loaded from anywhere, light or dark
 * as the reader's system is, and fit for paper.
 *
 * The one idea: whatever comes from outside goes through page_text(), so no name and no document
 * can become markup; all pages of the program have one style (page_begin()).
 */
#ifndef TUNDISH_BASE_PAGE_H
#define TUNDISH_BASE_PAGE_H

#include "base/str.h"

/* Head, a policy that lets the browser load nothing, style, <main> and an <h1>. */
void page_begin(struct buf *out, const char *title);
void page_end(struct buf *out);

/* Text, safe between tags and in quoted attributes: < > & " ' as entities; as U+FFFD: bytes that
 * are not UTF-8, control characters but tab and line feed, and those that turn the direction of
 * text. */
void page_text(struct buf *out, const char *p, size_t n);
/* The same of a C text; NULL is nothing. */
void page_escape(struct buf *out, const char *s);

/* Cells of a table's row. */
void page_cell_text(struct buf *out, const char *text);
void page_cell_code(struct buf *out, const char *text);
void page_cell_count(struct buf *out, uint64_t n);
void page_cell_bytes(struct buf *out, uint64_t n);
/* A bar as wide as part of whole; for the eye alone, the number stands in a cell beside it. */
void page_cell_bar(struct buf *out, double part, double whole);

/* A chart of lines over one axis. Points that are not finite are left out; ticks stand at round
 * numbers. */
struct page_line {
    const double *x, *y;
    size_t count;
    const char *style;         /* "raw", "smooth" or "dots" */
};
struct page_chart {
    const char *title;         /* said to those who cannot see it, and the caption */
    const char *x_name;
    const struct page_line *lines;
    size_t count;
    int width, height;         /* of the drawing, in its own units */
};
/* A <figure>; a sentence where there is nothing to draw. */
void page_chart(struct buf *out, const struct page_chart *c);

#endif
