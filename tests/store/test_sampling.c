/* Sampling: each token once an epoch, whatever the packing, phases, blend, ranks; known beforehand where the data end. */
#include "store/fake_tokens.h"

#include "base/hash.h"
#include "store/sampling/sampling.h"

#define STORES 6
static struct token_store *stores[STORES];

static int make_stores(void **state)
{
    static const uint64_t documents[STORES] = { 90, 300, 17, 1, 64, 1500 }, longest[STORES] = { 40, 7, 200, 55, 3, 30 };

    for (uint64_t i = 0; i < STORES; i++)
        stores[i] = fake_store(i, documents[i], longest[i]);
    return 0;
}

static int free_stores(void **state)
{
    for (int i = 0; i < STORES; i++)
        fake_free(stores[i]);
    return 0;
}

/* ---- a run that is read and counted ---- */

#define PHASES_MOST 4
struct setting {
    struct sampling_args args;
    struct sampling_phase phases[PHASES_MOST];
    struct sampling_source sources[PHASES_MOST][STORES];
    uint64_t steps;                  /* to read */
};

struct counts {                      /* of each token of each store */
    uint32_t *inputs[STORES], *targets[STORES];
};

static void counts_begin(struct counts *c)
{
    for (int i = 0; i < STORES; i++) {
        c->inputs[i] = mem_array(stores[i]->tokens, sizeof(uint32_t));
        c->targets[i] = mem_array(stores[i]->tokens, sizeof(uint32_t));
    }
}

static void counts_end(struct counts *c)
{
    for (int i = 0; i < STORES; i++) {
        free(c->inputs[i]);
        free(c->targets[i]);
    }
}

static void count(const int32_t *tokens, uint64_t n, uint32_t **counts)
{
    for (uint64_t i = 0; i < n; i++)
        if (tokens[i] >= 0)
            counts[tokens[i] >> 24][tokens[i] & 0xffffff]++;
}

static struct sampling *open_sampling(const struct setting *x)
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

static struct rows read_rows(struct sampling *s, uint64_t step, uint64_t row, uint64_t n)
{
    struct rows r = { n, sampling_length(s, step), NULL, NULL, NULL };

    r.tokens = mem_array(n * r.length, 4);
    r.targets = mem_array(n * r.length, 4);
    r.first = mem_array(n * r.length, 4);
    assert_ok(sampling_read(s, step, row, n, &(struct sampling_batch){ r.tokens, r.targets, r.first }));
    return r;
}

static void free_rows(struct rows *r)
{
    free(r->tokens);
    free(r->targets);
    free(r->first);
}

static void assert_rows_equal(const struct rows *all, uint64_t row, const struct rows *part)
{
    size_t at = row * all->length, n = part->n * part->length * 4;

    assert_int_equal(all->length, part->length);
    assert_memory_equal(all->tokens + at, part->tokens, n);
    assert_memory_equal(all->targets + at, part->targets, n);
    assert_memory_equal(all->first + at, part->first, n);
}

