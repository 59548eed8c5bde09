/*
 * Proof that an exported folder is the checkpoint: loaded again with our own reader and compared.
 */
#ifndef TUNDISH_EXPORT_VERIFY_EXPORT_H
#define TUNDISH_EXPORT_VERIFY_EXPORT_H

#include "model/model.h"

/* Loads `folder` and compares with `model` (f32 on the same device): config, every weight (equal
 * bits when stored is f32, else the rounded value), and the logits of a fixed token sequence (equal
 * bits; for bf16 within 5 % of the largest logit). ST_INTEGRITY names the first difference. */
MUST_USE enum status verify_export(const char *folder, struct model *model, enum dtype stored);

#endif
