#include "tests/test.h"

#include <sys/stat.h>

#include "tests/curate/archives.h"

static char folder[] = "/tmp/tundish-source-XXXXXX";
static struct reading got;

static const char *path_of(const char *name)
{
    static char path[4][300];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void put(const char *name, const void *p, size_t n)
{
    char dir[300];

    snprintf(dir, sizeof dir, "%s", path_of(name));
    *strrchr(dir, '/') = 0;
    assert_ok(file_make_folders(dir));
    assert_ok(file_write_atomic(path_of(name), p, n));
}

static void put_text(const char *name, const char *text) { put(name, text, strlen(text)); }

/* Reads one path below the folder ("" is the folder itself) and compares. */
static void reads_as(const char *name, const struct source_limits *limits, const char *want)
{
    char yaml[400];

    snprintf(yaml, sizeof yaml, "['%s']", *name ? path_of(name) : folder);
    read_source(yaml, limits, folder, &got);
    assert_string_equal(got.text.p, want);
}

static int set_up(void **state)
{
    strcpy(folder, "/tmp/tundish-source-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int tear_down(void **state)
{
    assert_ok(file_remove_tree(folder));
    return 0;
}

static void folders_are_read_in_the_order_of_their_paths(void **state)
{
    put_text("b.txt", "b");
    put_text("a/x.txt", "x");
    put_text("a-b/y.md", "# y");
    put_text("a.html", "<html><p>page");
    put_text("a/empty.txt", " \n");
    put_text("a/style.css", "p {}");
    put("a/bin", "a\0b", 3);
    put_text("z/page", "<!doctype html>z");
    reads_as("", &wide_limits,
             "markdown a-b/y.md: # y\n"
             "html a.html: <html><p>page\n"
             "text a/x.txt: x\n"
             "text b.txt: b\n"
             "html z/page: <!doctype html>z\n"
             "! empty 1 a/empty.txt\n"
             "! binary 1 a/bin\n"
             "! skipped_kind 1 a/style.css\n");
    assert_int_equal(got.stats.files, 8);
    assert_int_equal(got.stats.documents, 5);
    assert_int_equal(got.stats.bytes_in, 1 + 1 + 3 + 13 + 2 + 4 + 3 + 16);
    assert_int_equal(got.stats.document_bytes, 1 + 3 + 13 + 1 + 16);
}

static void several_sources_keep_their_order_and_their_names(void **state)
{
    struct raw_document *d;
    struct source *s;
    struct arena a;
    struct yaml *list;
    char yaml[900];

    put_text("two/b.txt", "b");
    put_text("one.txt", "a");
    snprintf(yaml, sizeof yaml, "[{path: '%s/'}, '%s']", path_of("two"), path_of("one.txt"));
    arena_init(&a);
    assert_ok(yaml_parse(&a, "y", yaml, strlen(yaml), &list));
    assert_ok(source_open(list, &wide_limits, &s));
    assert_ok(source_next(s, &d));
    assert_string_equal(d->source, "two");
    assert_string_equal(d->id, "two/b.txt");      /* wherever it lies */
    raw_document_free(d);
    assert_ok(source_next(s, &d));
    assert_string_equal(d->source, "one.txt");
    assert_string_equal(d->id, "one.txt");
    raw_document_free(d);
    source_close(s);      /* before the end, too */
    arena_release(&a);
}

static void globs_choose_files_and_members(void **state)
{
    struct buf zip = { 0 };
    struct archive *a = pack_begin("zip", NULL, &zip);
    char yaml[900];

    pack_file(a, "doc/a.txt", "member a");
    pack_file(a, "doc/b.md", "member b");
    pack_end(a);
    put("in/x.zip", zip.p, zip.n);
    put_text("in/skip/c.txt", "c");
    put_text("in/d.txt", "d");
    put_text("in/e.md", "e");
    snprintf(yaml, sizeof yaml, "[{path: '%s', include: ['*.txt'], exclude: ['skip/*']}]", path_of("in"));
    read_source(yaml, &wide_limits, folder, &got);
    assert_string_equal(got.text.p, "text in/d.txt: d\ntext in/x.zip!doc/a.txt: member a\n");
    snprintf(yaml, sizeof yaml, "[{path: '%s', exclude: [x.zip, 'e.*']}]", path_of("in"));
    read_source(yaml, &wide_limits, folder, &got);
    assert_string_equal(got.text.p, "text in/d.txt: d\ntext in/skip/c.txt: c\n");
    snprintf(yaml, sizeof yaml, "[{path: '%s', include: 'doc/b*'}]", path_of("in/x.zip"));
    read_source(yaml, &wide_limits, folder, &got);
    assert_string_equal(got.text.p, "markdown x.zip!doc/b.md: member b\n");
    buf_release(&zip);
}

static void links_and_special_files_are_told_and_pipes_do_not_hang(void **state)
{
    put_text("in/real.txt", "real");
    assert_int_equal(symlink("real.txt", path_of("in/link.txt")), 0);
    assert_int_equal(symlink("..", path_of("in/up")), 0);
    assert_int_equal(mkfifo(path_of("in/pipe"), 0600), 0);
    reads_as("in", &wide_limits, "text in/real.txt: real\n! link 3 in/link.txt\n");
    reads_as("in/pipe", &wide_limits, "! unreadable 1 pipe\n");
    reads_as("in/link.txt", &wide_limits, "text link.txt: real\n");
    assert_int_equal(symlink("in", path_of("to")), 0);
    reads_as("to", &wide_limits, "text to/real.txt: real\n! link 3 to/link.txt\n");
}

static void a_missing_path_is_an_error(void **state)
{
    struct arena a;
    struct yaml *list;
    struct source *s;

    arena_init(&a);
    assert_ok(yaml_parse(&a, "y", "[/nowhere/at/all]", 17, &list));
    assert_int_equal(source_open(list, &wide_limits, &s), ST_MISSING);
    assert_non_null(strstr(fail_message(), "/nowhere/at/all"));
    arena_release(&a);
}

static void expect_bad(const char *yaml, const char *words)
{
    struct arena a;
    struct yaml *list;

    arena_init(&a);
    assert_ok(yaml_parse(&a, "y", yaml, strlen(yaml), &list));
    assert_int_not_equal(source_check(list), ST_OK);
    if (strstr(fail_message(), words) == NULL)
        fail_msg("'%s' gives '%s', without '%s'", yaml, fail_message(), words);
    arena_release(&a);
}

static void wrong_options_are_told_where_they_stand(void **state)
{
    expect_bad("[]", "empty");
    expect_bad("[{paht: x}]", "path");
    expect_bad("[{text: x}]", "path");
    expect_bad("[[a]]", "not a list");
    expect_bad("['']", "empty");
    expect_bad("[{path: x, include: {a: b}}]", "include");
}

static enum status add_slash(void *ctx, struct yaml *path)
{
    buf_printf(ctx, "%s;", path->text);
    path->text = "replaced";
    return ST_OK;
}

static void paths_in_the_list_are_visited(void **state)
{
    struct buf seen = { 0 };
    struct arena a;
    struct yaml *list;

    arena_init(&a);
    assert_ok(yaml_parse(&a, "y", "[a, {path: '@b', text: c}]", 26, &list));
    assert_ok(source_paths(list, add_slash, &seen));
    assert_string_equal(seen.p, "a;@b;");
    assert_string_equal(yaml_get(list->items[1], "path")->text, "replaced");
    buf_release(&seen);
    arena_release(&a);
}

static void every_compression_of_a_single_file_is_read(void **state)
{
    static const char *const filters[] = { "gzip", "xz", "zstd", "bzip2", "lz4", "lzip", "lzma", "compress" };
    struct buf packed = { 0 };

    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        pack_one("raw", filters[i], "x", "some words that are long enough to pack", 39, &packed);
        put("words.txt.gz", packed.p, packed.n);
        reads_as("words.txt.gz", &wide_limits, "text words.txt.gz: some words that are long enough to pack\n");
    }
    pack_one("raw", "gzip", "x", "# Title", 7, &packed);
    put("README.md.gz", packed.p, packed.n);
    reads_as("README.md.gz", &wide_limits, "markdown README.md.gz: # Title\n");
    pack_one("raw", "gzip", "x", "", 0, &packed);
    put("nothing.gz", packed.p, packed.n);
    reads_as("nothing.gz", &wide_limits, "! empty 1 nothing.gz\n");
    buf_release(&packed);
}

static void every_archive_kind_is_read(void **state)
{
    static const char *const formats[] = { "ustar", "pax", "gnutar", "v7tar", "zip", "7zip", "cpio", "newc",
                                           "xar", "iso9660", "arbsd" };
    struct buf packed = { 0 }, outer = { 0 };

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct archive *a = pack_begin(formats[i], NULL, &packed);
        bool read = (strcmp(formats[i], "xar") != 0 || archive_version_number() >= 3007005) &&
                    (strcmp(formats[i], "iso9660") != 0 || archive_version_number() >= 3008008);
        pack_file(a, "A.TXT", "first");
        pack_file(a, "B.TXT", "second");
        pack_end(a);
        put("pack", packed.p, packed.n);
        reads_as("pack", &wide_limits,
                 read ? "text pack!A.TXT: first\ntext pack!B.TXT: second\n" : "! skipped_kind 1 pack\n");
        /* and inside another archive, without a temporary file */
        pack_one("ustar", "zstd", "inner", packed.p, packed.n, &outer);
        put("outer", outer.p, outer.n);
        reads_as("outer", &wide_limits,
                 read ? "text outer!inner!A.TXT: first\ntext outer!inner!B.TXT: second\n"
                      : "! skipped_kind 1 outer!inner\n");
    }
    buf_release(&packed);
    buf_release(&outer);
}

static void archives_nest(void **state)
{
    struct buf text = { 0 }, tar = { 0 }, zip = { 0 }, deb = { 0 };
    struct archive *a;

    pack_one("raw", "bzip2", "x", "a line of text", 14, &text);
    a = pack_begin("ustar", "gzip", &tar);
    pack_entry(a, "./docs/a.txt.bz2", AE_IFREG, NULL, text.p, text.n);
    pack_file(a, "./docs/b.html", "<html>b");
    pack_end(a);
    a = pack_begin("zip", NULL, &zip);
    pack_file(a, "before.txt", "before");
    pack_entry(a, "in.tar.gz", AE_IFREG, NULL, tar.p, tar.n);
    pack_file(a, "after.txt", "after");
    pack_end(a);
    put("x.zip", zip.p, zip.n);
    reads_as("x.zip", &wide_limits,
             "text x.zip!before.txt: before\n"
             "text x.zip!in.tar.gz!docs/a.txt.bz2: a line of text\n"
             "html x.zip!in.tar.gz!docs/b.html: <html>b\n"
             "text x.zip!after.txt: after\n");
    /* a Debian package: its control part is not read */
    a = pack_begin("arbsd", NULL, &deb);
    pack_file(a, "debian-binary", "2.0\n");
    pack_entry(a, "control.tar.gz", AE_IFREG, NULL, tar.p, tar.n);
    pack_one("ustar", "xz", "./usr/share/doc/p/README", "read me", 7, &tar);
    pack_entry(a, "data.tar.xz", AE_IFREG, NULL, tar.p, tar.n);
    pack_end(a);
    put("p.deb", deb.p, deb.n);
    reads_as("p.deb", &wide_limits,
             "text p.deb!data.tar.xz!usr/share/doc/p/README: read me\n! skipped_kind 2 p.deb!debian-binary\n");
    buf_release(&text);
    buf_release(&tar);
    buf_release(&zip);
    buf_release(&deb);
}

static void members_that_lead_out_or_are_links_are_not_read(void **state)
{
    struct buf tar = { 0 };
    struct archive *a = pack_begin("pax", NULL, &tar);

    pack_file(a, "good.txt", "good");
    pack_file(a, "../up.txt", "bad");
    pack_file(a, "/etc/passwd", "bad");
    pack_file(a, "a/../../b.txt", "bad");
    pack_file(a, "..\\up.txt", "bad");
    pack_file(a, "C:\\up.txt", "bad");
    pack_entry(a, "../dir", AE_IFDIR, NULL, NULL, 0);
    pack_file(a, "a..b/..c.txt", "also good");
    pack_entry(a, "link", AE_IFLNK, "/etc/passwd", NULL, 0);
    pack_entry(a, "hard", AE_IFREG, "good.txt", NULL, 0);
    pack_entry(a, "fifo", AE_IFIFO, NULL, NULL, 0);
    pack_entry(a, "dir", AE_IFDIR, NULL, NULL, 0);
    pack_entry(a, "empty.txt", AE_IFREG, NULL, NULL, 0);
    pack_end(a);
    put("t.tar", tar.p, tar.n);
    reads_as("t.tar", &wide_limits,
             "text t.tar!good.txt: good\n"
             "text t.tar!a..b/..c.txt: also good\n"
             "! empty 1 t.tar!empty.txt\n"
             "! path_traversal 6 t.tar!../up.txt\n"
             "! link 3 t.tar!link\n");
    buf_release(&tar);
}

static void names_that_are_not_utf8_are_repaired(void **state)
{
    struct buf tar = { 0 };

    pack_one("ustar", NULL, "caf\xe9.txt", "x", 1, &tar);
    put("t.tar", tar.p, tar.n);
    reads_as("t.tar", &wide_limits, "text t.tar!caf\xef\xbf\xbd.txt: x\n");
    pack_one("pax", NULL, "caf\xc3\xa9.txt", "x", 1, &tar);
    put("t.tar", tar.p, tar.n);
    reads_as("t.tar", &wide_limits, "text t.tar!caf\xc3\xa9.txt: x\n");
    buf_release(&tar);
}

static void lines_of_json_are_documents(void **state)
{
    static const char lines[] = "\xef\xbb\xbf{\"text\": \"one\\n\\u00e9\"}\r\n"
                                "\n"
                                "{\"id\": \"mine\", \"text\": \"two\", \"created\": \"2020\", \"metadata\": {\"k\": [1]}}\n"
                                "{\"id\": \"x\"}\n"
                                "nonsense\n"
                                "{\"text\": \"  \"}\n"
                                "{\"text\": \"last\"}";
    struct buf packed = { 0 };
    char yaml[300];

    put("a.jsonl", lines, sizeof lines - 1);
    reads_as("a.jsonl", &wide_limits,
             "jsonl a.jsonl#1: one/\xc3\xa9\n"
             "jsonl a.jsonl#3: two\n"
             "jsonl a.jsonl#7: last\n"
             "! empty 1 a.jsonl#6\n"
             "! bad_jsonl_line 2 a.jsonl#4\n");
    pack_one("raw", "zstd", "x", lines, sizeof lines - 1, &packed);
    pack_one("zip", NULL, "d/a.jsonl.zst", packed.p, packed.n, &packed);
    put("a.zip", packed.p, packed.n);
    reads_as("a.zip", &wide_limits,
             "jsonl a.zip!d/a.jsonl.zst#1: one/\xc3\xa9\n"
             "jsonl a.zip!d/a.jsonl.zst#3: two\n"
             "jsonl a.zip!d/a.jsonl.zst#7: last\n"
             "! empty 1 a.zip!d/a.jsonl.zst#6\n"
             "! bad_jsonl_line 2 a.zip!d/a.jsonl.zst#4\n");
    put_text("b.jsonl", "{\"body\": \"own key\"}\n{\"text\": \"no\"}\n");
    snprintf(yaml, sizeof yaml, "[{path: '%s', text: body}]", path_of("b.jsonl"));
    read_source(yaml, &wide_limits, folder, &got);
    assert_string_equal(got.text.p, "jsonl b.jsonl#1: own key\n! bad_jsonl_line 1 b.jsonl#2\n");
    buf_release(&packed);
}

static void the_rest_of_a_line_goes_along(void **state)
{
    struct raw_document *d;
    struct source *s;
    struct arena a;
    struct yaml *list;
    char yaml[300];

    put_text("a.jsonl", "{\"id\": \"mine\", \"text\": \"t\", \"created\": \"2020\", \"metadata\": {\"k\": [1]}}\n");
    snprintf(yaml, sizeof yaml, "['%s']", path_of("a.jsonl"));
    arena_init(&a);
    assert_ok(yaml_parse(&a, "y", yaml, strlen(yaml), &list));
    assert_ok(source_open(list, &wide_limits, &s));
    assert_ok(source_next(s, &d));
    assert_string_equal(d->line_id, "mine");
    assert_string_equal(d->created, "2020");
    assert_string_equal(d->metadata, "{\"k\": [1]}");
    raw_document_free(d);
    assert_ok(source_next(s, &d));
    assert_null(d);
    source_close(s);
    arena_release(&a);
}

static void wide_text_is_read_as_utf8(void **state)
{
    put("w.txt", "\xff\xfe" "h\0\xe9\0", 6);
    put("w.html", "\xfe\xff\0<\0h\0t\0m\0l\0>\0x", 16);
    put("w.jsonl", "\xff\xfe{\0\"\0t\0e\0x\0t\0\"\0:\0\"\0x\0\"\0}\0", 26);
    put_text("bom.txt", "\xef\xbb\xbf" "marked");
    reads_as("", &wide_limits,
             "text bom.txt: marked\n"
             "html w.html: \xef\xbb\xbf<html>x\n"
             "jsonl w.jsonl#1: x\n"
             "text w.txt: h\xc3\xa9\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(folders_are_read_in_the_order_of_their_paths),
        T(several_sources_keep_their_order_and_their_names),
        T(globs_choose_files_and_members),
        T(links_and_special_files_are_told_and_pipes_do_not_hang),
        T(a_missing_path_is_an_error),
        T(wrong_options_are_told_where_they_stand),
        T(paths_in_the_list_are_visited),
        T(every_compression_of_a_single_file_is_read),
        T(every_archive_kind_is_read),
        T(archives_nest),
        T(members_that_lead_out_or_are_links_are_not_read),
        T(names_that_are_not_utf8_are_repaired),
        T(lines_of_json_are_documents),
        T(the_rest_of_a_line_goes_along),
        T(wide_text_is_read_as_utf8),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    buf_release(&got.text);
    return failed;
}
