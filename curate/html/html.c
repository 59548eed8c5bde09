#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "curate/html/html_part.h"
#include "curate/html/html.h"

/* --- what an element says of itself --- */

/* Words of class or id that say what an element is, as DocBook, Sphinx, Read the Docs,
 * MediaWiki, Doxygen, Javadoc, Bootstrap and common site generators use them. Whole words, lower
 * case, sorted. */
enum word_kind {
    WORD_SOFT = 1,         /* not main text */
    WORD_HEADER = 2,       /* the same, but it often holds the page's title */
    WORD_MAIN = 4,
    WORD_NOTE = 8,         /* an <aside> that belongs to the text */
    WORD_CONTENTS = 16,    /* with WORD_LOCAL: a table of contents */
    WORD_LOCAL = 32,
    WORD_SURE = 64,        /* with WORD_SOFT: a footer and the like,
                            * which never holds a page's text */
};
static const struct {
    const char *word;
    unsigned kinds;
} class_words[] = {
    { "admonition", WORD_NOTE }, { "ads", WORD_SOFT }, { "advertisement", WORD_SOFT },
    { "anchor-link", WORD_SOFT }, { "anchorjs-link", WORD_SOFT }, { "articlebody", WORD_MAIN },
    { "banner", WORD_HEADER }, { "bodycontent", WORD_MAIN }, { "bottom-nav", WORD_SOFT },
    { "breadcrumb", WORD_SOFT | WORD_SURE }, { "breadcrumb-nav", WORD_SOFT },
    { "breadcrumbs", WORD_SOFT | WORD_SURE }, { "callout", WORD_NOTE }, { "catlinks", WORD_SOFT },
    { "caution", WORD_NOTE }, { "contentinfo", WORD_SOFT }, { "contents", WORD_CONTENTS },
    { "cookie-banner", WORD_SOFT | WORD_SURE }, { "cookie-consent", WORD_SOFT | WORD_SURE },
    { "cookies", WORD_SOFT }, { "copyright", WORD_SOFT | WORD_SURE }, { "doc-footnote", WORD_NOTE },
    { "edit-link", WORD_SOFT }, { "edit-page", WORD_SOFT }, { "editlink", WORD_SOFT },
    { "editsection", WORD_SOFT }, { "footer", WORD_SOFT | WORD_SURE }, { "footnote", WORD_NOTE },
    { "footnote-list", WORD_NOTE }, { "footnote-reference", WORD_SOFT },
    { "genindextable", WORD_SOFT }, { "gutter", WORD_SOFT }, { "hash-link", WORD_SOFT },
    { "header", WORD_HEADER }, { "header-anchor", WORD_SOFT },
    { "headerlink", WORD_SOFT | WORD_SURE }, { "heading-anchor", WORD_SOFT },
    { "id_link", WORD_SOFT }, { "important", WORD_NOTE }, { "indexdiv", WORD_SOFT },
    { "indextable", WORD_SOFT }, { "jump-to-nav", WORD_SOFT }, { "lineno", WORD_SOFT },
    { "linenos", WORD_SOFT | WORD_SURE }, { "linenumber", WORD_SOFT }, { "linenumbers", WORD_SOFT },
    { "local", WORD_LOCAL }, { "main-content", WORD_MAIN }, { "maincontent", WORD_MAIN },
    { "masthead", WORD_HEADER }, { "menu", WORD_SOFT }, { "modindextable", WORD_SOFT },
    { "mw-content-text", WORD_MAIN }, { "mw-editsection", WORD_SOFT },
    { "mw-jump-link", WORD_SOFT }, { "nav", WORD_SOFT }, { "nav-bar", WORD_SOFT },
    { "nav-footer", WORD_SOFT }, { "nav-wrapper", WORD_SOFT }, { "navbar", WORD_SOFT | WORD_SURE },
    { "navbox", WORD_SOFT }, { "navfooter", WORD_SOFT | WORD_SURE },
    { "navheader", WORD_SOFT | WORD_SURE }, { "navigation", WORD_SOFT | WORD_SURE },
    { "next-prev", WORD_SOFT }, { "noprint", WORD_SOFT }, { "note", WORD_NOTE },
    { "page-footer", WORD_SOFT | WORD_SURE }, { "page-header", WORD_HEADER },
    { "page-nav", WORD_SOFT }, { "pager", WORD_SOFT }, { "pagination", WORD_SOFT | WORD_SURE },
    { "permalink", WORD_SOFT | WORD_SURE }, { "prev-next", WORD_SOFT }, { "prevnext", WORD_SOFT },
    { "print-footer", WORD_SOFT | WORD_SURE }, { "printfooter", WORD_SOFT | WORD_SURE },
    { "related", WORD_SOFT | WORD_SURE }, { "related-links", WORD_SOFT },
    { "rst-footer-buttons", WORD_SOFT }, { "rst-versions", WORD_SOFT },
    { "searchbox", WORD_SOFT | WORD_SURE }, { "share", WORD_SOFT }, { "sharing", WORD_SOFT },
    { "side-nav", WORD_SOFT }, { "sidebar", WORD_SOFT }, { "sidenav", WORD_SOFT },
    { "site-footer", WORD_SOFT | WORD_SURE }, { "site-header", WORD_HEADER },
    { "skip-link", WORD_SOFT }, { "skip-nav", WORD_SOFT }, { "skip-to-content", WORD_SOFT },
    { "skiplink", WORD_SOFT }, { "social", WORD_SOFT }, { "social-links", WORD_SOFT },
    { "sphinxsidebar", WORD_SOFT | WORD_SURE }, { "sub-nav", WORD_SOFT },
    { "table-of-contents", WORD_SOFT }, { "tableofcontents", WORD_SOFT }, { "tip", WORD_NOTE },
    { "toc", WORD_SOFT }, { "toc-tree", WORD_SOFT }, { "toctree-wrapper", WORD_SOFT },
    { "top-nav", WORD_SOFT }, { "topbar", WORD_HEADER }, { "topic", WORD_NOTE | WORD_LOCAL },
    { "topnav", WORD_SOFT }, { "warning", WORD_NOTE }, { "wy-breadcrumbs", WORD_SOFT },
    { "wy-nav-side", WORD_SOFT }, { "wy-nav-top", WORD_SOFT }, { "wy-side-nav-search", WORD_SOFT },
};
static const char *const soft_roles[] = {
    "navigation", "banner", "contentinfo", "search", "menu", "menubar", "toolbar", "dialog",
    "alertdialog", "directory", "doc-toc", "doc-index", "doc-pagelist", "doc-noteref", NULL,
};
static const char *const nav_rels[] = {
    "next", "prev", "previous", "up", "start", "home", "contents", "index", "toc", "first", "last",
    NULL,
};

