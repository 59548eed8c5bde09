/*
 * The text of a DOCX or ODT file: a zip whose parts are not documents of their own.
 *
 * The archive level reads the members as always, so all its limits hold; it hands each to office_member(), which
 * passes the few parts with text through the XML scanner, and asks for the document at the end.
 *
 * A paragraph is a line, as is a table's row, whose cells are parted by tabs; foot- and endnotes stand behind the
 * text. Left out: headers, footers, comments, deleted text, what only old programs show. Inserted text is text.
 */
#include <stdio.h>

#include "curate/source/source_part.h"
#include "curate/source/xml_scan.h"

#define PIECE 16384
#define SPACES_MAX 1000      /* that one element stands for */

struct office {
    enum office_form form;
    bool main_part;                  /* the part with the text has been seen */
    struct xml_scan *scan;
    struct xml_text text, notes;
    bool in_notes_part;
    int skipped, noted;              /* depth of the element whose content is left out, is a note; 0: none */
    int cells, runs, texts;          /* open elements of the kind */
    bool row_begun;                  /* a cell of the current row has been seen */
};

/* ---- what elements mean ---- */

enum meaning { M_NOTHING, M_PARAGRAPH, M_RUN, M_TEXT, M_TAB, M_LINE, M_HYPHEN, M_SPACES, M_CELL, M_ROW, M_SKIP, M_NOTE };

static const struct meaning_row {
    const char *name;
    enum meaning docx, odt;
} meanings[] = {
    { "p", M_PARAGRAPH, M_PARAGRAPH },      { "h", M_NOTHING, M_PARAGRAPH },
    { "r", M_RUN, M_NOTHING },              { "t", M_TEXT, M_NOTHING },
    { "tab", M_TAB, M_TAB },                { "br", M_LINE, M_NOTHING },
    { "cr", M_LINE, M_NOTHING },            { "line-break", M_NOTHING, M_LINE },
    { "noBreakHyphen", M_HYPHEN, M_NOTHING }, { "s", M_NOTHING, M_SPACES },
    { "tc", M_CELL, M_NOTHING },            { "table-cell", M_NOTHING, M_CELL },
    { "tr", M_ROW, M_NOTHING },             { "table-row", M_NOTHING, M_ROW },
    { "del", M_SKIP, M_NOTHING },           { "moveFrom", M_SKIP, M_NOTHING },
    { "Fallback", M_SKIP, M_NOTHING },      { "tracked-changes", M_NOTHING, M_SKIP },
    { "annotation", M_NOTHING, M_SKIP },    { "note-citation", M_NOTHING, M_SKIP },
    { "forms", M_NOTHING, M_SKIP },         { "note-body", M_NOTHING, M_NOTE },
    { NULL, M_NOTHING, M_NOTHING },
};

static enum meaning meaning_of(const struct office *o, struct span name)
{
    struct span local = xml_local(name);

    for (const struct meaning_row *m = meanings; m->name != NULL; m++)
        if (span_eq(local, m->name))
            return o->form == OFFICE_DOCX ? m->docx : m->odt;
    return M_NOTHING;
}

static struct xml_text *target(struct office *o) { return o->in_notes_part || o->noted ? &o->notes : &o->text; }

/* Appends what cannot be put off; blanks that were due before it are not. */
static void put(struct office *o, const char *what)
{
    struct xml_text *t = target(o);

    t->pending = 0;
    t->space = false;
    xml_text_raw(t, span_of(what));
}

/* "12"; 0: it is no number up to SPACES_MAX. */
static int spaces_of(struct span value)
{
    int n = 0;

    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9' || n > SPACES_MAX)
            return 0;
        n = 10 * n + (value.p[i] - '0');
    }
    return n <= SPACES_MAX ? n : 0;
}

static void put_spaces(struct office *o, const struct xml_tag *tag)
{
    int n = 1;

    for (size_t i = 0; i < tag->count; i++)
        if (span_eq(xml_local(tag->attributes[i].name), "c") && tag->attributes[i].value.n > 0)
            n = spaces_of(tag->attributes[i].value);
    for (; n > 0; n--)
        xml_text_raw(target(o), span_of(" "));
}

static void office_open(void *ctx, const struct xml_tag *tag)
{
    struct office *o = ctx;
    enum meaning m = meaning_of(o, tag->name);
    bool in_run = o->form == OFFICE_ODT || o->runs > 0;      /* a paragraph's settings have tabs, too */

    if (o->skipped != 0)
        return;
    o->cells += m == M_CELL;
    o->runs += m == M_RUN;
    o->texts += m == M_TEXT || (m == M_PARAGRAPH && o->form == OFFICE_ODT);
    if (m == M_SKIP)
        o->skipped = tag->depth;
    else if (m == M_NOTE && o->noted == 0)
        o->noted = tag->depth;
    else if (m == M_ROW)
        o->row_begun = false;
    else if (m == M_CELL && o->row_begun)
        put(o, "\t");
    else if (m == M_TAB && in_run)
        xml_text_raw(target(o), span_of("\t"));
    else if (m == M_LINE && in_run)
        put(o, o->cells > 0 ? " " : "\n");
    else if (m == M_HYPHEN && in_run)
        xml_text_raw(target(o), span_of("-"));
    else if (m == M_SPACES)
        put_spaces(o, tag);
    o->row_begun = o->row_begun || m == M_CELL;
}

