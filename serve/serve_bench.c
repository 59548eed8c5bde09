#include "serve/serve_bench.h"

const struct bench_case serve_benches[] = { { NULL, NULL } };
