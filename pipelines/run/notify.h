/*
 * Telling programs how a run ended (`notify:` in a pipeline file or a site profile). Each gets the
 * run's record (run_record.h) on its stdin; what it prints comes to stderr. It has half a minute.
 * Nothing that it does changes how the run ended.
 */
#ifndef TUNDISH_PIPELINES_NOTIFY_H
#define TUNDISH_PIPELINES_NOTIFY_H

#include "base/status.h"
#include "base/str.h"
#include "pipelines/plan/plan.h"

/* record: the record's text; st: how the run ended. A wish to stop ends those that still run. */
void notify_all(const struct plan *p, const struct buf *record, enum status st);

#endif