/* Where the store's documents follow one another: the first token of the next one that is not empty. */
static uint64_t follower_of(const struct setting *x, const struct token_store *s, uint64_t epoch, uint64_t document)
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
static uint64_t check_row(struct sampling *s, const struct setting *x, uint64_t step, uint64_t row, const int32_t *tokens,
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

static void count_steps(struct sampling *s, const struct setting *x, uint64_t from, uint64_t to, struct counts *c)
{
    for (uint64_t step = from; step < to; step++) {
        struct rows r = read_rows(s, step, 0, sampling_rows(s, step));

        for (uint64_t row = 0; row < r.n; row++) {
            size_t at = row * r.length;
            uint64_t filling = check_row(s, x, step, row, r.tokens + at, r.targets + at, r.first + at);

            count(r.tokens + at, filling, c->inputs);
            count(r.targets + at, r.length, c->targets);
        }
        free_rows(&r);
    }
}

/* A token is read as often as any other of its store, or once more. Returns the least. */
static uint32_t check_even(const uint32_t *counts, const struct token_store *s)
{
    uint32_t least = counts[0], most = counts[0];

    for (uint64_t t = 0; t < s->tokens; t++) {
        least = counts[t] < least ? counts[t] : least;
        most = counts[t] > most ? counts[t] : most;
    }
    if (most > least + 1)
        fail_msg("a token was read %u times, another one %u times", least, most);
    return least;
}

/* And a target as often as the token before it was read, if it is to be learnt; whom a document's first token follows differs from epoch
 * to epoch, and is looked at row by row. */
static void check_counts(const struct setting *x, const struct counts *c)
{
    for (int i = 0; i < STORES; i++) {
        check_even(c->inputs[i], stores[i]);
        for (uint64_t t = 0; t < stores[i]->tokens; t++) {
            bool begins = stores[i]->firsts[stores[i]->owner[t]] == t, apart = x->args.apart || x->args.packing == PACK_BEST_FIT;

            if (fake_masks(stores[i], t) || (begins && apart))
                assert_int_equal(c->targets[i][t], 0);
            else if (!begins)
                assert_int_equal(c->targets[i][t], c->inputs[i][t - 1]);
        }
    }
}

/* ---- seen ---- */

static void check_seen(struct sampling *s, uint64_t steps, const struct counts *c)
{
    for (int i = 0; i < STORES; i++)
        for (uint64_t d = 0; d < stores[i]->documents; d++) {
            uint64_t want = 0, seen;

            for (uint64_t t = stores[i]->firsts[d]; t < stores[i]->firsts[d + 1]; t++)
                want += c->inputs[i][t] > 0 || c->targets[i][t] > 0;
            if (sampling_seen(s, steps, stores[i]->digest, d, &seen) == ST_MISSING) {
                assert_int_equal(want, 0);
                break;
            }
            if (seen != want)
                fail_msg("of document %d of store %d %d tokens seen, want %d", (int)d, i, (int)seen, (int)want);
        }
}

/* ---- settings ---- */

static void use(struct setting *x, size_t phase, int store, double weight, double epochs)
{
    struct sampling_phase *p = &x->phases[phase];

    x->sources[phase][p->source_count++] =
        (struct sampling_source){ .store = stores[store], .name = stores[store]->digest, .weight = weight, .epochs = epochs };
    p->sources = x->sources[phase];
}

static void random_phase(struct setting *x, struct rng *r, size_t phase)
{
    uint64_t mask = 1 + rng_below(r, (1 << STORES) - 1);

    x->phases[phase].length = 2 + rng_below(r, rng_below(r, 2) ? 80 : 12);
    x->phases[phase].rows = 1 + rng_below(r, 9);
    x->phases[phase].step = phase == 0 ? 0 : x->phases[phase - 1].step + 1 + rng_below(r, 25);
    for (int i = 0; i < STORES; i++)
        if (mask >> i & 1)
            use(x, phase, i, rng_below(r, 3) ? 1 + (double)rng_below(r, 1000) / 7 : 1e-3,
                rng_below(r, 2) ? 0 : (double)(1 + rng_below(r, 12)) / 4);
}

static void random_setting(struct setting *x, uint64_t seed)
{
    struct rng r = { .seed = seed, .stream = 77 };

    *x = (struct setting){ .args = { .seed = rng_next(&r), .packing = (enum packing)rng_below(&r, PACKINGS),
                                     .window = 1 + rng_below(&r, rng_below(&r, 2) ? 400 : 6), .apart = rng_below(&r, 2),
                                     .phase_count = 1 + rng_below(&r, PHASES_MOST) } };
    for (size_t i = 0; i < x->args.phase_count; i++)
        random_phase(x, &r, i);
    for (int i = 0; i < STORES; i++)
        stores[i]->masked = rng_below(&r, 3) ? 0 : 5;
    x->steps = x->phases[x->args.phase_count - 1].step + 1 + rng_below(&r, 40);
}

/* ---- tests ---- */

static void whatever_is_asked_for_each_token_is_read_in_its_turn(void **state)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct setting x;
        struct counts c;
        struct sampling *s;
        uint64_t steps, some;

        random_setting(&x, seed);
        s = open_sampling(&x);
        steps = sampling_steps(s) < x.steps ? sampling_steps(s) : x.steps;
        some = steps / 2;
        counts_begin(&c);
        count_steps(s, &x, 0, some, &c);
        check_seen(s, some, &c);
        count_steps(s, &x, some, steps, &c);
        check_counts(&x, &c);
        check_seen(s, steps, &c);
        counts_end(&c);
        sampling_close(s);
    }
}

