#include "tokenize/measure/compare_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

#define GROUPS_SHOWN 24
#define COLUMNS_MOST 24
#define GAP 2

/* ---- tables: the first column stands left, the others right ---- */

struct table {
    struct arena arena;
    const char **cells;
    size_t count, cap, columns;
};

static void add_cell(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void add_cell(struct table *t, const char *fmt, ...)
{
    char text[400];
    struct buf plain = { 0 };
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    log_add_plain(&plain, text);
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->cells = mem_grow(t->cells, t->cap, sizeof *t->cells);
    }
    t->cells[t->count++] = arena_strdup(&t->arena, plain.p ? plain.p : "");
    buf_release(&plain);
}

static void add_spaces(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_addc(out, ' ');
}

static void print_table(struct buf *out, struct table *t)
{
    size_t width[COLUMNS_MOST] = { 0 };

    for (size_t i = 0; i < t->count; i++) {
        size_t n = utf8_width(t->cells[i], strlen(t->cells[i])), c = i % t->columns;

        width[c] = n > width[c] ? n : width[c];
    }
    for (size_t i = 0; i < t->count; i++) {
        size_t c = i % t->columns, n = utf8_width(t->cells[i], strlen(t->cells[i]));
        bool last = c + 1 == t->columns;

        add_spaces(out, c > 0 ? GAP + width[c] - n : 0);
        buf_adds(out, t->cells[i]);
        add_spaces(out, c == 0 && !last ? width[c] - n : 0);
        if (last)
            buf_addc(out, '\n');
    }
    buf_addc(out, '\n');
    free(t->cells);
    arena_release(&t->arena);
}

/* ---- pieces ---- */

static const json_t *at(const json_t *o, const char *key)
{
    return json_object_get(o, key);
}

static uint64_t count_of(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(at(o, key));
}

static void cell_count(struct table *t, uint64_t n)
{
    char text[28];

    add_cell(t, "%s", str_count(n, text));
}

static void cell_ratio(struct table *t, double part, double whole)
{
    if (whole > 0)
        add_cell(t, "%.3f", part / whole);
    else
        add_cell(t, "-");
}

static void cell_share(struct table *t, double part, double whole)
{
    if (whole > 0)
        add_cell(t, "%.2f %%", 100 * part / whole);
    else
        add_cell(t, "-");
}

static const char *name_of(const json_t *metrics, size_t i)
{
    return json_text(json_array_get(at(metrics, "tokenizers"), i), "name");
}

/* ---- tables of the metrics ---- */

static void tokenizers(struct buf *out, const json_t *metrics)
{
    static const char *const heads[] = { "tokenizer",    "entries",     "tokens",
                                         "bytes/token",  "tokens/word", "pieces of 1 token",
                                         "parts of characters", "unused" };
    struct table t = { .columns = sizeof heads / sizeof *heads };
    const json_t *one;
    size_t i;

    for (i = 0; i < t.columns; i++)
        add_cell(&t, "%s", heads[i]);
    json_array_foreach(at(metrics, "tokenizers"), i, one) {
        double tokens = (double)count_of(one, "tokens");

        add_cell(&t, "%s", json_text(one, "name"));
        cell_count(&t, count_of(one, "entries"));
        cell_count(&t, count_of(one, "tokens"));
        cell_ratio(&t, json_number_value(at(one, "bytes_per_token")), 1);
        cell_ratio(&t, json_number_value(at(one, "tokens_per_word")), 1);
        cell_share(&t, (double)count_of(one, "whole_pieces"), (double)count_of(one, "pieces"));
        cell_share(&t, (double)count_of(one, "part_tokens"), tokens);
        cell_count(&t, count_of(at(one, "unused"), "count"));
    }
    print_table(out, &t);
}

static void groups(struct buf *out, const json_t *metrics, const char *key, const char *head)
{
    const json_t *list = at(metrics, key), *group, *n;
    struct table t = { .columns = 3 + json_array_size(at(metrics, "tokenizers")) };
    char bytes[24];
    size_t i, k;

    if (json_array_size(list) == 0)
        return;
    add_cell(&t, "%s", head);
    add_cell(&t, "texts");
    add_cell(&t, "bytes");
    for (k = 0; k + 3 < t.columns; k++)
        add_cell(&t, "%s", name_of(metrics, k));
    json_array_foreach(list, i, group) {
        if (i == GROUPS_SHOWN)
            break;
        add_cell(&t, "%s", *json_text(group, "name") ? json_text(group, "name") : "(not said)");
        cell_count(&t, count_of(group, "texts"));
        add_cell(&t, "%s", str_bytes(count_of(group, "bytes"), bytes));
        json_array_foreach(at(group, "tokens"), k, n)
            cell_ratio(&t, (double)count_of(group, "bytes"), (double)json_integer_value(n));
    }
    print_table(out, &t);
    if (json_array_size(list) > GROUPS_SHOWN) {
        out->n--;
        buf_printf(out, "(the %d largest of %zu)\n\n", GROUPS_SHOWN, json_array_size(list));
    }
}

