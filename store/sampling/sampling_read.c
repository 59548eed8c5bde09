/* Rows of a sampling: what stands in them, their tokens, and what of a document was read. */
#include <string.h>

#include "store/sampling/sampling_part.h"

/* ---- what stands in a row ---- */

static void add_piece(struct sampling *s, const struct sampling_piece *piece)
{
    if (s->piece_count == s->piece_capacity) {
        s->piece_capacity = s->piece_capacity * 2 + 16;
        s->pieces = mem_grow(s->pieces, s->piece_capacity, sizeof *s->pieces);
    }
    s->pieces[s->piece_count++] = *piece;
}

/* The pieces of `count` tokens of the endless sequence, which stand at `at` of the row. */
static void add_stretch(struct sampling *s, const struct sample_phase *p, struct sample_run *r,
                        const struct sample_piece *from, uint64_t at)
{
    struct sample_order *o = &s->sources[r->source].order;
    uint64_t token = from->offset, end = from->offset + from->count;

    if (!r->ready || r->next != token)
        sample_order_find(o, token, &r->spot);
    while (token < end) {
        uint64_t left = r->spot.begin + r->spot.length - token;
        uint64_t n = left < end - token ? left : end - token;

        if (n == 0) {
            sample_order_next(o, &r->spot);
            continue;
        }
        add_piece(s, &(struct sampling_piece){ .source = (size_t)(r - p->runs),
                                               .document = r->spot.document,
                                               .offset = token - r->spot.begin,
                                               .count = n,
                                               .at = at,
                                               .epoch = r->spot.place / o->documents });
        token += n;
        at += n;
    }
    r->ready = true;
    r->next = end - 1; /* in the last document, whatever follows */
}

/* The pieces of a row, and one token more: the one that follows the last, in the sequence. */
static void concat_pieces(struct sampling *s, const struct sample_phase *p, struct sample_run *r,
                          uint64_t number)
{
    struct sample_shuffle_row row = sample_shuffle_row(&r->shuffle, number);
    uint64_t at = 0, n;

    s->joined = sample_shuffle_left(&r->shuffle, row.at);
    if (row.end > 0)
        sample_order_gather(&s->sources[r->source].order, row.first, row.end);
    for (; at < p->length; at += n) {
        struct sample_piece stretch = { 0 };

        stretch.offset = sample_shuffle_at(&r->shuffle, row.at + at, p->length - at, &n);
        stretch.count = n + (at + n == p->length);
        add_stretch(s, p, r, &stretch, at);
    }
}

static void fitted_pieces(struct sampling *s, const struct sample_phase *p, struct sample_run *r,
                          uint64_t number)
{
    uint64_t documents = s->sources[r->source].order.documents, at = 0;
    size_t n;
    const struct sample_piece *pieces = sample_windows_row(&r->windows, number, &n);

    BUG_IF(pieces == NULL);
    for (size_t i = 0; i < n; i++) {
        add_piece(s, &(struct sampling_piece){ .source = (size_t)(r - p->runs),
                                               .document = pieces[i].document,
                                               .offset = pieces[i].offset,
                                               .count = pieces[i].count,
                                               .at = at,
                                               .epoch = pieces[i].place / documents });
        at += pieces[i].count;
    }
}

static enum status check_rows(const struct sampling *s, uint64_t step, uint64_t row, uint64_t rows)
{
    const struct sample_phase *p;

    if (step >= s->steps)
        return fail(ST_LIMIT, "step %llu, but the data end after %llu", (unsigned long long)step,
                    (unsigned long long)s->steps);
    p = sampling_phase_of(s, step);
    if (row > p->rows || rows > p->rows - row)
        return fail(ST_LIMIT, "rows %llu to %llu of step %llu, which has %llu",
                    (unsigned long long)row, (unsigned long long)(row + rows),
                    (unsigned long long)step, (unsigned long long)p->rows);
    if (step - p->step >= (SAMPLING_TOKENS_MOST - p->before) / p->rows / p->length)
        return fail(ST_LIMIT, "step %llu is past 2^60 tokens", (unsigned long long)step);
    return ST_OK;
}

