/* What a run has read, told from its options: against the marks that reading it really leaves. */
#include "tests/test.h"

#include "base/arena.h"
#include "base/rng.h"
#include "store/token_order.h"

/* Every range's count, against a mark for each token that the samples' windows hold. */
static void compare(uint64_t tokens, uint64_t length, uint64_t seed, uint64_t samples)
{
    struct token_order o = token_order_of(tokens, length, seed);
    struct token_reading r;
    uint8_t *marks = mem_alloc(tokens);

    for (uint64_t i = 0; i < samples; i++) {
        uint64_t start = token_order_start(&o, i);

        assert_true(start + length < tokens);
        for (uint64_t t = start; t <= start + length; t++)
            marks[t] = 1;
    }
    assert_ok(token_reading_init(&r, tokens, length, seed, samples));
    for (uint64_t first = 0; first < tokens; first += 1 + first / 7) {
        uint64_t want = 0;

        for (uint64_t end = first; end <= tokens; end++) {
            assert_int_equal(token_reading_count(&r, first, end - first), want);
            want += end < tokens && marks[end];
        }
    }
    free(marks);
}

static void test_reading(void **state)
{
    static const uint64_t lengths[] = { 1, 2, 3, 7, 32 };

    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
        for (uint64_t tokens = 2 * lengths[l] + 1; tokens < 260; tokens += 61)
            for (uint64_t samples = 0; samples < 400; samples += 1 + samples / 2)
                compare(tokens, lengths[l], 40 + samples, samples);
}

static void test_refusals(void **state)
{
    struct token_reading r;

    assert_int_equal(token_reading_init(&r, 8, 4, 1, 1), ST_FORMAT);
    assert_int_equal(token_reading_init(&r, 8, 0, 1, 1), ST_FORMAT);
    assert_int_equal(token_reading_init(&r, 8, UINT64_MAX, 1, 1), ST_FORMAT);
    assert_int_equal(token_reading_init(&r, 9, 4, 1, UINT64_MAX), ST_LIMIT);
}

static void test_inverse(void **state)
{
    for (uint64_t n = 1; n < 3000; n = n * 3 / 2 + 1)
        for (uint64_t i = 0; i < n; i++) {
            assert_int_equal(rng_unpermute(n, n, rng_permute(n, n, i)), i);
            assert_int_equal(rng_permute(n, n, rng_unpermute(n, n, i)), i);
        }
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(rng_unpermute(9, UINT64_MAX, rng_permute(9, UINT64_MAX, i * 77)), i * 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_inverse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
