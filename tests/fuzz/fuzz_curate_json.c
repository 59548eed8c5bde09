/* Any bytes as a JSON file, and as what follows the first element of a list, which comes out if they are text. */
#include "tests/fuzz/curate_memory.h"
#include "tests/fuzz/fuzz_check.h"

/* Would bytes like these make a file binary? */
static bool has_controls(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] < 32 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t') || p[i] == 127)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf list = { 0 };
    uint64_t count;

    read_named(".json", ", text: q", p, n, NULL);
    buf_adds(&list, "[{\"q\":\"good\"},");
    buf_add(&list, (const char *)p, n);
    buf_adds(&list, "]");
    count = read_named(".json", ", text: [q], id: n", list.p, list.n, NULL);
    CHECK(count > 0 || n > 256 || has_controls(p, n));
    list.p[0] = '{';
    read_named(".json", ", text: [q]", list.p, list.n, NULL);
    buf_release(&list);
    return 0;
}
