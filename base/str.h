/*
 * Bytes and text: a span (borrowed bytes), a buf (growing bytes, ours), and UTF-8.
 *
 * A buf is {0} or buf_init() before use and buf_release() after; buf.p is NUL-terminated
 * after every append, so it can be printed.
 */
#ifndef TUNDISH_BASE_STR_H
#define TUNDISH_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *p;
    size_t n;
};
static inline struct span span_of(const char *s) { return (struct span){ s, strlen(s) }; }
static inline bool span_eq(struct span a, const char *s)
{
    return a.n == strlen(s) && memcmp(a.p, s, a.n) == 0;
}

struct buf {
    char *p;
    size_t n, cap;
};
void buf_init(struct buf *b);
void buf_release(struct buf *b);
static inline void buf_clear(struct buf *b) { b->n = 0; if (b->p) b->p[0] = 0; }
void buf_reserve(struct buf *b, size_t extra);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Decodes one code point at p (p < end). Returns its length 1..4 and sets *cp; 0 if the
 * bytes at p are not well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong). */
size_t utf8_decode(const char *p, const char *end, uint32_t *cp);
/* Writes cp (a scalar value) to out; returns its length 1..4. */
size_t utf8_encode(uint32_t cp, char out[4]);
bool utf8_valid(const char *p, size_t n);
/* Appends the text with each maximal ill-formed part replaced by U+FFFD (Unicode 15, 3.9,
 * "substitution of maximal subparts"); returns how many replacements there were. */
size_t utf8_repair(struct buf *out, const char *p, size_t n);
/* Columns of a terminal that a code point takes: 0 (combining, joiners), 1, or 2 (wide in East Asia,
 * emoji). The blocks of Unicode 15's EastAsianWidth.txt (W and F), roughly. */
int utf8_columns(uint32_t cp);
size_t utf8_width(const char *p, size_t n);      /* columns of a text; a wrong byte takes one */
/* Number of code points in well-formed text. */
size_t utf8_length(const char *p, size_t n);

/* The candidate nearest to word (Damerau-Levenshtein, at most a third of its length away,
 * at least 1), the first of equals, or NULL; words above 63 bytes have no neighbours. candidates
 * ends with NULL. For "did you mean". */
const char *str_nearest(const char *word, const char *const *candidates);
/* "1.4 GB", "99.2 MB", "312 KB", "17 B" (powers of 1000) into out (at least 24
 * bytes); returns out. */
const char *str_bytes(uint64_t n, char *out);
/* "12,345,678" into out (at least 28 bytes); returns out. */
const char *str_count(uint64_t n, char *out);
/* Parses a byte size: digits with an optional K, M, G, T (powers of 1024; lower case too). False if
 * it is not one, or does not fit. */
bool str_parse_size(const char *s, uint64_t *out);
/* Parses a span of time: whole numbers with d, h, m, s, each at most once and the larger first
 * ("90s", "1h30m"). False if it is not one, or is above 100 years. */
bool str_parse_duration(const char *s, double *seconds);
bool str_ends_with(const char *s, const char *tail);

#endif
