#include "tokenize/encode/token_nfc.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/arena.h"
#include "base/status.h"

#define DECOMPOSE_MAX 32     /* code points that one becomes; Unicode's longest has 18 */

void token_nfc_release(struct token_nfc *s)
{
    free(s->cp);
    free(s->sorted);
    free(s->class_of);
    *s = (struct token_nfc){ 0 };
}

bool token_nfc_is_plain(struct span text, enum normal_form form)
{
    unsigned char least = form == FORM_NFC ? 0xCC : 0x80;     /* 0xCC: lead byte of U+0300 */

    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] >= least)
            return false;
    return true;
}

static void reserve(struct token_nfc *s, size_t n)
{
    if (n <= s->cap)
        return;
    s->cap = n + n / 2;
    s->cp = mem_grow(s->cp, s->cap, sizeof *s->cp);
    s->sorted = mem_grow(s->sorted, s->cap, sizeof *s->sorted);
    s->class_of = mem_grow(s->class_of, s->cap, 1);
}

static size_t decompose(struct token_nfc *s, struct span text, enum normal_form form)
{
    bool compat = form == FORM_NFKC || form == FORM_NFKD;
    int how = UTF8PROC_DECOMPOSE | UTF8PROC_STABLE | (compat ? UTF8PROC_COMPAT : 0);
    const char *p = text.p, *end = text.p + text.n;
    size_t n = 0;

    while (p < end) {
        uint32_t cp = 0;
        int boundary = 0;
        utf8proc_ssize_t got;

        p += utf8_decode(p, end, &cp);
        reserve(s, n + DECOMPOSE_MAX);
        got = utf8proc_decompose_char((utf8proc_int32_t)cp, s->cp + n, DECOMPOSE_MAX,
                                      (utf8proc_option_t)how, &boundary);
        BUG_IF(got < 1 || got > DECOMPOSE_MAX);
        n += (size_t)got;
    }
    return n;
}

/* Sorts [first, last), all of combining class 1..255, by class, stably. */
static void sort_marks(struct token_nfc *s, size_t first, size_t last)
{
    size_t begin[257] = { 0 };

    for (size_t i = first; i < last; i++)
        begin[s->class_of[i] + 1]++;
    for (int c = 0; c < 256; c++)
        begin[c + 1] += begin[c];
    for (size_t i = first; i < last; i++)
        s->sorted[first + begin[s->class_of[i]]++] = s->cp[i];
    memcpy(s->cp + first, s->sorted + first, (last - first) * sizeof *s->cp);
}

static void order_marks(struct token_nfc *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->class_of[i] = (uint8_t)utf8proc_get_property(s->cp[i])->combining_class;
    for (size_t i = 0; i < n; i++) {
        size_t first = i;
        bool sorted = true;

        for (; i < n && s->class_of[i] != 0; i++)
            sorted = sorted && (i == first || s->class_of[i - 1] <= s->class_of[i]);
        if (!sorted)
            sort_marks(s, first, i);
    }
}

void token_nfc(struct token_nfc *s, struct span text, enum normal_form form, struct buf *out)
{
    size_t n = decompose(s, text, form);

    order_marks(s, n);
    if (form == FORM_NFC || form == FORM_NFKC) {
        utf8proc_ssize_t composed = utf8proc_normalize_utf32(
            s->cp, (utf8proc_ssize_t)n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);

        BUG_IF(composed < 0);
        n = (size_t)composed;
    }
    buf_reserve(out, text.n);
    for (size_t i = 0; i < n; i++) {
        char utf8[4];

        buf_add(out, utf8, utf8_encode((uint32_t)s->cp[i], utf8));
    }
}
