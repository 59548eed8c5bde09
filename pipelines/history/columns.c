#include "pipelines/history/columns.h"

#include <string.h>

#include "base/status.h"

void columns_add(struct columns *t, const char *cell)
{
    BUG_IF(t->count == 0 || t->count > COLUMNS_MOST);
    if (t->used == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 16 * t->count;
        const char **wider = arena_array(t->arena, cap, sizeof *wider);
        if (t->used > 0)
            memcpy(wider, t->cells, t->used * sizeof *wider);
        t->cells = wider;
        t->cap = cap;
    }
    t->cells[t->used++] = cell != NULL ? cell : "-";
}

void columns_end_row(struct columns *t)
{
    while (t->used % t->count != 0)
        columns_add(t, "");
}

static void find_widths(const struct columns *t, size_t width[COLUMNS_MOST])
{
    memset(width, 0, COLUMNS_MOST * sizeof *width);
    for (size_t i = 0; i < t->used; i++) {
        size_t n = utf8_width(t->cells[i], strlen(t->cells[i]));
        if (n > width[i % t->count])
            width[i % t->count] = n;
    }
}

static void add_clean(struct buf *out, const char *cell)
{
    for (const char *p = cell; *p; p++)
        buf_addc(out, (unsigned char)*p < 0x20 || *p == 0x7F ? '?' : *p);
}

static void add_cell(struct buf *out, const char *cell, size_t width, bool right)
{
    size_t n = utf8_width(cell, strlen(cell));
    int room = width > n ? (int)(width - n) : 0;

    if (right)
        buf_printf(out, "%*s", room, "");
    add_clean(out, cell);
    if (!right)
        buf_printf(out, "%*s", room, "");
}

void columns_print(const struct columns *t, struct buf *out)
{
    size_t width[COLUMNS_MOST];

    find_widths(t, width);
    for (size_t i = 0; i < t->used; i++) {
        size_t column = i % t->count;
        add_cell(out, t->cells[i], width[column], t->right >> column & 1);
        if (column + 1 < t->count && i + 1 < t->used) {
            buf_adds(out, "  ");
            continue;
        }
        while (out->n > 0 && out->p[out->n - 1] == ' ')
            out->p[--out->n] = 0;
        buf_addc(out, '\n');
    }
}
