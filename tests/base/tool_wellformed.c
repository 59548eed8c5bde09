/*
 * tool_wellformed FILE: whether a page of ours is well-formed, reachable and alone; else a line says
 * why, and the exit status is 1.
 *
 * Well-formed: UTF-8; elements nest and end (our pages leave none out); attributes are quoted, none
 * stands twice; no id stands twice. Reachable: links lead to an id of the page, or from one run's page to another's; one <h1>, and
 * headings that go down one level at a time; tables begin with a caption; drawings have a name or
 * are hidden. Alone: nothing that would load or run anything.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"

enum { DEEPEST = 64, NAMES = 32768 };

struct page {
    struct buf text;
    const char *p, *end;
    char open[DEEPEST][24];
    size_t depth;
    struct span ids[NAMES], links[NAMES];
    size_t id_count, link_count;
    int heading, h1;
    bool want_caption;
};

_Noreturn static void wrong(const struct page *w, const char *format, ...)
{
    int line = 1;
    va_list args;

    for (const char *q = w->text.p; q < w->p && q < w->end; q++)
        line += *q == '\n';
    printf("line %d: ", line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    exit(1);
}

static bool is_any(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

static void take(struct page *w, struct span *list, size_t *count, struct span value)
{
    if (*count == NAMES)
        wrong(w, "more than %d ids or links", NAMES);
    list[(*count)++] = value;
}

static bool has(const struct span *list, size_t count, struct span value)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].n == value.n && memcmp(list[i].p, value.p, value.n) == 0)
            return true;
    return false;
}

static void read_name(struct page *w, char name[24])
{
    size_t n = 0;

    while (w->p < w->end && (isalnum((unsigned char)*w->p) || *w->p == '-' || *w->p == '_')) {
        if (n == 23)
            wrong(w, "a name of more than 23 letters");
        name[n++] = *w->p++;
    }
    name[n] = 0;
    if (n == 0)
        wrong(w, "want a name");
}

static void skip_space(struct page *w)
{
    while (w->p < w->end && isspace((unsigned char)*w->p))
        w->p++;
}

/* "reports/<id>.html" or "../reports/<id>.html": the page of another run. */
static bool is_report(struct span value)
{
    char path[256];
    const char *p = path;

    if (value.n >= sizeof path)
        return false;
    memcpy(path, value.p, value.n);
    path[value.n] = 0;
    p += strncmp(p, "../", 3) == 0 ? 3 : 0;
    if (strncmp(p, "reports/", 8) != 0 || !str_ends_with(p, ".html"))
        return false;
    p += 8;
    return p[strspn(p, "0123456789TZ-")] == '.' && strlen(p) == strcspn(p, ".") + 5;
}

static void look_at_attribute(struct page *w, const char *name, struct span value)
{
    static const char *const loading[] = { "src", "srcset", "data", "action", "poster",
                                           "background", "ping", NULL };

    if (is_any(name, loading) || strncmp(name, "on", 2) == 0)
        wrong(w, "attribute '%s' loads or runs something", name);
    if (strcmp(name, "href") == 0) {
        if (is_report(value))
            return;
        if (value.n < 2 || value.p[0] != '#')
            wrong(w, "a link out of the page: %.*s", (int)value.n, value.p);
        take(w, w->links, &w->link_count, (struct span){ value.p + 1, value.n - 1 });
    }
    if (strcmp(name, "id") == 0) {
        if (has(w->ids, w->id_count, value))
            wrong(w, "id '%.*s' stands twice", (int)value.n, value.p);
        take(w, w->ids, &w->id_count, value);
    }
}

/* Returns whether a drawing with these attributes has a name or is hidden. */
static bool read_attributes(struct page *w, bool *ends)
{
    char name[24], seen[16][24];
    size_t count = 0;
    bool named = false;

    for (*ends = false;;) {
        skip_space(w);
        if (w->end - w->p >= 2 && memcmp(w->p, "/>", 2) == 0) {
            *ends = true;
            w->p += 2;
            return named;
        }
        if (w->p < w->end && *w->p == '>') {
            w->p++;
            return named;
        }
        read_name(w, name);
        for (size_t i = 0; i < count; i++)
            if (strcmp(seen[i], name) == 0)
                wrong(w, "attribute '%s' stands twice", name);
        if (count == 16)
            wrong(w, "more than 16 attributes");
        strcpy(seen[count++], name);
        if (w->end - w->p < 2 || w->p[0] != '=' || w->p[1] != '"')
            wrong(w, "attribute '%s' has no value in quotes", name);
        const char *from = w->p + 2, *to = memchr(from, '"', (size_t)(w->end - from));
        if (to == NULL || memchr(from, '<', (size_t)(to - from)) != NULL)
            wrong(w, "the value of '%s' does not end", name);
        look_at_attribute(w, name, (struct span){ from, (size_t)(to - from) });
        named = named || strcmp(name, "aria-label") == 0 || strcmp(name, "aria-hidden") == 0;
        w->p = to + 1;
    }
}

