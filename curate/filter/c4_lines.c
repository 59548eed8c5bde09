/* The line rules of curate/filter/c4.h. Words and ends of sentences come from the scan of the whole text: white space keeps lines apart
 * there. Only a line that lost a citation is scanned again. Phrases are looked for in the whole text first, in which they mostly
 * are not. */
#include <string.h>

#include "curate/filter/c4.h"
#include "curate/text/python_text.h"
#include "curate/text/sentences.h"
#include "curate/text/words.h"

/* By c4_counters. */
enum c4_counter { C4_LINE_TOTAL, C4_LINE_LONG_WORD, C4_LINE_NO_END, C4_LINE_FEW_WORDS, C4_LINE_JAVASCRIPT, C4_LINE_POLICY, C4_LINE_KEPT };

static const char *const lorem[] = { "lorem ipsum", NULL };
static const char *const script[] = { "javascript", NULL };
static const char *const policies[] = {
    "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies", NULL
};

/* What is in hand. */
struct c4_hand {
    const struct c4_cfg *c;
    const struct text_scan *s;
    struct c4_state *st;
    uint64_t *counts;
    bool may_lorem, may_script, may_policy;   /* may a line have it? */
    uint64_t kept;
    size_t word;                              /* the first one that is not in front of the line in hand */
    struct c4_result result;
};

static bool has(struct span text, const char *const *phrases)
{
    for (; *phrases; phrases++)
        if (memmem(text.p, text.n, *phrases, strlen(*phrases)))
            return true;
    return false;
}

static struct span lower(struct c4_state *st, struct span text)
{
    buf_clear(&st->lower);
    python_lower(&st->lower, text);
    return (struct span){ st->lower.p, st->lower.n };
}

/* Does the text have, `before` bytes in front of byte `at`, what is like the phrase but for the case of letters? */
static bool is_like(struct span text, size_t at, size_t before, const char *phrase)
{
    size_t n = strlen(phrase);
    const char *p = text.p + at - before;

    if (at < before || text.n - (at - before) < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 0x20) != phrase[i])
            return false;
    return true;
}

/* Each phrase, or what a phrase of policies has in it, has one pair of letters of which the text's bits tell where it stands. */
static void look_around(struct c4_hand *l, size_t at)
{
    struct span text = l->s->text;

    l->may_policy |= is_like(text, at, 3, "cooki") | is_like(text, at, 3, "terms of use") | is_like(text, at, 3, "privacy policy");
    l->may_script |= is_like(text, at, 2, "javascript");
    l->may_lorem |= is_like(text, at, 7, "lorem ipsum");
}

static void look_for_phrases(struct c4_hand *l)
{
    const struct text_scan *s = l->s;

    l->may_lorem = l->may_script = l->may_policy = s->odd_letters;
    for (size_t k = 0; 64 * k < s->text.n; k++)
        for (uint64_t pairs = s->bits.pair[k]; pairs; pairs &= pairs - 1)
            look_around(l, 64 * k + (size_t)__builtin_ctzll(pairs));
}

/* ---- a line ---- */

/* Length of a citation at p, 0: none. */
static size_t citation_at(const struct word_classes *c, const char *p, const char *end)
{
    static const char *const words[] = { "[edit]", "[citation needed]" };
    const char *q = p + 1;
    size_t n;

    while (q < end && (word_class_at(c, q, &n) & WORD_DIGIT))
        q += n;
    if (q < end && *q == ']')
        return (size_t)(q + 1 - p);
    for (int i = 0; i < 2; i++) {
        n = strlen(words[i]);
        if ((size_t)(end - p) >= n && memcmp(p, words[i], n) == 0)
            return n;
    }
    return 0;
}

/* The line without citations; itself where there are none. */
static struct span without_citations(struct c4_state *st, const struct word_classes *c, struct span line)
{
    const char *from = line.p, *end = line.p + line.n;
    bool found = false;

    buf_clear(&st->clean);
    buf_reserve(&st->clean, 1);
    for (const char *p = line.p; (p = memchr(p, '[', (size_t)(end - p))) != NULL;) {
        size_t n = citation_at(c, p, end);

        if (n > 0) {
            buf_add(&st->clean, from, (size_t)(p - from));
            from = p + n;
            found = true;
        }
        p += n ? n : 1;
    }
    if (!found)
        return line;
    buf_add(&st->clean, from, (size_t)(end - from));
    return (struct span){ st->clean.p, st->clean.n };
}

static inline bool is_space(const uint64_t *space, size_t at) { return space[at / 64] >> at % 64 & 1; }

/* Are there `least` words from..end, as str.split() has them? */
static bool has_words(const uint64_t *space, size_t from, size_t end, size_t least)
{
    uint64_t top = 0;                              /* the bit in front of the 64 in hand: part of a word */
    size_t count = 0;

    for (size_t at = from; at < end && count < least; at += 64) {
        uint64_t word = ~(space[at / 64] >> at % 64 | space[at / 64 + 1] << 1 << (63 - at % 64));
        uint64_t starts = word & ~(word << 1 | top);

        top = word >> 63;
        if (end - at < 64)
            starts &= (UINT64_C(1) << (end - at)) - 1;
        for (; starts && count < least; starts &= starts - 1)
            count++;
    }
    return count >= least;
}

/* Are there more than `most` bytes in a row without white space? Looks at the last white space among so many bytes: what it walks back
 * over has none, so the next step goes at least as far. */
static bool has_long_run(const uint64_t *space, size_t from, size_t end, size_t most)
{
    while (end - from > most) {
        size_t at = from + most + 1;

        while (at > from && !is_space(space, at - 1))
            at--;
        if (at == from)
            return true;
        from = at;
    }
    return false;
}

