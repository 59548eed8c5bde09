/* history.jsonl of a registry on any bytes: an error that tells the line, or events that are all that
 * they promise, and that are the same when they are written and read again. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "pipelines/registry/registry_history.h"

static void check_event(const struct registry_event *e)
{
    if (!registry_is_alias(e->alias) || !registry_is_version(e->version) || strlen(e->digest) != 64 || e->by == NULL ||
        e->note == NULL || (e->before != NULL && !registry_is_version(e->before)))
        abort();
}

static void check_again(struct arena *a, const struct registry_history *h)
{
    struct registry_history again;
    struct buf text = { 0 };

    for (size_t i = 0; i < h->count; i++) {
        json_t *value = registry_event_json(&h->v[i]);
        json_canonical(&text, value);
        buf_addc(&text, '\n');
        json_decref(value);
    }
    if (registry_history_parse(a, "again", text.p ? text.p : "", text.n, &again) != ST_OK || again.count != h->count ||
        again.torn || again.good != text.n)
        abort();
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct registry_history h;
    struct arena a = { 0 };

    if (registry_history_parse(&a, "h", (const char *)p, n, &h) == ST_OK) {
        const char **aliases = registry_history_aliases(&a, &h);

        if (h.good > n || (h.good == n && h.torn))
            abort();
        for (size_t i = 0; i < h.count; i++)
            check_event(&h.v[i]);
        for (; *aliases != NULL; aliases++) {
            struct version_stack s = registry_history_stack(&a, &h, *aliases);
            if (s.count == 0 || strcmp(s.v[s.count - 1], registry_history_last(&h, *aliases)->version) != 0)
                abort();
        }
        check_again(&a, &h);
    } else if (strstr(fail_message(), "line ") == NULL) {
        abort();
    }
    arena_release(&a);
    return 0;
}
