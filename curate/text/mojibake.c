#include "curate/text/mojibake_part.h"

#include <stdlib.h>

#include "base/arena.h"

#define PIECE_MAX (16 * MOJIBAKE_PIECE)      /* where a piece finds no end it is cut here */

struct mojibake {
    /* By code point, a bit an encoding: its byte there begins a sequence of UTF-8, continues one. */
    uint16_t leads[MOJIBAKE_CODES], follows[MOJIBAKE_CODES];
    uint8_t bytes[MOJIBAKE_CODES][MOJIBAKE_ENCODINGS];
    bool letters[MOJIBAKE_CODES];
    uint32_t *chars;                         /* of the piece in hand */
    uint8_t (*of_chars)[MOJIBAKE_ENCODINGS];
    bool *mend, *best;
    size_t cap;
    struct buf pieces[2];
};

static void add_byte(struct mojibake *m, uint32_t code, int encoding, unsigned byte)
{
    if (code >= MOJIBAKE_CODES || m->bytes[code][encoding] != 0)
        return;
    m->bytes[code][encoding] = (uint8_t)byte;
    if (byte < 0xc0)
        m->follows[code] |= (uint16_t)(1 << encoding);
    else if (byte >= 0xc2 && byte <= 0xf4)
        m->leads[code] |= (uint16_t)(1 << encoding);
}

struct mojibake *mojibake_new(void)
{
    struct mojibake *m = mem_alloc(sizeof *m);

    for (unsigned i = 0x80; i < 0xa0; i++)      /* ISO 8859-1 is read as windows-1252, which comes first */
        add_byte(m, i, 0, i);

    for (int e = 0; e < MOJIBAKE_ENCODINGS; e++) {
        for (unsigned i = 0; i < 128; i++)
            add_byte(m, mojibake_tables[e][i], e, 128 + i);
    }
    for (uint32_t c = 0x80; c < MOJIBAKE_CODES; c++)
        m->letters[c] = mojibake_is_letter(c);
    return m;
}

void mojibake_free(struct mojibake *m)
{
    if (m == NULL)
        return;
    free(m->chars);
    free(m->of_chars);
    free(m->mend);
    free(m->best);
    buf_release(&m->pieces[0]);
    buf_release(&m->pieces[1]);
    free(m);
}

/* ---- looking for something suspicious ---- */

static const char *skip_ascii(const char *p, const char *end)
{
    uint64_t word[4];

    for (; end - p >= 32; p += 32) {
        memcpy(word, p, 32);
        if ((word[0] | word[1] | word[2] | word[3]) & UINT64_C(0x8080808080808080))
            break;
    }
    while (p < end && (signed char)*p >= 0)
        p++;
    return p;
}

/* A character beyond ASCII of well-formed text; *n: its bytes. One that is in no table comes out as MOJIBAKE_CODES. */
static inline uint32_t read_char(const char *s, size_t *n)
{
    const unsigned char *p = (const unsigned char *)s;
    uint32_t c;

    *n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] < 0xe0)
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    if (p[0] > 0xe2)
        return MOJIBAKE_CODES;
    c = (uint32_t)(p[0] & 0xf) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    return c < MOJIBAKE_CODES ? c : MOJIBAKE_CODES;
}

/* May each letter of the run be part of a sequence in that encoding? Else it is left alone (mojibake_weigh()). */
static bool run_is_covered(const struct mojibake *m, struct span run, int encoding)
{
    const char *p = run.p, *end = run.p + run.n;
    unsigned want = 0;            /* bytes that the sequence in hand lacks */
    bool letters = false;         /* in what there is of it */

    while (p < end) {
        size_t n;
        uint32_t c = read_char(p, &n);
        bool letter = c != MOJIBAKE_CODES && m->letters[c];      /* of others it is found out when they are weighed */
        unsigned b = c == MOJIBAKE_CODES ? 0 : m->bytes[c][encoding];

        p += n;
        if (want > 0 && b >= 0x80 && b < 0xc0) {
            want--;
            letters = letters || letter;
            continue;
        }
        if (want > 0 && letters)
            return false;
        want = b < 0xc2 || b > 0xf4 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
        letters = letter;
        if (want == 0 && letter)
            return false;
    }
    return want == 0 || !letters;
}

/* The end of the run of characters beyond ASCII at p; *found: encodings of which a pair is in it. */
static const char *read_run(const struct mojibake *m, const char *p, const char *end, unsigned *found)
{
    unsigned lead = 0;

    *found = 0;
    while (p < end && (signed char)*p < 0) {
        size_t n;
        uint32_t c = read_char(p, &n);

        if (c == MOJIBAKE_CODES) {
            lead = 0;
        } else {
            *found |= lead & m->follows[c];
            lead = m->leads[c];
        }
        p += n;
    }
    return p;
}

size_t mojibake_scan(const struct mojibake *m, struct span text)
{
    const char *p = text.p, *end = text.p + text.n;

    while ((p = skip_ascii(p, end)) < end) {
        const char *start = p;
        unsigned found;

        p = read_run(m, p, end, &found);
        for (int e = 0; found >> e != 0; e++)
            if ((found >> e & 1) && run_is_covered(m, (struct span){ start, (size_t)(p - start) }, e))
                return (size_t)(start - text.p);
    }
    return text.n;
}

