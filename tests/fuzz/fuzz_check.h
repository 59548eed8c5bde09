/* What the fuzz targets hold their input to: a condition that fails ends the run, with the words of the last failure. */
#ifndef TUNDISH_TESTS_FUZZ_FUZZ_CHECK_H
#define TUNDISH_TESTS_FUZZ_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"

#define CHECK(cond)                                                  \
    do {                                                             \
        if (!(cond)) {                                               \
            fprintf(stderr, "not so: %s (%s)\n", #cond, fail_message()); \
            abort();                                                 \
        }                                                            \
    } while (0)

#endif
