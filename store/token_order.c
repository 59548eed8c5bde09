#include "store/token_order.h"

#include "base/rng.h"

enum { STREAM_OFFSET = 0x6f66 }; /* rng stream of the epochs' offsets */
enum { STREAM_PERMUTE = STREAM_OFFSET + 1 };

#define EPOCHS_MOST (1u << 20)

struct token_order token_order_of(uint64_t tokens, uint64_t length, uint64_t seed)
{
    return (struct token_order){ length, seed, (tokens - 1) / length - 1 };
}

static uint64_t offset_of(const struct token_order *o, uint64_t epoch)
{
    return rng_at(o->seed, STREAM_OFFSET, epoch) % o->length;
}

uint64_t token_order_start(const struct token_order *o, uint64_t sample)
{
    uint64_t epoch = sample / o->windows;

    return offset_of(o, epoch) + o->length * rng_permute(rng_at(o->seed, STREAM_PERMUTE, epoch),
                                                         o->windows, sample % o->windows);
}

enum status token_reading_init(struct token_reading *r, uint64_t tokens, uint64_t length,
                               uint64_t seed, uint64_t samples)
{
    uint64_t whole;

    if (length == 0 || length > tokens / 2 || tokens < 2 * length + 1)
        return fail(ST_FORMAT, "a stream of %llu tokens has no window of %llu",
                    (unsigned long long)tokens, (unsigned long long)length);
    *r = (struct token_reading){ .order = token_order_of(tokens, length, seed) };
    whole = samples / r->order.windows;
    if (whole > EPOCHS_MOST)
        return fail(ST_LIMIT, "%llu epochs, want at most %u", (unsigned long long)whole,
                    EPOCHS_MOST);
    /* An epoch's windows follow each other without a hole, and two epochs are shifted by less than
     * a window: together they are one range. */
    for (uint64_t epoch = 0; epoch < whole; epoch++) {
        uint64_t low = offset_of(&r->order, epoch), high = low + r->order.windows * length + 1;

        r->low = epoch == 0 || low < r->low ? low : r->low;
        r->high = high > r->high ? high : r->high;
    }
    r->samples = samples % r->order.windows;
    r->offset = offset_of(&r->order, whole);
    r->seed = rng_at(seed, STREAM_PERMUTE, whole);
    return ST_OK;
}

/* Of [first, end), in the windows of the epoch that is not whole. */
static uint64_t count_in_windows(const struct token_reading *r, uint64_t first, uint64_t end)
{
    uint64_t T = r->order.length, count = 0, w;

    if (r->samples == 0 || end <= r->offset || first >= end)
        return 0;
    w = first > r->offset + T ? (first - r->offset - 1) / T : 0;
    for (; w < r->order.windows && r->offset + w * T < end; w++) {
        uint64_t low = r->offset + w * T, high = low + T + 1;

        if (rng_unpermute(r->seed, r->order.windows, w) >= r->samples)
            continue;
        low = low > first ? low : first;
        high = high < end ? high : end;
        if (high > low) {
            count += high - low;
            first = high;
        }
    }
    return count;
}

uint64_t token_reading_count(const struct token_reading *r, uint64_t first, uint64_t count)
{
    uint64_t end = first + count, low, high;

    low = r->low > first ? r->low : first;
    high = r->high < end ? r->high : end;
    if (low >= high)
        return count_in_windows(r, first, end);
    return count_in_windows(r, first, low) + (high - low) + count_in_windows(r, high, end);
}
