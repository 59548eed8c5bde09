/*
 * FHIR: clinical text out of resources, one a line (the NDJSON of a bulk export) or a file (a resource, a Bundle).
 *
 *   attachments   of DocumentReference, DiagnosticReport, Communication, and Binary: text/plain and Markdown are
 *                 documents, HTML is one that `extract` makes text of; any other kind is counted, as is one that is not
 *                 in the resource but at a URL
 *   narrative     text.div, sections, notes and the members in text_members[] of the types in narrative_types[]: one
 *                 document a resource, a part that repeats another left out
 *
 * Metadata has the type, the patient (the reference by which all that is about one person can be found again), encounter,
 * kind of document and content type. An id is Type/ID, with /2, /3, ... for further documents of one resource.
 * Memory is one line or file (max_document) as a tree of values, and its documents.
 */
#include <stdio.h>
#include <strings.h>

#include "base/json.h"
#include "curate/source/source_part.h"
#include "curate/source/xml_scan.h"

#define SECTION_DEPTH 16
#define COMPARED_MAX 64   /* parts of a narrative that are looked for in what stands before them */
#define WORD_MAX 512      /* bytes of a value that goes into metadata */

static const char *const narrative_types[] = {
    "Observation", "DiagnosticReport", "Composition", "ClinicalImpression", "Condition", "Procedure", "CarePlan",
    "Communication", "FamilyMemberHistory", "AllergyIntolerance", NULL,
};
static const char *const text_members[] = { "conclusion", "valueString", "summary", "description", NULL };

struct fhir {
    struct level *l;
    bool lines;
    uint64_t line;
    struct raw_document **docs;      /* of the resources in hand */
    size_t count, at, cap;
};

/* One resource on its way. */
struct resource {
    struct fhir *fhir;
    const char *id;                  /* file#line */
    const json_t *json;
    const char *type;
    int documents, compared;
    bool told;                       /* why a part of it gave no document */
};

/* ---- values ---- */

static const json_t *element(const json_t *list, size_t i) { return json_array_get(list, i); }

static const char *reference_of(const json_t *resource, const char *member)
{
    const json_t *at = json_object_get(resource, member);
    const char *value = json_text(at, "reference");

    return *value != 0 ? value : json_text(json_object_get(at, "identifier"), "value");
}

static const char *concept_of(const json_t *concept)
{
    const char *text = json_text(concept, "text");

    return *text != 0 ? text : json_text(element(json_object_get(concept, "coding"), 0), "display");
}

static const char *first_of(const json_t *json, const char *const *members)
{
    for (; *members != NULL; members++)
        if (*json_text(json, *members) != 0)
            return json_text(json, *members);
    return "";
}

static void add_word(struct buf *out, const char *name, const char *value)
{
    size_t n = strlen(value);

    n = n < WORD_MAX ? n : WORD_MAX;
    while (n > 0 && value[n] != 0 && ((unsigned char)value[n] & 0xC0) == 0x80)
        n--;
    if (n > 0)
        metadata_add(out, span_of(name), (struct span){ value, n });
}

static char *resource_metadata(const struct resource *r, const char *content_type, const char *title)
{
    const json_t *context = json_object_get(r->json, "context");
    const char *patient = reference_of(r->json, "subject"), *encounter = reference_of(r->json, "encounter");
    const json_t *kind = json_object_get(r->json, "type");
    struct buf out = { 0 };

    if (*patient == 0)
        patient = reference_of(r->json, "patient");
    if (*encounter == 0)
        encounter = json_text(element(json_object_get(context, "encounter"), 0), "reference");
    buf_adds(&out, "{\"kind\":\"fhir\"");
    add_word(&out, "resourceType", r->type);
    add_word(&out, "patient", patient);
    add_word(&out, "encounter", encounter);
    add_word(&out, "type", concept_of(json_is_object(kind) ? kind : json_object_get(r->json, "code")));
    add_word(&out, "contentType", content_type);
    add_word(&out, "title", title);
    buf_addc(&out, '}');
    return out.p;
}

