#include "curate/source/xml_scan.h"

#include <libxml/HTMLparser.h>
#include <stdio.h>
#include <strings.h>

#include "curate/source/source_part.h"

#define REFERENCE_MAX 64      /* bytes between '&' and ';' */
#define SUBSET_MAX (64u << 10)
#define DECLARATION_MAX 256
#define ENTITIES_MAX 256

enum xml_state { X_TEXT, X_REFERENCE, X_LESS, X_BANG, X_COMMENT, X_CDATA, X_PI, X_OPEN, X_CLOSE, X_DOCTYPE };

struct entity {
    char *name;
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

struct xml_scan *xml_scan_new(const struct xml_handler *handler, void *ctx, const char *encoding)
{
    struct xml_scan *x = mem_alloc(sizeof *x);

    x->handler = handler;
    x->ctx = ctx;
    x->encoding = encoding;
    x->line = 1;
    x->recode = encoding != NULL ? recode_open(encoding) : NULL;
    return x;
}

void xml_scan_free(struct xml_scan *x)
{
    if (x == NULL)
        return;
    recode_close(x->recode);
    buf_release(&x->tag);
    buf_release(&x->utf8);
    buf_release(&x->values);
    buf_release(&x->names);
    free(x->attributes);
    for (size_t i = 0; i < x->entity_count; i++)
        free(x->entities[i].name);
    free(x->entities);
    free(x);
}

void xml_scan_pause(struct xml_scan *x) { x->paused = true; }
const char *xml_scan_fault(const struct xml_scan *x) { return *x->fault != 0 ? x->fault : NULL; }
uint64_t xml_scan_line(const struct xml_scan *x) { return x->line; }

static void fault(struct xml_scan *x, const char *what, struct span seen)
{
    if (*x->fault == 0)
        snprintf(x->fault, sizeof x->fault, "%s '%.*s'", what, (int)(seen.n < 60 ? seen.n : 60), seen.p ? seen.p : "");
}

static bool is_white(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

static struct span span_of_buf(const struct buf *b) { return (struct span){ b->p ? b->p : "", b->n }; }

/* ---- text ---- */

static void emit(struct xml_scan *x, struct span utf8)
{
    if (utf8.n == 0)
        return;
    if (x->depth > 0)
        x->handler->text(x->ctx, utf8);
    else if (!content_blank(utf8.p, utf8.n) && content_bom(utf8.p, utf8.n) != utf8.n)
        fault(x, "text outside of the root:", utf8);
}

static void emit_raw(struct xml_scan *x, struct span bytes, bool last)
{
    if (x->recode == NULL) {
        emit(x, bytes);
        return;
    }
    buf_clear(&x->utf8);
    recode_add(x->recode, bytes, last, &x->utf8);
    emit(x, span_of_buf(&x->utf8));
}

/* ---- references ---- */

static size_t character(struct span name, char out[XML_ENTITY_MAX + 1])
{
    uint32_t cp = 0, base = name.n > 1 && (name.p[1] == 'x' || name.p[1] == 'X') ? 16 : 10;
    size_t i = base == 16 ? 2 : 1;

    if (i == name.n)
        return 0;
    for (; i < name.n; i++) {
        char c = name.p[i];
        uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : (c | 32) >= 'a' && (c | 32) <= 'f'
                             ? (uint32_t)((c | 32) - 'a' + 10) : 99;

        if (digit >= base)
            return 0;
        cp = cp > 0x110000 ? cp : cp * base + digit;
    }
    if (cp == 0 || cp > 0x10ffff || (cp & ~0x7ffu) == 0xd800)
        cp = 0xfffd;
    return utf8_encode(cp, out);
}

/* What a reference stands for into out; 0: nobody knows. */
static size_t resolve(const struct xml_scan *x, struct span name, char out[XML_ENTITY_MAX + 1])
{
    char word[REFERENCE_MAX + 1];
    const htmlEntityDesc *html;

    if (name.n == 0 || name.n > REFERENCE_MAX)
        return 0;
    if (*name.p == '#')
        return character(name, out);
    memcpy(word, name.p, name.n);
    word[name.n] = 0;
    for (size_t i = 0; i < x->entity_count; i++)
        if (strcmp(x->entities[i].name, word) == 0) {
            memcpy(out, x->entities[i].value, XML_ENTITY_MAX + 1);
            return strlen(out);
        }
    if (strcmp(word, "apos") == 0)
        return out[0] = '\'', 1;
    html = htmlEntityLookup((const xmlChar *)word);
    return html != NULL ? utf8_encode(html->value, out) : 0;
}

static bool is_reference_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '#' || c == '_' ||
           c == '-' || c == '.' || c == ':' || (unsigned char)c >= 0x80;
}

/* Appends a value with its references replaced. */
static void add_value(struct xml_scan *x, struct span raw, struct buf *out)
{
    char text[XML_ENTITY_MAX + 1];

    while (raw.n > 0) {
        const char *amp = memchr(raw.p, '&', raw.n);
        size_t n = amp ? (size_t)(amp - raw.p) : raw.n, m = 0, k = 0;

        if (x->recode != NULL && n > 0)
            recode_add(x->recode, (struct span){ raw.p, n }, true, out);
        else
            buf_add(out, raw.p, n);
        raw.p += n;
        raw.n -= n;
        if (amp == NULL)
            break;
        while (m + 1 < raw.n && m <= REFERENCE_MAX && is_reference_char(raw.p[m + 1]))
            m++;
        if (m + 1 < raw.n && raw.p[m + 1] == ';')
            k = resolve(x, (struct span){ raw.p + 1, m }, text);
        buf_add(out, k > 0 ? text : "&", k > 0 ? k : 1);
        raw.p += k > 0 ? m + 2 : 1;
        raw.n -= k > 0 ? m + 2 : 1;
    }
}

/* ---- declarations ---- */

static struct span word_at(const char **p, const char *end)
{
    struct span s;