#define WORD_MAX 24      /* longer than every word here */

/* The next word of an attribute's value in lower case; false at the end.
 * A word too long to matter comes out cut. */
static bool next_word(const char **value, char word[WORD_MAX])
{
    static const char space[] = " \t\n\r\f";
    size_t n, keep;

    *value += strspn(*value, space);
    n = strcspn(*value, space);
    keep = n < WORD_MAX - 1 ? n : WORD_MAX - 1;
    for (size_t i = 0; i < keep; i++)
        word[i] = (char)tolower((unsigned char)(*value)[i]);
    word[keep] = 0;
    *value += n;
    return n > 0;
}

static bool has_word(const char *value, const char *const *words)
{
    char word[WORD_MAX];

    while (next_word(&value, word))
        for (const char *const *w = words; *w != NULL; w++)
            if (strcmp(word, *w) == 0)
                return true;
    return false;
}

static unsigned kinds_of_word(const char *word)
{
    size_t low = 0, high = sizeof class_words / sizeof class_words[0];

    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(word, class_words[mid].word);
        if (order == 0)
            return class_words[mid].kinds;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return 0;
}

static unsigned class_kinds(const char *value)
{
    char word[WORD_MAX];
    unsigned kinds = 0;

    while (next_word(&value, word))
        kinds |= kinds_of_word(word);
    return kinds;
}

static unsigned marks_of_class(const char *value)
{
    unsigned kinds = class_kinds(value);

    if (kinds & WORD_MAIN)
        return MARK_MAIN;
    if ((kinds & WORD_SOFT) || ((kinds & WORD_CONTENTS) && (kinds & WORD_LOCAL)))
        return MARK_SOFT | (kinds & WORD_SURE ? MARK_SURE : 0);
    return kinds & WORD_HEADER ? MARK_SOFT | MARK_HEADER : 0;
}