/* ---- documents ---- */

struct found {
    enum raw_kind kind;
    const char *content_type, *title;
    const char *charset;             /* of HTML, which says its own, too; NULL: none */
};

/* A document with these bytes (taken over), or the outcome that there is nothing in it. */
static void add_document(struct resource *r, const struct found *what, struct buf *bytes)
{
    static const char *const dates[] = { "date", "issued", "effectiveDateTime", "recordedDate", "performedDateTime",
                                         "sent", "created", NULL };
    struct fhir *f = r->fhir;
    const char *id = json_text(r->json, "id"), *date = first_of(r->json, dates);
    struct raw_document *doc;
    struct buf name = { 0 };

    if (content_blank(bytes->p, bytes->n)) {
        buf_release(bytes);
        source_outcome(f->l->source, SOURCE_EMPTY, r->id);
        r->told = true;
        return;
    }
    r->documents++;
    doc = source_document(f->l->source, what->kind, r->id, bytes);
    if (*id != 0) {
        buf_printf(&name, r->documents > 1 ? "%s/%.200s/%d" : "%s/%.200s", r->type, id, r->documents);
        doc->line_id = mem_alloc(name.n + 1);
        memcpy(doc->line_id, name.p, name.n);
        buf_clear(&name);
        utf8_repair(&name, doc->line_id, strlen(doc->line_id));
        free(doc->line_id);
        doc->line_id = name.p;
    }
    if (*date != 0 && strlen(date) < 64)
        doc->created = mem_strdup(date);
    doc->charset = what->charset != NULL ? mem_strdup(what->charset) : NULL;
    doc->metadata = resource_metadata(r, what->content_type, what->title);
    if (f->count == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 16;
        f->docs = mem_grow(f->docs, f->cap, sizeof *f->docs);
    }
    f->docs[f->count++] = doc;
}

/* ---- attachments ---- */

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Base64, also its URL form, with white space between; false: anything else. */
static bool base64_append(const char *p, struct buf *out)
{
    uint32_t bits = 0;
    int have = 0;

    for (; *p != 0 && *p != '='; p++) {
        int v = sextet(*p);

        if (v < 0 && strchr(" \t\r\n", *p) != NULL)
            continue;
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_addc(out, (char)(bits >> have & 0xff));
        }
    }
    return have < 6 && p[strspn(p, "= \t\r\n")] == 0;
}

/* "text/plain; charset=x": the type in lower case, and the charset ("": none). */
static void read_content_type(const char *s, char type[64], char charset[64])
{
    const char *at = strcasestr(s, "charset=");
    size_t n = strcspn(s, "; \t");

    type[0] = charset[0] = 0;
    for (size_t i = 0; i < n && i < 63; i++) {
        type[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 32 : s[i]);
        type[i + 1] = 0;
    }
    if (at == NULL)
        return;
    at += 8 + (at[8] == '"');
    n = strcspn(at, "\"; \t");
    if (n < 64) {
        memcpy(charset, at, n);
        charset[n] = 0;
    }
}

static void recode_bytes(const char *charset, struct buf *bytes)
{
    struct recode *r = *charset != 0 && strcasecmp(charset, "utf-8") != 0 ? recode_open(charset) : NULL;
    struct buf utf8 = { 0 };

    if (r == NULL)
        return;
    recode_add(r, (struct span){ bytes->p, bytes->n }, true, &utf8);
    recode_close(r);
    buf_release(bytes);
    *bytes = utf8;
}

