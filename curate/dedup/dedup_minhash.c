/* The rule is in curate/dedup/dedup.h. Documents go through in waves, longest first,
 * and what is costly in a wave runs in parallel:
 *   1. band keys of the wave's documents; which kept documents agree in a band;
 *      the true index with each, until one is near enough (then the document is settled)
 *   2. (one thread) the wave's own pairs: documents that are not settled and agree in a band
 *   3. the sets of n-grams of those, then the true index of each pair
 *   4. (one thread) in order: a document goes if it was settled or is near a kept one of its wave;
 *      the kept enter the index
 * A wave has a fixed size, so the result does not depend on the threads. */
#include "base/arena.h"
#include "curate/dedup/dedup.h"
#include "curate/dedup/dedup_waves.h"
#include "curate/dedup/minhash.h"

#define CANDIDATES 64          /* kept documents looked at for one document */
#define WAVE_CANDIDATES 16     /* documents of its own wave */
#define NONE UINT32_MAX

static const char *const methods[] = { "minhash", NULL };

const struct opt dedup_minhash_opts[] = {
    OPT_CHOICE(struct dedup_minhash_cfg, method, "method", "minhash", methods, "near-duplicates"),
    OPT_REAL(struct dedup_minhash_cfg, threshold, "threshold", "0.8", 0.01, 1,
             "Jaccard index of the sets of n-grams from which on a document is dropped"),
    OPT_INT(struct dedup_minhash_cfg, ngram, "ngram", "5", 1, 64, "words of an n-gram"),
    OPT_INT(struct dedup_minhash_cfg, bands, "bands", "14", 1, 256,
            "bands of the search; more find more"),
    OPT_INT(struct dedup_minhash_cfg, rows, "rows", "8", 1, 64,
            "hashes a band; more look at fewer pairs"),
    OPT_BOOL(struct dedup_minhash_cfg, verify, "verify", "true",
             "compare the sets themselves; off: one band that agrees is enough"),
    OPT_END
};

static const struct drop_reason near = {
    "near_duplicate", "Jaccard index with a longer document that is kept",
};
static const struct drop_reason unverified = {
    "near_duplicate_unverified", "share of bands that agree with a longer document that is kept",
};
const struct drop_reason *const dedup_minhash_reasons[] = { &near, &unverified, NULL };

enum { COUNT_COMPARED, COUNT_SHORT };
const char *const dedup_minhash_counters[] = { "pairs_compared", "too_short", NULL };

enum status dedup_minhash_check(const void *cfg, const struct yaml *at)
{
    const struct dedup_minhash_cfg *m = cfg;

    if (m->bands * m->rows > 1024)
        return yaml_fail(at, "bands * rows is %lld, want at most 1024",
                         (long long)(m->bands * m->rows));
    return ST_OK;
}

struct candidate {
    uint32_t doc;              /* in the spool, or the place in the wave */
    uint32_t bands;            /* that agree */
    double index;
};

struct member {
    uint32_t doc;
    bool is_short, settled;
    struct shingles set;       /* a set only when is_set: most documents are compared with none */
    bool is_set, compares;
    uint64_t *keys;            /* of all bands */
    struct candidate found;    /* settled: the kept document it is near */
    struct candidate own[WAVE_CANDIDATES];
    int own_count;
    uint64_t compared;
};

struct worker {
    struct shingles other;
    uint32_t *minima;
};

struct search {
    const struct dedup_minhash_cfg *cfg;
    struct corpus *c;
    struct minhash hashes;
    struct band_index index;
    struct member *wave;
    size_t wave_count;
    struct worker *workers;
};

/* ---- candidates ---- */

/* Most bands first, then first come first. */
static int best_first(const void *va, const void *vb)
{
    const struct candidate *a = va, *b = vb;

    if (a->bands != b->bands)
        return a->bands > b->bands ? -1 : 1;
    return a->doc < b->doc ? -1 : a->doc > b->doc;
}

static int by_doc(const void *va, const void *vb)
{
    uint32_t a = *(const uint32_t *)va, b = *(const uint32_t *)vb;

    return a < b ? -1 : a > b;
}

/* Counts equal numbers in docs (sorted by this), and returns the best candidates,
 * at most `most`. */
static size_t rank(uint32_t *docs, size_t n, struct candidate *out, size_t most)
{
    size_t count = 0;

    qsort(docs, n, sizeof *docs, by_doc);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && docs[j] == docs[i];)
            j++;
        out[count++] = (struct candidate){ docs[i], (uint32_t)(j - i), 0 };
    }
    qsort(out, count, sizeof *out, best_first);
    return count < most ? count : most;
}

static double bands_index(const struct search *s, const struct candidate *k)
{
    return (double)k->bands / (double)s->cfg->bands;
}

static void make_set(struct member *m)
{
    if (!m->is_set)
        shingles_set(&m->set);
    m->is_set = true;
}

