/*
 * Model folders, ours and others': config.json, weights, tokenizer.json (a checkpoint is one, too).
 * model.h reads config and weights; here stand the checks that come before.
 */
#ifndef TUNDISH_MODEL_MODEL_FOLDER_H
#define TUNDISH_MODEL_MODEL_FOLDER_H

#include "base/status.h"

/* Where the folder is an artifact, every file is compared with its digest, so that what is computed
 * from it is computed from what its digest names. Another program's folder has nothing to compare
 * with. A folder that is not there or holds no model is ST_MISSING. */
MUST_USE enum status model_folder_check(const char *folder);
/* The tokenizer.json beside the model must be, byte for byte, the one that the token store was
 * made with: ST_CONFIG. */
MUST_USE enum status model_folder_check_tokenizer(const char *folder, const char *store);

#endif
