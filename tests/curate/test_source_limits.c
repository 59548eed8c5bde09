#include "tests/test.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/platform.h"
#include "base/rng.h"
#include "tests/curate/archives.h"

static char folder[] = "/tmp/tundish-limits-XXXXXX";
static struct reading got;

static void put(const char *name, const void *p, size_t n)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write_atomic(path, p, n));
}

#define put_literal(name, bytes) put(name, bytes, sizeof bytes - 1)

static const char *read_all(const struct source_limits *limits)
{
    char yaml[300];

    snprintf(yaml, sizeof yaml, "['%s']", folder);
    read_source(yaml, limits, folder, &got);
    return got.text.p;
}

static int set_up(void **state)
{
    strcpy(folder, "/tmp/tundish-limits-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int tear_down(void **state)
{
    assert_ok(file_remove_tree(folder));
    return 0;
}

/* n times 'a', packed as the one member of an archive. */
static void put_bomb(const char *name, const char *format, const char *filter, size_t n)
{
    char *same = mem_alloc(n);
    struct buf b = { 0 };

    memset(same, 'a', n);
    pack_one(format, filter, "text.txt", same, n, &b);
    put(name, b.p, b.n);
    buf_release(&b);
    free(same);
}

static void bombs_stop_and_the_next_file_is_read(void **state)
{
    put_bomb("b.tar.gz", "ustar", "gzip", 8 << 20);
    put_bomb("c.xz", "raw", "xz", 8 << 20);
    put_bomb("d.zip", "zip", NULL, 8 << 20);
    put_bomb("e.7z", "7zip", NULL, 8 << 20);
    put("f.txt", "f", 1);
    put_bomb("small.gz", "raw", "gzip", 900 << 10);      /* below the size where ratios are looked at */
    assert_string_equal(read_all(&(struct source_limits){ 16 << 20, 1 << 30, 100, 8, 100, 0 }),
                        "text f.txt: f\n"
                        "text small.gz: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
                        "! ratio_limit 4 b.tar.gz\n");
    /* binary members that nobody wants are unpacked under the same limit */
    assert_string_equal(read_all(&(struct source_limits){ 1 << 10, 1 << 30, 100, 8, 100, 0 }),
                        "text f.txt: f\n"
                        "! ratio_limit 3 b.tar.gz\n"
                        "! size_limit 5 b.tar.gz!text.txt\n");
}

/* A bomb inside an archive ends the bomb, not the archive. */
static void an_inner_bomb_leaves_the_outer_archive(void **state)
{
    char *same = mem_alloc(8 << 20);
    struct buf b = { 0 }, inner = { 0 };
    struct archive *a;

    memset(same, 'a', 8 << 20);
    pack_one("raw", "zstd", "x", same, 8 << 20, &inner);
    a = pack_begin("ustar", NULL, &b);
    pack_file(a, "before.txt", "before");
    pack_entry(a, "bomb.zst", AE_IFREG, NULL, inner.p, inner.n);
    pack_file(a, "after.txt", "after");
    pack_end(a);
    put("d.tar", b.p, b.n);
    assert_string_equal(read_all(&(struct source_limits){ 16 << 20, 1 << 30, 100, 8, 100, 0 }),
                        "text d.tar!before.txt: before\n"
                        "text d.tar!after.txt: after\n"
                        "! ratio_limit 1 d.tar!bomb.zst\n");
    buf_release(&b);
    buf_release(&inner);
    free(same);
}

static void a_file_may_expand_so_far_and_no_further(void **state)
{
    struct buf b = { 0 };
    struct archive *a = pack_begin("ustar", NULL, &b);
    char text[1000];

    memset(text, 'x', sizeof text);
    for (int i = 0; i < 10; i++)
        pack_entry(a, "m.txt", AE_IFREG, NULL, text, sizeof text);
    pack_end(a);
    put("a.tar", b.p, b.n);
    put("b.txt", "b", 1);
    read_all(&(struct source_limits){ 1 << 20, 3500, 1000, 8, 100, 0 });
    assert_int_equal(got.stats.documents, 4);
    assert_int_equal(got.stats.outcomes[SOURCE_SIZE], 1);
    assert_non_null(strstr(got.text.p, "text b.txt: b\n! size_limit 1 a.tar\n"));
    /* the count starts anew with each file */
    put("c.tar", b.p, b.n);
    read_all(&(struct source_limits){ 1 << 20, 10000, 1000, 8, 100, 0 });
    assert_int_equal(got.stats.documents, 21);
    buf_release(&b);
}

static void archives_nest_so_deep_and_no_deeper(void **state)
{
    struct buf b = { 0 };

    pack_one("zip", NULL, "deep.txt", "deep", 4, &b);
    for (int i = 2; i <= 10; i++) {
        static const char *const formats[] = { "ustar", "zip", "7zip", "newc" };
        pack_one(formats[i % 4], NULL, "in", b.p, b.n, &b);
    }
    put("a", b.p, b.n);
    assert_string_equal(read_all(&(struct source_limits){ 1 << 20, 1 << 20, 1000, 10, 100, 0 }),
                        "text a!in!in!in!in!in!in!in!in!in!deep.txt: deep\n");
    assert_string_equal(read_all(&(struct source_limits){ 1 << 20, 1 << 20, 1000, 9, 100, 0 }),
                        "! depth_limit 1 a!in!in!in!in!in!in!in!in!in\n");
    assert_string_equal(read_all(&(struct source_limits){ 1 << 20, 1 << 20, 1000, 0, 100, 0 }), "! depth_limit 1 a\n");
    buf_release(&b);
}

/* A compression and the archive right inside it are one level; compressions inside each other are not. */
static void compressions_count_as_levels(void **state)
{
    struct buf b = { 0 };

    pack_one("ustar", "gzip", "a.txt", "a", 1, &b);
    put("a.tar.gz", b.p, b.n);
    pack_one("raw", "gzip", "x", "b", 1, &b);
    put("b.gz", b.p, b.n);
    pack_one("raw", "xz", "x", b.p, b.n, &b);
    put("c.gz.xz", b.p, b.n);
    assert_string_equal(read_all(&(struct source_limits){ 1 << 20, 1 << 20, 1000, 1, 1, 0 }),
                        "text a.tar.gz!a.txt: a\ntext b.gz: b\n! depth_limit 1 c.gz.xz\n");
    buf_release(&b);
}

static void members_are_counted_over_all_levels(void **state)
{
    struct buf inner = { 0 }, outer = { 0 };
    struct archive *a = pack_begin("ustar", NULL, &inner);

    for (int i = 0; i < 5; i++)
        pack_file(a, "m.txt", "m");
    pack_end(a);
    a = pack_begin("zip", NULL, &outer);
    for (int i = 0; i < 5; i++)
        pack_entry(a, "in.tar", AE_IFREG, NULL, inner.p, inner.n);
    pack_end(a);
    put("a.zip", outer.p, outer.n);
    put("b.txt", "b", 1);
    read_all(&(struct source_limits){ 1 << 20, 1 << 20, 1000, 8, 30, 0 });
    assert_int_equal(got.stats.documents, 26);
    assert_int_equal(got.stats.outcomes[SOURCE_MEMBERS], 0);
    read_all(&(struct source_limits){ 1 << 20, 1 << 20, 1000, 8, 17, 0 });
    assert_int_equal(got.stats.outcomes[SOURCE_MEMBERS], 1);
    assert_int_equal(got.stats.documents, 15);
    buf_release(&inner);
    buf_release(&outer);
}

static void large_documents_and_lines_are_left_out(void **state)
{
    struct buf big = { 0 };

    for (int i = 0; i < 300000; i++)
        buf_adds(&big, "word ");
    put("big.txt", big.p, big.n);
    put("fits.txt", big.p, 4096);
    buf_clear(&big);
    buf_adds(&big, "{\"text\": \"one\"}\n{\"text\": \"");
    for (int i = 0; i < 300000; i++)
        buf_adds(&big, "word ");
    buf_adds(&big, "\"}\n{\"text\": \"three\"}\n");
    put("lines.jsonl", big.p, big.n);
    read_all(&(struct source_limits){ 4096, 1 << 30, 1000, 8, 100, 0 });
    assert_string_equal(got.text.p,
                        "text fits.txt: word word word word word word word word \n"
                        "jsonl lines.jsonl#1: one\n"
                        "jsonl lines.jsonl#3: three\n"
                        "! size_limit 2 big.txt\n");
    buf_release(&big);
}

/* Letters that do not compress well. */
static void fill(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + rng_at(1, 2, i) % 26);
}

/* Cut anywhere, an archive gives some of its members, whole ones, and at most one outcome. */
static void cut_archives_keep_what_came_before(void **state)
{
    static const char *const kinds[][2] = { { "ustar", "gzip" }, { "ustar", "xz" }, { "pax", "zstd" }, { "zip", NULL },
                                            { "newc", "bzip2" }, { "7zip", NULL }, { "ustar", NULL } };
    char text[3000];

    fill(text, sizeof text);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct buf b = { 0 };
        struct archive *a = pack_begin(kinds[k][0], kinds[k][1], &b);
        bool some = false;
        for (int i = 0; i < 60; i++)
            pack_entry(a, "m.txt", AE_IFREG, NULL, text, sizeof text);
        pack_end(a);
        for (size_t n = 700; n < b.n; n += b.n / 20 + 1) {
            put("a", b.p, n);
            read_all(&wide_limits);
            assert_int_equal(got.stats.document_bytes, got.stats.documents * sizeof text);
            assert_true(got.stats.outcomes[SOURCE_TRUNCATED] + got.stats.outcomes[SOURCE_DAMAGED] <= 1);
            some |= got.stats.documents > 0 && got.stats.documents < 60 && got.stats.outcomes[SOURCE_TRUNCATED] == 1;
        }
        /* zstd and bzip2 hold all of this in a block or two; the index of 7zip is at its end */
        if (!some && k != 2 && k != 4 && k != 5)
            fail_msg("no cut of %s left some members", kinds[k][0]);
        buf_release(&b);
    }
}

