/* Which scanners an x86 processor can run. */
#include "tokenize/pretok/scan.h"

const struct scan_level *scan_level(enum scan_level_id id)
{
    __builtin_cpu_init();
    switch (id) {
    case SCAN_PORTABLE: return &scan_portable;
    case SCAN_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                       __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt")
                   ? &scan_avx2
                   : NULL;
    case SCAN_AVX512:
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
                       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
                   ? &scan_avx512
                   : NULL;
    default: return NULL;
    }
}
