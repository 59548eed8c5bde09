/* From the masks of 64 bytes to the places where pieces begin. Bit i of a mask is byte i of the block, which begins at the
 * beginning of a piece; all bytes of a character have its class, so that a shift by one leads from one character to its
 * neighbour. Included by each level's file, behind its struct block reader. */
#ifndef TUNDISH_TOKENIZE_SCAN_ALGEBRA_H
#define TUNDISH_TOKENIZE_SCAN_ALGEBRA_H

#include "tokenize/pretok/scan.h"

struct block {
    /* from the level's reader, for ASCII; the rest is added by block_wide() */
    uint64_t letter, number, space, upper, lower;
    uint64_t newline, blank, quote, slash;               /* \r \n; ' '; '; / */
    uint64_t high;                   /* bytes >= 0x80 */
    uint64_t cont, sure;             /* where high is not 0: bytes 0x80..0xBF; first bytes of sure letters */
    uint64_t mark, control;          /* control: from block_wide() here, from the level in deepseek's algebra */
    /* from the loop */
    uint64_t valid;                  /* bytes that are there, and are whole characters */
    uint64_t keep;                   /* where a beginning is certain */
    unsigned n;                      /* their number */
    bool end;                        /* the text ends behind them */
};

/* Where the most frequent letters of China and Japan begin, by masks of bytes: U+4000..U+9FFF without the hexagrams, and kana;
 * three bytes each, none has case. scan_classes.sure says that the version of Unicode has them so. */
struct sure_bytes {
    uint64_t e3, e4, e5_e9;          /* first bytes */
    uint64_t x81, x82, x83, xb7;     /* second */
    uint64_t x80, x97_9c, xa0, xbb;  /* third, that are no letters behind E3 81, 82, 82 and 83 */
};
static inline uint64_t sure_letters(const struct sure_bytes *m)
{
    uint64_t kana = (m->x81 >> 1 & ~(m->x80 >> 2)) | (m->x82 >> 1 & ~((m->x97_9c | m->xa0) >> 2)) |
                    (m->x83 >> 1 & ~(m->xbb >> 2));

    return m->e5_e9 | (m->e4 & ~(m->xb7 >> 1)) | (m->e3 & kana);
}

static inline uint64_t bits_below(unsigned n) { return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0; }
static inline unsigned lowest(uint64_t m) { return (unsigned)__builtin_ctzll(m); }
static inline unsigned highest(uint64_t m) { return 63u - (unsigned)__builtin_clzll(m); }

/* From each bit of `from` on through the run of `through` that it lies in. Any number of bits a run. */
static inline uint64_t fill_up(uint64_t from, uint64_t through)
{
    from &= through;
    return (((from + through) ^ through) | from) & through;
}

static inline void add_class(struct block *b, unsigned class, uint64_t bytes)
{
    b->letter |= class & SCAN_LETTER ? bytes : 0;
    b->number |= class & SCAN_NUMBER ? bytes : 0;
    b->space |= class & SCAN_SPACE ? bytes : 0;
    b->upper |= class & SCAN_UPPER ? bytes : 0;
    b->lower |= class & SCAN_LOWER ? bytes : 0;
    b->mark |= class & SCAN_MARK ? bytes : 0;
    b->control |= class & SCAN_CONTROL ? bytes : 0;
}

/* Adds the classes of characters beyond ASCII; one that is cut off by the block's end is taken off. */
static inline void block_wide(const struct scan_classes *c, const unsigned char *p, struct block *b)
{
    uint64_t leads = b->high & ~b->cont & b->valid;

    if (c->sure) {
        uint64_t sure = b->sure & bits_below(62);

        b->letter |= sure | sure << 1 | sure << 2;
        leads &= ~sure;
    }
    for (; leads; leads &= leads - 1) {
        unsigned i = lowest(leads), n;
        unsigned lead = p[i], want = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        unsigned class;

        if (i + want > b->n) {
            b->n = i;
            b->valid = bits_below(i);
            break;
        }
        class = scan_class_at(c, p + i, &n);
        if (class == SCAN_LETTER)
            b->letter |= bits_below(n) << i;
        else
            add_class(b, class, bits_below(n) << i);
    }
}