    while (*p < end && (is_reference_char(**p) == false && **p != '%'))
        ++*p;
    s.p = *p;
    while (*p < end && is_reference_char(**p))
        ++*p;
    s.n = (size_t)(*p - s.p);
    return s;
}

/* One <!ENTITY name "value"> whose p stands behind the word ENTITY. */
static void declare(struct xml_scan *x, const char *p, const char *end)
{
    struct buf value = { 0 };
    struct entity *e;
    struct span name;
    const char *close;

    while (p < end && is_white(*p))
        p++;
    if (p == end || !is_reference_char(*p))      /* a parameter entity */
        return;
    name = word_at(&p, end);
    while (p < end && is_white(*p))
        p++;
    if (name.n > REFERENCE_MAX || p == end || (*p != '"' && *p != '\''))
        return;
    close = memchr(p + 1, *p, (size_t)(end - p - 1));
    if (close == NULL || (size_t)(close - p - 1) > 4 * XML_ENTITY_MAX)
        return;
    add_value(x, (struct span){ p + 1, (size_t)(close - p - 1) }, &value);
    if (value.n > 0 && value.n <= XML_ENTITY_MAX && memchr(value.p, '<', value.n) == NULL &&
        memchr(value.p, 0, value.n) == NULL) {
        x->entities = mem_grow(x->entities, x->entity_count + 1, sizeof *x->entities);
        e = &x->entities[x->entity_count++];
        e->name = mem_alloc(name.n + 1);
        memcpy(e->name, name.p, name.n);
        memcpy(e->value, value.p, value.n + 1);
    }
    buf_release(&value);
}

static void end_doctype(struct xml_scan *x)
{
    const char *p = x->tag.p, *end = p + x->tag.n;

    while (p != NULL && x->entity_count < ENTITIES_MAX && (p = memmem(p, (size_t)(end - p), "<!ENTITY", 8)) != NULL) {
        const char *stop;

        p += 8;
        stop = memmem(p, (size_t)(end - p), "<!", 2);
        declare(x, p, stop ? stop : end);
    }
}

static void end_declaration(struct xml_scan *x)
{
    struct span s = span_of_buf(&x->tag);
    const char *p, *end = s.p + s.n;
    char name[64] = "";

    if (s.n < 4 || memcmp(s.p, "xml", 3) != 0 || !is_white(s.p[3]) || x->mark || x->rooted)
        return;
    p = memmem(s.p, s.n, "encoding", 8);
    if (p == NULL)
        return;
    for (p += 8; p < end && *p != '"' && *p != '\'';)
        p++;
    if (p == end)
        return;
    for (size_t n = 0; ++p < end && *p != '"' && *p != '\'' && n < sizeof name - 1;)
        name[n++] = *p;
    recode_close(x->recode);
    x->recode = NULL;
    if (strcasecmp(name, "utf-8") == 0 || strcasecmp(name, "utf8") == 0 || strcasecmp(name, "us-ascii") == 0)
        return;
    x->recode = recode_open(strcasecmp(name, "iso-8859-1") == 0 ? "windows-1252" : name);
    if (x->recode == NULL)
        fault(x, "an encoding that is not known:", span_of(name));
}

/* ---- tags ---- */

static void end_close(struct xml_scan *x)
{
    struct span name = span_of_buf(&x->tag), open;

    while (name.n > 0 && is_white(name.p[name.n - 1]))
        name.n--;
    if (x->depth == 0) {
        fault(x, "nothing is open at the closing tag", name);
        return;
    }
    open.p = x->names.p + x->starts[x->depth - 1];
    open.n = x->names.n - x->starts[x->depth - 1];
    if (open.n != name.n || memcmp(open.p, name.p, name.n) != 0) {
        fault(x, "another element is open at the closing tag", name);
        return;
    }
    x->handler->close(x->ctx, open, x->depth);
    x->depth--;
    x->names.n = x->starts[x->depth];
}

static void add_attribute(struct xml_scan *x, size_t *count, struct span name, struct span raw)
{
    size_t start = x->values.n;

    if (*count == x->cap) {
        x->cap = x->cap ? 2 * x->cap : 16;
        x->attributes = mem_grow(x->attributes, x->cap, sizeof *x->attributes);
    }
    add_value(x, raw, &x->values);
    x->attributes[*count].name = name;
    x->attributes[(*count)++].value = (struct span){ NULL, x->values.n - start };
}

/* The attributes between p and end; false: not well-formed. */
static bool read_attributes(struct xml_scan *x, const char *p, const char *end, size_t *count)
{
    buf_clear(&x->values);
    for (;;) {
        struct span name;
        const char *close;

        while (p < end && is_white(*p))
            p++;
        if (p == end)
            break;
        for (name.p = p; p < end && *p != '=' && !is_white(*p);)
            p++;
        name.n = (size_t)(p - name.p);
        while (p < end && is_white(*p))
            p++;
        if (name.n == 0 || p == end || *p++ != '=')
            return false;
        while (p < end && is_white(*p))
            p++;
        if (p == end || (*p != '"' && *p != '\''))
            return false;
        close = memchr(p + 1, *p, (size_t)(end - p - 1));
        if (close == NULL)
            return false;
        add_attribute(x, count, name, (struct span){ p + 1, (size_t)(close - p - 1) });
        p = close + 1;
    }
    for (size_t i = 0, at = 0; i < *count; i++) {      /* the values lie still now */
        x->attributes[i].value.p = x->values.p ? x->values.p + at : "";
        at += x->attributes[i].value.n;
    }
    return true;
}

static void end_open(struct xml_scan *x)
{
    struct span all = span_of_buf(&x->tag);
    bool empty = all.n > 0 && all.p[all.n - 1] == '/';
    struct xml_tag tag = { .name = { all.p, 0 } };

    all.n -= empty;
    while (tag.name.n < all.n && !is_white(all.p[tag.name.n]))
        tag.name.n++;
    if (!read_attributes(x, all.p + tag.name.n, all.p + all.n, &tag.count)) {
        fault(x, "attributes that are none in the tag", all);
        return;
    }
    if ((x->depth == 0 && x->rooted) || x->depth == XML_DEPTH) {
        fault(x, x->depth == 0 ? "a second root" : "elements too deep in each other at", tag.name);
        return;
    }
    x->rooted = true;
    x->starts[x->depth++] = x->names.n;
    buf_add(&x->names, tag.name.p, tag.name.n);
    tag.attributes = x->attributes;
    tag.depth = x->depth;
    x->handler->open(x->ctx, &tag);
    if (empty) {
        x->tag.n = tag.name.n;
        end_close(x);
    }
}

/* ---- the states: each takes bytes from p and returns where it stopped ---- */

static const char *in_text(struct xml_scan *x, const char *p, const char *end)
{
    const char *q = p;

    while (q < end && *q != '<' && *q != '&')
        q++;
    emit_raw(x, (struct span){ p, (size_t)(q - p) }, q < end);
    if (q == end)
        return q;
    x->state = *q == '<' ? X_LESS : X_REFERENCE;
    buf_clear(&x->tag);
    return q + 1;
}

static const char *in_reference(struct xml_scan *x, const char *p, const char *end)
{
    char text[XML_ENTITY_MAX + 1];
    size_t n;

    while (p < end && is_reference_char(*p) && x->tag.n < REFERENCE_MAX)
        buf_addc(&x->tag, *p++);
    if (p == end)
        return p;
    n = *p == ';' ? resolve(x, span_of_buf(&x->tag), text) : 0;
    x->state = X_TEXT;
    if (n > 0) {
        emit(x, (struct span){ text, n });
        return p + 1;
    }
    emit(x, span_of("&"));
    emit_raw(x, span_of_buf(&x->tag), true);
    return p;
}

static const char *in_less(struct xml_scan *x, const char *p)
{
    unsigned char c = (unsigned char)*p;

    x->quote = 0;
    x->run = 0;
    if (c == '!')
        return x->state = X_BANG, p + 1;
    if (c == '?')
        return x->state = X_PI, p + 1;
    if (c == '/')
        return x->state = X_CLOSE, p + 1;
    if (c == '_' || c == ':' || c >= 0x80 || ((c | 32) >= 'a' && (c | 32) <= 'z'))
        return x->state = X_OPEN, p;
    fault(x, "a '<' that begins no tag, before", (struct span){ p, 1 });
    return p;
}

static const char *in_bang(struct xml_scan *x, const char *p)
{
    static const struct {
        const char *word;
        enum xml_state state;
    } starts[] = { { "--", X_COMMENT }, { "[CDATA[", X_CDATA }, { "DOCTYPE", X_DOCTYPE } };

    buf_addc(&x->tag, *p);
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t n = strlen(starts[i].word);

        if (x->tag.n <= n && memcmp(x->tag.p, starts[i].word, x->tag.n) == 0) {
            if (x->tag.n == n) {
                x->state = starts[i].state;
                x->brackets = 0;
                x->in_comment = false;
                buf_clear(&x->tag);
            }
            return p + 1;
        }
    }
    fault(x, "no comment, CDATA or DOCTYPE: <!", span_of_buf(&x->tag));
    return p;
}

