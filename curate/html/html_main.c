#include "curate/html/html_part.h"

/* What a part says it is, from the weakest word to the strongest. */
enum claim { CLAIM_MAIN, CLAIM_ARTICLE, CLAIM_TEXT };

static bool claims(const struct html_node *n, enum claim claim)
{
    switch (claim) {
    case CLAIM_MAIN:
        return (n->marks & MARK_MAIN) != 0;
    case CLAIM_ARTICLE:
        return n->tag == TAG_article;
    default:
        return (n->marks & MARK_TEXT) != 0;
    }
}

/* Each node's `n` becomes the prose below it that stands in parts with this claim. */
static void weigh_claim(struct html_tree *t, enum claim claim)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->nodes[i].tag != TAG_text)
            t->nodes[i].n = 0;
    for (size_t i = t->count; i-- > 0;) {
        struct html_node *n = &t->nodes[i];
        if (n->tag == TAG_text || (n->marks & MARK_DROPPED))
            continue;
        if (claims(n, claim))
            n->n = n->prose;
        if (n->parent != NO_NODE)
            t->nodes[n->parent].n += n->n;
    }
}

static uint32_t weight_of(const struct html_tree *t, uint32_t i)
{
    return t->nodes[i].tag == TAG_text || (t->nodes[i].marks & MARK_DROPPED) ? 0 : t->nodes[i].n;
}

/* The child with the most of the claimed prose; NO_NODE: none has any. */
static uint32_t heaviest(const struct html_tree *t, uint32_t i)
{
    uint32_t best = NO_NODE, most = 0;

    for (uint32_t k = t->nodes[i].first; k != NO_NODE; k = t->nodes[k].next)
        if (weight_of(t, k) > most) {
            most = weight_of(t, k);
            best = k;
        }
    return best;
}

/* Where several parts beside each other claim to be a whole article, the first that is long enough: what follows are others,
 * as pages have them that go on for ever. */
static uint32_t first_article(const struct html_tree *t, uint32_t i, enum claim claim)
{
    uint32_t first = NO_NODE, count = 0;

    for (uint32_t k = t->nodes[i].first; k != NO_NODE; k = t->nodes[k].next) {
        bool whole = claim == CLAIM_ARTICLE || (t->nodes[k].marks & MARK_H1);
        if (!whole || weight_of(t, k) < 400 || weight_of(t, k) * 10ull < t->nodes[i].n)
            continue;
        if (count++ == 0)
            first = k;
    }
    return count > 1 ? first : NO_NODE;
}

/* Down from root to the part that makes this claim and holds most of what is claimed. */
static uint32_t follow_claim(struct html_tree *t, uint32_t root, enum claim claim)
{
    uint32_t i = root, found = root;

    weigh_claim(t, claim);
    if (t->nodes[root].n * 3ull < t->nodes[root].prose || t->nodes[root].n == 0)
        return root;
    for (;;) {
        uint32_t best = heaviest(t, i), first;
        if (best == NO_NODE)
            break;
        if (weight_of(t, best) * 10ull < t->nodes[i].n * 8ull) {
            first = first_article(t, i, claim);
            if (first == NO_NODE)
                return i;
            best = first;
        }
        i = best;
        if (claims(&t->nodes[i], claim))
            found = i;
    }
    return found;
}

static bool is_container(enum html_tag tag)
{
    return tag == TAG_html || tag == TAG_body || tag == TAG_div || tag == TAG_section || tag == TAG_article ||
           tag == TAG_main || tag == TAG_table || tag == TAG_tbody || tag == TAG_tr || tag == TAG_td ||
           tag == TAG_center || tag == TAG_form || tag == TAG_fieldset;
}

