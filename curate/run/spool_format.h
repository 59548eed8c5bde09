/* The bytes of a spool's file; private to spool.c and spool_writer.c. Native byte order: it never leaves the machines
 * of one run. */
#ifndef TUNDISH_CURATE_SPOOL_FORMAT_H
#define TUNDISH_CURATE_SPOOL_FORMAT_H

#include <stdint.h>

/* Texts of a record, each with a NUL behind it. */
enum spool_field { SPOOL_ID, SPOOL_SOURCE, SPOOL_CREATED, SPOOL_METADATA, SPOOL_TITLE, SPOOL_LANGUAGE,
                   SPOOL_SCORES, SPOOL_FIELDS };
#define SPOOL_ABSENT UINT32_MAX

/* A record: this, then the fields that are there, then the text with a NUL. */
struct spool_record {
    uint64_t number, text_bytes;
    double language_score, value, threshold;
    uint32_t kind, edits, part;      /* part: 0: none, else 1 + its number */
    uint32_t dropped;                /* 0: it lives, else 1 + the number of the reason in its step */
    uint32_t dropped_by, ill_formed;
    uint32_t n[SPOOL_FIELDS];
    uint32_t none;                   /* 0 */
};
/* Behind the records, from a multiple of 8: one of these each, in order. */
struct spool_entry {
    uint64_t key, at;
    uint64_t text_bytes;
    uint64_t dropped;                /* 1: not alive */
};
/* At the end of the file. */
struct spool_tail {
    uint64_t magic, index_at, count, text_bytes;
};
#define SPOOL_MAGIC UINT64_C(0x316c6f6f70732e74)

#endif