static void any_order_of_reading_gives_the_same(void **state)
{
    for (uint64_t seed = 1000; seed < 1100; seed++) {
        struct setting x;
        struct sampling *s, *other;
        struct rng r = { .seed = seed };
        uint64_t steps;

        random_setting(&x, seed);
        s = open_sampling(&x);
        steps = sampling_steps(s) < x.steps ? sampling_steps(s) : x.steps;
        x.args.steps = 1 + rng_below(&r, x.steps); /* of a run that is to end before the data does, or is not */
        other = open_sampling(&x);
        assert_int_equal(sampling_steps(other), steps < x.args.steps ? steps : x.args.steps);
        steps = sampling_steps(other);
        for (int i = 0; i < 30 && steps > 0; i++) {
            uint64_t step = rng_below(&r, steps), rows = sampling_rows(s, step), row = rng_below(&r, rows);
            struct rows all = read_rows(s, step, 0, rows), part = read_rows(other, step, row, 1 + rng_below(&r, rows - row));

            assert_rows_equal(&all, row, &part);
            free_rows(&all);
            free_rows(&part);
        }
        sampling_close(s);
        sampling_close(other);
    }
}

static struct setting one_store(enum packing packing, int store, uint64_t T, uint64_t rows)
{
    struct setting x = { .args = { .seed = 4, .packing = packing, .window = 50, .phase_count = 1 } };

    for (int i = 0; i < STORES; i++)
        stores[i]->masked = 0;
    x.phases[0] = (struct sampling_phase){ .length = T, .rows = rows };
    use(&x, 0, store, 1, 0);
    return x;
}

/* The settings keep pointers to themselves. */
static void settle(struct setting *x)
{
    for (size_t i = 0; i < x->args.phase_count; i++)
        x->phases[i].sources = x->sources[i];
}

/* The tokens of the endless sequence, of so many epochs. */
static int32_t *sequence_of(const struct token_store *store, uint64_t epochs, uint64_t digest)
{
    int32_t *all = mem_array(epochs * store->tokens, 4);
    uint64_t at = 0;

    for (uint64_t epoch = 0; epoch < epochs; epoch++)
        for (uint64_t k = 0; k < store->documents; k++) {
            uint64_t d = rng_permute(rng_at(4, 0x646f63756d656e74u ^ digest, epoch), store->documents, k);

            for (uint64_t t = store->firsts[d]; t < store->firsts[d + 1]; t++)
                all[at++] = store->base + (int32_t)t;
        }
    assert_int_equal(at, epochs * store->tokens);
    return all;
}

/* An epoch's whole rows come shuffled, 65,536 at a time, the row over its end behind them. */
static uint64_t row_of_step(const struct token_store *store, uint64_t T, uint64_t step, uint64_t digest)
{
    uint64_t epoch = step * T / store->tokens, begin = (epoch * store->tokens + T - 1) / T, end = (epoch + 1) * store->tokens / T;

    if (step >= end)
        return step;
    begin += (step - begin) / 65536 * 65536;
    end = end < begin + 65536 ? end : begin + 65536;
    return begin + rng_permute(rng_at(4, 0x726f777321212121u ^ digest, begin * T), end - begin, step - begin);
}

/* Concatenation against the words that describe it. */
static void check_concatenation(const struct token_store *store, uint64_t T, uint64_t epochs)
{
    struct setting x = one_store(PACK_CONCAT, 0, T, 1);
    uint64_t steps = (epochs * store->tokens - 1) / T, moved = 0, digest;
    char head[17] = { 0 };
    struct sampling *s;
    int32_t *all;

    settle(&x);
    x.sources[0][0].store = store;
    memcpy(head, store->digest, 16);
    digest = strtoull(head, NULL, 16);
    all = sequence_of(store, epochs, digest);
    s = open_sampling(&x);
    for (uint64_t step = 0; step < steps; step++) {
        struct rows r = read_rows(s, step, 0, 1);
        uint64_t row = row_of_step(store, T, step, digest);

        moved += row != step;
        assert_memory_equal(r.tokens, all + row * T, T * 4);
        assert_memory_equal(r.targets, all + row * T + 1, T * 4);
        free_rows(&r);
    }
    assert_true(moved > steps / 2);
    sampling_close(s);
    free(all);
}

