/* {command: [PROGRAM, WORD...]}: a program that writes JSON lines to its standard output, instead of a file with them
 * (for Parquet, for databases). It runs without a shell, with nothing on its standard input, once, when its turn comes
 * in the list. What it is counts by its words, `files` and `version`; what else it reads no cache can know. A program
 * that fails ends the run: half of its lines would be a corpus that nobody wanted. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bench.h"
#include "base/child_program.h"
#include "curate/source/source_part.h"

struct source_command {
    struct source *source;
    const struct source_item *item;
    struct child_program *child;      /* NULL: ended */
    struct span left;                 /* written, and not yet handed on */
    double until;
    uint64_t documents;               /* of the source, before */
};

enum status command_item_check(const struct yaml *item)
{
    static const char *const only[] = { "name", "files", "version", "timeout", "memory" };
    const struct yaml *command = yaml_get(item, "command"), *path = yaml_get(item, "path"), *timeout = yaml_get(item, "timeout");
    bool empty = command != NULL && ((command->kind == YAML_LIST && command->count == 0) ||
                                     (command->kind == YAML_SCALAR && *command->text == 0));
    double seconds;

    if ((command == NULL) == (path == NULL))
        return yaml_fail(item, "a source has %s; want one of them: path (what to read) or command (a program that writes "
                               "JSON lines)", command != NULL ? "both path and command" : "neither path nor command");
    if (empty)
        return yaml_fail(command, "the command is empty; want a program and its words, as [python3, rows.py]");
    for (size_t i = 0; command == NULL && i < sizeof only / sizeof only[0]; i++)
        if (yaml_get(item, only[i]) != NULL)
            return yaml_fail(yaml_get(item, only[i]), "'%s' belongs to sources with a command; this one has a path", only[i]);
    if (timeout != NULL && (!str_parse_duration(timeout->text, &seconds) || seconds <= 0))
        return yaml_fail(timeout, "the timeout '%s' is no span of time; want such as 90s, 10m or 2h", timeout->text);
    return ST_OK;
}

void command_enter(struct source *s, const char *id)
{
    const struct source_item *item = source_item_of(s);
    struct child_program_args args = { &item->command, item->memory };
    struct source_command *c = mem_alloc(sizeof *c);
    double seconds = INFINITY;

    c->source = s;
    c->item = item;
    c->documents = s->stats.documents;
    s->failed = child_program_start(&args, &c->child);
    if (s->failed != ST_OK) {
        free(c);
        return;
    }
    if (item->timeout != NULL)
        BUG_IF(!str_parse_duration(item->timeout, &seconds));      /* checked when the list was */
    c->until = bench_now() + seconds;
    s->stats.files++;
    s->file_bytes = 0;
    s->expanded = s->members = 0;
    s->abandon = false;
    jsonl_level_open(s, input_of_command(s, c), id);
}

static void end_child(struct source_command *c)
{
    child_program_end(c->child, false, NULL);
    c->child = NULL;
}

/* How it ended: 0, or -1 with s->failed. */
static ssize_t ended(struct source_command *c)
{
    char *said = mem_strdup(child_program_said(c->child));
    struct buf how = { 0 };

    if (!child_program_end(c->child, true, &how))
        c->source->failed = fail(ST_FAILED, "the program '%s' of source '%s' ended with %s, after %" PRIu64 " documents; it "
                                 "said: %s", c->item->command.v[0], c->item->name, how.n > 0 ? how.p : "no status",
                                 c->source->stats.documents - c->documents, *said != 0 ? said : "nothing");
    c->child = NULL;
    buf_release(&how);
    free(said);
    return c->source->failed != ST_OK ? -1 : 0;
}

static ssize_t late(struct source_command *c)
{
    c->source->failed = fail(ST_LIMIT, "the program '%s' of source '%s' was not done within its timeout of %s; it said: %s",
                             c->item->command.v[0], c->item->name, c->item->timeout, child_program_said(c->child));
    end_child(c);
    return -1;
}

ssize_t command_read(struct source_command *c, char *p, size_t n)
{
    enum child_program_how how = CHILD_PROGRAM_ANSWERED;

    if (c->child == NULL)
        return 0;
    if (c->left.n == 0)
        how = child_program_read(c->child, c->until, &c->left);
    if (how == CHILD_PROGRAM_ENDED)
        return ended(c);
    if (how == CHILD_PROGRAM_LATE)
        return late(c);
    if (how != CHILD_PROGRAM_ANSWERED) {
        c->source->failed = fail(ST_INTERRUPTED, "stopped while the program '%s' of source '%s' was running",
                                 c->item->command.v[0], c->item->name);
        end_child(c);
        return -1;
    }
    n = n < c->left.n ? n : c->left.n;
    memcpy(p, c->left.p, n);
    c->left.p += n;
    c->left.n -= n;
    return (ssize_t)n;
}

void command_close_source(struct source_command *c)
{
    if (c != NULL && c->child != NULL)
        child_program_end(c->child, false, NULL);
    free(c);
}