static void take_attachment(struct resource *r, const json_t *attachment)
{
    const char *data = json_text(attachment, "data"), *said = json_text(attachment, "contentType");
    struct found what = { RAW_FHIR, said, json_text(attachment, "title"), NULL };
    struct buf bytes = { 0 };
    char type[64], charset[64];
    bool plain, html;

    read_content_type(said, type, charset);
    plain = *type == 0 || strcmp(type, "text/plain") == 0 || strcmp(type, "text/markdown") == 0;
    html = strcmp(type, "text/html") == 0 || strcmp(type, "application/xhtml+xml") == 0;
    if (*data == 0 || (!plain && !html) || !base64_append(data, &bytes) || memchr(bytes.p ? bytes.p : "", 0, bytes.n)) {
        buf_release(&bytes);
        source_outcome(r->fhir->l->source, SOURCE_ATTACHMENT, r->id);
        r->told = true;
        return;
    }
    if (html) {
        what.kind = RAW_HTML;
        what.charset = *charset != 0 ? charset : NULL;
    } else {
        recode_bytes(charset, &bytes);
    }
    add_document(r, &what, &bytes);
}

/* Of each item of the list, the attachment that stands in `member` (NULL: the item itself). */
static void take_attachments(struct resource *r, const json_t *list, const char *member)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *at = member ? json_object_get(element(list, i), member) : element(list, i);

        if (json_is_object(at))
            take_attachment(r, at);
    }
}

/* ---- narrative ---- */

static void on_tag(void *ctx, const struct xml_tag *tag) { xml_text_tag(ctx, tag->name); }
static void on_end(void *ctx, struct span name, int depth) { xml_text_tag(ctx, name); }
static void on_text(void *ctx, struct span text) { xml_text_add(ctx, text); }

static void add_part(struct resource *r, const char *p, size_t n, struct buf *out)
{
    while (n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL)
        n--;
    if (n == 0 || (out->n >= n && n > 8 && r->compared++ < COMPARED_MAX && memmem(out->p, out->n, p, n) != NULL))
        return;
    if (out->n > 0)
        buf_adds(out, "\n\n");
    buf_add(out, p, n);
}

static void add_div(struct resource *r, const json_t *text, struct buf *out)
{
    static const struct xml_handler handler = { on_tag, on_end, on_text };
    const char *div = json_text(text, "div");
    struct xml_text t = { 0 };
    struct xml_scan *scan;

    if (*div == 0)
        return;
    xml_text_begin(&t, r->fhir->l->source->limits.max_document);
    scan = xml_scan_new(&handler, &t, NULL);
    xml_scan_take(scan, span_of(div));
    xml_scan_end(scan);
    if (xml_scan_fault(scan) != NULL)
        source_outcome(r->fhir->l->source, SOURCE_BAD_XML, r->id);
    if (t.out.n > 0)
        add_part(r, t.out.p, t.out.n, out);
    xml_scan_free(scan);
    buf_release(&t.out);
}

static void add_sections(struct resource *r, const json_t *sections, int depth, struct buf *out)
{
    for (size_t i = 0; depth < SECTION_DEPTH && i < json_array_size(sections); i++) {
        const json_t *section = element(sections, i);
        size_t before = out->n, titled;
        const char *title = json_text(section, "title");

        add_part(r, title, strlen(title), out);
        titled = out->n;
        add_div(r, json_object_get(section, "text"), out);
        add_sections(r, json_object_get(section, "section"), depth + 1, out);
        if (out->n == titled && out->p != NULL)      /* a title with nothing below it */
            out->p[out->n = before] = 0;
    }
}

static void add_member(struct resource *r, const json_t *json, const char *member, struct buf *out)
{
    add_part(r, json_text(json, member), strlen(json_text(json, member)), out);
}

static void take_narrative(struct resource *r)
{
    const json_t *notes = json_object_get(r->json, "note"), *payload = json_object_get(r->json, "payload");
    struct found what = { RAW_FHIR, "", json_text(r->json, "title"), NULL };
    struct buf text = { 0 };

    add_sections(r, json_object_get(r->json, "section"), 0, &text);
    if (text.n == 0)
        add_div(r, json_object_get(r->json, "text"), &text);
    for (int i = 0; text_members[i] != NULL; i++)
        add_member(r, r->json, text_members[i], &text);
    for (size_t i = 0; i < json_array_size(notes); i++)
        add_member(r, element(notes, i), "text", &text);
    for (size_t i = 0; i < json_array_size(payload); i++)
        add_member(r, element(payload, i), "contentString", &text);
    if (text.n > 0)
        add_document(r, &what, &text);
    buf_release(&text);
}

