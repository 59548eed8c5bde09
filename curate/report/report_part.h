/* The inside of report.h: what its files share and nobody else includes. */
#ifndef TUNDISH_CURATE_REPORT_PART_H
#define TUNDISH_CURATE_REPORT_PART_H

#include "curate/report/report.h"

/* A report over the same steps, empty. */
struct report *report_like(const struct report *r);
/* Adds all of `from`, a report over the same steps. */
void report_merge(struct report *r, const struct report *from);
/* An id as a JSON text, repaired where it is not UTF-8. */
json_t *report_id_json(const char *id);
json_t *report_integer(uint64_t n);

#endif
