#include <stdio.h>
#include <string.h>

#include "curate/html/html_part.h"

/* What stands between the last text and the next; the greatest that was asked for wins. */
enum gap { GAP_NONE, GAP_SPACE, GAP_LINE, GAP_BLOCK };

#define INDENT_MAX 16      /* columns; deeper lists stay there */

struct writer {
    const struct html_tree *tree;
    struct buf *out;
    size_t start;          /* of what this writer appended */
    enum gap gap;
    int indent;
    int pre;               /* open <pre> */
    bool pre_start;        /* nothing of this <pre> yet: its first line breaks go */
    int cells;             /* cell separators that are due; -1: not in a row that is one line */
    bool first_cell;       /* the row's first cell is still to come */
    bool hole;             /* something inline was left out since the last text */
    char bullet[16];       /* before the next text; "": none */
    bool close;            /* the next text follows on the next line, whatever it is */
};

static void ask(struct writer *w, enum gap gap)
{
    if (w->bullet[0] != 0 && gap > GAP_SPACE)     /* "- " and its text stay on one line */
        return;
    if (w->cells >= 0 && gap > GAP_SPACE)
        gap = GAP_SPACE;
    if (w->close && gap > GAP_LINE)
        gap = GAP_LINE;
    w->gap = gap > w->gap ? gap : w->gap;
}

/* Writes what is due before text, which begins with `next`.
 * No space is left before punctuation behind something that was left out. */
static void settle(struct writer *w, char next, bool verbatim)
{
    bool first = w->out->n == w->start;

    if (!first && w->gap >= GAP_LINE)
        buf_adds(w->out, w->gap == GAP_BLOCK ? "\n\n" : "\n");
    if ((first || w->gap >= GAP_LINE) && !verbatim) {
        int by = w->indent - (int)strlen(w->bullet);
        for (by = by < INDENT_MAX ? by : INDENT_MAX; by > 0; by--)
            buf_addc(w->out, ' ');
    }
    if (w->cells > 0) {
        for (; w->cells > 0; w->cells--)
            buf_adds(w->out, " | ");
    } else if (!first && w->gap == GAP_SPACE && !(w->hole && strchr(".,;:)", next) != NULL)) {
        buf_addc(w->out, ' ');
    }
    w->hole = false;
    buf_adds(w->out, w->bullet);
    w->bullet[0] = 0;
    w->close = false;
    w->gap = GAP_NONE;
}

/* Characters that are spaces to a reader, or nothing: U+00A0, U+2000-200A, U+2028, U+2029, U+202F;
 * U+00AD, U+200B, U+2060, U+FEFF. Joiners (U+200C, U+200D) stay, for scripts need them. Returns the
 * length in bytes, 0: an ordinary one. */
static size_t odd_char(const char *p, const char *end, bool *space)
{
    const unsigned char *c = (const unsigned char *)p;

    *space = true;
    if (c[0] == 0xc2 && end - p >= 2) {
        *space = c[1] == 0xa0;
        return c[1] == 0xa0 || c[1] == 0xad ? 2 : 0;
    }
    if (end - p < 3)
        return 0;
    if (c[0] == 0xe2 && c[1] == 0x80) {
        *space = c[2] != 0x8b;
        return (c[2] >= 0x80 && c[2] <= 0x8b) || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf
                   ? 3 : 0;
    }
    *space = false;
    return memcmp(p, "\xe2\x81\xa0", 3) == 0 || memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* The length of the run at p without white space and without a byte that may
 * begin an odd character. */
static size_t plain_run(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && (unsigned char)*p > ' ' && (unsigned char)*p != 0xc2 &&
           (unsigned char)*p != 0xe2 && (unsigned char)*p != 0xef)
        p++;
    return (size_t)(p - start);
}

static void flow_text(struct writer *w, const char *p, const char *end)
{
    while (p < end) {
        bool space = (unsigned char)*p <= ' ';
        size_t n = space ? 1 : odd_char(p, end, &space);
        if (n > 0) {
            p += n;
            if (space && w->gap == GAP_NONE)
                w->gap = GAP_SPACE;
            continue;
        }
        if (w->gap != GAP_NONE || w->bullet[0] != 0 || w->cells > 0 || w->out->n == w->start)
            settle(w, *p, false);
        n = plain_run(p, end);
        n = n > 0 ? n : 1;
        buf_add(w->out, p, n);
        p += n;
    }
}