static void a_cut_jsonl_file_keeps_its_whole_lines(void **state)
{
    struct buf lines = { 0 }, packed = { 0 };

    for (int i = 0; i < 20000; i++)
        buf_printf(&lines, "{\"text\": \"line %d %d\"}\n", i, (int)(rng_at(1, 3, (uint64_t)i) % 10007));
    pack_one("raw", "gzip", "x", lines.p, lines.n, &packed);
    put("a.jsonl.gz", packed.p, packed.n / 2);
    read_all(&wide_limits);
    assert_in_range(got.stats.documents, 8000, 12000);
    assert_int_equal(got.stats.outcomes[SOURCE_TRUNCATED], 1);
    assert_int_equal(got.stats.outcomes[SOURCE_BAD_LINE], 0);
    buf_release(&lines);
    buf_release(&packed);
}

static void damaged_archives_are_told(void **state)
{
    struct buf b = { 0 };
    struct archive *a = pack_begin("zip", NULL, &b);
    char *second;

    archive_write_zip_set_compression_store(a);
    pack_file(a, "a.txt", "first");
    pack_file(a, "b.txt", "the second member");
    pack_file(a, "c.txt", "third");
    pack_end(a);
    second = memmem(b.p, b.n, "the second", 10);
    second[2] = 'a';        /* its checksum is wrong: the others are fine */
    put("a.zip", b.p, b.n);
    assert_string_equal(read_all(&wide_limits),
                        "text a.zip!a.txt: first\ntext a.zip!c.txt: third\n! damaged_archive 1 a.zip!b.txt\n");
    put_literal("a.zip", "\x1f\x8b\x08\0......not gzip at all, whatever the first bytes say");
    read_all(&wide_limits);      /* so short that all of it has been read: "truncated" */
    assert_int_equal(got.stats.outcomes[SOURCE_DAMAGED] + got.stats.outcomes[SOURCE_TRUNCATED], 1);
    put_literal("a.zip", "PK\3\4 not a zip file, whatever the first bytes say, for nothing fits");
    read_all(&wide_limits);
    assert_int_equal(got.stats.documents, 0);
    put_literal("a.zip", "\x5d\0\0 not lzma, whatever the first bytes say, for nothing fits here");
    read_all(&wide_limits);
    assert_int_equal(got.stats.outcomes[SOURCE_DAMAGED] + got.stats.outcomes[SOURCE_TRUNCATED], 1);
    buf_release(&b);
}

