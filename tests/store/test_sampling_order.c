/* Which row comes when: the order that others can make again, what it wastes, how far it goes, and what is refused. */
#include "store/sampling_runs.h"

#include "base/hash.h"

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
        cmocka_unit_test(concatenated_rows_are_the_documents_one_after_the_other),
        cmocka_unit_test(best_fit_wastes_little),
        cmocka_unit_test(the_order_stays_what_it_is),
        cmocka_unit_test(far_steps_are_read_or_refused),
        cmocka_unit_test(opening_looks_no_further_than_asked),
        cmocka_unit_test(cu_seqlens_are_where_segments_begin),
        cmocka_unit_test(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, make_stores, free_stores);
}
