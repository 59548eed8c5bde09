/* What every C test begins with: cmocka wants these in this order. */
#ifndef TUNDISH_TESTS_TEST_H
#define TUNDISH_TESTS_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/status.h"

/* cmocka's own calls its macro fail(), a name that is ours. */
#undef fail_msg
#define fail_msg(msg, ...)                               \
    do {                                                 \
        print_error("ERROR: " msg "\n", ##__VA_ARGS__);  \
        _fail(__FILE__, __LINE__);                       \
    } while (0)

/* The call succeeds; else its message is shown. */
#define assert_ok(expr)                                                        \
    do {                                                                       \
        enum status ok_st_ = (expr);                                           \
        if (ok_st_ != ST_OK)                                                   \
            fail_msg("%s: %s: %s", #expr, status_name(ok_st_), fail_message()); \
    } while (0)

#endif
