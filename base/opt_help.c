/* --help: the option table as text of at most 100 columns. */
#include <string.h>

#include "base/opt_fill.h"

#define WIDTH 100
#define NAME_COLUMN 34      /* longer names stand on a line of their own */
#define KEY_COLUMN 40       /* the same of keys with a value */

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

/* How a row stands in a list of them: its name and value, appended, and its help. */
struct row_style {
    void (*add_name)(struct buf *out, const struct opt *row);
    void (*add_help)(struct buf *out, const struct opt *row);
    size_t most;             /* columns of a name with its value */
};

/* The column of the help text: two behind the longest name that is not too long. */
static size_t help_column(const struct row_style *style, const struct opt *table)
{
    size_t column = 0;

    for (const struct opt *row = table; row->name; row++) {
        struct buf name = { 0 };
        style->add_name(&name, row);
        if (name.n + 2 > column && name.n + 2 <= style->most)
            column = name.n + 2;
        buf_release(&name);
    }
    return column ? column : style->most;
}

static void print_row(FILE *out, const struct row_style *style, const struct opt *row, size_t left)
{
    struct buf name = { 0 }, help = { 0 };

    style->add_name(&name, row);
    style->add_help(&help, row);
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
    static const struct row_style style = { add_name, opt_row_help, NAME_COLUMN };
    size_t left = help_column(&style, table);

    for (const struct opt *row = table; row->name; row++)
        print_row(out, &style, row, left);
}

/* ---- items of a tree ---- */

/* "  min-words: 50" as it may stand in YAML, the default for a value; without one "  keep: [TEXT]". */
static void add_key(struct buf *out, const struct opt *row)
{
    const char *word = opt_value_word(row);

    buf_printf(out, "  %s: ", row->name);
    if (row->fallback)
        for (const char *p = row->fallback; *p; p++)
            buf_adds(out, *p == '\n' ? "\\n" : (char[2]){ *p });
    else if (opt_is_list(row))
        buf_printf(out, "[%.*s]", (int)(strlen(word) - strlen("...")), word);
    else
        buf_adds(out, row->type == OPT_T_TREE ? "{...}" : word);
}

/* The help line with bounds, without the default, which the key has. */
static void add_key_help(struct buf *out, const struct opt *row)
{
    struct opt without = *row;

    without.fallback = NULL;
    opt_row_help(out, &without);
    if (row->type == OPT_T_BOOL)
        buf_adds(out, " [true, false]");
}

static bool same_name(const struct opt_item *a, const struct opt_item *b)
{
    return a->name && b->name && strcmp(a->name, b->name) == 0;
}

/* "extract, filter (gopher@datatrove, code), split": rows of one name stand together in the table. */
static void print_names(FILE *out, const struct opt *tree)
{
    struct buf names = { 0 };
    struct opt_item item, last = { 0 };

    for (size_t i = 0; tree->item(i, &item); last = item, i++) {
        struct opt_item next;
        bool is_last = !tree->item(i + 1, &next) || !same_name(&item, &next);

        if (same_name(&item, &last))
            buf_printf(&names, ", %s", item.variant);
        else
            buf_printf(&names, "%s%s%s%s", i ? ", " : "", item.name, item.variant ? " (" : "", item.variant ? item.variant : "");
        if (item.variant && is_last)
            buf_addc(&names, ')');
    }
    fputs("  ", out);
    print_wrapped(out, names.p ? names.p : "", 2, 2);
    buf_release(&names);
}

/* "`filter: code` is short for `filter: {profile: code}`; alone may stand html of extract, profile of filter": each name once. */
static void print_short_forms(FILE *out, const struct opt *tree)
{
    struct buf text = { 0 }, names = { 0 };
    struct opt_item item, last = { 0 };

    for (size_t i = 0; tree->item(i, &item); last = item, i++) {
        if (item.main == NULL || same_name(&item, &last))
            continue;
        if (item.variant && text.n == 0)
            buf_printf(&text, "`%s: %s` is short for `%s: {%s: %s}`; ", item.name, item.variant, item.name, item.main,
                       item.variant);
        buf_printf(&names, "%s%s of %s", names.n ? ", " : "", item.main, item.name);
    }
    if (names.n) {
        buf_printf(&text, "alone may stand %s", names.p);
        fputs("  ", out);
        print_wrapped(out, text.p, 2, 2);
    }
    buf_release(&text);
    buf_release(&names);
}

static void print_item(FILE *out, const struct opt_item *item)
{
    static const struct row_style style = { add_key, add_key_help, KEY_COLUMN };
    size_t left = help_column(&style, item->opts);
    struct buf head = { 0 };

    if (item->variant)
        buf_printf(&head, "%s {%s: %s}: %s", item->name, item->key, item->variant, item->help);
    else
        buf_printf(&head, "%s: %s", item->name ? item->name : "each", item->help);
    if (item->name)
        fputc('\n', out);
    print_wrapped(out, head.p, 4, 0);
    for (const struct opt *row = item->opts; row->name; row++)
        if (item->key == NULL || strcmp(row->name, item->key) != 0)
            print_row(out, &style, row, left);
    buf_release(&head);
}

void opt_help_items(FILE *out, const struct opt *table)
{
    for (const struct opt *row = table; row->name; row++) {
        struct opt_item item;

        if (row->item == NULL || !row->item(0, &item))
            continue;
        fprintf(out, "\nitems of --%s, with their defaults:\n", row->name);
        if (item.name) {
            print_names(out, row);
            print_short_forms(out, row);
        }
        for (size_t i = 0; row->item(i, &item); i++)
            print_item(out, &item);
    }
}

bool opt_has_items(const struct opt *table)
{
    bool has = false;

    for (const struct opt *row = table; row->name; row++)
        has = has || row->item != NULL;
    return has;
}
