#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/arena.h"
#include "base/platform.h"
#include "base/rng.h"
#include "child.h"

static int is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return 0;
    return 1;
}

/* Fills what it gets with a pattern, and after many more allocations looks whether it still stands. */
static void pieces_are_zeroed_aligned_and_apart_over_many_resets(void **state)
{
    struct rng r = { .seed = 1 };
    struct arena a;
    struct { unsigned char *p; size_t n; } pieces[300];

    arena_init(&a);
    for (int round = 0; round < 20; round++) {
        size_t sum = 0;

        for (int i = 0; i < 300; i++) {
            size_t n = rng_below(&r, 10) ? rng_below(&r, 200) : rng_below(&r, 60000);

            pieces[i].p = arena_alloc(&a, n);
            pieces[i].n = n;
            sum += n;
            assert_int_equal((uintptr_t)pieces[i].p % 16, 0);
            assert_true(is_zero(pieces[i].p, n));
            memset(pieces[i].p, i + 1, n);
        }
        assert_int_equal(a.used, sum);
        for (int i = 0; i < 300; i++)
            for (size_t k = 0; k < pieces[i].n; k++)
                assert_int_equal(pieces[i].p[k], (unsigned char)(i + 1));
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    arena_release(&a);
    assert_null(a.head);
    assert_non_null(arena_alloc(&a, 1));   /* may be used again */
    arena_release(&a);
}

static void a_loop_over_like_units_stays_in_one_block(void **state)
{
    struct arena a = { 0 };
    struct arena_block *kept;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++)
            arena_alloc(&a, 100);
        arena_reset(&a);
    }
    kept = a.head;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 1000; i++)
            arena_alloc(&a, 100);
        assert_ptr_equal(a.head, kept);
        arena_reset(&a);
    }
    arena_release(&a);
}

static void text_is_copied_with_its_end(void **state)
{
    struct arena a = { 0 };
    char *s = arena_strndup(&a, "abcdef", 3);

    assert_string_equal(s, "abc");
    assert_string_equal(arena_strndup(&a, NULL, 0), "");
    assert_string_equal(arena_strdup(&a, "x"), "x");
    assert_string_equal(arena_printf(&a, "%s-%05d", "n", 42), "n-00042");
    assert_int_equal(strlen(arena_printf(&a, "%20000d", 1)), 20000);
    arena_release(&a);
}

static void single_blocks(void **state)
{
    unsigned char *p = mem_array(10, 10), *q;
    char *s = mem_strdup("text");

    assert_true(is_zero(p, 100));
    memset(p, 5, 100);
    p = mem_grow(p, 1000, 2);
    assert_int_equal(p[99], 5);
    p = mem_grow(p, 0, 8);
    assert_non_null(p);
    free(p);
    assert_string_equal(s, "text");
    free(s);
    q = mem_alloc_aligned(100);
    assert_int_equal((uintptr_t)q % 64, 0);
    assert_true(is_zero(q, 100));
    mem_free_aligned(q);
    q = mem_alloc_aligned(0);
    assert_non_null(q);
    mem_free_aligned(q);
    mem_free_aligned(NULL);
}

static void overflow_in_array(void *ctx)
{
    free(mem_array(SIZE_MAX / 4, 5));
}

static void overflow_in_arena(void *ctx)
{
    struct arena a = { 0 };

    arena_array(&a, SIZE_MAX / 8, 9);
}

static void arena_near_the_largest_size(void *ctx)
{
    struct arena a = { 0 };

    arena_alloc(&a, SIZE_MAX - 8);
}

static void aligned_near_the_largest_size(void *ctx)
{
    mem_free_aligned(mem_alloc_aligned(SIZE_MAX - 8));
}

static void what_cannot_be_had_ends_the_process_with_words(void **state)
{
    void (*const cases[])(void *) = { overflow_in_array, overflow_in_arena, arena_near_the_largest_size,
                                      aligned_near_the_largest_size };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct child_end end = child_run(cases[i], NULL);

        assert_int_equal(end.code, 1);
        assert_non_null(strstr(end.words, "out of memory"));
    }
}

static void write_behind_the_piece(void *ctx)
{
    struct arena a = { 0 };
    volatile char *p = arena_alloc(&a, 20);

    arena_alloc(&a, 20);
    p[20 + *(int *)ctx] = 1;
}

static void write_after_the_reset(void *ctx)
{
    struct arena a = { 0 };
    volatile char *p = arena_alloc(&a, 20);

    arena_reset(&a);
    p[0] = 1;
}

static void the_sanitizer_sees_each_piece(void **state)
{
    int offset = 0;

    if (!PLATFORM_ASAN)
        skip();
    assert_int_not_equal(child_run(write_behind_the_piece, &offset).code, 0);
    offset = 15;
    assert_int_not_equal(child_run(write_behind_the_piece, &offset).code, 0);
    assert_int_not_equal(child_run(write_after_the_reset, NULL).code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart_over_many_resets),
        cmocka_unit_test(a_loop_over_like_units_stays_in_one_block),
        cmocka_unit_test(text_is_copied_with_its_end),
        cmocka_unit_test(single_blocks),
        cmocka_unit_test(what_cannot_be_had_ends_the_process_with_words),
        cmocka_unit_test(the_sanitizer_sees_each_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
