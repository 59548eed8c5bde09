#include "base/barrier.h"

#include <sched.h>

#include "base/platform.h"

enum { LOOKS = 1000 }; /* a few microseconds: longer than the threads of one step lie apart */

void barrier_init(struct barrier *b, int parties)
{
    b->parties = (uint32_t)parties;
    atomic_init(&b->arrived, 0);
    atomic_init(&b->round, 0);
}

void barrier_wait(struct barrier *b)
{
    uint32_t round = atomic_load_explicit(&b->round, memory_order_relaxed);

    if (b->parties == 1)
        return;
    if (atomic_fetch_add_explicit(&b->arrived, 1, memory_order_acq_rel) + 1 == b->parties) {
        atomic_store_explicit(&b->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&b->round, round + 1, memory_order_release);
        return;
    }
    for (int looks = 0; atomic_load_explicit(&b->round, memory_order_acquire) == round; looks++)
        if (looks < LOOKS)
            platform_pause();
        else
            sched_yield();
}
