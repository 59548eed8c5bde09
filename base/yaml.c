/* Reading YAML: libyaml's events become a tree, with an explicit stack in place of recursion. */
#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/str.h"
#include "base/yaml_source.h"

#define DEPTH_LIMIT 64
#define SIZE_LIMIT (4u << 20)

/* A collection that is not closed yet. Its finished children wait in reader.pending from `first`
 * on; a map's are key, value, key, value. */
struct open_node {
    struct yaml *node;
    size_t first;
};

struct reader {
    struct arena *arena;
    struct yaml_source *source;
    yaml_parser_t parser;
    struct open_node open[DEPTH_LIMIT];
    int depth;
    struct yaml **pending;
    size_t count, room;
    struct yaml *root;
};

static struct yaml_place place_of_mark(const yaml_mark_t *m)
{
    return (struct yaml_place){ (int)m->line + 1, (int)m->column + 1 };
}

/* ---- libyaml's errors in our words ---- */

struct wording {
    const char *theirs, *ours;
};
static const struct wording wordings[] = {
    { "did not find expected key",
      "want 'name: value' here; the indentation or the text in front does not fit" },
    { "did not find expected '-' indicator", "want '- ' or less indentation here" },
    { "mapping values are not allowed in this context",
      "':' is not allowed here; put text that holds ': ' in quotes" },
    { "could not find expected ':'", "want ': ' behind this key" },
    { "did not find expected ',' or ']'", "want ',' or ']'" },
    { "did not find expected ',' or '}'", "want ',' or '}'" },
    { "did not find expected node content", "want a value here" },
    { "found character that cannot start any token",
      "a value cannot begin with this sign; put it in quotes" },
    { "block sequence entries are not allowed in this context",
      "'- ' is not allowed here; begin the list on a line of its own" },
    { "mapping keys are not allowed in this context", "'? ' is not allowed here" },
    { "found unknown escape character",
      "unknown escape in double quotes; write \\\\ for a backslash" },
    { "did not find expected comment or line break", "want the end of the line here" },
    { "did not find expected <document start>", "want the end of the file here" },
};

static const char *our_words(const char *theirs)
{
    for (size_t i = 0; i < sizeof wordings / sizeof *wordings; i++)
        if (strcmp(theirs, wordings[i].theirs) == 0)
            return wordings[i].ours;
    return theirs;
}

static bool only_space_from(const struct yaml_source *s, size_t offset)
{
    return offset + strspn(s->text + offset, " \t\r\n") == s->n;
}

/* Something that was opened and never closed is told at its beginning; ST_OK if
 * that is not the fault. */
static enum status never_closed(const struct reader *r, const char *context)
{
    const struct yaml_source *s = r->source;

    if (strstr(context, "quoted scalar"))
        return yaml_fail_at(s, place_of_mark(&r->parser.context_mark),
                            "this quote is never closed");
    if (strstr(context, "flow") == NULL)
        return ST_OK;
    for (int i = r->depth; i-- > 0;) {
        const struct yaml *node = r->open[i].node;
        char c = s->text[yaml_offset_of(s, (struct yaml_place){ node->line, node->column })];
        if (c == '[' || c == '{')
            return yaml_fail(node, "this '%c' is never closed", c);
    }
    return ST_OK;
}

static enum status syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const struct yaml_source *s = r->source;
    const char *context = p->context ? p->context : "";
    struct yaml_place at = place_of_mark(&p->problem_mark);
    size_t offset = yaml_offset_of(s, at);
    struct yaml_place begin = place_of_mark(&p->context_mark);

    if (p->error == YAML_MEMORY_ERROR)
        return fail(ST_NOMEM, "reading '%s'", s->name);
    if (p->error == YAML_READER_ERROR)
        return yaml_fail_at(s,
                            yaml_place_of(s, p->problem_offset < s->n ? p->problem_offset : s->n),
                            "%s", p->problem);
    if (offset < s->n && s->text[offset] == '\t')
        return yaml_fail_at(s, at, "tab used for indentation; YAML wants spaces");
    if (only_space_from(s, offset))
        TRY(never_closed(r, context));
    if (strstr(context, "simple key"))
        return yaml_fail_at(s, begin, "%s", our_words(p->problem));
    if (*context && begin.line != at.line)
        return yaml_fail_at(s, at, "%s (%s begins on line %d)", our_words(p->problem),
                            strstr(context, "mapping") ? "the map" : "the list", begin.line);
    return yaml_fail_at(s, at, "%s", our_words(p->problem));
}

/* ---- bytes ---- */

static bool allowed(uint32_t cp)
{
    if (cp < 0x20)
        return cp == '\t' || cp == '\n' || cp == '\r';
    if (cp >= 0x7F && cp < 0xA0)
        return false;
    return cp != 0xFEFF && cp != 0xFFFE && cp != 0xFFFF;
}

