/* What every C test begins with: cmocka wants these in this order. */
#ifndef TUNDISH_TESTS_TEST_H
#define TUNDISH_TESTS_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/status.h"

/* The call succeeds; else its message is shown. */
#define assert_ok(expr)                                                        \
    do {                                                                       \
        enum status ok_st_ = (expr);                                           \
        if (ok_st_ != ST_OK)                                                   \
            fail_msg("%s: %s: %s", #expr, status_name(ok_st_), fail_message()); \
    } while (0)

#endif