static void concatenated_rows_are_the_documents_one_after_the_other(void **state)
{
    struct token_store *large = fake_store(6, 20000, 15), *many = fake_store(7, 600000, 1);

    check_concatenation(stores[0], 24, 3);
    check_concatenation(large, 2, 1);
    assert_true(large->tokens / 2 > 65536);
    check_concatenation(many, 64, 1); /* a window of more documents than are kept */
    fake_free(large);
    fake_free(many);
}

/* Whole epochs, counted: both packings, every length of row, to the end that the cap sets. */
static void whole_epochs_have_each_token_once(void **state)
{
    for (uint64_t T = 2; T < 60; T += 3)
        for (int packing = 0; packing < PACKINGS; packing++)
            for (int store = 0; store < 3; store++) {
                struct setting x = one_store((enum packing)packing, store, T, 1);
                struct token_store *t = stores[store];
                struct counts c;
                struct sampling *s;
                uint64_t left = 0;

                settle(&x);
                x.sources[0][0].epochs = 2;
                s = open_sampling(&x);
                counts_begin(&c);
                count_steps(s, &x, 0, sampling_steps(s), &c);
                for (uint64_t i = 0; i < t->tokens; i++) {
                    bool begins = t->firsts[t->owner[i]] == i;

                    left += 2 - c.inputs[store][i];
                    if (packing == PACK_BEST_FIT)
                        assert_int_equal(c.targets[store][i], begins ? 0 : 2);
                    else
                        assert_in_range(c.targets[store][i], 1, 2);
                }
                if (packing == PACK_BEST_FIT)
                    assert_int_equal(left, 0);
                else
                    assert_in_range(left, 1, T);      /* less than a row and its last target */
                counts_end(&c);
                sampling_close(s);
            }
}

/* What is read by 1, 2, 3 and 4 ranks, each its own part of a step's rows, is what one reads. */
static void ranks_share_the_rows_of_a_step(void **state)
{
    for (int packing = 0; packing < PACKINGS; packing++) {
        struct setting x = one_store((enum packing)packing, 1, 20, 12);
        struct sampling *alone;

        settle(&x);
        use(&x, 0, 2, 0.3, 0);
        alone = open_sampling(&x);
        for (uint64_t ranks = 1; ranks <= 4; ranks++)
            for (uint64_t rank = 0; rank < ranks; rank++) {
                struct sampling *s = open_sampling(&x);

                for (uint64_t step = 0; step < 40; step++) {
                    struct rows all = read_rows(alone, step, 0, 12), part = read_rows(s, step, rank * 12 / ranks, 12 / ranks);

                    assert_rows_equal(&all, rank * 12 / ranks, &part);
                    free_rows(&all);
                    free_rows(&part);
                }
                sampling_close(s);
            }
        sampling_close(alone);
    }
}

/* Shares hold after any number of rows, not only in the end. */
static void a_blend_keeps_its_shares(void **state)
{
    static const double weights[3][3] = { { 0.001, 0.999, 0 }, { 1, 1e-6, 7 }, { 3, 3, 3 } };

    for (int w = 0; w < 3; w++) {
        struct setting x = one_store(PACK_CONCAT, 0, 8, 1);
        uint64_t had[3] = { 0 }, count = w == 0 ? 2 : 3;
        double sum = weights[w][0] + weights[w][1] + weights[w][2];
        struct sampling *s;

        settle(&x);
        x.phases[0].source_count = 0;
        for (int i = 0; i < (int)count; i++)
            use(&x, 0, i, weights[w][i], 0);
        s = open_sampling(&x);
        for (uint64_t step = 0; step < 5000; step++) {
            const struct sampling_piece *pieces;
            size_t n;

            assert_ok(sampling_pieces(s, step, 0, &pieces, &n));
            had[pieces[0].source]++;
            for (uint64_t i = 0; i < count; i++) {
                double want = (double)(step + 1) * weights[w][i] / sum, off = (double)had[i] - want;

                if (off < -2 || off > 2)
                    fail_msg("source %d had %d of %d rows, want %g", (int)i, (int)had[i], (int)step + 1, want);
            }
        }
        sampling_close(s);
    }
}

