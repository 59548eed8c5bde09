/*
 * XML of which chosen elements are documents, by the item's options:
 *
 *   elements  names, or paths of them from the outside in ("QAPair/Answer"), compared without prefixes; "*" is the
 *             root. What stands in a document's element is no document of its own.
 *   id        the words of the option with each @NAME replaced by that attribute of the element or the nearest one
 *             around it ("@id/@pid"); where one is missing, and without the option, an id is FILE#NUMBER.
 *   metadata  @NAME as for id; NAME: the text of the last such element that ended before the document's own element
 *             did, inside of an element that was still open then: a sibling before it, one of its ancestors', a child.
 *
 * One look at each byte. Memory is one document, and for each open element the values that the options name, each
 * cut at VALUE_MAX bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "curate/source/source_part.h"
#include "curate/source/xml_scan.h"

#define VALUE_MAX 8192

/* A value that an option names: it holds while an element of that depth is open. */
struct kept {
    size_t key;               /* of xml_level.keys */
    int depth;
    struct span value;        /* owned */
};

struct xml_level {
    struct level *l;
    struct xml_scan *scan;
    char **keys;              /* "@pid", "Focus": what the options name, once each */
    size_t key_count;
    struct kept *kept;        /* the deepest last */
    size_t kept_count, kept_cap;
    struct buf path;          /* "/QAPairs/QAPair": local names of the open elements */
    size_t starts[XML_DEPTH + 1];
    struct xml_text text;
    int document;             /* depth of the element whose text is gathered; 0: none */
    bool finished;            /* that element has ended */
    uint64_t number;
    struct xml_text note;     /* of an element that metadata names */
    int noting;               /* its depth; 0: none */
    size_t note_key;
};

/* ---- what the options name ---- */

static void add_key(struct xml_level *x, const char *p, size_t n)
{
    for (size_t i = 0; i < x->key_count; i++)
        if (strlen(x->keys[i]) == n && memcmp(x->keys[i], p, n) == 0)
            return;
    x->keys = mem_grow(x->keys, x->key_count + 1, sizeof *x->keys);
    x->keys[x->key_count] = mem_alloc(n + 1);
    memcpy(x->keys[x->key_count++], p, n);
}

/* "@pid" at p: its length; an attribute's name ends before white space and / # | , @ */
static size_t reference_length(const char *p) { return 1 + strcspn(p + 1, "/#|,@ \t"); }

static void name_keys(struct xml_level *x, const struct source_item *item)
{
    for (size_t i = 0; i < item->metadata.count; i++)
        add_key(x, item->metadata.v[i], strlen(item->metadata.v[i]));
    for (const char *p = item->id_key; p != NULL && (p = strchr(p, '@')) != NULL; p++)
        add_key(x, p, reference_length(p));
}

static const struct kept *find(const struct xml_level *x, const char *p, size_t n)
{
    for (size_t i = x->kept_count; i > 0; i--) {
        const char *key = x->keys[x->kept[i - 1].key];

        if (strlen(key) == n && memcmp(key, p, n) == 0)
            return &x->kept[i - 1];
    }
    return NULL;
}

/* Values deeper than depth are forgotten. */
static void forget(struct xml_level *x, int depth)
{
    while (x->kept_count > 0 && x->kept[x->kept_count - 1].depth > depth)
        free((char *)x->kept[--x->kept_count].value.p);
}

static void keep(struct xml_level *x, size_t key, int depth, struct span value)
{
    struct kept *k = NULL;

    for (size_t i = x->kept_count; i > 0 && x->kept[i - 1].depth == depth; i--)
        if (x->kept[i - 1].key == key)
            k = &x->kept[i - 1];
    if (k == NULL) {
        if (x->kept_count == x->kept_cap) {
            x->kept_cap = x->kept_cap ? 2 * x->kept_cap : 16;
            x->kept = mem_grow(x->kept, x->kept_cap, sizeof *x->kept);
        }
        k = &x->kept[x->kept_count++];
        *k = (struct kept){ .key = key, .depth = depth };
    }
    free((char *)k->value.p);
    k->value.n = value.n < VALUE_MAX ? value.n : VALUE_MAX;
    while (k->value.n < value.n && k->value.n > 0 && ((unsigned char)value.p[k->value.n] & 0xC0) == 0x80)
        k->value.n--;
    k->value.p = memcpy(mem_alloc(k->value.n + 1), value.p ? value.p : "", k->value.n);
}

