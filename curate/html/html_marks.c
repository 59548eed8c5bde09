#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "curate/html/html_part.h"

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

static bool is_html_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

/* The next word of an attribute's value, and *value behind it; empty at the end. Not strspn: a checked build
 * measures the whole string at every call, and a value may hold a million words. */
static struct span next_name(const char **value)
{
    const char *p = *value, *end;

    while (is_html_space(*p))
        p++;
    for (end = p; *end != 0 && !is_html_space(*end);)
        end++;
    *value = end;
    return (struct span){ p, (size_t)(end - p) };
}

/* The same, in lower case; false at the end. A word too long to matter comes out cut. */
static bool next_word(const char **value, char word[WORD_MAX])
{
    struct span name = next_name(value);
    size_t keep = name.n < WORD_MAX - 1 ? name.n : WORD_MAX - 1;

    for (size_t i = 0; i < keep; i++)
        word[i] = (char)tolower((unsigned char)name.p[i]);
    word[keep] = 0;
    return name.n > 0;
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

/* --- parts of words --- */

/* What sites make names of themselves of: "article-body", "story__share", "relatedPosts". A word is cut at what is no
 * letter and before capitals, and its parts looked up here. Sorted. */
enum part_kind {
    PART_DROP = 1,         /* beside the text, and dropped unless it holds most of the page */
    PART_SURE = 2,         /* and dropped even then */
    PART_COMMENT = 4,      /* what readers wrote below: dropped unless nothing else is there */
    PART_ARTICLE = 8,      /* with PART_BODY: the text itself */
    PART_BODY = 16,
    PART_MODIFIER = 32,    /* what follows is about the layout or the subject ("has-sidebar", "tag-related") */
};
static const struct {
    const char *word;
    unsigned kinds;
} name_parts[] = {
    { "active", PART_MODIFIER }, { "ad", PART_DROP }, { "adbox", PART_DROP },
    { "addthis", PART_DROP | PART_SURE }, { "addtoany", PART_DROP | PART_SURE },
    { "ads", PART_DROP }, { "adsense", PART_DROP | PART_SURE }, { "adslot", PART_DROP },
    { "adunit", PART_DROP }, { "advert", PART_DROP }, { "advertise", PART_DROP },
    { "advertisement", PART_DROP }, { "advertisements", PART_DROP }, { "advertising", PART_DROP },
    { "affiliate", PART_DROP }, { "article", PART_ARTICLE },
    { "articlebody", PART_ARTICLE | PART_BODY }, { "articlebodytext", PART_ARTICLE | PART_BODY },
    { "articlecontent", PART_ARTICLE | PART_BODY }, { "articletext", PART_ARTICLE | PART_BODY },
    { "author", PART_DROP }, { "authors", PART_DROP }, { "banner", PART_DROP },
    { "bio", PART_DROP }, { "blog", PART_ARTICLE }, { "blogcontent", PART_ARTICLE | PART_BODY },
    { "blogpost", PART_ARTICLE | PART_BODY }, { "body", PART_BODY }, { "breadcrumb", PART_DROP },
    { "breadcrumbs", PART_DROP }, { "byline", PART_DROP }, { "bylines", PART_DROP },
    { "caption", PART_DROP }, { "captions", PART_DROP }, { "carousel", PART_DROP },
    { "category", PART_MODIFIER }, { "col", PART_MODIFIER }, { "comment", PART_COMMENT },
    { "commentlist", PART_COMMENT }, { "comments", PART_COMMENT },
    { "consent", PART_DROP | PART_SURE }, { "content", PART_BODY }, { "contents", PART_BODY },
    { "cookie", PART_DROP | PART_SURE }, { "cookies", PART_DROP | PART_SURE },
    { "copy", PART_BODY }, { "credit", PART_DROP }, { "credits", PART_DROP },
    { "crosslinks", PART_DROP }, { "crp", PART_DROP }, { "date", PART_DROP },
    { "datetime", PART_DROP }, { "discussion", PART_COMMENT }, { "disqus", PART_COMMENT },
    { "donate", PART_DROP }, { "donation", PART_DROP }, { "dropdown", PART_DROP },
    { "enable", PART_MODIFIER }, { "enabled", PART_MODIFIER }, { "entry", PART_ARTICLE },
    { "entrybody", PART_ARTICLE | PART_BODY }, { "entrycontent", PART_ARTICLE | PART_BODY },
    { "entrytext", PART_ARTICLE | PART_BODY }, { "eyebrow", PART_DROP },
    { "feedback", PART_DROP }, { "follow", PART_DROP }, { "footer", PART_DROP },
    { "format", PART_MODIFIER }, { "gallery", PART_DROP }, { "gdpr", PART_DROP | PART_SURE },
    { "has", PART_MODIFIER }, { "hide", PART_MODIFIER }, { "interesting", PART_DROP },
    { "is", PART_MODIFIER }, { "jp", PART_DROP }, { "js", PART_MODIFIER },
    { "jwplayer", PART_DROP }, { "kicker", PART_DROP }, { "layout", PART_MODIFIER },
    { "lightbox", PART_DROP }, { "linklist", PART_DROP }, { "login", PART_DROP },
    { "marginalspalten", PART_DROP }, { "masthead", PART_DROP }, { "menu", PART_DROP },
    { "meta", PART_DROP }, { "modal", PART_DROP }, { "morelinks", PART_DROP },
    { "morestories", PART_DROP }, { "mostread", PART_DROP }, { "nav", PART_DROP },
    { "navbar", PART_DROP }, { "navigation", PART_DROP }, { "news", PART_ARTICLE },
    { "newsbody", PART_ARTICLE | PART_BODY }, { "newscontent", PART_ARTICLE | PART_BODY },
    { "newsletter", PART_DROP | PART_SURE }, { "newsletters", PART_DROP | PART_SURE },
    { "newstext", PART_ARTICLE | PART_BODY }, { "nextpost", PART_DROP }, { "no", PART_MODIFIER },
    { "open", PART_MODIFIER }, { "outbrain", PART_DROP | PART_SURE }, { "overlay", PART_DROP },
    { "pager", PART_DROP }, { "pagination", PART_DROP }, { "paging", PART_DROP },
    { "photocredit", PART_DROP }, { "pinterest", PART_DROP }, { "poll", PART_DROP },
    { "popover", PART_DROP }, { "popular", PART_DROP }, { "popup", PART_DROP },
    { "post", PART_ARTICLE }, { "postbody", PART_ARTICLE | PART_BODY },
    { "postcontent", PART_ARTICLE | PART_BODY }, { "postnav", PART_DROP },
    { "posttext", PART_ARTICLE | PART_BODY }, { "prevpost", PART_DROP }, { "promo", PART_DROP },
    { "promobox", PART_DROP }, { "promos", PART_DROP }, { "promoted", PART_DROP },
    { "promotion", PART_DROP }, { "pubdate", PART_DROP }, { "publishdate", PART_DROP },
    { "rating", PART_DROP }, { "ratings", PART_DROP }, { "reactions", PART_DROP },
    { "readmore", PART_DROP }, { "readnext", PART_DROP }, { "recirc", PART_DROP },
    { "recirculation", PART_DROP }, { "recommend", PART_DROP }, { "recommendation", PART_DROP },
    { "recommendations", PART_DROP }, { "recommended", PART_DROP }, { "recommends", PART_DROP },
    { "register", PART_DROP }, { "related", PART_DROP }, { "relateds", PART_DROP },
    { "relation", PART_DROP }, { "relations", PART_DROP }, { "replies", PART_COMMENT },
    { "respond", PART_COMMENT }, { "row", PART_MODIFIER }, { "share", PART_DROP },
    { "sharebar", PART_DROP }, { "sharedaddy", PART_DROP | PART_SURE }, { "sharer", PART_DROP },
    { "shares", PART_DROP }, { "sharethis", PART_DROP | PART_SURE }, { "sharing", PART_DROP },
    { "show", PART_MODIFIER }, { "sidebar", PART_DROP }, { "signup", PART_DROP },
    { "single", PART_ARTICLE }, { "slideshow", PART_DROP }, { "snippets", PART_DROP },
    { "social", PART_DROP }, { "socials", PART_DROP }, { "sponsor", PART_DROP },
    { "sponsored", PART_DROP }, { "sponsors", PART_DROP }, { "status", PART_MODIFIER },
    { "story", PART_ARTICLE }, { "storybody", PART_ARTICLE | PART_BODY },
    { "storycontent", PART_ARTICLE | PART_BODY }, { "storytext", PART_ARTICLE | PART_BODY },
    { "subscribe", PART_DROP }, { "subscription", PART_DROP }, { "supports", PART_MODIFIER },
    { "survey", PART_DROP }, { "taboola", PART_DROP | PART_SURE }, { "tag", PART_MODIFIER },
    { "tagcloud", PART_DROP }, { "tags", PART_DROP }, { "talkback", PART_COMMENT },
    { "teaser", PART_DROP }, { "teasers", PART_DROP }, { "text", PART_BODY },
    { "ticker", PART_DROP }, { "timestamp", PART_DROP }, { "toolbar", PART_DROP },
    { "tooltip", PART_DROP }, { "trending", PART_DROP }, { "type", PART_MODIFIER },
    { "upnext", PART_DROP }, { "voting", PART_DROP }, { "whatsapp", PART_DROP },
    { "with", PART_MODIFIER }, { "without", PART_MODIFIER }, { "yarpp", PART_DROP },
};

static unsigned kinds_of_part(const char *part)
{
    size_t low = 0, high = sizeof name_parts / sizeof name_parts[0];

    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(part, name_parts[mid].word);
        if (order == 0)
            return name_parts[mid].kinds;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return 0;
}

/* The next part of the word that ends at `end`, in lower case. */
static bool next_part(const char **at, const char *end, char part[WORD_MAX])
{
    const char *p = *at;
    size_t n = 0;

    for (; p < end && !isalpha((unsigned char)*p); p++)
        if (p[0] == '-' && p + 1 < end && p[1] == '-')      /* block--modifier */
            p = end - 1;
    for (; p < end && isalpha((unsigned char)*p); p++) {
        if (n > 0 && isupper((unsigned char)*p) && islower((unsigned char)p[-1]))
            break;
        if (n < WORD_MAX - 1)
            part[n++] = (char)tolower((unsigned char)*p);
    }
    part[n] = 0;
    *at = p;
    return n > 0;
}

static unsigned marks_of_parts(const char *value)
{
    unsigned marks = 0;

    for (struct span name; (name = next_name(&value)).n > 0;) {
        unsigned kinds = 0, part_kinds;
        char part[WORD_MAX];

        while (next_part(&name.p, value, part)) {
            part_kinds = kinds_of_part(part);
            if (part_kinds & PART_MODIFIER)
                break;
            kinds |= part_kinds;
        }
        if (kinds & PART_COMMENT)
            marks |= MARK_COMMENT;
        else if (kinds & PART_DROP)
            marks |= MARK_SOFT | MARK_BY_PART | (kinds & PART_SURE ? MARK_SURE : 0);
        else if ((kinds & PART_ARTICLE) && (kinds & PART_BODY))
            marks |= MARK_TEXT;
    }
    return marks;
}

/* Is it an inline style or attribute by which nothing is shown? */
static bool hides(const char *style)
{
    const char *p = strcasestr(style, "display");

    return p != NULL && strncasecmp(p + 7 + strspn(p + 7, " :"), "none", 4) == 0;
}

static unsigned marks_of_class(const char *value)
{
    unsigned kinds = class_kinds(value), marks = marks_of_parts(value);

    if (kinds & WORD_MAIN)
        return MARK_MAIN | (marks & MARK_TEXT);
    if ((kinds & WORD_SOFT) || ((kinds & WORD_CONTENTS) && (kinds & WORD_LOCAL)))
        return MARK_SOFT | (kinds & WORD_SURE ? MARK_SURE : 0);
    if (kinds & WORD_HEADER)
        return MARK_SOFT | MARK_HEADER;
    if ((kinds & WORD_NOTE) || ((marks & MARK_SOFT) && (marks & MARK_TEXT)))
        return marks & MARK_TEXT;
    return marks;
}

static unsigned known_class(struct html_seen *seen, const char *value)
{
    uint64_t hash = xxh3(value, strlen(value)) | 1;
    size_t slot = (hash >> 8) % HTML_SEEN;

    if (seen->value[slot] != hash) {
        seen->value[slot] = hash;
        seen->marks[slot] = marks_of_class(value);
    }
    return seen->marks[slot];
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

static unsigned marks_of_attribute(struct html_seen *seen, enum html_tag tag, const char *name, const char *value)
{
    if (strcmp(name, "class") == 0 || strcmp(name, "itemprop") == 0)
        return known_class(seen, value);
    if (strcmp(name, "role") == 0)
        return marks_of_role(value);
    if (strcmp(name, "aria-hidden") == 0 && strcmp(value, "true") == 0)
        return MARK_SOFT;
    if (strcmp(name, "style") == 0 && hides(value))
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

/* An id says what its element is, but generators make ids of sections from their headings: what is named so in whole words may be
 * one (MARK_BY_ID), and of a section only that counts. */
static unsigned marks_of_id(struct html_seen *seen, enum html_tag tag, const char *value, const char *class)
{
    unsigned exact = class_kinds(value), marks = known_class(seen, value);
    bool section = tag == TAG_section || (class != NULL && strncmp(class, "sect", 4) == 0);

    if (exact == 0 && section)
        return 0;
    return marks | (exact != 0 && (marks & MARK_SOFT) ? MARK_BY_ID : 0);
}

unsigned html_marks_of(struct html_seen *seen, enum html_tag tag, const unsigned char *const *attributes)
{
    unsigned marks =
        (html_how[tag] & HOW_SOFT ? MARK_SOFT : 0) | (html_how[tag] & HOW_SURE ? MARK_SURE : 0);
    const char *id = NULL, *class = NULL;
    unsigned by_id;

    if (tag == TAG_main)
        marks |= MARK_MAIN;
    if (tag == TAG_header)
        marks |= MARK_HEADER;
    if (tag == TAG_aside && is_note(attributes))
        marks = 0;
    for (; attributes != NULL && attributes[0] != NULL; attributes += 2) {
        const char *name = (const char *)attributes[0], *value = (const char *)attributes[1];
        if (strcmp(name, "class") == 0)
            class = value;
        if (strcmp(name, "hidden") == 0)
            marks |= MARK_SOFT;
        else if (value != NULL && strcmp(name, "id") == 0)
            id = value;
        else if (value != NULL)
            marks |= marks_of_attribute(seen, tag, name, value);
    }
    by_id = id != NULL ? marks_of_id(seen, tag, id, class) : 0;
    if (marks & MARK_SOFT)
        by_id &= ~(unsigned)MARK_BY_ID;
    marks |= by_id;
    if (tag == TAG_html || tag == TAG_body || tag == TAG_main ||
        ((marks & (MARK_MAIN | MARK_TEXT)) && tag != TAG_article))
        marks &= ~(unsigned)(MARK_SOFT | MARK_HEADER | MARK_COMMENT);
    if (tag == TAG_article)
        marks &= ~(unsigned)MARK_SURE;
    if (!(html_how[tag] & HOW_BLOCK))
        marks &= ~(unsigned)(MARK_TEXT | MARK_COMMENT);
    return marks;
}
