#include "tokenize/encode/nfc_quick.h"

#include <stdint.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "base/arena.h"
#include "base/status.h"

#define POINTS 0x30000u      /* what is above counts as not steady: planes of variants and private use */
#define DECOMPOSED_MAX 32    /* code points; Unicode's longest has 18 */

struct nfc_quick {
    uint64_t unsteady[POINTS / 64];
};

static bool is_unsteady(const struct nfc_quick *q, uint32_t c)
{
    return c >= POINTS || (q->unsteady[c / 64] >> c % 64 & 1);
}

static void mark(struct nfc_quick *q, uint32_t c)
{
    if (c < POINTS)
        q->unsteady[c / 64] |= (uint64_t)1 << c % 64;
}

/* The canonical decomposition; 0 if there is none. */
static size_t decomposition(uint32_t c, utf8proc_int32_t out[DECOMPOSED_MAX])
{
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
    int boundary = 0;
    utf8proc_ssize_t n;

    if (p->decomp_seqindex == UINT16_MAX || p->decomp_type != 0)
        return 0;
    n = utf8proc_decompose_char((utf8proc_int32_t)c, out, DECOMPOSED_MAX,
                                UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &boundary);
    BUG_IF(n < 1 || n > DECOMPOSED_MAX);
    return (size_t)n;
}

/* What composes back to c makes its later parts unsteady; what does not makes c so. */
static void mark_composition(struct nfc_quick *q, uint32_t c)
{
    utf8proc_int32_t part[DECOMPOSED_MAX], back[DECOMPOSED_MAX];
    size_t n = decomposition(c, part);

    if (n == 0)
        return;
    memcpy(back, part, n * sizeof *part);
    if (utf8proc_normalize_utf32(back, (utf8proc_ssize_t)n, UTF8PROC_COMPOSE | UTF8PROC_STABLE) != 1 ||
        back[0] != (utf8proc_int32_t)c) {
        mark(q, c);
        return;
    }
    for (size_t i = 1; i < n; i++)
        mark(q, (uint32_t)part[i]);
}

struct nfc_quick *nfc_quick_new(void)
{
    struct nfc_quick *q = mem_alloc(sizeof *q);
    utf8proc_int32_t part[DECOMPOSED_MAX];

    for (uint32_t c = 0; c < POINTS; c++) {
        if (utf8proc_get_property((utf8proc_int32_t)c)->combining_class != 0)
            mark(q, c);
        mark_composition(q, c);
    }
    for (uint32_t c = 0x1161; c < 0x11C3; c++)       /* Hangul vowels and final consonants */
        if (c <= 0x1175 || c >= 0x11A8)
            mark(q, c);
    for (uint32_t c = 0; c < POINTS; c++)
        if (decomposition(c, part) > 0 && is_unsteady(q, (uint32_t)part[0]))
            mark(q, c);
    return q;
}

void nfc_quick_free(struct nfc_quick *q)
{
    free(q);
}

/* Past all that lies surely below U+0300, the first code point that is not steady for any. */
static size_t skip_latin(struct span text, size_t at)
{
    while (text.n - at >= 8) {
        uint64_t eight, high;

        memcpy(&eight, text.p + at, 8);
        high = eight & 0x8080808080808080u;
        /* a byte of at least 0xCC: its upper bits, and 0x4C or more below them */
        if (high & ((eight & 0x7F7F7F7F7F7F7F7Fu) + 0x3434343434343434u))
            break;
        at += 8;
    }
    while (at < text.n && (unsigned char)text.p[at] < 0xCC)
        at++;
    return at;
}

/* The start of the character in front of `at`, not before `from`. */
static size_t char_before(struct span text, size_t from, size_t at)
{
    if (at == from)
        return at;
    do
        at--;
    while (at > from && ((unsigned char)text.p[at] & 0xC0) == 0x80);
    return at;
}

bool nfc_quick_next(const struct nfc_quick *q, struct span text, size_t from, size_t *first,
                    size_t *last)
{
    const char *end = text.p + text.n;
    size_t at = from;
    uint32_t c = 0;

    for (;;) {
        at = skip_latin(text, at);
        if (at == text.n)
            return false;
        if (utf8_decode(text.p + at, end, &c), is_unsteady(q, c))
            break;
        at += utf8_decode(text.p + at, end, &c);
    }
    *first = char_before(text, from, at);
    while (at < text.n) {
        size_t n = utf8_decode(text.p + at, end, &c);

        if (!is_unsteady(q, c))
            break;
        at += n;
    }
    *last = at;
    return true;
}
