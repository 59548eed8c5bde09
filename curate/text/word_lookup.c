#include "curate/text/word_lookup.h"

#include <pthread.h>
#include <string.h>

#include "base/status.h"
#include "curate/text/text_scan.h"

#define SPECIAL_SLOTS 4096
#define UNIT_SLOTS 512
#define TOKEN_SLOTS 1024
#define EDGE_SLOTS 4096
#define TOKENS_MAX 512
#define NODES_MAX 1024

struct token_name {
    const char *p;
    uint8_t n;
};
struct word_slots {
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

static struct word_slots lookup;
static struct word_lookup quick = { .slots = &lookup };
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t slot_of(uint64_t hash, size_t slots) { return (hash * WORD_MIX) >> 40 & (slots - 1); }

static void set_bit(uint64_t *bits, uint64_t hash)
{
    size_t bit = hash * WORD_MIX >> (64 - WORD_HASH_BITS);

    bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool name_is(const char *name, const char *p, size_t n)
{
    return strlen(name) == n && memcmp(name, p, n) == 0;
}

/* ---- making ---- */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static void add_letters(const char *text, size_t n)
{
    size_t letters = 0;

    while (letters < n && is_letter(text[letters]))
        letters++;
    if (letters == n)
        set_bit(quick.letter_hashes, text_hash(text, n));
    if (letters + 1 == n && letters > 0)
        quick.tails[(unsigned char)text[0]] |= UINT64_C(1) << n;
}

static void add_special(size_t index)
{
    const char *text = word_specials[index].text;
    size_t n = strlen(text), at = slot_of(text_hash(text, n), SPECIAL_SLOTS);
    size_t edge = (unsigned char)text[0] * 256u + (unsigned char)text[n - 1];

    BUG_IF(n > WORD_SPECIAL_MAX || index >= SPECIAL_SLOTS / 2);
    while (lookup.specials[at] != 0)
        at = (at + 1) & (SPECIAL_SLOTS - 1);
    lookup.specials[at] = (uint16_t)(index + 1);
    set_bit(quick.hashes, text_hash(text, n));
    quick.edges[edge / 64] |= UINT64_C(1) << edge % 64;
    add_letters(text, n);
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
    unsigned known = word_phrase_token(&quick, p, n, text_hash(p, n));

    if (known)
        return known;
    BUG_IF(n > WORD_PHRASE_TOKEN_MAX || lookup.token_count + 1 >= TOKENS_MAX);
    while (lookup.tokens[at] != 0)
        at = (at + 1) & (TOKEN_SLOTS - 1);
    lookup.names[++lookup.token_count] = (struct token_name){ p, (uint8_t)n };
    lookup.tokens[at] = (uint16_t)lookup.token_count;
    set_bit(quick.token_hashes, text_hash(p, n));
    if (n == 1 && (unsigned char)*p < 0x80)
        quick.signs[(unsigned char)*p] = true;
    return lookup.token_count;
}

static unsigned add_node(unsigned node, unsigned token)
{
    uint32_t key = node * TOKENS_MAX + token;
    size_t at = slot_of(key, EDGE_SLOTS);
    unsigned known = word_phrase_next(&quick, node, token);

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

    for (const char *piece = phrase->pieces; *piece; p += *piece++) {
        node = add_node(node, add_token(p, (size_t)*piece));
        if (piece[1])
            set_bit(quick.pairs, word_pair_hash(text_hash(p, (size_t)*piece), text_hash(p + *piece, (size_t)piece[1])));
    }
    lookup.complete[node] = word_special_find(&quick, phrase->text, n, text_hash(phrase->text, n), true);
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
    return &quick;
}

/* ---- asking ---- */

const struct word_special *word_special_find(const struct word_lookup *l, const char *p, size_t n, uint64_t hash, bool english)
{
    const struct word_slots *t = l->slots;
    size_t at = slot_of(hash, SPECIAL_SLOTS);

    if (!word_hash_may_be_special(l, hash))
        return NULL;
    for (; t->specials[at] != 0; at = (at + 1) & (SPECIAL_SLOTS - 1)) {
        const struct word_special *s = &word_specials[t->specials[at] - 1];

        if (name_is(s->text, p, n))
            return english || s->base ? s : NULL;
    }
    return NULL;
}

bool word_is_unit(const struct word_lookup *l, const char *p, size_t n)
{
    const struct word_slots *t = l->slots;
    size_t at = slot_of(text_hash(p, n), UNIT_SLOTS);

    for (; t->units[at] != 0; at = (at + 1) & (UNIT_SLOTS - 1))
        if (name_is(word_units[t->units[at] - 1], p, n))
            return true;
    return false;
}

unsigned word_phrase_token(const struct word_lookup *l, const char *p, size_t n, uint64_t hash)
{
    const struct word_slots *t = l->slots;
    size_t at = slot_of(hash, TOKEN_SLOTS);

    if (!word_may_be_token(l, hash))
        return 0;

    for (; t->tokens[at] != 0; at = (at + 1) & (TOKEN_SLOTS - 1)) {
        const struct token_name *name = &t->names[t->tokens[at]];

        if (name->n == n && memcmp(name->p, p, n) == 0)
            return t->tokens[at];
    }
    return 0;
}

unsigned word_phrase_next(const struct word_lookup *l, unsigned node, unsigned token)
{
    const struct word_slots *t = l->slots;
    uint32_t key = node * TOKENS_MAX + token;
    size_t at = slot_of(key, EDGE_SLOTS);

    for (; t->next[at].key != 0; at = (at + 1) & (EDGE_SLOTS - 1))
        if (t->next[at].key == key)
            return t->next[at].node;
    return 0;
}

const struct word_special *word_phrase_at(const struct word_lookup *l, unsigned node) { return l->slots->complete[node]; }
