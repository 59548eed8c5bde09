/* UTF-8 repair against a reference written from the standard's words alone: a table of the nine rows
 * of Unicode 15's table 3-7, searched for the longest beginning of any row. */
#include <stdint.h>
#include <stdlib.h>

#include "base/status.h"
#include "base/str.h"

static const unsigned char rows[9][4][2] = {
    { { 0x00, 0x7F } },
    { { 0xC2, 0xDF }, { 0x80, 0xBF } },
    { { 0xE0, 0xE0 }, { 0xA0, 0xBF }, { 0x80, 0xBF } },
    { { 0xE1, 0xEC }, { 0x80, 0xBF }, { 0x80, 0xBF } },
    { { 0xED, 0xED }, { 0x80, 0x9F }, { 0x80, 0xBF } },
    { { 0xEE, 0xEF }, { 0x80, 0xBF }, { 0x80, 0xBF } },
    { { 0xF0, 0xF0 }, { 0x90, 0xBF }, { 0x80, 0xBF }, { 0x80, 0xBF } },
    { { 0xF1, 0xF3 }, { 0x80, 0xBF }, { 0x80, 0xBF }, { 0x80, 0xBF } },
    { { 0xF4, 0xF4 }, { 0x80, 0x8F }, { 0x80, 0xBF }, { 0x80, 0xBF } },
};
static const size_t lengths[9] = { 1, 2, 3, 3, 3, 3, 4, 4, 4 };

/* The longest part at p that is a beginning of a row; *whole if it is all of one. */
static size_t longest_part(const uint8_t *p, size_t n, int *whole)
{
    size_t longest = 0;

    *whole = 0;
    for (int row = 0; row < 9; row++) {
        size_t i = 0;

        while (i < n && i < lengths[row] && p[i] >= rows[row][i][0] && p[i] <= rows[row][i][1])
            i++;
        if (i > longest) {
            longest = i;
            *whole = i == lengths[row];
        }
    }
    return longest;
}

static size_t reference_repair(struct buf *out, const uint8_t *p, size_t n, size_t *characters)
{
    size_t replaced = 0;

    *characters = 0;
    while (n > 0) {
        int whole;
        size_t part = longest_part(p, n, &whole);

        if (whole) {
            buf_add(out, p, part);
        } else {
            buf_adds(out, "\xEF\xBF\xBD");
            replaced++;
        }
        ++*characters;
        part = part ? part : 1;
        p += part;
        n -= part;
    }
    return replaced;
}

/* Decoding and encoding again gives the text back. */
static void check_round_trip(const struct buf *b)
{
    struct buf again = { 0 };
    const char *p = b->p, *end;

    if (b->n == 0)
        return;
    end = p + b->n;
    while (p < end) {
        uint32_t cp;
        char bytes[4];
        size_t n = utf8_decode(p, end, &cp);

        BUG_IF(n == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF));
        BUG_IF(utf8_encode(cp, bytes) != n || memcmp(bytes, p, n) != 0);
        p += n;
    }
    BUG_IF(utf8_repair(&again, b->p, b->n) != 0);
    BUG_IF(again.n != b->n || memcmp(again.p, b->p, b->n) != 0);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf ours = { 0 }, wanted = { 0 };
    size_t characters, replaced = utf8_repair(&ours, (const char *)p, n);

    BUG_IF(replaced != reference_repair(&wanted, p, n, &characters));
    BUG_IF(ours.n != wanted.n || (ours.n && memcmp(ours.p, wanted.p, ours.n) != 0));
    BUG_IF(utf8_valid((const char *)p, n) != (replaced == 0));
    BUG_IF(!utf8_valid(ours.p, ours.n));
    BUG_IF(utf8_length(ours.p, ours.n) != characters);
    check_round_trip(&ours);
    buf_release(&ours);
    buf_release(&wanted);
    return 0;
}
