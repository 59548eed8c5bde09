#include "tokenize/encode/huge.h"

#include <stdint.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/status.h"

#define PAGE ((size_t)2 << 20)

/* Maps a page more than wanted and cuts off what is not aligned. NULL: the system has none. */
static char *map_aligned(size_t n)
{
    char *p = mmap(NULL, n + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (p == MAP_FAILED)
        return NULL;
    before = (PAGE - (uintptr_t)p % PAGE) % PAGE;
    if (before > 0)
        munmap(p, before);
    munmap(p + before + n, PAGE - before);
    madvise(p + before, n, MADV_HUGEPAGE);       /* a wish: without it all works, more slowly */
    return p + before;
}

static size_t rounded(size_t count, size_t size)
{
    size_t n;

    BUG_IF(__builtin_mul_overflow(count, size, &n) || n > SIZE_MAX - 2 * PAGE);
    return (n + PAGE - 1) / PAGE * PAGE;
}

void *huge_array(size_t count, size_t size)
{
    size_t n = rounded(count, size);
    void *p = count * size >= PAGE / 2 ? map_aligned(n) : mem_alloc_aligned(count * size);

    return p ? p : mem_alloc_aligned(SIZE_MAX / 2);      /* says that memory is out, and ends */
}

void huge_free(void *p, size_t count, size_t size)
{
    if (p == NULL)
        return;
    if (count * size >= PAGE / 2)
        munmap(p, rounded(count, size));
    else
        mem_free_aligned(p);
}
