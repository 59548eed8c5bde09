#include "curate/filter/bad_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "curate/text/words.h"

#define FILE_BYTES_MAX ((uint64_t)64 << 20)
#define BUCKETS 0x10000

struct bad_words {
    struct buf text;
    struct span *list;              /* by their first two bytes; one of a single byte has 0 for the second */
    size_t count, cap;
    uint32_t first[BUCKETS + 1];    /* of a bucket, in the list */
};

static unsigned bucket_of(const struct span *w)
{
    return (unsigned char)w->p[0] * 256u + (w->n > 1 ? (unsigned char)w->p[1] : 0);
}

static int by_bucket(const void *a, const void *b)
{
    unsigned x = bucket_of(a), y = bucket_of(b);

    return x < y ? -1 : x > y;
}

/* What datatrove leaves out of every list: parts of many innocent words where nothing stands between words. */
static bool is_allowed(struct span w)
{
    static const char *const words[] = { "sm", "\xE3\x82\xB0\xE3\x83\xAD", "\xE5\xA5\xB3\xE3\x81\xAE\xE5\xAD\x90", "\xE6\x80\xA7" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_eq(w, words[i]))
            return true;
    return false;
}

static void add_line(struct bad_words *b, struct span line)
{
    line = word_strip(word_class_init(), line);
    if (line.n == 0 || is_allowed(line))
        return;
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 512;
        b->list = mem_grow(b->list, b->cap, sizeof *b->list);
    }
    b->list[b->count++] = line;
}

enum status bad_words_read(const char *path, struct bad_words **out)
{
    struct bad_words *b;
    enum status st;

    *out = NULL;
    if (path == NULL)
        return ST_OK;
    b = mem_alloc(sizeof *b);
    st = file_read(path, FILE_BYTES_MAX, &b->text);
    if (st == ST_OK && !utf8_valid(b->text.p, b->text.n))
        st = fail(ST_CONFIG, "%s is not UTF-8; want a word or phrase a line", path);
    if (st != ST_OK) {
        bad_words_free(b);
        return st;
    }
    for (const char *p = b->text.p, *end = p + b->text.n; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));

        add_line(b, (struct span){ p, (size_t)((stop ? stop : end) - p) });
        p = stop ? stop + 1 : end;
    }
    if (b->count > 1)
        qsort(b->list, b->count, sizeof *b->list, by_bucket);
    for (size_t i = 0, bucket = 0; bucket <= BUCKETS; bucket++) {
        while (i < b->count && bucket_of(&b->list[i]) < bucket)
            i++;
        b->first[bucket] = (uint32_t)i;
    }
    *out = b;
    return ST_OK;
}

static bool starts_one(const struct bad_words *b, const struct word_classes *c, unsigned bucket, struct span rest, bool inside)
{
    for (uint32_t i = b->first[bucket]; i < b->first[bucket + 1]; i++) {
        const struct span *w = &b->list[i];
        size_t n;

        if (w->n <= rest.n && memcmp(w->p, rest.p, w->n) == 0 &&
            (inside || w->n == rest.n || !(word_class_at(c, rest.p + w->n, &n) & WORD_W)))
            return true;
    }
    return false;
}

bool bad_words_found(const struct bad_words *b, const struct word_classes *c, struct span text, bool inside)
{
    bool may_begin = true;

    for (size_t at = 0, n; at < text.n; at += n) {
        struct span rest = { text.p + at, text.n - at };
        unsigned flags = word_class_at(c, rest.p, &n), high = (unsigned char)rest.p[0] * 256u;
        unsigned low = rest.n > 1 ? (unsigned char)rest.p[1] : 0;

        if (may_begin && (starts_one(b, c, high + low, rest, inside) || (low && starts_one(b, c, high, rest, inside))))
            return true;
        may_begin = inside || !(flags & WORD_W);
    }
    return false;
}

void bad_words_free(struct bad_words *b)
{
    if (b == NULL)
        return;
    buf_release(&b->text);
    free(b->list);
    free(b);
}
