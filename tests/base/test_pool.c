#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/platform.h"
#include "base/pool.h"
#include "base/rng.h"
#include "child.h"

static const int team_sizes[] = { 1, 2, 3, 8 };
#define FOR_TEAMS(p)                                                                       \
    for (size_t team_ = 0; team_ < sizeof team_sizes / sizeof *team_sizes; team_++)        \
        for (struct pool *p = pool_new(team_sizes[team_]); p; pool_free(p), p = NULL)

/* Keeps an item for a while that differs from item to item, so that threads overtake each other. */
static void dawdle(uint64_t item)
{
    for (uint64_t n = rng_at(1, 0, item) % 1000; n > 0; n--)
        platform_pause();
    if (rng_at(2, 0, item) % 16 == 0)
        sched_yield();
}

/* ---- pool_for ---- */

struct counts {
    _Atomic unsigned char done[5000];
    _Atomic int in_worker[8];
    int threads;
};

static enum status count_item(void *ctx, size_t item, int worker)
{
    struct counts *c = ctx;

    if (worker < 0 || worker >= c->threads)
        return fail(ST_FAILED, "worker %d of %d", worker, c->threads);
    if (atomic_fetch_add(&c->in_worker[worker], 1) != 0)
        return fail(ST_FAILED, "two items at once in worker %d", worker);
    dawdle(item);
    atomic_fetch_add(&c->done[item], 1);
    atomic_fetch_sub(&c->in_worker[worker], 1);
    return ST_OK;
}

static void each_item_is_done_once(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 7, 5000 };

    FOR_TEAMS(p) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct counts c = { .threads = pool_threads(p) };

            assert_int_equal(pool_for(p, sizes[s], count_item, &c), ST_OK);
            for (size_t i = 0; i < 5000; i++)
                assert_int_equal(c.done[i], i < sizes[s]);
        }
    }
}

/* Plain memory: the items' writes must be seen by the caller, and the caller's by the next items. */
static enum status add_one(void *ctx, size_t item, int worker)
{
    ((uint64_t *)ctx)[item]++;
    return ST_OK;
}

static void many_small_calls_see_each_others_work(void **state)
{
    FOR_TEAMS(p) {
        uint64_t sums[5] = { 0 };

        for (int i = 0; i < 3000; i++)
            assert_int_equal(pool_for(p, 5, add_one, sums), ST_OK);
        for (int i = 0; i < 5; i++)
            assert_int_equal(sums[i], 3000);
    }
}

static void zero_threads_are_all_this_process_may_use(void **state)
{
    struct pool *p = pool_new(0);

    assert_int_equal(pool_threads(p), cpu_count());
    pool_free(p);
    pool_free(NULL);
}

struct failing {
    size_t first, second;
    bool second_fails_first;   /* the two run at once; which one fails first is arranged */
    bool alone;
    _Atomic bool begun[2], failing[2];
    _Atomic unsigned char done[1000];
};

static void wait_for(_Atomic bool *flag)
{
    for (int i = 0; i < 1000000 && !atomic_load(flag); i++)
        sched_yield();
}

static enum status fail_at_two(void *ctx, size_t item, int worker)
{
    struct failing *f = ctx;

    if (item == f->first || item == f->second) {
        int me = item == f->second;

        atomic_store(&f->begun[me], true);
        if (!f->alone && f->second < 1000) {
            wait_for(&f->begun[!me]);
            if (me != f->second_fails_first) {
                wait_for(&f->failing[!me]);
                for (int i = 0; i < 50; i++)   /* time for the pool to take it in */
                    sched_yield();
            }
        }
        atomic_store(&f->failing[me], true);
        return fail(me ? ST_IO : ST_FORMAT, "item %zu", item);
    }
    dawdle(item);
    atomic_fetch_add(&f->done[item], 1);
    return ST_OK;
}

static void the_lowest_failure_wins_and_all_before_it_are_done(void **state)
{
    FOR_TEAMS(p) {
        for (size_t first = 0; first < 1000; first += 27) {
            struct failing f = { .first = first, .second = first + 2, .second_fails_first = first & 1,
                                 .alone = pool_threads(p) == 1 };
            char want[32];

            assert_int_equal(pool_for(p, 1000, fail_at_two, &f), ST_FORMAT);
            snprintf(want, sizeof want, "item %zu", first);
            assert_string_equal(fail_message(), want);
            for (size_t i = 0; i < first; i++)
                assert_int_equal(f.done[i], 1);
            if (f.alone && first < 999)
                assert_int_equal(f.done[999], 0);   /* the rest was stopped (others may run ahead) */
        }
        assert_int_equal(pool_for(p, 1, fail_at_two, &(struct failing){ .second = 1, .alone = true }), ST_FORMAT);
    }
}

