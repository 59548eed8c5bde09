#include "base/completion_cmd.h"

#include <stdio.h>

#include "base/cli.h"
#include "base/completion_part.h"

/* A file of base/completion (CMakeLists.txt tells the assembler) as `name` to `name_end`. */
#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata\n" #name ":\n.incbin \"" file "\"\n" #name                           \
            "_end:\n.byte 0\n.previous\n");                                                        \
    extern const char name[], name##_end[]

EMBED(driver_bash, "driver.bash");
EMBED(driver_zsh, "driver.zsh");
EMBED(driver_fish, "driver.fish");

struct span completion_fish_driver(void)
{
    return (struct span){ driver_fish, (size_t)(driver_fish_end - driver_fish) };
}

/* ---- what a value is ---- */

static bool has(const char *text, const char *word) { return strstr(text, word) != NULL; }

static const char *kind_of(const struct opt *row)
{
    const char *word = opt_value_word(row);

    if (row->type == OPT_T_BOOL)
        return "";
    if (has(word, "STAGE"))
        return has(word, "FILE") ? "@file-stage" : "@stage";
    if (strcmp(word, "COMMAND") == 0)
        return "@command";
    if (has(word, "FOLDER"))
        return "@folder";
    if (has(word, "PATH") || has(word, "FILE") || row->type == OPT_T_INPUT ||
        row->type == OPT_T_INPUTS || row->type == OPT_T_OUTPUT)
        return "@path";
    return "@text";
}

void completion_value(struct buf *kind, const struct opt *row)
{
    buf_clear(kind);
    buf_adds(kind, row->choices ? "" : kind_of(row));
    for (int i = 0; row->choices && row->choices[i]; i++)
        buf_printf(kind, "%s%s", i ? " " : "", row->choices[i]);
}

const struct opt *completion_plain(const struct command *c)
{
    for (const struct opt *row = c->opts; row->name; row++)
        if (row->flags & OPT_POSITIONAL)
            return row;
    return NULL;
}

