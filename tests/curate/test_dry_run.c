/* Numbers of a dry run: intervals and shares. */
#include "test.h"

#include <math.h>

#include "curate/run/dry_run.h"

static void test_interval(void **state)
{
    struct interval i = wilson(0, 100);

    assert_true(i.low == 0 && fabs(i.high - 0.0370) < 5e-4);        /* z^2 / (n + z^2) */
    i = wilson(50, 100);
    assert_true(fabs(i.low - 0.4038) < 5e-4 && fabs(i.high - 0.5962) < 5e-4);
    i = wilson(1, 1);
    assert_true(i.low > 0.2 && i.low < 0.21 && i.high == 1);
}

static void test_share(void **state)
{
    static const char *const wrong[] = { "", "0", "-1%", "1.1", "101%", "%", "1%%", "nan", "inf", "1 %" };
    double share;

    assert_ok(dry_run_share("1%", &share));
    assert_true(share == 0.01);
    assert_ok(dry_run_share("0.25", &share));
    assert_true(share == 0.25);
    assert_ok(dry_run_share("100%", &share));
    assert_true(share == 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (dry_run_share(wrong[i], &share) != ST_USAGE)
            fail_msg("'%s' was taken", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_interval), cmocka_unit_test(test_share) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
