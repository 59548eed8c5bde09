#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* Random123's known answers for philox4x32-10: first two words. The last one tells the mapping. */
static void draws_are_the_published_ones(void **state)
{
    assert_true(rng_at(0, 0, 0) == UINT64_C(0xe169c58d6627e8d5));
    assert_true(rng_at(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_C(0x41c83b0e408f276d));
    assert_true(rng_at(UINT64_C(0x299f31d0a4093822), UINT64_C(0x0370734413198a2e),
                       UINT64_C(0x85a308d3243f6a88)) == UINT64_C(0x94fdccebd16cfe09));
}

static void a_sequence_is_its_draws_in_order(void **state)
{
    struct rng r = { .seed = 9, .stream = 2, .index = 5 };

    assert_true(rng_next(&r) == rng_at(9, 2, 5));
    assert_true(rng_next(&r) == rng_at(9, 2, 6));
    assert_true(rng_next_uniform(&r) == rng_uniform_at(9, 2, 7));
    assert_int_equal(r.index, 8);
    assert_true(rng_at(9, 3, 5) != rng_at(9, 2, 5));
    assert_true(rng_at(8, 2, 5) != rng_at(9, 2, 5));
}

static void uniforms_fill_the_unit_interval_evenly(void **state)
{
    enum { N = 200000, CELLS = 100 };
    int cells[CELLS] = { 0 };
    double chi2 = 0;

    for (int i = 0; i < N; i++) {
        double u = rng_uniform_at(1, 0, (uint64_t)i);

        assert_true(u >= 0 && u < 1);
        cells[(int)(u * CELLS)]++;
    }
    for (int i = 0; i < CELLS; i++)
        chi2 += pow(cells[i] - N / CELLS, 2) / (N / CELLS);
    assert_true(chi2 > 55 && chi2 < 165);   /* 99 degrees of freedom: outside once in 10,000 seeds */
}

/* Philox4x32-10 once more, plainly: counter and result are the four words at w. */
static void reference_block(uint32_t w[4], uint32_t k0, uint32_t k1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t a = w[0] * UINT64_C(0xD2511F53), b = w[2] * UINT64_C(0xCD9E8D57);
        uint32_t next[4] = { (uint32_t)(b >> 32) ^ w[1] ^ k0, (uint32_t)b,
                             (uint32_t)(a >> 32) ^ w[3] ^ k1, (uint32_t)a };

        memcpy(w, next, sizeof next);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
}

static void normals_are_those_of_box_and_muller(void **state)
{
    const long double pi = 3.14159265358979323846264338327950288L;

    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t w[4] = { i, 0, 77, 0 };
        long double u, v, z;

        reference_block(w, 5, 0);
        u = (long double)(((uint64_t)w[1] << 32 | w[0]) >> 11) * 0x1p-53L + 0x1p-53L;
        v = (long double)(((uint64_t)w[3] << 32 | w[2]) >> 11) * 0x1p-53L;
        z = sqrtl(-2 * logl(u)) * cosl(2 * pi * v);
        if (fabsl(z - (long double)rng_normal_at(5, 77, i)) > 2e-15L)
            fail_msg("draw %u: %.20Lg, want %.20Lg", i, (long double)rng_normal_at(5, 77, i), z);
    }
}

static void normals_have_the_moments_and_tails_of_a_normal(void **state)
{
    enum { N = 400000 };
    double sum = 0, sum2 = 0, sum3 = 0, sum4 = 0, neighbours = 0, last = 0;
    int tail2 = 0, tail3 = 0;

    for (int i = 0; i < N; i++) {
        double z = rng_normal_at(3, 1, (uint64_t)i);

        assert_true(isfinite(z) && fabs(z) < 9);
        sum += z;
        sum2 += z * z;
        sum3 += z * z * z;
        sum4 += z * z * z * z;
        neighbours += z * last;
        last = z;
        tail2 += fabs(z) > 2;
        tail3 += fabs(z) > 3;
    }
    assert_true(fabs(sum / N) < 4 * sqrt(1.0 / N));
    assert_true(fabs(sum2 / N - 1) < 4 * sqrt(2.0 / N));
    assert_true(fabs(sum3 / N) < 4 * sqrt(15.0 / N));
    assert_true(fabs(sum4 / N - 3) < 4 * sqrt(96.0 / N));
    assert_true(fabs(neighbours / N) < 4 * sqrt(1.0 / N));
    assert_true(fabs(tail2 - N * 0.045500) < 4 * sqrt(N * 0.0455));
    assert_true(fabs(tail3 - N * 0.0026998) < 4 * sqrt(N * 0.0027));
}

