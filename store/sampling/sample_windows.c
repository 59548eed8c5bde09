#include "store/sampling/sample_windows.h"

#include "base/rng.h"

void sample_windows_init(struct sample_windows *w, const struct sample_windows_args *args)
{
    uint64_t every = SAMPLE_WINDOWS_DOCUMENTS / args->window;

    *w = (struct sample_windows){ .order = args->order,
                                  .start = args->start,
                                  .window = args->window,
                                  .end = args->end,
                                  .every = every > 0 ? every : 1 };
    sample_pack_init(&w->pack, args->length);
}

void sample_windows_release(struct sample_windows *w)
{
    sample_pack_release(&w->pack);
    free(w->index);
    *w = (struct sample_windows){ 0 };
}

void sample_place_copy(const struct sample_place *from, struct sample_place *to)
{
    *to = *from;
    to->rest = NULL;
    if (from->rest_count > 0) {
        to->rest = mem_array(from->rest_count, sizeof *to->rest);
        memcpy(to->rest, from->rest, from->rest_count * sizeof *to->rest);
    }
}

/* ---- windows ---- */

/* The place of the first document of a window that is not the rest, counted from 0. */
static uint64_t window_begin(const struct sample_windows *w, uint64_t number)
{
    uint64_t documents = w->order->documents, at = w->start->document % documents;
    uint64_t begun = (documents - at + w->window - 1) / w->window; /* in the first epoch */
    uint64_t whole = (documents + w->window - 1) / w->window;      /* in each other */

    if (number < begun)
        return w->start->document + number * w->window;
    number -= begun;
    return (w->start->document / documents + 1 + number / whole) * documents +
           number % whole * w->window;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void add_documents(struct sample_windows *w)
{
    for (uint64_t place = w->begin; place < w->after; place++) {
        uint64_t document = sample_order_document(w->order, place);
        uint64_t length = token_store_length(w->order->store, TOKENS_TRAIN, document);

        sample_pack_add(&w->pack, &(struct sample_piece){ place, document, 0, length });
    }
}

/* Packs a window whose first row is `first`; false: it is behind the end. */
static bool load(struct sample_windows *w, uint64_t number, uint64_t first)
{
    bool has_rest = w->start->rest_count > 0;
    uint64_t documents = w->order->documents;

    sample_pack_clear(&w->pack);
    w->loaded = false;
    if (w->start->document > w->end)
        return false;
    if (has_rest && number == 0) {
        w->begin = w->after = w->start->document;
        for (size_t i = 0; i < w->start->rest_count; i++)
            sample_pack_add(&w->pack, &w->start->rest[i]);
    } else {
        w->begin = window_begin(w, number - has_rest);
        if (w->begin >= w->end)
            return false;
        w->after = least(w->begin + w->window, (w->begin / documents + 1) * documents);
        w->after = least(w->after, w->end);
        add_documents(w);
    }
    sample_pack_fit(&w->pack);
    w->number = number;
    w->first = first;
    w->loaded = true;
    return true;
}

/* ---- the index ---- */

static void note(struct sample_windows *w, uint64_t number, uint64_t first)
{
    if (number != w->count * w->every)
        return;
    if (w->count == w->capacity) {
        w->capacity = w->capacity * 2 + 64;
        w->index = mem_grow(w->index, w->capacity, sizeof *w->index);
    }
    w->index[w->count++] = first;
}

/* Loads the window with the row; false: there is none, and *rows is how many there are. */
static bool reach(struct sample_windows *w, uint64_t row, uint64_t *rows)
{
    uint64_t number, first;
    uint64_t entry; /* the last of the index whose window begins at or before the row */

    note(w, 0, 0);
    entry = sample_search(w->index, w->count, row);
    number = entry * w->every;
    first = w->index[entry];
    if (w->loaded && w->first <= row && w->number >= number) {
        number = w->number;
        first = w->first;
    }
    for (;;) {
        if ((!w->loaded || w->number != number) && !load(w, number, first)) {
            *rows = first;
            return false;
        }
        if (row - first < w->pack.rows)
            return true;
        first += w->pack.rows;
        note(w, ++number, first);
    }
}

/* ---- asking ---- */

uint64_t sample_windows_rows(struct sample_windows *w, uint64_t most)
{
    uint64_t rows;

    return reach(w, most, &rows) ? most + 1 : rows;
}

/* Where the row stands in the pack. */
static uint64_t packed_row(const struct sample_windows *w, uint64_t row)
{
    return rng_permute(sample_order_rows_seed(w->order, w->begin), w->pack.rows, row - w->first);
}

const struct sample_piece *sample_windows_row(struct sample_windows *w, uint64_t row, size_t *count)
{
    uint64_t rows;

    if (!reach(w, row, &rows))
        return NULL;
    return sample_pack_row(&w->pack, packed_row(w, row), count);
}

void sample_windows_place(struct sample_windows *w, uint64_t rows, struct sample_place *out)
{
    uint64_t all, unread;
    size_t n;

    if (rows == 0) {
        sample_place_copy(w->start, out);
        return;
    }
    *out = (struct sample_place){ .document = w->end };
    if (!reach(w, rows, &all))
        return;
    out->document = w->begin;
    unread = w->first + w->pack.rows - rows;
    if (unread == w->pack.rows && w->begin < w->after)
        return; /* nothing of it was read: it will be packed as it is */
    out->document = w->after;
    out->rest = mem_array(w->pack.count, sizeof *out->rest);
    for (uint64_t row = rows; unread > 0; row++, unread--) {
        const struct sample_piece *pieces = sample_pack_row(&w->pack, packed_row(w, row), &n);

        for (size_t i = 0; i < n; i++)
            out->rest[out->rest_count++] = pieces[i];
    }
    out->rest_count = sample_pieces_join(out->rest, out->rest_count);
}