/* Nothing claims to be the text: down as long as one part holds nearly all prose. */
static uint32_t follow_prose(const struct html_tree *t, uint32_t root)
{
    for (;;) {
        uint32_t best = NO_NODE, most = 0;
        for (uint32_t k = t->nodes[root].first; k != NO_NODE; k = t->nodes[k].next)
            if (t->nodes[k].tag != TAG_text && !(t->nodes[k].marks & MARK_DROPPED) && t->nodes[k].prose > most) {
                most = t->nodes[k].prose;
                best = k;
            }
        if (best == NO_NODE || !is_container(t->nodes[best].tag) || most * 10ull < t->nodes[root].prose * 8ull)
            return root;
        root = best;
    }
}

/* The page's title stands outside of the main part: the last h1 before it (the first one is the site's), if the main part has none. */
static uint32_t title_before(const struct html_tree *t, uint32_t root)
{
    uint32_t title = NO_NODE;

    if (root == 0 || (t->nodes[root].marks & MARK_H1))
        return NO_NODE;
    for (uint32_t i = 0; i < root;) {
        const struct html_node *n = &t->nodes[i];
        bool h1 = n->tag == TAG_h1 && n->chars > 0 && !(n->marks & MARK_DROPPED);
        if (h1 && html_subtree_end(t, i) <= root)
            title = i;
        i = h1 || (n->marks & MARK_DROPPED) ? html_subtree_end(t, i) : i + 1;
    }
    return title;
}

/* Drops all beside the ways from the top to the main part and to the title. */
static void keep_only(struct html_tree *t, uint32_t root, uint32_t title)
{
    uint32_t end = html_subtree_end(t, root), title_end = title != NO_NODE ? html_subtree_end(t, title) : 0;

    for (uint32_t i = 0; i < t->count;) {
        uint32_t next = html_subtree_end(t, i);
        bool above = (i <= root && next >= end) || (title != NO_NODE && i <= title && next >= title_end);
        bool inside = (i >= root && i < end) || (title != NO_NODE && i >= title && i < title_end);
        if (inside) {
            i = next;
        } else if (above) {
            i++;
        } else {
            t->nodes[i].marks |= MARK_DROPPED;
            i = next;
        }
    }
}

/* With all above it? */
static bool is_dropped(const struct html_tree *t, uint32_t i)
{
    for (; i != NO_NODE; i = t->nodes[i].parent)
        if (t->nodes[i].marks & MARK_DROPPED)
            return true;
    return false;
}

/* Teasers of other articles inside of this one. */
static void drop_teasers(struct html_tree *t, uint32_t root)
{
    for (uint32_t i = root + 1, end = html_subtree_end(t, root); i < end; i++) {
        struct html_node *n = &t->nodes[i];
        if (n->tag == TAG_article && n->links > 0 && n->chars * 5ull < t->nodes[root].chars &&
            (n->prose == 0 || n->link_chars * 3ull > n->chars))
            n->marks |= MARK_DROPPED;
    }
}

/* Headings at the end, of which nothing is left. */
static void drop_last_headings(struct html_tree *t, uint32_t root)
{
    for (uint32_t i = html_subtree_end(t, root); i-- > root;) {
        struct html_node *n = &t->nodes[i];
        uint32_t k = i;
        if (n->tag != TAG_text || n->chars == 0)
            continue;
        while (k > root && !(html_how[t->nodes[k].tag] & (HOW_BLOCK | HOW_LINE)))
            k = t->nodes[k].parent;
        if (is_dropped(t, i))
            continue;
        if (!(html_how[t->nodes[k].tag] & HOW_HEADING) || t->nodes[k].tag == TAG_h1)
            return;
        t->nodes[k].marks |= MARK_DROPPED;
    }
}

void html_find_main(struct html_tree *t)
{
    uint32_t root = 0;

    for (int claim = CLAIM_MAIN; claim <= CLAIM_TEXT; claim++)
        root = follow_claim(t, root, (enum claim)claim);
    if (root == 0)
        root = follow_prose(t, root);
    for (size_t i = 0; i < t->count; i++)
        if (t->nodes[i].tag != TAG_text)
            t->nodes[i].at = t->nodes[i].n = 0;
    drop_teasers(t, root);
    drop_last_headings(t, root);
    keep_only(t, root, title_before(t, root));
    html_tree_weigh(t);
}