static void overlap(struct buf *out, const json_t *metrics)
{
    struct table t = { .columns = 1 + json_array_size(at(metrics, "tokenizers")) };
    const json_t *row, *cell;
    size_t i, k;

    add_cell(&t, "entries shared");
    for (k = 0; k + 1 < t.columns; k++)
        add_cell(&t, "%s", name_of(metrics, k));
    json_array_foreach(at(metrics, "overlap"), i, row) {
        add_cell(&t, "%s", name_of(metrics, i));
        json_array_foreach(row, k, cell)
            cell_count(&t, count_of(cell, "shared"));
    }
    print_table(out, &t);
}

static void pairs(struct buf *out, const json_t *metrics)
{
    static const char *const heads[] = { "same ids (texts)", "same pieces (texts)",
                                         "same pieces (bytes)", "places that differ",
                                         "tokens there: first", "this" };
    const json_t *corpus = at(metrics, "corpus"), *pair;
    double texts = (double)count_of(corpus, "texts");
    struct table t = { .columns = 1 + sizeof heads / sizeof *heads };
    size_t i;

    add_cell(&t, "against %s", name_of(metrics, 0));
    for (i = 0; i + 1 < t.columns; i++)
        add_cell(&t, "%s", heads[i]);
    json_array_foreach(at(metrics, "pairs"), i, pair) {
        const json_t *tokens = at(pair, "span_tokens");

        add_cell(&t, "%s", name_of(metrics, i + 1));
        cell_share(&t, (double)count_of(pair, "texts_same_ids"), texts);
        cell_share(&t, (double)count_of(pair, "texts_same_pieces"), texts);
        cell_share(&t, (double)count_of(pair, "bytes_same_pieces"),
                   (double)count_of(corpus, "bytes"));
        cell_count(&t, count_of(pair, "spans"));
        for (size_t side = 0; side < 2; side++)
            cell_count(&t, (uint64_t)json_integer_value(json_array_get(tokens, side)));
    }
    print_table(out, &t);
}

/* ---- where two part ---- */

static void place_side(struct buf *out, const char *name, const json_t *side)
{
    const json_t *id, *text;
    size_t i;

    buf_adds(out, "    ");
    log_add_plain(out, name);
    buf_addc(out, ':');
    json_array_foreach(at(side, "ids"), i, id) {
        text = json_array_get(at(side, "texts"), i);
        buf_printf(out, " %lld '", (long long)json_integer_value(id));
        log_add_plain(out, json_string_value(text));
        buf_addc(out, '\'');
    }
    buf_adds(out, json_array_size(at(side, "ids")) < count_of(side, "count") ? " ...\n" : "\n");
}

static void places(struct buf *out, const json_t *metrics, size_t other)
{
    const json_t *pair = json_array_get(at(metrics, "pairs"), other - 1), *p;
    size_t i;

    if (json_array_size(at(pair, "places")) == 0)
        return;
    buf_printf(out, "where %s and %s part first\n", name_of(metrics, 0), name_of(metrics, other));
    json_array_foreach(at(pair, "places"), i, p) {
        buf_adds(out, "  '");
        log_add_plain(out, json_text(p, "id"));
        buf_printf(out, "' byte %llu: ", (unsigned long long)count_of(p, "byte"));
        log_add_plain(out, json_text(p, "before"));
        buf_adds(out, "[");
        log_add_plain(out, json_text(p, "text"));
        buf_adds(out, "]");
        log_add_plain(out, json_text(p, "after"));
        buf_addc(out, '\n');
        place_side(out, name_of(metrics, 0), json_array_get(at(p, "sides"), 0));
        place_side(out, name_of(metrics, other), json_array_get(at(p, "sides"), 1));
    }
    buf_addc(out, '\n');
}

void compare_text(struct buf *out, const json_t *metrics)
{
    size_t n = json_array_size(at(metrics, "tokenizers"));

    tokenizers(out, metrics);
    buf_adds(out, "bytes a token\n");
    groups(out, metrics, "languages", "language");
    groups(out, metrics, "scripts", "script");
    groups(out, metrics, "sources", "source");
    if (n > 1) {
        overlap(out, metrics);
        pairs(out, metrics);
    }
    for (size_t i = 1; i < n; i++)
        places(out, metrics, i);
    out->n--;                        /* the last empty line */
    out->p[out->n] = 0;
}
