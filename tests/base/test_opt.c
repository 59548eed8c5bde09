#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/str.h"
#include "base/child.h"
#include "base/golden.h"

struct cfg {
    const char *name, *tag, *out;
    int64_t batch, width;
    double lr;
    bool shuffle, dry;
    uint64_t memory;
    int kind;
    struct opt_list in, words;
    struct yaml *steps;
};

static const char *const kinds[] = { "none", "zstd", "gzip", NULL };

static enum status check_tag(const struct yaml *value)
{
    if (value->text[strspn(value->text, "abcdefghijklmnopqrstuvwxyz")] != 0)
        return yaml_fail(value, "want small letters, found '%s'", value->text);
    return ST_OK;
}

static enum status check_steps(const struct yaml *value)
{
    return value->kind == YAML_LIST ? ST_OK : yaml_fail(value, "want a list of steps");
}

/* Each step may name a file under "path". */
static enum status paths_of_steps(struct yaml *value, opt_path_fn *visit, void *ctx)
{
    for (size_t i = 0; i < value->count; i++) {
        struct yaml *path = yaml_get(value->items[i], "path");
        if (path != NULL)
            TRY(visit(ctx, path));
    }
    return ST_OK;
}

#define ROWS                                                                                       \
    OPT_STR(struct cfg, name, "name", NULL, "what it is called"),                                  \
        OPT_STR(struct cfg, tag, "tag", NULL, "small letters", .check = check_tag),                \
        OPT_INT(struct cfg, batch, "batch-tokens", "8192", 1, 1e6, "tokens an optimizer step"),    \
        OPT_REAL(struct cfg, lr, "lr", "3e-4", 0, 1, "peak learning rate"),                        \
        OPT_BOOL(struct cfg, shuffle, "shuffle", "true", "shuffle the documents"),                 \
        OPT_BOOL(struct cfg, dry, "dry-run", "false", "only say what would be done",               \
                 .flags = OPT_NEUTRAL),                                                            \
        OPT_SIZE(struct cfg, memory, "memory", "1G", 1 << 20, 1ull << 40,                          \
                 "bytes of memory to use at most, whatever the documents that come along bring"),  \
        OPT_CHOICE(struct cfg, kind, "kind", "zstd", kinds, "how to compress"),                    \
        OPT_LIST(struct cfg, words, "words", "words to drop"),                                     \
        OPT_TREE(struct cfg, steps, "steps", "steps in order", .check = check_steps,               \
                 .paths = paths_of_steps),                                                         \
        OPT_OUTPUT(struct cfg, out, "out", "folder to write"),                                     \
        OPT_INT(struct cfg, width, "model.width", "256", 1, 0x1p63, "width of the model")

static const struct opt table[] = {
    ROWS,
    OPT_INPUTS(struct cfg, in, "in", "files to read", .flags = OPT_POSITIONAL | OPT_REQUIRED),
    OPT_END
};
static const struct opt no_words_table[] = { ROWS, OPT_END };

static int setup(void **state)
{
    struct arena *a = mem_alloc(sizeof *a);

    arena_init(a);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    arena_release(*state);
    free(*state);
    return 0;
}

static enum status parse_words(struct arena *a, const struct opt *t, char **argv, struct cfg *c)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    memset(c, 0, sizeof *c);
    return opt_parse(t, a, argc, argv, c);
}
#define PARSE(c, ...) assert_ok(parse_words(*state, table, (char *[]){ __VA_ARGS__, NULL }, c))

static struct yaml *tree_of(void **state, const char *text)
{
    struct yaml *map;

    assert_ok(yaml_parse(*state, "t.yaml", text, strlen(text), &map));
    return map;
}

/* ---- values ---- */

