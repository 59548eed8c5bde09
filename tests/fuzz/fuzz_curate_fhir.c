/* Any bytes as FHIR: as the lines of an export behind one good resource, which must come out, and as a file. */
#include "tests/fuzz/curate_memory.h"
#include "tests/fuzz/fuzz_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf b = { 0 };

    buf_adds(&b, "{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\",\"data\":\"");
    for (int i = 0; i < 2200; i++)      /* more than is looked at to tell what the file is */
        buf_adds(&b, "Z29v");
    buf_adds(&b, "\"}\n{\"resourceType\":\"Observation\",\"valueString\":\"good\"}\n");
    buf_add(&b, p, n);
    CHECK(read_named(".ndjson", "", b.p, b.n, NULL) >= 2);
    read_named(".json", "", p, n, NULL);
    buf_release(&b);
    return 0;
}
