#include <strings.h>

#include "curate/source/xml_scan.h"

/* Blocks by local name: HTML's, DocBook's, JATS', TEI's. */
static const struct {
    const char *name;
    enum xml_break what;
} names[] = {
    { "p", XML_BREAK_PARAGRAPH },       { "para", XML_BREAK_PARAGRAPH },     { "div", XML_BREAK_PARAGRAPH },
    { "section", XML_BREAK_PARAGRAPH }, { "sec", XML_BREAK_PARAGRAPH },      { "article", XML_BREAK_PARAGRAPH },
    { "title", XML_BREAK_PARAGRAPH },   { "head", XML_BREAK_PARAGRAPH },     { "abstract", XML_BREAK_PARAGRAPH },
    { "chapter", XML_BREAK_PARAGRAPH }, { "body", XML_BREAK_PARAGRAPH },     { "h1", XML_BREAK_PARAGRAPH },
    { "h2", XML_BREAK_PARAGRAPH },      { "h3", XML_BREAK_PARAGRAPH },       { "h4", XML_BREAK_PARAGRAPH },
    { "h5", XML_BREAK_PARAGRAPH },      { "h6", XML_BREAK_PARAGRAPH },       { "table", XML_BREAK_PARAGRAPH },
    { "blockquote", XML_BREAK_PARAGRAPH }, { "pre", XML_BREAK_PARAGRAPH },   { "ul", XML_BREAK_PARAGRAPH },
    { "ol", XML_BREAK_PARAGRAPH },      { "dl", XML_BREAK_PARAGRAPH },       { "list", XML_BREAK_PARAGRAPH },
    { "simpara", XML_BREAK_PARAGRAPH }, { "preamble", XML_BREAK_PARAGRAPH }, { "hr", XML_BREAK_PARAGRAPH },
    { "li", XML_BREAK_LINE },           { "tr", XML_BREAK_LINE },            { "dt", XML_BREAK_LINE },
    { "dd", XML_BREAK_LINE },           { "br", XML_BREAK_LINE },            { "lb", XML_BREAK_LINE },
    { "listitem", XML_BREAK_LINE },     { "item", XML_BREAK_LINE },          { "row", XML_BREAK_LINE },
    { "td", XML_BREAK_TAB },            { "th", XML_BREAK_TAB },             { "cell", XML_BREAK_TAB },
    { "entry", XML_BREAK_TAB },         { "b", XML_BREAK_NONE },             { "i", XML_BREAK_NONE },
    { "u", XML_BREAK_NONE },            { "em", XML_BREAK_NONE },            { "strong", XML_BREAK_NONE },
    { "sub", XML_BREAK_NONE },          { "sup", XML_BREAK_NONE },           { "a", XML_BREAK_NONE },
    { "span", XML_BREAK_NONE },         { "tt", XML_BREAK_NONE },            { "code", XML_BREAK_NONE },
    { "small", XML_BREAK_NONE },        { "big", XML_BREAK_NONE },           { "font", XML_BREAK_NONE },
    { "q", XML_BREAK_NONE },            { "cite", XML_BREAK_NONE },          { "abbr", XML_BREAK_NONE },
    { "hi", XML_BREAK_NONE },           { "emphasis", XML_BREAK_NONE },      { "italic", XML_BREAK_NONE },
    { "bold", XML_BREAK_NONE },         { "underline", XML_BREAK_NONE },     { "xref", XML_BREAK_NONE },
    { "ref", XML_BREAK_NONE },          { "ext-link", XML_BREAK_NONE },      { "link", XML_BREAK_NONE },
    { "s", XML_BREAK_NONE },            { "strike", XML_BREAK_NONE },        { "thead", XML_BREAK_NONE },
    { "tbody", XML_BREAK_NONE },        { "img", XML_BREAK_NONE },           { NULL, XML_BREAK_NONE },
};

struct span xml_local(struct span name)
{
    const char *colon = name.n > 0 ? memchr(name.p, ':', name.n) : NULL;

    if (colon == NULL)
        return name;
    return (struct span){ colon + 1, name.n - (size_t)(colon + 1 - name.p) };
}

void xml_text_begin(struct xml_text *t, uint64_t limit)
{
    buf_clear(&t->out);
    *t = (struct xml_text){ .out = t->out, .limit = limit };
}

void xml_text_break(struct xml_text *t, enum xml_break what)
{
    if ((int)what > t->pending)
        t->pending = what;
}

void xml_text_tag(struct xml_text *t, struct span name)
{
    struct span local = xml_local(name);

    for (int i = 0; names[i].name != NULL; i++)
        if (strlen(names[i].name) == local.n && strncasecmp(names[i].name, local.p, local.n) == 0) {
            xml_text_break(t, names[i].what);
            return;
        }
    if (++t->tags > 1)
        xml_text_break(t, XML_BREAK_LINE);
}

static void add(struct xml_text *t, const char *p, size_t n)
{
    t->too_long = t->too_long || n > t->limit - t->out.n;
    if (!t->too_long)
        buf_add(&t->out, p, n);
}

static void settle(struct xml_text *t)
{
    static const char *const breaks[] = { "", " ", "\t", "\n", "\n\n" };
    int what = t->pending > 0 ? t->pending : t->space ? XML_BREAK_SPACE : XML_BREAK_NONE;

    if (t->out.n > 0)
        add(t, breaks[what], strlen(breaks[what]));
    t->pending = t->tags = 0;
    t->space = false;
}

static bool is_white(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

void xml_text_add(struct xml_text *t, struct span text)
{
    const char *p = text.p, *end = text.p + text.n;

    while (p < end) {
        const char *start;

        for (; p < end && is_white(*p); p++)
            t->space = true;
        for (start = p; p < end && !is_white(*p);)
            p++;
        if (p > start) {
            settle(t);
            add(t, start, (size_t)(p - start));
        }
    }
}

void xml_text_raw(struct xml_text *t, struct span text)
{
    if (text.n == 0)
        return;
    settle(t);
    add(t, text.p, text.n);
}