static void defaults_fill_what_is_not_given(void **state)
{
    struct cfg c;

    PARSE(&c, "x");
    assert_null(c.name);
    assert_null(c.out);
    assert_null(c.steps);
    assert_int_equal(c.words.count, 0);
    assert_int_equal(c.batch, 8192);
    assert_true(c.lr == 3e-4);
    assert_true(c.shuffle);
    assert_false(c.dry);
    assert_int_equal(c.memory, 1ull << 30);
    assert_int_equal(c.kind, 1);
    assert_int_equal(c.width, 256);
}

static void words_fill_every_type(void **state)
{
    struct cfg c;

    PARSE(&c, "--name", "null", "--batch-tokens=10", "--lr", "0.5", "--no-shuffle", "--dry-run", "--memory", "2M",
          "--kind=gzip", "--steps", "[a, {b: 2}]", "--out=o", "--model.width", "7", "--in", "p", "q", "--in=r",
          "--words=-w", "--", "--s", "-");
    assert_string_equal(c.name, "null");      /* a word is text, whatever YAML thinks of it */
    assert_int_equal(c.batch, 10);
    assert_true(c.lr == 0.5);
    assert_false(c.shuffle);
    assert_true(c.dry);
    assert_int_equal(c.memory, 2u << 20);
    assert_int_equal(c.kind, 2);
    assert_int_equal(c.steps->count, 2);
    assert_string_equal(c.out, "o");
    assert_int_equal(c.width, 7);
    assert_int_equal(c.in.count, 5);
    assert_string_equal(c.in.v[1], "q");
    assert_string_equal(c.in.v[3], "--s");
    assert_string_equal(c.in.v[4], "-");
    assert_string_equal(c.words.v[0], "-w");
    PARSE(&c, "x", "--name=", "--batch_tokens", "+5", "--shuffle=false", "--lr=0x1");
    assert_string_equal(c.name, "");
    assert_int_equal(c.batch, 5);
    assert_false(c.shuffle);
    assert_true(c.lr == 1);
}

static void yaml_fills_every_type(void **state)
{
    struct cfg c = { 0 };

    assert_ok(opt_from_yaml(table, *state, tree_of(state,
        "name: 8192\nbatch_tokens: 10\nlr: 1\nshuffle: false\nmemory: 2M\nkind: gzip\n"
        "steps:\n  - a\nout: o\nmodel: {width: 7}\nin: [p, 'q']\nwords: off\n"), &c));
    assert_string_equal(c.name, "8192");
    assert_int_equal(c.batch, 10);
    assert_true(c.lr == 1);
    assert_false(c.shuffle);
    assert_int_equal(c.memory, 2u << 20);
    assert_int_equal(c.kind, 2);
    assert_int_equal(c.steps->count, 1);
    assert_int_equal(c.width, 7);
    assert_int_equal(c.in.count, 2);
    assert_int_equal(c.words.count, 1);
    assert_string_equal(c.words.v[0], "off");
    memset(&c, 0, sizeof c);
    assert_ok(opt_from_yaml(table, *state, tree_of(state, "in: x\nmodel.width: 9\n"), &c));
    assert_int_equal(c.width, 9);
}

static void many_words_go_into_a_list_in_order(void **state)
{
    enum { N = 3000 };
    static char text[N][8], *argv[N + 1];
    struct cfg c;

    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "f%d", i);
        argv[i] = text[i];
    }
    assert_ok(parse_words(*state, table, argv, &c));
    assert_int_equal(c.in.count, N);
    for (int i = 0; i < N; i++)
        assert_string_equal(c.in.v[i], text[i]);
}

/* ---- layers ---- */

