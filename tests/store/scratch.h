/* A folder of this test run's own, and small helpers for files in it. */
#ifndef TUNDISH_TESTS_STORE_SCRATCH_H
#define TUNDISH_TESTS_STORE_SCRATCH_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"

static char scratch_root[] = "/tmp/tundish-test-XXXXXX";
static struct arena scratch_arena;

/* cmocka group fixtures. The user's own digest memory is left alone. */
static inline int scratch_begin(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(scratch_root));
    return setenv("XDG_CACHE_HOME", scratch_root, 1);
}

static inline int scratch_end(void **state)
{
    (void)state;
    assert_ok(file_remove_tree(scratch_root));
    arena_release(&scratch_arena);
    return 0;
}

/* A name in the scratch folder that was not used before. */
static inline const char *scratch_path(const char *name)
{
    static int count;

    return arena_printf(&scratch_arena, "%s/%d-%s", scratch_root, count++, name);
}

static inline const char *scratch_folder(const char *name)
{
    const char *path = scratch_path(name);

    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

static inline const char *join(const char *folder, const char *name)
{
    return path_join(&scratch_arena, folder, name);
}

static inline void put_file(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline struct span read_whole(const char *path)
{
    struct buf b = { 0 };
    struct span s;

    assert_ok(file_read(path, (uint64_t)1 << 32, &b));
    s = (struct span){ arena_strndup(&scratch_arena, b.p ? b.p : "", b.n), b.n };
    buf_release(&b);
    return s;
}

static inline void flip_bit(const char *path, uint64_t byte, int bit)
{
    FILE *f = fopen(path, "r+b");
    int c;

    assert_non_null(f);
    assert_int_equal(fseek(f, (long)byte, SEEK_SET), 0);
    c = fgetc(f);
    assert_int_not_equal(c, EOF);
    assert_int_equal(fseek(f, (long)byte, SEEK_SET), 0);
    fputc(c ^ 1 << bit, f);
    assert_int_equal(fclose(f), 0);
}

static inline const char *golden(const char *name)
{
    const char *source = getenv("TUNDISH_SOURCE");

    return arena_printf(&scratch_arena, "%s/tests/store/golden/%s", source ? source : ".", name);
}

/* The call fails so, with these words in its message. */
#define assert_fails(want_, words, expr)                                                        \
    do {                                                                                        \
        enum status seen_ = (expr);                                                             \
        if (seen_ != (want_) || strstr(fail_message(), (words)) == NULL)                       \
            fail_msg("%s: %s: %s (want %s: ...%s...)", #expr, status_name(seen_),               \
                     seen_ == ST_OK ? "" : fail_message(), status_name(want_), (words));       \
    } while (0)

#endif
