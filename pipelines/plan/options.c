#include "pipelines/plan/options.h"

#include <stdio.h>
#include <string.h>

#define NAME_ROOM 256   /* a dotted option name; longer ones fit no row */

struct walk {
    const struct opt *table;
    option_fn *fn;
    void *ctx;
};

static enum status walk_map(const struct walk *w, const char *prefix, struct yaml *map)
{
    char name[NAME_ROOM];

    for (size_t i = 0; i < map->count; i++) {
        struct option_use use = { .key = map->keys[i], .value = map->items[i] };
        int n = snprintf(name, sizeof name, "%s%s", prefix, use.key->text);
        if (n < 0 || (size_t)n + 2 > sizeof name)
            continue;
        use.row = opt_find(w->table, name);
        if (use.row != NULL) {
            TRY(w->fn(w->ctx, &use));
        } else if (use.value->kind == YAML_MAP) {
            memcpy(name + n, ".", 2);
            TRY(walk_map(w, name, use.value));
        }
    }
    return ST_OK;
}

enum status options_walk(const struct opt *table, struct yaml *map, option_fn *fn, void *ctx)
{
    struct walk w = { table, fn, ctx };

    return walk_map(&w, "", map);
}

const struct opt *options_row_of_type(const struct opt *table, enum opt_type type)
{
    for (const struct opt *row = table; row->name != NULL; row++)
        if (row->type == type)
            return row;
    return NULL;
}

/* ---- inputs ---- */

struct inputs {
    input_fn *fn;
    void *ctx;
    const struct opt *row;
    size_t index;
};

static enum status visit_path(void *ctx, struct yaml *path)
{
    struct inputs *in = ctx;

    return in->fn(in->ctx, in->row, in->index++, path);
}

static enum status visit_items(struct inputs *in, struct yaml *value)
{
    if (value->kind == YAML_SCALAR)
        return visit_path(in, value);
    for (size_t i = 0; value->kind == YAML_LIST && i < value->count; i++)
        if (value->items[i]->kind == YAML_SCALAR)
            TRY(visit_path(in, value->items[i]));
    return ST_OK;
}

static enum status visit_use(void *ctx, const struct option_use *use)
{
    struct inputs *in = ctx;

    in->row = use->row;
    in->index = 0;
    if (use->row->type == OPT_T_INPUT || use->row->type == OPT_T_INPUTS)
        return visit_items(in, use->value);
    if (use->row->type == OPT_T_TREE && use->row->paths != NULL)
        return use->row->paths(use->value, visit_path, in);
    return ST_OK;
}

enum status options_inputs(const struct opt *table, struct yaml *map, input_fn *fn, void *ctx)
{
    struct inputs in = { .fn = fn, .ctx = ctx };

    return options_walk(table, map, visit_use, &in);
}

/* ---- the command line ---- */

void words_add(struct words *w, const char *word)
{
    if (w->count + 2 > w->cap) {
        const char **old = w->v;
        w->cap = w->cap ? 2 * w->cap : 16;
        w->v = arena_array(w->arena, w->cap, sizeof *w->v);
        if (old != NULL)
            memcpy(w->v, old, w->count * sizeof *old);
    }
    w->v[w->count++] = word;
    w->v[w->count] = NULL;
}

static void add_tree(struct words *w, const struct opt *row, const struct yaml *value)
{
    struct buf text = { 0 };

    flow_write(&text, value);
    words_add(w, arena_printf(w->arena, "--%s=%s", row->name, text.p));
    buf_release(&text);
}

static enum status add_use(void *ctx, const struct option_use *use)
{
    struct words *w = ctx;

    if (use->row->type == OPT_T_TREE)
        add_tree(w, use->row, use->value);
    else if (use->value->kind == YAML_SCALAR)
        words_add(w, arena_printf(w->arena, "--%s=%s", use->row->name, use->value->text));
    else
        for (size_t i = 0; i < use->value->count; i++)
            words_add(w, arena_printf(w->arena, "--%s=%s", use->row->name,
                                      use->value->items[i]->text));
    return ST_OK;
}

void options_words(const struct opt *table, struct yaml *map, struct words *out)
{
    BUG_IF(options_walk(table, map, add_use, out) != ST_OK);
}

/* ---- flow text ---- */

/* Code points that YAML 1.1 takes for line breaks, or that a reader would drop. */
static bool must_escape(uint32_t cp)
{
    return cp < 0x20 || cp == 0x22 || cp == 0x5C || (cp >= 0x7F && cp <= 0xA0) || cp == 0x2028
           || cp == 0x2029 || cp == 0xFEFF || (cp >= 0xFFFE && cp <= 0xFFFF);
}

static void quote(struct buf *out, const char *s)
{
    const char *end = s + strlen(s);
    uint32_t cp;

    buf_addc(out, '"');
    while (s < end) {
        size_t n = utf8_decode(s, end, &cp);
        if (n == 0)
            buf_addc(out, *s);
        else if (must_escape(cp))
            buf_printf(out, "\\u%04X", (unsigned)cp);
        else
            buf_add(out, s, n);
        s += n ? n : 1;
    }
    buf_addc(out, '"');
}

static bool stays_plain(const struct yaml *n)
{
    long long i;
    double d;
    bool b;

    return n->plain && *n->text != 0
           && (yaml_as_int(n, &i) || yaml_as_real(n, &d) || yaml_as_bool(n, &b) || yaml_is_null(n));
}

static void write_scalar(struct buf *out, const struct yaml *n)
{
    if (n->plain && *n->text == 0)
        buf_adds(out, "null");
    else if (stays_plain(n))
        buf_adds(out, n->text);
    else
        quote(out, n->text);
}

void flow_write(struct buf *out, const struct yaml *n)
{
    if (n->kind == YAML_SCALAR) {
        write_scalar(out, n);
        return;
    }
    buf_addc(out, n->kind == YAML_MAP ? '{' : '[');
    for (size_t i = 0; i < n->count; i++) {
        if (i > 0)
            buf_adds(out, ", ");
        if (n->kind == YAML_MAP) {
            quote(out, n->keys[i]->text);
            buf_adds(out, ": ");
        }
        flow_write(out, n->items[i]);
    }
    buf_addc(out, n->kind == YAML_MAP ? '}' : ']');
}

void shell_quote(struct buf *out, const char *word)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+";
    bool escapes;

    if (*word != 0 && word[strspn(word, safe)] == 0) {
        buf_adds(out, word);
        return;
    }
    escapes = strpbrk(word, "\n\r\t\033") != NULL;
    buf_adds(out, escapes ? "$'" : "'");
    for (; *word != 0; word++) {
        if (escapes && ((unsigned char)*word < 0x20 || *word == '\'' || *word == '\\'))
            buf_printf(out, "\\x%02x", (unsigned char)*word);
        else if (*word == '\'')
            buf_adds(out, "'\\''");
        else
            buf_addc(out, *word);
    }
    buf_addc(out, '\'');
}