static char *config_file(void **state, const char *text)
{
    char *path = arena_strdup(*state, "/tmp/test_opt_XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void a_later_layer_replaces_an_earlier_one(void **state)
{
    char *path = config_file(state, "batch-tokens: 1\nlr: 0.1\nkind: none\nin: [a, b]\nmodel: {width: 3}\n");
    char *config = arena_printf(*state, "--config=%s", path);
    struct cfg c;

    PARSE(&c, "--kind=gzip", config);
    assert_int_equal(c.batch, 1);
    assert_int_equal(c.kind, 2);
    assert_int_equal(c.in.count, 2);
    assert_int_equal(c.width, 3);
    PARSE(&c, "--set", "lr=0.2", "--config", path, "--batch-tokens", "5", "--set=batch_tokens=4", "z");
    assert_true(c.lr == 0.2);
    assert_int_equal(c.batch, 5);
    assert_int_equal(c.in.count, 1);      /* replaced, not added to */
    assert_string_equal(c.in.v[0], "z");
    PARSE(&c, config, "--set=in=[p, q, 'r s']", "--set=model={width: 8}", "--set=steps=[a]");
    assert_int_equal(c.in.count, 3);
    assert_string_equal(c.in.v[2], "r s");
    assert_int_equal(c.width, 8);
    assert_int_equal(c.steps->count, 1);
    PARSE(&c, config, "--set=in=p=q");
    assert_int_equal(c.in.count, 1);
    assert_string_equal(c.in.v[0], "p=q");
    unlink(path);
}

static void a_fault_in_the_file_is_told_with_its_place(void **state)
{
    char *path = config_file(state, "lr: 0.1\nkind: [a]\n");
    char *argv[] = { "x", "--config", path, NULL };
    struct cfg c;

    assert_int_equal(parse_words(*state, table, argv, &c), ST_CONFIG);
    assert_string_equal(fail_message(),
                        arena_printf(*state, "%s:2:7: want one of none, zstd, gzip; found a list\n"
                                             "  kind: [a]\n        ^", path));
    unlink(path);
}

static void a_table_may_have_a_set_of_its_own(void **state)
{
    static const struct opt own[] = {
        OPT_LIST(struct cfg, words, "set", "params", .value = "NAME=VALUE"), OPT_END
    };
    char *argv[] = { "--set", "a=1", "--set=b=2", NULL };
    struct cfg c;

    assert_ok(parse_words(*state, own, argv, &c));
    assert_int_equal(c.words.count, 2);
    assert_string_equal(c.words.v[1], "b=2");
}

static void quiet_is_every_commands(void **state)
{
    struct cfg c;

    PARSE(&c, "x", "--quiet");
    assert_true(log_is_quiet());
    log_set_quiet(false);
}

/* ---- faults ---- */

static const char *message_of_words(struct arena *a, const char *in, size_t n)
{
    char *text = arena_strndup(a, in, n), *argv[64], *rest = NULL;
    const struct opt *t = table;
    int argc = 0;
    struct cfg c = { 0 };

    for (char *word = strtok_r(text, "\n", &rest); word; word = strtok_r(NULL, "\n", &rest))
        if (strcmp(word, "@nopos") == 0)
            t = no_words_table;
        else
            argv[argc++] = word;
    if (opt_parse(t, a, argc, argv, &c) == ST_OK)
        return "accepted";
    return arena_strdup(a, fail_message());
}

static const char *message_of_yaml(struct arena *a, const char *in, size_t n)
{
    struct yaml *map;
    struct cfg c = { 0 };
    char *message;

    if (yaml_parse(a, "t.yaml", in, n, &map) != ST_OK)
        return "not YAML";
    if (opt_from_yaml(table, a, map, &c) == ST_OK)
        return "accepted";
    message = arena_strdup(a, fail_message());
    /* checking alone finds the same */
    assert_int_equal(opt_check_map(table, a, map, map, 0), ST_CONFIG);
    assert_string_equal(fail_message(), message);
    return message;
}

static void faults_of_words_are_told(void **state)
{
    golden_run("golden_opt_words.txt", __FILE__, message_of_words);
}

static void faults_of_yaml_are_told_with_their_place(void **state)
{
    golden_run("golden_opt_yaml.txt", __FILE__, message_of_yaml);
}

static void bytes_that_are_no_text_are_refused_but_not_in_paths(void **state)
{
    struct cfg c;
    char *argv[] = { "x", "--name", "a\xff", NULL };

    PARSE(&c, "a\xff");
    assert_int_equal(parse_words(*state, table, argv, &c), ST_CONFIG);
    assert_string_equal(fail_message(), "--name: want UTF-8 text; found other bytes");
}

static void missing_rows_can_be_let_be(void **state)
{
    static const struct opt needs_out[] = {
        OPT_OUTPUT(struct cfg, out, "out", "folder", .flags = OPT_REQUIRED),
        OPT_INPUTS(struct cfg, in, "in", "files", .flags = OPT_REQUIRED),
        OPT_END
    };
    struct yaml *map = tree_of(state, "in: x"), *none = tree_of(state, "");

    assert_ok(opt_check_map(needs_out, *state, map, map, 1u << OPT_T_OUTPUT));
    assert_ok(opt_check_map(needs_out, *state, none, NULL, 0));
    assert_int_equal(opt_check_map(needs_out, *state, map, map, 0), ST_CONFIG);
    assert_int_equal(opt_check_map(needs_out, *state, none, none, 1u << OPT_T_OUTPUT), ST_CONFIG);
    assert_string_equal(fail_message(), "t.yaml:1:1: 'in' is missing (files)");
}

/* ---- what the table gives besides ---- */

static void assert_record(const struct cfg *c, const char *want)
{
    json_t *record = opt_record(table, c);
    struct buf text = { 0 };

    json_canonical(&text, record);
    assert_string_equal(text.p, want);
    buf_release(&text);
    json_decref(record);
}

static void the_record_has_what_decides_results(void **state)
{
    struct cfg c;

    PARSE(&c, "x", "--out=o", "--dry-run", "--lr=0.5");
    assert_record(&c, "{\"batch-tokens\":8192,\"kind\":\"zstd\",\"lr\":0.5,\"memory\":1073741824,"
                      "\"model.width\":256,\"name\":null,\"shuffle\":true,\"steps\":null,\"tag\":null,\"words\":[]}");
    PARSE(&c, "x", "--name=ä", "--words=1", "--words=b", "--lr=0.5",
          "--steps=[{path: /secret/a, n: 1}, {path: '3', m: 'x'}]");
    assert_record(&c, "{\"batch-tokens\":8192,\"kind\":\"zstd\",\"lr\":0.5,\"memory\":1073741824,"
                      "\"model.width\":256,\"name\":\"ä\",\"shuffle\":true,"
                      "\"steps\":[{\"n\":1,\"path\":null},{\"m\":\"x\",\"path\":null}],"
                      "\"tag\":null,\"words\":[\"1\",\"b\"]}");
    assert_string_equal(yaml_get(c.steps->items[0], "path")->text, "/secret/a");      /* untouched */
}

static void words_and_yaml_give_one_record(void **state)
{
    struct cfg words, file = { 0 };
    json_t *a, *b;

    PARSE(&words, "x", "--batch-tokens=7", "--lr=1", "--steps=[a, 1]", "--memory=2048K", "--words=w");
    assert_ok(opt_from_yaml(table, *state, tree_of(state,
        "in: y\nbatch_tokens: 7\nlr: 1.0\nsteps:\n- a\n- 1\nmemory: 2M\nwords: [w]\n"), &file));
    a = opt_record(table, &words);
    b = opt_record(table, &file);
    assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
}

static void bounds_are_written_shortly(void **state)
{
    static const struct {
        double min, max;
        const char *want;
    } bounds[] = {
        { 0, 1e12, "0 to 1e12" },          { 1, 1e6, "1 to 1000000" },   { 1e-9, 0.05, "1e-9 to 0.05" },
        { 0, 9007199254740992.0, "0 to 9007199254740992" },             { 1.001, INFINITY, "at least 1.001" },
        { -INFINITY, -0.5, "at most -0.5" }, { 0, 1234567890, "0 to 1234567890" }, { 0.1234567, 1, "0.1234567 to 1" },
        { 2, 16777216, "2 to 16777216" },
    };

    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        struct opt row[] = { { .name = "x", .type = OPT_T_REAL, .min = bounds[i].min, .max = bounds[i].max, .help = "h" },
                             OPT_END };
        struct cfg c;
        char *argv[] = { "--x=no", NULL };
        assert_int_equal(parse_words(*state, row, argv, &c), ST_CONFIG);
        assert_string_equal(fail_message(), arena_printf(*state, "--x: want a number, %s; found the text 'no'",
                                                         bounds[i].want));
    }
}

static void names_are_found_with_either_letter(void **state)
{
    assert_ptr_equal(opt_find(table, "batch_tokens"), opt_find(table, "batch-tokens"));
    assert_non_null(opt_find(table, "model.width"));
    assert_null(opt_find(table, "model"));
    assert_null(opt_find(table, "batch-token"));
    assert_null(opt_find(table, ""));
}

static void help_is_aligned_and_fits_100_columns(void **state)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    opt_help(out, table);
    fclose(out);
    assert_string_equal(text,
        "  --name TEXT       what it is called\n"
        "  --tag TEXT        small letters\n"
        "  --batch-tokens N  tokens an optimizer step [1 to 1000000; default 8192]\n"
        "  --lr X            peak learning rate [0 to 1; default 3e-4]\n"
        "  --[no-]shuffle    shuffle the documents [default true]\n"
        "  --dry-run         only say what would be done\n"
        "  --memory SIZE     bytes of memory to use at most, whatever the documents that come along bring\n"
        "                    [1M to 1T; default 1G]\n"
        "  --kind WORD       how to compress [one of none, zstd, gzip; default zstd]\n"
        "  --words TEXT...   words to drop\n"
        "  --steps YAML      steps in order\n"
        "  --out PATH        folder to write\n"
        "  --model.width N   width of the model [at least 1; default 256]\n"
        "  --in PATH...      files to read (required) [or plain words]\n");
    for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
        assert_true(strcspn(p, "\n") <= 100);
    free(text);
}

