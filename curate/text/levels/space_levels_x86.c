/* What an x86 processor can run: every feature that a level's file is compiled with (cmake/parts.cmake) is asked for. */
#include "curate/text/space_bits.h"

space_bits_fn *space_bits_level(size_t i)
{
    __builtin_cpu_init();
    if (i == 0)
        return space_bits_portable;
    return i == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") ? space_bits_avx2 : NULL;
}
