#include "curate/source/source_payload.h"

#include <ctype.h>
#include <strings.h>

#define ID_MAX 1000

bool record_is_document(struct span head)
{
    struct span type = field_of(head, "WARC-Type");

    return word_is(type, "response") || word_is(type, "resource") || word_is(type, "conversion");
}

/* --- what it is --- */

static bool says_nothing(struct span type)
{
    static const char *const words[] = {
        "application/octet-stream", "application/http", "application/unknown", "unknown/unknown", "unknown",
        "content/unknown", "no-type", "*/*", "text", "text/*", "none", NULL,
    };

    for (int i = 0; words[i] != NULL; i++)
        if (word_is(type, words[i]))
            return true;
    return memchr(type.p != NULL ? type.p : "", '/', type.n) == NULL;
}

static enum source_outcome by_type(struct span type, enum raw_kind *kind)
{
    static const struct {
        const char *type;
        enum raw_kind kind;
    } known[] = {
        { "text/html", RAW_HTML }, { "application/xhtml+xml", RAW_HTML },
        { "application/vnd.wap.xhtml+xml", RAW_HTML }, { "text/plain", RAW_TEXT },
        { "text/markdown", RAW_MARKDOWN }, { "text/x-markdown", RAW_MARKDOWN },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (word_is(type, known[i].type)) {
            *kind = known[i].kind;
            return SOURCE_OUTCOME_COUNT;
        }
    return SOURCE_SKIPPED;
}

static struct content look_at(const struct buf *body)
{
    struct span head = { body->p, body->n < CONTENT_HEAD ? body->n : CONTENT_HEAD };

    return content_of(head, body->n <= CONTENT_HEAD, "");
}

/* UTF-16 and UTF-32 become UTF-8. */
static struct content look_at_wide(struct buf *body)
{
    struct buf utf8 = { 0 };

    content_narrow((struct span){ body->p, body->n }, &utf8);
    buf_release(body);
    *body = utf8;
    return look_at(body);
}

/* SOURCE_OUTCOME_COUNT: a document of that kind. */
static enum source_outcome kind_of(struct span type, struct buf *body, enum raw_kind *kind)
{
    struct content c = look_at(body);

