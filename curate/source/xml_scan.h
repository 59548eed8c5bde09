/*
 * A scanner of XML: bytes in pieces of any size, out come tags and text. For text out of documents of others.
 *
 * Each byte is looked at once, and memory is the open tag in hand (XML_TAG_MAX) and the names of the open elements
 * (XML_DEPTH of XML_NAME_MAX bytes): nothing that the input says makes it more. Nothing outside of the input is read: external entities and
 * DTDs are passed over. Entities that the document declares are replaced if they are short texts
 * (XML_ENTITY_MAX bytes); what stands in them is text, never looked at again, so that nothing multiplies.
 * A reference that nobody declared but HTML is HTML's, any other stays as it is written, as does a lone '&'.
 *
 * What is not well-formed (a tag that closes another, an end too early, a '<' that begins nothing) is a fault:
 * it is told with its line and the scan goes no further. Duplicate attributes and characters that XML forbids pass.
 *
 * Text comes out in UTF-8 by the declared encoding (source_recode.c); the bytes of a document that calls itself UTF-8
 * come out as they are, well-formed or not. Names keep their prefix; xml_local() is what stands behind it.
 */
#ifndef TUNDISH_CURATE_XML_SCAN_H
#define TUNDISH_CURATE_XML_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define XML_TAG_MAX (1u << 20)
#define XML_NAME_MAX 1024         /* bytes of an element's name */
#define XML_DEPTH 256
#define XML_ENTITY_MAX 64

struct xml_attribute {
    struct span name, value;
};
struct xml_tag {
    struct span name;
    const struct xml_attribute *attributes;
    size_t count;
    int depth;                /* of the element: 1 is the root */
};
/* Spans are valid during the call. */
struct xml_handler {
    void (*open)(void *ctx, const struct xml_tag *tag);
    void (*close)(void *ctx, struct span name, int depth);
    void (*text)(void *ctx, struct span text);
};

struct xml_scan;
/* encoding: of a document that does not name its own; NULL: UTF-8. A document that begins with UTF-8's byte order
 * mark is UTF-8, whatever it says. */
struct xml_scan *xml_scan_new(const struct xml_handler *handler, void *ctx, const char *encoding);
/* Takes bytes up to a pause, a fault or their end; returns how many. */
size_t xml_scan_take(struct xml_scan *x, struct span bytes);
/* For a handler: the scan is to stop behind this tag. */
void xml_scan_pause(struct xml_scan *x);
/* There is no more input; an element that is open is a fault. */
void xml_scan_end(struct xml_scan *x);
/* What is wrong; NULL: nothing. */
const char *xml_scan_fault(const struct xml_scan *x);
uint64_t xml_scan_line(const struct xml_scan *x);      /* from 1 */
void xml_scan_free(struct xml_scan *x);

struct span xml_local(struct span name);

/*
 * Text of elements, block-wise: white space becomes one blank; blocks (HTML's, and what documents call paragraphs) end
 * lines. Of an element nobody knows: it ends a line where another tag touches it with nothing but white space
 * between, and is part of the line where text stands on one of its sides.
 */
struct xml_text {
    struct buf out;
    uint64_t limit;
    bool too_long;            /* more than limit bytes: out is cut */
    int pending, tags;
    bool space;
};
void xml_text_begin(struct xml_text *t, uint64_t limit);
void xml_text_tag(struct xml_text *t, struct span name);
void xml_text_add(struct xml_text *t, struct span text);
/* Appends bytes as they are, line breaks too, behind what is due (DOCX knows what its white space means). */
void xml_text_raw(struct xml_text *t, struct span text);
/* A break is due before the next text: nothing, a blank, a tab, a line's end, a paragraph's. The largest counts. */
enum xml_break { XML_BREAK_NONE, XML_BREAK_SPACE, XML_BREAK_TAB, XML_BREAK_LINE, XML_BREAK_PARAGRAPH };
void xml_text_break(struct xml_text *t, enum xml_break what);

#endif
