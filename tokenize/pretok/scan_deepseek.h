/* The algebra of DeepSeek's chain of three cuts, each Isolated: numbers of up to three digits; runs of Chinese characters and kana;
 * and in what is left a pattern as llama3's. The last cut sees each part as a text of its own: an `edge` is where a part begins, and
 * nothing is looked at across it, in either direction. Parts begin and end by the character alone, so what follows the beginning of a
 * piece still depends on what follows alone.
 * Of the last pattern: marks are letters; a control character is no "other": it goes before letters as white space does, else it is
 * not matched, and a run of such ones is a piece. One ASCII "other" takes the ASCII letters behind it. */
#ifndef TUNDISH_TOKENIZE_SCAN_DEEPSEEK_H
#define TUNDISH_TOKENIZE_SCAN_DEEPSEEK_H

#include "tokenize/pretok/scan_algebra.h"

/* Masks of bytes for [\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]. */
struct han_bytes {
    uint64_t e3, e4, e5_e8, e9;      /* first bytes */
    uint64_t x81_83, xb8_bf, xbe, xbe_bf; /* second */
    uint64_t x80_a5;                 /* third, behind E9 BE */
};
static inline uint64_t han_begins(const struct han_bytes *m)
{
    return (m->e3 & m->x81_83 >> 1) | (m->e4 & m->xb8_bf >> 1) | m->e5_e8 |
           (m->e9 & (~(m->xbe_bf >> 1) | (m->xbe >> 1 & m->x80_a5 >> 2)));
}
static uint64_t block_han(const unsigned char *p, const struct block *b);
/* ASCII control characters, white space among them or not. */
static uint64_t block_control(const unsigned char *p);

/* "Others" (behind_blank: a space before them is theirs), and letters: these with what may go before them. */
static inline uint64_t starts_of_words(const struct block *b, uint64_t letters, uint64_t control, uint64_t o, uint64_t edge)
{
    uint64_t others = o & ~(o << 1 & ~edge) & ~(b->blank << 1 & ~edge);
    uint64_t before = letters | (b->space & ~b->newline) | control;
    uint64_t words = letters & ~(before << 1 & ~edge);
    uint64_t ascii = b->letter & ~b->high, alone = others & ~b->high & ascii >> 1;
    uint64_t taken = fill_up(alone << 1, ascii);

    words &= ~(alone << 1);
    return others | words | (taken << 1 & ~ascii & letters);
}

static inline uint64_t starts_deepseek(const struct scanner *s, const unsigned char *p, struct block *b)
{
    uint64_t first = b->high ? block_han(p, b) & b->valid : 0, han = first | first << 1 | first << 2;
    uint64_t l = b->letter | b->mark, n = b->number, w = b->space;
    uint64_t control = (b->control | block_control(p)) & b->valid & ~w, o = b->valid & ~(l | n | w | control);
    uint64_t edge = (n ^ n << 1) | (han ^ han << 1);
    uint64_t taken = fill_up(b->newline & (o << 1 & ~edge), b->newline);
    uint64_t last = (w & ~b->newline & ~(w >> 1)) | (control & l >> 1);

    last &= bits_below(b->n - 1) & ~(edge >> 1);
    if (b->high)
        last = to_lead(b, last);
    return starts_of_words(b, l, control, o, edge) | starts_of_digits(b, s->digits) | runs_of_white(s, b, taken) |
           (control & ~(control << 1 & ~edge)) | last | edge;
}

#endif
