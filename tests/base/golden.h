/* Golden texts: a file of cases
 *     === title
 *     input lines
 *     >>>
 *     wanted lines
 * each of which a function turns into the text that is compared. Lies beside the test that uses it. */
#ifndef TUNDISH_TESTS_BASE_GOLDEN_H
#define TUNDISH_TESTS_BASE_GOLDEN_H

#include <stdlib.h>

#include "base/file.h"

/* What `in` gives, in the arena; without a final newline. */
typedef const char *golden_fn(struct arena *a, const char *in, size_t n);

static inline const char *golden_title(struct arena *a, const char *p)
{
    return arena_strndup(a, p, strcspn(p, "\n"));
}

/* The case at p ("=== title"); returns the next one, or NULL. */
static inline const char *golden_case(struct arena *a, const char *p, golden_fn *fn, int *wrong)
{
    const char *title = golden_title(a, p + 4), *in = strchr(p, '\n') + 1;
    const char *bar = strstr(in - 1, "\n>>>\n"), *next, *got, *want;
    size_t n;

    if (bar == NULL)
        fail_msg("'%s' has no >>>", title);
    next = strstr(bar + 4, "\n=== ");
    n = next ? (size_t)(next - bar - 5) : strlen(bar + 5);
    while (n > 0 && bar[5 + n - 1] == '\n')
        n--;
    want = arena_strndup(a, bar + 5, n);
    got = fn(a, in, bar + 1 > in ? (size_t)(bar + 1 - in) : 0);
    if (strcmp(got, want) != 0) {
        print_error("=== %s: got\n%s\nwant\n%s\n", title, got, want);
        ++*wrong;
    }
    return next ? next + 1 : NULL;
}

/* Runs every case of tests/base/<name>. */
static inline void golden_run(const char *name, const char *test_file, golden_fn *fn)
{
    struct buf text = { 0 };
    struct arena a;
    char *path;
    int cases = 0, wrong = 0;

    arena_init(&a);
    path = arena_printf(&a, "%.*s/%s", (int)(strrchr(test_file, '/') - test_file), test_file, name);
    assert_ok(file_read(path, 1 << 20, &text));
    for (const char *p = text.p; p; cases++)
        p = golden_case(&a, p, fn, &wrong);
    buf_release(&text);
    arena_release(&a);
    assert_true(cases > 3);
    assert_int_equal(wrong, 0);
}

#endif
