/* Any text cut into words by both sets of rules: they stand in order, nothing but white space is left between them, and their
 * lengths and hashes are those of their bytes. Then the rules of C4 and FineWeb with options that the first byte picks: what C4
 * leaves is UTF-8. */
#include "curate/filter/c4.h"
#include "curate/filter/fineweb.h"
#include "curate/text/words.h"

static size_t skip_space(const struct text_scan *s, size_t at, size_t to)
{
    size_t n;

    for (; at < to; at += n)
        BUG_IF(!(word_class_at(s->classes, s->text.p + at, &n) & WORD_SPACE));
    return at;
}

static void check_words(struct text_scan *s, struct span text, enum words_rules rules)
{
    size_t at = 0;

    text_scan_by(s, text, rules);
    for (size_t i = 0; i < s->word_count; i++) {
        const struct text_word *w = &s->words[i];

        BUG_IF(w->bytes == 0 || w->at < at || w->at + w->bytes > text.n);
        BUG_IF(skip_space(s, at, w->at) != w->at);
        BUG_IF(w->hash != text_hash(text.p + w->at, w->bytes));
        BUG_IF(w->chars != utf8_length(text.p + w->at, w->bytes));
        at = w->at + w->bytes;
    }
    BUG_IF(skip_space(s, at, text.n) != text.n);
}

static void run_c4(struct doc *d, struct step_work *w, unsigned options)
{
    const struct c4_cfg c = {
        .rules = options & 1, .quality = true, .split_paragraph = options & 2, .remove_citations = options & 4,
        .terminal_punct = options & 8, .lorem_ipsum = true, .javascript = true, .curly_bracket = options & 16, .policy = true,
        .paragraphs = true, .min_sentences = options & 32 ? 2 : -1, .min_words_per_line = options & 64 ? 3 : -1,
        .max_word_length = options & 128 ? 10 : -1, .min_paragraphs = 3, .default_language = "en",
    };

    BUG_IF(c4_open(&c, &w->state) != ST_OK);
    BUG_IF(c4_each(&c, d, w) != ST_OK);
    c4_close(w->state);
    BUG_IF(!utf8_valid(d->text.p, d->text.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const struct fineweb_cfg fineweb = { .line_punct = 0.5, .short_line = 1, .char_duplicates = 1, .new_line = 9, .short_line_length = 9 };
    struct step_work work = { .trace = { .full = true } };
    struct text_scan s = { 0 };
    struct doc d = { 0 };

    if (n < 2 || n > 65536 || !utf8_valid((const char *)p + 1, n - 1))
        return 0;
    check_words(&s, (struct span){ (const char *)p + 1, n - 1 }, WORDS_ENGLISH);
    check_words(&s, (struct span){ (const char *)p + 1, n - 1 }, WORDS_ANY);
    text_scan_release(&s);
    buf_add(&d.text, p + 1, n - 1);
    BUG_IF(fineweb_each(&fineweb, &d, &work) != ST_OK);
    d.dropped = NULL;
    run_c4(&d, &work, p[0]);
    buf_release(&d.text);
    step_work_release(NULL, &work);
    return 0;
}
