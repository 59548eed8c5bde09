#include "curate/run/corpus.h"

#include "base/arena.h"
#include "base/progress.h"
#include "base/stop.h"
#include "curate/report/report.h"
#include "curate/run/chain_phases.h"
#include "curate/run/verdict.h"

void corpus_drop(struct corpus *c, size_t i, const struct drop_reason *reason, double value,
                 double threshold, size_t of)
{
    struct report_drop drop = {
        .reason = reason, .value = value, .threshold = threshold, .id = spool_id(c->spool, i),
        .language = spool_language(c->spool, i), .text = spool_text(c->spool, i),
        .of = of == SIZE_MAX ? NULL : spool_id(c->spool, of),
    };

    if (c->verdict) {
        struct verdict_drop why = {
            .document = i, .step = (uint32_t)c->step,
            .reason = (uint32_t)phases_reason(c->phases, c->step, reason), .value = value, .threshold = threshold,
        };

        verdict_add(c->verdict, &why);
    }
    report_add_drop(c->report, &drop);
    spool_kill(c->spool, i);
}

enum status corpus_goes_on(struct corpus *c, size_t documents)
{
    progress_add(documents);
    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped in step '%s'", c->label);
    return ST_OK;
}

enum status corpus_memory(struct corpus *c, uint64_t bytes, const char *what)
{
    char want[24], bound[24];

    if (bytes <= c->memory && c->taken <= c->memory - bytes) {
        c->taken += bytes;
        return ST_OK;
    }
    return fail(ST_LIMIT,
                "step '%s' wants %s for %s, which is more than memory %s allows (%zu documents; "
                "want more --memory, fewer documents in one run, or a larger `sample` "
                "where the step has one)",
                c->label, str_bytes(c->taken + bytes, want), what, str_bytes(c->memory, bound),
                spool_alive_count(c->spool));
}

void corpus_memory_back(struct corpus *c, uint64_t bytes)
{
    BUG_IF(bytes > c->taken);
    c->taken -= bytes;
}

struct by_length {
    size_t bytes;
    uint32_t i;
};

static int longest_first(const void *va, const void *vb)
{
    const struct by_length *a = va, *b = vb;

    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return a->i < b->i ? -1 : 1;
}

uint32_t *corpus_list(const struct corpus *c, enum corpus_order order, size_t *count)
{
    size_t n = 0, all = spool_alive_count(c->spool);
    struct by_length *docs = mem_array(all + 1, sizeof *docs);
    uint32_t *list = mem_array(all + 1, sizeof *list);

    for (size_t i = 0; i < spool_count(c->spool); i++)
        if (spool_alive(c->spool, i))
            docs[n++] = (struct by_length){ spool_text(c->spool, i).n, (uint32_t)i };
    if (order == CORPUS_LONGEST_FIRST)
        qsort(docs, n, sizeof *docs, longest_first);
    for (size_t i = 0; i < n; i++)
        list[i] = docs[i].i;
    free(docs);
    *count = n;
    return list;
}
