/*
 * The benchmark cases of this folder (base/bench.h); they hang on `store info`.
 */
#ifndef TUNDISH_STORE_STORE_BENCH_H
#define TUNDISH_STORE_STORE_BENCH_H

#include "base/command.h"

/* A temporary folder, gone with bench_folder_close(), which returns st, or its own failure. */
MUST_USE enum status bench_folder_open(struct arena *a, char **path);
MUST_USE enum status bench_folder_close(const char *path, enum status st);

extern const struct bench_case store_benches[];

#endif