/* Up to "-->" or "?>"; the beginning of a declaration is gathered. */
static const char *in_marked(struct xml_scan *x, const char *p, const char *end)
{
    char mark = x->state == X_PI ? '?' : '-';
    int want = x->state == X_PI ? 1 : 2;

    for (; p < end; p++) {
        if (*p == '>' && x->run >= want) {
            if (x->state == X_PI)
                end_declaration(x);
            x->state = X_TEXT;
            return p + 1;
        }
        x->run = *p == mark ? x->run + (x->run < 2) : 0;
        if (x->state == X_PI && x->tag.n < DECLARATION_MAX)
            buf_addc(&x->tag, *p);
    }
    return p;
}

/* Text up to "]]>": brackets wait until it is known what they are. */
static const char *in_cdata(struct xml_scan *x, const char *p, const char *end)
{
    while (p < end) {
        const char *q = p;

        while (q < end && *q != ']' && (x->run == 0 || q > p))
            q++;
        if (q > p) {
            emit_raw(x, (struct span){ p, (size_t)(q - p) }, false);
            p = q;
            continue;
        }
        if (*p == ']' && x->run < 2) {
            x->run++;
            p++;
        } else if (*p == '>' && x->run == 2) {
            emit_raw(x, (struct span){ "", 0 }, true);
            x->state = X_TEXT;
            return p + 1;
        } else if (*p == ']') {
            emit_raw(x, span_of("]"), false);
            p++;
        } else {
            emit_raw(x, (struct span){ "]]", (size_t)x->run }, false);
            x->run = 0;
        }
    }
    return p;
}