/* Line ends in YAML 1.1 (libyaml) and plain text in 1.2: text with one of them would
 * be changed silently. */
static bool ambiguous(uint32_t cp) { return cp == 0x85 || cp == 0x2028 || cp == 0x2029; }

static enum status check_bytes(const struct yaml_source *s)
{
    const char *end = s->text + s->n;
    uint32_t cp;

    for (const char *p = s->text; p < end;) {
        size_t n = utf8_decode(p, end, &cp);
        struct yaml_place at;
        if (n > 0 && allowed(cp) && !ambiguous(cp)) {
            p += n;
            continue;
        }
        at = yaml_place_of(s, (size_t)(p - s->text));
        if (n == 0)
            return yaml_fail_at(s, at, "the byte 0x%02X is not UTF-8", (unsigned char)*p);
        if (ambiguous(cp))
            return yaml_fail_at(s, at,
                                "U+%04X is not allowed as it stands; "
                                "write \"\\u%04x\" in double quotes",
                                cp, cp);
        return yaml_fail_at(s, at, "the control character U+%04X is not allowed", cp);
    }
    return ST_OK;
}

/* ---- the tree ---- */

static struct yaml *new_node(struct reader *r, enum yaml_kind kind, const yaml_event_t *e)
{
    struct yaml *node = arena_new(r->arena, struct yaml);
    struct yaml_place at = place_of_mark(&e->start_mark);

    node->kind = kind;
    node->line = at.line;
    node->column = at.column;
    node->source = r->source;
    return node;
}

/* True while the next node is a key of the innermost collection. */
static bool wants_key(const struct reader *r)
{
    const struct open_node *top = r->open + r->depth;

    if (r->depth == 0)
        return false;
    top--;
    return top->node->kind == YAML_MAP && (r->count - top->first) % 2 == 0;
}

static void add_node(struct reader *r, struct yaml *node)
{
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    if (r->count == r->room) {
        r->room *= 2;
        r->pending = mem_grow(r->pending, r->room, sizeof *r->pending);
    }
    r->pending[r->count++] = node;
}

static enum status refuse_extras(const struct yaml *node, const unsigned char *anchor,
                                 const unsigned char *tag)
{
    if (anchor != NULL)
        return yaml_fail(node,
                         "anchors are not supported ('&%s'); write the value where it is used",
                         (const char *)anchor);
    if (tag != NULL)
        return yaml_fail(node, "tags ('!...') are not supported; leave it out");
    return ST_OK;
}

static enum status check_key(const struct yaml *key)
{
    if (key->plain && *key->text == 0)
        return yaml_fail(key, "want a key in front of ':'");
    if (key->plain && strcmp(key->text, "<<") == 0)
        return yaml_fail(key, "merge keys ('<<') are not supported; write the keys out");
    return ST_OK;
}

static enum status add_scalar(struct reader *r, const yaml_event_t *e)
{
    struct yaml *node = new_node(r, YAML_SCALAR, e);
    const char *value = (const char *)e->data.scalar.value;
    size_t n = e->data.scalar.length;

    TRY(refuse_extras(node, e->data.scalar.anchor, e->data.scalar.tag));
    if (memchr(value, 0, n) != NULL)
        return yaml_fail(node, "text with a NUL ('\\0') is not allowed");
    node->text = arena_strndup(r->arena, value, n);
    node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (wants_key(r))
        TRY(check_key(node));
    add_node(r, node);
    return ST_OK;
}

static enum status open_collection(struct reader *r, enum yaml_kind kind, const yaml_event_t *e)
{
    struct yaml *node = new_node(r, kind, e);
    bool map = kind == YAML_MAP;

    TRY(refuse_extras(node, map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor,
                      map ? e->data.mapping_start.tag : e->data.sequence_start.tag));
    if (wants_key(r))
        return yaml_fail(node, "a key must be a word, found %s", map ? "a map" : "a list");
    if (r->depth == DEPTH_LIMIT)
        return yaml_fail(node, "nested deeper than %d", DEPTH_LIMIT);
    r->open[r->depth++] = (struct open_node){ node, r->count };
    return ST_OK;
}

static int by_text_and_place(const void *va, const void *vb)
{
    const struct yaml *a = *(struct yaml *const *)va, *b = *(struct yaml *const *)vb;
    int order = strcmp(a->text, b->text);

    if (order == 0)
        order = a->line != b->line ? (a->line > b->line) - (a->line < b->line)
                                   : (a->column > b->column) - (a->column < b->column);
    return order;
}

/* Sorts a copy of the keys, so that a map of a million keys is no trouble. */
static enum status refuse_duplicates(const struct yaml *map)
{
    const struct yaml **sorted, *first = NULL, *second = NULL;

