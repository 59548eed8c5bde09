#include "store/sampling/sample_shuffle.h"

#include <string.h>

#include "base/rng.h"

/* Tokens of the text that were left by the phase before. */
static uint64_t left_over(const struct sample_shuffle *h)
{
    return h->before[h->start->rest_count];
}

void sample_shuffle_init(struct sample_shuffle *h, const struct sample_shuffle_args *args)
{
    const struct sample_place *start = args->start;
    uint64_t tokens;

    *h = (struct sample_shuffle){
        .order = args->order, .start = start, .length = args->length, .limit = UINT64_MAX
    };
    h->before = mem_array(start->rest_count + 1, sizeof *h->before);
    for (size_t i = 0; i < start->rest_count; i++)
        h->before[i + 1] = h->before[i] + start->rest[i].count;
    if (args->cap == UINT64_MAX)
        return;
    tokens = args->cap >= start->tokens ? left_over(h) + (args->cap - start->tokens) : 0;
    h->limit = tokens > 0 ? (tokens - 1) / h->length : 0; /* with the last target */
}

void sample_shuffle_release(struct sample_shuffle *h)
{
    free(h->before);
    h->before = NULL;
}

/* ---- windows ---- */

struct window {
    uint64_t begin, end; /* rows */
};

/* The window that a row of the text lies in. */
static struct window window_of(const struct sample_shuffle *h, uint64_t row)
{
    uint64_t T = h->length, at = row * T, left = left_over(h), q = h->start->tokens;
    uint64_t begin = 0, end = left; /* of the stretch of text that a window may not leave */
    struct window w;

    if (at >= left) {
        uint64_t epoch = (q + (at - left)) / h->order->tokens, first = epoch * h->order->tokens;

        begin = first > q ? left + (first - q) : left;
        end = left + (first + h->order->tokens - q);
    }
    if (at + T > end)
        return (struct window){ row, row + 1 };
    w.begin = (begin + T - 1) / T;
    w.begin += (row - w.begin) / SAMPLE_SHUFFLE_ROWS * SAMPLE_SHUFFLE_ROWS;
    w.end = w.begin + SAMPLE_SHUFFLE_ROWS;
    w.end = w.end < end / T ? w.end : end / T;
    w.end = w.end < h->limit ? w.end : h->limit;
    return w;
}

static uint64_t shuffled(const struct sample_shuffle *h, const struct window *w, uint64_t number)
{
    uint64_t count, first;

    if (w->end - w->begin == 1)
        return w->begin;
    first = sample_shuffle_at(h, w->begin * h->length, 1, &count);
    return w->begin + rng_permute(sample_order_rows_seed(h->order, first), w->end - w->begin,
                                  number - w->begin);
}

struct sample_shuffle_row sample_shuffle_row(const struct sample_shuffle *h, uint64_t number)
{
    struct window w = window_of(h, number);
    struct sample_shuffle_row row = { shuffled(h, &w, number) * h->length, 0, 0 };
    uint64_t left = left_over(h), begin = w.begin * h->length;

    if (begin >= left && w.end - w.begin > 1) {
        row.first = h->start->tokens + (begin - left);
        row.end = row.first + (w.end - w.begin) * h->length;
    }
    return row;
}

/* ---- the text ---- */

bool sample_shuffle_left(const struct sample_shuffle *h, uint64_t at) { return at < left_over(h); }

uint64_t sample_shuffle_at(const struct sample_shuffle *h, uint64_t at, uint64_t most,
                           uint64_t *count)
{
    const struct sample_piece *stretch;
    uint64_t i;

    if (at >= left_over(h)) {
        *count = most;
        return h->start->tokens + (at - left_over(h));
    }
    i = sample_search(h->before, h->start->rest_count, at);
    stretch = &h->start->rest[i];
    *count = h->before[i + 1] - at;
    if (*count > most || stretch->offset + stretch->count == h->start->tokens)
        *count = most; /* what was left last may go on in the sequence */
    return stretch->offset + (at - h->before[i]);
}

/* ---- places ---- */

/* Adds the tokens [at, at + n) of the text to what is left. */
static void leave(const struct sample_shuffle *h, uint64_t at, uint64_t n, struct sample_place *out,
                  size_t *capacity)
{
    while (n > 0) {
        uint64_t count, first = sample_shuffle_at(h, at, n, &count);

        if (out->rest_count == *capacity) {
            *capacity = *capacity * 2 + 16;
            out->rest = mem_grow(out->rest, *capacity, sizeof *out->rest);
        }
        out->rest[out->rest_count++] = (struct sample_piece){ 0, 0, first, count };
        at += count;
        n -= count;
    }
}

void sample_shuffle_place(const struct sample_shuffle *h, uint64_t rows, struct sample_place *out)
{
    uint64_t end = rows, left = left_over(h);
    size_t capacity = 0;

    *out = (struct sample_place){ 0 };
    if (rows < h->limit) {
        struct window w = window_of(h, rows);

        for (uint64_t i = rows; i < w.end && rows > w.begin; i++)
            leave(h, shuffled(h, &w, i) * h->length, h->length, out, &capacity);
        end = rows > w.begin ? w.end : rows;
    }
    end *= h->length;
    if (end < left)
        leave(h, end, left - end, out, &capacity);
    out->tokens = h->start->tokens + (end > left ? end - left : 0);
    out->rest_count = sample_pieces_join(out->rest, out->rest_count);
}
