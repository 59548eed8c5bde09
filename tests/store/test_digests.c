/* Digests of inputs: the same whatever reads them, and no change goes unseen. */
#include "store/scratch.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <utime.h>

#include "base/pool.h"
#include "base/rng.h"
#include "base/stop.h"
#include "store/artifact/artifact.h"
#include "store/artifact/digests.h"

#define AGE_MICROSECONDS 2100000    /* from then on a file is remembered */

/* Digest of a folder or file with a fresh look; returns how many files were read. */
static uint64_t digest(const char *path, const char *memory, int threads, char hex[SHA256_HEX])
{
    struct digest_cache *c = digest_cache_open(memory);
    uint64_t hashed;

    digest_cache_set_threads(c, threads);
    assert_ok(artifact_digest_in(c, path, hex));
    hashed = digest_cache_hashed(c);
    digest_cache_close(c);
    return hashed;
}

static void put_noise(const char *path, uint64_t seed, size_t n)
{
    char *p = mem_alloc(n + 8);

    for (size_t i = 0; i < n; i += 8) {
        uint64_t v = rng_at(seed, 5, i);
        memcpy(p + i, &v, 8);
    }
    put_file(path, p, n);
    free(p);
}

/* Files of all sizes about the edges of pieces, names that sort otherwise as paths than by folder. */
static const char *make_tree(void)
{
    static const char *const names[] = { "a", "a-b", "a.txt", "b/a", "b-a", "b/c/d", "z", "\xC3\xA9", "B" };
    static const size_t sizes[] = { 0, 1, 4095, 4096, 262143, 262144, 262145, 3000000, 9000001 };
    const char *folder = scratch_folder("tree");

    assert_int_equal(mkdir(join(folder, "b"), 0777), 0);
    assert_int_equal(mkdir(join(folder, "b/c"), 0777), 0);
    assert_int_equal(mkdir(join(folder, "many"), 0777), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put_noise(join(folder, names[i]), i, sizes[i]);
    for (int i = 0; i < 300; i++)
        put_noise(join(folder, arena_printf(&scratch_arena, "many/%d", i)), 99, (size_t)i * 7);
    return folder;
}

/* The definition, word by word: FORMATS.md. */
static void by_hand(const char *folder, char hex[SHA256_HEX])
{
    struct file_list files;
    struct buf all = { 0 };

    assert_ok(file_list_tree(&scratch_arena, folder, &files));
    for (size_t i = 0; i < files.count; i++) {
        struct span bytes = read_whole(join(folder, files.names[i]));
        char own[SHA256_HEX];

        sha256_bytes(bytes.p, bytes.n, own);
        buf_adds(&all, files.names[i]);
        buf_addc(&all, 0);
        buf_printf(&all, "%s\n", own);
    }
    sha256_bytes(all.p, all.n, hex);
    buf_release(&all);
}

static void any_number_of_threads_gives_the_digest_of_the_definition(void **state)
{
    const char *folder = make_tree();
    char want[SHA256_HEX], hex[SHA256_HEX];

    by_hand(folder, want);
    for (int threads = 0; threads <= 9; threads += threads < 4 ? 1 : 5) {
        assert_int_equal(digest(folder, NULL, threads, hex), 309);
        assert_string_equal(hex, want);
    }
    assert_ok(artifact_digest_path(folder, NULL, hex));
    assert_string_equal(hex, want);
}

static void files_of_a_folder_have_the_digests_they_have_alone(void **state)
{
    static const char *const names[] = { "z", "b/c/d", "a", "B" }, *const missing[] = { "a", "none" };
    const char *folder = make_tree();
    struct digest_cache *c = digest_cache_open(NULL);
    char hex[4][SHA256_HEX], want[SHA256_HEX];

    digest_cache_set_threads(c, 3);
    assert_ok(digest_cache_files(c, &(struct digest_files){ folder, names, 4 }, hex));
    assert_int_equal(digest_cache_hashed(c), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_ok(sha256_file(join(folder, names[i]), want, NULL));
        assert_string_equal(hex[i], want);
    }
    assert_fails(ST_MISSING, "/none'", digest_cache_files(c, &(struct digest_files){ folder, missing, 2 }, hex));
    digest_cache_close(c);
}

struct inside {
    const char *folder;
    char hex[4][SHA256_HEX];
};

static enum status digest_inside(void *ctx, size_t i, int worker)
{
    struct inside *in = ctx;

    return artifact_digest_path(in->folder, NULL, in->hex[i]);
}

/* A pool's item cannot ask for more threads, and need not. */
static void within_a_pool_it_is_the_same(void **state)
{
    struct inside in = { .folder = make_tree() };
    struct pool *pool = pool_new(3);
    char want[SHA256_HEX];

    by_hand(in.folder, want);
    assert_ok(pool_for(pool, 4, digest_inside, &in));
    pool_free(pool);
    for (int i = 0; i < 4; i++)
        assert_string_equal(in.hex[i], want);
}

static void only_what_changed_is_read_again(void **state)
{
    const char *folder = make_tree(), *memory = scratch_path("memory");
    char before[SHA256_HEX], hex[SHA256_HEX], want[SHA256_HEX];
    struct span was;

    usleep(AGE_MICROSECONDS);
    assert_int_equal(digest(folder, memory, 3, before), 309);
    was = read_whole(memory);
    assert_int_equal(digest(folder, memory, 3, hex), 0);
    assert_string_equal(hex, before);
    flip_bit(join(folder, "b/c/d"), 4000, 3);
    put_noise(join(folder, "many/7"), 1000, 50);
    assert_int_equal(digest(folder, memory, 1, hex), 2);
    by_hand(folder, want);
    assert_string_equal(hex, want);
    assert_string_not_equal(hex, before);
    assert_int_equal(read_whole(memory).n, was.n);      /* both are too young to be remembered */
    assert_memory_equal(read_whole(memory).p, was.p, was.n);
}

static void a_memory_that_says_nothing_new_is_not_written(void **state)
{
    const char *path = scratch_path("file"), *memory = scratch_path("memory");
    struct stat first, second;
    char hex[SHA256_HEX];

    put_file(path, "x", 1);
    usleep(AGE_MICROSECONDS);
    assert_int_equal(digest(path, memory, 1, hex), 1);
    assert_int_equal(stat(memory, &first), 0);
    assert_int_equal(digest(path, memory, 1, hex), 0);
    assert_int_equal(stat(memory, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
}

/* Same size, the same times to the second, again and again: each edit is seen, because a file so
 * young is not remembered. */
static void edits_within_a_second_are_seen(void **state)
{
    const char *path = scratch_path("file"), *memory = scratch_path("memory");
    char last[SHA256_HEX] = "", hex[SHA256_HEX];

    for (int i = 0; i < 50; i++) {
        char text[8];

        snprintf(text, sizeof text, "%07d", i);
        put_file(path, text, 7);
        assert_int_equal(digest(path, memory, 1, hex), 1);
        assert_string_not_equal(hex, last);
        memcpy(last, hex, sizeof last);
    }
}

/* An edit whose mtime was put back is betrayed by the ctime. */
static void an_old_mtime_hides_nothing(void **state)
{
    const char *path = scratch_path("file"), *memory = scratch_path("memory");
    struct utimbuf old = { 1000000000, 1000000000 };
    char before[SHA256_HEX], hex[SHA256_HEX];

    put_file(path, "one", 3);
    assert_int_equal(utime(path, &old), 0);
    usleep(AGE_MICROSECONDS);
    assert_int_equal(digest(path, memory, 1, before), 1);
    put_file(path, "two", 3);
    assert_int_equal(utime(path, &old), 0);
    assert_int_equal(digest(path, memory, 1, hex), 1);
    assert_string_not_equal(hex, before);
}

static void a_new_name_is_a_new_folder_but_no_new_file(void **state)
{
    const char *folder = scratch_folder("names"), *memory = scratch_path("memory");
    char before[SHA256_HEX], hex[SHA256_HEX], want[SHA256_HEX];

    put_file(join(folder, "a"), "1", 1);
    put_file(join(folder, "b"), "2", 1);
    usleep(AGE_MICROSECONDS);
    assert_int_equal(digest(folder, memory, 1, before), 2);
    assert_int_equal(rename(join(folder, "a"), join(folder, "c")), 0);
    assert_true(digest(folder, memory, 1, hex) <= 1);   /* renaming sets the ctime where POSIX lets it */
    by_hand(folder, want);
    assert_string_equal(hex, want);
    assert_string_not_equal(hex, before);
    assert_int_equal(rename(join(folder, "b"), join(folder, "a")), 0);     /* the two names swap contents */
    assert_int_equal(rename(join(folder, "c"), join(folder, "b")), 0);
    digest(folder, memory, 1, hex);
    by_hand(folder, want);
    assert_string_equal(hex, want);
    assert_string_not_equal(hex, before);
}

static void links_are_as_the_format_says(void **state)
{
    const char *folder = scratch_folder("links"), *other = scratch_folder("other"), *over = scratch_path("link");
    char want[SHA256_HEX], hex[SHA256_HEX];

    put_file(join(folder, "a"), "same", 4);
    assert_ok(artifact_digest_path(folder, NULL, want));
    put_file(join(other, "outside"), "x", 1);
    assert_int_equal(symlink("a", join(folder, "to-a-file")), 0);
    assert_int_equal(symlink(other, join(folder, "to-a-folder")), 0);
    assert_int_equal(symlink(folder, join(folder, "to-itself")), 0);
    assert_int_equal(symlink("nowhere", join(folder, "to-nothing")), 0);
    assert_int_equal(mkfifo(join(folder, "pipe"), 0600), 0);
    assert_ok(artifact_digest_path(folder, NULL, hex));
    assert_string_equal(hex, want);
    assert_int_equal(symlink(folder, over), 0);         /* the path itself may be one */
    assert_ok(artifact_digest_path(over, NULL, hex));
    assert_string_equal(hex, want);
    assert_int_equal(link(join(folder, "a"), join(folder, "b")), 0);   /* a hard link is a file */
    assert_ok(artifact_digest_path(folder, NULL, hex));
    by_hand(folder, want);
    assert_string_equal(hex, want);
}

static void hard_links_are_one_file_in_memory(void **state)
{
    const char *folder = scratch_folder("hard"), *memory = scratch_path("memory");
    char first[SHA256_HEX], hex[SHA256_HEX];

    put_file(join(folder, "a"), "same", 4);
    assert_int_equal(link(join(folder, "a"), join(folder, "b")), 0);
    usleep(AGE_MICROSECONDS);
    digest(folder, memory, 2, first);
    assert_int_equal(digest(folder, memory, 2, hex), 0);
    assert_string_equal(hex, first);
    assert_int_equal(read_whole(memory).n, 16 + 72 + 8);
}

/* Root reads everything, so the look is another user's. */
static int look_as_nobody(const char *folder)
{
    char hex[SHA256_HEX];
    enum status st;

    if (geteuid() == 0 && seteuid(65534) != 0)
        return 2;
    st = artifact_digest_path(folder, NULL, hex);
    return st == ST_IO && strstr(fail_message(), "secret': Permission denied") ? 0 : 1;
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    const char *folder = scratch_folder("unreadable");
    pid_t child;
    int how;

    assert_int_equal(chmod(scratch_root, 0755), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    put_file(join(folder, "open"), "x", 1);
    put_file(join(folder, "secret"), "x", 1);
    assert_int_equal(chmod(join(folder, "open"), 0644), 0);
    assert_int_equal(chmod(join(folder, "secret"), 0), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(look_as_nobody(folder));
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

/* A child that is asked to stop while it hashes, or before it begins. */
static int be_interrupted(const char *path, bool before)
{
    char hex[SHA256_HEX];
    enum status st;

    stop_install();
    alarm(60);
    if (before) {
        raise(SIGINT);
    } else if (fork() == 0) {
        usleep(20000);
        kill(getppid(), SIGINT);
        _exit(0);
    }
    st = artifact_digest_path(path, NULL, hex);
    if (before)
        return st == ST_OK ? 0 : 1;
    return st == ST_INTERRUPTED && strstr(fail_message(), "interrupted while hashing") ? 0 : 1;
}

static int outcome(const char *path, bool before)
{
    pid_t child = fork();
    int how;

    assert_true(child >= 0);
    if (child == 0) {
        assert_non_null(freopen("/dev/null", "w", stderr));
        _exit(be_interrupted(path, before));
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static void a_stop_ends_long_hashing_unless_it_came_before(void **state)
{
    const char *large = scratch_path("large"), *small = scratch_path("small");
    FILE *f = fopen(large, "wb");

    assert_non_null(f);
    assert_int_equal(ftruncate(fileno(f), (off_t)8 << 30), 0);   /* a hole: no disk, seconds of work */
    assert_int_equal(fclose(f), 0);
    put_file(small, "x", 1);
    assert_int_equal(outcome(large, false), 0);
    assert_int_equal(outcome(small, true), 0);
}

/* Peak memory of a child that digests a folder of this many files, in KiB. */
static long peak_of(const char *folder, const char *memory)
{
    struct rusage usage;
    pid_t child = fork();
    int how;

    assert_true(child >= 0);
    if (child == 0) {
        char hex[SHA256_HEX];

        _exit(artifact_digest_path(folder, memory, hex) == ST_OK ? 0 : 1);
    }
    assert_int_equal(wait4(child, &how, 0, &usage), child);
    assert_int_equal(how, 0);
    return usage.ru_maxrss;
}

static void a_hundred_thousand_names_take_little_memory(void **state)
{
    const char *one = scratch_folder("one"), *many = scratch_folder("hundred-thousand");
    const char *memory = scratch_path("memory"), *base = join(many, "0");
    char hex[SHA256_HEX], again[SHA256_HEX];
    long extra;

    put_file(join(one, "0"), "x", 1);
    for (int i = 0; i < 100000; i++) {      /* links: a file system may hold 65,000 to one file */
        if (i % 10000 == 0) {
            base = join(many, arena_printf(&scratch_arena, "%d", i));
            put_file(base, &i, sizeof i);
        } else {
            assert_int_equal(link(base, join(many, arena_printf(&scratch_arena, "%d", i))), 0);
        }
    }
    usleep(AGE_MICROSECONDS);
    extra = peak_of(many, memory) - peak_of(one, NULL);
    if (extra > 160 << 10)      /* about 30 MiB; a sanitizer takes 100 */
        fail_msg("100,000 names took %ld KiB", extra);
    assert_int_equal(digest(many, memory, 2, hex), 0);
    assert_int_equal(digest(many, NULL, 1, again), 100000);
    assert_string_equal(hex, again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_gives_the_digest_of_the_definition),
        cmocka_unit_test(files_of_a_folder_have_the_digests_they_have_alone),
        cmocka_unit_test(within_a_pool_it_is_the_same),
        cmocka_unit_test(only_what_changed_is_read_again),
        cmocka_unit_test(a_memory_that_says_nothing_new_is_not_written),
        cmocka_unit_test(edits_within_a_second_are_seen),
        cmocka_unit_test(an_old_mtime_hides_nothing),
        cmocka_unit_test(a_new_name_is_a_new_folder_but_no_new_file),
        cmocka_unit_test(links_are_as_the_format_says),
        cmocka_unit_test(hard_links_are_one_file_in_memory),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(a_stop_ends_long_hashing_unless_it_came_before),
        cmocka_unit_test(a_hundred_thousand_names_take_little_memory),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
