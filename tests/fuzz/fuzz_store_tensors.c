/* tensors_parse() on any bytes: whatever passes has its data inside the file, each byte in one tensor. */
#include <stdlib.h>

#include "store/formats/tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct tensor_file *f;
    uint64_t sum = 0, header = 0;

    if (tensors_parse("f", p, n, n, &f) != ST_OK)
        return 0;
    for (size_t i = 0; i < tensors_count(f); i++) {
        const struct tensor_entry *e = tensors_at(f, i);
        uint64_t bytes = tensor_dtype_size(e->dtype);

        for (int d = 0; d < e->dims; d++)
            bytes *= (uint64_t)e->shape[d];
        if (bytes != e->bytes || tensors_find(f, e->name) != e)
            abort();
        sum += bytes;
    }
    for (int i = 7; i >= 0; i--)
        header = header << 8 | p[i];
    if (8 + header + sum != n)
        abort();
    tensors_close(f);
    return 0;
}
