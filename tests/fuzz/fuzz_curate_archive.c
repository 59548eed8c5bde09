/* Any bytes as a file of a source: archives, nested, damaged and hostile. */
#include "tests/fuzz/curate_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    read_bytes(p, n);
    return 0;
}
