#include "store/formats/byte_level.h"

/* The three runs of bytes that do not stand for themselves, and where their code points lie. */
static const struct run {
    uint32_t first, last, to;
} moved[] = { { 0, 32, 0x100 }, { 127, 160, 0x121 }, { 173, 173, 0x143 } };

#define RUNS (sizeof moved / sizeof moved[0])

uint32_t byte_level_char(uint8_t byte)
{
    for (size_t i = 0; i < RUNS; i++)
        if (byte >= moved[i].first && byte <= moved[i].last)
            return moved[i].to + (byte - moved[i].first);
    return byte;
}

/* -1: not of the alphabet. */
static int byte_of_char(uint32_t cp)
{
    for (size_t i = 0; i < RUNS; i++)
        if (cp >= moved[i].to && cp <= moved[i].to + (moved[i].last - moved[i].first))
            return (int)(moved[i].first + (cp - moved[i].to));
    return cp < 256 && byte_level_char((uint8_t)cp) == cp ? (int)cp : -1;
}

void byte_level_order(uint8_t order[256])
{
    int n = 0;

    for (uint32_t cp = 0; n < 256; cp++) {
        int byte = byte_of_char(cp);

        if (byte >= 0)
            order[n++] = (uint8_t)byte;
    }
}

void byte_level_print(struct buf *out, struct span bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        char text[4];

        buf_add(out, text, utf8_encode(byte_level_char((uint8_t)bytes.p[i]), text));
    }
}

bool byte_level_scan(struct buf *out, struct span text)
{
    const char *p = text.p, *end = text.p + text.n;
    size_t before = out->n;

    while (p < end) {
        uint32_t cp = 0;
        size_t n = utf8_decode(p, end, &cp);
        int byte = n ? byte_of_char(cp) : -1;

        if (byte < 0) {
            out->n = before;
            return false;
        }
        buf_addc(out, (char)byte);
        p += n;
    }
    return true;
}
