#include <string.h>

#include "curate/source/source_part.h"
#include "store/documents/documents.h"

static void jsonl_level_close(struct level *l)
{
    buf_release(&l->line);
    arena_release(&l->scratch);
}

/* The next line without its newline: where it lies, if all of it is at hand, else in l->line. Valid until the next
 * call. Of a line longer than max_document only the count is kept. */
static enum jsonl_line next_line(struct level *l, struct span *line)
{
    uint64_t limit = l->source->limits.max_document;
    bool too_long = false, any = false;

    buf_clear(&l->line);
    for (;;) {
        struct span s = input_next(l->in);
        const char *end;
        size_t n;

        *line = (struct span){ l->line.p, l->line.n };
        if (l->in->failed)
            return JSONL_END;
        if (s.n == 0)
            return too_long ? JSONL_TOO_LONG : any ? JSONL_WHOLE : JSONL_END;
        end = memchr(s.p, '\n', s.n);
        n = end != NULL ? (size_t)(end - s.p) : s.n;
        too_long = too_long || n > limit - l->line.n;
        if (end != NULL)
            input_unread(l->in, s.n - n - 1);
        if (end != NULL && !any && !too_long) {
            *line = (struct span){ s.p, n };
            return JSONL_WHOLE;
        }
        any = true;
        if (!too_long)
            buf_add(&l->line, s.p, n);
        *line = (struct span){ l->line.p, l->line.n };
        if (end != NULL)
            return too_long ? JSONL_TOO_LONG : JSONL_WHOLE;
    }
}

enum jsonl_line jsonl_next_line(struct level *l)
{
    struct span line;
    enum jsonl_line end = next_line(l, &line);

    if (end == JSONL_WHOLE && line.p != l->line.p)
        buf_add(&l->line, line.p, line.n);
    return end;
}

/* The text members that the item names, in their order, into text; what else the line says into d. */
static bool scan_line(struct level *l, struct span line, struct buf *text, struct document *d)
{
    const struct source_item *item = source_item_of(l->source);
    size_t count = item->text.count > 0 ? item->text.count : 1;

    arena_reset(&l->scratch);
    for (size_t i = 0; i < count; i++) {
        struct document_scan how = { item->text.count > 0 ? item->text.v[i] : NULL, true };

        if (document_parse(&how, line, &l->scratch, d) != ST_OK)
            return false;
        if (i > 0 && text->n > 0 && d->text.n > 0)
            buf_adds(text, item->join);
        buf_add(text, d->text.p, d->text.n);
    }
    if (item->id_key != NULL && strcmp(item->id_key, "id") != 0) {
        struct document_scan how = { item->id_key, true };
        struct document named = { 0 };

        if (document_parse(&how, line, &l->scratch, &named) == ST_OK)
            d->id = named.text;
    }
    return true;
}

bool jsonl_has_text(struct level *l, struct span line)
{
    struct document d = { 0 };
    struct buf text = { 0 };
    bool has = scan_line(l, line, &text, &d);

    buf_release(&text);
    return has;
}

struct raw_document *jsonl_document(struct level *l, struct span line, const char *id)
{
    size_t bom = l->line_number == 1 ? content_bom(line.p, line.n) : 0;
    struct document d = { 0 };
    struct raw_document *doc;
    struct buf text = { 0 };

    line.p += bom;
    line.n -= bom;
    if (!scan_line(l, line, &text, &d)) {
        buf_release(&text);
        source_outcome(l->source, SOURCE_BAD_LINE, id);
        return NULL;
    }
    if (content_blank(text.p, text.n)) {
        buf_release(&text);
        source_outcome(l->source, SOURCE_EMPTY, id);
        return NULL;
    }
    doc = source_document(l->source, RAW_JSONL, id, &text);
    doc->line_id = source_copy(d.id);
    doc->created = source_copy(d.created);
    doc->metadata = source_copy(d.metadata);
    return doc;
}

static struct raw_document *jsonl_level_step(struct level *l)
{
    struct span line;
    enum jsonl_line end = next_line(l, &line);
    struct raw_document *doc = NULL;
    char *id;

    if (end == JSONL_END) {
        l->dead = true;
        return NULL;
    }
    l->line_number++;
    if (end == JSONL_WHOLE && content_blank(line.p, line.n))
        return NULL;
    id = source_numbered_id(l->id, l->line_number);
    if (end == JSONL_WHOLE)
        doc = jsonl_document(l, line, id);
    else
        source_outcome(l->source, SOURCE_SIZE, id);
    free(id);
    return doc;
}

static const struct level_kind jsonl_level = { jsonl_level_step, jsonl_level_close };

void jsonl_level_open(struct source *s, struct input *in, const char *id)
{
    struct level *l = source_push(s, &jsonl_level, in, id);

    arena_init(&l->scratch);
}
