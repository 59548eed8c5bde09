/* Special texts that the rules cut, put back: spaCy's matcher finds every row of tokens that spells one, whatever stands around it;
 * of rows that overlap the longest goes first, then the first. One blank between two tokens does not keep a row from being
 * found, only from being joined: it still keeps shorter ones away. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "curate/text/words.h"

bool words_apart(const char *p, const char *next) { return next - p > 1 || (next - p == 1 && *p != ' '); }

static bool apart(const struct text_scan *s, size_t i)
{
    const struct text_word *w = &s->words[i];

    return words_apart(s->text.p + w->at + w->bytes, s->text.p + w[1].at);
}

static unsigned token_of(const struct text_scan *s, size_t i)
{
    const struct text_word *w = &s->words[i];

    return w->bytes > WORD_PHRASE_TOKEN_MAX ? 0 : word_phrase_token(s->lookup, s->text.p + w->at, w->bytes, w->hash);
}

/* ---- the rows of one run ---- */

#define ROW_MAX 16        /* tokens of a phrase */

static void push_edit(struct text_scan *s, struct word_edit e)
{
    if (s->edit_count == s->edit_cap) {
        s->edit_cap = s->edit_cap ? s->edit_cap * 2 : 16;
        s->edits = mem_grow(s->edits, s->edit_cap, sizeof *s->edits);
    }
    s->edits[s->edit_count++] = e;
}

/* Appends what is complete from word `at` on; the longest last. */
static void rows_from(struct text_scan *s, size_t at, size_t to)
{
    const struct word_special *special;
    unsigned node = WORD_PHRASE_ROOT;

    for (size_t i = at; i < to; i++) {
        node = word_phrase_next(s->lookup, node, token_of(s, i));
        if (node == 0)
            return;
        special = word_phrase_at(s->lookup, node);
        if (special && (special->base || s->rules == WORDS_ENGLISH))
            push_edit(s, (struct word_edit){ at, i + 1, special });
    }
}

static bool joined(const struct text_scan *s, const struct word_edit *e)
{
    for (size_t i = e->from; i + 1 < e->to; i++)
        if (s->words[i].at + s->words[i].bytes != s->words[i + 1].at)
            return false;
    return true;
}

/* Is a row of that length taken? Its words are seen from then on, taken or not. */
static bool take(uint8_t *seen, size_t base, const struct word_edit *e)
{
    bool free = !seen[e->from - base] && !seen[e->to - 1 - base];

    memset(seen + (e->from - base), 1, e->to - e->from);
    return free;
}

/* Of the rows from number `first` on, in the words base..to, keeps those that change something; in the order of their place. */
static void choose(struct text_scan *s, size_t first, size_t base, size_t to)
{
    size_t kept = first;
    uint8_t *seen = mem_alloc(to - base);
    uint8_t *taken = mem_alloc(s->edit_count - first);

    for (size_t length = ROW_MAX; length > 1; length--)
        for (size_t i = first; i < s->edit_count; i++)
            if (s->edits[i].to - s->edits[i].from == length)
                taken[i - first] = take(seen, base, &s->edits[i]);
    for (size_t i = first; i < s->edit_count; i++)
        if (taken[i - first] && joined(s, &s->edits[i]))
            s->edits[kept++] = s->edits[i];
    s->edit_count = kept;
    free(seen);
    free(taken);
}

static inline bool may_be_token(const struct text_scan *s, size_t i) { return word_may_be_token(s->lookup, s->words[i].hash); }

static bool may_have_row(const struct text_scan *s, size_t from, size_t to)
{
    for (size_t i = from; i + 1 < to; i++)
        if (word_may_be_pair(s->lookup, s->words[i].hash, s->words[i + 1].hash))
            return true;
    return false;
}

/* The run of neighbours around word m that may belong to phrases. */
static size_t find_rows(struct text_scan *s, size_t m, size_t done)
{
    size_t from = m, to = m + 1, first = s->edit_count;

    while (from > done && may_be_token(s, from - 1) && !apart(s, from - 1))
        from--;
    while (to < s->word_count && may_be_token(s, to) && !apart(s, to - 1))
        to++;
    if (!may_have_row(s, from, to))
        return to;
    for (size_t i = from; i < to; i++)
        rows_from(s, i, to);
    if (s->edit_count > first)
        choose(s, first, from, to);
    return to;
}

/* ---- the change ---- */

static size_t pieces_of(const struct word_special *w, size_t bytes, size_t out[3])
{
    out[0] = w->first ? w->first : bytes;
    out[1] = w->second ? w->second : bytes - out[0];
    out[2] = bytes - out[0] - out[1];
    return out[1] == 0 ? 1 : out[2] == 0 ? 2 : 3;
}

static void add_pieces(struct text_scan *s, const struct word_special *w, uint32_t at)
{
    size_t pieces[3], count = pieces_of(w, strlen(w->text), pieces);
    const char *p = s->text.p + at;

    for (size_t i = 0; i < count; p += pieces[i++])
        word_append(s, p, p + pieces[i]);
}

/* Copies the words from..to of `old` behind those of s. */
static void copy_words(struct text_scan *s, const struct text_word *old, size_t from, size_t to)
{
    if (to == from)
        return;
    memcpy(s->words + s->word_count, old + from, (to - from) * sizeof *old);
    s->word_count += to - from;
}

static void apply_edits(struct text_scan *s)
{
    struct text_word *old = s->words;
    size_t count = s->word_count, cap = s->word_cap, at = 0;
    size_t room = count + 3 * s->edit_count;

    if (s->other_cap < room) {
        s->other_cap = room;
        s->other = mem_grow(s->other, room, sizeof *s->other);
    }
    s->words = s->other;
    s->word_cap = s->other_cap;
    s->word_count = 0;
    for (size_t i = 0; i < s->edit_count; i++) {
        copy_words(s, old, at, s->edits[i].from);
        add_pieces(s, s->edits[i].special, old[s->edits[i].from].at);
        at = s->edits[i].to;
    }
    copy_words(s, old, at, count);
    s->other = old;
    s->other_cap = cap;
}

void words_join_phrases(struct text_scan *s)
{
    size_t done = 0;

    s->edit_count = 0;
    for (size_t i = 0; i < s->mark_count; i++)
        if (s->marks[i] >= done)
            done = find_rows(s, s->marks[i], done);
    if (s->edit_count > 0)
        apply_edits(s);
}
