/* NFC by parts. Most text is in NFC already, and most of a text that is not, is: only the
 * characters around a combining mark or an odd character need work. So a table says of each code
 * point whether it is calm: it begins a fresh part (text before it and from it on can be
 * normalized apart; combining class 0 and never the second half of a composition) and is its own
 * normal form. A part is one calm character, where there is one, with all that is not calm behind
 * it; only such parts are given to utf8proc. It sorts marks in quadratic time, hence the bound on
 * a part's length. */
#include "curate/steps/normalize.h"

#include <pthread.h>
#include <utf8proc.h>

#include "curate/text/char_class.h"

#define TABLED 0x20000
#define ALWAYS_CALM 0x300      /* all below */

static uint8_t restless[TABLED / 8];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_restless(uint32_t cp)
{
    if (cp < TABLED)
        restless[cp / 8] |= (uint8_t)(1u << cp % 8);
}

static void look_at(uint32_t cp)
{
    utf8proc_int32_t parts[8];
    int boundary = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)cp, parts, 8,
                                                UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, &boundary);
    char one[4];
    utf8proc_uint8_t *back;

    if (utf8proc_get_property((utf8proc_int32_t)cp)->combining_class != 0)
        set_restless(cp);
    if (n <= 0 || (n == 1 && parts[0] == (utf8proc_int32_t)cp))
        return;
    for (utf8proc_ssize_t i = 1; i < n && i < 8; i++)
        set_restless((uint32_t)parts[i]);
    if (cp >= 0xAC00 && cp < 0xD7A4)       /* Hangul syllables compose to themselves */
        return;
    back = NULL;
    n = utf8proc_map((const utf8proc_uint8_t *)one, (utf8proc_ssize_t)utf8_encode(cp, one), &back,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (n < 0 || (size_t)n != utf8_encode(cp, one) || memcmp(back, one, (size_t)n) != 0)
        set_restless(cp);
    free(back);
}

static void fill(void)
{
    for (uint32_t cp = ALWAYS_CALM; cp < TABLED; cp++)
        if (cp < 0xD800 || cp > 0xDFFF)
            look_at(cp);
}

/* Below ALWAYS_CALM nothing is restless; behind the table,
 * only compatibility ideographs (U+2F800..2FA1F) are. */
static inline bool is_calm(uint32_t cp)
{
    if (cp >= TABLED)
        return cp < 0x2F800 || cp > 0x2FA1F;
    return !(restless[cp / 8] >> cp % 8 & 1);
}

struct nfc_scratch {
    utf8proc_int32_t part[NFC_RUN_MAX * 4 + 4];     /* no character has more than four parts */
};

void nfc_scratch_free(struct nfc_scratch *s) { free(s); }

/* A part of at most NFC_RUN_MAX code points. */
static void append_part(struct buf *out, struct span text, struct nfc_scratch *s)
{
    utf8proc_ssize_t n =
        utf8proc_decompose((const utf8proc_uint8_t *)text.p, (utf8proc_ssize_t)text.n, s->part,
                           NFC_RUN_MAX * 4, UTF8PROC_STABLE | UTF8PROC_COMPOSE);

    BUG_IF(n < 0 || n > NFC_RUN_MAX * 4);
    n = utf8proc_reencode(s->part, n, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    BUG_IF(n < 0);
    buf_add(out, s->part, (size_t)n);
}

/* The next restless character from p on, or end; *calm is where the last calm one
 * before it begins (p: none). */
static const char *find_restless(const char *p, const char *end, const char **calm)
{
    *calm = p;
    while (p < end) {
        uint32_t cp;
        size_t n;

        if ((unsigned char)*p < 0xCC) {     /* below U+0300 */
            *calm = p;
            p += 1 + ((unsigned char)*p >= 0xC0);
            continue;
        }
        n = char_decode(p, &cp);
        if (!is_calm(cp))
            return p;
        *calm = p;
        p += n;
    }
    return p;
}

bool nfc_append(struct buf *out, struct span text, uint64_t *kept, struct nfc_scratch **scratch)
{
    const char *p = text.p, *end = p + text.n, *calm, *q;

    if (end == p)
        return false;
    pthread_once(&once, fill);
    q = find_restless(p, end, &calm);
    if (q == end)
        return false;
    if (*scratch == NULL)
        *scratch = mem_alloc(sizeof **scratch);
    buf_reserve(out, text.n + text.n / 8);
    while (q < end) {
        size_t chars = 1;     /* from calm on; the calm one itself, or the first of the others */
        uint32_t cp;

        buf_add(out, p, (size_t)(calm - p));
        for (; q < end; chars++) {
            size_t n = char_decode(q, &cp);
            if (is_calm(cp))
                break;
            q += n;
        }
        if (chars <= NFC_RUN_MAX) {
            append_part(out, (struct span){ calm, (size_t)(q - calm) }, *scratch);
        } else {
            buf_add(out, calm, (size_t)(q - calm));
            ++*kept;
        }
        p = q;
        q = find_restless(p, end, &calm);
    }
    buf_add(out, p, (size_t)(end - p));
    return true;
}
