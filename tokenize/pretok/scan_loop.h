/* The loop over a text's blocks, made once for each level: its file defines
 *   block_read(p, b): the masks of the 64 bytes at p, of ASCII characters (struct block's first members);
 *   block_flatten(bits, base, out): base + i for each bit i into out[0..63], of which those behind the last mean nothing. */
#ifndef TUNDISH_TOKENIZE_SCAN_LOOP_H
#define TUNDISH_TOKENIZE_SCAN_LOOP_H

typedef uint64_t starts_fn(const struct scanner *s, const unsigned char *p, struct block *b);

/* Reads the block at j->at; the last one of a text is copied, so that nothing behind it is read. */
static inline const unsigned char *next_block(const struct scan_job *j, struct block *b,
                                              unsigned char copy[64])
{
    const unsigned char *p = (const unsigned char *)j->text.p + j->at;
    size_t left = j->text.n - j->at;

    b->n = left < 64 ? (unsigned)left : 64;
    b->end = left <= 64;
    b->valid = bits_below(b->n);
    b->keep = ~(uint64_t)0;
    b->mark = 0;
    if (left < 64) {
        memset(copy, 0, 64);
        memcpy(copy, p, left);
        p = copy;
    }
    block_read(p, b);
    if (__builtin_expect(b->high != 0, 0))
        block_wide(j->scanner->classes, p, b);
    return p;
}

static inline __attribute__((always_inline)) void scan_text(struct scan_job *j, starts_fn *starts_of)
{
    struct scanner s = *j->scanner;
    unsigned char copy[64];

    while (j->at < j->text.n && j->count < SCAN_ENDS - 64) {
        struct block b;
        const unsigned char *p = next_block(j, &b, copy);
        uint64_t starts = starts_of(&s, p, &b) & ~(uint64_t)1 & b.valid;
        bool all = b.end && (starts & ~b.keep) == 0 && b.keep == ~(uint64_t)0;

        starts &= b.keep;
        if (starts != 0) {
            block_flatten(starts, j->base + (uint32_t)j->at, j->ends + j->count);
            j->count += (size_t)__builtin_popcountll(starts);
        }
        if (starts != 0 && !all) {
            j->at += highest(starts);
            continue;
        }
        j->at = all ? j->text.n : scan_piece(&s, j->text, j->at);
        j->ends[j->count++] = j->base + (uint32_t)j->at;
    }
}

static void level_gpt2(struct scan_job *j) { scan_text(j, starts_gpt2); }
static void level_cl100k(struct scan_job *j) { scan_text(j, starts_cl100k); }
static void level_o200k(struct scan_job *j) { scan_text(j, starts_o200k); }

#endif
