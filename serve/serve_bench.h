/* `tundish bench serve`: tokens a second and time to the first token, for 1, 4 and 8 clients. */
#ifndef TUNDISH_SERVE_SERVE_BENCH_H
#define TUNDISH_SERVE_SERVE_BENCH_H

#include "base/command.h"

extern const struct bench_case serve_benches[];

#endif
