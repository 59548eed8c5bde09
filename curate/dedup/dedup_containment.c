/* The rule is in curate/dedup/dedup.h. One table counts, for each sampled n-gram, the documents alive
 * that have it. Documents pass twice: to fill the table, then to be judged, in the order of the
 * rule. The sets of n-grams are made in parallel, a wave at a time; the table has one user. */
#include "base/arena.h"
#include "curate/dedup/dedup.h"
#include "curate/dedup/dedup_waves.h"
#include "curate/dedup/shingles.h"

#define MIN_GRAMS 8
#define MIX UINT64_C(0x9E3779B97F4A7C15)

static const char *const methods[] = { "containment", NULL };
static const char *const keeps[] = { "smaller", "larger", NULL };
enum keep { KEEP_SMALLER, KEEP_LARGER };

const struct opt dedup_containment_opts[] = {
    OPT_CHOICE(struct dedup_containment_cfg, method, "method", "containment", methods,
               "texts inside other texts"),
    OPT_REAL(struct dedup_containment_cfg, threshold, "threshold", "0.7", 0.01, 1,
             "share of n-grams that stand in other documents from which on a document is dropped"),
    OPT_INT(struct dedup_containment_cfg, ngram, "ngram", "8", 1, 64, "words of an n-gram"),
    OPT_CHOICE(struct dedup_containment_cfg, keep, "keep", "smaller", keeps,
               "which side stays: single pages, or the book of them"),
    OPT_INT(struct dedup_containment_cfg, sample, "sample", "4", 1, 65536,
            "look at one n-gram in so many; 1: at all (more memory)"),
    OPT_END
};

static const struct drop_reason contained = {
    "contained", "share of n-grams that stand in other documents that are left",
};
const struct drop_reason *const dedup_containment_reasons[] = { &contained, NULL };

enum { COUNT_GRAMS, COUNT_LOST, COUNT_FEW };
const char *const dedup_containment_counters[] = { "grams", "lost_grams", "too_short", NULL };

/* A slot holds 44 bits of a gram's hash and the number of documents alive that have it, up to
 * COUNT_MOST, where it sticks. Of 100 million grams some 300 share their 44 bits with another:
 * nothing in a share of a document's. 0: free. */
struct table {
    uint64_t *slots;
    size_t size, used;         /* size: a power of two */
};
#define COUNT_BITS 20
#define COUNT_MOST ((UINT64_C(1) << COUNT_BITS) - 1)
#define AHEAD 8                /* grams whose slots are fetched while others are looked at */

struct cover {
    const struct dedup_containment_cfg *cfg;
    struct corpus *c;
    struct table table;
    const uint32_t *wave;      /* documents */
    size_t wave_count;
    struct shingles *sets;     /* of the wave */
};

/* ---- the table ---- */

/* The upper bits of a slot, never 0. */
static inline uint64_t key_of(uint64_t gram)
{
    uint64_t key = gram & ~COUNT_MOST;

    return key ? key : COUNT_MOST + 1;
}

static inline size_t home_of(const struct table *t, uint64_t key)
{
    return (size_t)((key * MIX) >> 16) & (t->size - 1);
}

static inline uint64_t *slot_of(const struct table *t, uint64_t key)
{
    size_t i = home_of(t, key);

    while (t->slots[i] != 0 && (t->slots[i] & ~COUNT_MOST) != key)
        i = (i + 1) & (t->size - 1);
    return &t->slots[i];
}

/* The slot of a set's gram i; those further on are asked for. */
static inline uint64_t *slot_in_set(const struct table *t, const struct shingles *set, size_t i)
{
    if (i + AHEAD < set->count)
        __builtin_prefetch(&t->slots[home_of(t, key_of(set->v[i + AHEAD]))], 1);
    return slot_of(t, key_of(set->v[i]));
}

static enum status make_room(struct cover *v, size_t more)
{
    struct table *t = &v->table, old = *t;
    size_t size = old.size ? old.size : 1024;

    while ((t->used + more) * 4 > size * 3)
        size *= 2;
    if (size == old.size)
        return ST_OK;
    TRY(corpus_memory(v->c, size * sizeof *t->slots, "the table of n-grams"));
    *t = (struct table){ mem_array(size, sizeof *t->slots), size, old.used };
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i] != 0)
            *slot_of(t, old.slots[i] & ~COUNT_MOST) = old.slots[i];
    free(old.slots);
    corpus_memory_back(v->c, old.size * sizeof *t->slots);
    return ST_OK;
}

