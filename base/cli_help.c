#include <stdio.h>
#include <string.h>

#include "base/cli.h"

static const struct opt of_every_command[CLI_COMMON] = {
    { .name = "config", .type = OPT_T_INPUT, .value = "FILE",
      .help = "YAML file with the options above; the command line wins" },
    { .name = "set", .type = OPT_T_LIST, .value = "KEY=VALUE",
      .help = "one option as in that file, over it; VALUE may be YAML; may be repeated" },
    { .name = "quiet", .type = OPT_T_BOOL, .help = "no progress and no notes on stderr" },
    { .name = "help", .type = OPT_T_BOOL, .help = "this text" },
    OPT_END
};

static int name_width(command_list all)
{
    int width = 0;

    for (; *all; all++)
        if ((int)strlen((*all)->name) > width)
            width = (int)strlen((*all)->name);
    return width;
}

static void print_line(FILE *out, const struct command *c, int width)
{
    fprintf(out, "  %-*s  %s\n", width, c->name, c->summary);
}

void cli_help_all(FILE *out, const struct cli_group *groups)
{
    int width = 0;

    for (const struct cli_group *g = groups; g->title; g++)
        if (name_width(g->commands) > width)
            width = name_width(g->commands);
    fputs("tundish: raw text in, a served language model out\n\n"
          "usage: tundish COMMAND [--config FILE.yaml] [--set KEY=VALUE]... [options]\n", out);
    for (const struct cli_group *g = groups; g->title; g++) {
        fprintf(out, "\n%s\n", g->title);
        for (command_list c = g->commands; *c; c++)
            print_line(out, *c, width);
    }
    fputs("\n'tundish COMMAND --help' tells more about one; "
          "'tundish --version' what is built in.\n", out);
}

void cli_common(const struct command *c, struct opt out[CLI_COMMON])
{
    size_t n = 0;

    for (const struct opt *row = of_every_command; row->name; row++)
        if (opt_find(c->opts, row->name) == NULL)
            out[n++] = *row;
    out[n] = (struct opt)OPT_END;
}

void cli_help_command(FILE *out, const struct command *c)
{
    struct opt common[CLI_COMMON];

    fprintf(out, "tundish %s: %s\n\nusage: tundish %s", c->name, c->summary, c->name);
    opt_usage(out, c->opts);
    fputc('\n', out);
    if (c->details && *c->details)
        fprintf(out, "\n%s%s", c->details, c->details[strlen(c->details) - 1] == '\n' ? "" : "\n");
    if (c->opts->name) {
        fputs("\noptions:\n", out);
        opt_help(out, c->opts);
        opt_help_items(out, c->opts);
    }
    if (c->print_details) {
        fputc('\n', out);
        c->print_details(out);
    }
    fputs("\nof every command:\n", out);
    cli_common(c, common);
    opt_help(out, common);
}

/* "train" for "tokenizer train" and the first word "tokenizer"; else NULL. */
static const char *second_word(const struct command *c, const char *first)
{
    size_t n = strlen(first);

    return strncmp(c->name, first, n) == 0 && c->name[n] == ' ' ? c->name + n + 1 : NULL;
}

bool cli_help_family(FILE *out, command_list all, const char *first)
{
    int width = 0;

    for (command_list c = all; *c; c++)
        if (second_word(*c, first) && (int)strlen((*c)->name) > width)
            width = (int)strlen((*c)->name);
    if (width == 0)
        return false;
    fprintf(out, "usage: tundish %s WORD [options]\n\n", first);
    for (command_list c = all; *c; c++)
        if (second_word(*c, first))
            print_line(out, *c, width);
    return true;
}
