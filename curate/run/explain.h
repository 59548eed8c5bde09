/*
 * `tundish curate --explain WHAT`: one document through the chain, with everything that its rules measure.
 *
 * WHAT is a path (all documents of that file, the first EXPLAIN_MOST of them), a document of a file (`FILE#3` for a
 * line, `ARCHIVE!MEMBER`), or an id as the corpus and the report have it, which is looked for in the sources: first in
 * the file that the id names, else in all of them, since a line of JSONL may bring an id of its own. For that,
 * `include` and `exclude` of the source are left aside where the file is named.
 *
 * Every step is asked, also behind the one that drops the document, so that one sees what else stands against it; but
 * not those that look at all documents. Nothing is written.
 */
#ifndef TUNDISH_CURATE_EXPLAIN_H
#define TUNDISH_CURATE_EXPLAIN_H

#include "curate/chain/step.h"

#define EXPLAIN_MOST 5

struct explain_args {
    const struct chain *chain;
    const struct yaml *sources;          /* NULL: none are given, WHAT must be a path */
    const struct source_limits *limits;
    const char *what;
    bool json;                           /* one object a line, else words for people */
};
/* Prints to stdout. ST_MISSING, with the nearest ids: there is no such document. What never became a document
 * (binary, too large) is explained, too. */
MUST_USE enum status explain(struct arena *a, const struct explain_args *args);

/* --- the inside: explain_print.c --- */

/* What one step did. */
struct explain_step {
    const struct step *step;
    bool judged;                         /* false: it looks at all documents, or there was no text any more */
    bool behind;                         /* behind the step that dropped the document */
    bool changed;
    size_t bytes_in, bytes_out;
    const struct drop_reason *dropped;   /* NULL: it would stay */
    double value, threshold;
    struct trace_value *values;
    size_t value_count;
    uint64_t counts[STEP_COUNTERS];
};
struct explain_result {
    const char *id, *place;              /* place: where it lies, if its id is its own; else NULL */
    enum raw_kind kind;
    const struct doc *doc;               /* as it is behind the last step */
    const struct explain_step *steps;
    size_t count, dropper;               /* dropper: count, if it stays */
};
void explain_print_text(struct buf *out, const struct explain_result *r);
json_t *explain_to_json(const struct explain_result *r);

#endif
