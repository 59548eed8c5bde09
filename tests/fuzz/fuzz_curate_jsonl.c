/* Any bytes as lines of a JSONL file, behind two good ones, which must come out. */
#include "tests/fuzz/curate_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char good[] = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n";
    struct buf b = { 0 };

    for (int i = 0; i < 600; i++)      /* more than is looked at to tell what the file is */
        buf_adds(&b, good);
    buf_add(&b, p, n);
    if (read_bytes(b.p, b.n) < 1200)
        abort();
    buf_release(&b);
    return 0;
}
