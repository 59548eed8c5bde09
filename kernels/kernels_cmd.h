/* `tundish kernels`: which variant serves each operation on this machine; and the benchmarks of
 * operations. */
#ifndef TUNDISH_KERNELS_KERNELS_CMD_H
#define TUNDISH_KERNELS_KERNELS_CMD_H

#include "base/command.h"

extern const struct command cmd_kernels_info;
extern const struct bench_case kernels_benches[];      /* kernels_bench.c */

#endif