/* The first byte of the character that each bit is the last byte of. */
static inline uint64_t to_lead(const struct block *b, uint64_t last)
{
    for (uint64_t inside; (inside = last & b->cont) != 0;)
        last = (last & ~b->cont) | inside >> 1;
    return last;
}

/* All bytes of the characters whose first bytes are given. */
static inline uint64_t whole_characters(const struct block *b, uint64_t leads)
{
    return b->high ? leads | fill_up(leads << 1, b->cont) : leads;
}

/* Where the run of white space begins that goes on to the last byte; ~0 if none does. */
static inline unsigned white_tail(const struct block *b)
{
    uint64_t others = b->valid & ~b->space;

    if (b->n == 0 || !(b->space >> (b->n - 1) & 1))
        return ~0u;
    return others ? highest(others) + 1 : 0;
}

/* The last characters of runs of white space, of those in `of`, that something follows. */
static inline uint64_t last_white(const struct block *b, uint64_t of)
{
    uint64_t last = of & ~(b->space >> 1) & bits_below(b->n - 1);

    return b->high ? to_lead(b, last) : last;
}

static inline uint64_t take_contraction(const struct block *b, uint64_t starts, unsigned i, unsigned n)
{
    starts &= ~(bits_below(n - 1) << (i + 1));
    return i + n < b->n ? starts | (uint64_t)1 << (i + n) : starts;
}

/* Contractions that are pieces of their own. */
static inline uint64_t own_contractions(const unsigned char *p, struct block *b, uint64_t starts, bool fold)
{
    for (uint64_t q = b->quote & (starts | 1); q; q &= q - 1) {
        unsigned i = lowest(q), n;

        if (i + 3 > b->n && !b->end) {
            b->keep &= bits_below(i + 1);
            break;
        }
        n = (unsigned)scan_contraction(p + i, b->n - i, fold);
        if (n)
            starts = take_contraction(b, starts, i, n);
    }
    return starts;
}

static inline uint64_t starts_gpt2(const struct scanner *s, const unsigned char *p, struct block *b)
{
    uint64_t l = b->letter, n = b->number, w = b->space, o = b->valid & ~(l | n | w);
    uint64_t starts = ((l & ~(l << 1)) | (n & ~(n << 1)) | (o & ~(o << 1))) & ~(b->blank << 1);
    unsigned tail = white_tail(b);

    starts |= (w & ~(w << 1)) | last_white(b, w);
    if (tail != ~0u && !b->end)
        b->keep &= bits_below(tail + 1);
    return own_contractions(p, b, starts, false);
}

static inline uint64_t wide_digits(const struct block *b, unsigned most)
{
    uint64_t starts = 0;
    unsigned count = 0;

    for (uint64_t m = b->number & ~b->cont; m; m &= m - 1) {
        unsigned i = lowest(m);

        if (i == 0 || !(b->number >> (i - 1) & 1) || count == most)
            count = 0;
        if (count++ == 0)
            starts |= (uint64_t)1 << i;
    }
    return starts;
}

/* Runs of digits are cut from their beginning on. */
static inline uint64_t starts_of_digits(const struct block *b, unsigned most)
{
    uint64_t n = b->number, starts, more, through;

    if (most == 1)
        return n & ~b->cont;
    if (n & b->high)
        return wide_digits(b, most);
    starts = more = n & ~(n << 1);
    through = most == 3 ? n & n << 1 & n << 2 & n << 3 : n & n << 1 & n << 2;
    while ((more = more << most & through) != 0)
        starts |= more;
    return starts;
}

