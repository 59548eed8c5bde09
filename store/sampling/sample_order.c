#include "store/sampling/sample_order.h"

#include "base/rng.h"

/* rng streams, each xored with the store's digest so that stores are ordered independently */
#define STREAM_DOCUMENTS 0x646f63756d656e74u
#define STREAM_ROWS      0x726f777321212121u

uint64_t sample_search(const uint64_t *sums, uint64_t count, uint64_t value)
{
    uint64_t low = 0, high = count;

    while (high - low > 1) {
        uint64_t mid = low + (high - low) / 2;

        if (sums[mid] <= value)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static uint64_t digest_head(const char *hex)
{
    uint64_t x = 0;

    for (int i = 0; i < 16 && hex[i]; i++)
        x = x << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : (hex[i] - 'a' + 10) & 15);
    return x;
}

void sample_order_init(struct sample_order *o, const struct token_store *store, uint64_t seed)
{
    *o = (struct sample_order){ .store = store,
                                .documents = token_store_documents(store, TOKENS_TRAIN),
                                .tokens = token_store_tokens(store, TOKENS_TRAIN),
                                .seed = seed,
                                .digest = digest_head(token_store_digest(store)),
                                .every = SAMPLE_ORDER_EVERY };
    while (o->documents / o->every >= SAMPLE_ORDER_STARTS)
        o->every *= 2;
}

void sample_order_release(struct sample_order *o)
{
    for (int i = 0; i < 2; i++)
        free(o->epochs[i].starts);
    free(o->stretch.documents);
    free(o->stretch.begins);
}

static uint64_t epoch_seed(const struct sample_order *o, uint64_t epoch)
{
    return rng_at(o->seed, STREAM_DOCUMENTS ^ o->digest, epoch);
}

static struct sample_epoch *epoch_of(struct sample_order *o, uint64_t epoch)
{
    struct sample_epoch *e = &o->epochs[epoch & 1];

    if (!e->used || e->epoch != epoch) {
        e->epoch = epoch;
        e->used = true;
        e->seed = epoch_seed(o, epoch);
        e->count = 0;
    }
    return e;
}

uint64_t sample_order_document(struct sample_order *o, uint64_t place)
{
    const struct sample_epoch *e = epoch_of(o, place / o->documents);

    return rng_permute(e->seed, o->documents, place % o->documents);
}

uint64_t sample_order_place(struct sample_order *o, uint64_t document)
{
    return rng_unpermute(epoch_seed(o, 0), o->documents, document);
}

uint64_t sample_order_rows_seed(const struct sample_order *o, uint64_t place)
{
    return rng_at(o->seed, STREAM_ROWS ^ o->digest, place);
}

/* Sets document and length from the place. */
static void look_up(struct sample_order *o, struct sample_spot *spot)
{
    const struct sample_stretch *k = &o->stretch;
    uint64_t i = spot->place - k->place;

    if (spot->place >= k->place && i < k->count) {
        spot->document = k->documents[i];
        spot->length = k->begins[i + 1] - k->begins[i];
        return;
    }
    spot->document = sample_order_document(o, spot->place);
    spot->length = token_store_length(o->store, TOKENS_TRAIN, spot->document);
}

/* ---- where tokens stand ---- */

/* Makes the index of the epoch until it goes past the token. */
static void extend(struct sample_order *o, struct sample_epoch *e, uint64_t token)
{
    uint64_t most = (o->documents - 1) / o->every + 1;

    if (e->starts == NULL)
        e->starts = mem_array(most, sizeof *e->starts);
    if (e->count == 0)
        e->starts[e->count++] = 0;
    while (e->count < most && e->starts[e->count - 1] <= token) {
        uint64_t first = (e->count - 1) * o->every, sum = e->starts[e->count - 1];

        for (uint64_t i = first; i < first + o->every; i++)
            sum +=
                token_store_length(o->store, TOKENS_TRAIN, rng_permute(e->seed, o->documents, i));
        e->starts[e->count++] = sum;
    }
}

/* Is the token in the stretch that is kept? */
static bool find_kept(const struct sample_order *o, uint64_t token, struct sample_spot *out)
{
    const struct sample_stretch *k = &o->stretch;
    uint64_t i;

    if (k->count == 0 || token < k->begins[0] || token >= k->begins[k->count])
        return false;
    i = sample_search(k->begins, k->count, token);
    *out = (struct sample_spot){ k->place + i, k->begins[i], k->documents[i],
                                 k->begins[i + 1] - k->begins[i] };
    return true;
}

void sample_order_find(struct sample_order *o, uint64_t token, struct sample_spot *out)
{
    uint64_t epoch = token / o->tokens, in_epoch = token % o->tokens, entry;
    struct sample_epoch *e;

    if (find_kept(o, token, out))
        return;
    e = epoch_of(o, epoch);
    extend(o, e, in_epoch);
    entry = sample_search(e->starts, e->count, in_epoch);
    out->place = epoch * o->documents + entry * o->every;
    out->begin = token - in_epoch + e->starts[entry];
    look_up(o, out);
    while (token - out->begin >= out->length) {
        out->begin += out->length;
        out->place++;
        look_up(o, out);
    }
}

void sample_order_next(struct sample_order *o, struct sample_spot *spot)
{
    do {
        spot->begin += spot->length;
        spot->place++;
        look_up(o, spot);
    } while (spot->length == 0);
}

static void keep(struct sample_stretch *k, const struct sample_spot *spot)
{
    if (k->count == k->capacity) {
        k->capacity = k->capacity * 2 + 1024;
        k->documents = mem_grow(k->documents, k->capacity, sizeof *k->documents);
        k->begins = mem_grow(k->begins, k->capacity + 1, sizeof *k->begins);
    }
    k->documents[k->count] = spot->document;
    k->begins[k->count++] = spot->begin;
    k->begins[k->count] = spot->begin + spot->length;
}

/* The epoch's index grows on the way, for it is the same documents that it adds up. */
void sample_order_gather(struct sample_order *o, uint64_t token, uint64_t end)
{
    struct sample_stretch *k = &o->stretch;
    uint64_t first = token / o->tokens * o->documents, start = token - token % o->tokens;
    struct sample_epoch *e;
    struct sample_spot spot;

    if (k->count > 0 && k->token == token && k->end == end)
        return;
    k->count = 0;
    sample_order_find(o, token, &spot);
    e = epoch_of(o, token / o->tokens);
    *k = (struct sample_stretch){ token, end, spot.place, k->documents, k->begins, 0, k->capacity };
    for (;;) {
        keep(k, &spot);
        spot.begin += spot.length;
        spot.place++;
        if (spot.begin >= end || k->count == SAMPLE_STRETCH_MOST)
            return;
        spot.document = sample_order_document(o, spot.place);
        spot.length = token_store_length(o->store, TOKENS_TRAIN, spot.document);
        if (spot.place - first == e->count * o->every)
            e->starts[e->count++] = spot.begin - start;
    }
}

uint64_t sample_order_begin(struct sample_order *o, uint64_t place)
{
    struct sample_epoch *e = epoch_of(o, 0);
    uint64_t entry = place / o->every, sum;

    while (e->count <= entry)
        extend(o, e, e->count > 0 ? e->starts[e->count - 1] : 0);
    sum = e->starts[entry];
    for (uint64_t i = entry * o->every; i < place; i++)
        sum += token_store_length(o->store, TOKENS_TRAIN, rng_permute(e->seed, o->documents, i));
    return sum;
}

uint64_t sample_order_after(struct sample_order *o, uint64_t epoch, uint64_t document)
{
    struct sample_spot spot = {
        .place = epoch * o->documents + rng_unpermute(epoch_seed(o, epoch), o->documents, document)
    };

    sample_order_next(o, &spot);
    return spot.document;
}
