/*
 * Memory. Two ways, both of which never return NULL:
 *   - arenas, named by lifetime (run, step, document, request) and passed in: allocate
 *     freely, free all at once;
 *   - mem_* for single blocks with one owner.
 * When the system has no memory left the process says so and exits with status 1: every
 * stage is a process of its own and survives being killed, so there is nothing to save.
 * Sizes that come from outside are checked against a limit before they get here; the
 * *_array forms check the multiplication.
 */
#ifndef TUNDISH_BASE_ARENA_H
#define TUNDISH_BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *head;
    size_t used;            /* bytes handed out since init or reset */
};

void arena_init(struct arena *a);
void arena_reset(struct arena *a);     /* forget everything, keep one block for reuse */
void arena_release(struct arena *a);   /* give all memory back; the arena may be used again */
/* n bytes, zeroed, aligned to 16. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *p, size_t n);   /* adds the final NUL */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void *mem_alloc(size_t n);                        /* zeroed */
void *mem_array(size_t count, size_t size);       /* zeroed */
void *mem_grow(void *p, size_t count, size_t size); /* realloc to count*size; new part not zeroed */
char *mem_strdup(const char *s);
/* n bytes, zeroed, aligned to 64 (vector loads); free with mem_free_aligned(). */
void *mem_alloc_aligned(size_t n);
void mem_free_aligned(void *p);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
