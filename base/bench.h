/*
 * Benchmarks print one JSON object a line:
 * {"bench":"kernels","case":"matmul bf16","threads":1,"value":201.3,"unit":"GFLOP/s",
 *  "yardstick":"...","yardstick_value":..,"ratio":..}
 * The yardstick (memory scan, GEMM peak, zstd -d ...) is measured in the same run, so that a ratio
 * means something on a noisy machine. With --repeat N the line carries minimum, median and maximum.
 */
#ifndef TUNDISH_BASE_BENCH_H
#define TUNDISH_BASE_BENCH_H

#include "base/command.h"

struct bench {
    const char *group;       /* command name */
    const char *name;        /* case name */
    int threads;
    int repeat;              /* how often a case should measure; it reports each value */
    const char *in;          /* file with text, or NULL: the case makes its own data */
    const char *tokenizer;   /* a tokenizer's file, or NULL: the case trains one, if it needs one */
};
struct bench_result {
    const char *variant;             /* appended to the case's name; NULL: nothing */
    const char *unit;                /* "MB/s" */
    const double *values;            /* `count` measurements */
    int count;
    const char *yardstick;           /* NULL: none */
    double yardstick_value;          /* in the same unit */
};
void bench_report(const struct bench *b, const struct bench_result *r);
/* Seconds of the monotonic clock. */
double bench_now(void);
/* Seconds that this thread had on a processor: what other programs do to the machine is none of them. */
double bench_thread_now(void);
/* GB/s of a plain read of `bytes` bytes of memory by one thread: the common yardstick. */
double bench_memory_scan(size_t bytes);

extern const struct command cmd_bench;

#endif
