/*
 * Bounds-checked reading of bytes from outside. Read all fields first, then ask
 * cursor_ok() once: a read past the end returns 0 (or an empty span) and sticks.
 * All integers are little-endian.
 */
#ifndef TUNDISH_BASE_CURSOR_H
#define TUNDISH_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct cursor {
    const unsigned char *p, *end;
    const unsigned char *start;
    bool bad;
};
struct cursor cursor_over(const void *p, size_t n);
uint64_t cursor_uint(struct cursor *c, int bytes);     /* 1..8 bytes */
struct span cursor_bytes(struct cursor *c, uint64_t n);   /* borrowed; empty when n is too much */
size_t cursor_left(const struct cursor *c);
size_t cursor_offset(const struct cursor *c);          /* bytes read so far, for messages */
static inline bool cursor_ok(const struct cursor *c) { return !c->bad; }

#endif
