/* Any bytes as the rows of a table behind a first row and a good one; read again with the text columns in another order,
 * as many rows come out. The first byte chooses separator and encoding. */
#include "tests/fuzz/curate_memory.h"
#include "tests/fuzz/fuzz_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const options[] = {
        ", text: [b, a], id: c, metadata: all, join: '-'", ", text: [a, b], metadata: [c]",
        ", text: [a, b], separator: ';', encoding: shift_jis", ", text: [b, a], separator: ';', encoding: windows-1252, id: c",
    };
    struct buf b = { 0 };
    int way = n > 0 ? p[0] & 1 : 0;

    buf_adds(&b, way ? "a;b;c\n1;good;3\n" : "a,b,c\n1,good,3\n");
    if (n > 0)
        buf_add(&b, p + 1, n - 1);
    CHECK(read_named(".csv", options[2 * way], b.p, b.n, NULL) == read_named(".csv", options[2 * way + 1], b.p, b.n, NULL));
    if (n > 0)      /* as the whole file */
        read_named(".tsv", "", p, n, NULL);
    buf_release(&b);
    return 0;
}
