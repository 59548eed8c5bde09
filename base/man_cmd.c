/* Pages in the language of man(7), from the same tables as --help. */
#include "base/man_cmd.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/str.h"

struct man_cfg {
    struct opt_list words;
    const char *all;
};

/* ---- text ---- */

/* Appends plain text: no sign of it is taken for an instruction. */
static void add_text(struct buf *out, const char *text, size_t n)
{
    const char *end = text + n;

    for (const char *p = text; p < end;) {
        uint32_t sign;
        size_t length = utf8_decode(p, end, &sign);

        if (length > 1)
            buf_printf(out, "\\[u%04X]", (unsigned)sign);
        else if (*p == '\\')
            buf_adds(out, "\\e");
        else if (*p == '-')
            buf_adds(out, "\\-");
        else if (*p == '\'')
            buf_adds(out, "\\(aq");
        else if (*p == '`')
            buf_adds(out, "\\(ga");
        else if (*p == '^')
            buf_adds(out, "\\(ha");
        else if (*p == '~')
            buf_adds(out, "\\(ti");
        else if (*p == '.' && (out->n == 0 || out->p[out->n - 1] == '\n'))
            buf_adds(out, "\\&.");
        else
            buf_addc(out, *p);
        p += length ? length : 1;
    }
}

static void add_string(struct buf *out, const char *text) { add_text(out, text, strlen(text)); }

/* A section of its own, or a name in front of a paragraph. */
static void add_bold(struct buf *out, const char *text)
{
    buf_adds(out, "\\fB");
    add_string(out, text);
    buf_adds(out, "\\fR");
}

enum part { PART_NONE, PART_TEXT, PART_EXAMPLE };

static void begin_part(struct buf *out, enum part *in, enum part next, bool gap)
{
    if (*in == PART_EXAMPLE && next != PART_EXAMPLE)
        buf_adds(out, ".EE\n.RE\n");
    if (next == PART_TEXT && (*in == PART_EXAMPLE || gap) && *in != PART_NONE)
        buf_adds(out, ".PP\n");
    if (next == PART_EXAMPLE && *in != PART_EXAMPLE)
        buf_printf(out, "%s.RS 4\n.EX\n", *in == PART_NONE ? "" : ".PP\n");
    else if (next == PART_EXAMPLE && gap)
        buf_addc(out, '\n');
    *in = next;
}

/* Text as --help has it: lines that begin with blanks are examples and stay as they are, all others
 * are filled. */
static void add_paragraphs(struct buf *out, const char *text)
{
    enum part in = PART_NONE;
    bool gap = false;

    while (*text) {
        size_t n = strcspn(text, "\n"), blank = strspn(text, " ");

        if (n == 0) {
            gap = true;
        } else {
            begin_part(out, &in, blank >= 2 ? PART_EXAMPLE : PART_TEXT, gap);
            add_text(out, text + (in == PART_EXAMPLE ? 2 : 0), n - (in == PART_EXAMPLE ? 2 : 0));
            buf_addc(out, '\n');
            gap = false;
        }
        text += n + (text[n] == '\n');
    }
    begin_part(out, &in, PART_NONE, false);
}

/* ---- sections ---- */

static void add_head(struct buf *out, const char *page, const char *summary)
{
    struct buf name = { 0 };

    for (const char *p = page; *p; p++)
        buf_addc(&name, (char)toupper((unsigned char)*p));
    buf_adds(out, ".TH ");
    add_string(out, name.p);
    buf_adds(out, " 1 \"\" \"Tundish " TUNDISH_VERSION "\" \"Tundish\"\n.SH NAME\n");
    add_string(out, page);
    buf_adds(out, " \\- ");
    add_string(out, summary);
    buf_addc(out, '\n');
    buf_release(&name);
}

static void add_options(struct buf *out, const struct opt *table)
{
    struct buf help = { 0 };

    for (const struct opt *row = table; row->name; row++) {
        buf_adds(out, ".TP\n\\fB");
        if (row->letter)
            buf_printf(out, "\\-%c\\fR, \\fB", row->letter);
        buf_adds(out, "\\-\\-");
        add_string(out, opt_is_on(row) ? "[no-]" : "");
        add_string(out, row->name);
        buf_adds(out, "\\fR");
        if (*opt_value_word(row)) {
            buf_adds(out, " \\fI");
            add_string(out, opt_value_word(row));
            buf_adds(out, "\\fR");
        }
        buf_addc(out, '\n');
        buf_clear(&help);
        opt_row_help(&help, row);
        add_string(out, help.p);
        buf_addc(out, '\n');
    }
    buf_release(&help);
}

/* What the items of its options may be, and what it prints itself, as text. */
static void add_printed(struct buf *out, const struct command *c)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    BUG_IF(f == NULL);
    opt_help_items(f, c->opts);
    if (c->print_details)
        c->print_details(f);
    BUG_IF(fclose(f) != 0);
    buf_adds(out, ".SH MORE\n.EX\n");
    add_text(out, text, n);
    if (n == 0 || text[n - 1] != '\n')
        buf_addc(out, '\n');
    buf_adds(out, ".EE\n");
    free(text);
}

