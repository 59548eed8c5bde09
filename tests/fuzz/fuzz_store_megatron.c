/* megatron_parse() on any bytes: what it takes can be walked over without leaving the index or the tokens. */
#include <stdlib.h>

#include "store/formats/megatron.h"

/* How long a .bin would be for which the lengths are right. */
static uint64_t fitting(const uint8_t *p, size_t n)
{
    uint64_t sum = 0, s = 0;

    for (int i = 0; n >= MEGATRON_HEAD && i < 8; i++)
        s |= (uint64_t)p[18 + i] << (8 * i);
    for (uint64_t i = 0; i < s && i < n / 4 && MEGATRON_HEAD + 4 * (i + 1) <= n; i++)
        sum += (uint32_t)(p[MEGATRON_HEAD + 4 * i] | p[MEGATRON_HEAD + 4 * i + 1] << 8 | p[MEGATRON_HEAD + 4 * i + 2] << 16 |
                          (uint32_t)p[MEGATRON_HEAD + 4 * i + 3] << 24);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const unsigned widths[] = { 1, 2, 4, 8 };
    uint64_t tokens = fitting(p, n);

    for (size_t w = 0; w < 4; w++) {
        struct megatron_index x;
        uint64_t sum = 0, met = 0;

        if (megatron_parse("idx", (struct span){ (const char *)p, n }, tokens * widths[w], &x) != ST_OK)
            continue;
        for (uint64_t d = 0, some; d < x.documents; d++) {
            sum += megatron_document(&x, d, &some);
            met += some;
        }
        if (sum != x.tokens || met != x.sequences || (sum > 0 && x.width != (int)widths[w]))
            abort();
    }
    return 0;
}