/* Pinned: weights are made from these, and a saved seed must give the same ones for ever. */
static void normals_are_the_same_bits_on_every_machine(void **state)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < 10000; i++) {
        double z = rng_normal_at(7, 11, i);
        uint64_t bits;

        memcpy(&bits, &z, 8);
        sum = sum * 31 + bits;
    }
}

static void below_is_even_and_within(void **state)
{
    struct rng r = { .seed = 4 };
    uint64_t n = UINT64_C(3) << 62;   /* without rejection every third value comes twice as often */
    int cells[7] = { 0 }, thirds[3] = { 0 };

    for (int i = 0; i < 70000; i++)
        cells[rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(cells[i], 10000 - 400, 10000 + 400);
    for (int i = 0; i < 30000; i++) {
        uint64_t x = rng_below(&r, n);

        assert_true(x < n);
        thirds[x % 3]++;
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(thirds[i], 10000 - 350, 10000 + 350);
    assert_int_equal(rng_below(&r, 1), 0);
}

static void a_permutation_meets_each_element_once(void **state)
{
    static const uint64_t sizes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 63, 64, 65, 100, 255, 256, 257,
                                      1000, 1023, 1024, 1025, 4097, 65535, 65536, 65537, 100003 };

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            uint64_t n = sizes[s];
            unsigned char *seen = calloc(1, n);

            for (uint64_t i = 0; i < n; i++) {
                uint64_t x = rng_permute(seed, n, i);

                assert_true(x < n);
                assert_int_equal(seen[x]++, 0);
            }
            free(seen);
        }
}

static void huge_permutations_stay_within(void **state)
{
    static const uint64_t sizes[] = { UINT64_C(1) << 40, (UINT64_C(1) << 40) + 1, UINT64_C(1) << 63,
                                      (UINT64_C(1) << 63) + 1, UINT64_MAX };

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint64_t i = 0; i < 1000; i++) {
            assert_true(rng_permute(5, sizes[s], i) < sizes[s]);
            assert_true(rng_permute(5, sizes[s], sizes[s] - 1 - i) < sizes[s]);
        }
}

/* All 24 orders of 4, each about equally often over the seeds. */
static void permutations_of_few_take_every_order(void **state)
{
    int orders[256] = { 0 }, different = 0;

    for (uint64_t seed = 0; seed < 24000; seed++) {
        unsigned key = 0;

        for (uint64_t i = 0; i < 4; i++)
            key = key << 2 | (unsigned)rng_permute(seed, 4, i);
        orders[key]++;
    }
    for (int i = 0; i < 256; i++)
        if (orders[i]) {
            different++;
            assert_in_range(orders[i], 1000 - 150, 1000 + 150);
        }
    assert_int_equal(different, 24);
}

/* Where an element goes tells nothing about its neighbour. */
static void neighbours_part(void **state)
{
    enum { N = 100000 };
    double mean = (N - 1) / 2.0, products = 0, place = 0;
    int stay_together = 0;

    for (uint64_t i = 0; i + 1 < N; i++) {
        double a = (double)rng_permute(6, N, i), b = (double)rng_permute(6, N, i + 1);

        products += (a - mean) * (b - mean);
        place += ((double)i - mean) * (a - mean);
        stay_together += fabs(a - b) < 2;
    }
    assert_true(fabs(products / N / (N / 12.0 * N)) < 0.015);
    assert_true(fabs(place / N / (N / 12.0 * N)) < 0.015);
    assert_true(stay_together < 14);   /* 2 expected */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_the_published_ones),
        cmocka_unit_test(a_sequence_is_its_draws_in_order),
        cmocka_unit_test(uniforms_fill_the_unit_interval_evenly),
        cmocka_unit_test(normals_are_those_of_box_and_muller),
        cmocka_unit_test(normals_have_the_moments_and_tails_of_a_normal),
        cmocka_unit_test(normals_are_the_same_bits_on_every_machine),
        cmocka_unit_test(below_is_even_and_within),
        cmocka_unit_test(a_permutation_meets_each_element_once),
        cmocka_unit_test(huge_permutations_stay_within),
        cmocka_unit_test(permutations_of_few_take_every_order),
        cmocka_unit_test(neighbours_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