/* ---- events ---- */

/* Does the path of open elements end with this one ("QAPair/Answer")? "*": is it the root? */
static bool path_ends(const struct xml_level *x, const char *with, int depth)
{
    size_t n = strlen(with);

    if (strcmp(with, "*") == 0)
        return depth == 1;
    while (n > 0 && *with == '/')
        with++, n--;
    return n > 0 && x->path.n > n && memcmp(x->path.p + x->path.n - n, with, n) == 0 &&
           x->path.p[x->path.n - n - 1] == '/';
}

static void note_attributes(struct xml_level *x, const struct xml_tag *tag)
{
    for (size_t k = 0; k < x->key_count; k++)
        for (size_t i = 0; x->keys[k][0] == '@' && i < tag->count; i++)
            if (span_eq(tag->attributes[i].name, x->keys[k] + 1)) {
                keep(x, k, tag->depth, tag->attributes[i].value);
                break;
            }
}

static void begin_note(struct xml_level *x, struct span local, int depth)
{
    for (size_t k = 0; x->noting == 0 && k < x->key_count; k++)
        if (span_eq(local, x->keys[k])) {
            xml_text_begin(&x->note, VALUE_MAX * 2);
            x->noting = depth;
            x->note_key = k;
        }
}

static void on_open(void *ctx, const struct xml_tag *tag)
{
    struct xml_level *x = ctx;
    const struct source_item *item = source_item_of(x->l->source);
    struct span local = xml_local(tag->name);

    forget(x, tag->depth - 1);
    x->starts[tag->depth] = x->path.n;
    buf_addc(&x->path, '/');
    buf_add(&x->path, local.p, local.n);
    note_attributes(x, tag);
    if (x->noting != 0)
        xml_text_tag(&x->note, tag->name);
    else
        begin_note(x, local, tag->depth);
    if (x->document != 0) {
        xml_text_tag(&x->text, tag->name);
        return;
    }
    for (size_t i = 0; x->document == 0 && i < item->elements.count; i++)
        if (path_ends(x, item->elements.v[i], tag->depth)) {
            x->document = tag->depth;
            x->number++;
            xml_text_begin(&x->text, x->l->source->limits.max_document);
        }
}

static void on_close(void *ctx, struct span name, int depth)
{
    struct xml_level *x = ctx;

    forget(x, depth);
    if (x->noting == depth) {
        if (x->document != depth) {      /* the document's own text is no note about it */
            forget(x, depth - 1);
            keep(x, x->note_key, depth - 1, (struct span){ x->note.out.p, x->note.out.n });
        }
        x->noting = 0;
    } else if (x->noting != 0) {
        xml_text_tag(&x->note, name);
    }
    if (x->document == depth) {
        x->finished = true;
        xml_scan_pause(x->scan);      /* its document is made before its attributes are forgotten */
    } else if (x->document != 0) {
        xml_text_tag(&x->text, name);
    }
    x->path.n = x->starts[depth];
    if (x->path.p != NULL)
        x->path.p[x->path.n] = 0;
}

static void on_text(void *ctx, struct span text)
{
    struct xml_level *x = ctx;

    if (x->document != 0)
        xml_text_add(&x->text, text);
    if (x->noting != 0)
        xml_text_add(&x->note, text);
}

/* ---- documents ---- */

