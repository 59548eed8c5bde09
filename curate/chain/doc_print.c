/* A document as the corpus has it: its metadata. */
#include "base/json.h"
#include "curate/chain/doc.h"

static struct span span_or_none(const char *s)
{
    return s ? span_of(s) : (struct span){ NULL, 0 };
}

/* ---- the members of a JSON object that is well-formed ---- */

static const char *behind_blanks(const char *p, const char *end)
{
    while (p < end && strchr(" \t\r\n", *p) != NULL)
        p++;
    return p;
}

/* p: at a quote. */
static const char *behind_text(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\';
    return p < end ? p + 1 : end;
}

/* To the comma or brace that ends a value. */
static const char *behind_value(const char *p, const char *end)
{
    int depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = behind_text(p, end);
            continue;
        }
        if (depth == 0 && (*p == ',' || *p == '}'))
            return p;
        depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        p++;
    }
    return end;
}

/* Appends a member of a JSON object to out, where an object is open. */
static void add_member(struct buf *out, const char *p, size_t n)
{
    if (out->p[out->n - 1] != '{')
        buf_addc(out, ',');
    buf_add(out, p, n);
}

static bool is_ours(const struct doc *d, const char *key, size_t n)
{
    return (d->language && n == 10 && memcmp(key, "\"language\"", n) == 0) ||
           (d->scores.n > 0 && n == 8 && memcmp(key, "\"curate\"", n) == 0);
}

/* Copies the members of the document's own metadata, but for those whose place ours take. */
static void add_own(struct buf *out, const struct doc *d)
{
    const char *p = d->metadata, *end = p + strlen(p);

    p = behind_blanks(p, end);
    p += p < end;                    /* '{' */
    for (;;) {
        const char *key = behind_blanks(p, end), *key_end, *value_end;

        if (key >= end || *key != '"')
            return;
        key_end = behind_text(key, end);
        value_end = behind_value(key_end, end);
        if (!is_ours(d, key, (size_t)(key_end - key)))
            add_member(out, key, (size_t)(value_end - key));
        p = value_end + (value_end < end);
    }
}

/* ---- the whole ---- */

static void add_kind(struct buf *out, const struct doc *d)
{
    buf_printf(out, "\"kind\":\"%s\"", doc_kind_name(d->kind));
    if (d->title && *d->title) {
        buf_adds(out, ",\"title\":");
        json_quote(out, d->title, strlen(d->title));
    }
}

static void add_found(struct buf *out, const struct doc *d)
{
    if (d->language) {
        add_member(out, "\"language\":", 11);
        json_quote(out, d->language, strlen(d->language));
    }
    if (d->scores.n > 0) {
        add_member(out, "\"curate\":{", 10);
        buf_add(out, d->scores.p, d->scores.n);
        buf_addc(out, '}');
    }
}

static struct span metadata_of(const struct doc *d, struct buf *scratch)
{
    /* a page with metadata comes from a crawl, which knows its address, but not what it is */
    bool page = d->kind == RAW_HTML || d->kind == RAW_TEXT || d->kind == RAW_MARKDOWN;
    bool found = d->language || d->scores.n > 0 || page;

    if (d->metadata && !found)
        return span_of(d->metadata);
    if (d->metadata == NULL && d->kind == RAW_JSONL && !found)
        return (struct span){ NULL, 0 };
    buf_clear(scratch);
    buf_addc(scratch, '{');
    if (page || (d->metadata == NULL && d->kind != RAW_JSONL))
        add_kind(scratch, d);
    if (d->metadata)
        add_own(scratch, d);
    add_found(scratch, d);
    buf_addc(scratch, '}');
    return (struct span){ scratch->p, scratch->n };
}

struct document doc_print(const struct doc *d, struct buf *scratch)
{
    return (struct document){
        .id = span_of(d->id),
        .text = { d->text.p, d->text.n },
        .source = span_or_none(d->source),
        .created = span_or_none(d->created),
        .metadata = metadata_of(d, scratch),
    };
}