static void encrypted_members_are_told(void **state)
{
    struct buf b = { 0 };
    struct archive *a = archive_write_new();
    bool able;

    archive_write_set_format_zip(a);
    archive_write_set_passphrase(a, "secret");
    able = archive_write_set_options(a, "zip:encryption=traditional") == ARCHIVE_OK;
    assert_int_equal(archive_write_open(a, &b, NULL, to_buf, NULL), ARCHIVE_OK);
    pack_file(a, "secret.txt", "some words");
    pack_end(a);
    put("a.zip", b.p, b.n);
    buf_release(&b);
    if (!able)
        skip();      /* a libarchive without cryptography */
    assert_string_equal(read_all(&wide_limits), "! encrypted 1 a.zip!secret.txt\n");
}

/* A tar of one member whose name is `head`, n times `piece`, "z.txt". */
static void put_long_name(const char *file, const char *head, const char *piece, size_t n)
{
    struct buf name = { 0 }, b = { 0 };

    buf_adds(&name, head);
    for (size_t i = 0; i < n; i++)
        buf_adds(&name, piece);
    buf_adds(&name, "z.txt");
    pack_one("gnutar", NULL, name.p, "text", 4, &b);
    put(file, b.p, b.n);
    buf_release(&name);
    buf_release(&b);
}

