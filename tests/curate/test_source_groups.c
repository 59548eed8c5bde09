/* Groups of the sources' files: read one after the other they are what is read without them, whatever their size. */
#include "tests/test.h"

#include <unistd.h>

#include "base/file.h"
#include "curate/source/source.h"

static char folder[40];
static struct arena arena;

static int set_up(void **state)
{
    strcpy(folder, "/tmp/tundish-groups-XXXXXX");
    assert_non_null(mkdtemp(folder));
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    assert_ok(file_remove_tree(folder));
    arena_release(&arena);
    return 0;
}

static void put(const char *name, size_t bytes)
{
    char *path = path_join(&arena, folder, name), *text = arena_alloc(&arena, bytes + 1);
    const char *slash = strrchr(path, '/');

    memset(text, 'x', bytes);
    assert_ok(file_make_folders(arena_strndup(&arena, path, (size_t)(slash - path))));
    assert_ok(file_write_new(path, text, bytes));
}

/* Names around '/' in the order of bytes, folders in folders, empty ones, a link, an empty file. */
static void put_tree(void)
{
    static const char *const names[] = {
        "a", "a b/x", "a!/x", "a-b/c/d/e", "a-b/c/d.txt", "a-b/c.txt", "a.txt", "a/", "b/0", "b/00", "b/0/", "b0", "c/d/e/f/g",
        "c/d/e.f", "c/d!", "\x7F/x", "z",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);

        if (names[i][n - 1] != '/')
            put(names[i], 10 + 3000 * (i % 4));
    }
    put("empty", 0);
    put("b/none", 0);
    assert_ok(file_make_folders(path_join(&arena, folder, "nothing/in/here")));
    assert_int_equal(symlink("/etc/passwd", path_join(&arena, folder, "c/link")), 0);
}

static struct source *open_list(const char *list)
{
    static const struct source_limits limits = { 1 << 20, 1 << 30, 1000, 4, 1000, 0 };
    struct source *s;
    struct yaml *yaml;

    assert_ok(yaml_parse(&arena, "list", list, strlen(list), &yaml));
    assert_ok(source_open(yaml, &limits, &s));
    return s;
}

/* Appends "id " for each document. */
static void read_on(struct source *s, struct buf *out)
{
    struct raw_document *d;

    while (source_next(s, &d) == ST_OK && d != NULL) {
        buf_printf(out, "%s ", d->id);
        raw_document_free(d);
    }
}

static void add_stats(struct source_stats *to, const struct source_stats *s)
{
    to->files += s->files;
    to->bytes_in += s->bytes_in;
    to->documents += s->documents;
    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++)
        to->outcomes[i] += s->outcomes[i];
}

static void groups_give_the_whole(const char *list, uint64_t least, size_t at_least)
{
    struct source *whole = open_list(list), *s = open_list(list);
    struct buf want = { 0 }, seen = { 0 };
    struct source_stats sum = { 0 };
    struct source_groups groups;
    uint64_t files = 0;

    read_on(whole, &want);
    assert_ok(source_groups_list(s, least, &arena, &groups));
    assert_true(groups.count >= at_least);
    assert_true(groups.count == 1 || groups.v[0].bytes >= least);
    for (size_t g = 0; g < groups.count; g++)
        files += groups.v[g].files;
    assert_int_equal(files, groups.files);
    for (size_t g = 0; g < groups.count; g++) {
        source_begin(s, &groups.v[g]);
        read_on(s, &seen);
        assert_true(source_bytes_read(s) == source_stats_of(s)->bytes_in);
        add_stats(&sum, source_stats_of(s));
    }
    assert_string_equal(seen.p ? seen.p : "", want.p ? want.p : "");
    assert_int_equal(sum.bytes_in, groups.bytes);
    assert_int_equal(sum.files, source_stats_of(whole)->files);
    assert_memory_equal(sum.outcomes, source_stats_of(whole)->outcomes, sizeof sum.outcomes);
    if (groups.count > 2) {                         /* in any order */
        source_begin(s, &groups.v[groups.count - 1]);
        buf_clear(&seen);
        read_on(s, &seen);
        assert_string_equal(seen.p ? seen.p : "", (want.p ? want.p : "") + want.n - seen.n);
    }
    buf_release(&want);
    buf_release(&seen);
    source_close(whole);
    source_close(s);
}

static void groups_of_any_size_give_the_whole(void **state)
{
    static const uint64_t leasts[] = { 1, 4097, 9000, 30000, 1 << 30 };

    put_tree();
    for (size_t i = 0; i < sizeof leasts / sizeof *leasts; i++) {
        size_t many = leasts[i] == 1 ? 17 : leasts[i] < 30000 ? 4 : 1;

        groups_give_the_whole(arena_printf(&arena, "['%s']", folder), leasts[i], many);
        groups_give_the_whole(arena_printf(&arena, "['%s/', '%s/a-b', '%s/b0', '%s/b0']", folder, folder, folder, folder),
                              leasts[i], many);
        groups_give_the_whole(arena_printf(&arena, "[{path: '%s', exclude: ['b/*', '*.txt']}, '%s/empty']", folder, folder),
                              leasts[i], 1);
    }
}

static void a_folder_of_nothing_is_one_group(void **state)
{
    assert_ok(file_make_folders(path_join(&arena, folder, "nothing/in/here")));
    groups_give_the_whole(arena_printf(&arena, "['%s/nothing']", folder), 1, 1);
}

/* What comes or goes after the list was made changes no other group. */
static void a_file_that_goes_moves_no_border(void **state)
{
    struct buf seen = { 0 };
    struct source_groups groups;
    struct source *s;

    for (char name[] = "a"; *name < 'g'; name[0]++)
        put(name, 5000);
    s = open_list(arena_printf(&arena, "['%s']", folder));
    assert_ok(source_groups_list(s, 8000, &arena, &groups));
    assert_int_equal(groups.count, 3);
    assert_ok(file_remove_tree(path_join(&arena, folder, "b")));
    put("b2", 100);
    for (size_t g = 0; g < 3; g++) {
        source_begin(s, &groups.v[g]);
        read_on(s, &seen);
        buf_addc(&seen, '|');
    }
    for (char *p = strstr(seen.p, path_base(folder)); p != NULL; p = strstr(p, path_base(folder)))
        memmove(p, p + strlen(path_base(folder)) + 1, strlen(p + strlen(path_base(folder)) + 1) + 1);
    assert_string_equal(seen.p, "a b2 |c d |e f |");
    buf_release(&seen);
    source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(groups_of_any_size_give_the_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_of_nothing_is_one_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_goes_moves_no_border, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
