#include "curate/text/word_lookup.h"

#include <pthread.h>
#include <string.h>

#include "base/status.h"
#include "curate/text/text_scan.h"

#define SPECIAL_SLOTS 4096
#define SPECIAL_BITS 0x10000
#define UNIT_SLOTS 512
#define TOKEN_SLOTS 1024
#define EDGE_SLOTS 4096
#define TOKENS_MAX 512
#define NODES_MAX 1024
#define MIX UINT64_C(0x9E3779B97F4A7C15)

struct token_name {
    const char *p;
    uint8_t n;
};
struct word_lookup {
    uint64_t edges[256 * 256 / 64];             /* first and last byte of special texts */
    uint64_t hashes[SPECIAL_BITS / 64];         /* some bits of the hash of each */
    uint16_t specials[SPECIAL_SLOTS];           /* index + 1; 0: free */
    uint16_t units[UNIT_SLOTS];
    uint16_t tokens[TOKEN_SLOTS];
    struct token_name names[TOKENS_MAX];        /* from 1 */
    uint32_t token_count;
    struct {
        uint32_t key;                           /* node * TOKENS_MAX + token; 0: free */
        uint16_t node;
    } next[EDGE_SLOTS];
    const struct word_special *complete[NODES_MAX];
    uint32_t node_count;
};

static struct word_lookup lookup;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t slot_of(uint64_t hash, size_t slots) { return (hash * MIX) >> 40 & (slots - 1); }

static size_t bit_of(uint64_t hash) { return (hash * MIX) >> 48; }

static bool name_is(const char *name, const char *p, size_t n)
{
    return strlen(name) == n && memcmp(name, p, n) == 0;
}

/* ---- making ---- */

static void add_special(size_t index)
{
    const char *text = word_specials[index].text;
    size_t n = strlen(text), at = slot_of(text_hash(text, n), SPECIAL_SLOTS);
    size_t edge = (unsigned char)text[0] * 256u + (unsigned char)text[n - 1];

    BUG_IF(n > WORD_SPECIAL_MAX || index >= SPECIAL_SLOTS / 2);
    while (lookup.specials[at] != 0)
        at = (at + 1) & (SPECIAL_SLOTS - 1);
    lookup.specials[at] = (uint16_t)(index + 1);
    lookup.hashes[bit_of(text_hash(text, n)) / 64] |= UINT64_C(1) << bit_of(text_hash(text, n)) % 64;
    lookup.edges[edge / 64] |= UINT64_C(1) << edge % 64;
}

static void add_unit(size_t index)
{
    const char *text = word_units[index];
    size_t at = slot_of(text_hash(text, strlen(text)), UNIT_SLOTS);

    BUG_IF(index >= UNIT_SLOTS / 2);
    while (lookup.units[at] != 0)
        at = (at + 1) & (UNIT_SLOTS - 1);
    lookup.units[at] = (uint16_t)(index + 1);
}

static unsigned add_token(const char *p, size_t n)
{
    size_t at = slot_of(text_hash(p, n), TOKEN_SLOTS);
    unsigned known = word_phrase_token(&lookup, p, n, text_hash(p, n));

    if (known)
        return known;
    BUG_IF(n > WORD_PHRASE_TOKEN_MAX || lookup.token_count + 1 >= TOKENS_MAX);
    while (lookup.tokens[at] != 0)
        at = (at + 1) & (TOKEN_SLOTS - 1);
    lookup.names[++lookup.token_count] = (struct token_name){ p, (uint8_t)n };
    lookup.tokens[at] = (uint16_t)lookup.token_count;
    return lookup.token_count;
}

static unsigned add_node(unsigned node, unsigned token)
{
    uint32_t key = node * TOKENS_MAX + token;
    size_t at = slot_of(key, EDGE_SLOTS);
    unsigned known = word_phrase_next(&lookup, node, token);

    if (known)
        return known;
    BUG_IF(lookup.node_count + 1 >= NODES_MAX);
    while (lookup.next[at].key != 0)
        at = (at + 1) & (EDGE_SLOTS - 1);
    lookup.next[at].key = key;
    lookup.next[at].node = (uint16_t)++lookup.node_count;
    return lookup.node_count;
}

static void add_phrase(const struct word_phrase *phrase)
{
    const char *p = phrase->text;
    unsigned node = WORD_PHRASE_ROOT;
    size_t n = strlen(p);

    for (const char *piece = phrase->pieces; *piece; p += *piece++)
        node = add_node(node, add_token(p, (size_t)*piece));
    lookup.complete[node] = word_special_find(&lookup, phrase->text, n, text_hash(phrase->text, n), true);
    BUG_IF(lookup.complete[node] == NULL || p != phrase->text + n);
}

static void make(void)
{
    lookup.node_count = WORD_PHRASE_ROOT;
    for (size_t i = 0; word_specials[i].text; i++)
        add_special(i);
    for (size_t i = 0; word_units[i]; i++)
        add_unit(i);
    for (size_t i = 0; word_phrases[i].text; i++)
        add_phrase(&word_phrases[i]);
}

const struct word_lookup *word_lookup_init(void)
{
    pthread_once(&once, make);
    return &lookup;
}

/* ---- asking ---- */

bool word_may_be_special(const struct word_lookup *l, const char *p, size_t n)
{
    size_t edge = (unsigned char)p[0] * 256u + (unsigned char)p[n - 1];

    return n <= WORD_SPECIAL_MAX && (l->edges[edge / 64] >> edge % 64 & 1);
}

bool word_hash_may_be_special(const struct word_lookup *l, uint64_t hash)
{
    return l->hashes[bit_of(hash) / 64] >> bit_of(hash) % 64 & 1;
}

const struct word_special *word_special_find(const struct word_lookup *l, const char *p, size_t n, uint64_t hash, bool english)
{
    size_t at = slot_of(hash, SPECIAL_SLOTS);

    for (; l->specials[at] != 0; at = (at + 1) & (SPECIAL_SLOTS - 1)) {
        const struct word_special *s = &word_specials[l->specials[at] - 1];

        if (name_is(s->text, p, n))
            return english || s->base ? s : NULL;
    }
    return NULL;
}

bool word_is_unit(const struct word_lookup *l, const char *p, size_t n)
{
    size_t at = slot_of(text_hash(p, n), UNIT_SLOTS);

    for (; l->units[at] != 0; at = (at + 1) & (UNIT_SLOTS - 1))
        if (name_is(word_units[l->units[at] - 1], p, n))
            return true;
    return false;
}

unsigned word_phrase_token(const struct word_lookup *l, const char *p, size_t n, uint64_t hash)
{
    size_t at = slot_of(hash, TOKEN_SLOTS);

    for (; l->tokens[at] != 0; at = (at + 1) & (TOKEN_SLOTS - 1)) {
        const struct token_name *name = &l->names[l->tokens[at]];

        if (name->n == n && memcmp(name->p, p, n) == 0)
            return l->tokens[at];
    }
    return 0;
}

unsigned word_phrase_next(const struct word_lookup *l, unsigned node, unsigned token)
{
    uint32_t key = node * TOKENS_MAX + token;
    size_t at = slot_of(key, EDGE_SLOTS);

    for (; l->next[at].key != 0; at = (at + 1) & (EDGE_SLOTS - 1))
        if (l->next[at].key == key)
            return l->next[at].node;
    return 0;
}

const struct word_special *word_phrase_at(const struct word_lookup *l, unsigned node) { return l->complete[node]; }
