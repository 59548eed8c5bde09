/*
 * What happened to the documents, step by step: every number a user needs to trust a corpus,
 * or to mend its chain.
 *
 * report.json and report.html lie in the artifact, so they hold nothing that differs between two
 * runs on the same inputs (no time, no host, no thread count); the seconds are for the summary
 * on stderr alone.
 * The HTML page is made from the JSON tree, and needs nothing but itself.
 */
#ifndef TUNDISH_CURATE_REPORT_H
#define TUNDISH_CURATE_REPORT_H

#include "base/json.h"
#include "curate/chain/step.h"

/* One drop, as it is added. */
struct report_drop {
    const struct drop_reason *reason;
    double value, threshold;
    const char *id;
    struct span text;          /* its beginning becomes the sample */
    const char *of;            /* id of the document that it is a copy of; NULL: none */
};

/* All drops of one step for one reason. */
struct report_reason {
    const struct drop_reason *reason;
    uint64_t documents, bytes;
    double threshold, least, most, sum;    /* of values */
    json_t *samples;
};

struct report_step {
    const struct step *step;
    int samples;               /* kept for each reason */
    uint64_t documents_in, bytes_in, documents_out, bytes_out;
    uint64_t counts[STEP_COUNTERS];
    struct report_reason *reasons;         /* as step->kind->reasons, and
                                            * drop_invalid_utf8 behind them */
    size_t reason_count;
    double seconds;            /* on processors, all threads together;
                                * a step over all documents: of the clock */
};

struct report {
    struct report_step *steps;
    size_t count;
    struct {
        uint64_t documents, bytes, renamed;
        uint64_t length_documents[64], length_bytes[64];    /* by the logarithm of
                                                             * the text's bytes */
        json_t *kinds, *sources;
    } out;
};

struct report *report_new(const struct chain *chain, int samples);
void report_free(struct report *r);
void report_add_drop(struct report_step *s, const struct report_drop *drop);
/* A document that goes into the corpus. */
void report_add_kept(struct report *r, const struct doc *d, bool renamed);

/* The report as JSON; what could not be read comes from stats. The caller owns it. */
json_t *report_json(const struct report *r, const struct source_stats *stats);
/* Writes report.json and report.html into a folder. */
MUST_USE enum status report_write(const struct report *r, const struct source_stats *stats,
                                  const char *folder);
/* Appends the page; json is report_json()'s. (report_html.c) */
void report_html(struct buf *out, const json_t *json);
/* The table at the end, on stderr; seconds: wall time of the whole run. */
void report_summary(const struct report *r, const struct source_stats *stats, double seconds);
/* ST_FAILED with what became of all documents. */
enum status report_nothing_left(const struct report *r, const struct source_stats *stats);

#endif
