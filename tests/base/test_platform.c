/* base/platform.h and base/stop.h: the machine and its signals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/platform.h"
#include "base/stop.h"
#include "child.h"

static void print_features(void *level)
{
    const struct cpu_features *f;

    if (level)
        setenv("TUNDISH_CPU", level, 1);
    else
        unsetenv("TUNDISH_CPU");
    f = cpu_features();
    fprintf(stderr, "%d%d%d%d", f->avx2, f->avx512, f->avx512_bf16, f->avx512_vnni);
    fflush(stderr);
}

/* The kernel's own account of the first processor. */
static void as_the_kernel_says(char text[5])
{
    FILE *f = fopen("/proc/cpuinfo", "r");
    static char line[65536];

    strcpy(text, "");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "flags", 5) == 0) {
            int avx2 = strstr(line, " avx2 ") && strstr(line, " fma ") && strstr(line, " f16c ");
            int avx512 = avx2 && strstr(line, " avx512f ") && strstr(line, " avx512bw ") &&
                         strstr(line, " avx512dq ") && strstr(line, " avx512vl ");

            snprintf(text, 5, "%d%d%d%d", avx2, avx512, avx512 && strstr(line, " avx512_bf16 "),
                     avx512 && strstr(line, " avx512_vnni "));
            break;
        }
    if (f)
        fclose(f);
}

static void features_are_those_the_kernel_knows_and_can_be_lowered(void **state)
{
    char known[5];
    struct child_end all = child_run(print_features, NULL), avx2 = child_run(print_features, "avx2");

    as_the_kernel_says(known);
    if (!*known)
        skip();
    assert_string_equal(all.words, known);
    assert_string_equal(child_run(print_features, "avx512").words, known);
    assert_string_equal(child_run(print_features, "").words, known);
    assert_string_equal(child_run(print_features, "portable").words, "0000");
    assert_int_equal(avx2.words[0], known[0]);
    assert_string_equal(avx2.words + 1, "000");
}

static void a_level_that_does_not_exist_is_refused(void **state)
{
    struct child_end end = child_run(print_features, "sse9");

    assert_int_equal(end.code, 2);
    assert_string_equal(end.words, "error: TUNDISH_CPU is 'sse9', want portable, avx2 or avx512\n");
}

static void count_on_one_processor(void *ctx)
{
    cpu_set_t set;

    sched_getaffinity(0, sizeof set, &set);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set)) {
            CPU_ZERO(&set);
            CPU_SET(i, &set);
        }
    sched_setaffinity(0, sizeof set, &set);
    _exit(cpu_count());
}

static void the_affinity_mask_bounds_the_count(void **state)
{
    assert_int_equal(child_run(count_on_one_processor, NULL).code, 1);   /* first: the count is kept */
    assert_true(cpu_count() >= 1);
}

static void the_host_has_a_name(void **state)
{
    char name[256] = "";

    assert_int_equal(gethostname(name, sizeof name - 1), 0);
    assert_string_equal(host_name(), name);
}

static void stop_after(void *signals)
{
    stop_install();
    if (stop_requested())
        _exit(1);
    for (const char *s = signals; *s; s++) {
        raise(*s == 'i' ? SIGINT : SIGTERM);
        if (!stop_requested())
            _exit(2);
    }
    _exit(7);   /* finished in order */
}

static void the_first_signal_asks_and_the_second_ends(void **state)
{
    struct child_end end = child_run(stop_after, "i");

    assert_int_equal(end.code, 7);
    assert_non_null(strstr(end.words, "stopping"));
    assert_int_equal(child_run(stop_after, "t").code, 7);
    assert_int_equal(child_run(stop_after, "ii").code, 130);
    assert_int_equal(child_run(stop_after, "it").code, 130);
    assert_int_equal(child_run(stop_after, "").code, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_those_the_kernel_knows_and_can_be_lowered),
        cmocka_unit_test(a_level_that_does_not_exist_is_refused),
        cmocka_unit_test(the_affinity_mask_bounds_the_count),
        cmocka_unit_test(the_host_has_a_name),
        cmocka_unit_test(the_first_signal_asks_and_the_second_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
