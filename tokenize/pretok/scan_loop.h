/* The loop over a text's blocks, made once for each level: its file defines
 *   block_read(p, b): the masks of the 64 bytes at p, of ASCII characters (struct block's first members);
 *   block_han(p, b): where characters begin that deepseek keeps apart (scan_deepseek.h); block_control(p): ASCII control characters;
 *   block_marks(p, space): where U+2581, or a space, begins;
 *   block_flatten(bits, base, out): base + i for each bit i into out[0..63], of which those behind the last mean nothing. */
#ifndef TUNDISH_TOKENIZE_SCAN_LOOP_H
#define TUNDISH_TOKENIZE_SCAN_LOOP_H

#include "tokenize/pretok/scan_deepseek.h"

typedef uint64_t starts_fn(const struct scanner *s, const unsigned char *p, struct block *b);

/* Reads the block at p, `left` bytes before the text's end; the last one is copied, so that nothing behind it is read. */
static inline const unsigned char *next_block(const struct scan_classes *classes, const unsigned char *p,
                                              size_t left, struct block *b, unsigned char copy[64])
{
    b->n = left < 64 ? (unsigned)left : 64;
    b->end = left <= 64;
    b->valid = bits_below(b->n);
    b->keep = ~(uint64_t)0;
    b->mark = b->control = 0;
    if (__builtin_expect(left < 64, 0)) {
        memset(copy, 0, 64);
        memcpy(copy, p, left);
        p = copy;
    }
    block_read(p, b);
    if (__builtin_expect(b->high != 0, 0))
        block_wide(classes, p, b);
    return p;
}

static inline __attribute__((always_inline)) void scan_text(struct scan_job *j, starts_fn *starts_of)
{
    const struct scanner s = *j->scanner;
    const unsigned char *text = (const unsigned char *)j->text.p;
    size_t at = j->at, n = j->text.n;
    uint32_t *out = j->ends + j->count, *full = j->ends + SCAN_ENDS - 64;
    unsigned char copy[64];

    while (at < n && out < full) {
        struct block b;
        const unsigned char *p = next_block(s.classes, text + at, n - at, &b, copy);
        uint64_t starts = starts_of(&s, p, &b) & ~(uint64_t)1 & b.valid & b.keep;
        bool all = b.end && b.keep == ~(uint64_t)0;

        if (starts != 0) {
            block_flatten(starts, j->base + (uint32_t)at, out);
            out += __builtin_popcountll(starts);
            if (!all) {
                at += highest(starts);
                continue;
            }
        }
        at = all ? n : scan_piece(&s, j->text, at);
        *out++ = j->base + (uint32_t)at;
    }
    j->at = at;
    j->count = (size_t)(out - j->ends);
}

static void level_gpt2(struct scan_job *j) { scan_text(j, starts_gpt2); }
static void level_cl100k(struct scan_job *j) { scan_text(j, starts_cl100k); }
static void level_o200k(struct scan_job *j) { scan_text(j, starts_o200k); }
static void level_deepseek(struct scan_job *j) { scan_text(j, starts_deepseek); }

#endif
