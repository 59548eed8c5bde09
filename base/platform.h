/*
 * What the machine is: the only file with preprocessor conditions on it.
 */
#ifndef TUNDISH_BASE_PLATFORM_H
#define TUNDISH_BASE_PLATFORM_H

#include <stdbool.h>

struct cpu_features {
    bool avx2;            /* with FMA and F16C */
    bool avx512;          /* F, BW, DQ, VL */
    bool avx512_bf16;
    bool avx512_vnni;
};
/* Found once, by cpuid. TUNDISH_CPU=portable|avx2|avx512 in the environment lowers it (for tests). */
const struct cpu_features *cpu_features(void);
int cpu_count(void);               /* processors this process may run on */
const char *host_name(void);

#endif