static unsigned marks_of_role(const char *value)
{
    static const char *const main_role[] = { "main", NULL }, *const banner[] = { "banner", NULL };
    static const char *const sure[] = { "navigation", "contentinfo", "search", NULL };

    if (has_word(value, main_role))
        return MARK_MAIN;
    if (has_word(value, soft_roles))
        return MARK_SOFT | (has_word(value, banner) ? MARK_HEADER : 0) |
               (has_word(value, sure) ? MARK_SURE : 0);
    return 0;
}

static unsigned marks_of_attribute(enum html_tag tag, const char *name, const char *value)
{
    if (strcmp(name, "class") == 0 || strcmp(name, "itemprop") == 0)
        return marks_of_class(value);
    if (strcmp(name, "role") == 0)
        return marks_of_role(value);
    if (strcmp(name, "aria-hidden") == 0 && strcmp(value, "true") == 0)
        return MARK_SOFT;
    if (tag != TAG_a)
        return 0;
    if (strcmp(name, "href") == 0)
        return MARK_LINK;
    if ((strcmp(name, "rel") == 0 && has_word(value, nav_rels)) || strcmp(name, "accesskey") == 0)
        return MARK_NAV_LINK;
    return 0;
}

static bool is_note(const unsigned char *const *attributes)
{
    static const char *const roles[] = { "note", "doc-footnote", "doc-tip", NULL };

    for (; attributes != NULL && attributes[0] != NULL; attributes += 2)
        if (attributes[1] != NULL && ((class_kinds((const char *)attributes[1]) & WORD_NOTE) ||
                                      has_word((const char *)attributes[1], roles)))
            return true;
    return false;
}

unsigned html_marks_of(enum html_tag tag, const unsigned char *const *attributes)
{
    unsigned marks =
        (html_how[tag] & HOW_SOFT ? MARK_SOFT : 0) | (html_how[tag] & HOW_SURE ? MARK_SURE : 0);
    unsigned by_id = 0;

    if (tag == TAG_main || tag == TAG_article)
        marks |= MARK_MAIN;
    if (tag == TAG_header)
        marks |= MARK_HEADER;
    if (tag == TAG_aside && is_note(attributes))
        marks = 0;
    for (; attributes != NULL && attributes[0] != NULL; attributes += 2) {
        const char *name = (const char *)attributes[0], *value = (const char *)attributes[1];
        if (value != NULL && strcmp(name, "id") == 0)
            by_id = marks_of_class(value);
        else if (value != NULL)
            marks |= marks_of_attribute(tag, name, value);
    }
    if ((by_id & MARK_SOFT) && !(marks & MARK_SOFT))
        by_id |= MARK_BY_ID;
    marks |= by_id;
    if (tag == TAG_html || tag == TAG_body || (marks & MARK_MAIN))
        marks &= ~(unsigned)(MARK_SOFT | MARK_HEADER);
    return marks;
}

/* --- dropping --- */

static bool is_below(const struct html_tree *t, uint32_t i, enum html_tag tag)
{
    for (i = t->nodes[i].parent; i != NO_NODE; i = t->nodes[i].parent)
        if (t->nodes[i].tag == tag)
            return true;
    return false;
}

/* The first node behind the subtree of i. Nodes lie in document order. */
static uint32_t subtree_end(const struct html_tree *t, uint32_t i)
{
    while (i != NO_NODE && t->nodes[i].next == NO_NODE)
        i = t->nodes[i].parent;
    return i == NO_NODE ? (uint32_t)t->count : t->nodes[i].next;
}

/* Elements that asked to be dropped are, but not a header with the title in it, nor a section whose
 * id says "navigation" for its heading does, nor what holds most of the page's words outside links
 * (a page wrapped in a form). */
static void drop_soft(struct html_tree *t)
{
    uint32_t prose;

    prose = t->count > 0 ? t->nodes[0].chars - t->nodes[0].link_chars : 0;
    for (uint32_t i = 0; i < t->count;) {
        struct html_node *n = &t->nodes[i];
        bool most = !(n->marks & MARK_SURE) && n->chars - n->link_chars > prose / 2;
        bool title =
            (n->marks & MARK_HEADER) &&
            ((n->marks & MARK_H1) || is_below(t, i, TAG_main) || is_below(t, i, TAG_article));
        bool section = (n->marks & MARK_BY_ID) && (n->marks & MARK_HEADING);
        if ((n->marks & MARK_SOFT) && !most && !title && !section) {
            n->marks |= MARK_DROPPED;
            i = subtree_end(t, i);
        } else {
            i++;
        }
    }
}