/* Compares with documents kept in earlier waves, until one is near. */
static void look_at_kept(struct search *s, struct member *m, struct worker *w)
{
    size_t bands = (size_t)s->cfg->bands, n = 0;
    uint32_t *docs = mem_array(bands * BAND_MOST, sizeof *docs);
    struct candidate *found = mem_array(bands * BAND_MOST, sizeof *found);

    for (size_t b = 0; b < bands; b++)
        n += band_index_find(&s->index, m->keys[b], docs + n);
    n = rank(docs, n, found, CANDIDATES);
    if (n > 0 && s->cfg->verify)
        make_set(m);
    for (size_t i = 0; i < n && !m->settled; i++) {
        if (s->cfg->verify) {
            shingles_of(&w->other, spool_text(s->c->spool, found[i].doc), (int)s->cfg->ngram);
            shingles_set(&w->other);
            found[i].index = shingles_jaccard(&m->set, &w->other);
        } else {
            found[i].index = bands_index(s, &found[i]);
        }
        m->compared++;
        m->settled = !s->cfg->verify || found[i].index >= s->cfg->threshold;
        m->found = found[i];
    }
    free(docs);
    free(found);
}

static enum status prepare(void *ctx, size_t item, int worker)
{
    struct search *s = ctx;
    struct member *m = &s->wave[item];
    struct worker *w = &s->workers[worker];

    shingles_of(&m->set, spool_text(s->c->spool, m->doc), (int)s->cfg->ngram);
    m->is_short = m->set.count == 0;
    if (m->is_short)
        return ST_OK;
    minhash_keys(&s->hashes, &m->set, w->minima, m->keys);
    if (s->index.used > 0)
        look_at_kept(s, m, w);
    return ST_OK;
}

/* ---- pairs inside a wave ---- */

struct band_entry {
    uint64_t key;
    uint32_t place;
};

static int by_key(const void *va, const void *vb)
{
    const struct band_entry *a = va, *b = vb;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* A place in the wave that agrees with a later one in some band. */
struct pair {
    uint32_t later, earlier;
};

static int by_later(const void *va, const void *vb)
{
    const struct pair *a = va, *b = vb;

    if (a->later != b->later)
        return a->later < b->later ? -1 : 1;
    return a->earlier < b->earlier ? -1 : a->earlier > b->earlier;
}

/* Each member of a run of equal keys with the first WAVE_CANDIDATES of the run before it. */
static size_t pair_run(const struct band_entry *run, size_t n, struct pair *out)
{
    size_t count = 0;

    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i && j < WAVE_CANDIDATES; j++)
            out[count++] = (struct pair){ run[i].place, run[j].place };
    return count;
}

static void take_candidates(struct search *s, const struct pair *pairs, size_t n)
{
    uint32_t *places = mem_array(n + 1, sizeof *places);
    struct candidate *found = mem_array(n + 1, sizeof *found);

    for (size_t i = 0, j; i < n; i = j) {
        struct member *m = &s->wave[pairs[i].later];

        for (j = i; j < n && pairs[j].later == pairs[i].later; j++)
            places[j - i] = pairs[j].earlier;
        m->own_count = (int)rank(places, j - i, found, WAVE_CANDIDATES);
        memcpy(m->own, found, (size_t)m->own_count * sizeof *found);
        m->compares = m->own_count > 0;
        for (int k = 0; k < m->own_count; k++)
            s->wave[found[k].doc].compares = true;
    }
    free(places);
    free(found);
}

static void find_pairs(struct search *s)
{
    size_t bands = (size_t)s->cfg->bands, n = 0, pairs = 0;
    struct band_entry *entries = mem_array(s->wave_count * bands + 1, sizeof *entries);
    struct pair *list;

    for (size_t i = 0; i < s->wave_count; i++)
        for (size_t b = 0; b < bands && !s->wave[i].is_short && !s->wave[i].settled; b++)
            entries[n++] = (struct band_entry){ s->wave[i].keys[b], (uint32_t)i };
    qsort(entries, n, sizeof *entries, by_key);
    list = mem_array(n * WAVE_CANDIDATES + 1, sizeof *list);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && entries[j].key == entries[i].key;)
            j++;
        pairs += pair_run(entries + i, j - i, list + pairs);
    }
    qsort(list, pairs, sizeof *list, by_later);
    take_candidates(s, list, pairs);
    free(list);
    free(entries);
}

static enum status ready(void *ctx, size_t item, int worker)
{
    struct search *s = ctx;

    if (s->wave[item].compares && s->cfg->verify)
        make_set(&s->wave[item]);
    return ST_OK;
}

static enum status compare(void *ctx, size_t item, int worker)
{
    struct search *s = ctx;
    struct member *m = &s->wave[item];

