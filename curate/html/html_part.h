/*
 * The inside of html_main_text(): bytes -> UTF-8 -> a small tree -> marks on the tree -> text.
 *
 *   charset*.c      what encoding bytes are in, and UTF-8 from it (charset.h)
 *   html_charset.c  what a page says of its encoding, and clean UTF-8 from it
 *   html_tree.c     libxml2's SAX events into nodes; what can never be text is not stored at all
 *   html_marks.c    what an element says of itself: by name, role, class, id
 *   html_weed.c     what is dropped wherever it stands: by marks, share of links
 *   html_main.c     which part of what is left is the main text
 *   html.c          the entry
 *   html_text.c     the nodes that are left as text
 *
 * Invariant: nodes lie in the order of the document, a parent before its children, so that a sum
 * over subtrees is one walk from the last node to the first, and everything is linear in the
 * size of the page.
 *
 * To add an element: a row in HTML_TAGS. To add a class or id that marks navigation: a row in
 * html_marks.c.
 */
#ifndef TUNDISH_CURATE_HTML_PART_H
#define TUNDISH_CURATE_HTML_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

#define HTML_DEPTH 256        /* open elements; libxml2's own limit for trees */
#define HTML_ATTRIBUTES 256   /* of one element; libxml2 compares each with each */

enum html_how {               /* what an element is to the text */
    HOW_INLINE = 0,
    HOW_BLOCK = 1,            /* begins and ends a paragraph */
    HOW_LINE = 2,             /* begins and ends a line */
    HOW_NEVER = 4,            /* neither it nor what is in it is text */
    HOW_SOFT = 8,             /* navigation and the like, unless it holds most of the text */
    HOW_HEADING = 16,
    HOW_RICH = 32,            /* in a table's cell it makes the row more than one line */
    HOW_SURE = 64,            /* soft, and stays so however much it holds */
};

/* The elements that matter, by name; all others are inline. */
#define HTML_TAGS(X)                                                                               \
    X(a, HOW_INLINE) X(address, HOW_BLOCK) X(annotation, HOW_NEVER) X(applet, HOW_NEVER)           \
    X(article, HOW_BLOCK) X(aside, HOW_BLOCK | HOW_SOFT) X(audio, HOW_NEVER)                       \
    X(blockquote, HOW_BLOCK | HOW_RICH)                                                            \
    X(body, HOW_BLOCK) X(br, HOW_INLINE) X(button, HOW_NEVER) X(canvas, HOW_NEVER)                 \
    X(caption, HOW_BLOCK) X(center, HOW_BLOCK) X(datalist, HOW_NEVER) X(dd, HOW_LINE)              \
    X(details, HOW_BLOCK) X(dialog, HOW_BLOCK | HOW_SOFT) X(dir, HOW_BLOCK | HOW_RICH)             \
    X(div, HOW_BLOCK) X(dl, HOW_BLOCK | HOW_RICH) X(dt, HOW_LINE) X(fieldset, HOW_BLOCK)           \
    X(figcaption, HOW_BLOCK) X(figure, HOW_BLOCK) X(footer, HOW_BLOCK | HOW_SOFT | HOW_SURE)       \
    X(form, HOW_BLOCK | HOW_SOFT) X(frameset, HOW_NEVER)                                           \
    X(h1, HOW_BLOCK | HOW_HEADING | HOW_RICH) X(h2, HOW_BLOCK | HOW_HEADING | HOW_RICH)            \
    X(h3, HOW_BLOCK | HOW_HEADING | HOW_RICH) X(h4, HOW_BLOCK | HOW_HEADING | HOW_RICH)            \
    X(h5, HOW_BLOCK | HOW_HEADING | HOW_RICH) X(h6, HOW_BLOCK | HOW_HEADING | HOW_RICH)            \
    X(head, HOW_BLOCK) X(header, HOW_BLOCK | HOW_SOFT) X(hgroup, HOW_BLOCK) X(hr, HOW_BLOCK)       \
    X(html, HOW_BLOCK) X(iframe, HOW_NEVER) X(legend, HOW_BLOCK) X(li, HOW_LINE)                   \
    X(main, HOW_BLOCK) X(map, HOW_NEVER) X(menu, HOW_BLOCK | HOW_RICH)                             \
    X(nav, HOW_BLOCK | HOW_SOFT | HOW_SURE)                                                        \
    X(noframes, HOW_NEVER) X(noscript, HOW_BLOCK | HOW_SOFT) X(ol, HOW_BLOCK | HOW_RICH) X(p, HOW_BLOCK)      \
    X(pre, HOW_BLOCK | HOW_RICH) X(q, HOW_INLINE) X(rp, HOW_NEVER) X(rt, HOW_NEVER)                \
    X(script, HOW_NEVER) X(section, HOW_BLOCK) X(select, HOW_NEVER) X(style, HOW_NEVER)            \
    X(summary, HOW_BLOCK) X(sup, HOW_INLINE) X(svg, HOW_NEVER) X(table, HOW_BLOCK | HOW_RICH)      \
    X(tbody, HOW_INLINE) X(td, HOW_BLOCK) X(template, HOW_NEVER) X(textarea, HOW_NEVER)            \
    X(tfoot, HOW_INLINE) X(th, HOW_BLOCK) X(thead, HOW_INLINE) X(title, HOW_NEVER)                 \
    X(tr, HOW_LINE) X(ul, HOW_BLOCK | HOW_RICH) X(video, HOW_NEVER)