/* A small source with a large weight and a cap: it is read to its end, then the others share; the last step is known. */
static void what_runs_out_leaves_its_share_to_the_others(void **state)
{
    for (int packing = 0; packing < PACKINGS; packing++) {
        struct setting x = one_store((enum packing)packing, 0, 10, 4);
        struct counts c;
        struct sampling *s;
        uint64_t steps, read = 0, all = 0;
        struct rows r;

        settle(&x);
        x.phases[0].source_count = 0;
        use(&x, 0, 0, 0.001, 1);
        use(&x, 0, 1, 0.999, 1.5);
        use(&x, 0, 3, 5, 2);
        s = open_sampling(&x);
        steps = sampling_steps(s);
        counts_begin(&c);
        count_steps(s, &x, 0, steps, &c);
        for (int i = 0; i < 4; i++)
            for (uint64_t t = 0; i != 2 && t < stores[i]->tokens; t++)
                read += c.inputs[i][t];
        all = stores[0]->tokens + stores[1]->tokens * 3 / 2 + 2 * stores[3]->tokens;
        assert_in_range(c.inputs[0][0], 0, 1);
        if (packing == PACK_CONCAT)
            assert_in_range(all - read, 1, 3 * 10 + 4 * 10);      /* less than a row of each, and than a step */
        assert_int_equal(check_even(c.inputs[3], stores[3]) >= 1, 1);
        r = (struct rows){ .tokens = mem_array(40, 4), .targets = mem_array(40, 4) };
        assert_int_equal(sampling_read(s, steps, 0, 1, &(struct sampling_batch){ r.tokens, r.targets, NULL }), ST_LIMIT);
        assert_non_null(strstr(fail_message(), "the data end after"));
        free_rows(&r);
        counts_end(&c);
        sampling_close(s);
    }
}

/* Phases that are appended change nothing of what was before, and a change in the middle of an epoch and of a window loses
 * nothing: with all epochs read to their caps each token was read exactly so often. */
static void a_change_in_the_middle_loses_nothing(void **state)
{
    for (uint64_t change = 1; change < 30; change++) {
        struct setting x = one_store(change % 2 ? PACK_BEST_FIT : PACK_CONCAT, 0, 16, 3);
        struct counts c;
        struct sampling *s, *before;

        settle(&x);
        use(&x, 0, 2, 1, 0);
        before = open_sampling(&x);
        for (size_t i = 1; i < 3; i++) {
            x.phases[i] = (struct sampling_phase){ .step = i * change, .length = i == 1 ? 5 : 37, .rows = 1 + i };
            use(&x, i, 0, 2, i == 2 ? 3 : 0);
            if (i == 1)
                use(&x, i, 2, 1, 0);
        }
        x.args.phase_count = 3;
        s = open_sampling(&x);
        for (uint64_t step = 0; step < change; step++) {
            struct rows a = read_rows(before, step, 0, 3), b = read_rows(s, step, 0, 3);

            assert_rows_equal(&a, 0, &b);
            free_rows(&a);
            free_rows(&b);
        }
        counts_begin(&c);
        count_steps(s, &x, 0, sampling_steps(s), &c);
        check_counts(&x, &c);
        check_seen(s, sampling_steps(s), &c);
        assert_in_range(check_even(c.inputs[0], stores[0]), 2, 3);
        counts_end(&c);
        sampling_close(s);
        sampling_close(before);
    }
}

/* Best fit fills rows: better than documents in the order they come, and no worse than 11/9 of the best and one row. */
static void best_fit_wastes_little(void **state)
{
    struct setting x = one_store(PACK_BEST_FIT, 5, 64, 1);
    uint64_t rows;
    struct sampling *s;

    settle(&x);
    x.args.window = 1500;
    x.sources[0][0].epochs = 1;
    s = open_sampling(&x);
    rows = sampling_steps(s);
    assert_in_range(rows, (stores[5]->tokens + 63) / 64, stores[5]->tokens / 64 + 3);
    sampling_close(s);
}

