/* `tundish curate`: files, folders and archives to a corpus. */
#ifndef TUNDISH_CURATE_CURATE_CMD_H
#define TUNDISH_CURATE_CURATE_CMD_H

#include "base/command.h"

extern const struct command cmd_curate;

/* curate_bench.c; ends with a NULL name. */
extern const struct bench_case curate_benches[];

#endif
