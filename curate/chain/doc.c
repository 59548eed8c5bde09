#include "curate/chain/doc.h"

#include "base/arena.h"

const char *doc_kind_name(enum raw_kind kind)
{
    static const char *const names[] = {
#define X(name, key) key,
        RAW_KINDS(X)
#undef X
    };

    return names[kind];
}

static char *take(char **from)
{
    char *p = *from;

    *from = NULL;
    return p;
}

struct doc *doc_of_raw(struct raw_document *raw, uint64_t number)
{
    struct doc *d = mem_alloc(sizeof *d);

    d->number = number;
    d->kind = raw->kind;
    d->id = take(raw->line_id ? &raw->line_id : &raw->id);
    d->source = take(&raw->source);
    d->created = take(&raw->created);
    d->metadata = take(&raw->metadata);
    d->charset = take(&raw->charset);
    d->text = (struct buf){ raw->bytes, raw->n, raw->n + 1 };
    raw->bytes = NULL;
    raw_document_free(raw);
    return d;
}

void doc_free(struct doc *d)
{
    if (d == NULL)
        return;
    free(d->id);
    free(d->source);
    free(d->created);
    free(d->metadata);
    free(d->charset);
    free(d->title);
    free(d->language);
    free(d->said);
    buf_release(&d->scores);
    buf_release(&d->text);
    free(d);
}

enum status doc_drop(struct doc *d, const struct drop_reason *reason, double value,
                     double threshold)
{
    d->dropped = reason;
    d->value = value;
    d->threshold = threshold;
    return ST_OK;
}

size_t doc_repair(const struct doc *d, struct buf *out, double *share)
{
    size_t replaced;

    buf_clear(out);
    replaced = utf8_repair(out, d->text.p, d->text.n);
    *share = out->n ? (double)replaced / (double)utf8_length(out->p, out->n) : 0;
    return replaced;
}
