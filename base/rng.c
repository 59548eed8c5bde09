#include "base/rng.h"

#include <math.h>

#include "base/status.h"

/* Philox4x32-10 as in the paper, section 4.3 and table 2. The mapping, which stored seeds rely on:
 *   key      seed (low word, high word)
 *   counter  index (low, high), stream (low, high)
 *   a draw   words 0 (low) and 1 (high) of the result; a normal also uses words 2 and 3. */
struct block {
    uint64_t first, second;
};

static struct block philox(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53 * c0, b = (uint64_t)0xCD9E8D57 * c2;

        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return (struct block){ (uint64_t)c1 << 32 | c0, (uint64_t)c3 << 32 | c2 };
}

uint64_t rng_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    return philox(seed, stream, index).first;
}

double rng_uniform_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    return rng_unit(rng_at(seed, stream, index));
}

/* ln(u) for u in (0, 1], and cos(2 pi u) for u in [0, 1). The C library's differ by a last bit from
 * version to version and from CPU to CPU; these use +, -, *, / alone, so that a seed gives the same
 * weights on every machine. Horner's rule on the series, cut where a term is below 2^-53. */
static double series(const double *coefficients, int n, double t)
{
    double sum = coefficients[n - 1];

    for (int i = n - 2; i >= 0; i--)
        sum = sum * t + coefficients[i];
    return sum;
}

static double log_unit(double u)
{
    static const double odd[12] = { 1.,      1. / 3,  1. / 5,  1. / 7,  1. / 9,  1. / 11,
                                    1. / 13, 1. / 15, 1. / 17, 1. / 19, 1. / 21, 1. / 23 };
    int e;
    double m = frexp(u, &e), s;   /* u = m 2^e */

    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    s = (m - 1) / (m + 1);   /* ln m = 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172 */
    return e * 0.69314718055994531 + 2 * s * series(odd, 12, s * s);
}

static double cos_turn(double u)
{
    static const double cosine[9] = { 1.,             -1. / 2,          1. / 24,
                                      -1. / 720,      1. / 40320,       -1. / 3628800,
                                      1. / 479001600, -1. / 87178291200, 1. / 20922789888000 };
    static const double sine[9] = { 1.,              -1. / 6,             1. / 120,
                                    -1. / 5040,      1. / 362880,         -1. / 39916800,
                                    1. / 6227020800, -1. / 1307674368000, 1. / 355687428096000 };
    int quarter = (int)(u * 4 + 0.5);
    double x = (u * 4 - quarter) * 1.5707963267948966;   /* |x| <= pi/4 */
    double y = quarter & 1 ? x * series(sine, 9, x * x) : series(cosine, 9, x * x);

    return quarter == 1 || quarter == 2 ? -y : y;   /* cos x, -sin x, -cos x, sin x, cos x */
}

double rng_normal_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    struct block b = philox(seed, stream, index);
    double u = rng_unit(b.first) + 0x1p-53;   /* (0, 1] */

    return sqrt(-2 * log_unit(u)) * cos_turn(rng_unit(b.second));
}

uint64_t rng_next(struct rng *r)
{
    return rng_at(r->seed, r->stream, r->index++);
}

double rng_next_uniform(struct rng *r)
{
    return rng_unit(rng_next(r));
}

/* Lemire, "Fast random integer generation in an interval" (2019): the high half of x n is the
 * result; low halves below 2^64 mod n are drawn again. */
uint64_t rng_below(struct rng *r, uint64_t n)
{
    unsigned __int128 m;

    BUG_IF(n == 0);
    do {
        m = (unsigned __int128)rng_next(r) * n;
    } while ((uint64_t)m < n && (uint64_t)m < -n % n);
    return (uint64_t)(m >> 64);
}

#define PERMUTE_STREAM 0x7065726D75746500u   /* "permute" and the round's number */
#define PERMUTE_ROUNDS 8                     /* even: the halves end where they began */

/* Feistel network over `bits` bits split in two halves, which may differ by one bit: each round
 * xors one half with a draw that the other half chooses, so each round can be undone. */
static uint64_t feistel(uint64_t seed, int bits, uint64_t x)
{
    int right_bits = bits / 2, left_bits = bits - right_bits;
    uint64_t left = x >> right_bits, right = x & (((uint64_t)1 << right_bits) - 1);

    for (uint64_t round = 0; round < PERMUTE_ROUNDS; round++) {
        uint64_t draw = rng_at(seed, PERMUTE_STREAM + round, right);
        uint64_t mixed = left ^ (draw & (((uint64_t)1 << left_bits) - 1));
        int b = left_bits;

        left = right;
        right = mixed;
        left_bits = right_bits;
        right_bits = b;
    }
    return left << right_bits | right;
}

/* The rounds backwards: what stands left was right, and chose the draw. */
static uint64_t feistel_back(uint64_t seed, int bits, uint64_t x)
{
    int right_bits = bits / 2, left_bits = bits - right_bits;
    uint64_t left = x >> right_bits, right = x & (((uint64_t)1 << right_bits) - 1);

    for (uint64_t round = PERMUTE_ROUNDS; round-- > 0;) {
        uint64_t draw = rng_at(seed, PERMUTE_STREAM + round, left);
        uint64_t before = right ^ (draw & (((uint64_t)1 << right_bits) - 1));
        int b = left_bits;

        right = left;
        left = before;
        left_bits = right_bits;
        right_bits = b;
    }
    return left << right_bits | right;
}

static int permute_bits(uint64_t n) { return n > 4 ? 64 - __builtin_clzll(n - 1) : 2; }

/* Results outside [0, n) are sent through again; the walk stays on one cycle of the network's
 * permutation and i is on it, so it ends. Fewer than two steps on average: 2^bits < 2n. */
uint64_t rng_permute(uint64_t seed, uint64_t n, uint64_t i)
{
    int bits = permute_bits(n);

    BUG_IF(i >= n);
    if (n == 1)
        return 0;
    do
        i = feistel(seed, bits, i);
    while (i >= n);
    return i;
}

uint64_t rng_unpermute(uint64_t seed, uint64_t n, uint64_t i)
{
    int bits = permute_bits(n);

    BUG_IF(i >= n);
    if (n == 1)
        return 0;
    do
        i = feistel_back(seed, bits, i);
    while (i >= n);
    return i;
}
