/* --help: the option table as text of at most 100 columns. */
#include <string.h>

#include "base/opt_fill.h"

#define WIDTH 100
#define NAME_COLUMN 34      /* longer names stand on a line of their own */

/* What a row is called by type: lists end with "...". */
const char *opt_value_word(const struct opt *row)
{
    static const char *const words[] = {
        [OPT_T_STR] = "TEXT",   [OPT_T_INT] = "N",     [OPT_T_REAL] = "X",
        [OPT_T_BOOL] = "",      [OPT_T_SIZE] = "SIZE", [OPT_T_CHOICE] = "WORD",
        [OPT_T_LIST] = "TEXT...", [OPT_T_TREE] = "YAML", [OPT_T_INPUT] = "PATH",
        [OPT_T_INPUTS] = "PATH...", [OPT_T_OUTPUT] = "PATH",
    };
    return row->value ? row->value : words[row->type];
}

void opt_usage(FILE *out, const struct opt *table)
{
    for (const struct opt *row = table; row->name; row++)
        if ((row->flags & OPT_REQUIRED) && !(row->flags & OPT_POSITIONAL))
            fprintf(out, " --%s %s", row->name, opt_value_word(row));
    fputs(" [options]", out);
    for (const struct opt *row = table; row->name; row++)
        if (row->flags & OPT_POSITIONAL)
            fprintf(out, row->flags & OPT_REQUIRED ? " %s" : " [%s]", opt_value_word(row));
}

bool opt_is_on(const struct opt *row)
{
    return row->type == OPT_T_BOOL && row->fallback && strcmp(row->fallback, "true") == 0;
}

/* "  --model.width N", "  -j, --jobs N" */
static void add_name(struct buf *out, const struct opt *row)
{
    buf_adds(out, "  ");
    if (row->letter != 0)
        buf_printf(out, "-%c, ", row->letter);
    buf_printf(out, "--%s%s", opt_is_on(row) ? "[no-]" : "", row->name);
    if (*opt_value_word(row))
        buf_printf(out, " %s", opt_value_word(row));
}

static void add_choices(struct buf *out, const struct opt *row)
{
    for (int i = 0; row->choices[i]; i++)
        buf_printf(out, "%s%s", i ? ", " : "one of ", row->choices[i]);
}

/* "; " between notes, " [" in front of the first. */
static void add_mark(struct buf *out, int *notes) { buf_adds(out, (*notes)++ ? "; " : " ["); }

/* The help line with what the table knows: " (required)", " [1 to 100; default 8]". */
void opt_row_help(struct buf *out, const struct opt *row)
{
    struct buf bounds = { 0 };
    int notes = 0;

    buf_adds(out, row->help);
    if (row->flags & OPT_REQUIRED)
        buf_adds(out, " (required)");
    opt_bounds(&bounds, row);
    if (bounds.n > 0) {
        add_mark(out, &notes);
        buf_add(out, bounds.p, bounds.n);
    }
    buf_release(&bounds);
    if (row->type == OPT_T_CHOICE) {
        add_mark(out, &notes);
        add_choices(out, row);
    }
    if (row->flags & OPT_POSITIONAL) {
        add_mark(out, &notes);
        buf_adds(out, opt_is_list(row) ? "or plain words" : "or a plain word");
    }
    if (row->fallback && !(row->type == OPT_T_BOOL && strcmp(row->fallback, "false") == 0)) {
        add_mark(out, &notes);
        buf_printf(out, "default %s", row->fallback);
    }
    if (notes)
        buf_addc(out, ']');
}

/* Bytes up to the next place where a line may end: a space, but in brackets only
 * one behind ';' or ','. */
static size_t piece_length(const char *text, bool *in_brackets)
{
    size_t n = 0;

    for (;; n++) {
        if (text[n] == 0 || (text[n] == ' ' && (!*in_brackets || strchr(";,", text[n - 1]))))
            return n;
        if (text[n] == '[' || text[n] == ']')
            *in_brackets = text[n] == '[';
    }
}

/* Prints text in words, wrapped between the columns `left` and WIDTH; the cursor
 * stands at `column`. */
static void print_wrapped(FILE *out, const char *text, size_t left, size_t column)
{
    bool first = true, in_brackets = false;

    while (*text) {
        size_t n = piece_length(text, &in_brackets), shown = utf8_length(text, n);
        if (!first && column + 1 + shown > WIDTH) {
            fprintf(out, "\n%*s", (int)left, "");
            column = left;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", (int)n, text);
        column += shown + !first;
        first = false;
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* The column of the help text: two behind the longest name that is not too long. */
static size_t help_column(const struct opt *table)
{
    size_t column = 0;

    for (const struct opt *row = table; row->name; row++) {
        struct buf name = { 0 };
        add_name(&name, row);
        if (name.n + 2 > column && name.n + 2 <= NAME_COLUMN)
            column = name.n + 2;
        buf_release(&name);
    }
    return column ? column : NAME_COLUMN;
}

static void print_row(FILE *out, const struct opt *row, size_t left)
{
    struct buf name = { 0 }, help = { 0 };

    add_name(&name, row);
    opt_row_help(&help, row);
    fputs(name.p, out);
    if (name.n + 2 > left)
        fprintf(out, "\n%*s", (int)left, "");
    else
        fprintf(out, "%*s", (int)(left - name.n), "");
    print_wrapped(out, help.p, left, left);
    buf_release(&name);
    buf_release(&help);
}

void opt_help(FILE *out, const struct opt *table)
{
    size_t left = help_column(table);

    for (const struct opt *row = table; row->name; row++)
        print_row(out, row, left);
}
