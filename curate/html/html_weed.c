#include <string.h>
#include <strings.h>

#include "curate/html/html_part.h"


static bool is_below(const struct html_tree *t, uint32_t i, enum html_tag tag)
{
    for (i = t->nodes[i].parent; i != NO_NODE; i = t->nodes[i].parent)
        if (t->nodes[i].tag == tag)
            return true;
    return false;
}

uint32_t html_subtree_end(const struct html_tree *t, uint32_t i)
{
    while (i != NO_NODE && t->nodes[i].next == NO_NODE)
        i = t->nodes[i].parent;
    return i == NO_NODE ? (uint32_t)t->count : t->nodes[i].next;
}

/* Does n stay although it asked to be dropped? A header with the title in it, a section whose id says "navigation" for its heading
 * does, what holds most of the page's words outside links (a page wrapped in a form), or its text (a navigation that does not end). */
static bool stays(const struct html_tree *t, uint32_t i, uint32_t words)
{
    const struct html_node *n = &t->nodes[i];

    if ((n->marks & MARK_HOLDS) || (!(n->marks & MARK_SURE) && n->chars - n->link_chars > words / 2))
        return true;
    if ((n->marks & MARK_BY_ID) && (n->marks & MARK_HEADING))
        return true;
    return (n->marks & MARK_HEADER) &&
           ((n->marks & MARK_H1) || is_below(t, i, TAG_main) || is_below(t, i, TAG_article));
}

/* Elements that asked to be dropped are; if lenient, only those that are sure. */
static void drop_soft(struct html_tree *t, bool lenient)
{
    const unsigned asked = lenient ? MARK_SURE : MARK_SOFT;
    uint32_t words = t->nodes[0].chars - t->nodes[0].link_chars;

    for (uint32_t i = 0; i < t->count;) {
        struct html_node *n = &t->nodes[i];
        bool drop = (n->marks & asked) && !stays(t, i, words);
        if (drop)
            n->marks |= MARK_DROPPED;
        i = drop || (n->marks & MARK_DROPPED) ? html_subtree_end(t, i) : i + 1;
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

/* Is the last thing before i a heading? */
static bool is_headed(const struct html_tree *t, uint32_t i)
{
    uint32_t k = i;

    while (k > 0) {
        uint32_t parent = t->nodes[i].parent;
        if (--k == parent) {       /* nothing before it beside it */
            i = k;
            continue;
        }
        while (t->nodes[k].parent != parent)
            k = t->nodes[k].parent;
        if (t->nodes[k].chars > 0)
            return (html_how[t->nodes[k].tag] & HOW_HEADING) != 0;
        if (t->nodes[k].tag != TAG_text)
            return false;
    }
    return false;
}

/* A paragraph of its own that is one link to something else, between others. */
static bool is_link_line(const struct html_tree *t, uint32_t i)
{
    const struct html_node *n = &t->nodes[i];

    return (n->tag == TAG_p || n->tag == TAG_div) && n->links > 0 && n->links < 3 && n->own == n->chars && n->chars >= 12 &&
           n->link_chars * 10ull >= n->chars * 9ull && i > 0 && t->nodes[0].prose > 0 && !is_headed(t, i);
}

/* A picture's caption; that of a table or a listing in a <figure> stays. */
static bool is_picture_caption(const struct html_tree *t, const struct html_node *n)
{
    return n->tag == TAG_figcaption && n->parent != NO_NODE && t->nodes[n->parent].chars == n->chars;
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
            (is_link_list(n) || is_page_turner(n) || is_permalink(t, n) || is_link_line(t, i) ||
             is_picture_caption(t, n)))
            n->marks |= MARK_DROPPED;
        i = n->marks & MARK_DROPPED ? html_subtree_end(t, i) : i + 1;
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

/* Comments go where anything else is left to be read. */
static void drop_comments(struct html_tree *t)
{
    uint64_t comments = 0, left = t->nodes[0].chars - t->nodes[0].link_chars;

    for (uint32_t i = 0; i < t->count;) {
        const struct html_node *n = &t->nodes[i];
        bool counted = (n->marks & (MARK_COMMENT | MARK_DROPPED)) != 0;
        if ((n->marks & MARK_COMMENT) && !(n->marks & MARK_DROPPED))
            comments += n->chars - n->link_chars;
        i = counted ? html_subtree_end(t, i) : i + 1;
    }
    for (uint32_t i = 0; i < t->count && comments + TEXT_LEAST < left; i++)
        if (t->nodes[i].marks & MARK_COMMENT)
            t->nodes[i].marks |= MARK_DROPPED;
}

static void weed(struct html_tree *t, bool lenient)
{
    drop_comments(t);
    html_tree_weigh(t);
    drop_soft(t, lenient);
    drop_links(t);
    drop_bare(t);
    html_tree_weigh(t);
}

void html_weed(struct html_tree *t)
{
    uint64_t prose = t->nodes[0].prose;

    weed(t, false);
    if (prose < 2 * TEXT_LEAST || t->nodes[0].prose >= TEXT_LEAST || t->nodes[0].prose * 4ull > prose)
        return;
    for (size_t i = 0; i < t->count; i++)      /* the names misled: once more without believing them */
        t->nodes[i].marks &= ~(uint32_t)MARK_DROPPED;
    html_tree_weigh(t);
    weed(t, true);
}