    for (int i = 0; i < m->own_count; i++) {
        m->own[i].index = s->cfg->verify ? shingles_jaccard(&m->set, &s->wave[m->own[i].doc].set)
                                         : bands_index(s, &m->own[i]);
        m->compared++;
    }
    return ST_OK;
}

/* ---- decisions ---- */

static void drop(struct search *s, const struct member *m, double index, uint32_t of)
{
    double least = s->cfg->verify ? s->cfg->threshold : 1.0 / (double)s->cfg->bands;

    corpus_drop(s->c, m->doc, s->cfg->verify ? &near : &unverified, index, least, of);
}

/* True if m is near a kept member of its wave. */
static bool near_own(struct search *s, struct member *m)
{
    for (int i = 0; i < m->own_count; i++) {
        const struct member *other = &s->wave[m->own[i].doc];

        if (other->settled || (s->cfg->verify && m->own[i].index < s->cfg->threshold))
            continue;
        drop(s, m, m->own[i].index, other->doc);
        return true;
    }
    return false;
}

static void decide(struct search *s)
{
    for (size_t i = 0; i < s->wave_count; i++) {
        struct member *m = &s->wave[i];

        s->c->counts[COUNT_COMPARED] += m->compared;
        s->c->counts[COUNT_SHORT] += m->is_short;
        if (m->settled)
            drop(s, m, m->found.index, m->found.doc);
        else if (!m->is_short)
            m->settled = near_own(s, m);
        for (int b = 0; b < s->cfg->bands && !m->settled && !m->is_short; b++)
            band_index_add(&s->index, m->keys[b], m->doc);
    }
}

/* ---- waves ---- */

/* Asks for what the index may grow to in this wave, while it is copied too. */
static enum status reserve(struct search *s)
{
    size_t more = s->wave_count * (size_t)s->cfg->bands, slots = band_index_slots(&s->index, more);
    uint64_t old = s->index.slots * BAND_SLOT_BYTES;

    if (slots == s->index.slots)
        return ST_OK;
    TRY(corpus_memory(s->c, slots * BAND_SLOT_BYTES, "the index of bands"));
    band_index_reserve(&s->index, more);
    corpus_memory_back(s->c, old);
    return ST_OK;
}

static void begin_wave(struct search *s, const uint32_t *list, size_t n)
{
    s->wave_count = dedup_waves_next(s->c, list, n);
    for (size_t i = 0; i < s->wave_count; i++) {
        struct member *m = &s->wave[i];

        shingles_release(&m->set);      /* else the sizes of the longest wave would stay */
        m->doc = list[i];
        m->settled = m->is_short = m->is_set = m->compares = false;
        m->own_count = 0;
        m->compared = 0;
    }
}

static enum status run_waves(struct search *s, const uint32_t *list, size_t n)
{
    for (size_t done = 0; done < n; done += s->wave_count) {
        begin_wave(s, list + done, n - done);
        TRY(pool_for(s->c->pool, s->wave_count, prepare, s));
        find_pairs(s);
        TRY(pool_for(s->c->pool, s->wave_count, ready, s));
        TRY(pool_for(s->c->pool, s->wave_count, compare, s));
        TRY(reserve(s));
        decide(s);
        TRY(corpus_goes_on(s->c, s->wave_count));
    }
    return ST_OK;
}

static void search_init(struct search *s, size_t n)
{
    s->wave = mem_array(n + 1, sizeof *s->wave);
    for (size_t i = 0; i < n; i++)
        s->wave[i].keys = mem_array((size_t)s->cfg->bands, sizeof(uint64_t));
    minhash_init(&s->hashes, (int)s->cfg->bands, (int)s->cfg->rows, s->c->seed);
    s->workers = mem_array((size_t)pool_threads(s->c->pool), sizeof *s->workers);
    for (int i = 0; i < pool_threads(s->c->pool); i++)
        s->workers[i].minima = mem_array(s->hashes.hashes, sizeof(uint32_t));
}

static void search_release(struct search *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        shingles_release(&s->wave[i].set);
        free(s->wave[i].keys);
    }
    for (int i = 0; i < pool_threads(s->c->pool); i++) {
        shingles_release(&s->workers[i].other);
        free(s->workers[i].minima);
    }
    free(s->wave);
    free(s->workers);
    minhash_release(&s->hashes);
    band_index_release(&s->index);
}

enum status dedup_minhash_all(const void *cfg, struct corpus *c)
{
    struct search s = { .cfg = cfg, .c = c };
    size_t n, wave = dedup_waves_most(c);
    uint64_t taken = c->taken;
    uint32_t *list;
    enum status st;

    TRY(dedup_waves_memory(c));
    list = corpus_list(c, CORPUS_LONGEST_FIRST, &n);
    search_init(&s, wave);
    st = run_waves(&s, list, n);
    search_release(&s, wave);
    free(list);
    corpus_memory_back(c, c->taken - taken);
    return st;
}