static void read_end(struct page *w)
{
    char name[24];

    read_name(w, name);
    if (w->depth == 0 || strcmp(w->open[w->depth - 1], name) != 0)
        wrong(w, "</%s> ends <%s>", name, w->depth ? w->open[w->depth - 1] : "nothing");
    if (w->p == w->end || *w->p++ != '>')
        wrong(w, "</%s has no end", name);
    w->depth--;
}

static void look_at_element(struct page *w, const char *name, bool named)
{
    static const char *const bad[] = { "script", "link", "img", "iframe", "object", "embed", "form",
                                       "base", "audio", "video", "image", "use", NULL };

    if (is_any(name, bad))
        wrong(w, "<%s> has no place in a page that stands alone", name);
    if (w->want_caption && strcmp(name, "caption") != 0)
        wrong(w, "a table without a caption");
    w->want_caption = strcmp(name, "table") == 0;
    if (strcmp(name, "svg") == 0 && !named)
        wrong(w, "a drawing without a name");
    if (name[0] == 'h' && isdigit((unsigned char)name[1]) && name[2] == 0) {
        if (name[1] - '0' > w->heading + 1)
            wrong(w, "<%s> below a heading of level %d", name, w->heading);
        w->heading = name[1] - '0';
        w->h1 += w->heading == 1;
    }
}

static void read_style(struct page *w)
{
    const char *to = strstr(w->p, "</style>");

    if (to == NULL)
        wrong(w, "<style> does not end");
    for (; w->p < to; w->p++)
        if (strncmp(w->p, "url(", 4) == 0 || strncmp(w->p, "@import", 7) == 0
            || strncmp(w->p, "image-set", 9) == 0)
            wrong(w, "the style loads something");
}

static void read_begin(struct page *w)
{
    static const char *const empty[] = { "meta", "br", "hr", "wbr", NULL };
    char name[24];
    bool ends, named;

    read_name(w, name);
    named = read_attributes(w, &ends);
    look_at_element(w, name, named);
    if (ends || is_any(name, empty))
        return;
    if (w->depth == DEEPEST)
        wrong(w, "deeper than %d elements", DEEPEST);
    strcpy(w->open[w->depth++], name);
    if (strcmp(name, "style") == 0)
        read_style(w);
}

/* From & on: one of the entities that page_text() writes, or a number. */
static void read_entity(struct page *w)
{
    static const char *const names[] = { "lt", "gt", "amp", "quot", "hellip", "ndash", NULL };
    const char *to = memchr(w->p, ';', (size_t)(w->end - w->p));
    char name[12] = "";

    if (to != NULL && to - w->p < (long)sizeof name)
        memcpy(name, w->p + 1, (size_t)(to - w->p - 1));
    if (!is_any(name, names) && (name[0] != '#' || name[1 + strspn(name + 1, "0123456789")] != 0))
        wrong(w, "an & that begins no entity");
    w->p = to + 1;
}

static void read_page(struct page *w)
{
    static const char head[] = "<!doctype html>\n";

    if (!utf8_valid(w->text.p, w->text.n))
        wrong(w, "not UTF-8");
    if (strncmp(w->text.p, head, strlen(head)) != 0)
        wrong(w, "no doctype");
    for (w->p += strlen(head); w->p < w->end;) {
        if (*w->p == '&') {
            read_entity(w);
        } else if (*w->p != '<') {
            w->p++;
        } else if (w->p++, w->p < w->end && *w->p == '/') {
            w->p++;
            read_end(w);
        } else {
            read_begin(w);
        }
    }
    if (w->depth > 0)
        wrong(w, "<%s> does not end", w->open[w->depth - 1]);
    if (w->h1 != 1)
        wrong(w, "%d <h1>, want one", w->h1);
    for (size_t i = 0; i < w->link_count; i++)
        if (!has(w->ids, w->id_count, w->links[i]))
            wrong(w, "a link to #%.*s, which is not there", (int)w->links[i].n, w->links[i].p);
}

int main(int argc, char **argv)
{
    static struct page w;

    if (argc != 2 || file_read(argv[1], (uint64_t)64 << 20, &w.text) != ST_OK || w.text.n == 0) {
        printf("usage: tool_wellformed FILE\n");
        return 2;
    }
    w.p = w.text.p;
    w.end = w.text.p + w.text.n;
    read_page(&w);
    buf_release(&w.text);
    return 0;
}
