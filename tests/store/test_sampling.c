/* Sampling: each token once an epoch, whatever the packing, phases, blend, ranks; known beforehand where the data end. */
#include "store/sampling_runs.h"

/* ---- a run that is read and counted ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_asked_for_each_token_is_read_in_its_turn),
        cmocka_unit_test(any_order_of_reading_gives_the_same),
        cmocka_unit_test(whole_epochs_have_each_token_once),
        cmocka_unit_test(ranks_share_the_rows_of_a_step),
        cmocka_unit_test(a_blend_keeps_its_shares),
        cmocka_unit_test(what_runs_out_leaves_its_share_to_the_others),
        cmocka_unit_test(a_change_in_the_middle_loses_nothing),
    };

    return cmocka_run_group_tests(tests, make_stores, free_stores);
}
