#include "base/arena.h"

#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/platform.h"

#define ALIGN 16
#define BLOCK_FIRST ((size_t)4 << 10)
#define BLOCK_MAX ((size_t)256 << 20)   /* blocks double up to this; a larger one only on demand */
/* Under AddressSanitizer whatever is not handed out is poisoned, with a gap behind each piece. */
#define GAP (PLATFORM_ASAN ? 32 : 0)

/* A block comes from calloc(), so bytes from `dirty` on have never been touched and are zero:
 * only those below it are cleared when they are handed out again. */
struct arena_block {
    struct arena_block *older;
    size_t cap, used, dirty;
};
#define HEADER ((sizeof(struct arena_block) + ALIGN - 1) / ALIGN * ALIGN)

static char *block_bytes(struct arena_block *b)
{
    return (char *)b + HEADER;
}

/* Nothing is saved or unwound: another thread may hold any lock. */
static _Noreturn void out_of_memory(size_t n)
{
    dprintf(STDERR_FILENO, "tundish: out of memory (%zu bytes wanted)\n", n);
    _exit(1);
}

static size_t times(size_t count, size_t size)
{
    size_t n;

    if (__builtin_mul_overflow(count, size, &n))
        out_of_memory(SIZE_MAX);
    return n;
}

/* Adds a block with room for n: twice the newest one, or just n if that is more. */
static void add_block(struct arena *a, size_t n)
{
    size_t cap = a->head ? a->head->cap * 2 : BLOCK_FIRST;
    struct arena_block *b;

    if (cap > BLOCK_MAX)
        cap = BLOCK_MAX;
    if (cap < n)
        cap = n;
    if (cap > SIZE_MAX - HEADER || !(b = calloc(1, HEADER + cap)))
        out_of_memory(n);
    *b = (struct arena_block){ .older = a->head, .cap = cap };
    ASAN_POISON_MEMORY_REGION(block_bytes(b), cap);
    a->head = b;
}

void arena_init(struct arena *a)
{
    *a = (struct arena){ 0 };
}

static void free_blocks(struct arena_block *b)
{
    for (struct arena_block *older; b; b = older) {
        older = b->older;
        ASAN_UNPOISON_MEMORY_REGION(block_bytes(b), b->cap);
        free(b);
    }
}

/* Keeps the newest block, which is twice the one before it, so that a loop over like units soon
 * allocates nothing. */
void arena_reset(struct arena *a)
{
    a->used = 0;
    if (!a->head)
        return;
    free_blocks(a->head->older);
    a->head->older = NULL;
    a->head->used = 0;
    ASAN_POISON_MEMORY_REGION(block_bytes(a->head), a->head->cap);
}

void arena_release(struct arena *a)
{
    free_blocks(a->head);
    arena_init(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t room;
    struct arena_block *b;
    char *p;

    if (n > SIZE_MAX - ALIGN - GAP)
        out_of_memory(n);
    room = (n + GAP + ALIGN - 1) / ALIGN * ALIGN;
    if (!a->head || a->head->cap - a->head->used < room)
        add_block(a, room);
    b = a->head;
    p = block_bytes(b) + b->used;
    ASAN_UNPOISON_MEMORY_REGION(p, n);
    if (b->used < b->dirty)
        memset(p, 0, n < b->dirty - b->used ? n : b->dirty - b->used);
    b->used += room;
    if (b->dirty < b->used)
        b->dirty = b->used;
    a->used += n;
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    return arena_alloc(a, times(count, size));
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *p, size_t n)
{
    char *s;

    if (n == SIZE_MAX)
        out_of_memory(n);
    s = arena_alloc(a, n + 1);
    if (n)
        memcpy(s, p, n);
    return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    int n;
    char *s;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        out_of_memory(SIZE_MAX);   /* longer than INT_MAX */
    s = arena_alloc(a, (size_t)n + 1);
    va_start(args, fmt);
    vsnprintf(s, (size_t)n + 1, fmt, args);
    va_end(args);
    return s;
}

void *mem_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);

    if (!p)
        out_of_memory(n);
    return p;
}

void *mem_array(size_t count, size_t size)
{
    return mem_alloc(times(count, size));
}

void *mem_grow(void *p, size_t count, size_t size)
{
    size_t n = times(count, size);

    p = realloc(p, n ? n : 1);
    if (!p)
        out_of_memory(n);
    return p;
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;

    return memcpy(mem_grow(NULL, n, 1), s, n);
}

void *mem_alloc_aligned(size_t n)
{
    size_t room = n ? n : 1;
    void *p;

    if (room > SIZE_MAX - 63)
        out_of_memory(n);
    p = aligned_alloc(64, (room + 63) / 64 * 64);
    if (!p)
        out_of_memory(n);
    return memset(p, 0, room);
}

void mem_free_aligned(void *p)
{
    free(p);
}
