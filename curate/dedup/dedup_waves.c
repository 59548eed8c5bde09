#include "curate/dedup/dedup_waves.h"

#define WAVE_DOCS 4096
#define WAVE_BYTES ((uint64_t)32 << 20)
#define SET_BYTES 4            /* of n-grams, a byte of text, before a sample is taken */

enum status dedup_waves_memory(struct corpus *c)
{
    uint64_t bytes = spool_alive_bytes(c->spool);

    TRY(corpus_memory(c, spool_alive_count(c->spool) * CORPUS_LIST_BYTES, "the list of documents"));
    return corpus_memory(c, (bytes < WAVE_BYTES ? bytes : WAVE_BYTES) * SET_BYTES, "a wave of n-grams");
}

size_t dedup_waves_most(const struct corpus *c)
{
    size_t n = spool_alive_count(c->spool);

    return n < WAVE_DOCS ? n : WAVE_DOCS;
}

size_t dedup_waves_next(const struct corpus *c, const uint32_t *list, size_t n)
{
    uint64_t bytes = 0;
    size_t count = 0;

    while (count < n && count < WAVE_DOCS && bytes < WAVE_BYTES)
        bytes += spool_text(c->spool, list[count++]).n;
    return count;
}
