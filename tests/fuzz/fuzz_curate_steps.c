/* Any text as `steps:`. */
#include "curate/chain/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a;
    struct yaml *list;
    struct chain chain;

    if (n > 8192)
        return 0;
    arena_init(&a);
    if (yaml_parse(&a, "steps", (const char *)p, n, &list) == ST_OK && chain_parse(&a, list, &chain) == ST_OK)
        BUG_IF(chain.count == 0 || chain.steps[0].kind != step_kinds);
    arena_release(&a);
    return 0;
}
