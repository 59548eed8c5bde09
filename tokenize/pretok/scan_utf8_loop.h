/* The loop of scan_utf8.h, made once for each level behind its utf8_read(p, u): fills *u unless all 64 bytes are ASCII; returns
 * which are not. */
#ifndef TUNDISH_TOKENIZE_SCAN_UTF8_LOOP_H
#define TUNDISH_TOKENIZE_SCAN_UTF8_LOOP_H

static size_t level_well_formed(const unsigned char *p, size_t n)
{
    size_t at = 0;

    while (n - at >= 64) {
        struct utf8_bytes u;
        unsigned next = 64;
        uint64_t high = utf8_read(p + at, &u);

        if (high != 0 && !utf8_block(&u, high, &next))
            break;
        at += next;
    }
    return at;
}

#endif
