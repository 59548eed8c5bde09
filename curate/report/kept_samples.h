/*
 * Examples of what a corpus keeps: a few documents of each source, chosen by a hash of their ids.
 *
 * Those with the smallest hashes stay. So the choice knows no order, is spread over the whole source, and is the same
 * whether one report saw all documents or several were added up. A corpus may have any number of sources: those
 * KEPT_SOURCES whose names have the smallest hashes are shown.
 */
#ifndef TUNDISH_CURATE_KEPT_SAMPLES_H
#define TUNDISH_CURATE_KEPT_SAMPLES_H

#include <stdint.h>

#include "base/json.h"

#define KEPT_SOURCES 64

struct kept_sample {
    uint64_t hash;             /* of its id */
    json_t *json;              /* {"id", "language" (if known), "bytes", "text": its beginning} */
};
struct kept_source {
    uint64_t hash;             /* of its name */
    char *name;
    struct kept_sample *v;     /* by hash */
    size_t count;
};
struct kept_samples {
    struct kept_source *v;     /* by hash */
    size_t count;
    size_t most;               /* samples of a source; set before the first one */
};

/* The hash of an id or name; equal hashes are equal to the samples. */
uint64_t kept_hash(const char *name);
/* Would a document be taken? Asked before its JSON is made. */
bool kept_samples_want(const struct kept_samples *k, const char *source, const char *id);
/* Takes json over, in any case. */
void kept_samples_add(struct kept_samples *k, const char *source, const char *id, json_t *json);
void kept_samples_merge(struct kept_samples *k, const struct kept_samples *from);
/* [{"source", "samples": [...]}], sources by name; the caller owns it. */
json_t *kept_samples_json(const struct kept_samples *k);
/* Adds what kept_samples_json() wrote; what: names the place in an error. */
MUST_USE enum status kept_samples_read(struct kept_samples *k, const json_t *from, const char *what);
void kept_samples_release(struct kept_samples *k);

#endif
