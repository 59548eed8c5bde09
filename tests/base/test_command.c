#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bench.h"
#include "base/cli.h"
#include "base/log.h"
#include "base/version_cmd.h"
#include "base/child.h"

/* ---- a small program ---- */

struct cfg {
    int64_t vocab;
    struct opt_list in;
    const char *fail_as;
};

static const struct opt options[] = {
    OPT_INT(struct cfg, vocab, "vocab", "8192", 1, 1e6, "size of the vocabulary"),
    OPT_STR(struct cfg, fail_as, "fail-as", NULL, "status to end with"),
    OPT_INPUTS(struct cfg, in, "in", "files", .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_END
};

static enum status run(struct arena *a, void *cfg)
{
    const struct cfg *c = cfg;

    for (int64_t lines = c->vocab > 100000 ? c->vocab : 1; lines > 0; lines--)
        printf("vocab %lld, %zu files, quiet %d\n", (long long)c->vocab, c->in.count, log_is_quiet());
    for (int st = 1; c->fail_as && st < ST_COUNT; st++)
        if (strcmp(status_name(st), c->fail_as) == 0)
            return fail(st, "it went wrong with \x1b[31m'x'\nand more");
    return ST_OK;
}

static const struct command train = {
    .name = "tokenizer train", .summary = "learn a vocabulary", .details = "Reads files.\n\nexample:\n  x",
    .opts = options, .cfg_size = sizeof(struct cfg), .run = run,
};
static const struct command encode = {
    .name = "tokenizer encode", .summary = "text to ids", .opts = options,
    .cfg_size = sizeof(struct cfg), .run = run,
};
static const struct command curate = {
    .name = "curate", .summary = "clean text", .opts = options, .cfg_size = sizeof(struct cfg), .run = run,
};
static const struct cli_group groups[] = {
    { "data", (const struct command *const[]){ &curate, &train, &encode, NULL } },
    { "more", (const struct command *const[]){ &cmd_bench, &cmd_version, NULL } },
    { NULL, NULL }
};

struct call {
    int argc;
    char **argv;
};

static void call_cli(void *ctx)
{
    struct call *call = ctx;
    int code;

    dup2(STDERR_FILENO, STDOUT_FILENO);
    code = cli_main(groups, call->argc, call->argv);
    fflush(stdout);
    _exit(code);
}

static struct child_end call_words(char **argv)
{
    struct call call = { 0, argv };

    while (argv[call.argc])
        call.argc++;
    return child_run(call_cli, &call);
}
#define CALL(...) call_words((char *[]){ "tundish", __VA_ARGS__, NULL })
#define NOTHING() call_words((char *[]){ "tundish", NULL })

static void assert_end(struct child_end end, int code, const char *words)
{
    assert_string_equal(end.words, words);
    assert_int_equal(end.code, code);
}

static void assert_holds(struct child_end end, int code, const char *part)
{
    if (strstr(end.words, part) == NULL)
        fail_msg("no '%s' in: %s", part, end.words);
    assert_int_equal(end.code, code);
}

/* ---- tests ---- */

static void commands_are_found_by_name(void **state)
{
    command_list all = (const struct command *const[]){ &curate, &train, NULL };

    assert_ptr_equal(command_find(all, "tokenizer train"), &train);
    assert_ptr_equal(command_find(all, "tokenizer.train"), &train);
    assert_ptr_equal(command_find(all, "curate"), &curate);
    assert_null(command_find(all, "tokenizer"));
    assert_null(command_find(all, "cura"));
    assert_null(command_find(all, "curated"));
    assert_null(command_find(all, ""));
    command_set_all(all);
    assert_ptr_equal(command_all(), all);
}

static const char list_of_all[] =
    "tundish: raw text in, a served language model out\n"
    "\n"
    "usage: tundish COMMAND [--config FILE.yaml] [--set KEY=VALUE]... [options]\n"
    "\n"
    "data\n"
    "  curate            clean text\n"
    "  tokenizer train   learn a vocabulary\n"
    "  tokenizer encode  text to ids\n"
    "\n"
    "more\n"
    "  bench             measure a part of this program; one JSON line a case\n"
    "  version           version, compiler, processor and the parts that are built in\n"
    "\n"
    "'tundish COMMAND --help' tells more about one; 'tundish --version' what is built in.\n";

static void without_a_command_the_list_is_shown(void **state)
{
    assert_end(NOTHING(), 0, list_of_all);
    assert_end(CALL("help"), 0, list_of_all);
    assert_end(CALL("--help"), 0, list_of_all);
    assert_end(CALL("-h"), 0, list_of_all);
    assert_end(CALL("--quiet"), 0, list_of_all);
}

static const char help_of_train[] =
    "tundish tokenizer train: learn a vocabulary\n"
    "\n"
    "usage: tundish tokenizer train [options] PATH...\n"
    "\n"
    "Reads files.\n"
    "\n"
    "example:\n"
    "  x\n"
    "\n"
    "options:\n"
    "  --vocab N       size of the vocabulary [1 to 1000000; default 8192]\n"
    "  --fail-as TEXT  status to end with\n"
    "  --in PATH...    files (required) [or plain words]\n"
    "\n"
    "of every command:\n"
    "  --config FILE    YAML file with the options above; the command line wins\n"
    "  --set KEY=VALUE  one option as in that file, over it; VALUE may be YAML; may be repeated\n"
    "  --quiet          no progress and no notes on stderr\n"
    "  --help           this text\n";

static void help_of_a_command_is_found_in_many_ways(void **state)
{
    assert_end(CALL("tokenizer", "train", "--help"), 0, help_of_train);
    assert_end(CALL("tokenizer", "train", "-h"), 0, help_of_train);
    assert_end(CALL("tokenizer.train", "x", "--vocab", "--help"), 0, help_of_train);
    assert_end(CALL("help", "tokenizer", "train"), 0, help_of_train);
    assert_end(CALL("tokenizer", "train", "x", "--", "--help"), 0, "vocab 8192, 2 files, quiet 0\n");
}

static void a_first_word_lists_its_second_words(void **state)
{
    static const char want[] = "usage: tundish tokenizer WORD [options]\n\n"
                               "  tokenizer train   learn a vocabulary\n"
                               "  tokenizer encode  text to ids\n";

    assert_end(CALL("tokenizer"), 0, want);
    assert_end(CALL("tokenizer", "--help"), 0, want);
    assert_end(CALL("help", "tokenizer"), 0, want);
}

static void a_command_gets_its_options(void **state)
{
    assert_end(CALL("curate", "a", "b", "--vocab=3"), 0, "vocab 3, 2 files, quiet 0\n");
    assert_end(CALL("--quiet", "tokenizer", "encode", "a"), 0, "vocab 8192, 1 files, quiet 1\n");
    assert_end(CALL("tokenizer", "encode", "--quiet", "a"), 0, "vocab 8192, 1 files, quiet 1\n");
}

static void unknown_words_name_the_nearest(void **state)
{
    assert_end(CALL("curat"), 2, "tundish: error: unknown command 'curat'; did you mean 'tundish curate'?\n");
    assert_end(CALL("tokeniser"), 2, "tundish: error: unknown command 'tokeniser'; did you mean 'tundish tokenizer'?\n");
    assert_end(CALL("tokenizer", "trian", "x"), 2,
               "tundish: error: unknown command 'tokenizer trian'; did you mean 'tundish tokenizer train'?\n");
    assert_end(CALL("tokenizer", "fly"), 2,
               "tundish: error: unknown command 'tokenizer fly'; 'tundish tokenizer' lists what there is\n");
    assert_end(CALL("help", "vesrion"), 2, "tundish: error: unknown command 'vesrion'; did you mean 'tundish version'?\n");
    assert_end(CALL("zzz"), 2, "tundish: error: unknown command 'zzz'; 'tundish help' lists what there is\n");
    assert_end(CALL(""), 2, "tundish: error: unknown command ''; 'tundish help' lists what there is\n");
    assert_end(CALL("--vocab=3", "curate"), 2,
               "tundish: error: unknown option '--vocab=3'; want a command in front of options, 'tundish help' lists them\n");
    assert_end(CALL("curate", "x", "--vocba=3"), 2,
               "tundish curate: error: unknown option '--vocba'; did you mean '--vocab'?\n");
}

static void a_failure_is_told_once_and_gives_its_code(void **state)
{
    static const struct {
        char *name;
        int code;
    } ends[] = { { "io", 1 }, { "gate", 3 }, { "held", 4 }, { "integrity", 6 }, { "again", 75 },
                 { "timeout", 124 }, { "interrupted", 130 } };

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        assert_end(CALL("curate", "x", "--fail-as", ends[i].name), ends[i].code,
                   "vocab 8192, 1 files, quiet 0\n"
                   "tundish curate: error: it went wrong with \\x1b[31m'x'\nand more\n");
}

static void version_says_what_is_built_in(void **state)
{
    struct child_end end = CALL("--version");
    json_t *value;

    assert_memory_equal(end.words, "tundish ", 8);
    assert_holds(end, 0, "\ncompiler ");
    assert_holds(end, 0, " usable");
    end = CALL("version", "--json");
    assert_int_equal(end.code, 0);
    assert_ok(json_parse(end.words, strlen(end.words), "version", &value));
    assert_true(json_is_string(json_object_get(value, "version")));
    assert_true(json_is_object(json_object_get(value, "parts")));
    assert_true(json_integer_value(json_object_get(value, "processors")) > 0);
    json_decref(value);
}

/* A command whose stdout is a file that is always full, or a pipe that nobody reads. */
static void call_with_full_disk(void *ctx)
{
    const struct call *call = ctx;

    dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
    _exit(cli_main(groups, call->argc, call->argv));
}

static void call_with_broken_pipe(void *ctx)
{
    const struct call *call = ctx;
    int ends[2];

    if (pipe(ends) != 0)
        _exit(99);
    close(ends[0]);
    dup2(ends[1], STDOUT_FILENO);
    _exit(cli_main(groups, call->argc, call->argv));
}

static struct call little = { 2, (char *[]){ "tundish", "help", NULL } };
static struct call much = { 4, (char *[]){ "tundish", "curate", "x", "--vocab=200000", NULL } };

static void output_that_cannot_be_written_is_a_failure(void **state)
{
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_end(child_run(call_with_full_disk, &little), 1,
               "tundish: error: cannot write to standard output: No space left on device\n");
    assert_holds(child_run(call_with_full_disk, &much), 1,
                 "tundish curate: error: cannot write to standard output");
}

static void a_reader_that_went_away_is_none(void **state)
{
    assert_end(child_run(call_with_broken_pipe, &little), 0, "");
    assert_end(child_run(call_with_broken_pipe, &much), 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_found_by_name),
        cmocka_unit_test(without_a_command_the_list_is_shown),
        cmocka_unit_test(help_of_a_command_is_found_in_many_ways),
        cmocka_unit_test(a_first_word_lists_its_second_words),
        cmocka_unit_test(a_command_gets_its_options),
        cmocka_unit_test(unknown_words_name_the_nearest),
        cmocka_unit_test(a_failure_is_told_once_and_gives_its_code),
        cmocka_unit_test(version_says_what_is_built_in),
        cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
        cmocka_unit_test(a_reader_that_went_away_is_none),
    };
    setenv("NO_COLOR", "1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
