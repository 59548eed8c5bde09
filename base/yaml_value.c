/* What a YAML scalar means (YAML 1.2, 10.3.2 core schema), and the tree as JSON. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/yaml.h"
#include "base/yaml_source.h"

static bool is_word(const struct yaml *n, const char *const *words)
{
    if (n->kind != YAML_SCALAR || !n->plain)
        return false;
    for (; *words; words++)
        if (strcmp(n->text, *words) == 0)
            return true;
    return false;
}

/* All of s (at least one character) is of the set. */
static bool all_of(const char *s, const char *set) { return *s && s[strspn(s, set)] == 0; }

/* [-+]?[0-9]+ | 0o[0-7]+ | 0x[0-9a-fA-F]+; sets the base and where the digits begin. */
static bool int_shape(const char *s, int *base, const char **digits)
{
    *base = 10;
    *digits = s;
    if (strncmp(s, "0o", 2) == 0) {
        *base = 8;
        *digits = s + 2;
        return all_of(s + 2, "01234567");
    }
    if (strncmp(s, "0x", 2) == 0) {
        *base = 16;
        *digits = s + 2;
        return all_of(s + 2, "0123456789abcdefABCDEF");
    }
    return all_of(s + (*s == '-' || *s == '+'), "0123456789");
}

/* [-+]? ( \.[0-9]+ | [0-9]+(\.[0-9]*)? ) ([eE][-+]?[0-9]+)? */
static bool real_shape(const char *s)
{
    static const char digits[] = "0123456789";
    size_t whole, part = 0;

    s += *s == '-' || *s == '+';
    whole = strspn(s, digits);
    s += whole;
    if (*s == '.') {
        part = strspn(s + 1, digits);
        s += 1 + part;
    }
    if (whole + part == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        return all_of(s, digits);
    }
    return *s == 0;
}

bool yaml_as_int(const struct yaml *n, long long *out)
{
    const char *digits;
    int base;

    if (n->kind != YAML_SCALAR || !n->plain || !int_shape(n->text, &base, &digits))
        return false;
    errno = 0;
    *out = strtoll(digits, NULL, base);
    return errno == 0;
}

static bool special_real(const struct yaml *n, double *out)
{
    static const char *const infinite[] = {
        ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL
    };
    static const char *const negative[] = { "-.inf", "-.Inf", "-.INF", NULL };
    static const char *const nan_words[] = { ".nan", ".NaN", ".NAN", NULL };

    if (is_word(n, infinite))
        *out = INFINITY;
    else if (is_word(n, negative))
        *out = -INFINITY;
    else if (is_word(n, nan_words))
        *out = NAN;
    else
        return false;
    return true;
}

bool yaml_as_real(const struct yaml *n, double *out)
{
    const char *digits;
    int base;

    if (n->kind != YAML_SCALAR || !n->plain)
        return false;
    if (special_real(n, out))
        return true;
    if (int_shape(n->text, &base, &digits) && base != 10) {
        *out = (double)strtoull(digits, NULL, base);
        return true;
    }
    if (!real_shape(n->text))
        return false;
    *out = strtod(n->text, NULL);
    return true;
}

bool yaml_as_bool(const struct yaml *n, bool *out)
{
    static const char *const yes[] = { "true", "True", "TRUE", NULL };
    static const char *const no[] = { "false", "False", "FALSE", NULL };

    *out = is_word(n, yes);
    return *out || is_word(n, no);
}

bool yaml_is_null(const struct yaml *n)
{
    static const char *const null_words[] = { "null", "Null", "NULL", "~", "", NULL };
    return is_word(n, null_words);
}

const char *yaml_describe(struct arena *a, const struct yaml *n)
{
    const int shown = 40;
    double real;
    bool flag;
    size_t length;

    if (n->kind != YAML_SCALAR)
        return n->kind == YAML_MAP ? "a map" : "a list";
    if (yaml_is_null(n))
        return *n->text ? "null" : "nothing";
    if (yaml_as_bool(n, &flag))
        return flag ? "true" : "false";
    if (*n->text == 0)
        return "an empty text";
    length = strlen(n->text);
    if (length > (size_t)shown) {
        length = (size_t)shown;
        while (length > 0 && ((unsigned char)n->text[length] & 0xC0) == 0x80)
            length--;      /* not in the middle of a code point */
    }
    return arena_printf(a, "the %s %s%.*s%s%s", yaml_as_real(n, &real) ? "number" : "text",
                        yaml_as_real(n, &real) ? "" : "'", (int)length, n->text,
                        n->text[length] ? "..." : "", yaml_as_real(n, &real) ? "" : "'");
}

/* ---- JSON ---- */

static json_t *text_to_json(const char *text)
{
    json_t *value = json_string(text);
    struct buf repaired = { 0 };

    if (value != NULL)
        return value;
    utf8_repair(&repaired, text, strlen(text));
    value = json_string(repaired.p);
    buf_release(&repaired);
    return value;
}

static json_t *scalar_to_json(const struct yaml *n)
{
    long long whole;
    double real;
    bool flag;

    if (yaml_is_null(n))
        return json_null();
    if (yaml_as_bool(n, &flag))
        return json_boolean(flag);
    if (yaml_as_int(n, &whole))
        return json_integer(whole);
    if (yaml_as_real(n, &real) && isfinite(real))
        return json_real(real);
    return text_to_json(n->text);
}

json_t *yaml_to_json(const struct yaml *n)
{
    json_t *value;

    if (n->kind == YAML_SCALAR)
        return scalar_to_json(n);
    value = n->kind == YAML_MAP ? json_object() : json_array();
    for (size_t i = 0; i < n->count; i++) {
        json_t *item = yaml_to_json(n->items[i]);
        BUG_IF(n->kind == YAML_MAP ? json_object_set_new(value, n->keys[i]->text, item) != 0
                                   : json_array_append_new(value, item) != 0);
    }
    return value;
}

struct yaml *yaml_word(struct arena *a, const char *name, const char *text)
{
    struct yaml_source *s = arena_new(a, struct yaml_source);
    struct yaml *n = arena_new(a, struct yaml);

    s->name = arena_strdup(a, name);
    *n = (struct yaml){ .kind = YAML_SCALAR, .source = s, .text = arena_strdup(a, text),
                        .plain = true };
    return n;
}