struct shared {
    struct pool *pool;
    uint64_t sums[4];
};

static void *use_pool(void *ctx)
{
    struct shared *s = ctx;

    for (int i = 0; i < 300; i++)
        if (pool_for(s->pool, 4, add_one, s->sums) != ST_OK)
            return s;
    return NULL;
}

static void callers_take_turns(void **state)
{
    struct shared s = { .pool = pool_new(3) };
    pthread_t threads[3];
    void *result;

    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_pool, &s), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &result);
        assert_null(result);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(s.sums[i], 900);
    pool_free(s.pool);
}

static enum status nested(void *ctx, size_t item, int worker)
{
    return pool_for(ctx, 2, add_one, (uint64_t[2]){ 0 });
}

static void nest(void *ctx)
{
    struct pool *p = pool_new(*(int *)ctx);
    enum status st = pool_for(p, 4, nested, p);

    _exit((int)st);
}

static void nested_use_is_our_fault_for_any_number_of_threads(void **state)
{
    for (int threads = 1; threads <= 3; threads++)
        assert_int_equal(child_run(nest, &threads).code, 128 + SIGABRT);
}

static enum status signals_are_blocked(void *ctx, size_t item, int worker)
{
    sigset_t set;

    dawdle(item);
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    return sigismember(&set, SIGTERM) == (worker > 0) ? ST_OK : fail(ST_FAILED, "worker %d", worker);
}

static void signals_are_left_to_the_main_thread(void **state)
{
    struct pool *p = pool_new(3);

    assert_int_equal(pool_for(p, 500, signals_are_blocked, NULL), ST_OK);
    pool_free(p);
}

/* ---- pool_ordered ---- */

enum { NONE = -1 };
struct stream_test {
    int n;
    int fail_produce, fail_work, fail_work2, fail_consume;   /* items, or NONE */
    size_t in_flight;
    int produced, consumed;       /* without atomics: the contract is one thread each */
    pthread_t producer, consumer;
    _Atomic int alive, most_alive, discarded;
    uint64_t digest;
};

struct item {
    int number;
    uint64_t result;
};

static enum status produce_item(void *ctx, void **out)
{
    struct stream_test *t = ctx;
    struct item *it;
    int alive;

    if (t->produced > 0 && !pthread_equal(t->producer, pthread_self()))
        return fail(ST_FAILED, "produced on another thread");
    t->producer = pthread_self();
    if (t->produced == t->fail_produce)
        return fail(ST_FORMAT, "produce %d", t->produced);
    if (t->produced == t->n)
        return ST_OK;
    it = calloc(1, sizeof *it);
    it->number = t->produced++;
    alive = atomic_fetch_add(&t->alive, 1) + 1;
    if (alive > atomic_load(&t->most_alive))
        atomic_store(&t->most_alive, alive);   /* the only writer */
    *out = it;
    return ST_OK;
}

static enum status work_item(void *ctx, void *item, int worker)
{
    struct stream_test *t = ctx;
    struct item *it = item;

    dawdle((uint64_t)it->number);
    if (it->number == t->fail_work || it->number == t->fail_work2)
        return fail(ST_IO, "work %d", it->number);
    it->result = rng_at(3, 0, (uint64_t)it->number);
    return ST_OK;
}

static enum status consume_item(void *ctx, void *item)
{
    struct stream_test *t = ctx;
    struct item it = *(struct item *)item;

    free(item);
    atomic_fetch_sub(&t->alive, 1);
    if (!pthread_equal(t->consumer, pthread_self()))
        return fail(ST_FAILED, "consumed on another thread");
    if (it.number != t->consumed++)
        return fail(ST_FAILED, "item %d came as number %d", it.number, t->consumed - 1);
    if (it.number == t->fail_consume)
        return fail(ST_LIMIT, "consume %d", it.number);
    t->digest = t->digest * 31 + it.result;
    return ST_OK;
}

static void discard_item(void *ctx, void *item)
{
    struct stream_test *t = ctx;

    free(item);
    atomic_fetch_sub(&t->alive, 1);
    atomic_fetch_add(&t->discarded, 1);
}

