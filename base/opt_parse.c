/* Options from the command line. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/opt_fill.h"

struct command_line {
    struct opt_fill fill;
    int argc, next;
    char **argv;
    bool words_only;              /* behind "--" */
    const char *config;
    const char **sets;
    size_t set_count;
    struct yaml **given;          /* one a row: what the words gave, or NULL */
};

/* ---- words to nodes ---- */

/* Adds an item; room doubles whenever the count reaches a power of two. */
static void list_add(struct arena *a, struct yaml *list, struct yaml *item)
{
    size_t n = list->count;

    if ((n & (n - 1)) == 0) {
        struct yaml **wider = arena_array(a, n ? 2 * n : 1, sizeof *wider);
        if (n > 0)
            memcpy(wider, list->items, n * sizeof *wider);
        list->items = wider;
    }
    list->items[list->count++] = item;
}

static void give_item(struct command_line *c, const struct opt *row, const char *name,
                      const char *text)
{
    struct yaml **given = &c->given[row - c->fill.table];
    struct yaml *item = yaml_word(c->fill.arena, name, text);

    item->plain = false;
    if (*given == NULL) {
        *given = yaml_word(c->fill.arena, name, "");
        (*given)->kind = YAML_LIST;
    }
    list_add(c->fill.arena, *given, item);
}

static enum status give(struct command_line *c, const struct opt *row, const char *text)
{
    struct yaml **given = &c->given[row - c->fill.table];
    const char *name = arena_printf(c->fill.arena, "--%s", row->name);

    if (opt_is_list(row)) {
        give_item(c, row, name, text);
        return ST_OK;
    }
    if (*given != NULL)
        return fail(ST_USAGE, "%s is given twice; the second time as '%.60s'", name, text);
    return opt_value_of_text(row, c->fill.arena, name, text, given);
}

/* ---- one argument ---- */

static enum status take_value(struct command_line *c, const char *name, const char *help,
                              const char **value)
{
    const char *word = c->next < c->argc ? c->argv[c->next] : NULL;

    if (*value != NULL)
        return ST_OK;
    if (word == NULL)
        return fail(ST_USAGE, "--%s wants a value (%s)", name, help);
    if (strncmp(word, "--", 2) == 0)
        return fail(ST_USAGE, "--%s wants a value, found '%s'; write --%s=%s if that is the value",
                    name, word, name, word);
    *value = word;
    c->next++;
    return ST_OK;
}

static enum status take_plain_word(struct command_line *c, const char *word)
{
    for (const struct opt *row = c->fill.table; row->name; row++)
        if (row->flags & OPT_POSITIONAL)
            return give(c, row, word);
    if (opt_find(c->fill.table, word) != NULL)
        return fail(ST_USAGE, "unexpected word '%s'; did you mean '--%s'?", word, word);
    return fail(ST_USAGE, "unexpected word '%.200s'; options begin with '--'", word);
}

static enum status take_flag(struct command_line *c, const struct opt *row, const char *name,
                             const char *value)
{
    bool negated = strncmp(name, "no-", 3) == 0 && strncmp(row->name, "no-", 3) != 0;

    if (negated && value != NULL)
        return fail(ST_USAGE, "--%s takes no value; write --%s=%s", name, row->name, value);
    return give(c, row, value ? value : negated ? "false" : "true");
}

static enum status take_config(struct command_line *c, const char *value)
{
    TRY(take_value(c, "config", "a YAML file with options", &value));
    if (c->config != NULL)
        return fail(ST_USAGE, "--config is given twice: '%s' and '%s'", c->config, value);
    c->config = value;
    return ST_OK;
}

static enum status take_set(struct command_line *c, const char *value)
{
    TRY(take_value(c, "set", "key=value", &value));
    c->sets[c->set_count++] = value;
    return ST_OK;
}

static enum status take_quiet(const char *value)
{
    if (value != NULL)
        return fail(ST_USAGE, "--quiet takes no value");
    log_set_quiet(true);
    return ST_OK;
}

/* What is in no table: the options of every command, and --no-x. */
static enum status take_other(struct command_line *c, const char *name, const char *value)
{
    const struct opt *flag =
        strncmp(name, "no-", 3) == 0 ? opt_find(c->fill.table, name + 3) : NULL;
    const char *guess;

    if (strcmp(name, "config") == 0)
        return take_config(c, value);
    if (strcmp(name, "set") == 0)
        return take_set(c, value);
    if (strcmp(name, "quiet") == 0)
        return take_quiet(value);
    if (flag != NULL && flag->type == OPT_T_BOOL)
        return take_flag(c, flag, name, value);
    guess = opt_guess(c->fill.table, c->fill.arena, name, "--");
    return fail(ST_USAGE, "unknown option '--%.60s'%s", name,
                *guess ? guess : "; --help lists them");
}