/* ---- letters ---- */

static const struct opt letter_table[] = {
    OPT_BOOL(struct cfg, dry, "dry-run", "false", "only say", .letter = 'n'),
    OPT_INT(struct cfg, batch, "jobs", "1", 1, 99, "at once", .letter = 'j'),
    OPT_LIST(struct cfg, words, "words", "words to drop", .letter = 'w'),
    OPT_STR(struct cfg, name, "name", NULL, "what it is called"),
    OPT_END
};

static enum status parse_letters(void **state, struct cfg *c, const char *const *words)
{
    char *argv[8];
    int n = 0;

    memset(c, 0, sizeof *c);
    for (; words[n] != NULL; n++)
        argv[n] = (char *)(uintptr_t)words[n];
    return opt_parse(letter_table, *state, n, argv, c);
}
#define PARSE_LETTERS(state, c, ...) parse_letters(state, c, (const char *const[]){ __VA_ARGS__, NULL })

static void a_letter_is_the_option(void **state)
{
    struct cfg c;

    assert_ok(PARSE_LETTERS(state, &c, "-n", "-j", "4", "-w", "a", "-wb", "--words", "c"));
    assert_true(c.dry);
    assert_int_equal(c.batch, 4);
    assert_int_equal(c.words.count, 3);
    assert_string_equal(c.words.v[1], "b");
    assert_ok(PARSE_LETTERS(state, &c, "-j12"));
    assert_int_equal(c.batch, 12);
    assert_false(c.dry);
}

