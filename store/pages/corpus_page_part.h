/* The inside of corpus_page.h: what its files share and nobody else includes. */
#ifndef TUNDISH_STORE_CORPUS_PAGE_PART_H
#define TUNDISH_STORE_CORPUS_PAGE_PART_H

#include <inttypes.h>

#include "base/json.h"
#include "base/page.h"

/* Members of an object that may be anything: NULL, 0 where there is none. */
static inline const char *member_text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static inline uint64_t member_count(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));

    return n > 0 ? (uint64_t)n : 0;
}

static inline double member_real(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

/* corpus_page_drops.c: what was dropped, with examples; what was not read. */
void corpus_page_drops(struct buf *out, const json_t *json);
void corpus_page_not_read(struct buf *out, const json_t *json);
/* corpus_page_values.c: what the rules of each step measured. */
void corpus_page_values(struct buf *out, const json_t *json);
/* corpus_page_kept.c: lengths, languages, sources and kinds, examples of what is left. */
void corpus_page_kept(struct buf *out, const json_t *json);

#endif