/* ---- resources ---- */

static bool is_narrative(const char *type)
{
    for (int i = 0; narrative_types[i] != NULL; i++)
        if (strcmp(type, narrative_types[i]) == 0)
            return true;
    return false;
}

static void take_one(struct fhir *f, const json_t *json, const char *id)
{
    struct resource r = { .fhir = f, .id = id, .json = json, .type = json_text(json, "resourceType") };

    if (*r.type == 0 || strlen(r.type) > 64) {
        source_outcome(f->l->source, SOURCE_BAD_LINE, id);
        return;
    }
    if (strcmp(r.type, "Binary") == 0)
        take_attachment(&r, json);
    take_attachments(&r, json_object_get(json, "content"), "attachment");
    take_attachments(&r, json_object_get(json, "presentedForm"), NULL);
    take_attachments(&r, json_object_get(json, "payload"), "contentAttachment");
    if (is_narrative(r.type))
        take_narrative(&r);
    if (r.documents == 0 && !r.told)
        source_outcome(f->l->source, SOURCE_NO_TEXT, id);
}

static void take_bundle(struct fhir *f, const json_t *bundle, const char *id)
{
    const json_t *entries = json_object_get(bundle, "entry");
    char number[24];

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *resource = json_object_get(element(entries, i), "resource");
        char *entry;

        snprintf(number, sizeof number, "%zu", i + 1);
        entry = source_make_id(id, "/", number);
        if (json_is_object(resource))
            take_one(f, resource, entry);
        free(entry);
    }
}

static void take_text(struct fhir *f, struct span text, const char *id)
{
    size_t bom = content_bom(text.p, text.n);
    json_t *json = NULL;

    if (json_parse(text.p + bom, text.n - bom, "a resource", &json) != ST_OK || !json_is_object(json))
        source_outcome(f->l->source, SOURCE_BAD_LINE, id);
    else if (strcmp(json_text(json, "resourceType"), "Bundle") == 0)
        take_bundle(f, json, id);
    else
        take_one(f, json, id);
    json_decref(json);
}

/* ---- the level ---- */

static void read_line(struct level *l, struct fhir *f)
{
    enum jsonl_line end = jsonl_next_line(l);
    char *id;

    l->dead = end == JSONL_END;
    f->line++;
    if (end == JSONL_END || (end == JSONL_WHOLE && content_blank(l->line.p, l->line.n)))
        return;
    id = source_numbered_id(l->id, f->line);
    if (end == JSONL_WHOLE)
        take_text(f, (struct span){ l->line.p, l->line.n }, id);
    else
        source_outcome(l->source, SOURCE_SIZE, id);
    free(id);
}

static void read_file(struct level *l, struct fhir *f)
{
    if (f->line++ > 0) {
        l->dead = true;
        return;
    }
    if (input_all(l->in, l->source->limits.max_document, &l->line))
        take_text(f, (struct span){ l->line.p, l->line.n }, l->id);
    else if (!l->in->failed)
        source_outcome(l->source, SOURCE_SIZE, l->id);
}

static struct raw_document *fhir_step(struct level *l)
{
    struct fhir *f = l->state;

    if (f->at == f->count) {
        f->at = f->count = 0;
        if (f->lines)
            read_line(l, f);
        else
            read_file(l, f);
    }
    return f->at < f->count ? f->docs[f->at++] : NULL;
}

static void fhir_close(struct level *l)
{
    struct fhir *f = l->state;

    while (f->at < f->count)
        raw_document_free(f->docs[f->at++]);
    free(f->docs);
    free(f);
    buf_release(&l->line);
}

static const struct level_kind fhir_level = { fhir_step, fhir_close };

void fhir_level_open(struct source *s, struct input *in, const char *id, bool lines)
{
    struct level *l = source_push(s, &fhir_level, in, id);
    struct fhir *f = mem_alloc(sizeof *f);

    f->l = l;
    f->lines = lines;
    l->state = f;
}