static void add_usage(struct buf *out, const struct command *c)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    BUG_IF(f == NULL);
    opt_usage(f, c->opts);
    BUG_IF(fclose(f) != 0);
    buf_adds(out, ".SH SYNOPSIS\n\\fBtundish ");
    add_string(out, c->name);
    buf_adds(out, "\\fR");
    add_text(out, text, n);
    buf_addc(out, '\n');
    free(text);
}

/* Codes in rising order, each with what the statuses that have it mean. */
static void add_exit_codes(struct buf *out)
{
    static const struct {
        int code;
        const char *text;
    } list[] = {
#define X(name, code, text) { code, text },
        STATUS_LIST(X)
#undef X
    };
    size_t count = sizeof list / sizeof *list;

    buf_adds(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && list[i].code == list[i - 1].code;

        if (!same)
            buf_printf(out, "%s.TP\n%d\n", i ? "\n" : "", list[i].code);
        buf_adds(out, same ? "; " : "");
        add_string(out, list[i].text);
    }
    buf_addc(out, '\n');
}

/* "tundish-tokenizer-train" */
static char *page_name(struct arena *a, const struct command *c)
{
    char *name = arena_printf(a, "tundish-%s", c->name);

    for (char *p = name; *p; p++)
        if (*p == ' ')
            *p = '-';
    return name;
}

/* ---- pages ---- */

static void command_page(struct buf *out, struct arena *a, const struct command *c)
{
    struct opt common[CLI_COMMON];

    add_head(out, page_name(a, c), c->summary);
    add_usage(out, c);
    if (c->details && *c->details) {
        buf_adds(out, ".SH DESCRIPTION\n");
        add_paragraphs(out, c->details);
    }
    buf_adds(out, ".SH OPTIONS\n");
    add_options(out, c->opts);
    cli_common(c, common);
    add_options(out, common);
    if (c->print_details || opt_has_items(c->opts))
        add_printed(out, c);
    add_exit_codes(out);
    buf_adds(out, ".SH SEE ALSO\n.BR tundish (1)\n");
}

static void overview_page(struct buf *out)
{
    add_head(out, "tundish", "raw text in, a served language model out");
    buf_adds(out, ".SH SYNOPSIS\n\\fBtundish\\fR \\fICOMMAND\\fR [options]\n.SH COMMANDS\n");
    for (command_list c = command_all(); *c; c++) {
        buf_adds(out, ".TP\n");
        add_bold(out, (*c)->name);
        buf_addc(out, '\n');
        add_string(out, (*c)->summary);
        buf_addc(out, '\n');
    }
    buf_adds(out, ".PP\nEach has a page of its own: \\fBtundish\\-\\fR\\fICOMMAND\\fR(1), a \\- "
                  "between two words.\n");
    add_exit_codes(out);
}

static enum status write_page(struct arena *a, const char *folder, const char *name,
                              const struct buf *page)
{
    return file_write_atomic(arena_printf(a, "%s/%s.1", folder, name), page->p, page->n);
}

static enum status write_all(struct arena *a, const char *folder)
{
    struct buf page = { 0 };
    enum status st;

    TRY(file_make_folders(folder));
    overview_page(&page);
    st = write_page(a, folder, "tundish", &page);
    for (command_list c = command_all(); st == ST_OK && *c; c++) {
        buf_clear(&page);
        command_page(&page, a, *c);
        st = write_page(a, folder, page_name(a, *c), &page);
    }
    buf_release(&page);
    return st;
}

/* The command of these words; NULL and ST_OK: none were given. */
static enum status find(struct arena *a, const struct opt_list *words, const struct command **out)
{
    const char *name;

    *out = NULL;
    if (words->count == 0)
        return ST_OK;
    if (words->count > 2)
        return fail(ST_USAGE, "unexpected word '%.60s' behind the command", words->v[2]);
    name = words->count == 1 ? words->v[0] : arena_printf(a, "%s %s", words->v[0], words->v[1]);
    *out = command_find(command_all(), name);
    return *out ? ST_OK
                : fail(ST_USAGE, "there is no command '%.60s'; 'tundish help' lists them", name);
}

static enum status run(struct arena *a, void *cfg)
{
    const struct man_cfg *c = cfg;
    const struct command *command;
    struct buf page = { 0 };

    TRY(find(a, &c->words, &command));
    if (c->all && command)
        return fail(ST_USAGE, "--all writes the pages of all commands; leave '%.60s' out",
                    command->name);
    if (c->all)
        return write_all(a, c->all);
    if (command)
        command_page(&page, a, command);
    else
        overview_page(&page);
    fputs(page.p, stdout);
    buf_release(&page);
    return ST_OK;
}

static const struct opt options[] = {
    OPT_LIST(struct man_cfg, words, "command", "whose page; none: that of the whole program",
             .flags = OPT_POSITIONAL, .value = "COMMAND"),
    OPT_STR(struct man_cfg, all, "all", NULL, "write all pages into this folder, as NAME.1",
            .value = "FOLDER"),
    OPT_END
};

const struct command cmd_man = {
    .name = "man",
    .summary = "print a manual page, or write all of them",
    .details = "What --help says, for man(1). Where the program was installed, `man tundish` has\n"
               "it already.\n"
               "\n"
               "  tundish man tokenizer train | man -l -\n"
               "  tundish man --all ~/.local/share/man/man1",
    .opts = options,
    .cfg_size = sizeof(struct man_cfg),
    .run = run,
};
