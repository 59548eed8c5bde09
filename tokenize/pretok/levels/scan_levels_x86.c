/* Which scanners an x86 processor can run: every feature that a level's file is compiled with (cmake/parts.cmake) is asked for. The
 * compiler's runtime says yes to AVX only where the operating system keeps the registers, too. */
#include "tokenize/pretok/scan.h"

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
}

const struct scan_level *scan_level(enum scan_level_id id)
{
    __builtin_cpu_init();
    switch (id) {
    case SCAN_PORTABLE: return &scan_portable;
    case SCAN_AVX2: return has_avx2() ? &scan_avx2 : NULL;
    case SCAN_AVX512: return has_avx2() && has_avx512() ? &scan_avx512 : NULL;
    default: return NULL;
    }
}
