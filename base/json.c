#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define FILE_LIMIT (256u << 20)

enum status json_parse(const char *text, size_t n, const char *what, json_t **out)
{
    json_error_t e;

    *out = json_loadb(text ? text : "", n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (*out == NULL)
        return fail(ST_FORMAT, "%s:%d:%d: %s", what, e.line, e.column, e.text);
    return ST_OK;
}

enum status json_read_file(const char *path, json_t **out)
{
    struct buf text = { 0 };
    enum status st;
    uint64_t bytes;

    *out = NULL;
    if (file_exists(path))
        TRY(file_size(path, &bytes));        /* a pipe's writer may never come */
    st = file_read(path, FILE_LIMIT, &text);
    if (st == ST_OK)
        st = json_parse(text.p, text.n, path, out);
    buf_release(&text);
    return st;
}

/* ---- writing: one walker, two styles ---- */

/* Canonical text always has 17 digits, so that it never depends on how a shorter form is found;
 * text for people has the shortest form that reads back as the same value. */
struct style {
    bool pretty;
};

static void write_real(struct buf *out, double x, const struct style *style)
{
    char text[40];
    int digits = style->pretty ? 15 : 17;

    if (x == 0)
        x = 0;      /* -0 equals 0, so both have one form */
    do
        snprintf(text, sizeof text, "%.*g", digits, x);
    while (digits++ < 17 && strtod(text, NULL) != x);
    buf_adds(out, text);
    if (strpbrk(text, ".e") == NULL)
        buf_adds(out, ".0");
}

static void new_line(struct buf *out, const struct style *style, int depth)
{
    if (!style->pretty)
        return;
    buf_addc(out, '\n');
    for (int i = 0; i < depth; i++)
        buf_adds(out, "  ");
}

struct member {
    const char *key;
    size_t n;
    const json_t *value;
};

static int member_order(const void *va, const void *vb)
{
    const struct member *a = va, *b = vb;
    int order = memcmp(a->key, b->key, a->n < b->n ? a->n : b->n);

    return order ? order : (a->n > b->n) - (a->n < b->n);
}

static struct member *sorted_members(const json_t *object)
{
    struct member *m = mem_array(json_object_size(object) + 1, sizeof *m);
    size_t i = 0;

    for (void *it = json_object_iter((json_t *)object); it != NULL;
         it = json_object_iter_next((json_t *)object, it))
        m[i++] = (struct member){ json_object_iter_key(it), json_object_iter_key_len(it),
                                  json_object_iter_value(it) };
    qsort(m, i, sizeof *m, member_order);
    return m;
}

static void write_value(struct buf *out, const json_t *value, const struct style *style,
                        int depth);

static void write_object(struct buf *out, const json_t *value, const struct style *style,
                         int depth)
{
    size_t n = json_object_size(value);
    struct member *m = sorted_members(value);

    buf_addc(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(out, ',');
        new_line(out, style, depth + 1);
        json_quote(out, m[i].key, m[i].n);
        buf_adds(out, style->pretty ? ": " : ":");
        write_value(out, m[i].value, style, depth + 1);
    }
    if (n > 0)
        new_line(out, style, depth);
    buf_addc(out, '}');
    free(m);
}

static void write_array(struct buf *out, const json_t *value, const struct style *style, int depth)
{
    size_t n = json_array_size(value);

    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(out, ',');
        new_line(out, style, depth + 1);
        write_value(out, json_array_get(value, i), style, depth + 1);
    }
    if (n > 0)
        new_line(out, style, depth);
    buf_addc(out, ']');
}

static void write_value(struct buf *out, const json_t *value, const struct style *style, int depth)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: write_object(out, value, style, depth); break;
    case JSON_ARRAY: write_array(out, value, style, depth); break;
    case JSON_STRING: json_quote(out, json_string_value(value), json_string_length(value)); break;
    case JSON_INTEGER: buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); break;
    case JSON_REAL: write_real(out, json_real_value(value), style); break;
    case JSON_TRUE: buf_adds(out, "true"); break;
    case JSON_FALSE: buf_adds(out, "false"); break;
    case JSON_NULL: buf_adds(out, "null"); break;
    }
}

