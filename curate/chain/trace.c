#include "curate/chain/trace.h"

#include "base/arena.h"
#include "curate/chain/doc.h"

void trace_clear(struct trace *t) { t->count = 0; }

void trace_release(struct trace *t)
{
    free(t->values);
    *t = (struct trace){ .full = t->full };
}

void trace_add(struct trace *t, const struct trace_value *v)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 32;
        t->values = mem_grow(t->values, t->cap, sizeof *t->values);
    }
    t->values[t->count++] = *v;
}

bool doc_judge(struct doc *d, struct trace *t, const struct trace_value *v)
{
    trace_add(t, v);
    if (v->broken && d->dropped == NULL)
        doc_drop(d, v->rule, v->value, v->threshold);
    return d->dropped != NULL && !t->full;
}
