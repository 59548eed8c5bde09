#include "curate/dedup/minhash.h"

#include "base/arena.h"
#include "base/platform.h"
#include "base/rng.h"
#include "base/status.h"

#define BANDS_STREAM UINT64_C(0x6D696E68617368)     /* "minhash" */
#define MIX UINT64_C(0x9E3779B97F4A7C15)

void minhash_init(struct minhash *m, int bands, int rows, uint64_t seed)
{
    size_t n = (size_t)bands * (size_t)rows;

    m->bands = bands;
    m->rows = rows;
    m->hashes = (n + MINHASH_LANES - 1) / MINHASH_LANES * MINHASH_LANES;
    m->a = mem_array(m->hashes, sizeof *m->a);
    m->b = mem_array(m->hashes, sizeof *m->b);
    for (size_t i = 0; i < m->hashes; i++) {
        uint64_t draw = rng_at(seed, BANDS_STREAM, i);

        m->a[i] = (uint32_t)draw | 1;
        m->b[i] = (uint32_t)(draw >> 32);
    }
}

void minhash_release(struct minhash *m)
{
    free(m->a);
    free(m->b);
    *m = (struct minhash){ 0 };
}

/* Half a group of lanes. The order of numbers with a sign is as good for a minimum as any,
 * and processors have it. */
typedef uint32_t lanes __attribute__((vector_size(MINHASH_LANES / 2 * 4)));
typedef int32_t signed_lanes __attribute__((vector_size(MINHASH_LANES / 2 * 4)));

#define LESSER(h, least)                                                    \
    do {                                                                    \
        lanes less = (lanes)((signed_lanes)(h) < (signed_lanes)(least));    \
        (least) = ((h) & less) | ((least) & ~less);                         \
    } while (0)

/* One group over all shingles. */
static inline __attribute__((always_inline)) void
group_minima(const uint32_t *a, const uint32_t *b, const struct shingles *set, uint32_t *out)
{
    lanes a0, a1, b0, b1, least0, least1;

    memcpy(&a0, a, sizeof a0);
    memcpy(&a1, a + MINHASH_LANES / 2, sizeof a1);
    memcpy(&b0, b, sizeof b0);
    memcpy(&b1, b + MINHASH_LANES / 2, sizeof b1);
    least0 = least1 = (lanes){ 0 } + (uint32_t)INT32_MAX;
    for (size_t i = 0; i < set->count; i++) {
        uint32_t x = (uint32_t)(set->v[i] >> 32);
        lanes h0 = a0 * x + b0, h1 = a1 * x + b1;

        LESSER(h0, least0);
        LESSER(h1, least1);
    }
    memcpy(out, &least0, sizeof least0);
    memcpy(out + MINHASH_LANES / 2, &least1, sizeof least1);
}

typedef void minima_fn(const struct minhash *m, const struct shingles *set, uint32_t *out);

static void minima_plain(const struct minhash *m, const struct shingles *set, uint32_t *out)
{
    for (size_t g = 0; g < m->hashes; g += MINHASH_LANES)
        group_minima(m->a + g, m->b + g, set, out + g);
}

/* The same code, for wider registers: integers, so the same result. */
PLATFORM_TARGET("avx2")
static void minima_avx2(const struct minhash *m, const struct shingles *set, uint32_t *out)
{
    for (size_t g = 0; g < m->hashes; g += MINHASH_LANES)
        group_minima(m->a + g, m->b + g, set, out + g);
}

void minhash_keys(const struct minhash *m, const struct shingles *set, uint32_t *minima,
                  uint64_t *keys)
{
    minima_fn *fill = cpu_features()->avx2 ? minima_avx2 : minima_plain;

    fill(m, set, minima);
    for (int b = 0; b < m->bands; b++) {
        uint64_t h = (uint64_t)b + 1;

        for (int r = 0; r < m->rows; r++) {
            h = (h ^ minima[b * m->rows + r]) * MIX;
            h ^= h >> 29;
        }
        keys[b] = h + (h == 0);
    }
}

/* ---- the index ---- */

void band_index_release(struct band_index *x)
{
    free(x->keys);
    free(x->docs);
    *x = (struct band_index){ 0 };
}

size_t band_index_slots(const struct band_index *x, size_t n)
{
    size_t slots = x->slots ? x->slots : 1024;

    while ((x->used + n) * 4 > slots * 3)
        slots *= 2;
    return slots;
}

static size_t home(const struct band_index *x, uint64_t key)
{
    return (size_t)((key * MIX) >> 20) & (x->slots - 1);
}

static void put(struct band_index *x, uint64_t key, uint32_t doc)
{
    size_t i = home(x, key);

    while (x->keys[i] != 0)
        i = (i + 1) & (x->slots - 1);
    x->keys[i] = key;
    x->docs[i] = doc;
    x->used++;
}

void band_index_reserve(struct band_index *x, size_t n)
{
    struct band_index old = *x;
    size_t slots = band_index_slots(x, n), start = 0;

    if (slots == x->slots)
        return;
    *x = (struct band_index){ mem_array(slots, sizeof *x->keys), mem_array(slots, sizeof *x->docs),
                              slots, 0 };
    /* from behind a free slot on, so that entries of one key keep their order */
    while (start < old.slots && old.keys[start] != 0)
        start++;
    for (size_t i = 0; i < old.slots; i++) {
        size_t at = (start + i) & (old.slots - 1);

        if (old.keys[at] != 0)
            put(x, old.keys[at], old.docs[at]);
    }
    band_index_release(&old);
}

size_t band_index_find(const struct band_index *x, uint64_t key, uint32_t out[BAND_MOST])
{
    size_t n = 0;

    if (x->slots == 0)
        return 0;
    for (size_t i = home(x, key); x->keys[i] != 0 && n < BAND_MOST; i = (i + 1) & (x->slots - 1))
        if (x->keys[i] == key)
            out[n++] = x->docs[i];
    return n;
}

void band_index_add(struct band_index *x, uint64_t key, uint32_t doc)
{
    uint32_t found[BAND_MOST];

    BUG_IF(x->slots == 0);
    if (band_index_find(x, key, found) < BAND_MOST)
        put(x, key, doc);
}