/* Checkpoints do not list what they have read: it follows from this order, so a change of it needs a new version of `train`. The
 * digests are of this program's own rows; that the order is the one of FORMATS.md is shown by test_peer_sampling.sh. */
static void the_order_stays_what_it_is(void **state)
{
    static const uint64_t want[PACKINGS] = { 0x09d9671cb7a482d9, 0x6449fb8c5e90980e };

    for (int packing = 0; packing < PACKINGS; packing++) {
        struct setting x = one_store((enum packing)packing, 0, 30, 5);
        struct sampling *s;
        uint64_t digest = 0;

        settle(&x);
        use(&x, 0, 1, 0.5, 1);
        use(&x, 0, 2, 2, 0);
        x.phases[1] = (struct sampling_phase){ .step = 20, .length = 45, .rows = 3 };
        use(&x, 1, 0, 1, 0);
        use(&x, 1, 2, 1, 0);
        x.args.phase_count = 2;
        s = open_sampling(&x);
        for (uint64_t step = 0; step < 60; step++) {
            struct rows r = read_rows(s, step, 0, sampling_rows(s, step));

            digest = xxh3_seed(r.tokens, r.n * r.length * 4, digest);
            digest = xxh3_seed(r.targets, r.n * r.length * 4, digest);
            free_rows(&r);
        }
        if (digest != want[packing])
            fail_msg("%s: %llx", packing_names[packing], (unsigned long long)digest);
        sampling_close(s);
    }
}

/* Far out in an endless sequence rows still follow each other, and where numbers end this is said. */
static void far_steps_are_read_or_refused(void **state)
{
    struct setting x = one_store(PACK_CONCAT, 0, 30, 7);
    uint64_t far = (uint64_t)1 << 50;
    struct rows a, b;
    struct sampling *s;
    int32_t none[30], same[30];

    settle(&x);
    use(&x, 0, 1, 1e-3, 0);
    s = open_sampling(&x);
    assert_int_equal(sampling_steps(s), UINT64_MAX);
    a = read_rows(s, far, 0, 7);
    b = read_rows(s, far - 1, 0, 7);
    check_row(s, &x, far, 0, a.tokens, a.targets, a.first);
    check_row(s, &x, far - 1, 0, b.tokens, b.targets, b.first);
    assert_memory_not_equal(a.tokens, b.tokens, 30 * 4);
    free_rows(&a);
    free_rows(&b);
    assert_int_equal(sampling_read(s, UINT64_MAX - 1, 0, 1, &(struct sampling_batch){ none, none, NULL }), ST_LIMIT);
    assert_non_null(strstr(fail_message(), "past 2^60 tokens"));
    assert_int_equal(sampling_read(s, 0, 6, 2, &(struct sampling_batch){ none, none, NULL }), ST_LIMIT);
    assert_non_null(strstr(fail_message(), "which has 7"));
    sampling_close(s);
    x.phases[1] = (struct sampling_phase){ .step = far, .length = 15, .rows = 2 };
    use(&x, 1, 1, 1, 0);
    x.args.phase_count = 2;
    s = open_sampling(&x);
    far += (((uint64_t)1 << 60) - far * 30 * 7) / 30; /* the tokens of both phases are counted */
    assert_ok(sampling_read(s, far - 1, 1, 1, &(struct sampling_batch){ none, same, NULL }));
    assert_int_equal(sampling_read(s, far, 0, 1, &(struct sampling_batch){ none, none, NULL }), ST_LIMIT);
    assert_non_null(strstr(fail_message(), "past 2^60 tokens"));
    sampling_close(s);
}

/* Nobody waits until all epochs under a cap, or before a phase, have been packed when few steps of them are asked for. */
static void opening_looks_no_further_than_asked(void **state)
{
    struct setting x = one_store(PACK_BEST_FIT, 5, 64, 1);
    struct sampling *s;

    settle(&x);
    x.args.steps = 1000;
    x.sources[0][0].epochs = 1e6; /* 1.5e9 documents */
    use(&x, 0, 0, 1e-3, 1e6);
    x.args.phase_count = 2;
    x.phases[1] = (struct sampling_phase){ .step = (uint64_t)1 << 40, .length = 2, .rows = 1 };
    use(&x, 1, 1, 1, 0);
    s = open_sampling(&x);
    assert_int_equal(sampling_steps(s), 1000);
    sampling_close(s);
}