/* name without its dashes; value is NULL without '='. */
static enum status take_option(struct command_line *c, const char *name, const char *value)
{
    const struct opt *row = opt_find(c->fill.table, name);

    if (row == NULL)
        return take_other(c, name, value);
    if (row->type == OPT_T_BOOL)
        return take_flag(c, row, row->name, value);
    TRY(take_value(c, row->name, row->help, &value));
    return give(c, row, value);
}

static bool has_letters(const struct opt *table)
{
    for (; table->name; table++)
        if (table->letter != 0)
            return true;
    return false;
}

/* "-f", "-j4", or "-j" with the value in the next word. */
static enum status take_letter(struct command_line *c, const char *word)
{
    const struct opt *row = opt_find_letter(c->fill.table, word[1]);
    const char *value = word[2] != 0 ? word + 2 : NULL;

    if (row == NULL)
        return fail(ST_USAGE, "unknown option '%.60s'; %s", word,
                    has_letters(c->fill.table) ? "--help lists them"
                                               : "options begin with two dashes");
    if (row->type == OPT_T_BOOL) {
        if (value != NULL)
            return fail(ST_USAGE, "unknown option '%.60s'; -%c (--%s) stands alone", word,
                        row->letter, row->name);
        return give(c, row, "true");
    }
    TRY(take_value(c, row->name, row->help, &value));
    return give(c, row, value);
}

static enum status take_argument(struct command_line *c)
{
    const char *word = c->argv[c->next++], *equals;

    if (c->words_only || word[0] != '-' || word[1] == 0)
        return take_plain_word(c, word);
    if (strcmp(word, "--") == 0) {
        c->words_only = true;
        return ST_OK;
    }
    if (word[1] != '-')
        return take_letter(c, word);
    equals = strchr(word, '=');
    if (equals == NULL)
        return take_option(c, word + 2, NULL);
    return take_option(c, arena_strndup(c->fill.arena, word + 2, (size_t)(equals - word - 2)),
                       equals + 1);
}

/* ---- the layers ---- */

static enum status fill_config(struct command_line *c)
{
    struct yaml *map;

    c->fill.layer = 1;
    if (c->config == NULL)
        return ST_OK;
    TRY(yaml_read_file(c->fill.arena, c->config, &map));
    return opt_fill_map(&c->fill, map, "");
}

static enum status fill_set(struct command_line *c, const char *set)
{
    struct arena *a = c->fill.arena;
    const char *equals = strchr(set, '='), *name, *group, *shown;
    const struct opt *row;
    struct yaml *value;

    if (equals == NULL || equals == set)
        return fail(ST_USAGE, "--set wants key=value, found '%.200s'", set);
    name = arena_strndup(a, set, (size_t)(equals - set));
    shown = arena_printf(a, "--set %s", name);
    row = opt_find(c->fill.table, name);
    if (row != NULL) {
        TRY(opt_value_of_text(row, a, shown, equals + 1, &value));
        return opt_fill_row(&c->fill, row, value);
    }
    group = opt_group(a, name);
    if (!opt_has_group(c->fill.table, group))
        return fail(ST_USAGE, "unknown option in '--set %.60s'%s", set,
                    opt_guess(c->fill.table, a, name, ""));
    TRY(yaml_parse(a, shown, equals + 1, strlen(equals + 1), &value));
    return opt_fill_map(&c->fill, value, group);
}

static enum status fill_given(struct command_line *c)
{
    c->fill.layer = 3;
    for (const struct opt *row = c->fill.table; row->name; row++)
        if (c->given[row - c->fill.table] != NULL)
            TRY(opt_fill_row(&c->fill, row, c->given[row - c->fill.table]));
    return ST_OK;
}

static enum status check_required(const struct command_line *c)
{
    const struct opt *row = opt_fill_missing(&c->fill, 0);

    if (row == NULL)
        return ST_OK;
    return fail(ST_USAGE, "--%s is missing (%s)", row->name, row->help);
}

enum status opt_parse(const struct opt *table, struct arena *a, int argc, char **argv, void *cfg)
{
    struct command_line c = { .argc = argc, .argv = argv };
    size_t rows = 0;

    while (table[rows].name)
        rows++;
    c.fill = opt_fill_begin(table, a, cfg);
    c.given = arena_array(a, rows, sizeof *c.given);
    c.sets = arena_array(a, (size_t)argc, sizeof *c.sets);
    while (c.next < c.argc)
        TRY(take_argument(&c));
    TRY(fill_config(&c));
    c.fill.layer = 2;
    for (size_t i = 0; i < c.set_count; i++)
        TRY(fill_set(&c, c.sets[i]));
    TRY(fill_given(&c));
    return check_required(&c);
}
