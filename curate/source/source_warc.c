/* ISO 28500 (WARC 0.17 to 1.1), and Common Crawl's WET, which is WARC too.
 *
 * A record is a head of fields, a block of Content-Length bytes and two line ends. Nothing of it is
 * taken for granted: behind a block must stand the next record or the end. Where that is not so the
 * length was wrong, and the next record is looked for, in the block (a length too large) and behind
 * it (too small): a line that begins WARC/ and a digit. Where the packed bytes below have a gap the
 * record ends there. Reading again what a wrong length covered is bounded by what has been read, so
 * the time stays linear. */
#include <ctype.h>
#include <string.h>

#include "curate/source/source_payload.h"

#define HEAD_MAX (256u << 10)        /* fields of a record, and of the answer in it */
#define PEEK 16
#define REREAD_FROM (1u << 20)

struct warc {
    struct buf again;                /* read before what comes from below */
    size_t again_at;
    bool from_again;                 /* the last bytes were of these */
    struct buf head, block;
    uint64_t number;                 /* records met */
    uint64_t read, reread;           /* bytes */
    bool lost;                       /* between records, with a fault that has been counted */
};

/* --- bytes --- */

static struct span some(struct level *l)
{
    struct warc *w = l->state;
    struct span s = { w->again.p + w->again_at, w->again.n - w->again_at };

    w->from_again = s.n > 0;
    if (w->from_again) {
        w->again_at = w->again.n;
        return s;
    }
    s = input_next(l->in);
    w->read += s.n;
    return s;
}

static void unread(struct level *l, size_t n)
{
    struct warc *w = l->state;

    if (w->from_again) {
        w->again_at -= n;
        return;
    }
    input_unread(l->in, n);
    w->read -= n;
}

/* Up to PEEK bytes that come next, not consumed. */
static struct span peek(struct level *l)
{
    struct warc *w = l->state;
    size_t left = w->again.n - w->again_at;

    while (left < PEEK) {
        struct span s;
        memmove(w->again.p, w->again.p + w->again_at, left);
        w->again.n = left;
        w->again_at = 0;
        s = input_next(l->in);
        if (s.n == 0)
            break;
        if (s.n > PEEK - left) {
            input_unread(l->in, s.n - (PEEK - left));
            s.n = PEEK - left;
        }
        w->read += s.n;
        buf_add(&w->again, s.p, s.n);
        left = w->again.n;
    }
    return (struct span){ w->again.p + w->again_at, left < PEEK ? left : PEEK };
}

enum head_line { HEAD_LINE_WHOLE, HEAD_LINE_LONG, HEAD_LINE_NONE };

/* Appends a line with its end; of one that is too long the rest stays unread. */
static enum head_line take_line(struct level *l, struct buf *to, size_t most)
{
    for (;;) {
        struct span s = some(l);
        const char *end;
        size_t n;

        if (s.n == 0)
            return HEAD_LINE_NONE;
        end = memchr(s.p, '\n', s.n);
        n = end != NULL ? (size_t)(end - s.p) + 1 : s.n;
        if (n > most - to->n) {
            unread(l, s.n);
            return HEAD_LINE_LONG;
        }
        buf_add(to, s.p, n);
        unread(l, s.n - n);
        if (end != NULL)
            return HEAD_LINE_WHOLE;
    }
}

/* --- faults --- */

/* Counts a fault once, until a record is found again. */
static void fault(struct level *l, enum source_outcome o, const char *id)
{
    struct warc *w = l->state;

    if (!w->lost)
        source_outcome(l->source, o, id);
    w->lost = true;
}

static bool begins_record(struct span s)
{
    return s.n >= 6 && memcmp(s.p, "WARC/", 5) == 0 && isdigit((unsigned char)s.p[5]);
}

/* The start of a record at a line's start in the block, with a field in its next line; NULL: none. */
static const char *record_within(struct span s)
{
    const char *at = s.p, *end = s.p + s.n, *line;

    while (at < end && (at = memmem(at, (size_t)(end - at), "\nWARC/", 6)) != NULL) {
        at++;
        if (!begins_record((struct span){ at, (size_t)(end - at) }))
            continue;
        line = memchr(at, '\n', (size_t)(end - at));
        if (line == NULL || (end - line > 5 && strncasecmp(line + 1, "WARC-", 5) == 0) ||
            (end - line > 8 && strncasecmp(line + 1, "Content-", 8) == 0))
            return at;
    }
    return NULL;
}

/* Puts bytes back in front of what comes next. */
static void read_again(struct warc *w, struct span s)
{
    struct buf all = { 0 };

    buf_add(&all, s.p, s.n);
    buf_add(&all, w->again.p + w->again_at, w->again.n - w->again_at);
    buf_release(&w->again);
    w->again = all;
    w->again_at = 0;
    w->reread += s.n;
}

/* --- a record --- */

/* What stands before a record's first line: line ends, and else what does not belong there.
 * False: the end, or a gap. */
static bool find_record(struct level *l)
{
    struct warc *w = l->state;
    char *id;

    for (;;) {
        enum head_line got;

        if (begins_record(peek(l)))
            return true;
        buf_clear(&w->head);
        got = take_line(l, &w->head, HEAD_MAX);
        if (got == HEAD_LINE_NONE && w->head.n == 0)
            return false;
        if (got != HEAD_LINE_LONG && content_blank(w->head.p, w->head.n))
            continue;
        id = source_numbered_id(l->id, w->number + 1);
        fault(l, SOURCE_BAD_RECORD, id);
        free(id);
        while (got == HEAD_LINE_LONG) {      /* only a line's start can begin a record */
            struct span s = some(l);
            const char *end = s.n > 0 ? memchr(s.p, '\n', s.n) : NULL;
            if (end != NULL)
                unread(l, s.n - (size_t)(end - s.p) - 1);
            if (end != NULL || s.n == 0)
                break;
        }
    }
}