/* White space that is not taken by what is before it (`taken`): its run, and what is behind its last line end. */
static inline uint64_t runs_of_white(const struct scanner *s, struct block *b, uint64_t taken)
{
    uint64_t w = b->space, free = w & ~taken, line = w & ~b->newline;
    uint64_t behind = line & (b->newline & ~taken) << 1;
    unsigned tail = white_tail(b);

    if ((((line + behind) & ~line) & b->newline) != 0)
        for (uint64_t m = behind; m; m &= m - 1) {
            uint64_t run = m & -m, stop = (line + run) & ~line & -run;

            if (stop & b->newline)
                behind &= ~run;
        }
    if (tail != ~0u && !b->end)
        b->keep &= bits_below(tail + 1);
    if (tail != ~0u && b->end && s->whole_tail)
        behind &= bits_below(tail);
    return (free & ~(free << 1)) | behind;
}

/* And its last character. */
static inline uint64_t starts_of_white(const struct scanner *s, struct block *b, uint64_t taken)
{
    return runs_of_white(s, b, taken) | last_white(b, b->space & ~b->newline);
}

static inline uint64_t starts_cl100k(const struct scanner *s, const unsigned char *p, struct block *b)
{
    uint64_t l = b->letter, o = b->valid & ~(l | b->number | b->space);
    uint64_t taken = fill_up(b->newline & o << 1, b->newline);
    uint64_t others = o & ~(o << 1) & ~(b->blank << 1);
    uint64_t before = l | (b->space & ~b->newline) | whole_characters(b, others);
    uint64_t starts = (l & ~(before << 1)) | others | starts_of_digits(b, s->digits) |
                      starts_of_white(s, b, taken);

    return own_contractions(p, b, starts, true);
}

/* Contractions that belong to the word before them. */
static inline uint64_t word_contractions(const unsigned char *p, struct block *b, uint64_t starts,
                                         uint64_t words)
{
    unsigned done = 0;

    for (uint64_t q = b->quote & words << 1; q; q &= q - 1) {
        unsigned i = lowest(q), n;

        if (i == done && done)
            continue;
        if (i + 3 > b->n && !b->end) {
            b->keep &= bits_below(i);
            break;
        }
        n = (unsigned)scan_contraction(p + i, b->n - i, true);
        if (n == 0)
            continue;
        starts = take_contraction(b, starts & ~((uint64_t)1 << i), i, n);
        done = i + n;
    }
    return starts;
}

/* An upper-case letter behind a character that counts as either case (`both`): whether it begins a piece depends on what
 * was before these and what comes behind the upper-case letters. */
static inline uint64_t behind_both(struct block *b, uint64_t starts, uint64_t both)
{
    for (uint64_t m = b->upper & both << 1; m; m &= m - 1) {
        unsigned i = lowest(m), before = i - 1, behind;
        uint64_t bit = (uint64_t)1 << i, rest = ~b->upper & ~bits_below(i);

        while (before > 0 && both >> before & 1 && !(starts >> before & 1))
            before--;
        if (b->lower >> before & 1) {
            starts |= bit;
            continue;
        }
        behind = rest ? lowest(rest) : 64;
        if (behind >= b->n && !b->end) {
            b->keep &= bits_below(i);
            break;
        }
        if (behind >= b->n || !((b->lower | both) >> behind & 1))
            starts |= bit;
    }
    return starts;
}

/* Marks are letters in words and others among others. Where a mark stands behind an other, it depends on more; pieces
 * before it are certain. */
static inline uint64_t starts_o200k(const struct scanner *s, const unsigned char *p, struct block *b)
{
    uint64_t words = b->letter | b->mark, both = words & ~(b->upper | b->lower);
    uint64_t o = b->valid & ~(words | b->number | b->space);
    uint64_t lines = b->newline | b->slash;
    uint64_t taken = fill_up(b->newline & o << 1, lines);
    uint64_t others, before, starts, doubtful = b->mark & o << 1;

    if (doubtful)
        b->keep &= bits_below(lowest(doubtful) - 1);
    o &= ~taken;
    others = o & ~(o << 1) & ~(b->blank << 1);
    before = words | (b->space & ~b->newline) | whole_characters(b, others);
    starts = (words & ~(before << 1)) | (b->upper & b->lower << 1) | others |
             starts_of_digits(b, s->digits) | starts_of_white(s, b, taken);
    starts = word_contractions(p, b, starts, words);
    return b->upper & both << 1 ? behind_both(b, starts, both) : starts;
}

#endif