static void cu_seqlens_are_where_segments_begin(void **state)
{
    static const int32_t first[8] = { 0, 0, 2, 3, 3, 3, 6, 6 };
    int32_t out[9];

    assert_int_equal(sampling_cu_seqlens(first, 8, out), 4);
    assert_memory_equal(out, ((int32_t[]){ 0, 2, 3, 6, 8 }), 5 * 4);
}

static void refuse(struct setting *x, const char *words)
{
    struct sampling_args args = x->args;
    struct sampling *s;

    args.phases = x->phases;
    assert_int_equal(sampling_open(&args, &s), ST_CONFIG);
    if (strstr(fail_message(), words) == NULL)
        fail_msg("'%s', want '%s'", fail_message(), words);
}

static void what_cannot_be_is_refused(void **state)
{
    struct setting x = one_store(PACK_BEST_FIT, 0, 16, 3);
    struct token_store *empty = fake_store(9, 3, 0);

    settle(&x);
    x.args.window = 0;
    refuse(&x, "a window of 0 documents");
    x.args.window = 9;
    x.phases[0].length = 1;
    refuse(&x, "rows of 1 tokens, want 2");
    x.phases[0].length = 4;
    x.phases[0].rows = 0;
    refuse(&x, "0 rows a step");
    x.phases[0].rows = 1;
    x.phases[0].step = 1;
    refuse(&x, "begins at step 1, want 0");
    x.phases[0].step = 0;
    x.args.phase_count = 3;
    x.phases[1] = (struct sampling_phase){ .step = (uint64_t)1 << 58, .length = 4, .rows = 1, .sources = x.sources[0], .source_count = 1 };
    refuse(&x, "phase 1 begins at step 288230376151711744, which is past 2^60 tokens");
    x.phases[1].step = (uint64_t)1 << 57;
    x.phases[2] = x.phases[1];
    x.phases[2].step *= 2;
    refuse(&x, "phase 2 begins at step 288230376151711744, which is past 2^60 tokens");
    x.args.phase_count = 1;
    x.sources[0][0].weight = -1;
    refuse(&x, "the weight -1");
    x.sources[0][0].weight = 1;
    x.sources[0][0].epochs = -2;
    refuse(&x, "at most -2 times");
    x.sources[0][0].epochs = 0;
    use(&x, 0, 0, 1, 0);
    refuse(&x, "are the same store");
    x.sources[0][1].store = stores[1];
    x.sources[0][1].weight = 1e-30;
    refuse(&x, "too little beside the largest");
    x.sources[0][1].weight = 1;
    x.sources[0][1].store = empty;
    refuse(&x, "no tokens to train on");
    stores[1]->tokenizer = "another";
    x.sources[0][1].store = stores[1];
    refuse(&x, "one tokenizer");
    stores[1]->tokenizer = stores[0]->tokenizer;
    fake_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_asked_for_each_token_is_read_in_its_turn),
        cmocka_unit_test(any_order_of_reading_gives_the_same),
        cmocka_unit_test(concatenated_rows_are_the_documents_one_after_the_other),
        cmocka_unit_test(whole_epochs_have_each_token_once),
        cmocka_unit_test(ranks_share_the_rows_of_a_step),
        cmocka_unit_test(a_blend_keeps_its_shares),
        cmocka_unit_test(what_runs_out_leaves_its_share_to_the_others),
        cmocka_unit_test(a_change_in_the_middle_loses_nothing),
        cmocka_unit_test(best_fit_wastes_little),
        cmocka_unit_test(the_order_stays_what_it_is),
        cmocka_unit_test(far_steps_are_read_or_refused),
        cmocka_unit_test(opening_looks_no_further_than_asked),
        cmocka_unit_test(cu_seqlens_are_where_segments_begin),
        cmocka_unit_test(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, make_stores, free_stores);
}
