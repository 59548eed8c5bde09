#include "curate/filter/space_rules.h"

bool space_judge(struct doc *d, struct trace *t, const struct space_rule *r, double value, double threshold)
{
    bool over = r->side == TRACE_AT_MOST ? value > threshold : value < threshold;
    struct trace_value v = { &r->reason, value, threshold, threshold == 0 ? TRACE_TELLS : r->side,
                             threshold != 0 && r->side != TRACE_TELLS && over };

    return doc_judge(d, t, &v);
}

struct space_scan *space_scan_of_doc(const struct doc *d, struct step_work *w)
{
    return space_scan_of(&w->space, (struct space_key){ d->number, d->edits, { d->text.p, d->text.n } });
}
