/*
 * The evaluation's report: metrics.json for gates, documents.jsonl for statistics, report.html for
 * people.
 */
#ifndef TUNDISH_EVALUATE_BITS_REPORT_H
#define TUNDISH_EVALUATE_BITS_REPORT_H

#include "evaluate/bits_per_byte.h"

/* Writes the three files into an existing folder. */
MUST_USE enum status bits_report_write(const char *folder, const struct bits_result *r);

#endif
