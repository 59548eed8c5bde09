/* Hashes in parallel, sorted; texts of equal hash are compared. */
#include "base/arena.h"
#include "base/hash.h"
#include "curate/run/corpus.h"
#include "curate/dedup/dedup.h"

static const char *const methods[] = { "exact", NULL };

const struct opt dedup_exact_opts[] = {
    OPT_CHOICE(struct dedup_exact_cfg, method, "method", "exact", methods, "equal texts"),
    OPT_END
};

static const struct drop_reason duplicate = {
    "exact_duplicate", "the same text as an earlier document (1 of 1)",
};
const struct drop_reason *const dedup_exact_reasons[] = { &duplicate, NULL };

struct hashed {
    uint64_t hash;
    uint32_t i;            /* in the spool; once dropped, `of` is the document it equals */
    uint32_t of;
};
#define KEPT UINT32_MAX

struct exact {
    struct corpus *c;
    uint32_t *list;
    struct hashed *docs;
};

static enum status hash_one(void *ctx, size_t item, int worker)
{
    struct exact *e = ctx;
    struct span text = spool_text(e->c->spool, e->list[item]);

    e->docs[item] = (struct hashed){ xxh3_seed(text.p, text.n, e->c->seed), e->list[item], KEPT };
    return ST_OK;
}

static int by_hash(const void *va, const void *vb)
{
    const struct hashed *a = va, *b = vb;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->i < b->i ? -1 : 1;
}

static int by_number(const void *va, const void *vb)
{
    const struct hashed *a = va, *b = vb;

    return a->i < b->i ? -1 : 1;
}

static bool same_text(const struct spool *s, size_t a, size_t b)
{
    struct span x = spool_text(s, a), y = spool_text(s, b);

    return x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
}

/* Documents of equal hash: each is compared with those of them that are kept (nearly always one).
 * Their numbers are gathered in list, of which no more than n are needed. */
static void settle_run(struct exact *e, struct hashed *run, size_t n)
{
    uint32_t *kept = e->list;
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < count && run[i].of == KEPT; j++)
            if (same_text(e->c->spool, run[i].i, kept[j]))
                run[i].of = kept[j];
        if (run[i].of == KEPT)
            kept[count++] = run[i].i;
    }
}

enum status dedup_exact_all(const void *cfg, struct corpus *c)
{
    struct exact e = { .c = c };
    size_t n = spool_alive_count(c->spool);
    uint64_t bytes = n * (sizeof *e.docs + CORPUS_LIST_BYTES);
    enum status st;

    TRY(corpus_memory(c, bytes, "the hashes of all documents"));
    e.list = corpus_list(c, CORPUS_AS_IS, &n);
    e.docs = mem_array(n + 1, sizeof *e.docs);
    st = pool_for(c->pool, n, hash_one, &e);
    if (st == ST_OK)
        st = corpus_goes_on(c, n);
    if (st == ST_OK) {
        qsort(e.docs, n, sizeof *e.docs, by_hash);
        for (size_t i = 0, j; i < n; i = j) {
            for (j = i + 1; j < n && e.docs[j].hash == e.docs[i].hash;)
                j++;
            settle_run(&e, e.docs + i, j - i);
        }
        qsort(e.docs, n, sizeof *e.docs, by_number);
        for (size_t i = 0; i < n; i++)
            if (e.docs[i].of != KEPT)
                corpus_drop(c, e.docs[i].i, &duplicate, 1, 1, e.docs[i].of);
    }
    free(e.docs);
    free(e.list);
    corpus_memory_back(c, bytes);
    return st;
}