static char *xml_metadata(const struct xml_level *x)
{
    struct opt_list wanted = source_item_of(x->l->source)->metadata;
    struct buf json = { 0 };

    if (wanted.count == 0)
        return NULL;
    buf_adds(&json, "{\"kind\":\"xml\"");
    for (size_t i = 0; i < wanted.count; i++) {
        const struct kept *k = find(x, wanted.v[i], strlen(wanted.v[i]));

        const char *name = wanted.v[i] + (*wanted.v[i] == '@');

        if (k != NULL && strcmp(name, "kind") != 0 && (name == wanted.v[i] || !list_has(wanted, span_of(name))))
            metadata_add(&json, span_of(name), k->value);
    }
    buf_addc(&json, '}');
    return json.p;
}

/* The option's id with its references replaced; NULL where one has no value. */
static char *named_id(const struct xml_level *x)
{
    const char *p = source_item_of(x->l->source)->id_key;
    struct buf id = { 0 }, clean = { 0 };

    while (p != NULL && *p != 0) {
        size_t n = *p == '@' ? reference_length(p) : strcspn(p, "@");
        const struct kept *k = *p == '@' ? find(x, p, n) : NULL;

        if (*p == '@' && (k == NULL || k->value.n == 0)) {
            buf_release(&id);
            return NULL;
        }
        buf_add(&id, k ? k->value.p : p, k ? k->value.n : n);
        p += n;
    }
    if (id.n > 0)
        utf8_repair(&clean, id.p, id.n);
    buf_release(&id);
    return clean.p;
}

static struct raw_document *finish(struct xml_level *x)
{
    struct level *l = x->l;
    struct raw_document *doc = NULL;
    char *id = x->document == 1 ? mem_strdup(l->id) : source_numbered_id(l->id, x->number);

    if (x->text.too_long) {
        source_outcome(l->source, SOURCE_SIZE, id);
    } else if (content_blank(x->text.out.p, x->text.out.n)) {
        source_outcome(l->source, SOURCE_EMPTY, id);
    } else {
        doc = source_document(l->source, RAW_XML, id, &x->text.out);
        doc->line_id = named_id(x);
        doc->metadata = xml_metadata(x);
    }
    free(id);
    return doc;
}

static void tell_fault(struct xml_level *x)
{
    char line[32];
    char *place, *id;

    snprintf(line, sizeof line, "%" PRIu64 ": ", xml_scan_line(x->scan));
    place = source_make_id(x->l->id, ":", line);
    id = source_make_id(place, "", xml_scan_fault(x->scan));
    source_outcome(x->l->source, SOURCE_BAD_XML, id);
    free(place);
    free(id);
}

static struct raw_document *xml_step(struct level *l)
{
    struct xml_level *x = l->state;
    struct span s = input_next(l->in);
    struct raw_document *doc = NULL;

    if (l->in->failed) {
        l->dead = true;
        return NULL;
    }
    if (s.n == 0)
        xml_scan_end(x->scan);
    else
        input_unread(l->in, s.n - xml_scan_take(x->scan, s));
    if (x->finished) {
        doc = finish(x);
        x->finished = false;
        x->document = 0;
    }
    if (xml_scan_fault(x->scan) != NULL)
        tell_fault(x);
    l->dead = s.n == 0 || xml_scan_fault(x->scan) != NULL;
    return doc;
}

static void xml_close(struct level *l)
{
    struct xml_level *x = l->state;

    forget(x, -1);
    free(x->kept);
    for (size_t i = 0; i < x->key_count; i++)
        free(x->keys[i]);
    free(x->keys);
    buf_release(&x->path);
    buf_release(&x->text.out);
    buf_release(&x->note.out);
    xml_scan_free(x->scan);
    free(x);
}

static const struct level_kind xml_level = { xml_step, xml_close };

void xml_level_open(struct source *s, struct input *in, const char *id)
{
    static const struct xml_handler handler = { on_open, on_close, on_text };
    struct level *l;
    struct xml_level *x;

    if (source_item_of(s)->elements.count == 0) {
        input_free(in);
        source_outcome(s, SOURCE_UNNAMED, id);
        return;
    }
    l = source_push(s, &xml_level, in, id);
    x = mem_alloc(sizeof *x);
    l->state = x;
    x->l = l;
    x->scan = xml_scan_new(&handler, x, source_item_of(s)->encoding);
    name_keys(x, source_item_of(s));
}