static void office_close(void *ctx, struct span name, int depth)
{
    struct office *o = ctx;
    enum meaning m = meaning_of(o, name);

    if (o->skipped != 0) {
        o->skipped = o->skipped == depth ? 0 : o->skipped;
        return;
    }
    o->cells -= m == M_CELL;
    o->runs -= m == M_RUN;
    o->texts -= m == M_TEXT || (m == M_PARAGRAPH && o->form == OFFICE_ODT);
    if (m == M_PARAGRAPH && o->cells == 0)
        put(o, "\n");
    else if (m == M_PARAGRAPH)
        xml_text_break(target(o), XML_BREAK_SPACE);
    else if (m == M_ROW)
        put(o, o->cells > 0 ? " " : "\n");      /* a table in a cell */
    if (o->noted == depth)
        o->noted = 0;
}

static void office_text(void *ctx, struct span text)
{
    struct office *o = ctx;
    struct xml_text *t = target(o);
    const char *p = text.p, *end = p + text.n;

    if (o->skipped != 0 || o->texts == 0)
        return;
    if (o->form == OFFICE_ODT) {
        xml_text_add(t, text);
        return;
    }
    while (p < end) {                            /* line breaks of the file's own are blanks */
        const char *q = p;

        while (q < end && *q != '\n' && *q != '\r' && *q != '\t')
            q++;
        xml_text_raw(t, (struct span){ p, (size_t)(q - p) });
        if (q < end)
            xml_text_raw(t, span_of(" "));
        p = q + (q < end);
    }
}

/* ---- parts ---- */

struct office *office_new(enum office_form form, uint64_t max_document)
{
    struct office *o = mem_alloc(sizeof *o);

    o->form = form;
    o->text.limit = o->notes.limit = max_document;
    return o;
}

void office_free(struct office *o)
{
    if (o == NULL)
        return;
    buf_release(&o->text.out);
    buf_release(&o->notes.out);
    free(o);
}

static bool numbered(const char *name, const char *start)
{
    size_t n = strlen(start);

    if (strncmp(name, start, n) != 0)
        return false;
    n += strspn(name + n, "0123456789");
    return strcmp(name + n, ".xml") == 0;
}

static void tell_fault(struct level *l, struct office *o)
{
    char line[200];
    char *id;

    snprintf(line, sizeof line, "%llu: %s", (unsigned long long)xml_scan_line(o->scan), xml_scan_fault(o->scan));
    id = source_make_id(l->member, ":", line);
    source_outcome(l->source, SOURCE_BAD_XML, id);
    free(id);
}

static void read_part(struct level *l, struct office *o)
{
    static const struct xml_handler handler = { office_open, office_close, office_text };
    static _Thread_local char piece[PIECE];
    ssize_t got = 0;

    o->skipped = o->noted = o->cells = o->runs = o->texts = 0;
    o->scan = xml_scan_new(&handler, o, NULL);
    while (xml_scan_fault(o->scan) == NULL && (got = archive_member_read(l, piece, sizeof piece)) > 0)
        xml_scan_take(o->scan, (struct span){ piece, (size_t)got });
    if (got == 0)
        xml_scan_end(o->scan);
    if (xml_scan_fault(o->scan) != NULL)
        tell_fault(l, o);
    xml_scan_free(o->scan);
    o->scan = NULL;
}

void office_member(struct level *l, const char *name)
{
    struct office *o = l->office;
    bool docx = o->form == OFFICE_DOCX;
    bool main_part = docx ? numbered(name, "word/document") : strcmp(name, "content.xml") == 0;

    o->in_notes_part = docx && (numbered(name, "word/footnotes") || numbered(name, "word/endnotes"));
    if (main_part && o->main_part)
        return;
    o->main_part = o->main_part || main_part;
    if (main_part || o->in_notes_part)
        read_part(l, o);
}

struct raw_document *office_document(struct level *l, bool whole)
{
    struct office *o = l->office;
    struct buf text = { 0 };

    if (!o->main_part) {
        if (whole)
            source_outcome(l->source, SOURCE_DAMAGED, l->id);
        return NULL;
    }
    if (o->text.too_long || o->notes.too_long) {
        source_outcome(l->source, SOURCE_SIZE, l->id);
        return NULL;
    }
    text = o->text.out;
    buf_init(&o->text.out);
    if (o->notes.out.n > 0) {
        buf_adds(&text, text.n > 0 ? "\n" : "");
        buf_add(&text, o->notes.out.p, o->notes.out.n);
    }
    if (content_blank(text.p, text.n)) {
        buf_release(&text);
        source_outcome(l->source, SOURCE_EMPTY, l->id);
        return NULL;
    }
    return source_document(l->source, o->form == OFFICE_DOCX ? RAW_DOCX : RAW_ODT, l->id, &text);
}
