/* Values into fields, with bounds and types checked. */
#include "base/opt_fill.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t row_count(const struct opt *table)
{
    size_t n = 0;

    while (table[n].name != NULL)
        n++;
    return n;
}

bool opt_is_list(const struct opt *row)
{
    return row->type == OPT_T_LIST || row->type == OPT_T_INPUTS;
}

/* ---- bounds in words ---- */

static void size_words(struct buf *out, double bytes)
{
    static const char units[] = "TGMK";
    double unit = 1024.0 * 1024 * 1024 * 1024;

    for (int i = 0; units[i]; i++, unit /= 1024)
        if (bytes >= unit && fmod(bytes, unit) == 0) {
            buf_printf(out, "%.0f%c", bytes / unit, units[i]);
            return;
        }
    buf_printf(out, "%.0f", bytes);
}

/* "1000000", "1e12", "0.05", "1e-9": the shortest of digits and exponent that is exact, without the
 * exponent's plus and zeros. */
static void number_words(struct buf *out, const struct opt *row, double x)
{
    char text[64], *exponent;

    if (row->type == OPT_T_SIZE) {
        size_words(out, x);
        return;
    }
    snprintf(text, sizeof text, "%g", x);
    if (strtod(text, NULL) != x || (x == floor(x) && fabs(x) < 1e8))
        snprintf(text, sizeof text, x == floor(x) && fabs(x) < 1e16 ? "%.0f" : "%.15g", x);
    exponent = strchr(text, 'e');
    if (exponent == NULL)
        buf_adds(out, text);
    else
        buf_printf(out, "%.*se%d", (int)(exponent - text), text, atoi(exponent + 1));
}

void opt_bounds(struct buf *out, const struct opt *row)
{
    double far = row->type == OPT_T_REAL ? 1e300 : 9.2e18;
    bool low = row->min > -far, high = row->max < far;

    if (row->min == 0 && row->max == 0)
        return;
    if (low && high) {
        number_words(out, row, row->min);
        buf_adds(out, " to ");
        number_words(out, row, row->max);
    } else if (low || high) {
        buf_adds(out, low ? "at least " : "at most ");
        number_words(out, row, low ? row->min : row->max);
    }
}

static bool in_bounds(const struct opt *row, double x)
{
    return (row->min == 0 && row->max == 0) || (x >= row->min && x <= row->max);
}

/* ---- one setter a type ---- */

/* A quoted scalar that would be a number or flag without its quotes. */
static bool wrongly_quoted(const struct opt *row, const struct yaml *value)
{
    struct yaml bare = *value;
    double real;
    bool flag;

    bare.plain = true;
    if (value->kind != YAML_SCALAR || value->plain)
        return false;
    return row->type == OPT_T_BOOL ? yaml_as_bool(&bare, &flag)
                                   : (row->type == OPT_T_INT || row->type == OPT_T_REAL)
                                         && yaml_as_real(&bare, &real);
}

static enum status wrong_value(struct opt_fill *f, const struct opt *row, const struct yaml *value,
                               const char *want)
{
    struct buf text = { 0 };

    buf_adds(&text, want);
    if (row->min != 0 || row->max != 0) {
        buf_adds(&text, ", ");
        opt_bounds(&text, row);
    }
    yaml_fail(value, "want %s; found %s%s", text.p, yaml_describe(f->arena, value),
              wrongly_quoted(row, value) ? " in quotes; leave the quotes out" : "");
    buf_release(&text);
    return ST_CONFIG;
}

static enum status set_int(struct opt_fill *f, const struct opt *row, const struct yaml *value,
                           void *field)
{
    long long x;

    if (!yaml_as_int(value, &x) || !in_bounds(row, (double)x))
        return wrong_value(f, row, value, "a whole number");
    *(int64_t *)field = x;
    return ST_OK;
}

static enum status set_real(struct opt_fill *f, const struct opt *row, const struct yaml *value,
                            void *field)
{
    double x;

    if (!yaml_as_real(value, &x) || !isfinite(x) || !in_bounds(row, x))
        return wrong_value(f, row, value, "a number");
    *(double *)field = x;
    return ST_OK;
}

