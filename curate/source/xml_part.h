/*
 * The inside of xml_scan.h: the scanner's state, shared by the states of its machine (xml_scan.c) and what it makes of
 * references and declarations (xml_entity.c).
 */
#ifndef TUNDISH_CURATE_XML_PART_H
#define TUNDISH_CURATE_XML_PART_H

#include "curate/source/source_part.h"
#include "curate/source/xml_scan.h"

#define XML_REFERENCE_MAX 64      /* bytes between '&' and ';' */
#define XML_SUBSET_MAX (64u << 10)    /* bytes of a DOCTYPE that are looked at */
#define XML_DECLARATION_MAX 256

enum xml_state { X_TEXT, X_REFERENCE, X_LESS, X_BANG, X_COMMENT, X_CDATA, X_PI, X_OPEN, X_CLOSE, X_DOCTYPE };

struct entity {
    char *name;
    size_t n;
    char value[XML_ENTITY_MAX + 1];
};

struct xml_scan {
    const struct xml_handler *handler;
    void *ctx;
    struct recode *recode;            /* NULL: UTF-8 */
    const char *encoding;             /* of a document that does not say; borrowed */
    enum xml_state state;
    uint64_t taken, line;
    bool mark, rooted, paused;        /* mark: began with a byte order mark */
    char fault[160];                  /* empty: none */
    struct buf tag;                   /* what is being gathered: a tag, a reference, a declaration */
    struct buf utf8, values;
    char quote;                       /* in a tag or DOCTYPE; 0: outside of quotes */
    int run;                          /* '-', ']' or '?' that have just been seen */
    int brackets;                     /* of a DOCTYPE */
    bool in_comment;                  /* of a DOCTYPE */
    struct buf names;                 /* of open elements, one behind the other */
    size_t starts[XML_DEPTH];
    int depth;
    struct xml_attribute *attributes;
    size_t cap;
    struct entity *entities;
    size_t entity_count;
};

static inline bool xml_is_white(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool xml_is_reference_char(char c);
/* The scan goes no further; the first fault counts. */
void xml_fault(struct xml_scan *x, const char *what, struct span seen);
/* What a reference (without & and ;) stands for into out; returns its length, 0: nobody knows. */
size_t xml_resolve(const struct xml_scan *x, struct span name, char out[XML_ENTITY_MAX + 1]);
/* Appends an attribute's or entity's value in UTF-8, its references replaced. */
void xml_add_value(struct xml_scan *x, struct span raw, struct buf *out);
/* x->tag holds all of a DOCTYPE, or the beginning of what stood between <? and ?>. */
void xml_end_doctype(struct xml_scan *x);
void xml_end_declaration(struct xml_scan *x);

#endif
