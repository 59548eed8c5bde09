#include "curate/text/sentences.h"

#include "curate/text/words.h"

static bool is_end(const struct text_scan *s, const struct text_word *w)
{
    size_t n;

    return w->chars == 1 && (word_class_at(s->classes, s->text.p + w->at, &n) & WORD_SENTENCE_END);
}

/* The same, or a character that is not ASCII: one branch a word, which is seldom taken. */
static inline bool may_be_end(const struct text_scan *s, const struct text_word *w)
{
    unsigned char c = (unsigned char)s->text.p[w->at];

    return (w->chars == 1) & ((c >= 0x80) | ((s->classes->ascii[c & 0x7F] & WORD_SENTENCE_END) != 0));
}

static bool is_punctuation(const struct text_scan *s, const struct text_word *w)
{
    const char *p = s->text.p + w->at, *end = p + w->bytes;

    for (size_t n; p < end; p += n)
        if (!(word_class_at(s->classes, p, &n) & WORD_PUNCT))
            return false;
    return true;
}

static bool behind_space(const struct text_scan *s, size_t i)
{
    const struct text_word *w = &s->words[i];

    return words_apart(s->text.p + w[-1].at + w[-1].bytes, s->text.p + w->at);
}

/* Does a sentence begin with word i, or the white space before it? *seen: has the one in hand had an end; kept up to date. */
static bool begins(const struct text_scan *s, size_t i, bool first, bool *seen)
{
    const struct text_word *w = &s->words[i];
    bool end = is_end(s, w), begin = false;

    if (*seen && ((!first && behind_space(s, i)) || (!end && !is_punctuation(s, w)))) {
        begin = true;
        *seen = false;
    }
    *seen |= end;
    return begin;
}

size_t sentences_count(const struct text_scan *s, struct sentence_part *part)
{
    size_t count = 1, i;
    bool seen = false;

    for (i = part->from; i < s->word_count && s->words[i].at < part->end; i++) {
        if (seen)
            count += begins(s, i, i == part->from, &seen);
        else if (may_be_end(s, &s->words[i]))
            seen = is_end(s, &s->words[i]);
    }
    part->to = i;
    if (seen) {      /* white space at the end is a sentence, too */
        const struct text_word *last = &s->words[i - 1];

        count += words_apart(s->text.p + last->at + last->bytes, s->text.p + part->end);
    }
    return count;
}

/* Where the sentence in front of word i ends: its last token's end; white space begins the next one. */
static size_t end_before(const struct text_scan *s, size_t i) { return s->words[i - 1].at + s->words[i - 1].bytes; }

size_t sentence_end(const struct text_scan *s, size_t from, size_t *next)
{
    bool seen = false;

    for (size_t i = from; i < s->word_count; i++)
        if (begins(s, i, i == 0, &seen)) {
            *next = i;
            return end_before(s, i);
        }
    *next = s->word_count;
    return s->text.n;
}