/* A list, table or bare block that is hardly more than short links.
 * A list of terms must be all links, for terms with linked names are text. */
static bool is_link_list(const struct html_node *n)
{
    uint32_t tenths = 8;

    switch (n->tag) {
    case TAG_dl:
        tenths = 9;
        break;
    case TAG_ul:
    case TAG_ol:
    case TAG_table:
    case TAG_dir:
    case TAG_menu:
        break;
    case TAG_div:
    case TAG_section:
    case TAG_center:
        if (n->marks & MARK_PARAGRAPH)
            return false;
        break;
    default:
        return false;
    }
    return n->links >= 3 && (uint64_t)n->link_chars * 10 >= (uint64_t)n->chars * tenths &&
           n->link_chars / n->links < 60;
}

/* A short block in which most links lead to the next page and the like. */
static bool is_page_turner(const struct html_node *n)
{
    return (html_how[n->tag] & (HOW_BLOCK | HOW_LINE)) && n->nav_links > 0 &&
           n->nav_links * 2 >= n->links && n->link_chars * 2 >= n->chars && n->chars < 300;
}

/* The text of a link that holds nothing but text, without white space and brackets
 * around it; n = 0: none. */
static struct span link_text(const struct html_tree *t, const struct html_node *n)
{
    static const char around[] = " \t\n\r[]()<>|:";
    struct span s = { NULL, 0 };

    if (!(n->marks & MARK_LINK) || n->chars == 0 || n->chars > 16 || n->first == NO_NODE ||
        t->nodes[n->first].tag != TAG_text || t->nodes[n->first].chars != n->chars)
        return s;
    s.p = t->text.p + t->nodes[n->first].at;
    s.n = t->nodes[n->first].n;
    while (s.n > 0 && strchr(around, *s.p) != NULL)
        s.p++, s.n--;
    while (s.n > 0 && strchr(around, s.p[s.n - 1]) != NULL)
        s.n--;
    return s;
}

/* A link whose text is a mark, as generators put behind headings. */
static bool is_permalink(const struct html_tree *t, const struct html_node *n)
{
    struct span s = link_text(t, n);

    return span_eq(s, "#") || span_eq(s, "\xc2\xb6") || span_eq(s, "\xc2\xa7") ||
           span_eq(s, "\xf0\x9f\x94\x97");
}

/* Links that say "next" and the like count as what rel=next says. */
static void mark_nav_links(struct html_tree *t)
{
    static const char *const words[] = {
        "next", "next page", "previous", "previous page", "prev", "up", "home", "top", "contents",
        "index", "table of contents", NULL,
    };

    for (uint32_t i = 0; i < t->count; i++) {
        struct span s = link_text(t, &t->nodes[i]);
        for (int k = 0; s.n > 0 && words[k] != NULL; k++)
            if (strlen(words[k]) == s.n && strncasecmp(s.p, words[k], s.n) == 0)
                t->nodes[i].marks |= MARK_NAV_LINK;
    }
}

static void drop_links(struct html_tree *t)
{
    mark_nav_links(t);
    html_tree_weigh(t);
    for (uint32_t i = 0; i < t->count;) {
        struct html_node *n = &t->nodes[i];
        if (!(n->marks & MARK_DROPPED) &&
            (is_link_list(n) || is_page_turner(n) || is_permalink(t, n)))
            n->marks |= MARK_DROPPED;
        i = n->marks & MARK_DROPPED ? subtree_end(t, i) : i + 1;
    }
}

/* Is nothing left of what i heads, because it was dropped? The same heading again,
 * or the next term, ends it. */
static bool is_bare(const struct html_tree *t, uint32_t i)
{
    bool dropped = false, term = t->nodes[i].tag == TAG_dt;
    uint32_t k = t->nodes[i].next;

    while (k != NO_NODE && (t->nodes[k].chars == 0 || (t->nodes[k].marks & MARK_DROPPED))) {
        dropped |= (t->nodes[k].marks & MARK_DROPPED) || (term && t->nodes[k].first != NO_NODE);
        k = t->nodes[k].next;
    }
    return dropped && (k == NO_NODE || t->nodes[k].tag == t->nodes[i].tag);
}

