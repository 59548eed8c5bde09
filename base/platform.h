/*
 * What the machine is: the only file with preprocessor conditions on it.
 */
#ifndef TUNDISH_BASE_PLATFORM_H
#define TUNDISH_BASE_PLATFORM_H

#include <stdbool.h>
#include <stdlib.h>

struct cpu_features {
    bool avx2;            /* with FMA and F16C */
    bool avx512;          /* F, BW, DQ, VL */
    bool avx512_bf16;
    bool avx512_vnni;
};
/* Found once, by cpuid. TUNDISH_CPU=portable|avx2|avx512 in the environment lowers it (for tests);
 * any other word there ends the process with a message. */
const struct cpu_features *cpu_features(void);
/* Processors this process may use: its affinity mask, and no more than its
 * control group's CPU quota. */
int cpu_count(void);
const char *host_name(void);       /* "unknown" if it has none */
/* Lets this process open as many files as it may: the limit that programs begin with is often 1,024. */
void allow_many_files(void);
/* A name of the time since this machine was started, that no other start of any machine has; "" where the
 * system has none. What was written and not synced is there as long as it is the same. */
#define BOOT_NAME 64
void boot_name(char out[BOOT_NAME]);

/* 1 in a build with AddressSanitizer, else 0. gcc and clang say it in two ways. */
#if defined(__SANITIZE_ADDRESS__)
#define PLATFORM_ASAN 1
#elif defined(__has_feature)
#define PLATFORM_ASAN __has_feature(address_sanitizer)
#else
#define PLATFORM_ASAN 0
#endif

/* In front of a function: the compiler may use these instructions ("avx2"). Whoever calls it asks
 * cpu_features() first. */
#if defined(__x86_64__)
#define PLATFORM_TARGET(name) __attribute__((target(name)))
#else
#define PLATFORM_TARGET(name)
#endif

/* Before a loop with a constant number of turns, at most 8: all of them, one behind the other. */
#if defined(__clang__)
#define PLATFORM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PLATFORM_UNROLL _Pragma("GCC unroll 8")
#endif

/* Tells the processor that this thread is waiting in a loop for another one. */
#if defined(__x86_64__)
static inline void platform_pause(void) { __builtin_ia32_pause(); }
#else
static inline void platform_pause(void) {}
#endif

/* Gives memory that was freed back to the system, where malloc() would keep it for later: after
 * something large that a long-lived process seldom holds. */
#if defined(__GLIBC__)
#include <malloc.h>
static inline void platform_trim(void) { (void)malloc_trim(0); }
#else
static inline void platform_trim(void) {}
#endif

#endif
