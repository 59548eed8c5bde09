#include "store/sampling/sample_blend.h"

#include "base/arena.h"
#include "base/status.h"

static uint64_t multiply(uint64_t i, uint64_t share) /* floor(i a) */
{
    return (uint64_t)((unsigned __int128)i * share >> 64);
}

/* The shares of the node over the sources [low, high) and of those below it. */
static void divide(struct sample_blend *b, const uint64_t *sums, size_t node, size_t low,
                   size_t high)
{
    size_t mid = low + (high - low) / 2;

    if (high - low < 2)
        return;
    b->shares[node] =
        (uint64_t)(((unsigned __int128)(sums[mid] - sums[low]) << 64) / (sums[high] - sums[low]));
    divide(b, sums, 2 * node, low, mid);
    divide(b, sums, 2 * node + 1, mid, high);
}

void sample_blend_init(struct sample_blend *b, const uint64_t *weights, size_t count)
{
    uint64_t *sums = mem_array(count + 1, sizeof *sums);
    size_t nodes = 1;

    while (nodes < count)
        nodes *= 2;
    *b = (struct sample_blend){ count, mem_array(nodes, sizeof *b->shares) };
    for (size_t i = 0; i < count; i++) {
        BUG_IF(weights[i] == 0);
        sums[i + 1] = sums[i] + weights[i];
    }
    divide(b, sums, 1, 0, count);
    free(sums);
}

void sample_blend_release(struct sample_blend *b)
{
    free(b->shares);
    *b = (struct sample_blend){ 0 };
}

/* A way down the tree: row i of those of the node, whose sources are [low, high). */
struct descent {
    size_t node, low, high;
    uint64_t i;
};

static size_t middle(const struct descent *d) { return d->low + (d->high - d->low) / 2; }

/* left: how many of the rows before i are the left half's. */
static void descend(struct descent *d, bool to_left, uint64_t left)
{
    size_t mid = middle(d);

    d->node = 2 * d->node + !to_left;
    *(to_left ? &d->high : &d->low) = mid;
    d->i = to_left ? left : d->i - left;
}

size_t sample_blend_find(const struct sample_blend *b, uint64_t i, uint64_t *number)
{
    struct descent d = { 1, 0, b->count, i };

    while (d.high - d.low > 1) {
        uint64_t share = b->shares[d.node], left = multiply(d.i, share);

        descend(&d, multiply(d.i + 1, share) > left, left);
    }
    *number = d.i;
    return d.low;
}

uint64_t sample_blend_count(const struct sample_blend *b, size_t source, uint64_t i)
{
    struct descent d = { 1, 0, b->count, i };

    while (d.high - d.low > 1)
        descend(&d, source < middle(&d), multiply(d.i, b->shares[d.node]));
    return d.i;
}

uint64_t sample_blend_row(const struct sample_blend *b, size_t source, uint64_t number)
{
    uint64_t low = 0, high = (uint64_t)1 << 62; /* the answer is in [low, high) */

    if (sample_blend_count(b, source, high) <= number)
        return UINT64_MAX;
    while (high - low > 1) {
        uint64_t mid = low + (high - low) / 2;

        if (sample_blend_count(b, source, mid) <= number)
            low = mid;
        else
            high = mid;
    }
    return low;
}

bool sample_blend_weights(const double *weights, size_t count, uint64_t *out, size_t *which)
{
    double largest = 0;

    for (size_t i = 0; i < count; i++)
        largest = weights[i] > largest ? weights[i] : largest;
    for (size_t i = 0; i < count; i++) {
        out[i] = (uint64_t)(weights[i] / largest * (double)SAMPLE_WEIGHT_LARGEST);
        if (out[i] < SAMPLE_WEIGHT_LARGEST >> 40) {
            *which = i;
            return false;
        }
    }
    return true;
}