/* Of a row of the phase: into s->pieces. In PACK_CONCAT they hold T + 1 tokens. */
static struct sample_run *find_pieces(struct sampling *s, const struct sample_phase *p,
                                      uint64_t row)
{
    uint64_t number;
    struct sample_run *r = sampling_run_of(p, row, &number);

    s->piece_count = 0;
    if (s->packing == PACK_CONCAT)
        concat_pieces(s, p, r, number);
    else
        fitted_pieces(s, p, r, number);
    return r;
}

enum status sampling_pieces(struct sampling *s, uint64_t step, uint64_t row,
                            const struct sampling_piece **pieces, size_t *count)
{
    const struct sample_phase *p;

    TRY(check_rows(s, step, row, 1));
    p = sampling_phase_of(s, step);
    find_pieces(s, p, (step - p->step) * p->rows + row);
    if (s->packing == PACK_CONCAT && --s->pieces[s->piece_count - 1].count == 0)
        s->piece_count--;
    *pieces = s->pieces;
    *count = s->piece_count;
    return ST_OK;
}

/* ---- tokens ---- */

struct row {
    const struct token_store *store;
    struct sample_order *joined; /* whoever follows a document is to be looked up here; NULL: it is
                                    the next piece */
    uint64_t length;
    bool follow; /* the last token of a document has a target: what follows it */
    int32_t *tokens, *targets, *first;
};

/* The token at a place of the store as the target behind position `at` of the row. */
static enum status set_target(const struct row *r, uint64_t token, uint64_t at)
{
    TRY(token_store_read(r->store, TOKENS_TRAIN, token, 1, r->targets + at));
    token_store_mask(r->store, TOKENS_TRAIN, token, 1, r->targets + at);
    return ST_OK;
}

/* The document behind the one that ends with a piece. */
static uint64_t follower(const struct row *r, const struct sampling_piece *piece,
                         const struct sampling_piece *next)
{
    return r->joined ? sample_order_after(r->joined, piece->epoch, piece->document)
                     : next->document;
}

/* next: the piece behind it, or NULL. */
static enum status fill_piece(const struct row *r, const struct sampling_piece *piece,
                              const struct sampling_piece *next)
{
    uint64_t left = r->length - piece->at, n = piece->count < left ? piece->count : left;
    uint64_t begin = token_store_first(r->store, TOKENS_TRAIN, piece->document);
    uint64_t token = begin + piece->offset, last = piece->at + n - 1;
    int32_t *tokens = r->tokens + piece->at, *targets = r->targets + piece->at;

    TRY(token_store_read(r->store, TOKENS_TRAIN, token, n, tokens));
    memcpy(targets, tokens + 1, (n - 1) * sizeof *targets);
    if (n > 1)
        token_store_mask(r->store, TOKENS_TRAIN, token + 1, n - 1, targets);
    for (uint64_t i = piece->at; r->first && i <= last; i++)
        r->first[i] = (int32_t)piece->at;
    if (piece->offset + n < token_store_length(r->store, TOKENS_TRAIN, piece->document))
        return set_target(r, token + n, last);
    if (r->follow && next)
        return set_target(r, token_store_first(r->store, TOKENS_TRAIN, follower(r, piece, next)),
                          last);
    r->targets[last] = -1;
    return ST_OK;
}

static enum status fill_row(struct sampling *s, const struct sample_phase *p, uint64_t row,
                            const struct row *out)
{
    struct sample_run *run = find_pieces(s, p, row);
    struct row r = *out;
    uint64_t at = 0;

    r.store = s->sources[run->source].order.store;
    r.joined = s->joined ? &s->sources[run->source].order : NULL;
    for (size_t i = 0; i < s->piece_count && s->pieces[i].at < p->length; i++) {
        TRY(fill_piece(&r, &s->pieces[i], i + 1 < s->piece_count ? &s->pieces[i + 1] : NULL));
        at = s->pieces[i].at + s->pieces[i].count;
    }
    for (uint64_t i = at; i < p->length; i++) {
        r.tokens[i] = 0;
        r.targets[i] = -1;
        if (r.first)
            r.first[i] = (int32_t)at;
    }
    return ST_OK;
}