static void pre_text(struct writer *w, const char *p, const char *end)
{
    while (p < end && w->pre_start && (*p == '\n' || *p == '\r'))
        p++;
    if (p == end)
        return;
    if (w->pre_start)
        settle(w, *p, true);
    w->pre_start = false;
    while (p < end) {
        const char *from = p;
        bool space;
        size_t n;
        while (p < end && (unsigned char)*p != 0xc2 && (unsigned char)*p != 0xe2 &&
               (unsigned char)*p != 0xef && *p != '\r')
            p++;
        buf_add(w->out, from, (size_t)(p - from));
        if (p == end)
            break;
        if (*p == '\r') {
            if (p + 1 == end || p[1] != '\n')
                buf_addc(w->out, '\n');
            p++;
        } else if ((n = odd_char(p, end, &space)) > 0) {
            if (space)
                buf_addc(w->out, ' ');
            p += n;
        } else {
            buf_addc(w->out, *p++);
        }
    }
}

static void begin_pre(struct writer *w)
{
    ask(w, GAP_BLOCK);
    if (w->pre++ == 0)
        w->pre_start = true;
}

static void end_pre(struct writer *w)
{
    if (--w->pre > 0)
        return;
    if (!w->pre_start)
        while (w->out->n > w->start && (unsigned char)w->out->p[w->out->n - 1] <= ' ')
            w->out->n--;
    if (w->out->p != NULL)
        w->out->p[w->out->n] = 0;
    w->pre_start = false;
    ask(w, GAP_BLOCK);
}

/* --- lists --- */

/* A list, or a <div> around nothing but one. */
static bool is_list(const struct html_tree *t, const struct html_node *n)
{
    if (n->tag == TAG_div && n->blocks == 1)
        for (uint32_t i = n->first; i != NO_NODE; i = t->nodes[i].next)
            if (t->nodes[i].chars == n->chars)
                return t->nodes[i].tag == TAG_ul || t->nodes[i].tag == TAG_ol;
    return n->tag == TAG_ul || n->tag == TAG_ol;
}

/* A list whose items are a paragraph each (and perhaps a list below) is set without blank lines. */
static bool is_tight(const struct html_tree *t, const struct html_node *list)
{
    for (uint32_t i = list->first; i != NO_NODE; i = t->nodes[i].next) {
        uint32_t blocks = 0;
        if (t->nodes[i].tag != TAG_li)
            continue;
        for (uint32_t k = t->nodes[i].first; k != NO_NODE; k = t->nodes[k].next) {
            const struct html_node *n = &t->nodes[k];
            bool list_below = is_list(t, n);
            blocks += (html_how[n->tag] & HOW_BLOCK) && n->chars > 0 && !list_below;
            if (((html_how[n->tag] & HOW_RICH) && !list_below) || n->blocks > 1)
                blocks = 2;
        }
        if (blocks > 1)
            return false;
    }
    return true;
}

/* The number of an <ol>'s item: the items before it and itself.
 * Kept in the list's node while it is written. */
static void begin_item(struct writer *w, struct html_node *item)
{
    struct html_node *list = item->parent != NO_NODE ? &w->tree->nodes[item->parent] : NULL;
    bool tight = list != NULL && list->n == 1;

    if (item->marks & MARK_HEADING) {      /* a list for layout */
        ask(w, GAP_BLOCK);
        return;
    }
    ask(w, GAP_LINE);
    if (tight && list->at > 0 && w->gap == GAP_BLOCK)
        w->gap = GAP_LINE;
    if (list != NULL)
        list->at++;
    if (list != NULL && list->tag == TAG_ol)
        snprintf(w->bullet, sizeof w->bullet, "%u. ", list->at);
    else
        strcpy(w->bullet, "- ");
    w->indent += (int)strlen(w->bullet);
}

