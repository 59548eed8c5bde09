#include "base/str.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/status.h"

void buf_init(struct buf *b)
{
    *b = (struct buf){ 0 };
}

void buf_release(struct buf *b)
{
    free(b->p);
    buf_init(b);
}

void buf_reserve(struct buf *b, size_t extra)
{
    size_t want, cap;

    if (__builtin_add_overflow(b->n, extra, &want) || want >= SIZE_MAX / 2)
        want = SIZE_MAX / 2;   /* more than any machine has: mem_grow() says so */
    if (b->p && want < b->cap)
        return;
    cap = b->cap + b->cap / 2;
    if (cap < want + 1)
        cap = want + 1;
    if (cap < 32)
        cap = 32;
    b->p = mem_grow(b->p, cap, 1);
    b->cap = cap;
    b->p[b->n] = 0;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    buf_reserve(b, n);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    int n;

    buf_reserve(b, 64);
    va_start(args, fmt);
    n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, args);
    va_end(args);
    BUG_IF(n < 0);
    if ((size_t)n >= b->cap - b->n) {
        buf_reserve(b, (size_t)n);
        va_start(args, fmt);
        vsnprintf(b->p + b->n, b->cap - b->n, fmt, args);
        va_end(args);
    }
    b->n += (size_t)n;
}

/* The nearest word: edit distance with swaps of neighbours (restricted Damerau-Levenshtein,
 * "optimal string alignment"), three rows of the table at a time. */
#define WORD_MAX 63

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    int rows[3][WORD_MAX + 1];

    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int d = least(above[j] + 1, row[j - 1] + 1);

            d = least(d, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d = least(d, above2[j - 2] + 1);
            row[j] = d;
        }
    }
    return rows[n % 3][m];
}

const char *str_nearest(const char *word, const char *const *candidates)
{
    size_t n = strlen(word);
    int best = n / 3 > 1 ? (int)(n / 3) : 1;
    const char *nearest = NULL;

    if (n == 0 || n > WORD_MAX)
        return NULL;
    for (; *candidates; candidates++) {
        size_t m = strlen(*candidates);
        int d = m > WORD_MAX ? INT_MAX : edit_distance(word, n, *candidates, m);

        if (d < best || (d == best && !nearest)) {
            best = d;
            nearest = *candidates;
        }
    }
    return nearest;
}

const char *str_bytes(uint64_t n, char *out)
{
    static const char *const units[] = { "B", "KB", "MB", "GB", "TB", "PB", "EB" };
    uint64_t unit = 1, tenths;
    int i = 0;

    /* The next unit as soon as this one would round to 1000. */
    while (n / unit > 999 || (i && n / unit == 999 && n % unit >= unit / 2)) {
        unit *= 1000;
        i++;
    }
    if (i == 0) {
        snprintf(out, 24, "%d B", (int)n);
        return out;
    }
    tenths = n / (unit / 10) + (n % (unit / 10) >= unit / 20);
    if (tenths < 1000)
        snprintf(out, 24, "%d.%d %s", (int)(tenths / 10), (int)(tenths % 10), units[i]);
    else
        snprintf(out, 24, "%d %s", (int)(n / unit + (n % unit >= unit / 2)), units[i]);
    return out;
}

const char *str_count(uint64_t n, char *out)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), o = 0;

    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            out[o++] = ',';
        out[o++] = digits[i];
    }
    out[o] = 0;
    return out;
}

bool str_parse_size(const char *s, uint64_t *out)
{
    static const char units[] = "KMGT";
    uint64_t n = 0;
    const char *start = s, *unit;

    for (; *s >= '0' && *s <= '9'; s++)
        if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
            return false;
    if (s == start)
        return false;
    if (*s) {
        unit = strchr(units, *s & ~0x20);   /* lower case is fine */
        if (!unit || s[1] || !(*s & 0x40))
            return false;
        if (__builtin_mul_overflow(n, (uint64_t)1 << (10 * (unit - units + 1)), &n))
            return false;
    }
    *out = n;
    return true;
}

bool str_parse_duration(const char *s, double *seconds)
{
    static const struct {
        char name;
        double seconds;
    } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
    const size_t count = sizeof units / sizeof *units;
    const double most = 100 * 366 * 86400.0;
    size_t next = 0;

    *seconds = 0;
    if (*s == 0)
        return false;
    while (*s) {
        double n = 0;
        const char *digits = s;
        for (; *s >= '0' && *s <= '9' && n <= most; s++)
            n = 10 * n + (*s - '0');
        while (next < count && units[next].name != *s)
            next++;
        if (s == digits || next == count)
            return false;
        *seconds += n * units[next++].seconds;
        s++;
    }
    return *seconds <= most;
}

bool str_ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);

    return n >= m && memcmp(s + n - m, tail, m) == 0;
}
