/*
 * What a document's metadata (documents.h) say that matters to tokens: its language, and which parts of its text
 * are to be learnt.
 */
#ifndef TUNDISH_TOKENIZE_DOCUMENT_METADATA_H
#define TUNDISH_TOKENIZE_DOCUMENT_METADATA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

/* The member "language", else "lang", where it is a text; n = 0: neither is. Lives in the arena. */
struct span metadata_language(struct arena *a, struct span metadata);

struct byte_range {
    uint64_t begin, end;             /* [begin, end), begin < end */
};
struct byte_ranges {
    bool given;                      /* false: the member is missing, or null */
    struct byte_range *v;            /* ascending, apart */
    size_t count;
};
/* The member `key`: a list of [begin, end], byte positions of a text of so many bytes, ascending, none inside
 * another. ST_FORMAT says what it is instead. */
struct metadata_ranges_args {
    struct span metadata;
    const char *key;
    uint64_t text_bytes;
};
MUST_USE enum status metadata_ranges(struct arena *a, const struct metadata_ranges_args *args,
                                     struct byte_ranges *out);

#endif