enum status sampling_read(struct sampling *s, uint64_t step, uint64_t row, uint64_t rows,
                          const struct sampling_batch *out)
{
    const struct sample_phase *p;

    TRY(check_rows(s, step, row, rows));
    p = sampling_phase_of(s, step);
    for (uint64_t i = 0; i < rows; i++)
        TRY(fill_row(s, p, (step - p->step) * p->rows + row + i,
                     &(struct row){ .length = p->length,
                                    .follow = s->packing == PACK_CONCAT && !s->apart,
                                    .tokens = out->tokens + i * p->length,
                                    .targets = out->targets + i * p->length,
                                    .first = out->first ? out->first + i * p->length : NULL }));
    return ST_OK;
}

uint64_t sampling_cu_seqlens(const int32_t *first, uint64_t length, int32_t *out)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < length; i++)
        if ((uint64_t)first[i] == i)
            out[n++] = (int32_t)i;
    out[n] = (int32_t)length;
    return n;
}

/* ---- what of a document was read ---- */

/* Was the token behind what has been read, at `offset` of its document, read as a target? The token
 * before it was read. */
static bool target_read(const struct sampling *s, const struct sample_source *source,
                        uint64_t document, uint64_t offset)
{
    const struct token_store *store = source->order.store;
    int32_t target = 0;

    if (offset == 0 && (s->apart || s->packing != PACK_CONCAT))
        return false;
    token_store_mask(store, TOKENS_TRAIN, token_store_first(store, TOKENS_TRAIN, document) + offset,
                     1, &target);
    return target == 0;
}

/* Was all of epoch 0 read? */
static bool seen_all(const struct sampling *s, const struct sample_order *o,
                     const struct sample_place *place)
{
    if (s->packing == PACK_CONCAT)
        return place->tokens >= o->tokens &&
               (place->rest_count == 0 || place->rest[0].offset >= o->tokens);
    return place->document >= o->documents &&
           (place->rest_count == 0 || place->rest[0].place >= o->documents);
}

/* Was the token before the place read? Then the one at it was its target. */
static bool last_is_read(const struct sample_place *place)
{
    const struct sample_piece *last =
        place->rest_count > 0 ? &place->rest[place->rest_count - 1] : NULL;

    return place->tokens > 0 && (last == NULL || last->offset + last->count < place->tokens);
}

/* PACK_CONCAT: between which places of a source's sequence documents may be read in part. */
static void find_borders(struct sampling *s)
{
    free(s->seen.borders);
    s->seen.borders = mem_array(s->source_count, sizeof *s->seen.borders);
    for (size_t i = 0; i < s->source_count; i++) {
        const struct sample_place *place = &s->seen.places[i];
        struct sample_order *o = &s->sources[i].order;
        struct sample_spot spot;

        s->seen.borders[i].opener = UINT64_MAX;
        if (place->tokens == 0 || seen_all(s, o, place))
            continue;
        sample_order_find(o, place->rest_count > 0 ? place->rest[0].offset : place->tokens, &spot);
        s->seen.borders[i].first = spot.place;
        sample_order_find(o, place->tokens, &spot);
        s->seen.borders[i].last = spot.place;
        if (place->tokens == o->tokens && last_is_read(place))
            s->seen.borders[i].opener = spot.document;
    }
}

static enum status seen_prepare(struct sampling *s, uint64_t steps)
{
    const struct sample_phase *p;

    if (s->seen.places && s->seen.steps == steps)
        return ST_OK;
    if (steps > s->steps)
        return fail(ST_LIMIT, "%llu steps, but the data end after %llu", (unsigned long long)steps,
                    (unsigned long long)s->steps);
    if (steps > 0)
        TRY(check_rows(s, steps - 1, 0, 1));
    p = sampling_phase_of(s, steps > 0 ? steps - 1 : 0);
    sampling_places_free(s->seen.places, s->source_count);
    s->seen.places = sampling_places(s, p, (steps - p->step) * p->rows);
    s->seen.steps = steps;
    if (s->packing == PACK_CONCAT)
        find_borders(s);
    return ST_OK;
}