static void count_doc(struct table *t, const struct shingles *set)
{
    for (size_t i = 0; i < set->count; i++) {
        uint64_t *slot = slot_in_set(t, set, i);

        t->used += *slot == 0;
        if (*slot == 0)
            *slot = key_of(set->v[i]);
        *slot += (*slot & COUNT_MOST) < COUNT_MOST;
    }
}

/* ---- waves ---- */

static enum status make_set(void *ctx, size_t item, int worker)
{
    struct cover *v = ctx;
    struct shingles *set = &v->sets[item];

    shingles_of(set, spool_text(v->c->spool, v->wave[item]), (int)v->cfg->ngram);
    shingles_sample(set, (uint64_t)v->cfg->sample);
    shingles_set(set);
    return ST_OK;
}

static enum status run_waves(struct cover *v, const uint32_t *list, size_t n,
                             enum status (*fn)(struct cover *))
{
    for (size_t done = 0; done < n; done += v->wave_count) {
        v->wave = list + done;
        v->wave_count = dedup_waves_next(v->c, v->wave, n - done);
        for (size_t i = 0; i < v->wave_count; i++)
            shingles_release(&v->sets[i]);      /* else the sizes of the longest wave would stay */
        TRY(pool_for(v->c->pool, v->wave_count, make_set, v));
        TRY(fn(v));
        TRY(corpus_goes_on(v->c, v->wave_count));
    }
    return ST_OK;
}

static enum status count_wave(struct cover *v)
{
    for (size_t i = 0; i < v->wave_count; i++) {
        TRY(make_room(v, v->sets[i].count));
        count_doc(&v->table, &v->sets[i]);
    }
    return ST_OK;
}

static void judge(struct cover *v, uint32_t doc, const struct shingles *set)
{
    struct table *t = &v->table;
    size_t covered = 0;
    double coverage;

    if (set->count < MIN_GRAMS) {
        v->c->counts[COUNT_FEW]++;
        return;
    }
    for (size_t i = 0; i < set->count; i++)
        covered += (*slot_in_set(t, set, i) & COUNT_MOST) > 1;
    coverage = (double)covered / (double)set->count;
    if (coverage < v->cfg->threshold)
        return;
    for (size_t i = 0; i < set->count; i++) {
        uint64_t *slot = slot_in_set(t, set, i);

        *slot -= (*slot & COUNT_MOST) < COUNT_MOST;
    }
    corpus_drop(v->c, doc, &contained, coverage, v->cfg->threshold, SIZE_MAX);
}

static enum status judge_wave(struct cover *v)
{
    for (size_t i = 0; i < v->wave_count; i++)
        judge(v, v->wave[i], &v->sets[i]);
    return ST_OK;
}

static void count_lost(struct cover *v)
{
    v->c->counts[COUNT_GRAMS] = v->table.used;
    for (size_t i = 0; i < v->table.size; i++)
        v->c->counts[COUNT_LOST] += v->table.slots[i] != 0 && (v->table.slots[i] & COUNT_MOST) == 0;
}

/* Longest first or shortest first; among equals later ones first, so that the first come stays. */
static uint32_t *order(struct corpus *c, enum keep keep, size_t *n)
{
    uint32_t *list = corpus_list(c, CORPUS_LONGEST_FIRST, n);

    for (size_t i = 0, j; i < *n; i = j) {
        size_t bytes = spool_text(c->spool, list[i]).n;

        for (j = i + 1; j < *n && spool_text(c->spool, list[j]).n == bytes;)
            j++;
        for (size_t a = i, b = j; keep == KEEP_SMALLER && a + 1 < b; a++) {
            uint32_t swap = list[a];
            list[a] = list[--b];
            list[b] = swap;
        }
    }
    for (size_t a = 0, b = *n; keep == KEEP_LARGER && a + 1 < b; a++) {
        uint32_t swap = list[a];
        list[a] = list[--b];
        list[b] = swap;
    }
    return list;
}

enum status dedup_containment_all(const void *cfg, struct corpus *c)
{
    struct cover v = { .cfg = cfg, .c = c };
    size_t n, wave = dedup_waves_most(c);
    uint64_t taken = c->taken;
    uint32_t *list;
    enum status st;

    TRY(dedup_waves_memory(c));
    list = order(c, (enum keep)v.cfg->keep, &n);
    v.sets = mem_array(wave + 1, sizeof *v.sets);
    st = run_waves(&v, list, n, count_wave);
    if (st == ST_OK)
        st = run_waves(&v, list, n, judge_wave);
    if (st == ST_OK)
        count_lost(&v);
    for (size_t i = 0; i < wave; i++)
        shingles_release(&v.sets[i]);
    free(v.sets);
    free(v.table.slots);
    free(list);
    corpus_memory_back(c, c->taken - taken);
    return st;
}
