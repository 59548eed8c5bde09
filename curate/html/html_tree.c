#include <libxml/HTMLparser.h>
#include <limits.h>
#include <string.h>

#include "base/arena.h"
#include "curate/html/html_part.h"

const uint8_t html_how[] = {
#define X(name, how) [TAG_##name] = (how),
    HTML_TAGS(X)
#undef X
    [TAG_other] = HOW_INLINE,
    [TAG_text] = HOW_INLINE,
};

/* The list is sorted by name. */
static enum html_tag find_tag(const char *name)
{
    static const char *const names[] = {
#define X(name, how) #name,
        HTML_TAGS(X)
#undef X
    };
    size_t low = 0, high = sizeof names / sizeof names[0];

    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(name, names[mid]);
        if (order == 0)
            return (enum html_tag)mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return TAG_other;
}

static enum html_tag known_tag(struct html_seen *seen, const char *name)
{
    size_t slot = ((uintptr_t)name >> 3 ^ (uintptr_t)name >> 11) % HTML_SEEN;

    if (seen->name[slot] != name) {
        seen->name[slot] = name;
        seen->tag[slot] = (uint8_t)find_tag(name);
    }
    return (enum html_tag)seen->tag[slot];
}

static struct html_node *add_node(struct html_tree *t, enum html_tag tag)
{
    uint32_t i = (uint32_t)t->count;
    struct html_node *n;

    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 1024;
        t->nodes = mem_grow(t->nodes, t->cap, sizeof *t->nodes);
    }
    n = &t->nodes[t->count++];
    *n = (struct html_node){
        .tag = (uint8_t)tag, .parent = t->open, .first = NO_NODE, .last = NO_NODE, .next = NO_NODE
    };
    if (t->open != NO_NODE) {
        struct html_node *parent = &t->nodes[t->open];
        if (parent->last == NO_NODE)
            parent->first = i;
        else
            t->nodes[parent->last].next = i;
        parent->last = i;
    }
    return n;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar **attributes)
{
    struct html_tree *t = ctx;
    enum html_tag tag;
    unsigned marks;

    if (++t->depth > HTML_DEPTH) {
        t->too_deep = true;
        xmlStopParser(t->parser);
        return;
    }
    tag = known_tag(t->seen, (const char *)name);
    if (t->never > 0 || (html_how[tag] & HOW_NEVER)) {
        t->never++;
        t->in_title |= tag == TAG_title && t->never == 1 && t->title != NULL && t->title->n == 0;
        return;
    }
    marks = html_marks_of(t->seen, tag, (const unsigned char *const *)attributes);
    if (t->pre > 0 && (marks & MARK_BY_PART))
        marks &= ~(unsigned)(MARK_SOFT | MARK_SURE | MARK_BY_PART);
    add_node(t, tag)->marks = marks;
    t->open = (uint32_t)t->count - 1;
    t->pre += tag == TAG_pre;
}

static void on_end(void *ctx, const xmlChar *name)
{
    struct html_tree *t = ctx;

    (void)name;
    if (t->depth == 0 || t->too_deep)
        return;
    t->depth--;
    if (t->never > 0) {
        t->never--;
        t->in_title = false;
    } else if (t->open != NO_NODE) {
        t->pre -= t->nodes[t->open].tag == TAG_pre;
        t->open = t->nodes[t->open].parent;
    }
}

static void on_text(void *ctx, const xmlChar *p, int n)
{
    struct html_tree *t = ctx;
    struct html_node *node;

    if (t->in_title)
        buf_add(t->title, p, (size_t)n);
    if (t->never > 0 || t->open == NO_NODE || t->too_deep)
        return;
    node = t->count > 0 ? &t->nodes[t->count - 1] : NULL;
    if (node == NULL || node->tag != TAG_text || node->parent != t->open) {
        node = add_node(t, TAG_text);
        node->at = (uint32_t)t->text.n;
    }
    buf_add(&t->text, p, (size_t)n);
    node->n += (uint32_t)n;
    for (int i = 0; i < n; i++)
        node->chars += p[i] > ' ';
}

/* --- weights --- */