    if (c.kind == CONTENT_WIDE)
        c = look_at_wide(body);
    if (c.kind == CONTENT_EMPTY || content_blank(body->p, body->n))
        return SOURCE_EMPTY;
    if (!says_nothing(type) && by_type(type, kind) != SOURCE_OUTCOME_COUNT)
        return SOURCE_SKIPPED;
    if (c.kind == CONTENT_BINARY || c.kind == CONTENT_ARCHIVE)
        return SOURCE_BINARY;
    if (!says_nothing(type))
        return SOURCE_OUTCOME_COUNT;
    *kind = c.kind == CONTENT_HTML ? RAW_HTML : c.kind == CONTENT_MARKDOWN ? RAW_MARKDOWN : RAW_TEXT;
    return c.kind == CONTENT_TEXT || c.kind == CONTENT_MARKDOWN || c.kind == CONTENT_HTML ?
           SOURCE_OUTCOME_COUNT : SOURCE_SKIPPED;
}

/* --- what it says of itself --- */

/* "<urn:uuid:...>" without its brackets; NULL where it is no plain word. */
static char *record_id(struct span head)
{
    struct span id = field_of(head, "WARC-Record-ID");

    if (id.n > 1 && id.p[0] == '<' && id.p[id.n - 1] == '>')
        id = (struct span){ id.p + 1, id.n - 2 };
    for (size_t i = 0; i < id.n; i++)
        if ((unsigned char)id.p[i] <= ' ' || id.p[i] == 127)
            return NULL;
    return id.n <= ID_MAX && utf8_valid(id.p, id.n) ? source_copy(id) : NULL;
}

static char *record_date(struct span head)
{
    struct span date = field_of(head, "WARC-Date");

    for (size_t i = 0; i < date.n; i++)
        if (!isdigit((unsigned char)date.p[i]) && strchr("-:TZ.+", date.p[i]) == NULL)
            return NULL;
    return date.n >= 4 && date.n <= 40 ? source_copy(date) : NULL;
}

static void add_field(struct buf *to, const char *name, struct span value)
{
    if (value.n > 0)
        metadata_add(to, span_of(name), value);
}

static char *describe(const struct record *r, const struct http_message *m, struct span type, bool cut)
{
    struct span url = field_of(r->head, "WARC-Target-URI"), why = field_of(r->head, "WARC-Truncated");
    struct buf to = { 0 };

    if (url.n > 1 && url.p[0] == '<' && url.p[url.n - 1] == '>')
        url = (struct span){ url.p + 1, url.n - 2 };
    buf_addc(&to, '{');
    add_field(&to, "url", url);
    add_field(&to, "content_type", type);
    if (m->status > 0)
        buf_printf(&to, "%s\"http_status\":%d", to.n > 1 ? "," : "", m->status);
    add_field(&to, "languages", field_of(r->head, "WARC-Identified-Content-Language"));
    add_field(&to, "truncated", cut && why.n == 0 ? span_of("unexpectedly") : why);
    buf_addc(&to, '}');
    return to.p;
}

/* --- the document --- */

/* The body as it was before it was sent; false: counted. */
static bool body_of(struct source *s, const struct record *r, const struct http_message *m, struct buf *body, bool *cut)
{
    struct http_limits limits = { .most = (size_t)s->limits.max_document };
    enum http_body got = http_decode(m, &limits, body);

    s->expanded += limits.expanded;
    *cut = r->cut || got == HTTP_CUT;
    if (s->expanded > s->limits.max_expanded) {
        source_outcome(s, SOURCE_SIZE, s->file_id);
        s->abandon = true;
        return false;
    }
    if (got == HTTP_UNKNOWN)
        source_outcome(s, SOURCE_ENCODING, r->id);
    else if (limits.expanded > RATIO_FROM && (double)limits.expanded > s->limits.max_ratio * (double)m->body.n)
        source_outcome(s, SOURCE_RATIO, r->id);
    else if (got == HTTP_TOO_LARGE || body->n > s->limits.max_document)
        source_outcome(s, SOURCE_SIZE, r->id);
    else
        return true;
    return false;
}

static bool is_http(const struct record *r)
{
    struct span type = media_of(field_of(r->head, "Content-Type")).type;

    return word_is(type, "application/http") ||
           (type.n == 0 && r->n > 5 && strncasecmp(r->block, "HTTP/", 5) == 0);
}

static struct raw_document *make_document(struct source *s, const struct record *r, const struct http_message *m,
                                          struct buf *body, bool cut)
{
    struct media media = media_of(field_of(m->status > 0 ? m->head : r->head, "Content-Type"));
    enum raw_kind kind = RAW_TEXT;
    enum source_outcome why;
    struct raw_document *d;
    size_t bom;

    if (says_nothing(media.type))
        media.type = field_of(r->head, "WARC-Identified-Payload-Type");
    why = kind_of(media.type, body, &kind);
    if (why != SOURCE_OUTCOME_COUNT) {
        source_outcome(s, why, r->id);
        return NULL;
    }
    bom = kind == RAW_HTML ? 0 : content_bom(body->p, body->n);
    body->n -= bom;
    memmove(body->p, body->p + bom, body->n + 1);
    if (cut)
        source_outcome(s, SOURCE_CUT_RECORD, r->id);
    d = source_document(s, kind, r->id, body);
    d->line_id = record_id(r->head);
    d->created = record_date(r->head);
    d->charset = source_copy(media.charset);
    d->metadata = describe(r, m, media.type, cut);
    return d;
}

struct raw_document *record_document(struct source *s, const struct record *r)
{
    struct http_message m = { .body = { r->block, r->n } };
    struct raw_document *d = NULL;
    struct buf body = { 0 };
    bool cut = false;

    if (is_http(r))
        m = http_parse(r->block, r->n);
    if (m.status > 0 && (m.status < 200 || m.status > 299))
        source_outcome(s, SOURCE_HTTP_STATUS, r->id);
    else if (body_of(s, r, &m, &body, &cut))
        d = make_document(s, r, &m, &body, cut);
    buf_release(&body);
    return d;
}