/* A name may be a megabyte long: it is looked at once, not once for each of its parts. */
static void a_long_member_name_takes_one_look(void **state)
{
    clock_t start;

    put_long_name("a.tar", "", "./", 500000);
    put_long_name("b.tar", "x/", "a/", 499000);
    put_long_name("c.tar", "x/", ".../", 249000);
    start = clock();
    read_all(&wide_limits);
    assert_true(clock() - start < 3 * CLOCKS_PER_SEC);
    assert_string_equal(strncmp(got.text.p, "text a.tar!z.txt: text\n", 23) == 0 ? "" : got.text.p, "");
    assert_int_equal(got.stats.documents, 3);
}

static long peak_kib(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* 64 MB of lines in a member of a zip are read in a small part of that. */
static void memory_does_not_grow_with_the_archive(void **state)
{
    struct buf lines = { 0 }, b = { 0 };
    struct source_limits limits = wide_limits;
    struct archive *a;
    char yaml[300];
    struct raw_document *d;
    struct source *s;
    struct arena arena;
    struct yaml *list;
    uint64_t count = 0;
    long before;

    if (PLATFORM_ASAN)
        skip();      /* its own memory is in the way */
    for (int i = 0; i < 1000; i++)
        buf_printf(&lines, "{\"text\": \"%d is a line of some sixty-four bytes or so in length\"}\n", i);
    a = pack_begin("pax", "zstd", &b);
    {
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, "a.jsonl");
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_size(e, (la_int64_t)lines.n * 900);
        archive_write_header(a, e);
        for (int i = 0; i < 900; i++)
            archive_write_data(a, lines.p, lines.n);
        archive_entry_free(e);
    }
    pack_end(a);
    put("a.tar.zst", b.p, b.n);
    limits.max_document = 1 << 16;
    limits.max_ratio = 1e6;
    snprintf(yaml, sizeof yaml, "['%s']", folder);
    arena_init(&arena);
    assert_ok(yaml_parse(&arena, "y", yaml, strlen(yaml), &list));
    before = peak_kib();
    assert_ok(source_open(list, &limits, &s));
    for (;;) {
        assert_ok(source_next(s, &d));
        if (d == NULL)
            break;
        count++;
        raw_document_free(d);
    }
    source_close(s);
    assert_int_equal(count, 900000);
    assert_true(peak_kib() - before < 24 << 10);
    arena_release(&arena);
    buf_release(&lines);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(memory_does_not_grow_with_the_archive),
        T(bombs_stop_and_the_next_file_is_read),
        T(an_inner_bomb_leaves_the_outer_archive),
        T(a_file_may_expand_so_far_and_no_further),
        T(archives_nest_so_deep_and_no_deeper),
        T(compressions_count_as_levels),
        T(members_are_counted_over_all_levels),
        T(large_documents_and_lines_are_left_out),
        T(cut_archives_keep_what_came_before),
        T(a_cut_jsonl_file_keeps_its_whole_lines),
        T(damaged_archives_are_told),
        T(encrypted_members_are_told),
        T(a_long_member_name_takes_one_look),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    buf_release(&got.text);
    return failed;
}