static void a_wrong_letter_is_told(void **state)
{
    struct cfg c;

    assert_int_equal(PARSE_LETTERS(state, &c, "-x"), ST_USAGE);
    assert_string_equal(fail_message(), "unknown option '-x'; --help lists them");
    assert_int_equal(PARSE_LETTERS(state, &c, "-nj4"), ST_USAGE);
    assert_string_equal(fail_message(), "unknown option '-nj4'; -n (--dry-run) stands alone");
    assert_int_equal(PARSE_LETTERS(state, &c, "-n", "--dry-run"), ST_USAGE);
    assert_int_equal(PARSE_LETTERS(state, &c, "-j"), ST_USAGE);
    assert_string_equal(fail_message(), "--jobs wants a value (at once)");
    assert_int_equal(PARSE_LETTERS(state, &c, "-j0"), ST_CONFIG);
}

static void help_shows_letters(void **state)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    opt_help(out, letter_table);
    fclose(out);
    assert_string_equal(text, "  -n, --dry-run        only say\n"
                              "  -j, --jobs N         at once [1 to 99; default 1]\n"
                              "  -w, --words TEXT...  words to drop\n"
                              "  --name TEXT          what it is called\n");
    free(text);
}

/* ---- faults of our own ---- */

static void parse_nothing(void *ctx)
{
    struct arena a;
    struct cfg c = { 0 };

    arena_init(&a);
    if (opt_parse(ctx, &a, 0, NULL, &c) != ST_OK)
        _exit(9);
}

