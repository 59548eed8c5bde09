/*
 * The options of how a token is chosen, for the commands that write in the terminal: rows of a table
 * (base/opt.h) whose config struct S has these fields: double temperature, top_p, min_p; int64_t
 * top_k, seed.
 */
#ifndef TUNDISH_SERVE_SAMPLING_ROWS_H
#define TUNDISH_SERVE_SAMPLING_ROWS_H

#include "base/opt.h"

#define SAMPLING_ROWS(S)                                                                           \
    OPT_REAL(S, temperature, "temperature", "0.8", 0, 100, "0: always the most likely token"),     \
    OPT_INT(S, top_k, "top-k", "0", 0, 16777216, "choose among the k most likely; 0: all"),        \
    OPT_REAL(S, top_p, "top-p", "0.95", 0, 1,                                                      \
             "choose among the most likely that make up this share"),                              \
    OPT_REAL(S, min_p, "min-p", "0", 0, 1,                                                         \
             "choose among those at least this share as likely as the first"),                     \
    OPT_INT(S, seed, "seed", "1", 0, 9007199254740992, "seed of the choices")

#endif