    if (map->count < 2)
        return ST_OK;
    sorted = mem_array(map->count, sizeof *sorted);
    memcpy(sorted, map->keys, map->count * sizeof *sorted);
    qsort(sorted, map->count, sizeof *sorted, by_text_and_place);
    for (size_t i = 1; i < map->count && second == NULL; i++)
        if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0) {
            first = sorted[i - 1];
            second = sorted[i];
        }
    free(sorted);
    if (second == NULL)
        return ST_OK;
    return yaml_fail(second, "the key '%s' is given twice; first on line %d", second->text,
                     first->line);
}

static enum status close_collection(struct reader *r)
{
    struct open_node *top = &r->open[--r->depth];
    struct yaml *node = top->node, **child = r->pending + top->first;
    size_t n = r->count - top->first;
    bool map = node->kind == YAML_MAP;

    node->count = map ? n / 2 : n;
    node->items = arena_array(r->arena, node->count, sizeof *node->items);
    if (map)
        node->keys = arena_array(r->arena, node->count, sizeof *node->keys);
    for (size_t i = 0; i < node->count; i++) {
        if (map)
            node->keys[i] = *child++;
        node->items[i] = *child++;
    }
    r->count = top->first;
    if (map)
        TRY(refuse_duplicates(node));
    add_node(r, node);
    return ST_OK;
}

/* ---- events ---- */

static enum status start_document(struct reader *r, const yaml_event_t *e)
{
    struct yaml_place at = place_of_mark(&e->start_mark);

    if (r->root != NULL)
        return yaml_fail_at(r->source, at, "a second document begins here; want one a file");
    if (e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end)
        return yaml_fail_at(r->source, at, "tags are not supported; leave the %%TAG line out");
    return ST_OK;
}

static enum status take_event(struct reader *r, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT: return start_document(r, e);
    case YAML_SCALAR_EVENT: return add_scalar(r, e);
    case YAML_MAPPING_START_EVENT: return open_collection(r, YAML_MAP, e);
    case YAML_SEQUENCE_START_EVENT: return open_collection(r, YAML_LIST, e);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: return close_collection(r);
    case YAML_ALIAS_EVENT:
        return yaml_fail_at(r->source, place_of_mark(&e->start_mark),
                            "aliases are not supported ('*%s'); write the value out",
                            (const char *)e->data.alias.anchor);
    default: return ST_OK;
    }
}

static enum status read_events(struct reader *r)
{
    enum status st = ST_OK;
    bool ended = false;

    while (st == ST_OK && !ended) {
        yaml_event_t e;
        if (!yaml_parser_parse(&r->parser, &e))
            return syntax_error(r);
        ended = e.type == YAML_STREAM_END_EVENT;
        st = take_event(r, &e);
        yaml_event_delete(&e);
    }
    return st;
}

/* An empty document is an empty map. */
static struct yaml *empty_map(struct reader *r)
{
    struct yaml *map = arena_new(r->arena, struct yaml);

    *map = (struct yaml){ .kind = YAML_MAP, .line = 1, .column = 1, .source = r->source };
    return map;
}

static struct yaml_source *new_source(struct arena *a, const char *name, const char *text, size_t n)
{
    struct yaml_source *s = arena_new(a, struct yaml_source);

    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        n -= 3;
    }
    s->name = arena_strdup(a, name);
    s->text = n > 0 ? arena_strndup(a, text, n) : "";
    s->n = n;
    return s;
}

enum status yaml_parse(struct arena *a, const char *name, const char *text, size_t n,
                       struct yaml **out)
{
    struct reader r = { .arena = a, .room = 64 };
    enum status st;

    *out = NULL;
    if (n > SIZE_LIMIT)
        return fail(ST_CONFIG, "%s: %zu bytes of YAML, want at most %u", name, n, SIZE_LIMIT);
    r.source = new_source(a, name, text, n);
    TRY(check_bytes(r.source));
    if (!yaml_parser_initialize(&r.parser))
        return fail(ST_NOMEM, "reading '%s'", name);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.source->text, r.source->n);
    r.pending = mem_array(r.room, sizeof *r.pending);
    st = read_events(&r);
    yaml_parser_delete(&r.parser);
    free(r.pending);
    if (st != ST_OK)
        return st;
    if (r.root == NULL || (r.root->kind == YAML_SCALAR && r.root->plain && *r.root->text == 0))
        r.root = empty_map(&r);
    *out = r.root;
    return ST_OK;
}

enum status yaml_read_file(struct arena *a, const char *path, struct yaml **out)
{
    struct buf text = { 0 };
    enum status st;

    *out = NULL;
    st = file_read(path, SIZE_LIMIT, &text);
    if (st == ST_OK)
        st = yaml_parse(a, path, text.p, text.n, out);
    buf_release(&text);
    return st;
}

struct yaml *yaml_get(const struct yaml *map, const char *key)
{
    if (map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}
