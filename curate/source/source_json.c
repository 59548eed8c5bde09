/* JSON files (`.json`) of sources that name the text's members: a list of objects, each a document as a line of JSON
 * lines would be; an object that has the text, one document; and any other object, whose members that are objects are
 * documents with the member's name as their id (as data of question answering often come).
 *
 * A list is read in pieces: memory is one element. An object is read whole, for only its end tells which of the two it
 * is. What stands in it and is no object is counted once a file, as is a file that ends too early. */
#include <string.h>

#include "base/json.h"
#include "curate/source/source_part.h"

#define KEY_MAX 1000

struct json_file {
    bool listed, begun, told;
    bool in_string, escaped, valued, in_value, too_long;      /* valued: behind the colon of a member */
    uint64_t depth, number;      /* brackets that are open; elements so far */
    struct buf value, key;       /* the element in hand; the last string before it, as it is written */
};

static void tell_odd(struct level *l)
{
    struct json_file *f = l->state;

    if (!f->told)
        source_outcome(l->source, SOURCE_BAD_LINE, l->id);
    f->told = true;
}

/* ---- cutting ---- */

/* How much of p, behind a string's first quote, belongs to it. */
static size_t string_part(struct json_file *f, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (f->escaped) {
            f->escaped = false;
        } else if (p[i] == '\\') {
            f->escaped = true;
        } else if (p[i] == '"') {
            f->in_string = false;
            return i + 1;
        }
    }
    return n;
}

static void keep_value(struct level *l, struct span s)
{
    struct json_file *f = l->state;

    f->too_long = f->too_long || s.n > l->source->limits.max_document - f->value.n;
    if (!f->too_long)
        buf_add(&f->value, s.p, s.n);
}

/* Between elements: names of members are kept, and what is neither they nor an element is told. */
static void keep_between(struct level *l, struct span s, bool string)
{
    struct json_file *f = l->state;

    if (string && !f->listed && !f->valued) {
        if (f->key.n + s.n <= KEY_MAX)
            buf_add(&f->key, s.p, s.n);
        return;
    }
    if (string || strchr(" \t\r\n,:{}]", *s.p) == NULL || *s.p == 0)
        if (f->depth > 0 && !(f->depth == 1 && *s.p == '['))
            tell_odd(l);
}

static void open_bracket(struct level *l, char c)
{
    struct json_file *f = l->state;

    if (f->depth++ != 1)
        return;
    f->in_value = c == '{';
    f->too_long = false;
    buf_clear(&f->value);
}

/* True: an element has ended. */
static bool close_bracket(struct level *l)
{
    struct json_file *f = l->state;
    bool whole = f->in_value && f->depth == 2;

    f->depth -= f->depth > 0;
    f->in_value = f->in_value && !whole;
    l->dead = f->depth == 0;
    return whole;
}

/* What a byte outside of strings changes before it is kept. */
static void before(struct level *l, char c)
{
    struct json_file *f = l->state;

    if (c == '{' || c == '[')
        open_bracket(l, c);
    if (c == '"')
        f->in_string = true;
    if (c == '"' && !f->in_value && !f->valued)
        buf_clear(&f->key);
    if (!f->in_value && f->depth == 1 && (c == ':' || c == ','))
        f->valued = c == ':';
}

/* Takes bytes up to the end of an element, or of the file's own brackets; returns how many. */
static size_t take(struct level *l, struct span s, bool *whole)
{
    struct json_file *f = l->state;
    size_t i = 0;

    for (*whole = false; i < s.n && !*whole && !l->dead;) {
        struct span part = { s.p + i, 1 };
        bool string = f->in_string;

        if (string)
            part.n = string_part(f, part.p, s.n - i);
        else
            before(l, *part.p);
        if (f->in_value)
            keep_value(l, part);
        else
            keep_between(l, part, string || *part.p == '"');
        if (!string && (*part.p == '}' || *part.p == ']'))
            *whole = close_bracket(l);
        i += part.n;
    }
    return i;
}

/* ---- documents ---- */

/* The member's name, unescaped; NULL: none. */
static char *key_text(const struct json_file *f)
{
    struct buf list = { 0 };
    json_t *json = NULL;
    char *text = NULL;

    buf_addc(&list, '[');
    buf_add(&list, f->key.p, f->key.n);
    buf_addc(&list, ']');
    if (f->key.n > 2 && json_parse(list.p, list.n, "a name", &json) == ST_OK && json_is_string(json_array_get(json, 0)))
        text = mem_strdup(json_string_value(json_array_get(json, 0)));
    json_decref(json);
    buf_release(&list);
    return text;
}

static struct raw_document *element_document(struct level *l)
{
    struct json_file *f = l->state;
    struct raw_document *doc = NULL;
    char *id = source_numbered_id(l->id, ++f->number);

    if (f->too_long)
        source_outcome(l->source, SOURCE_SIZE, id);
    else
        doc = jsonl_document(l, (struct span){ f->value.p, f->value.n }, id);
    free(id);
    if (doc != NULL && !f->listed && doc->line_id == NULL)
        doc->line_id = key_text(f);
    return doc;
}

/* An object's first step: it is a document, or gives its members one by one. */
static struct raw_document *whole_object(struct level *l)
{
    struct span all;

    if (!input_all(l->in, l->source->limits.max_document, &l->line)) {
        if (!l->in->failed)
            source_outcome(l->source, SOURCE_SIZE, l->id);
        l->dead = true;
        return NULL;
    }
    all = (struct span){ l->line.p, l->line.n };
    l->dead = jsonl_has_text(l, all);
    if (l->dead)
        return jsonl_document(l, all, l->id);
    input_free(l->in);
    l->in = input_of_memory(l->source, &l->line);
    return NULL;
}

static struct raw_document *json_step(struct level *l)
{
    struct json_file *f = l->state;
    struct span s;
    bool whole;

    if (!f->listed && !f->begun) {
        f->begun = true;
        return whole_object(l);
    }
    s = input_next(l->in);
    if (s.n == 0) {
        if (!l->in->failed)
            tell_odd(l);      /* within its brackets */
        l->dead = true;
        return NULL;
    }
    input_unread(l->in, s.n - take(l, s, &whole));
    return whole ? element_document(l) : NULL;
}

static void json_close(struct level *l)
{
    struct json_file *f = l->state;

    buf_release(&f->value);
    buf_release(&f->key);
    free(f);
    buf_release(&l->line);
    arena_release(&l->scratch);
}

static const struct level_kind json_level = { json_step, json_close };

void json_level_open(struct source *s, struct input *in, const char *id)
{
    struct level *l = source_push(s, &json_level, in, id);
    struct json_file *f = mem_alloc(sizeof *f);
    struct span head = input_head(in), all;
    size_t skip = content_bom(head.p, head.n);

    while (skip < head.n && strchr(" \t\r\n", head.p[skip]) != NULL && head.p[skip] != 0)
        skip++;
    f->listed = skip < head.n && head.p[skip] == '[';
    all = input_next(in);
    input_unread(in, all.n - skip);
    l->state = f;
    arena_init(&l->scratch);
}
