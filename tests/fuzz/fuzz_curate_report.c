/* Partial reports as a group of files leaves them: whatever the bytes are, nothing is added or what was read adds up, and
 * the report and its page can be made of it. */
#include <stdint.h>
#include <stdlib.h>

#include "curate/report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char steps[] = "[normalize, {filter: {profile: gopher@datatrove}}]";
    struct arena a;
    struct yaml *list;
    struct chain chain;
    struct report *into;
    struct source_stats stats = { 0 };
    json_t *partial = NULL, *json;
    struct buf page = { 0 };

    if (json_parse((const char *)data, size, "partial", &partial) != ST_OK)
        return 0;
    arena_init(&a);
    if (yaml_parse(&a, "steps", steps, sizeof steps - 1, &list) != ST_OK || chain_parse(&a, list, &chain) != ST_OK)
        abort();
    into = report_new(&chain, 3);
    if (report_add_partial(into, &stats, partial) == ST_OK && report_add_partial(into, &stats, partial) != ST_OK)
        abort();
    json = report_json(into, &stats);
    report_html(&page, json);
    json_decref(json);
    json = report_partial(into, &stats);
    json_decref(json);
    buf_release(&page);
    report_free(into);
    json_decref(partial);
    arena_release(&a);
    return 0;
}