static const char *in_tag(struct xml_scan *x, const char *p, const char *end)
{
    const char *q = p;

    while (q < end && (x->quote != 0 || *q != '>')) {
        if (x->quote == 0 && (*q == '"' || *q == '\''))
            x->quote = *q;
        else if (*q == x->quote)
            x->quote = 0;
        else if (*q == '<') {
            fault(x, "a '<' inside of the tag", span_of_buf(&x->tag));
            return q;
        }
        q++;
    }
    if ((size_t)(q - p) > XML_TAG_MAX - x->tag.n) {
        fault(x, "a tag of more than 1 MiB:", span_of_buf(&x->tag));
        return p;
    }
    buf_add(&x->tag, p, (size_t)(q - p));
    if (q == end)
        return q;
    if (x->state == X_OPEN)
        end_open(x);
    else
        end_close(x);
    x->state = X_TEXT;
    return q + 1;
}

static const char *in_doctype(struct xml_scan *x, const char *p, const char *end)
{
    for (; p < end; p++) {
        char c = *p;

        if (x->tag.n < SUBSET_MAX)
            buf_addc(&x->tag, c);
        if (x->in_comment) {
            x->in_comment = !(c == '>' && x->run >= 2);
            x->run = c == '-' ? x->run + (x->run < 2) : 0;
            continue;
        }
        x->run = x->quote != 0 ? 0 : c == '<' ? 10 : c == '!' && x->run == 10 ? 11 : c == '-' && x->run >= 11 ? x->run + 1 : 0;
        if (x->run == 13) {
            x->in_comment = true;
            x->run = 0;
        } else if (x->quote != 0) {
            x->quote = c == x->quote ? 0 : x->quote;
        } else if (c == '"' || c == '\'') {
            x->quote = c;
        } else if (c == '[' || c == ']') {
            x->brackets += c == '[' ? 1 : -1;
        } else if (c == '>' && x->brackets <= 0) {
            end_doctype(x);
            x->state = X_TEXT;
            return p + 1;
        }
    }
    return p;
}

