/*
 * What happened to the documents, step by step: every number a user needs to trust a corpus,
 * or to mend its chain.
 *
 * report.json and report.html lie in the artifact, so they hold nothing that differs between two
 * runs on the same inputs (no time, no host, no thread count); the seconds are for the summary
 * on stderr and for the manifest's aside.
 * The HTML page is made from the JSON tree, and needs nothing but itself.
 *
 * Reports add up: one is made for each group of input files, kept as JSON (report_partial()) beside what became of
 * the group, and all are added in the order of the groups (report_add_partial()). What comes out is what one report
 * over everything would hold: counts are integers, examples are the first in order or those with the smallest
 * hashes, least and most are just that. Only sums of values are added group by group, so they hang on where groups
 * end; that is decided by the inputs, never by threads or ranks.
 *
 *   report.c          gathering
 *   report_partial.c  from a report to JSON that can be added to another, and back
 *   report_json.c     report.json, what the manifest's aside says of time
 *   report_words.c    the table on stderr
 *   report_html.c     the page
 *   rule_values.h name_counts.h kept_samples.h    its parts: histograms, counts by name, examples of what was kept
 */
#ifndef TUNDISH_CURATE_REPORT_H
#define TUNDISH_CURATE_REPORT_H

#include "base/json.h"
#include "curate/chain/step.h"
#include "curate/report/kept_samples.h"
#include "curate/report/name_counts.h"
#include "curate/report/rule_values.h"

/* One drop, as it is added. */
struct report_drop {
    const struct drop_reason *reason;
    double value, threshold;   /* one that is no finite number counts as 0, or as the largest */
    const char *id;
    const char *language;      /* NULL: not asked */
    struct span text;          /* its beginning becomes the sample */
    const char *of;            /* id of the document that it is a copy of; NULL: none */
};

/* All drops of one step for one reason, and what the rule measured of documents that it did not drop. */
struct report_reason {
    const struct drop_reason *reason;
    uint64_t documents, bytes;
    double threshold, least, most, sum;    /* of the dropped; threshold: the first one's */
    json_t *samples;                       /* NULL: none yet */
    struct rule_values *values;            /* NULL: nothing was measured */
};

struct report_step {
    const struct step *step;
    int samples;               /* kept for each reason */
    uint64_t documents_in, bytes_in, documents_out, bytes_out;
    uint64_t counts[STEP_COUNTERS];
    struct report_reason *reasons;         /* as step->kind->reasons, and
                                            * drop_invalid_utf8 behind them */
    size_t reason_count;
    struct name_counts languages;          /* of what it dropped */
    double seconds;            /* on processors, all threads together;
                                * a step over all documents: of the clock */
};

struct report {
    struct arena arena;        /* names of the samples of outcomes that were added */
    struct report_step *steps;
    size_t count;
    struct {
        struct name_counts kinds, sources;             /* what the readers gave */
    } in;
    struct {
        uint64_t documents, bytes, renamed;
        uint64_t length_documents[64], length_bytes[64];    /* by the logarithm of
                                                             * the text's bytes */
        struct name_counts kinds, sources, languages;
    } out;
    struct kept_samples kept;
};

struct report *report_new(const struct chain *chain, int samples);
void report_free(struct report *r);

/* ---- gathering; called by one thread at a time ---- */

/* A document that a reader gave; bytes: as many as it had then, before its first step. */
void report_add_read(struct report *r, const struct doc *d, size_t bytes);
void report_add_drop(struct report_step *s, const struct report_drop *drop);
/* The same of a document that a step over single documents dropped (d->dropped, d->dropped_by), with its language. */
void report_add_dropped(struct report *r, const struct doc *d);
/* A document that goes into the corpus. */
void report_add_kept(struct report *r, const struct doc *d, bool renamed);

/* Values that rules measured, on their way from a worker to the report: a worker notes them behind chain_each(),
 * in a list of its own ({0} before use), and whoever has the report adds them. Their order does not matter. */
struct report_note {
    uint32_t step, reason;     /* places in the chain and in the step's reasons */
    struct rule_value value;
};
struct report_notes {
    struct report_note *v;
    size_t count, cap;
};
/* What step number `index` measured: every rule of t is one of the step's reasons. Only reads of r what never changes. */
void report_note_trace(struct report_notes *n, const struct report *r, size_t index, const struct trace *t);
/* Adds the notes and empties the list. */
void report_add_notes(struct report *r, struct report_notes *n);
void report_notes_release(struct report_notes *n);

/* ---- adding up ---- */

/* r and what its readers did not read, as JSON for report_add_partial(). The caller owns it. */
json_t *report_partial(const struct report *r, const struct source_stats *stats);
/* Adds what report_partial() made of a report over the same chain to `into` and to stats, which begins as zeros and
 * whose samples from here live as long as `into`. ST_FORMAT on anything that report_partial() does not write; then
 * nothing has been added. */
MUST_USE enum status report_add_partial(struct report *into, struct source_stats *stats, const json_t *partial);

/* ---- showing ---- */

/* The report as JSON; what could not be read comes from stats. The caller owns it. */
json_t *report_json(const struct report *r, const struct source_stats *stats);
/* Seconds and MB a second of every step, for the manifest's aside: {"steps": [{"step", "seconds", "mb_per_second"}]}.
 * The caller owns it. */
json_t *report_speed_json(const struct report *r);
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