static void end_item(struct writer *w, const struct html_node *item)
{
    const struct html_node *list = item->parent != NO_NODE ? &w->tree->nodes[item->parent] : NULL;
    char number[16];

    if (item->marks & MARK_HEADING) {
        ask(w, GAP_BLOCK);
        return;
    }
    if (list != NULL && list->tag == TAG_ol)
        w->indent -= snprintf(number, sizeof number, "%u. ", list->at);
    else
        w->indent -= 2;
    w->bullet[0] = 0;      /* an empty item leaves nothing */
    ask(w, GAP_LINE);
}

/* A <dd> stands right below its <dt>, indented. */
static void begin_definition(struct writer *w)
{
    ask(w, GAP_LINE);
    w->indent += 2;
    if (w->bullet[0] != 0)
        return;
    w->close = true;
    w->gap = w->gap == GAP_BLOCK ? GAP_LINE : w->gap;
}

static bool in_item(const struct html_tree *t, const struct html_node *n)
{
    return n->parent != NO_NODE &&
           (t->nodes[n->parent].tag == TAG_li || t->nodes[n->parent].tag == TAG_dd);
}

/* Does the list stand in another list's item, perhaps in a <div> of its own? */
static bool is_nested(const struct html_tree *t, const struct html_node *list)
{
    const struct html_node *up = list->parent != NO_NODE ? &t->nodes[list->parent] : list;

    return in_item(t, list) || (up->tag == TAG_div && in_item(t, up) && is_list(t, up));
}

static void begin_list(struct writer *w, struct html_node *list)
{
    bool nested = is_nested(w->tree, list);

    ask(w, nested ? GAP_LINE : GAP_BLOCK);
    if (nested && w->gap == GAP_BLOCK)
        w->gap = GAP_LINE;
    list->at = 0;                                  /* items so far */
    list->n = is_tight(w->tree, list);
}

/* --- tables --- */

/* A row is one line, cells between " | ". Where a cell holds several short paragraphs the row is
 * lines close together; where it holds lists and the like, or the row is all there is (a table for
 * layout), its cells are blocks. */
enum row_form { ROW_LINE, ROW_LINES, ROW_BLOCKS };

static enum row_form form_of_row(const struct html_tree *t, const struct html_node *row)
{
    const struct html_node *table = row;

    while (table->tag != TAG_table && table->parent != NO_NODE)
        table = &t->nodes[table->parent];
    if ((row->marks & MARK_RICH) || table->chars == row->chars)
        return ROW_BLOCKS;
    return row->marks & MARK_LINES ? ROW_LINES : ROW_LINE;
}

static void begin_row(struct writer *w, const struct html_node *row)
{
    enum row_form form = form_of_row(w->tree, row);

    if (w->cells >= 0)     /* inside a line already */
        return;
    ask(w, form == ROW_LINE ? GAP_LINE : GAP_BLOCK);
    if (form == ROW_LINE) {
        w->cells = 0;
        w->first_cell = true;
    }
}

static void end_row(struct writer *w, const struct html_node *row)
{
    w->cells = -1;
    ask(w, form_of_row(w->tree, row) == ROW_LINE ? GAP_LINE : GAP_BLOCK);
}

/* What a cell, or a paragraph in one, is set apart with. */
static enum gap cell_gap(const struct html_tree *t, const struct html_node *n)
{
    while (n->tag != TAG_tr && n->parent != NO_NODE)
        n = &t->nodes[n->parent];
    return n->tag == TAG_tr && form_of_row(t, n) == ROW_LINES ? GAP_LINE : GAP_BLOCK;
}

static void begin_cell(struct writer *w, const struct html_node *cell)
{
    bool icon = cell->chars == 0 && cell->first != NO_NODE &&
                (w->tree->nodes[cell->first].tag != TAG_text || cell->first != cell->last);

    ask(w, cell_gap(w->tree, cell));
    if (w->cells < 0 || icon)
        return;
    if (!w->first_cell)
        w->cells++;
    w->first_cell = false;
}

static bool in_cell(const struct html_tree *t, const struct html_node *n)
{
    return n->parent != NO_NODE &&
           (t->nodes[n->parent].tag == TAG_td || t->nodes[n->parent].tag == TAG_th);
}

/* --- the walk --- */

