#include <string.h>

#include "base/json.h"
#include "curate/source/source_part.h"

void metadata_add(struct buf *out, struct span name, struct span value)
{
    if (out->n > 1)
        buf_addc(out, ',');
    json_quote(out, name.p, name.n);
    buf_addc(out, ':');
    json_quote(out, value.p ? value.p : "", value.n);
}

bool list_has(struct opt_list list, struct span word)
{
    for (size_t i = 0; i < list.count; i++)
        if (span_eq(word, list.v[i]) || (list.count == 1 && strcmp(list.v[i], "all") == 0))
            return true;
    return false;
}
