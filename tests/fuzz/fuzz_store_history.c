/* store_history_parse() on any text: of what it takes every removed document is told with a part and place, and every id is looked for. */
#include <stdlib.h>

#include "store/tokens/store_history.h"
#include "store/tokens/token_format.h"

static enum status check(void *ctx, const struct store_tombstone *t)
{
    size_t *count = ctx;

    if ((unsigned)t->part >= TOKENS_PARTS || t->shard == NULL || t->tokens > UINT64_C(1) << 46)
        abort();
    ++*count;
    return ST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    size_t all = 0, found = 0;
    json_t *history;

    if (store_history_parse("h", (const char *)p, n, &history) != ST_OK)
        return 0;
    if (store_history_each(history, check, &all) != ST_OK ||
        store_history_find(history, span_of("patient"), check, &found) != ST_OK || found > all)
        abort();
    json_decref(history);
    return 0;
}
