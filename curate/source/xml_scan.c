#include "curate/source/xml_scan.h"

#include <stdio.h>

#include "curate/source/xml_part.h"

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

void xml_fault(struct xml_scan *x, const char *what, struct span seen)
{
    if (*x->fault == 0)
        snprintf(x->fault, sizeof x->fault, "%s '%.*s'", what, (int)(seen.n < 60 ? seen.n : 60), seen.p ? seen.p : "");
}

static struct span span_of_buf(const struct buf *b) { return (struct span){ b->p ? b->p : "", b->n }; }

/* ---- text ---- */

static void emit(struct xml_scan *x, struct span utf8)
{
    if (utf8.n == 0)
        return;
    if (x->depth > 0)
        x->handler->text(x->ctx, utf8);
    else if (!content_blank(utf8.p, utf8.n))
        xml_fault(x, "text outside of the root:", utf8);
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

/* ---- tags ---- */

static void end_close(struct xml_scan *x)
{
    struct span name = span_of_buf(&x->tag), open;

    while (name.n > 0 && xml_is_white(name.p[name.n - 1]))
        name.n--;
    if (x->depth == 0) {
        xml_fault(x, "nothing is open at the closing tag", name);
        return;
    }
    open.p = x->names.p + x->starts[x->depth - 1];
    open.n = x->names.n - x->starts[x->depth - 1];
    if (open.n != name.n || memcmp(open.p, name.p, name.n) != 0) {
        xml_fault(x, "another element is open at the closing tag", name);
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
    xml_add_value(x, raw, &x->values);
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

        while (p < end && xml_is_white(*p))
            p++;
        if (p == end)
            break;
        for (name.p = p; p < end && *p != '=' && !xml_is_white(*p);)
            p++;
        name.n = (size_t)(p - name.p);
        while (p < end && xml_is_white(*p))
            p++;
        if (name.n == 0 || p == end || *p++ != '=')
            return false;
        while (p < end && xml_is_white(*p))
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
    while (tag.name.n < all.n && !xml_is_white(all.p[tag.name.n]))
        tag.name.n++;
    if (!read_attributes(x, all.p + tag.name.n, all.p + all.n, &tag.count)) {
        xml_fault(x, "attributes that are none in the tag", all);
        return;
    }
    if ((x->depth == 0 && x->rooted) || x->depth == XML_DEPTH) {
        xml_fault(x, x->depth == 0 ? "a second root" : "elements too deep in each other at", tag.name);
        return;
    }
    if (tag.name.n > XML_NAME_MAX) {
        xml_fault(x, "a name of more than 1024 bytes:", tag.name);
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

    while (p < end && xml_is_reference_char(*p) && x->tag.n < XML_REFERENCE_MAX)
        buf_addc(&x->tag, *p++);
    if (p == end)
        return p;
    n = *p == ';' ? xml_resolve(x, span_of_buf(&x->tag), text) : 0;
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
    xml_fault(x, "a '<' that begins no tag, before", (struct span){ p, 1 });
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
    xml_fault(x, "no comment, CDATA or DOCTYPE: <!", span_of_buf(&x->tag));
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
                xml_end_declaration(x);
            x->state = X_TEXT;
            return p + 1;
        }
        x->run = *p == mark ? x->run + (x->run < 2) : 0;
        if (x->state == X_PI && x->tag.n < XML_DECLARATION_MAX)
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
            xml_fault(x, "a '<' inside of the tag", span_of_buf(&x->tag));
            return q;
        }
        q++;
    }
    if ((size_t)(q - p) > XML_TAG_MAX - x->tag.n) {
        xml_fault(x, "a tag of more than 1 MiB:", span_of_buf(&x->tag));
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

        if (x->tag.n < XML_SUBSET_MAX)
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
            xml_end_doctype(x);
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
        xml_fault(x, "the end inside of", span_of_buf(&x->tag));
    else if (x->depth > 0)
        xml_fault(x, "the end while an element is open:", (struct span){ x->names.p + x->starts[x->depth - 1],
                                                                   x->names.n - x->starts[x->depth - 1] });
    else if (!x->rooted)
        xml_fault(x, "no element", span_of(""));
}