/* Tokens of [begin, begin + length) of the sequence, a document, that lie in what is left, less
 * those of them that were read as targets: the first of each stretch. */
static uint64_t count_left(const struct sampling *s, size_t source, uint64_t document,
                           uint64_t begin, uint64_t length)
{
    const struct sample_place *place = &s->seen.places[source];
    size_t low = 0, high = place->rest_count;
    uint64_t left = 0;

    while (low < high) { /* the first stretch that ends behind the document's beginning */
        size_t mid = low + (high - low) / 2;

        if (place->rest[mid].offset + place->rest[mid].count <= begin)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < place->rest_count && place->rest[low].offset < begin + length; low++) {
        uint64_t a = place->rest[low].offset, b = a + place->rest[low].count;
        uint64_t first = a > begin ? a : begin, end = b < begin + length ? b : begin + length;

        left += end - first;
        if (a >= begin && a > 0)
            left -= target_read(s, &s->sources[source], document, a - begin);
        else if (document == s->seen.borders[source].opener && a <= begin)
            left -= target_read(s, &s->sources[source], document, 0);
    }
    return left;
}

/* Of a document in epoch 0, which was not read to its end. */
static uint64_t concat_seen(const struct sampling *s, size_t source, uint64_t document,
                            uint64_t length)
{
    const struct sample_place *place = &s->seen.places[source];
    struct sample_order *o = &s->sources[source].order;
    uint64_t k = sample_order_place(o, document), begin, read, end = place->tokens;

    if (end == 0 || k > s->seen.borders[source].last)
        return 0;
    if (k < s->seen.borders[source].first)
        return length;
    begin = sample_order_begin(o, k);
    read = end <= begin ? 0 : end - begin < length ? end - begin : length;
    read -= count_left(s, source, document, begin, length);
    if (last_is_read(place) && end >= begin &&
        end - begin < length) /* the target behind the last row */
        read += target_read(s, &s->sources[source], document, end - begin);
    return read;
}

static uint64_t fitted_seen(const struct sampling *s, struct sample_source *source,
                            const struct sample_place *place, uint64_t document, uint64_t length)
{
    uint64_t k = sample_order_place(&source->order, document);
    size_t low = 0, high = place->rest_count;

    if (k >= place->document)
        return 0;
    while (low < high) { /* the document's first piece that was not read */
        size_t mid = low + (high - low) / 2;

        if (place->rest[mid].place < k)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < place->rest_count && place->rest[low].place == k; low++)
        length += (uint64_t)target_read(s, source, document, place->rest[low].offset) -
                  place->rest[low].count;
    return length;
}

enum status sampling_seen(struct sampling *s, uint64_t steps, const char *digest, uint64_t document,
                          uint64_t *tokens)
{
    size_t i = 0;
    struct sample_source *source;
    const struct sample_place *place;
    uint64_t length;

    TRY(seen_prepare(s, steps));
    while (i < s->source_count &&
           strcmp(token_store_digest(s->sources[i].order.store), digest) != 0)
        i++;
    if (i == s->source_count)
        return fail(ST_MISSING, "no store %.16s among those that are read", digest);
    source = &s->sources[i];
    place = &s->seen.places[i];
    if (document >= source->order.documents)
        return fail(ST_LIMIT, "document %llu of '%s', which has %llu to train on",
                    (unsigned long long)document, source->name,
                    (unsigned long long)source->order.documents);
    length = token_store_length(source->order.store, TOKENS_TRAIN, document);
    if (seen_all(s, &source->order, place))
        *tokens = length;
    else if (s->packing == PACK_CONCAT)
        *tokens = concat_seen(s, i, document, length);
    else
        *tokens = fitted_seen(s, source, place, document, length);
    return ST_OK;
}
