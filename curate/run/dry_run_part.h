/* Between the files of the dry run. */
#ifndef TUNDISH_CURATE_DRY_RUN_PART_H
#define TUNDISH_CURATE_DRY_RUN_PART_H

#include "base/json.h"
#include "curate/chain/step.h"
#include "curate/source/source.h"

/* [{"ending", "files", "bytes"}] of the input's files. */
json_t *dry_run_endings(const struct source_groups *g);
/* [{"step", "options", "sees"}], with all options as they are in force. */
json_t *dry_run_steps(const struct chain *chain);

#endif
