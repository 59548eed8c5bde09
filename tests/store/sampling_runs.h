/* Stores of several shapes, settings of a sampling over them, and its rows, read and looked at: for tests of sampling. */
#ifndef TUNDISH_TESTS_STORE_SAMPLING_RUNS_H
#define TUNDISH_TESTS_STORE_SAMPLING_RUNS_H

#include "store/fake_tokens.h"

#include "store/sampling/sampling.h"

#define STORES 6
static struct token_store *stores[STORES];

static inline int make_stores(void **state)
{
    static const uint64_t documents[STORES] = { 90, 300, 17, 1, 64, 1500 }, longest[STORES] = { 40, 7, 200, 55, 3, 30 };

    for (uint64_t i = 0; i < STORES; i++)
        stores[i] = fake_store(i, documents[i], longest[i]);
    return 0;
}

static inline int free_stores(void **state)
{
    for (int i = 0; i < STORES; i++)
        fake_free(stores[i]);
    return 0;
}

#define PHASES_MOST 4
struct setting {
    struct sampling_args args;
    struct sampling_phase phases[PHASES_MOST];
    struct sampling_source sources[PHASES_MOST][STORES];
    uint64_t steps;                  /* to read */
};

static inline void use(struct setting *x, size_t phase, int store, double weight, double epochs)
{
    struct sampling_phase *p = &x->phases[phase];

    x->sources[phase][p->source_count++] =
        (struct sampling_source){ .store = stores[store], .name = stores[store]->digest, .weight = weight, .epochs = epochs };
    p->sources = x->sources[phase];
}

/* settle() behind it. */
static inline struct setting one_store(enum packing packing, int store, uint64_t T, uint64_t rows)
{
    struct setting x = { .args = { .seed = 4, .packing = packing, .window = 50, .phase_count = 1 } };

    for (int i = 0; i < STORES; i++)
        stores[i]->masked = 0;
    x.phases[0] = (struct sampling_phase){ .length = T, .rows = rows };
    use(&x, 0, store, 1, 0);
    return x;
}

/* The settings keep pointers to themselves. */
static inline void settle(struct setting *x)
{
    for (size_t i = 0; i < x->args.phase_count; i++)
        x->phases[i].sources = x->sources[i];
}

static inline struct sampling *open_sampling(const struct setting *x)
{
    struct sampling_args args = x->args;
    struct sampling *s;

    args.phases = x->phases;
    assert_ok(sampling_open(&args, &s));
    return s;
}

struct rows {
    uint64_t n, length;
    int32_t *tokens, *targets, *first;
};

static inline struct rows read_rows(struct sampling *s, uint64_t step, uint64_t row, uint64_t n)
{
    struct rows r = { n, sampling_length(s, step), NULL, NULL, NULL };

    r.tokens = mem_array(n * r.length, 4);
    r.targets = mem_array(n * r.length, 4);
    r.first = mem_array(n * r.length, 4);
    assert_ok(sampling_read(s, step, row, n, &(struct sampling_batch){ r.tokens, r.targets, r.first }));
    return r;
}

static inline void free_rows(struct rows *r)
{
    free(r->tokens);
    free(r->targets);
    free(r->first);
}

static inline void assert_rows_equal(const struct rows *all, uint64_t row, const struct rows *part)
{
    size_t at = row * all->length, n = part->n * part->length * 4;

    assert_int_equal(all->length, part->length);
    assert_memory_equal(all->tokens + at, part->tokens, n);
    assert_memory_equal(all->targets + at, part->targets, n);
    assert_memory_equal(all->first + at, part->first, n);
}

/* Where the store's documents follow one another: the first token of the next one that is not empty. */
static inline uint64_t follower_of(const struct setting *x, const struct token_store *s, uint64_t epoch, uint64_t document)
{
    char head[17] = { 0 };
    uint64_t place, digest;

    memcpy(head, s->digest, 16);
    digest = 0x646f63756d656e74u ^ strtoull(head, NULL, 16);
    place = rng_unpermute(rng_at(x->args.seed, digest, epoch), s->documents, document);
    do {
        place = (place + 1) % s->documents;
        epoch += place == 0;
        document = rng_permute(rng_at(x->args.seed, digest, epoch), s->documents, place);
    } while (s->firsts[document] == s->firsts[document + 1]);
    return s->firsts[document];
}

/* What a row must be, whatever stands in it: a token's target is the next one of its document, or the one that follows in the sequence,
 * or none. Returns where the filling begins. */
static inline uint64_t check_row(struct sampling *s, const struct setting *x, uint64_t step, uint64_t row, const int32_t *tokens,
                                 const int32_t *targets, const int32_t *first)
{
    const struct sampling_piece *pieces;
    const struct sampling_phase *phase = x->phases;
    uint64_t at = 0;
    size_t n;

    while (phase + 1 < x->phases + x->args.phase_count && phase[1].step <= step)
        phase++;
    assert_ok(sampling_pieces(s, step, row, &pieces, &n));
    for (size_t i = 0; i < n; i++) {
        const struct sampling_piece *p = &pieces[i];
        const struct token_store *store = phase->sources[p->source].store;
        uint64_t t = store->firsts[p->document] + p->offset;

        assert_int_equal(p->at, at);
        assert_true(p->count > 0);
        for (uint64_t k = 0; k < p->count; k++, at++, t++) {
            bool last = t + 1 == store->firsts[p->document + 1];
            uint64_t next = last ? follower_of(x, store, p->epoch, p->document) : t + 1;

            assert_int_equal(tokens[at], (uint64_t)store->base + t);
            assert_int_equal(first[at], p->at);
            if (fake_masks(store, next) || (last && (x->args.apart || x->args.packing == PACK_BEST_FIT)))
                assert_int_equal(targets[at], -1);
            else
                assert_int_equal(targets[at], (uint64_t)store->base + next);
        }
    }
    for (uint64_t i = at; i < phase->length; i++) {
        assert_int_equal(tokens[i], 0);
        assert_int_equal(first[i], at);
        assert_int_equal(targets[i], -1);
    }
    if (x->args.packing == PACK_CONCAT)
        assert_int_equal(at, phase->length);
    return at;
}

#endif
