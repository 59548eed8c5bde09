/* The loop for pieces that begin with marks (SCAN_MARKS), made once for each level behind its block_marks() and block_flatten().
 * A window of 64 bytes shows whole marks but for its last two bytes, and a run's beginning where the three bytes before it are in
 * the window or it begins a piece: windows without a beginning follow each other 59 bytes apart. */
#ifndef TUNDISH_TOKENIZE_SCAN_MARKS_LOOP_H
#define TUNDISH_TOKENIZE_SCAN_MARKS_LOOP_H

enum { MARKS_STEP = 64 - 2 - 3 };

static inline uint64_t marks_at(const struct scanner *s, const unsigned char *p, size_t left)
{
    unsigned char copy[64] = { 0 };
    uint64_t marks;

    if (left < 64)
        p = memcpy(copy, p, left);
    marks = block_marks(p, s->space);
    return s->each ? marks : marks & ~(marks << (s->space ? 1 : 3));
}

static void level_marks(struct scan_job *j)
{
    const struct scanner s = *j->scanner;
    const unsigned char *text = (const unsigned char *)j->text.p;
    size_t at = j->at, n = j->text.n;
    uint32_t *out = j->ends + j->count, *full = j->ends + SCAN_ENDS - 64;

    while (at < n && out < full) {
        size_t from = at;
        uint64_t starts = marks_at(&s, text + from, n - from) & ~(uint64_t)1;

        while (starts == 0 && n - from > 64) {
            from += MARKS_STEP;
            starts = marks_at(&s, text + from, n - from) & ~(uint64_t)7;
        }
        if (starts != 0) {
            block_flatten(starts, j->base + (uint32_t)from, out);
            out += __builtin_popcountll(starts);
            at = from + highest(starts);
        }
        if (n - from <= 64) {
            *out++ = j->base + (uint32_t)n;
            at = n;
        }
    }
    j->at = at;
    j->count = (size_t)(out - j->ends);
}

#endif
