/* fish: one `complete` a word, under the condition that its command stands on the line. */
#include "base/cli.h"
#include "base/completion_part.h"

static void add_help(struct buf *out, const char *text)
{
    buf_adds(out, " -d ");
    /* within single quotes fish takes \\ and \' for signs */
    buf_addc(out, '\'');
    for (; *text; text++)
        buf_printf(out, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    buf_addc(out, '\'');
}

/* What is proposed for a value of that kind. */
static void add_values(struct buf *out, const char *kind, const struct opt *row)
{
    if (strcmp(kind, "@path") == 0 || strcmp(kind, "@folder") == 0)
        buf_adds(out, " -r -F");
    else if (strcmp(kind, "@stage") == 0)
        buf_adds(out, " -x -a '(__tundish_stages)'");
    else if (*kind == '@')
        buf_adds(out, " -x");
    else if (*kind)
        buf_printf(out, " -x -a '%s'", kind);
    (void)row;
}

static void add_option(struct buf *out, const struct command *c, const struct opt *row)
{
    struct buf kind = { 0 };

    completion_value(&kind, row);
    buf_printf(out, "complete -c tundish -n '__tundish_is %s' -l %s%s", c->name,
               opt_is_on(row) ? "no-" : "", row->name);
    if (row->letter)
        buf_printf(out, " -s %c", row->letter);
    add_values(out, kind.p, row);
    add_help(out, row->help);
    buf_addc(out, '\n');
    buf_release(&kind);
}

static void add_first_words(struct buf *out, const char *condition)
{
    struct span word;

    for (command_list c = command_all(); *c; c++)
        if (completion_first(*c, &word)) {
            buf_printf(out, "complete -c tundish -n '%s' -a '%.*s'", condition, (int)word.n,
                       word.p);
            if ((*c)->name[word.n] == 0)
                add_help(out, (*c)->summary);
            buf_addc(out, '\n');
        }
}

static void add_plain(struct buf *out, const struct command *c)
{
    const struct opt *row = completion_plain(c);
    struct buf kind = { 0 };

    if (row == NULL)
        return;
    completion_value(&kind, row);
    if (strcmp(kind.p, "@command") == 0) {
        struct buf at = { 0 };

        buf_printf(&at, "__tundish_at %s", c->name);
        add_first_words(out, at.p);
        buf_release(&at);
    } else if (strcmp(kind.p, "@file-stage") == 0) {
        buf_printf(out,
                   "complete -c tundish -n '__tundish_is %s; and __tundish_file >/dev/null' "
                   "-a '(__tundish_stages)'\n"
                   "complete -c tundish -n '__tundish_is %s; and not __tundish_file >/dev/null' "
                   "-F\n",
                   c->name, c->name);
    } else if (strcmp(kind.p, "@path") == 0 || strcmp(kind.p, "@folder") == 0) {
        buf_printf(out, "complete -c tundish -n '__tundish_is %s' -F\n", c->name);
    } else if (*kind.p != '@') {
        buf_printf(out, "complete -c tundish -n '__tundish_at %s' -a '%s'\n", c->name, kind.p);
    }
    buf_release(&kind);
}

static void add_command(struct buf *out, const struct command *c)
{
    struct opt common[CLI_COMMON];
    const char *space = strchr(c->name, ' ');

    if (space) {
        buf_printf(out, "complete -c tundish -n '__tundish_at %.*s' -a '%s'",
                   (int)(space - c->name), c->name, space + 1);
        add_help(out, c->summary);
        buf_addc(out, '\n');
    }
    cli_common(c, common);
    for (const struct opt *row = c->opts; row->name; row++)
        add_option(out, c, row);
    for (const struct opt *row = common; row->name; row++)
        add_option(out, c, row);
    add_plain(out, c);
}

void completion_fish(struct buf *out)
{
    buf_adds(out, "# fish completion of tundish " TUNDISH_VERSION "; made by `tundish completion "
                  "fish`\n");
    buf_add(out, completion_fish_driver().p, completion_fish_driver().n);
    add_first_words(out, "__tundish_at");
    buf_adds(out, "complete -c tundish -n '__tundish_at' -a 'help' -d 'what a command does'\n");
    add_first_words(out, "__tundish_at help");
    for (command_list c = command_all(); *c; c++)
        add_command(out, *c);
}