static void a_wrong_table_ends_the_process(void **state)
{
    static struct opt bad[][3] = {
        { OPT_INT(struct cfg, batch, "n", "0", 1, 9, "h"), OPT_END },
        { OPT_INT(struct cfg, batch, "n", "1", 9, 1, "h"), OPT_END },
        { OPT_STR(struct cfg, name, "Big", NULL, "h"), OPT_END },
        { OPT_STR(struct cfg, name, "help", NULL, "h"), OPT_END },
        { OPT_STR(struct cfg, name, "n", NULL, NULL), OPT_END },
        { OPT_STR(struct cfg, name, "n", NULL, "h"), OPT_STR(struct cfg, tag, "n", NULL, "h"), OPT_END },
        { OPT_CHOICE(struct cfg, kind, "k", "none", NULL, "h"), OPT_END },
        { OPT_CHOICE(struct cfg, kind, "k", "nope", kinds, "h"), OPT_END },
        { OPT_LIST(struct cfg, in, "a", "h", .flags = OPT_POSITIONAL),
          OPT_LIST(struct cfg, words, "b", "h", .flags = OPT_POSITIONAL), OPT_END },
        { OPT_TREE(struct cfg, steps, "t", "h", .fallback = "[a"), OPT_END },
        { OPT_STR(struct cfg, name, "n", NULL, "h", .letter = 'h'), OPT_END },
        { OPT_STR(struct cfg, name, "n", NULL, "h", .letter = '-'), OPT_END },
        { OPT_STR(struct cfg, name, "n", NULL, "h", .letter = 'n'),
          OPT_STR(struct cfg, tag, "m", NULL, "h", .letter = 'n'), OPT_END },
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct child_end end = child_run(parse_nothing, bad[i]);
        assert_int_equal(end.code, 128 + 6);      /* SIGABRT */
        assert_non_null(strstr(end.words, "option row '"));
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(defaults_fill_what_is_not_given),
        TEST(words_fill_every_type),
        TEST(yaml_fills_every_type),
        TEST(many_words_go_into_a_list_in_order),
        TEST(a_later_layer_replaces_an_earlier_one),
        TEST(a_fault_in_the_file_is_told_with_its_place),
        TEST(a_table_may_have_a_set_of_its_own),
        TEST(quiet_is_every_commands),
        TEST(faults_of_words_are_told),
        TEST(faults_of_yaml_are_told_with_their_place),
        TEST(bytes_that_are_no_text_are_refused_but_not_in_paths),
        TEST(missing_rows_can_be_let_be),
        TEST(the_record_has_what_decides_results),
        TEST(words_and_yaml_give_one_record),
        TEST(bounds_are_written_shortly),
        TEST(names_are_found_with_either_letter),
        TEST(help_is_aligned_and_fits_100_columns),
        TEST(a_letter_is_the_option),
        TEST(a_wrong_letter_is_told),
        TEST(help_shows_letters),
        TEST(a_wrong_table_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
