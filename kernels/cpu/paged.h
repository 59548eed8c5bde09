/* Where a position of a sequence lies in a paged cache. */
#ifndef TUNDISH_KERNELS_CPU_PAGED_H
#define TUNDISH_KERNELS_CPU_PAGED_H

#include "kernels/cpu/value.h"
#include "kernels/ops.h"

/* The row of `cols` elements of that position. A page out of range is a bug of the caller. */
static inline struct tensor paged_row(const struct kv_pages *c, const struct tensor *pages,
                                      int32_t sequence, int32_t position, int64_t cols)
{
    BUG_IF(sequence < 0 || sequence >= pages->rows || position < 0);
    BUG_IF(position / c->page_tokens >= pages->cols);
    const int64_t page = value_i32(pages, sequence)[position / c->page_tokens];
    BUG_IF(page < 0 || page >= c->pages);
    const int64_t row = page * c->page_tokens + position % c->page_tokens;
    return tensor_of((char *)c->p + (size_t)(row * cols) * dtype_size(c->type), c->type, 1, cols);
}

#endif
