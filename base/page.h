/*
 * Pieces of an HTML page that is one file: no script, nothing loaded from anywhere, light or dark
 * as the reader's system is, and fit for paper.
 *
 * The one idea: whatever comes from outside goes through page_text(), so no name and no document
 * can become markup; all pages of the program have one style (page_style.c).
 *
 * Every table has a caption and stands in a region that the keyboard reaches, so that a narrow
 * screen scrolls the table and never the page.
 */
#ifndef TUNDISH_BASE_PAGE_H
#define TUNDISH_BASE_PAGE_H

#include "base/str.h"

/* Head, a policy that lets the browser load nothing, style, <main>, and in a <header> that stays
 * open what kind of page it is and its title as the <h1>. */
void page_begin(struct buf *out, const char *kind, const char *title);
void page_end(struct buf *out);
extern const char page_style[];

/* Text, safe between tags and in quoted attributes: < > & " ' as entities; as U+FFFD: bytes that
 * are not UTF-8, control characters but tab and line feed, and those that turn the direction of
 * text. */
void page_text(struct buf *out, const char *p, size_t n);
/* The same of a C text; NULL is nothing. */
void page_escape(struct buf *out, const char *s);
/* The same within <code>. */
void page_code(struct buf *out, const char *s);

/* A caption and a row of column heads: "stage|#seconds|", # before those of numbers, nothing for a
 * column that only the eye needs. style: NULL; "narrow" for few short columns; "broad" for many, or
 * long ones, which a narrow screen scrolls rather than crushes. */
void page_table_begin(struct buf *out, const char *style, const char *caption, const char *heads);
void page_table_end(struct buf *out);
/* Begins a row of the table by its name; the caller closes the row. */
void page_row(struct buf *out, const char *name);

/* Cells of a table's row. */
void page_cell_text(struct buf *out, const char *text);
void page_cell_code(struct buf *out, const char *text);
void page_cell_count(struct buf *out, uint64_t n);
void page_cell_bytes(struct buf *out, uint64_t n);
/* A measured number as people read it: "0.1503", "100,000"; into text (at least 28 bytes), which is returned. */
const char *page_number(double x, char *text);
/* A bar as wide as part of whole, behind it in another colour what was lost to get there (0: none);
 * for the eye alone, the numbers stand in cells beside it. */
void page_cell_bar(struct buf *out, double part, double lost, double whole);

/* One of the few numbers that tell most, between <dl class="figures"> and its end. */
void page_figure(struct buf *out, const char *name, const char *value, const char *note);
/* What unfolds: needs no script, opens by keyboard. */
void page_more_begin(struct buf *out, const char *summary);
void page_more_end(struct buf *out);

/* A chart of lines over one axis. Points that are not finite are left out; ticks stand at round
 * numbers. (page_chart.c) */
struct page_line {
    const double *x, *y;
    size_t count;
    const char *style;         /* "raw", "smooth" or "dots" */
    const char *name;          /* in the key above the drawing; NULL: not named */
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

/* A histogram: how many there are of each size, of two sorts, one on the other. Shares (nothing above 1) stand on an
 * even axis, all else on one where each doubling is as wide as the next; what is 0 or below has a bar of its own
 * there. (page_histogram.c) */
struct page_bin {
    double from, to;
    double kept, lost;         /* how many */
};
struct page_histogram {
    const char *title, *note;  /* note: NULL, or a line below the title */
    const struct page_bin *bins;
    size_t count;
    double mark_from, mark_to; /* dashed lines (one where equal); NAN: none */
};
/* A <figure>; a sentence where there is nothing to draw. */
void page_histogram(struct buf *out, const struct page_histogram *h);

#endif