/* A heading or term without its section or definition is no text. */
static void drop_bare(struct html_tree *t)
{
    html_tree_weigh(t);
    for (uint32_t i = 0; i < t->count; i++) {
        struct html_node *n = &t->nodes[i];
        bool heads = ((html_how[n->tag] & HOW_HEADING) && n->tag != TAG_h1) || n->tag == TAG_dt;
        if (heads && n->chars > 0 && !(n->marks & MARK_DROPPED) && is_bare(t, i))
            n->marks |= MARK_DROPPED;
    }
}

/* --- the main part --- */

/* The node that says it is the main part, if it holds most of what is left;
 * else all of the page. */
static uint32_t find_main(const struct html_tree *t)
{
    uint32_t best = 0;

    for (uint32_t i = 0; i < t->count;) {
        const struct html_node *n = &t->nodes[i];
        if (n->marks & MARK_DROPPED) {
            i = subtree_end(t, i);
            continue;
        }
        if ((n->marks & MARK_MAIN) && n->chars > t->nodes[0].chars / 2)
            best = i;      /* nested ones: the innermost */
        i++;
    }
    return best;
}

/* The page's title stands outside of the main part:
 * the first h1 before it, if the main part has none. */
static uint32_t title_before(const struct html_tree *t, uint32_t root)
{
    if (root == 0 || (t->nodes[root].marks & MARK_H1))
        return NO_NODE;
    for (uint32_t i = 0; i < root;) {
        const struct html_node *n = &t->nodes[i];
        if (n->tag == TAG_h1 && n->chars > 0 && !(n->marks & MARK_DROPPED) &&
            subtree_end(t, i) <= root)
            return i;
        i = n->marks & MARK_DROPPED ? subtree_end(t, i) : i + 1;
    }
    return NO_NODE;
}

/* --- the end of the text --- */

static const char *const closing_words[] = {
    "copyright", "\xc2\xa9", "(c) ", "last updated", "last modified", "generated by",
    "generated on", "created using", "built with", "powered by", "this page was last",
    "all rights reserved", NULL,
};

/* Takes short closing lines (copyright, date, generator) off the end of what was
 * appended from start on. */
static void trim_closing(struct buf *out, size_t start)
{
    for (;;) {
        size_t at = out->n;
        const char *last;
        bool closing = false;
        while (at > start && !(out->p[at - 1] == '\n' && at > start + 1 && out->p[at - 2] == '\n'))
            at--;
        if (at == start || out->n - at > 200)
            return;
        last = out->p + at + strspn(out->p + at, " -");
        for (int i = 0; closing_words[i] != NULL; i++)
            closing |= strncasecmp(last, closing_words[i], strlen(closing_words[i])) == 0;
        if (!closing)
            return;
        while (at > start && out->p[at - 1] == '\n')
            at--;
        out->n = at;
        out->p[at] = 0;
    }
}

/* One line, white space collapsed. */
static void squeeze(struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        bool space = b->p[i] == ' ' || (b->p[i] >= '\t' && b->p[i] <= '\r');
        if (!space)
            b->p[n++] = b->p[i];
        else if (n > 0 && b->p[n - 1] != ' ')
            b->p[n++] = ' ';
    }
    b->n = n > 0 && b->p[n - 1] == ' ' ? n - 1 : n;
    if (b->p != NULL)
        b->p[b->n] = 0;
}

static void write_main(struct html_tree *t, struct buf *out)
{
    size_t start = out->n;
    uint32_t root, title;

    if (t->count == 0)
        return;
    drop_soft(t);
    drop_links(t);
    drop_bare(t);
    html_tree_weigh(t);
    root = find_main(t);
    title = title_before(t, root);
    if (title != NO_NODE)
        html_write_text(t, title, out);
    if (out->n > start)
        buf_adds(out, "\n\n");
    html_write_text(t, root, out);
    trim_closing(out, start);
    if (out->n > start)
        buf_addc(out, '\n');
}

enum status html_main_text(const char *bytes, size_t n, struct buf *out, struct html_result *result)
{
    struct html_tree t = { .title = result->title };
    struct buf utf8 = { 0 };
    enum status st;

    if (result->title != NULL)
        buf_clear(result->title);
    if (n > 0)
        html_decode((struct span){ bytes, n }, &utf8);
    st = html_tree_build(&t, (struct span){ utf8.p, utf8.n });
    buf_release(&utf8);
    if (st == ST_OK)
        write_main(&t, out);
    if (result->title != NULL)
        squeeze(result->title);
    result->too_deep = t.too_deep;
    html_tree_release(&t);
    return st;
}
