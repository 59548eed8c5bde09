/* blend_parse() on any bytes; what it takes is printed, and read again, the same. */
#include <stdlib.h>
#include <string.h>

#include "store/sampling/blend.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a = { 0 };
    struct blend_record r, again;
    struct buf first = { 0 }, second = { 0 };

    if (blend_parse("it", (struct span){ (const char *)p, n }, &a, &r) == ST_OK) {
        blend_print(&r, &first);
        if (blend_parse("it", (struct span){ first.p, first.n }, &a, &again) != ST_OK)
            abort();
        blend_print(&again, &second);
        if (first.n != second.n || memcmp(first.p, second.p, first.n) != 0)
            abort();
    }
    buf_release(&first);
    buf_release(&second);
    arena_release(&a);
    return 0;
}