/* The head up to and with its blank line. */
static enum head_line take_head(struct level *l)
{
    struct warc *w = l->state;

    buf_clear(&w->head);
    for (;;) {
        size_t before = w->head.n;
        enum head_line got;

        if (before > 0 && begins_record(peek(l)))      /* the one before was cut off in its head */
            return HEAD_LINE_LONG;
        got = take_line(l, &w->head, HEAD_MAX);
        if (got != HEAD_LINE_WHOLE)
            return got;
        if (w->head.n - before <= 2 && content_blank(w->head.p + before, w->head.n - before))
            break;
    }
    fields_unfold(w->head.p, w->head.n);
    return HEAD_LINE_WHOLE;
}

/* False: there is no length, or it is none. */
static bool block_length(struct span head, uint64_t *out)
{
    struct span s = field_of(head, "Content-Length");

    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!isdigit((unsigned char)s.p[i]) || *out > UINT64_MAX / 10 - 9)
            return false;
        *out = *out * 10 + (uint64_t)(s.p[i] - '0');
    }
    return s.n > 0;
}

/* The block, or what there is of it. */
static void take_block(struct level *l, uint64_t n)
{
    struct warc *w = l->state;

    buf_clear(&w->block);
    while (w->block.n < n) {
        struct span s = some(l);
        size_t take = s.n < n - w->block.n ? s.n : (size_t)(n - w->block.n);
        if (s.n == 0)
            return;
        buf_add(&w->block, s.p, take);
        unread(l, s.n - take);
    }
}

/* What comes next is a record, or nothing, line ends apart. */
static bool ends_well(struct level *l)
{
    struct span next = peek(l);
    size_t skip = 0;

    while (skip < next.n && (next.p[skip] == '\r' || next.p[skip] == '\n'))
        skip++;
    return skip == next.n || begins_record((struct span){ next.p + skip, next.n - skip });
}

/* The block does not end as it should: where a record begins in it, it is cut there.
 * Returns whether one did. */
static bool cut_block(struct warc *w)
{
    struct span block = { w->block.p, w->block.n };
    const char *cut = w->reread <= w->read + REREAD_FROM ? record_within(block) : NULL;

    if (cut == NULL)
        return false;
    read_again(w, (struct span){ cut, (size_t)(block.p + block.n - cut) });
    w->block.n = (size_t)(cut - block.p);
    for (int i = 0; i < 4 && w->block.n > 0 && strchr("\r\n", w->block.p[w->block.n - 1]); i++)
        w->block.n--;
    return true;
}

/* A record whose block is too large to be held is passed over line by line. */
static struct raw_document *pass_over(struct level *l, const char *id)
{
    struct warc *w = l->state;
    struct span head = { w->head.p, w->head.n };

    source_outcome(l->source, record_is_document(head) ? SOURCE_SIZE : SOURCE_OTHER_RECORD, id);
    w->lost = true;      /* what follows is no fault */
    return NULL;
}

static struct raw_document *take_record(struct level *l, const char *id)
{
    struct warc *w = l->state;
    struct record r = { .id = id };
    enum head_line got = take_head(l);
    uint64_t n;

    w->lost = false;
    r.head = (struct span){ w->head.p, w->head.n };
    if (got != HEAD_LINE_WHOLE || !block_length(r.head, &n)) {
        fault(l, got == HEAD_LINE_NONE ? SOURCE_CUT_RECORD : SOURCE_BAD_RECORD, id);
        return NULL;
    }
    if (n > l->source->limits.max_document + HEAD_MAX)
        return pass_over(l, id);
    take_block(l, n);
    r.cut = w->block.n < n;
    if (r.cut || !ends_well(l)) {
        bool wrong = cut_block(w) || !r.cut;
        r.cut = r.cut && !wrong;
        if (wrong)
            fault(l, SOURCE_BAD_RECORD, id);
    }
    if (l->in->failed && w->block.n == 0)
        return NULL;
    r.block = w->block.p;
    r.n = w->block.n;
    if (!record_is_document(r.head)) {
        source_outcome(l->source, SOURCE_OTHER_RECORD, id);
        return NULL;
    }
    return record_document(l->source, &r);
}

/* --- the level --- */

static struct raw_document *warc_level_step(struct level *l)
{
    struct warc *w = l->state;
    struct raw_document *d;
    char *id;

    if (!find_record(l)) {
        l->dead = !input_resume(l->in);
        return NULL;
    }
    id = source_numbered_id(l->id, ++w->number);
    d = take_record(l, id);
    free(id);
    return d;
}

static void warc_level_close(struct level *l)
{
    struct warc *w = l->state;

    buf_release(&w->again);
    buf_release(&w->head);
    buf_release(&w->block);
    free(w);
}

static const struct level_kind warc_level = { warc_level_step, warc_level_close };

void warc_level_open(struct source *s, struct input *in, const char *id)
{
    struct level *l = source_push(s, &warc_level, in, id);
    struct warc *w = l->state = mem_alloc(sizeof *w);

    buf_reserve(&w->again, PEEK);      /* no bytes have an address, too */
    buf_reserve(&w->head, PEEK);
    buf_reserve(&w->block, PEEK);
    input_allow_gaps(in);
}
