/*
 * A barrier for a few threads that run side by side for microseconds at a time, as the workers of
 * one pool_for() with an item a worker do. Waiting is a loop of looks; a thread that waits for
 * longer gives its processor away, so that fewer processors than threads cost time, not progress.
 */
#ifndef TUNDISH_BASE_BARRIER_H
#define TUNDISH_BASE_BARRIER_H

#include <stdatomic.h>
#include <stdint.h>

struct barrier {
    uint32_t parties;
    _Atomic uint32_t arrived, round;
};
void barrier_init(struct barrier *b, int parties);
/* Returns when all parties have called it; what each wrote before, all see behind it. */
void barrier_wait(struct barrier *b);

#endif