void completion_quote(struct buf *out, const char *text)
{
    buf_addc(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            buf_adds(out, "'\\''");
        else
            buf_addc(out, *text);
    buf_addc(out, '\'');
}

bool completion_first(const struct command *c, struct span *word)
{
    *word = (struct span){ c->name, strcspn(c->name, " ") };
    for (command_list all = command_all(); *all != c; all++)
        if (strncmp((*all)->name, word->p, word->n) == 0 &&
            ((*all)->name[word->n] == ' ' || (*all)->name[word->n] == 0))
            return false;
    return true;
}

/* ---- bash and zsh: tables of the same form ---- */

static void add_words(struct buf *out)
{
    struct span word;

    buf_adds(out, "_tundish_words() {\n    case $1 in\n        '') echo 'help");
    for (command_list c = command_all(); *c; c++)
        if (completion_first(*c, &word))
            buf_printf(out, " %.*s", (int)word.n, word.p);
    buf_adds(out, "' ;;\n");
    for (command_list c = command_all(); *c; c++) {
        if (!completion_first(*c, &word) || (*c)->name[word.n] == 0)
            continue;
        buf_printf(out, "        %.*s) echo '", (int)word.n, word.p);
        for (command_list d = c; *d; d++)
            if (strncmp((*d)->name, word.p, word.n) == 0 && (*d)->name[word.n] == ' ')
                buf_printf(out, "%s%s", d == c ? "" : " ", (*d)->name + word.n + 1);
        buf_adds(out, "' ;;\n");
    }
    buf_adds(out, "    esac\n}\n");
}

typedef void row_fn(struct buf *out, const struct command *c, const struct opt *row);

static void each_row(struct buf *out, const struct command *c, row_fn *add)
{
    struct opt common[CLI_COMMON];

    cli_common(c, common);
    for (const struct opt *row = c->opts; row->name; row++)
        add(out, c, row);
    for (const struct opt *row = common; row->name; row++)
        add(out, c, row);
}

static void add_option(struct buf *out, const struct command *c, const struct opt *row)
{
    (void)c;
    buf_printf(out, " --%s%s", opt_is_on(row) ? "no-" : "", row->name);
}

static void add_value(struct buf *out, const struct command *c, const struct opt *row)
{
    struct buf kind = { 0 };

    completion_value(&kind, row);
    if (kind.n > 0) {
        buf_printf(out, "        '%s --%s') echo ", c->name, row->name);
        completion_quote(out, kind.p);
        buf_adds(out, " ;;\n");
    }
    buf_release(&kind);
}

static void add_tables(struct buf *out)
{
    struct buf kind = { 0 };

    add_words(out);
    buf_adds(out, "_tundish_options() {\n    case $1 in\n");
    for (command_list c = command_all(); *c; c++) {
        buf_printf(out, "        '%s') echo '", (*c)->name);
        each_row(out, *c, add_option);
        buf_adds(out, "' ;;\n");
    }
    buf_adds(out, "    esac\n}\n_tundish_value() {\n    case \"$1 $2\" in\n");
    for (command_list c = command_all(); *c; c++)
        each_row(out, *c, add_value);
    buf_adds(out,
             "    esac\n}\n_tundish_plain() {\n    case $1 in\n        help) echo @command ;;\n");
    for (command_list c = command_all(); *c; c++) {
        const struct opt *row = completion_plain(*c);

        if (row == NULL)
            continue;
        completion_value(&kind, row);
        buf_printf(out, "        '%s') echo ", (*c)->name);
        completion_quote(out, kind.p);
        buf_adds(out, " ;;\n");
    }
    buf_adds(out, "    esac\n}\n");
    buf_release(&kind);
}

static void completion_bash(struct buf *out)
{
    buf_adds(out, "# bash completion of tundish " TUNDISH_VERSION "; made by `tundish completion "
                  "bash`\n");
    add_tables(out);
    buf_add(out, driver_bash, (size_t)(driver_bash_end - driver_bash));
}

/* "name:help", where a ':' in a name would end it. */
static void add_described(struct buf *out, const struct command *c, const struct opt *row)
{
    struct buf line = { 0 };

    (void)c;
    buf_printf(&line, "--%s%s:%s", opt_is_on(row) ? "no-" : "", row->name, row->help);
    buf_addc(out, ' ');
    completion_quote(out, line.p);
    buf_release(&line);
}

static void completion_zsh(struct buf *out)
{
    buf_adds(out,
             "#compdef tundish\n# made by `tundish completion zsh`, version " TUNDISH_VERSION "\n");
    add_tables(out);
    buf_adds(out, "_tundish_described() {\n    case $1 in\n");
    for (command_list c = command_all(); *c; c++) {
        buf_printf(out, "        '%s') print -rl --", (*c)->name);
        each_row(out, *c, add_described);
        buf_adds(out, " ;;\n");
    }
    buf_adds(out, "    esac\n}\n");
    buf_add(out, driver_zsh, (size_t)(driver_zsh_end - driver_zsh));
}

/* ---- the command ---- */

struct completion_cfg {
    int shell;
};

static const char *const shells[] = { "bash", "zsh", "fish", NULL };

static enum status run(struct arena *a, void *cfg)
{
    static void (*const writers[])(struct buf *) = { completion_bash, completion_zsh,
                                                     completion_fish };
    const struct completion_cfg *c = cfg;
    struct buf text = { 0 };

    (void)a;
    writers[c->shell](&text);
    fputs(text.p, stdout);
    buf_release(&text);
    return ST_OK;
}

static const struct opt options[] = { OPT_CHOICE(struct completion_cfg, shell, "shell", NULL,
                                                 shells, "whose script",
                                                 .flags = OPT_REQUIRED | OPT_POSITIONAL),
                                      OPT_END };

const struct command cmd_completion = {
    .name = "completion",
    .summary = "print a script with which a shell completes commands, options and values",
    .details =
        "Stages' names, too, where a pipeline file stands on the line. Where the program was\n"
        "installed, shells find the script by themselves; else:\n"
        "\n"
        "  source <(tundish completion bash)\n"
        "  source <(tundish completion zsh)        # behind compinit\n"
        "  tundish completion fish | source",
    .opts = options,
    .cfg_size = sizeof(struct completion_cfg),
    .run = run,
};
