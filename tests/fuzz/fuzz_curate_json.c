/* Any bytes as a JSON file, and as what follows the first element of a list, which comes out. */
#include "tests/fuzz/curate_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf list = { 0 };

    read_named(".json", ", text: q", p, n, NULL);
    buf_adds(&list, "[{\"q\":\"good\"},");
    buf_add(&list, (const char *)p, n);
    buf_adds(&list, "]");
    if (read_named(".json", ", text: [q], id: n", list.p, list.n, NULL) < 1)
        abort();
    list.p[0] = '{';
    read_named(".json", ", text: [q]", list.p, list.n, NULL);
    buf_release(&list);
    return 0;
}
