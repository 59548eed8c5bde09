/* A key file is taken whole or refused with its line; a key is found by all of its bytes. */
#include "test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "serve/keys.h"

static const char path[] = "test_keys.txt";

static enum status open_text(const char *text, mode_t mode, struct keys **k)
{
    assert_ok(file_write_atomic(path, text, strlen(text)));
    assert_int_equal(chmod(path, mode), 0);
    return keys_open(path, k);
}

static void keys_are_found_whole(void **state)
{
    struct keys *k;

    assert_ok(open_text("# mine\n\n0123456789abcdef alice at home\r\nfedcba9876543210\n", 0600, &k));
    assert_int_equal(keys_count(k), 2);
    assert_int_equal(keys_find(k, span_of("0123456789abcdef")), 0);
    assert_int_equal(keys_find(k, span_of("fedcba9876543210")), 1);
    assert_int_equal(keys_find(k, span_of("fedcba987654321")), -1);
    assert_int_equal(keys_find(k, span_of("fedcba98765432100")), -1);
    assert_int_equal(keys_find(k, span_of("")), -1);
    assert_string_equal(keys_name(k, 0), "alice at home");
    assert_string_equal(keys_name(k, 1), "key 2");
    keys_close(k);
    unlink(path);
}

static void bad_files_are_refused(void **state)
{
    static const char *const bad[] = { "", "# none\n", "short\n", "0123456789abcd\001f\n",
                                       "0123456789abcdef\n0123456789abcdef\n" };
    struct keys *k = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(open_text(bad[i], 0600, &k), ST_CONFIG);
        assert_null(k);
    }
    assert_int_equal(open_text("0123456789abcdef\n", 0604, &k), ST_CONFIG);
    unlink(path);
    assert_int_equal(keys_open(path, &k), ST_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(keys_are_found_whole),
                                        cmocka_unit_test(bad_files_are_refused) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
