/*
 * A document on its way through the chain of steps (curate/chain/step.h).
 *
 * It begins as the raw bytes of a source; `extract`, always the first step, makes text of them.
 * From then on the text is UTF-8, with one exception: bytes that are not set ill_formed, which only
 * `normalize` understands; where that is not the next step, the document is dropped (reason
 * `invalid_utf8`).
 */
#ifndef TUNDISH_CURATE_DOC_H
#define TUNDISH_CURATE_DOC_H

#include "curate/source/source.h"
#include "store/documents/documents.h"

/* A way to lose a document. Steps list theirs; key and meaning stand in the report. */
struct drop_reason {
    const char *key;         /* "gopher_short_doc" */
    const char *meaning;     /* one line: what was measured, and which side
                              * of the threshold was bad */
};

struct doc {
    uint64_t number;         /* place in the order of the sources, from 0; kept to the end */
    enum raw_kind kind;
    bool ill_formed;
    uint32_t edits;          /* whoever changes the text adds 1: scans of it are kept by (number, edits) */
    char *id, *source;       /* owned, as all of these */
    char *created, *metadata, *title;    /* NULL: absent */
    char *charset;           /* as in raw_document; of no meaning once `extract` has seen the document */
    char *language;          /* ISO 639-1, where there is none 639-3 ("en", "zh", "zh-Hant"); NULL: not asked */
    double language_score;   /* 0 to 1 */
    struct buf scores;       /* members of a JSON object, without braces, for metadata's "curate"; empty: none */
    const char *part;        /* where `split` puts it, borrowed from the step; NULL: the corpus itself */
    struct buf text;
    const struct drop_reason *dropped;   /* NULL: it lives */
    double value, threshold;             /* of the drop */
    char *said;                          /* why, in the words of the program that dropped it; owned; NULL: none */
    size_t dropped_by;                   /* place of the step in the chain; set by the runner */
};

/* Takes over everything in raw and frees it. */
struct doc *doc_of_raw(struct raw_document *raw, uint64_t number);
void doc_free(struct doc *d);
/* Drops d; what was measured, and the bound it broke.
 * Always returns ST_OK, for `return doc_drop(...)`. */
enum status doc_drop(struct doc *d, const struct drop_reason *reason, double value,
                     double threshold);
/* The document as the corpus has it. Without metadata of its own (a JSONL line's), it gets {"kind",
 * "title"}; the page of a crawl has these before what the crawl knows. What the chain found goes behind: "language", and "curate" with the scores, in place of members of
 * these names. Printed into scratch, where the span points. (doc_print.c) */
struct document doc_print(const struct doc *d, struct buf *scratch);
/* Repairs the text into out (cleared first), and returns how many characters had to be replaced;
 * share: of all of them. */
size_t doc_repair(const struct doc *d, struct buf *out, double *share);
/* As in RAW_KINDS. */
const char *doc_kind_name(enum raw_kind kind);

#endif