static enum status set_size(struct opt_fill *f, const struct opt *row, const struct yaml *value,
                            void *field)
{
    uint64_t x;

    if (value->kind != YAML_SCALAR || !str_parse_size(value->text, &x) || x > INT64_MAX
        || !in_bounds(row, (double)x))
        return wrong_value(f, row, value, "a size in bytes (K, M, G, T allowed)");
    *(uint64_t *)field = x;
    return ST_OK;
}

static enum status set_bool(struct opt_fill *f, const struct opt *row, const struct yaml *value,
                            void *field)
{
    if (!yaml_as_bool(value, field))
        return wrong_value(f, row, value, "true or false");
    return ST_OK;
}

static enum status set_choice(struct opt_fill *f, const struct opt *row, const struct yaml *value,
                              void *field)
{
    const char *near = NULL;
    struct buf words = { 0 };

    for (int i = 0; value->kind == YAML_SCALAR && row->choices[i]; i++)
        if (strcmp(row->choices[i], value->text) == 0) {
            *(int *)field = i;
            return ST_OK;
        }
    for (int i = 0; row->choices[i]; i++)
        buf_printf(&words, "%s%s", i ? ", " : "", row->choices[i]);
    if (value->kind == YAML_SCALAR && strlen(value->text) < 100)
        near = str_nearest(value->text, row->choices);
    yaml_fail(value, "want one of %s; found %s%s%s%s", words.p, yaml_describe(f->arena, value),
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    buf_release(&words);
    return ST_CONFIG;
}

static bool is_path(const struct opt *row)
{
    return row->type == OPT_T_INPUT || row->type == OPT_T_INPUTS || row->type == OPT_T_OUTPUT;
}

static enum status set_text(struct opt_fill *f, const struct opt *row, const struct yaml *value,
                            void *field)
{
    if (value->kind != YAML_SCALAR || yaml_is_null(value))
        return wrong_value(f, row, value, is_path(row) ? "a path" : "text");
    if (is_path(row) && *value->text == 0)
        return wrong_value(f, row, value, "a path");
    if (!is_path(row) && !utf8_valid(value->text, strlen(value->text)))
        return yaml_fail(value, "want UTF-8 text; found other bytes");
    *(const char **)field = value->text;
    return ST_OK;
}

static enum status set_list(struct opt_fill *f, const struct opt *row, const struct yaml *value,
                            void *field)
{
    bool one = value->kind == YAML_SCALAR;
    struct opt_list list = { NULL, one ? 1 : value->count };

    if (value->kind == YAML_MAP || yaml_is_null(value))
        return wrong_value(f, row, value, is_path(row) ? "a list of paths" : "a list of texts");
    list.v = arena_array(f->arena, list.count, sizeof *list.v);
    for (size_t i = 0; i < list.count; i++)
        TRY(set_text(f, row, one ? value : value->items[i], &list.v[i]));
    *(struct opt_list *)field = list;
    return ST_OK;
}

static enum status set_tree(struct opt_fill *f, const struct opt *row, struct yaml *value,
                            void *field)
{
    if (yaml_is_null(value))
        return wrong_value(f, row, value, "a value");
    *(struct yaml **)field = value;
    return ST_OK;
}

static enum status set_field(struct opt_fill *f, const struct opt *row, struct yaml *value,
                             void *field)
{
    switch (row->type) {
    case OPT_T_INT: return set_int(f, row, value, field);
    case OPT_T_REAL: return set_real(f, row, value, field);
    case OPT_T_SIZE: return set_size(f, row, value, field);
    case OPT_T_BOOL: return set_bool(f, row, value, field);
    case OPT_T_CHOICE: return set_choice(f, row, value, field);
    case OPT_T_TREE: return set_tree(f, row, value, field);
    case OPT_T_LIST:
    case OPT_T_INPUTS: return set_list(f, row, value, field);
    case OPT_T_STR:
    case OPT_T_INPUT:
    case OPT_T_OUTPUT: return set_text(f, row, value, field);
    }
    return ST_OK;
}

/* Checks and stores, whatever the layers say. */
static enum status store_value(struct opt_fill *f, const struct opt *row, struct yaml *value)
{
    union {
        int64_t whole;
        double real;
        struct opt_list list;
        void *pointer;
    } scratch;

    TRY(set_field(f, row, value, f->cfg ? (void *)(f->cfg + row->offset) : &scratch));
    return row->check ? row->check(value) : ST_OK;
}

enum status opt_fill_row(struct opt_fill *f, const struct opt *row, struct yaml *value)
{
    struct opt_seen *seen = &f->seen[row - f->table];

    if (seen->layer == f->layer && seen->at->line > 0)
        return yaml_fail(value, "'%s' is given twice; first on line %d", row->name, seen->at->line);
    if (seen->layer == f->layer)
        return yaml_fail(value, "given twice");
    *seen = (struct opt_seen){ f->layer, value };
    return store_value(f, row, value);
}

/* ---- text to nodes, defaults ---- */

enum status opt_value_of_text(const struct opt *row, struct arena *a, const char *name,
                              const char *text, struct yaml **out)
{
    if (row->type == OPT_T_TREE || (opt_is_list(row) && *text == '['))
        return yaml_parse(a, name, text, strlen(text), out);
    *out = yaml_word(a, name, text);
    (*out)->plain = row->type == OPT_T_INT || row->type == OPT_T_REAL || row->type == OPT_T_BOOL
                    || row->type == OPT_T_SIZE;
    return ST_OK;
}

static void row_bug(const struct opt *row, const char *why)
{
    fprintf(stderr, "option row '%s': %s\n", row->name, why);
    BUG_IF("a row of an option table is wrong");
}

static void fill_default(struct opt_fill *f, const struct opt *row)
{
    struct yaml *value;

    if (row->fallback == NULL)
        return;
    if (opt_value_of_text(row, f->arena, "default", row->fallback, &value) != ST_OK
        || store_value(f, row, value) != ST_OK)
        row_bug(row, fail_message());
}

const struct opt *opt_find_letter(const struct opt *table, char letter)
{
    for (; table->name; table++)
        if (letter != 0 && table->letter == letter)
            return table;
    return NULL;
}

static void check_row(const struct opt *table, const struct opt *row, unsigned *flags)
{
    static const char *const reserved[] = { "help", "quiet", "config", NULL };

    if (row->name[strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789-.")] != 0)
        row_bug(row, "a name has small letters, digits, '-' and '.'");
    for (int i = 0; reserved[i]; i++)
        if (strcmp(row->name, reserved[i]) == 0)
            row_bug(row, "the name belongs to every command");
    if (opt_find(table, row->name) != row)
        row_bug(row, "the name is taken");
    if (row->letter != 0 && (row->letter == 'h' || !isalpha((unsigned char)row->letter)
                             || opt_find_letter(table, row->letter) != row))
        row_bug(row, "the letter is taken, or none");
    if (row->help == NULL)
        row_bug(row, "no help");
    if (row->min > row->max)
        row_bug(row, "min is over max");
    if ((row->type == OPT_T_CHOICE) != (row->choices != NULL))
        row_bug(row, "choices and OPT_T_CHOICE go together");
    if ((row->flags & OPT_POSITIONAL) && (row->type == OPT_T_BOOL || (*flags & OPT_POSITIONAL)))
        row_bug(row, "at most one row takes plain words, and no flag does");
    *flags |= row->flags;
}

struct opt_fill opt_fill_begin(const struct opt *table, struct arena *a, void *cfg)
{
    struct opt_fill f = { .table = table, .arena = a, .cfg = cfg, .layer = 1 };
    unsigned flags = 0;

    f.seen = arena_array(a, row_count(table), sizeof *f.seen);
    for (const struct opt *row = table; row->name; row++) {
        check_row(table, row, &flags);
        fill_default(&f, row);
    }
    return f;
}

const struct opt *opt_fill_missing(const struct opt_fill *f, unsigned skip)
{
    for (const struct opt *row = f->table; row->name; row++)
        if ((row->flags & OPT_REQUIRED) && !(skip & 1u << row->type)) {
            const struct yaml *at = f->seen[row - f->table].at;
            if (at == NULL || (at->kind == YAML_LIST && at->count == 0 && opt_is_list(row)))
                return row;
        }
    return NULL;
}