static const char *super_mark(const struct html_tree *t, const struct html_node *sup)
{
    const char *p;

    if (sup->links > 0 || sup->first == NO_NODE || t->nodes[sup->first].tag != TAG_text ||
        sup->chars > 8)
        return "";
    p = t->text.p + t->nodes[sup->first].at;
    return (*p >= '0' && *p <= '9') || (*p == '-' && sup->chars > 1) || sup->chars == 1 ? "^" : "";
}

/* The gap before and after an element that has none of its own rules. */
static void ask_around(struct writer *w, const struct html_node *n)
{
    if (n->tag == TAG_div && in_item(w->tree, n) && is_list(w->tree, n))
        ask(w, GAP_LINE);
    else if (html_how[n->tag] & HOW_BLOCK)
        ask(w, in_cell(w->tree, n) ? cell_gap(w->tree, n) : GAP_BLOCK);
    else if (html_how[n->tag] & HOW_LINE)
        ask(w, GAP_LINE);
}

static void begin_other(struct writer *w, const struct html_node *n)
{
    if (n->tag == TAG_br)
        ask(w, w->gap == GAP_LINE ? GAP_BLOCK : GAP_LINE);
    else if (n->tag == TAG_q)
        flow_text(w, "\"", &"\""[1]);
    else if (n->tag == TAG_sup && w->gap == GAP_NONE && w->out->n > w->start)
        buf_adds(w->out, super_mark(w->tree, n));
    else
        ask_around(w, n);
}

static void begin(struct writer *w, struct html_node *n)
{
    switch (n->tag) {
    case TAG_pre:
        begin_pre(w);
        break;
    case TAG_ul:
    case TAG_ol:
        begin_list(w, n);
        break;
    case TAG_li:
        begin_item(w, n);
        break;
    case TAG_dt:
        ask(w, GAP_LINE);
        break;
    case TAG_dd:
        begin_definition(w);
        break;
    case TAG_tr:
        begin_row(w, n);
        break;
    case TAG_td:
    case TAG_th:
        begin_cell(w, n);
        break;
    case TAG_br:
        if (w->pre > 0) {
            pre_text(w, "\n", &"\n"[1]);
            break;
        } /* fall through */
    default:
        begin_other(w, n);
    }
}

static void end(struct writer *w, struct html_node *n)
{
    switch (n->tag) {
    case TAG_pre:
        end_pre(w);
        break;
    case TAG_li:
        end_item(w, n);
        break;
    case TAG_dd:
        w->indent -= 2;
        w->close = false;
        ask(w, GAP_BLOCK);
        break;
    case TAG_tr:
        end_row(w, n);
        break;
    case TAG_ul:
    case TAG_ol:
        ask(w, is_nested(w->tree, n) ? GAP_LINE : GAP_BLOCK);
        break;
    case TAG_q:
        flow_text(w, "\"", &"\""[1]);
        break;
    case TAG_br:
        break;
    case TAG_td:
    case TAG_th:
        ask(w, cell_gap(w->tree, n));
        break;
    default:
        ask_around(w, n);
    }
}

static void text(struct writer *w, const struct html_node *n)
{
    const char *p = w->tree->text.p + n->at;

    if (w->pre > 0 && w->cells < 0)
        pre_text(w, p, p + n->n);
    else
        flow_text(w, p, p + n->n);
}

void html_write_text(const struct html_tree *t, uint32_t root, struct buf *out)
{
    struct writer w = { .tree = t, .out = out, .start = out->n, .cells = -1 };
    uint32_t i = root;

    for (;;) {
        struct html_node *n = &t->nodes[i];
        bool skip = (n->marks & MARK_DROPPED) != 0;
        if (skip)
            w.hole = true;
        else if (n->tag == TAG_text)
            text(&w, n);
        else
            begin(&w, n);
        if (!skip && n->tag != TAG_text && n->first != NO_NODE) {
            i = n->first;
            continue;
        }
        if (!skip && n->tag != TAG_text)
            end(&w, n);
        while (i != root && t->nodes[i].next == NO_NODE) {
            i = t->nodes[i].parent;
            end(&w, &t->nodes[i]);
        }
        if (i == root)
            break;
        i = t->nodes[i].next;
    }
}