static enum status run_stream(struct pool *p, struct stream_test *t)
{
    struct pool_stream s = { .produce = produce_item, .work = work_item, .consume = consume_item,
                             .discard = discard_item, .ctx = t, .in_flight = t->in_flight };

    t->consumer = pthread_self();
    return pool_ordered(p, &s);
}

#define STREAM(count)                                                                   \
    { .n = (count), .fail_produce = NONE, .fail_work = NONE, .fail_work2 = NONE, .fail_consume = NONE }

static void a_stream_is_consumed_in_order_and_bounded(void **state)
{
    static const int lengths[] = { 0, 1, 2, 9, 3000 };
    static const size_t bounds[] = { 0, 1, 2, 5 };
    uint64_t digest = 0;

    FOR_TEAMS(p) {
        for (int l = 0; l < 5; l++)
            for (int b = 0; b < 4; b++) {
                struct stream_test t = STREAM(lengths[l]);
                size_t bound = bounds[b] ? bounds[b] : (size_t)pool_threads(p) * 4;

                t.in_flight = bounds[b];
                assert_int_equal(run_stream(p, &t), ST_OK);
                assert_int_equal(t.consumed, lengths[l]);
                assert_int_equal(t.alive, 0);
                assert_int_equal(t.discarded, 0);
                assert_true((size_t)t.most_alive <= bound);
                if (lengths[l] == 3000) {
                    if (digest == 0)
                        digest = t.digest;
                    assert_true(t.digest == digest);   /* whatever the threads and the bound */
                }
            }
    }
}

static void expect_failure(struct pool *p, struct stream_test *t, enum status st, const char *words,
                           int consumed)
{
    assert_int_equal(run_stream(p, t), st);
    assert_string_equal(fail_message(), words);
    assert_int_equal(t->consumed, consumed);
    assert_int_equal(t->alive, 0);   /* every item was consumed or discarded */
}

static void a_failed_stream_has_consumed_just_what_came_before(void **state)
{
    FOR_TEAMS(p) {
        for (int round = 0; round < 20; round++) {
            struct stream_test a = STREAM(500), b = STREAM(500), c = STREAM(500), d = STREAM(500);
            struct stream_test e = STREAM(3);
            char words[32];

            a.fail_work = 100 + round;
            a.fail_work2 = 102 + round;
            snprintf(words, sizeof words, "work %d", 100 + round);
            expect_failure(p, &a, ST_IO, words, 100 + round);
            b.fail_produce = 50;
            expect_failure(p, &b, ST_FORMAT, "produce 50", 50);
            c.fail_consume = 60;
            c.fail_work = 61;
            expect_failure(p, &c, ST_LIMIT, "consume 60", 61);
            d.fail_work = 7;
            d.fail_produce = 9;
            expect_failure(p, &d, ST_IO, "work 7", 7);
            e.fail_produce = 0;
            expect_failure(p, &e, ST_FORMAT, "produce 0", 0);
        }
        /* the pool is still good */
        assert_int_equal(run_stream(p, &(struct stream_test)STREAM(100)), ST_OK);
    }
}

static enum status nested_produce(void *ctx, void **item)
{
    return pool_for(ctx, 2, add_one, (uint64_t[2]){ 0 });
}

static void nest_in_stream(void *ctx)
{
    struct pool *p = pool_new(*(int *)ctx);
    struct pool_stream s = { .produce = nested_produce, .ctx = p };
    enum status st = pool_ordered(p, &s);

    _exit((int)st);
}

static void a_stream_may_not_use_the_pool_either(void **state)
{
    for (int threads = 1; threads <= 2; threads++)
        assert_int_equal(child_run(nest_in_stream, &threads).code, 128 + SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_done_once),
        cmocka_unit_test(many_small_calls_see_each_others_work),
        cmocka_unit_test(zero_threads_are_all_this_process_may_use),
        cmocka_unit_test(the_lowest_failure_wins_and_all_before_it_are_done),
        cmocka_unit_test(callers_take_turns),
        cmocka_unit_test(nested_use_is_our_fault_for_any_number_of_threads),
        cmocka_unit_test(signals_are_left_to_the_main_thread),
        cmocka_unit_test(a_stream_is_consumed_in_order_and_bounded),
        cmocka_unit_test(a_failed_stream_has_consumed_just_what_came_before),
        cmocka_unit_test(a_stream_may_not_use_the_pool_either),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