static void add_to_parent(struct html_tree *t, const struct html_node *n)
{
    struct html_node *p = &t->nodes[n->parent];

    p->chars += n->chars;
    p->link_chars += n->link_chars;
    p->links += n->links;
    p->nav_links += n->nav_links;
    p->prose += n->prose;
    if (!(html_how[n->tag] & (HOW_BLOCK | HOW_LINE))) {
        p->own += n->own;
        p->own_link += n->own_link;
    }
    p->marks |= n->marks & (MARK_RICH | MARK_PARAGRAPH | MARK_H1 | MARK_HEADING | MARK_HOLDS);
    if (html_how[n->tag] & HOW_RICH)
        p->marks |= MARK_RICH;
    if ((html_how[n->tag] & HOW_HEADING) && n->chars > 0)
        p->marks |= MARK_HEADING;
    if (n->tag == TAG_p || n->tag == TAG_pre)
        p->marks |= MARK_PARAGRAPH;
    if (n->tag == TAG_h1 && n->chars > 0)
        p->marks |= MARK_H1;
    if ((n->tag == TAG_td || n->tag == TAG_th) && n->blocks > 1)
        p->marks |= MARK_LINES;
    if ((html_how[n->tag] & HOW_BLOCK) && n->chars > 0 && p->blocks < UINT16_MAX)
        p->blocks++;
}

void html_tree_weigh(struct html_tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        struct html_node *n = &t->nodes[i];
        if (n->tag == TAG_text)
            continue;
        n->chars = 0;
        n->link_chars = n->links = n->nav_links = n->blocks = 0;
        n->own = n->own_link = n->prose = 0;
        n->marks &= ~(uint32_t)(MARK_RICH | MARK_PARAGRAPH | MARK_H1 | MARK_LINES | MARK_HEADING |
                                MARK_HOLDS);
    }
    for (size_t i = t->count; i-- > 0;) {
        struct html_node *n = &t->nodes[i];
        if (n->marks & MARK_DROPPED)
            continue;
        if (n->marks & MARK_LINK) {
            n->link_chars = n->chars;
            n->links = n->chars > 0;
            n->nav_links = n->chars > 0 && (n->marks & MARK_NAV_LINK);
            n->own_link = n->own;
        }
        if (n->tag == TAG_text)
            n->own = n->chars;
        else if ((html_how[n->tag] & (HOW_BLOCK | HOW_LINE)) && !(html_how[n->tag] & HOW_HEADING) &&
                 n->own >= PROSE_LEAST && n->own_link * 2 < n->own)
            n->prose += n->own - n->own_link;
        if ((n->marks & (MARK_MAIN | MARK_TEXT)) && n->prose >= TEXT_LEAST)
            n->marks |= MARK_HOLDS;
        if (n->parent != NO_NODE)
            add_to_parent(t, n);
    }
}

/* --- building --- */

enum status html_tree_build(struct html_tree *t, struct span utf8)
{
    xmlSAXHandler events = {
        .startElement = on_start, .endElement = on_end, .characters = on_text,
        .ignorableWhitespace = on_text
    };
    xmlSAXHandler *own;
    htmlParserCtxt *parser;

    if (utf8.n > INT_MAX)
        return fail(ST_LIMIT, "an HTML page has %zu bytes; at most %d can be parsed", utf8.n,
                    INT_MAX);
    t->open = NO_NODE;
    if (utf8.n == 0)
        return ST_OK;
    parser = htmlCreateMemoryParserCtxt(utf8.p, (int)utf8.n);
    if (parser == NULL)
        return fail(ST_NOMEM, "cannot make an HTML parser");
    t->parser = parser;
    t->seen = mem_array(1, sizeof *t->seen);
    own = parser->sax;
    parser->sax = &events;
    parser->userData = t;
    htmlCtxtUseOptions(parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                   HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);
    parser->charset = XML_CHAR_ENCODING_UTF8;
    htmlParseDocument(parser);
    parser->sax = own;
    htmlFreeParserCtxt(parser);
    t->parser = NULL;
    free(t->seen);
    t->seen = NULL;
    html_tree_weigh(t);
    return ST_OK;
}

void html_tree_release(struct html_tree *t)
{
    free(t->nodes);
    buf_release(&t->text);
}
