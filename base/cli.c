#include "base/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"
#include "base/stop.h"
#include "base/str.h"

#define COMMAND_LIMIT 256

/* What argv asks for. */
struct request {
    const struct cli_group *groups;
    command_list all;
    struct arena arena;
    int argc;                       /* the words that are not taken yet */
    char **argv;
    const struct command *command;
};

/* ---- finding the command ---- */

static command_list flatten(const struct cli_group *groups)
{
    static const struct command *all[COMMAND_LIMIT + 1];
    size_t n = 0;

    memset(all, 0, sizeof all);
    for (const struct cli_group *g = groups; g->title; g++)
        for (command_list c = g->commands; *c; c++) {
            BUG_IF(n == COMMAND_LIMIT || command_find(all, (*c)->name) != NULL);
            all[n++] = *c;
        }
    return all;
}

static void take_words(struct request *r, int n)
{
    r->argc -= n;
    r->argv += n;
}

/* Takes the command's two words or one off argv. */
static bool take_command(struct request *r)
{
    const char *two = r->argc > 1 ? arena_printf(&r->arena, "%s %s", r->argv[0], r->argv[1]) : NULL;

    if (r->argc == 0)
        return false;
    r->command = two ? command_find(r->all, two) : NULL;
    if (r->command != NULL) {
        take_words(r, 2);
        return true;
    }
    r->command = command_find(r->all, r->argv[0]);
    if (r->command != NULL)
        take_words(r, 1);
    return r->command != NULL;
}

/* The first word of a two-word name, in the arena; NULL for one word. */
static const char *family_of(struct request *r, const struct command *c)
{
    const char *space = strchr(c->name, ' ');

    return space ? arena_strndup(&r->arena, c->name, (size_t)(space - c->name)) : NULL;
}

static bool is_family(struct request *r, const char *word)
{
    for (command_list c = r->all; *c; c++) {
        const char *family = family_of(r, *c);
        if (family && strcmp(family, word) == 0)
            return true;
    }
    return false;
}

/* The nearest of all names and first words. */
static const char *nearest(struct request *r, const char *words)
{
    const char **names = arena_array(&r->arena, 2 * COMMAND_LIMIT + 2, sizeof *names);
    size_t n = 0;

    names[n++] = "help";
    for (command_list c = r->all; *c; c++) {
        const char *family = family_of(r, *c);
        names[n++] = (*c)->name;
        if (family)
            names[n++] = family;
    }
    return strlen(words) < 60 ? str_nearest(words, names) : NULL;
}

static enum status unknown_command(struct request *r)
{
    const char *word = r->argv[0], *seen = word, *near;

    if (word[0] == '-')
        return fail(ST_USAGE, "unknown option '%.60s'; want a command in front of options, "
                    "'tundish help' lists them", word);
    if (is_family(r, word) && r->argc > 1)
        seen = arena_printf(&r->arena, "%s %s", word, r->argv[1]);
    near = nearest(r, seen);
    if (near != NULL && strcmp(near, seen) != 0 && strcmp(near, word) != 0)
        return fail(ST_USAGE, "unknown command '%.60s'; did you mean 'tundish %s'?", seen, near);
    return fail(ST_USAGE, "unknown command '%.60s'; 'tundish %s' lists what there is", seen,
                seen == word ? "help" : word);
}

/* ---- doing it ---- */

static bool asks_for_help(const struct request *r)
{
    for (int i = 0; i < r->argc && strcmp(r->argv[i], "--") != 0; i++)
        if (strcmp(r->argv[i], "--help") == 0 || (i == 0 && strcmp(r->argv[i], "-h") == 0))
            return true;
    return false;
}

static enum status run_command(struct request *r)
{
    const struct command *c = r->command;
    void *cfg;
    enum status st;

    if (asks_for_help(r)) {
        cli_help_command(stdout, c);
        return ST_OK;
    }
    cfg = arena_alloc(&r->arena, c->cfg_size);
    st = opt_parse(c->opts, &r->arena, r->argc, r->argv, cfg);
    return st == ST_OK ? c->run(&r->arena, cfg) : st;
}

/* The words behind "help". */
static enum status help(struct request *r)
{
    if (r->argc == 0) {
        cli_help_all(stdout, r->groups);
        return ST_OK;
    }
    if (take_command(r)) {
        cli_help_command(stdout, r->command);
        return ST_OK;
    }
    if (r->argc == 1 && cli_help_family(stdout, r->all, r->argv[0]))
        return ST_OK;
    return unknown_command(r);
}

static enum status dispatch(struct request *r)
{
    static char version[] = "version";
    const char *word;

    if (r->argc > 0 && strcmp(r->argv[0], "--quiet") == 0) {
        log_set_quiet(true);
        take_words(r, 1);
    }
    word = r->argc > 0 ? r->argv[0] : "help";
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        take_words(r, r->argc > 0);
        return help(r);
    }
    if (strcmp(word, "--version") == 0)
        r->argv[0] = version;
    if (take_command(r))
        return run_command(r);
    if ((r->argc == 1 || strcmp(r->argv[1], "--help") == 0)
        && cli_help_family(stdout, r->all, word))
        return ST_OK;
    return unknown_command(r);
}

/* Appends a message without what could steer a terminal; line ends stay, for messages
 * with a source line. */
static void add_message(struct buf *out, const char *message)
{
    struct buf good = { 0 };

    utf8_repair(&good, message, strlen(message));
    for (size_t i = 0; i < good.n; i++) {
        unsigned char c = (unsigned char)good.p[i];
        if ((c < 0x20 && c != '\n') || c == 0x7F)
            buf_printf(out, "\\x%02x", c);
        else
            buf_addc(out, (char)c);
    }
    buf_release(&good);
}

static void report(const struct request *r)
{
    const char *red = log_has_colours() ? "\033[31m" : "", *plain = *red ? "\033[0m" : "";
    struct buf text = { 0 };

    log_status_line("");
    buf_printf(&text, "tundish%s%s: %serror:%s ", r->command ? " " : "",
               r->command ? r->command->name : "", red, plain);
    add_message(&text, fail_message());
    buf_addc(&text, '\n');
    fwrite(text.p, 1, text.n, stderr);
    buf_release(&text);
}

/* A stream that is closed would be the number of the next file that is opened, a journal perhaps,
 * and words for people would go there. What holds its place fails as a closed one does. */
static void hold_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int cli_main(const struct cli_group *groups, int argc, char **argv)
{
    struct request r = { .groups = groups, .all = flatten(groups), .argc = argc, .argv = argv };
    enum status st;

    hold_closed_streams();
    command_set_all(r.all);
    signal(SIGPIPE, SIG_IGN);
    stop_install();
    arena_init(&r.arena);
    take_words(&r, argc > 0);
    st = dispatch(&r);
    if (st == ST_OK)
        st = output_flush();
    else
        fflush(stdout);      /* data before the message; a second failure would hide the first */
    if (st != ST_OK)
        report(&r);
    arena_release(&r.arena);
    return status_exit_code(st);
}