enum html_tag {
#define X(name, how) TAG_##name,
    HTML_TAGS(X)
#undef X
    TAG_other,
    TAG_text,
};
extern const uint8_t html_how[];      /* by tag */

enum html_mark {
    MARK_DROPPED = 1,         /* with all below it */
    MARK_SOFT = 2,            /* asked to be dropped; weighed in html.c */
    MARK_HEADER = 4,          /* asked so as a header: stays if it holds an h1 */
    MARK_MAIN = 8,            /* says that it is the main part */
    MARK_LINK = 16,           /* an <a> with href */
    MARK_NAV_LINK = 32,       /* an <a> with rel=next and the like */
    MARK_RICH = 64,           /* holds more than lines of text can (lists,
                               * <pre>, headings, tables) */
    MARK_PARAGRAPH = 128,     /* holds a <p> or <pre> */
    MARK_LINES = 512,         /* a row with a cell of several paragraphs */
    MARK_SURE = 1024,         /* soft, and stays so however much it holds */
    MARK_HEADING = 2048,      /* holds a heading */
    MARK_BY_ID = 4096,        /* soft by its id alone, which generators make from headings, too */
    MARK_H1 = 256,            /* holds an <h1> with text */
    MARK_COMMENT = 8192,      /* what readers wrote below the text */
    MARK_TEXT = 16384,        /* says that it is an article's text */
    MARK_BY_PART = 65536,     /* soft by a part of a name: not believed inside of <pre>, where names are of syntax */
    MARK_HOLDS = 32768,       /* is or holds a part that says it is the text, and has enough prose to be */
};

#define NO_NODE UINT32_MAX
struct html_node {
    uint8_t tag;
    uint16_t blocks;          /* block children, at most 65,535 */
    uint32_t marks;
    uint32_t parent, first, last, next;
    /* Text: its place in html_tree.text. A list, while it is written:
     * items so far, and 1 if it is set without blank lines. */
    uint32_t at, n;
    uint32_t chars;           /* bytes that are not white space, in or below this node */
    uint32_t link_chars;      /* of those, inside links */
    uint32_t links, nav_links;
    /* Bytes that are not white space and stand in this block itself, not in one below it (an inline
     * element: below it); of those, inside links; of the blocks below with more than a few words
     * outside links, the sum of those words. */
    uint32_t own, own_link, prose;
};
#define PROSE_LEAST 60        /* bytes of a block that is prose */
#define TEXT_LEAST 250        /* bytes of prose that are a text */

/* What was looked up in this page before: most names come again and again. */
#define HTML_SEEN 256
struct html_seen {
    const void *name[HTML_SEEN];              /* an element's, as libxml2 keeps it: one address a name */
    uint8_t tag[HTML_SEEN];
    uint64_t value[HTML_SEEN];                /* the hash of a class's or id's value; 0: none */
    uint32_t marks[HTML_SEEN];
};

struct html_tree {
    struct html_node *nodes;
    size_t count, cap;
    struct buf text;          /* of all text nodes */
    struct buf *title;        /* may be NULL */
    uint32_t open;            /* the node that is open while building; NO_NODE: none */
    int depth, never, pre;    /* open elements, those of them inside one that is never text, open <pre> */
    bool in_title, too_deep;
    struct html_seen *seen;
    void *parser;
};

/* Appends the page as clean UTF-8 (no NUL, only attributes that are read, at most HTML_ATTRIBUTES an element). transport: the charset
 * that came with it, or NULL. Returns the encoding that it was taken for, as charset.h names it. */
const char *html_decode(struct span page, const char *transport, struct buf *out);
MUST_USE enum status html_tree_build(struct html_tree *t, struct span utf8);
/* Sums chars, links and marks over what is not dropped; after a build, and again after dropping. */
void html_tree_weigh(struct html_tree *t);
void html_tree_release(struct html_tree *t);
/* html.c: the marks that an element's attributes ask for
 * (libxml2's name, value, ..., NULL; may be NULL). */
unsigned html_marks_of(struct html_seen *seen, enum html_tag tag, const unsigned char *const *attributes);
/* html_weed.c: drops what is no text, by marks and by links. */
void html_weed(struct html_tree *t);
/* html_main.c: drops what is not the main part, and what stands around it and inside; after weeding. */
void html_find_main(struct html_tree *t);
/* The first node behind the subtree of i. Nodes lie in document order. */
uint32_t html_subtree_end(const struct html_tree *t, uint32_t i);
/* Appends the text of the subtree, without what is dropped. */
void html_write_text(const struct html_tree *t, uint32_t root, struct buf *out);

#endif