static const char *step(struct xml_scan *x, const char *p, const char *end)
{
    switch (x->state) {
    case X_TEXT:
        return in_text(x, p, end);
    case X_REFERENCE:
        return in_reference(x, p, end);
    case X_LESS:
        return in_less(x, p);
    case X_BANG:
        return in_bang(x, p);
    case X_COMMENT:
    case X_PI:
        return in_marked(x, p, end);
    case X_CDATA:
        return in_cdata(x, p, end);
    case X_OPEN:
    case X_CLOSE:
        return in_tag(x, p, end);
    case X_DOCTYPE:
        return in_doctype(x, p, end);
    }
    BUG_IF(true);
    return end;
}

size_t xml_scan_take(struct xml_scan *x, struct span bytes)
{
    const char *p = bytes.p, *end = p + bytes.n;

    if (x->taken == 0 && content_bom(p, bytes.n) > 0) {
        x->mark = true;
        p += 3;
        recode_close(x->recode);
        x->recode = NULL;
    }
    x->paused = false;
    while (p < end && !x->paused && *x->fault == 0)
        p = step(x, p, end);
    x->taken += (size_t)(p - bytes.p);
    for (const char *q = bytes.p; (q = memchr(q, '\n', (size_t)(p - q))) != NULL; q++)
        x->line++;
    return (size_t)(p - bytes.p);
}

void xml_scan_end(struct xml_scan *x)
{
    if (x->state != X_TEXT)
        fault(x, "the end inside of", span_of_buf(&x->tag));
    else if (x->depth > 0)
        fault(x, "the end while an element is open:", (struct span){ x->names.p + x->starts[x->depth - 1],
                                                                   x->names.n - x->starts[x->depth - 1] });
    else if (!x->rooted)
        fault(x, "no element", span_of(""));
}
