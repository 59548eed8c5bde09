#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

/* FIPS 180-2, appendix B. */
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char million_a[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
static const char nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void sha256_gives_the_published_digests(void **state)
{
    char hex[SHA256_HEX];
    struct sha256 *h = sha256_new();

    sha256_bytes("abc", 3, hex);
    assert_string_equal(hex, abc);
    sha256_bytes(NULL, 0, hex);
    assert_string_equal(hex, nothing);
    for (int i = 0; i < 10000; i++) {   /* in pieces of 1 and 99 */
        char a[100];

        memset(a, 'a', sizeof a);
        sha256_add(h, a, 1);
        sha256_add(h, a, 99);
    }
    sha256_finish(h, hex);
    assert_string_equal(hex, million_a);
}

static void a_file_is_digested_and_measured(void **state)
{
    char path[] = "test_hash.XXXXXX", hex[SHA256_HEX];
    int fd = mkstemp(path);
    uint64_t bytes = 0;

    assert_true(fd >= 0);
    for (int i = 0; i < 1000; i++) {
        char a[1000];

        memset(a, 'a', sizeof a);
        assert_int_equal(write(fd, a, sizeof a), sizeof a);
    }
    close(fd);
    assert_int_equal(sha256_file(path, hex, &bytes), ST_OK);
    assert_string_equal(hex, million_a);
    assert_int_equal(bytes, 1000000);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(sha256_file(path, hex, NULL), ST_OK);
    assert_string_equal(hex, nothing);
    unlink(path);
}

static void a_file_that_cannot_be_read_is_a_failure_that_names_it(void **state)
{
    char hex[SHA256_HEX];

    assert_int_equal(sha256_file("no/such/file", hex, NULL), ST_MISSING);
    assert_non_null(strstr(fail_message(), "'no/such/file'"));
    assert_int_equal(sha256_file("/", hex, NULL), ST_UNSUPPORTED);
    assert_non_null(strstr(fail_message(), "'/' is not a regular file"));
}

static void check_parts(void)
{
    struct xxh3_parts *h = xxh3_parts_new();

    for (int again = 0; again < 2; again++) {
        xxh3_parts_add(h, "a", 1);
        xxh3_parts_add(h, "bc", 2);
        assert_true(xxh3_parts_take(h) == xxh3("abc", 3));
    }
    xxh3_parts_free(h);
}

static void xxh3_is_the_stable_64_bit_one(void **state)
{
    assert_true(xxh3("", 0) == UINT64_C(0x2d06800538d394c2));   /* xxHash's own test vector */
    assert_true(xxh3_seed("abc", 3, 0) == xxh3("abc", 3));
    assert_true(xxh3_seed("abc", 3, 1) != xxh3("abc", 3));
    check_parts();
}

static void what_has_no_end_is_refused(void **state)
{
    char hex[SHA256_HEX], pipe[] = "/tmp/tundish-hash-XXXXXX";

    assert_int_equal(sha256_file("/dev/zero", hex, NULL), ST_UNSUPPORTED);
    assert_non_null(strstr(fail_message(), "'/dev/zero' is not a regular file"));
    assert_non_null(mkdtemp(pipe));
    assert_int_equal(rmdir(pipe), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(sha256_file(pipe, hex, NULL), ST_UNSUPPORTED);      /* nobody writes: no waiting */
    assert_int_equal(unlink(pipe), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(a_file_is_digested_and_measured),
        cmocka_unit_test(a_file_that_cannot_be_read_is_a_failure_that_names_it),
        cmocka_unit_test(what_has_no_end_is_refused),
        cmocka_unit_test(xxh3_is_the_stable_64_bit_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
