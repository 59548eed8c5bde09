#include "base/platform.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/status.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct cpu_features features;
static int cpus;
static char host[256];

#if defined(__x86_64__)
#include <cpuid.h>

/* Which register states the operating system saves (XCR0). */
static unsigned saved_states(void)
{
    unsigned low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* Intel SDM volume 2, CPUID leaves 1 and 7; AMD's are the same. */
static void look_at_cpu(struct cpu_features *f)
{
    const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;
    const unsigned avx2 = 1u << 5, avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    unsigned a, b, c, d, states, deepest, want = fma | osxsave | avx | f16c;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & want) != want)
        return;
    states = saved_states();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (states & 0x6) != 0x6)
        return;
    deepest = a;
    f->avx2 = b & avx2;
    f->avx512 = f->avx2 && (b & avx512) == avx512 && (states & 0xE6) == 0xE6;
    f->avx512_vnni = f->avx512 && c & 1u << 11;
    if (f->avx512 && deepest >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
        f->avx512_bf16 = a & 1u << 5;
}
#else
static void look_at_cpu(struct cpu_features *f)
{
    (void)f;
}
#endif

static void lower(struct cpu_features *f, const char *level)
{
    if (!level || !*level || strcmp(level, "avx512") == 0)
        return;
    if (strcmp(level, "avx2") == 0) {
        *f = (struct cpu_features){ .avx2 = f->avx2 };
    } else if (strcmp(level, "portable") == 0) {
        *f = (struct cpu_features){ 0 };
    } else {
        log_error("TUNDISH_CPU is '%s', want portable, avx2 or avx512", level);
        exit(status_exit_code(ST_CONFIG));
    }
}

/* Processors of the affinity mask; asked with a growing set, for the kernel's may be larger. */
static int affinity_cpus(void)
{
    for (int max = 1024; max <= 1 << 20; max *= 4) {
        cpu_set_t *set = CPU_ALLOC((size_t)max);
        int n = 0;

        if (set && sched_getaffinity(0, CPU_ALLOC_SIZE(max), set) == 0)
            n = CPU_COUNT_S(CPU_ALLOC_SIZE(max), set);
        CPU_FREE(set);
        if (n > 0)
            return n;
    }
    return 1;
}

/* The control group's path within the cgroup v2 tree, without a final slash. */
static bool read_cgroup(char *path, size_t size)
{
    FILE *f = fopen("/proc/self/cgroup", "re");
    char line[4096];
    bool found = false;

    while (f && !found && fgets(line, sizeof line, f)) {
        found = strncmp(line, "0::/", 4) == 0;
        line[strcspn(line, "\n")] = 0;
    }
    if (f)
        fclose(f);
    return found && snprintf(path, size, "%s", strcmp(line, "0::/") ? line + 3 : "") < (int)size;
}

/* Processors' worth of time that the control group at path grants, rounded up; 0: no limit. */
static int quota_at(const char *path)
{
    char name[5000];
    long long quota, period;
    int n = 0;
    FILE *f;

    snprintf(name, sizeof name, "/sys/fs/cgroup%s/cpu.max", path);
    f = fopen(name, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0)
        n = (int)((quota + period - 1) / period);
    fclose(f);
    return n;
}

/* The tightest quota from this process's control group up to the root. */
static int quota_cpus(void)
{
    char path[4096], *slash;
    int least = 0;

    if (!read_cgroup(path, sizeof path))
        return 0;
    for (;;) {
        int n = quota_at(path);

        if (n > 0 && (least == 0 || n < least))
            least = n;
        slash = strrchr(path, '/');
        if (!slash)
            return least;
        *slash = 0;
    }
}

static void look(void)
{
    int quota = quota_cpus();

    look_at_cpu(&features);
    lower(&features, getenv("TUNDISH_CPU"));
    cpus = affinity_cpus();
    if (quota > 0 && quota < cpus)
        cpus = quota;
    if (gethostname(host, sizeof host - 1) != 0)
        snprintf(host, sizeof host, "unknown");
}

const struct cpu_features *cpu_features(void)
{
    pthread_once(&once, look);
    return &features;
}

int cpu_count(void)
{
    pthread_once(&once, look);
    return cpus;
}

const char *host_name(void)
{
    pthread_once(&once, look);
    return host;
}

void allow_many_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        errno = 0;       /* then the limit stays, and who meets it says so */
}

void boot_name(char out[BOOT_NAME])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");

    out[0] = 0;
    if (f == NULL)
        return;
    if (fgets(out, BOOT_NAME, f) == NULL)
        out[0] = 0;
    fclose(f);
}
