#include <string.h>

#include "curate/source/source_part.h"

static void outcome_of(struct source *s, struct input *in, enum source_outcome o, const char *id)
{
    input_free(in);
    source_outcome(s, o, id);
}

/* Takes the byte order mark off text; HTML keeps it, for it names the charset. */
static void drop_bom(struct buf *bytes)
{
    size_t bom = content_bom(bytes->p, bytes->n);

    if (bom > 0) {
        bytes->n -= bom;
        memmove(bytes->p, bytes->p + bom, bytes->n + 1);
    }
}

/* All of the input into memory, or the outcome that says why not. */
static bool read_whole(struct source *s, struct input *in, const char *id, struct buf *out)
{
    if (input_all(in, s->limits.max_document, out))
        return true;
    if (!in->failed)
        source_outcome(s, SOURCE_SIZE, id);
    buf_release(out);
    return false;
}

static struct raw_document *enter_text(struct source *s, struct input *in, const char *id,
                                       enum raw_kind kind)
{
    struct buf bytes = { 0 };
    bool whole = read_whole(s, in, id, &bytes);

    input_free(in);
    if (!whole)
        return NULL;
    if (kind != RAW_HTML)
        drop_bom(&bytes);
    if (content_blank(bytes.p, bytes.n)) {
        buf_release(&bytes);
        source_outcome(s, SOURCE_EMPTY, id);
        return NULL;
    }
    return source_document(s, kind, id, &bytes);
}

static struct raw_document *enter_wide(struct source *s, struct input *in, const char *id)
{
    struct buf wide = { 0 }, narrow = { 0 };
    bool whole = read_whole(s, in, id, &wide);

    input_free(in);
    if (!whole)
        return NULL;
    content_narrow((struct span){ wide.p, wide.n }, &narrow);
    buf_release(&wide);
    return source_enter(s, input_of_memory(s, &narrow), id);
}

/* Forms that are read by seeking only are held in memory when they lie inside another archive. */
static void enter_archive(struct source *s, struct input *in, const char *id,
                          const struct content *c)
{
    enum archive_form form = c->form;
    struct buf bytes = { 0 };

    if (!archive_can_read(form) || c->office == OFFICE_OTHER) {
        outcome_of(s, in, SOURCE_SKIPPED, id);
        return;
    }
    if (archive_depth(s, form) > s->limits.max_depth) {
        outcome_of(s, in, SOURCE_DEPTH, id);
        return;
    }
    if (form == ARCHIVE_7Z && !input_can_seek(in)) {
        bool whole = read_whole(s, in, id, &bytes);
        input_free(in);
        if (!whole)
            return;
        in = input_of_memory(s, &bytes);
    }
    archive_level_open(s, in, id, c);
}

struct raw_document *source_enter(struct source *s, struct input *in, const char *id)
{
    struct span head = input_head(in);
    char *bare = mem_strdup(id);
    struct content c;

    bare[content_bare_name(id)] = 0;
    c = content_of(head, in->ended, bare);
    free(bare);
    if (c.kind == CONTENT_WARC)
        input_allow_gaps(in);
    if (in->failed ||
        ((c.kind != CONTENT_ARCHIVE || c.office != OFFICE_NONE) && item_leaves_out(source_item_of(s), id, true))) {
        input_free(in);
        return NULL;
    }
    switch (c.kind) {
    case CONTENT_TEXT:
        return enter_text(s, in, id, RAW_TEXT);
    case CONTENT_MARKDOWN:
        return enter_text(s, in, id, RAW_MARKDOWN);
    case CONTENT_HTML:
        return enter_text(s, in, id, RAW_HTML);
    case CONTENT_WIDE:
        return enter_wide(s, in, id);
    case CONTENT_ARCHIVE:
        enter_archive(s, in, id, &c);
        return NULL;
    case CONTENT_JSONL:
        jsonl_level_open(s, in, id);
        return NULL;
    case CONTENT_JSON_LIST:
    case CONTENT_JSON:
        if (source_item_of(s)->text.count > 0)
            json_level_open(s, in, id);
        else
            outcome_of(s, in, c.kind == CONTENT_JSON ? SOURCE_SKIPPED : SOURCE_UNNAMED, id);
        return NULL;
    case CONTENT_FHIR_LINES:
        if (source_item_of(s)->text.count > 0)      /* who names a member reads plain lines */
            jsonl_level_open(s, in, id);
        else
            fhir_level_open(s, in, id, true);
        return NULL;
    case CONTENT_FHIR:
        fhir_level_open(s, in, id, false);
        return NULL;
    case CONTENT_WARC:
        warc_level_open(s, in, id);
        return NULL;
    case CONTENT_TABLE:
        table_level_open(s, in, id);
        return NULL;
    case CONTENT_XML:
        xml_level_open(s, in, id);
        return NULL;
    case CONTENT_EMPTY:
        outcome_of(s, in, SOURCE_EMPTY, id);
        return NULL;
    case CONTENT_BINARY:
        outcome_of(s, in, SOURCE_BINARY, id);
        return NULL;
    case CONTENT_SKIPPED:
        outcome_of(s, in, SOURCE_SKIPPED, id);
        return NULL;
    }
    BUG_IF(true);
    return NULL;
}