/* Has a line of the text a word of more than `most` characters? */
static bool has_long_word(const struct text_scan *s, struct span line, size_t most)
{
    size_t from = (size_t)(line.p - s->text.p), chars = 0, n;

    if (!has_long_run(s->bits.space, from, from + line.n, most))
        return false;
    for (size_t at = 0; at < line.n && chars <= most; at += n)
        chars = word_class_at(s->classes, line.p + at, &n) & WORD_SPACE ? 0 : chars + 1;
    return chars > most;
}

static bool ends_well(struct span line)
{
    if (line.n == 0 || strchr(".?!\"'", line.p[line.n - 1]) == NULL || line.p[line.n - 1] == 0)
        return false;
    return line.n < 3 || memcmp(line.p + line.n - 3, "...", 3) != 0;
}

static size_t sentences_of(struct c4_hand *l, struct span line, bool changed)
{
    const struct text_scan *s = l->s;
    struct sentence_part part = { .end = line.n };
    size_t at, count;

    if (!l->c->split_paragraph)
        return 1;
    if (changed) {
        text_scan_by(&l->st->line, line, s->rules);
        return sentences_count(&l->st->line, &part);
    }
    at = (size_t)(line.p - s->text.p);
    while (l->word < s->word_count && s->words[l->word].at < at)
        l->word++;
    part = (struct sentence_part){ .from = l->word, .end = at + line.n };
    count = sentences_count(s, &part);
    l->word = part.to;
    return count;
}

/* Is the phrase in the line? `may`: it is somewhere in the text; a line that was changed may have it even so. */
static bool line_has(struct c4_hand *l, struct span line, bool may, const char *const *phrases)
{
    return may && line.n > 0 && has(lower(l->st, line), phrases);
}

static void keep(struct c4_hand *l, struct span line)
{
    l->counts[C4_LINE_KEPT]++;
    if (l->kept++ > 0)
        buf_addc(&l->st->out, l->c->split_paragraph ? '\n' : ' ');
    buf_add(&l->st->out, line.p, line.n);
}


/* True: the document is dropped here. */
static bool drops(struct c4_hand *l, struct span line, bool changed)
{
    bool first = l->result.lorem_lines + l->result.curly_lines == 0;

    if (l->c->lorem_ipsum && line_has(l, line, l->may_lorem || changed, lorem)) {
        l->result.lorem_lines++;
        return true;
    }
    if (l->c->javascript && line_has(l, line, l->may_script || changed, script)) {
        l->counts[C4_LINE_JAVASCRIPT]++;
        return false;
    }
    if (l->c->curly_bracket && memchr(line.p, '{', line.n)) {
        l->result.curly_lines++;
        l->result.curly_first |= first;
        return true;
    }
    if (l->c->policy && line_has(l, line, l->may_policy || changed, policies)) {
        l->counts[C4_LINE_POLICY]++;
        return false;
    }
    if (l->c->min_sentences != -1)
        l->result.sentences += sentences_of(l, line, changed);
    keep(l, line);
    return false;
}

static bool judge_line(struct c4_hand *l, struct span line)
{
    const struct c4_cfg *c = l->c;
    size_t least = c->min_words_per_line > 0 ? (size_t)c->min_words_per_line : 0, at;
    struct span clean;

    line = word_strip(l->s->classes, line);
    at = (size_t)(line.p - l->s->text.p);
    l->counts[C4_LINE_TOTAL]++;
    if (c->max_word_length != -1 && has_long_word(l->s, line, (size_t)c->max_word_length)) {
        l->counts[C4_LINE_LONG_WORD]++;
        return false;
    }
    clean = c->remove_citations ? without_citations(l->st, l->s->classes, line) : line;
    if (c->terminal_punct && !ends_well(clean)) {
        l->counts[C4_LINE_NO_END]++;
        return false;
    }
    if (!has_words(l->s->bits.space, at, at + line.n, least)) {
        l->counts[C4_LINE_FEW_WORDS]++;
        return false;
    }
    return drops(l, clean, clean.p != line.p);
}

/* ---- all lines ---- */

/* The next line, or sentence; false: none. */
static bool next_line(const struct c4_hand *l, struct span *rest, size_t *word, struct span *line)
{
    size_t from, end;

    if (l->c->split_paragraph && l->s->odd_lines)
        return python_line(rest, line);
    if (rest->n == 0)
        return false;
    if (l->c->split_paragraph) {
        const char *stop = memchr(rest->p, '\n', rest->n);

        line->p = rest->p;
        line->n = stop ? (size_t)(stop - rest->p) : rest->n;
        end = line->n + (stop != NULL);
        *rest = (struct span){ rest->p + end, rest->n - end };
        return true;
    }
    from = (size_t)(rest->p - l->s->text.p);
    end = sentence_end(l->s, *word, word);
    *line = (struct span){ rest->p, end - from };
    *rest = (struct span){ rest->p + (end - from), rest->n - (end - from) };
    return true;
}

struct c4_result c4_lines(const struct c4_cfg *c, const struct text_scan *s, struct c4_state *st, uint64_t *counts, bool full)
{
    struct c4_hand l = { .c = c, .s = s, .st = st, .counts = counts };
    struct span rest = s->text, line;
    size_t word = 0;

    buf_clear(&st->out);
    look_for_phrases(&l);
    while (next_line(&l, &rest, &word, &line))
        if (judge_line(&l, line) && !full)
            break;
    return l.result;
}
