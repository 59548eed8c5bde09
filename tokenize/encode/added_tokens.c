#include "tokenize/encode/added_tokens.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/status.h"

#define NONE UINT32_MAX

struct node {
    uint32_t child, sibling;     /* NONE: none */
    uint32_t token;              /* that ends here, or NONE */
    unsigned char byte;
};
struct added_set {
    struct added_token *tokens;
    struct node *nodes;
    uint32_t token_count, node_count;
    uint32_t root[256];          /* node of a first byte, or NONE */
    bool first[256];             /* begins a token */
    bool looks_back[256];        /* begins a token that looks at what is before it */
    int first_count;             /* of first[] */
    unsigned char only;          /* the last of them that was added */
    size_t longest;              /* bytes of the longest content */
    pcre2_code *word;            /* one character of a word; made when a token wants single_word */
};

struct added_set *added_set_new(void)
{
    struct added_set *s = mem_alloc(sizeof *s);

    for (int i = 0; i < 256; i++)
        s->root[i] = NONE;
    return s;
}

void added_set_free(struct added_set *s)
{
    if (s == NULL)
        return;
    pcre2_code_free(s->word);
    free(s->tokens);
    free(s->nodes);
    free(s);
}

bool added_set_is_empty(const struct added_set *s)
{
    return s->token_count == 0;
}

size_t added_set_longest(const struct added_set *s)
{
    return s->longest;
}

static uint32_t new_node(struct added_set *s, unsigned char byte, uint32_t sibling)
{
    if ((s->node_count & (s->node_count - 1)) == 0)
        s->nodes =
            mem_grow(s->nodes, s->node_count ? 2 * (size_t)s->node_count : 1, sizeof *s->nodes);
    s->nodes[s->node_count] = (struct node){ NONE, sibling, NONE, byte };
    return s->node_count++;
}

static uint32_t find_child(const struct added_set *s, uint32_t node, unsigned char byte)
{
    uint32_t c = s->nodes[node].child;

    while (c != NONE && s->nodes[c].byte != byte)
        c = s->nodes[c].sibling;
    return c;
}

/* The characters of Rust's regex \w, which Hugging Face asks for single_word. */
static void compile_word(struct added_set *s)
{
    int code;
    PCRE2_SIZE where;

    if (s->word != NULL)
        return;
    s->word = pcre2_compile((PCRE2_SPTR) "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}]",
                            PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED, &code,
                            &where, NULL);
    BUG_IF(s->word == NULL);
}

void added_set_add(struct added_set *s, const struct added_token *t, struct span content)
{
    unsigned char first = (unsigned char)content.p[0];
    uint32_t node;

    if (s->root[first] == NONE) {
        s->root[first] = new_node(s, first, NONE);
        s->first[first] = true;
        s->first_count++;
        s->only = first;
    }
    if (content.n > s->longest)
        s->longest = content.n;
    s->looks_back[first] = s->looks_back[first] || t->lstrip || t->single_word;
    node = s->root[first];
    for (size_t i = 1; i < content.n; i++) {
        uint32_t c = find_child(s, node, (unsigned char)content.p[i]);

        if (c == NONE) {
            c = new_node(s, (unsigned char)content.p[i], s->nodes[node].child);
            s->nodes[node].child = c;
        }
        node = c;
    }
    if (s->nodes[node].token != NONE)
        return;
    if (t->single_word)
        compile_word(s);
    s->tokens = mem_grow(s->tokens, (size_t)s->token_count + 1, sizeof *s->tokens);
    s->tokens[s->token_count] = *t;
    s->nodes[node].token = s->token_count++;
}

/* ---- searching ---- */