void json_canonical(struct buf *out, const json_t *value)
{
    write_value(out, value, &(struct style){ .pretty = false }, 0);
}

static enum status write_file(const char *path, const json_t *value,
                              enum status (*write)(const char *path, const void *p, size_t n))
{
    struct buf text = { 0 };
    enum status st;

    write_value(&text, value, &(struct style){ .pretty = true }, 0);
    buf_addc(&text, '\n');
    st = write(path, text.p, text.n);
    buf_release(&text);
    return st;
}

enum status json_write_file(const char *path, const json_t *value)
{
    return write_file(path, value, file_write_atomic);
}

enum status json_write_new_file(const char *path, const json_t *value)
{
    return write_file(path, value, file_write_new);
}

/* ---- string literals ---- */

static void quote_byte(struct buf *out, unsigned char c)
{
    static const char names[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    const char *at = c ? strchr(names, c) : NULL;

    if (at) {
        buf_addc(out, '\\');
        buf_addc(out, letters[at - names]);
    } else {
        buf_printf(out, "\\u%04x", c);
    }
}

static void quote_valid(struct buf *out, const char *p, size_t n)
{
    size_t done = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(out, p + done, i - done);
        quote_byte(out, c);
        done = i + 1;
    }
    buf_add(out, p + done, n - done);
}

void json_quote(struct buf *out, const char *p, size_t n)
{
    buf_addc(out, '"');
    if (n > 0 && utf8_valid(p, n)) {
        quote_valid(out, p, n);
    } else if (n > 0) {
        struct buf repaired = { 0 };
        utf8_repair(&repaired, p, n);
        quote_valid(out, repaired.p, repaired.n);
        buf_release(&repaired);
    }
    buf_addc(out, '"');
}

/* ---- typed members ---- */

static const char *type_words(const json_t *value)
{
    static const char *const words[] = {
        [JSON_OBJECT] = "an object",     [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer",   [JSON_REAL] = "a number with a fraction",
        [JSON_TRUE] = "true",            [JSON_FALSE] = "false",    [JSON_NULL] = "null",
    };
    return words[json_typeof(value)];
}

static enum status wrong_member(const json_t *obj, const char *key, const char *what,
                                const char *want)
{
    const json_t *value = json_object_get(obj, key);

    if (!json_is_object(obj))
        return fail(ST_FORMAT, "%s: want an object with the key '%s', found %s", what, key,
                    obj ? type_words(obj) : "nothing");
    if (value == NULL)
        return fail(ST_FORMAT, "%s: the key '%s' is missing (want %s)", what, key, want);
    return fail(ST_FORMAT, "%s: the key '%s' wants %s, found %s", what, key, want,
                type_words(value));
}

enum status json_get_int(const json_t *obj, const char *key, const char *what, int64_t *out)
{
    const json_t *value = json_object_get(obj, key);

    if (!json_is_integer(value))
        return wrong_member(obj, key, what, "an integer");
    *out = json_integer_value(value);
    return ST_OK;
}

enum status json_get_real(const json_t *obj, const char *key, const char *what, double *out)
{
    const json_t *value = json_object_get(obj, key);

    if (!json_is_number(value))
        return wrong_member(obj, key, what, "a number");
    *out = json_number_value(value);
    return ST_OK;
}

enum status json_get_str(const json_t *obj, const char *key, const char *what, const char **out)
{
    const json_t *value = json_object_get(obj, key);

    if (!json_is_string(value))
        return wrong_member(obj, key, what, "a string");
    *out = json_string_value(value);
    return ST_OK;
}

const char *json_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL ? text : "";
}

json_t *json_text_of(const char *s)
{
    struct buf text = { 0 };
    json_t *value;

    utf8_repair(&text, s, strlen(s));
    value = json_stringn(text.p ? text.p : "", text.n);
    buf_release(&text);
    return value;
}