/* ---- a piece ---- */

static struct piece piece_of(struct mojibake *m, struct span text)
{
    static const uint8_t none[MOJIBAKE_ENCODINGS];
    const char *p = text.p, *end = p + text.n;
    size_t count = 0;

    if (m->cap < text.n) {
        m->cap = text.n;
        m->chars = mem_grow(m->chars, m->cap, sizeof *m->chars);
        m->of_chars = mem_grow(m->of_chars, m->cap, sizeof *m->of_chars);
        m->mend = mem_grow(m->mend, m->cap, sizeof *m->mend);
        m->best = mem_grow(m->best, m->cap, sizeof *m->best);
    }
    while (p < end) {
        uint32_t c = 0;
        size_t n = utf8_decode(p, end, &c);

        if (n == 0)
            n = 1, c = 0xfffd;
        memcpy(m->of_chars[count], c >= 0x80 && c < MOJIBAKE_CODES ? m->bytes[c] : none, MOJIBAKE_ENCODINGS);
        m->chars[count++] = c;
        p += n;
    }
    return (struct piece){ m->chars, count, (const uint8_t (*)[MOJIBAKE_ENCODINGS])m->of_chars };
}

/* The encodings of which a suspicious pair is in the piece, as bits. */
static unsigned suspects(const struct mojibake *m, const struct piece *p)
{
    unsigned found = 0;

    for (size_t i = 1; i < p->n; i++)
        if (p->c[i] >= 0x80 && p->c[i] < MOJIBAKE_CODES && p->c[i - 1] < MOJIBAKE_CODES)
            found |= m->leads[p->c[i - 1]] & m->follows[p->c[i]];
    return found;
}

/* One round: the piece in the encoding that makes it best, appended to out; returns the characters made; 0: none. */
static uint64_t mend_once(struct mojibake *m, struct span text, struct buf *out)
{
    struct piece p = piece_of(m, text);
    unsigned found = suspects(m, &p);
    int best = 0, encoding = -1;
    uint64_t made = 0;
    char utf8[4];

    for (int e = 0; e < MOJIBAKE_ENCODINGS; e++) {
        int gain;

        if ((found >> e & 1) == 0)
            continue;
        memset(m->mend, 0, p.n * sizeof *m->mend);
        gain = mojibake_weigh(&p, e, m->mend);
        if (gain >= MOJIBAKE_BETTER && gain > best) {
            bool *swap = m->best;

            best = gain;
            encoding = e;
            m->best = m->mend;
            m->mend = swap;
        }
    }
    for (size_t i = 0; encoding >= 0 && i < p.n;) {
        struct sequence s = m->best[i] ? mojibake_sequence(&p, i, encoding) : (struct sequence){ 1, p.c[i] };

        made += m->best[i];
        buf_add(out, utf8, utf8_encode(s.becomes, utf8));
        i += s.n;
    }
    return encoding >= 0 ? made : 0;
}

/* The mended piece appended to out, or the piece as it is. */
static uint64_t mend_piece(struct mojibake *m, struct span text, struct buf *out)
{
    uint64_t made = 0;

    for (int round = 0; round < MOJIBAKE_ROUNDS; round++) {
        struct buf *to = &m->pieces[round & 1];
        uint64_t more;

        buf_clear(to);
        more = mend_once(m, text, to);
        if (more == 0)
            break;
        made += more;
        text = (struct span){ to->p, to->n };
        if (mojibake_scan(m, text) == text.n)
            break;
    }
    buf_add(out, text.p, text.n);
    return made;
}

/* The end of the piece that begins at `at`: behind its line, or a word of a long one. */
static size_t piece_end(struct span text, size_t at)
{
    size_t left = text.n - at, n = left < MOJIBAKE_PIECE ? left : MOJIBAKE_PIECE;
    const char *line = memchr(text.p + at, '\n', n);

    if (line != NULL)
        return (size_t)(line + 1 - text.p);
    if (n == left)
        return text.n;
    n += at;
    while (n < text.n && n - at < PIECE_MAX && text.p[n - 1] != ' ' && text.p[n - 1] != '\n')
        n++;
    while (n < text.n && (text.p[n] & 0xC0) == 0x80)
        n++;
    return n;
}

uint64_t mojibake_mend(struct mojibake *m, struct span text, struct buf *out)
{
    size_t at = 0;
    uint64_t made = 0;

    buf_clear(out);
    while (at < text.n) {
        size_t hit = at + mojibake_scan(m, (struct span){ text.p + at, text.n - at }), start = hit;

        if (hit == text.n)
            break;
        while (start > at && text.p[start - 1] != '\n' && hit - start < MOJIBAKE_PIECE / 2)
            start--;
        while (start > at && (text.p[start] & 0xC0) == 0x80)
            start--;
        buf_add(out, text.p + at, start - at);
        at = piece_end(text, start);
        made += mend_piece(m, (struct span){ text.p + start, at - start }, out);
    }
    if (made > 0)
        buf_add(out, text.p + at, text.n - at);
    return made;
}