/* Unicode's White_Space property. */
static bool is_white(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static size_t char_before(struct span text, size_t at)
{
    do
        at--;
    while (((unsigned char)text.p[at] & 0xC0) == 0x80);
    return at;
}

static bool is_word_at(const struct added_set *s, struct span text, size_t at)
{
    pcre2_match_data *found = pcre2_match_data_create(1, NULL);
    int got;

    BUG_IF(found == NULL);
    got = pcre2_match(s->word, (PCRE2_SPTR)text.p, text.n, at, PCRE2_NO_UTF_CHECK, found, NULL);
    pcre2_match_data_free(found);
    return got > 0;
}

static bool touches_word(const struct added_set *s, struct span text, size_t start, size_t end)
{
    return (start > 0 && is_word_at(s, text, char_before(text, start))) ||
           (end < text.n && is_word_at(s, text, end));
}

static size_t strip_left(struct span text, size_t start, size_t least)
{
    while (start > least) {
        size_t before = char_before(text, start);
        uint32_t cp = 0;

        utf8_decode(text.p + before, text.p + start, &cp);
        if (!is_white(cp))
            break;
        start = before;
    }
    return start > least ? start : least;
}

static size_t strip_right(struct span text, size_t end)
{
    while (end < text.n) {
        uint32_t cp = 0;
        size_t n = utf8_decode(text.p + end, text.p + text.n, &cp);

        if (!is_white(cp))
            break;
        end += n;
    }
    return end;
}

/* The longest token that begins at `at`, or NONE; *end is where it ends. */
static uint32_t longest_at(const struct added_set *s, struct span text, size_t at, size_t *end)
{
    uint32_t node = s->root[(unsigned char)text.p[at]], best = NONE;

    while (node != NONE) {
        at++;
        if (s->nodes[node].token != NONE) {
            best = s->nodes[node].token;
            *end = at;
        }
        node = at < text.n ? find_child(s, node, (unsigned char)text.p[at]) : NONE;
    }
    return best;
}

/* The next place from `at` on where a token may begin, or text.n. */
static size_t next_first(const struct added_set *s, struct span text, size_t at)
{
    if (s->first_count == 1) {
        const char *p = memchr(text.p + at, s->only, text.n - at);

        return p ? (size_t)(p - text.p) : text.n;
    }
    while (at < text.n && !s->first[(unsigned char)text.p[at]])
        at++;
    return at;
}

bool added_set_next(const struct added_set *s, struct added_search *search, bool specials,
                    struct added_match *m)
{
    struct span text = search->text;

    if (s->token_count == 0)
        return false;
    while (search->from < text.n &&
           (search->from = next_first(s, text, search->from)) < text.n) {
        size_t start = search->from, end = start;
        uint32_t found = longest_at(s, text, start, &end);
        const struct added_token *t = found != NONE ? &s->tokens[found] : NULL;

        search->from = t ? end : start + 1;
        if (t == NULL || (t->special && !specials) ||
            (t->single_word && touches_word(s, text, start, end)))
            continue;
        m->id = t->id;
        m->start = t->lstrip ? strip_left(text, start, search->done) : start;
        m->end = t->rstrip ? strip_right(text, end) : end;
        if (m->end <= m->start)      /* all of it went to the token before it */
            continue;
        search->done = m->end;
        return true;
    }
    return false;
}

/* Does a token that begins at `from` go across `at`, or end there and look at what follows? */
static bool crosses(const struct added_set *s, struct span text, size_t from, size_t at)
{
    uint32_t node = s->root[(unsigned char)text.p[from]];

    for (size_t i = from + 1; node != NONE; i++) {
        uint32_t token = s->nodes[node].token;

        if (i == at && token != NONE && (s->tokens[token].rstrip || s->tokens[token].single_word))
            return true;
        if (i > at)
            return true;
        node = find_child(s, node, (unsigned char)text.p[i]);
    }
    return false;
}

bool added_set_allows_cut(const struct added_set *s, struct span text, size_t at)
{
    size_t from = at > s->longest ? at - s->longest : 0;

    if (s->token_count == 0)
        return true;
    if (s->looks_back[(unsigned char)text.p[at]])
        return false;
    for (; (from = next_first(s, (struct span){ text.p, at }, from)) < at; from++)
        if (crosses(s, text, from, at))
            return false;
    return true;
}
