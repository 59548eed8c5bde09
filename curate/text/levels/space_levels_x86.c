/* What an x86 processor can run: every feature that a level's file is compiled with (cmake/parts.cmake) is asked for. */
#include "curate/text/space_bits.h"

const struct space_level *space_level(size_t i)
{
    __builtin_cpu_init();
    if (i == 0)
        return &space_level_portable;
    return i == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi")
               ? &space_level_avx2 : NULL;
}
