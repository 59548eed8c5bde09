#include <libxml/HTMLparser.h>
#include <strings.h>

#include "curate/source/xml_part.h"

#define ENTITIES_MAX 256
#define HTML_NAME_MAX 8      /* of HTML's 253: "thetasym" */

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
size_t xml_resolve(const struct xml_scan *x, struct span name, char out[XML_ENTITY_MAX + 1])
{
    char word[XML_REFERENCE_MAX + 1];
    const htmlEntityDesc *html;

    if (name.n == 0 || name.n > XML_REFERENCE_MAX)
        return 0;
    if (*name.p == '#')
        return character(name, out);
    memcpy(word, name.p, name.n);
    word[name.n] = 0;
    for (size_t i = 0; i < x->entity_count; i++)
        if (x->entities[i].n == name.n && memcmp(x->entities[i].name, word, name.n) == 0) {
            memcpy(out, x->entities[i].value, XML_ENTITY_MAX + 1);
            return strlen(out);
        }
    if (strcmp(word, "apos") == 0)
        return out[0] = '\'', 1;
    if (name.n > HTML_NAME_MAX)
        return 0;
    html = htmlEntityLookup((const xmlChar *)word);
    return html != NULL ? utf8_encode(html->value, out) : 0;
}

bool xml_is_reference_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '#' || c == '_' ||
           c == '-' || c == '.' || c == ':' || (unsigned char)c >= 0x80;
}

/* Appends a value with its references replaced. */
void xml_add_value(struct xml_scan *x, struct span raw, struct buf *out)
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
        while (m + 1 < raw.n && m <= XML_REFERENCE_MAX && xml_is_reference_char(raw.p[m + 1]))
            m++;
        if (m + 1 < raw.n && raw.p[m + 1] == ';')
            k = xml_resolve(x, (struct span){ raw.p + 1, m }, text);
        buf_add(out, k > 0 ? text : "&", k > 0 ? k : 1);
        raw.p += k > 0 ? m + 2 : 1;
        raw.n -= k > 0 ? m + 2 : 1;
    }
}

/* ---- declarations ---- */

static struct span word_at(const char **p, const char *end)
{
    struct span s;

    while (*p < end && (xml_is_reference_char(**p) == false && **p != '%'))
        ++*p;
    s.p = *p;
    while (*p < end && xml_is_reference_char(**p))
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

    while (p < end && xml_is_white(*p))
        p++;
    if (p == end || !xml_is_reference_char(*p))      /* a parameter entity */
        return;
    name = word_at(&p, end);
    while (p < end && xml_is_white(*p))
        p++;
    if (name.n > XML_REFERENCE_MAX || p == end || (*p != '"' && *p != '\''))
        return;
    close = memchr(p + 1, *p, (size_t)(end - p - 1));
    if (close == NULL || (size_t)(close - p - 1) > 4 * XML_ENTITY_MAX)
        return;
    xml_add_value(x, (struct span){ p + 1, (size_t)(close - p - 1) }, &value);
    if (value.n > 0 && value.n <= XML_ENTITY_MAX && memchr(value.p, '<', value.n) == NULL &&
        memchr(value.p, 0, value.n) == NULL) {
        x->entities = mem_grow(x->entities, x->entity_count + 1, sizeof *x->entities);
        e = &x->entities[x->entity_count++];
        e->name = mem_alloc(name.n + 1);
        memcpy(e->name, name.p, name.n);
        e->n = name.n;
        memcpy(e->value, value.p, value.n + 1);
    }
    buf_release(&value);
}

void xml_end_doctype(struct xml_scan *x)
{
    const char *p = x->tag.p, *end = p + x->tag.n;

    while (p != NULL && x->entity_count < ENTITIES_MAX && (p = memmem(p, (size_t)(end - p), "<!ENTITY", 8)) != NULL) {
        const char *stop;

        p += 8;
        stop = memmem(p, (size_t)(end - p), "<!", 2);
        declare(x, p, stop ? stop : end);
    }
}

void xml_end_declaration(struct xml_scan *x)
{
    struct span s = { x->tag.p ? x->tag.p : "", x->tag.n };
    const char *p, *end = s.p + s.n;
    char name[64] = "";

    if (s.n < 4 || memcmp(s.p, "xml", 3) != 0 || !xml_is_white(s.p[3]) || x->mark || x->rooted)
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
        xml_fault(x, "an encoding that is not known:", span_of(name));
}
