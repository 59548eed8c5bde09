/*
 * The report of tokenizers: metrics.json and report.html, from what they make of a corpus. The page
 * is one file and is made from the JSON alone (store/pages/tokenizer_page.h). Nothing in either differs
 * between two runs on the same input: no clock, no host, no path, no number of threads.
 *
 * A caller that knows how much text there is leaves `measure.source.most` at 0 where all of it may be
 * measured: then the corpus need not be read twice.
 */
#ifndef TUNDISH_TOKENIZE_TOKENIZER_REPORT_H
#define TUNDISH_TOKENIZE_TOKENIZER_REPORT_H

#include "base/json.h"
#include "tokenize/measure/token_measure.h"

struct tokenizer_report_args {
    struct pool *pool;
    struct measure_args measure;
    const char *const *names;        /* of measure.tokenizers, for people; no paths of this machine
                                        if the report goes into an artifact */
    const char *folder;              /* exists; gets both files, which replace older ones */
};
/* Measures, and writes both files. */
MUST_USE enum status tokenizer_report(const struct tokenizer_report_args *args);

/* The same in two steps, for those who want to read the figures. The caller owns *metrics. */
MUST_USE enum status tokenizer_report_measure(const struct tokenizer_report_args *args,
                                              json_t **metrics);
MUST_USE enum status tokenizer_report_write(const char *folder, const json_t *metrics);

#endif
