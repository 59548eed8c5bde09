#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/lanes.h"

#define ITEMS 100

struct work {
    _Atomic int done[ITEMS];
    _Atomic int threads;              /* of all lanes that ran */
    _Atomic bool over;
    size_t fails_from;                /* items from here on fail, if odd */
};

static enum status run(void *ctx, struct lane *l)
{
    struct work *w = ctx;
    size_t item;

    w->threads += lane_threads(l);
    while (lane_next(l, &item)) {
        w->done[item]++;
        if (item >= w->fails_from && item % 2)
            return fail(ST_FORMAT, "item %zu", item);
    }
    return w->over ? fail(ST_INTERRUPTED, "stopped") : ST_OK;
}

static enum status run_rank(struct work *w, int rank, int ranks, int threads)
{
    const struct lanes l = {
        .items = ITEMS, .rank = rank, .ranks = ranks, .threads = threads, .lane_threads = 4, .over = &w->over,
        .run = run, .ctx = w,
    };

    return lanes_run(&l);
}

static void each_item_is_done_once(void **state)
{
    (void)state;
    for (int ranks = 1; ranks <= 3; ranks++)
        for (int threads = 1; threads <= 33; threads += 8) {
            struct work w = { .fails_from = ITEMS };

            for (int rank = 0; rank < ranks; rank++)
                assert_int_equal(run_rank(&w, rank, ranks, threads), ST_OK);
            for (int i = 0; i < ITEMS; i++)
                assert_int_equal(w.done[i], 1);
            assert_int_equal(w.threads, threads * ranks);    /* none is left over */
        }
}

static void a_rank_without_items_has_nothing_to_do(void **state)
{
    struct work w = { .fails_from = ITEMS };

    (void)state;
    assert_int_equal(run_rank(&w, ITEMS, ITEMS + 1, 8), ST_OK);
    assert_int_equal(w.threads, 0);
}

static void the_lowest_failure_is_told_and_ends_the_others(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct work w = { .fails_from = 10 };
        int begun = 0;

        assert_int_equal(run_rank(&w, 0, 1, 1), ST_FORMAT);
        assert_string_equal(fail_message(), "item 11");
        memset(w.done, 0, sizeof w.done);
        w.over = false;
        assert_int_equal(run_rank(&w, 0, 1, 16), ST_FORMAT);
        for (int i = 0; i < ITEMS; i++)
            begun += w.done[i];
        assert_in_range(begun, 11, ITEMS - 1);
        assert_true(w.over);
    }
}

static void lanes_are_as_many_as_threads_can_feed(void **state)
{
    (void)state;
    assert_int_equal(lanes_count(2, 8, 100), 1);
    assert_int_equal(lanes_count(9, 8, 100), 2);
    assert_int_equal(lanes_count(64, 8, 3), 3);
    assert_int_equal(lanes_count(64, 8, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_done_once),
        cmocka_unit_test(a_rank_without_items_has_nothing_to_do),
        cmocka_unit_test(the_lowest_failure_is_told_and_ends_the_others),
        cmocka_unit_test(lanes_are_as_many_as_threads_can_feed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
