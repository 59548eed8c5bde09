#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/platform.h"
#include "child.h"

static char home[4096];   /* where the tests began */
static struct arena scratch;

/* Each test runs in an empty folder of its own. */
static int enter_folder(void **state)
{
    char name[] = "test_file.XXXXXX";

    arena_init(&scratch);
    if (!getcwd(home, sizeof home) || !mkdtemp(name) || chdir(name) != 0)
        return -1;
    *state = strdup(name);
    return 0;
}

static int leave_folder(void **state)
{
    int failed = chdir(home) != 0 || file_remove_tree(*state) != ST_OK || file_exists(*state);

    arena_release(&scratch);
    free(*state);
    return failed ? -1 : 0;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(file_write_atomic(path, text, strlen(text)), ST_OK);
}

static void expect(const char *path, const char *text)
{
    struct buf b = { 0 };

    assert_int_equal(file_read(path, 1 << 20, &b), ST_OK);
    assert_string_equal(b.p, text);
    buf_release(&b);
}

static pid_t dead_pid(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static void what_was_written_is_read(void **state)
{
    uint64_t size;
    struct file_list list;

    put("f", "one");
    put("f", "two, longer");
    expect("f", "two, longer");
    assert_int_equal(file_write_atomic("empty", NULL, 0), ST_OK);
    expect("empty", "");
    assert_int_equal(file_size("f", &size), ST_OK);
    assert_int_equal(size, 11);
    assert_true(file_exists("f"));
    assert_false(file_is_folder("f"));
    assert_true(file_is_folder("."));
    assert_int_equal(file_list_tree(&scratch, ".", &list), ST_OK);   /* and no temporary name is left */
    assert_int_equal(list.count, 2);
}

static void a_limit_is_a_limit(void **state)
{
    struct buf b = { 0 };
    char *big = calloc(1, 300000);

    memset(big, 'x', 300000);
    assert_int_equal(file_write_atomic("f", big, 300000), ST_OK);
    assert_int_equal(file_read("f", 300000, &b), ST_OK);
    assert_int_equal(b.n, 300000);
    assert_memory_equal(b.p, big, 300001);   /* with the final NUL */
    assert_int_equal(file_read("f", 299999, &b), ST_LIMIT);
    assert_non_null(strstr(fail_message(), "299999"));
    assert_int_equal(file_read("f", 0, &b), ST_LIMIT);
    assert_int_equal(file_read("f", UINT64_MAX, &b), ST_OK);
    assert_int_equal(b.n, 300000);
    put("none", "");
    assert_int_equal(file_read("none", 0, &b), ST_OK);
    assert_int_equal(b.n, 0);
    assert_int_equal(file_read("/proc/self/status", 100000, &b), ST_OK);   /* has size 0 by stat() */
    assert_true(b.n > 100);
    assert_int_equal(file_read("/proc/self/status", 100, &b), ST_LIMIT);
    buf_release(&b);
    free(big);
}

static void what_is_missing_or_wrong_is_told(void **state)
{
    struct buf b = { 0 };
    struct file_map m;
    struct file_list list;
    uint64_t size;

    put("f", "x");
    assert_int_equal(file_read("no", 10, &b), ST_MISSING);
    assert_string_equal(fail_message(), "cannot open 'no': No such file or directory");
    assert_int_equal(file_read("f/no", 10, &b), ST_MISSING);
    assert_int_equal(file_read(".", 10, &b), ST_IO);
    assert_int_equal(file_size("no", &size), ST_MISSING);
    assert_int_equal(file_size(".", &size), ST_IO);
    assert_int_equal(file_map_open(&m, "no"), ST_MISSING);
    file_map_close(&m);
    assert_int_equal(file_map_open(&m, "/dev/null"), ST_IO);
    assert_int_equal(file_list_tree(&scratch, "no", &list), ST_MISSING);
    assert_int_equal(file_write_atomic("no/f", "x", 1), ST_MISSING);
    assert_int_equal(file_rename("no", "other"), ST_MISSING);
    assert_int_equal(file_sync_folder("no"), ST_MISSING);
    assert_int_equal(file_sync_tree("no"), ST_MISSING);
    assert_int_equal(file_make_folders("f/deeper"), ST_IO);
    assert_string_equal(fail_message(), "cannot create the folder 'f': File exists");
    assert_int_equal(file_make_folders(""), ST_MISSING);
    buf_release(&b);
}

static void maps(void **state)
{
    struct file_map m;

    put("f", "mapped");
    put("empty", "");
    assert_int_equal(file_map_open(&m, "f"), ST_OK);
    assert_int_equal(m.n, 6);
    assert_memory_equal(m.p, "mapped", 6);
    file_map_close(&m);
    assert_int_equal(file_map_open(&m, "empty"), ST_OK);
    assert_int_equal(m.n, 0);
    assert_string_equal(m.p, "");
    file_map_close(&m);
}

static void folders_and_trees(void **state)
{
    struct file_list list;
    struct stat s;

    assert_int_equal(file_make_folders("a/b//c/"), ST_OK);
    assert_int_equal(file_make_folders("a/b/c"), ST_OK);
    assert_true(file_is_folder("a/b/c"));
    put("outside", "keep me");
    assert_int_equal(file_make_folders("aside"), ST_OK);
    put("aside/kept", "keep me too");
    put("a/z", "");
    put("a/b.x", "");
    put("a/b/y", "");
    put("a/b/c/w", "");
    assert_int_equal(symlink("../outside", "a/link"), 0);
    assert_int_equal(symlink("../aside", "a/b/linked"), 0);
    assert_int_equal(mkfifo("a/fifo", 0600), 0);
    assert_int_equal(file_sync_tree("a"), ST_OK);

    assert_int_equal(file_list_tree(&scratch, "a", &list), ST_OK);
    assert_int_equal(list.count, 4);
    assert_string_equal(list.names[0], "b.x");     /* '.' comes before '/' */
    assert_string_equal(list.names[1], "b/c/w");
    assert_string_equal(list.names[2], "b/y");
    assert_string_equal(list.names[3], "z");
    assert_int_equal(file_list_tree(&scratch, "a/z", &list), ST_OK);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.names[0], "");

    assert_int_equal(file_remove_tree("a"), ST_OK);
    assert_int_equal(lstat("a", &s), -1);
    expect("outside", "keep me");
    expect("aside/kept", "keep me too");
    assert_int_equal(symlink("aside", "way"), 0);
    assert_int_equal(file_list_tree(&scratch, "way", &list), ST_OK);   /* the root may be a link */
    assert_int_equal(list.count, 1);
    assert_int_equal(file_remove_tree("way"), ST_OK);                  /* the link alone */
    expect("aside/kept", "keep me too");
    assert_int_equal(file_remove_tree("absent"), ST_OK);
}

static void leftovers_of_dead_writers_go_and_others_stay(void **state)
{
    char dead[64], living[64], own[64], folder[64], other[64];
    const char *tmp;

    snprintf(dead, sizeof dead, "f.tmp.%d", dead_pid());
    snprintf(folder, sizeof folder, "f.old.tmp.%d", dead_pid());
    snprintf(living, sizeof living, "f.tmp.%d", getppid());
    snprintf(own, sizeof own, "f.tmp.%d", getpid());
    snprintf(other, sizeof other, "ff.tmp.%d", dead_pid());
    for (int round = 0; round < 2; round++) {
        const char *const texts[] = { dead, living, own, other, "f.tmp.", "f.tmp.1x", "f.tmp.-1", "f.tmp" };

        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            int fd = open(texts[i], O_CREAT | O_WRONLY, 0600);
            assert_true(fd >= 0);
            close(fd);
        }
        assert_int_equal(file_make_folders(folder), ST_OK);
        if (round == 0) {
            put("f", "text");
            expect("f", "text");
            unlink("f");
            assert_false(file_exists(own));
        } else {
            assert_int_equal(folder_begin(&scratch, "f", &tmp), ST_OK);
            assert_string_equal(tmp, own);
            assert_true(file_is_folder(own));
            folder_abort(tmp);
        }
        assert_false(file_exists(dead));
        assert_false(file_exists(folder));
        assert_false(file_exists(own));
        assert_true(file_exists(living));
        assert_true(file_exists(other));
        assert_true(file_exists("f.tmp.") && file_exists("f.tmp.1x") && file_exists("f.tmp.-1"));
    }
}

static void write_folder(const char *final, const char *text)
{
    const char *tmp;

    assert_int_equal(folder_begin(&scratch, final, &tmp), ST_OK);
    put(path_join(&scratch, tmp, "a"), text);
    assert_int_equal(file_make_folders(path_join(&scratch, tmp, "sub")), ST_OK);
    put(path_join(&scratch, tmp, "sub/b"), text);
    assert_int_equal(folder_commit(tmp, final), ST_OK);
    assert_false(file_exists(tmp));
}

static void a_folder_appears_and_is_replaced_whole(void **state)
{
    struct file_list list;
    const char *tmp;

    write_folder("deep/out/", "one");
    expect("deep/out/a", "one");
    put("deep/out/stale", "goes with the old folder");
    write_folder("deep/out", "two");
    expect("deep/out/sub/b", "two");
    assert_int_equal(file_list_tree(&scratch, "deep", &list), ST_OK);
    assert_int_equal(list.count, 2);

    assert_int_equal(folder_begin(&scratch, "deep/out", &tmp), ST_OK);
    put(path_join(&scratch, tmp, "a"), "never seen");
    folder_abort(tmp);
    assert_false(file_exists(tmp));
    expect("deep/out/a", "two");
}

static void names_that_cannot_be_swapped_are_refused(void **state)
{
    const char *const wrong[] = { "", "/", "//", ".", "..", "x/.", "x/..", "file", "link" };
    const char *tmp;

    put("file", "stays");
    assert_int_equal(file_make_folders("x"), ST_OK);
    assert_int_equal(symlink("x", "link"), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(folder_begin(&scratch, wrong[i], &tmp), ST_CONFIG);
    expect("file", "stays");
}

/* A reader that opens out/a and out/sub/b through one folder handle must find them alike. */
static void *read_on(void *stop)
{
    uintptr_t looks = 0, different = 0;

    while (!atomic_load((atomic_bool *)stop)) {
        int dir = open("out", O_RDONLY | O_DIRECTORY);
        char a[8] = "", b[8] = "";
        int fa = dir < 0 ? -1 : openat(dir, "a", O_RDONLY);
        int fb = dir < 0 ? -1 : openat(dir, "sub/b", O_RDONLY);

        if (dir < 0)
            different++;   /* at no moment may there be none */
        if (fa >= 0 && fb >= 0) {
            looks++;
            if (read(fa, a, 7) < 0 || read(fb, b, 7) < 0 || strcmp(a, b) != 0)
                different++;
        }
        if (fa >= 0)
            close(fa);
        if (fb >= 0)
            close(fb);
        if (dir >= 0)
            close(dir);
    }
    return (void *)(different ? 0 : looks);
}

static void a_reader_finds_the_old_or_the_new_at_any_moment(void **state)
{
    static atomic_bool stop;
    pthread_t reader;
    void *looks;

    write_folder("out", "000");
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&reader, NULL, read_on, &stop), 0);
    for (int i = 1; i <= 40; i++) {
        char text[8];

        snprintf(text, sizeof text, "%03d", i);
        write_folder("out", text);
    }
    atomic_store(&stop, true);
    pthread_join(reader, &looks);
    assert_true((uintptr_t)looks > 0);
}

static void replace_for_ever(void *ctx)
{
    char text[8];

    for (int i = 1;; i++) {
        const char *tmp;

        snprintf(text, sizeof text, "%03d", i % 1000);
        if (folder_begin(&scratch, "out", &tmp) != ST_OK ||
            file_write_atomic(path_join(&scratch, tmp, "a"), text, 3) != ST_OK ||
            file_write_atomic(path_join(&scratch, tmp, "b"), text, 3) != ST_OK ||
            folder_commit(tmp, "out") != ST_OK)
            _exit(1);
    }
}

static void a_killed_writer_leaves_a_whole_folder(void **state)
{
    struct buf a = { 0 }, b = { 0 };
    const char *tmp;
    struct file_list list;

    for (int round = 0; round < 15; round++) {
        pid_t pid = fork();

        if (pid == 0)
            replace_for_ever(NULL);
        usleep((useconds_t)(20000 + round * 3701));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        if (!file_exists("out"))
            continue;   /* killed before the first commit */
        assert_int_equal(file_read("out/a", 100, &a), ST_OK);
        assert_int_equal(file_read("out/b", 100, &b), ST_OK);
        assert_string_equal(a.p, b.p);
        assert_int_equal(a.n, 3);
    }
    assert_int_equal(folder_begin(&scratch, "out", &tmp), ST_OK);
    folder_abort(tmp);
    assert_true(file_exists("out"));
    assert_int_equal(file_list_tree(&scratch, ".", &list), ST_OK);
    assert_int_equal(list.count, 2);   /* no leftover of any round */
    buf_release(&a);
    buf_release(&b);
}

static void try_lock(void *ctx)
{
    struct file_lock l;
    enum status st = file_lock_take(&l, "lock");

    fputs(st == ST_OK ? "" : fail_message(), stderr);
    fflush(stderr);
    _exit(st == ST_OK ? 0 : status_exit_code(st));   /* with the lock, if it has it */
}

static void a_lock_is_held_until_dropped_or_its_process_ends(void **state)
{
    struct file_lock l, second;
    char want[64];
    struct child_end end;

    assert_int_equal(file_lock_take(&l, "lock"), ST_OK);
    assert_int_equal(file_lock_take(&second, "lock"), ST_HELD);
    assert_int_equal(second.fd, -1);
    file_lock_drop(&second);   /* harmless */
    end = child_run(try_lock, NULL);
    assert_int_equal(end.code, 4);
    snprintf(want, sizeof want, "'lock' is held by process %d on %s, since 20", getpid(), host_name());
    assert_int_equal(strncmp(end.words, want, strlen(want)), 0);
    file_lock_drop(&l);
    assert_int_equal(child_run(try_lock, NULL).code, 0);    /* ends while it holds it */
    assert_int_equal(file_lock_take(&l, "lock"), ST_OK);
    file_lock_drop(&l);
    assert_int_equal(file_lock_take(&l, "no/lock"), ST_MISSING);
}

static void try_to_share(void *ctx)
{
    struct file_lock l;
    enum status st = file_lock_share(&l, "used");

    _exit(st == ST_OK ? 0 : status_exit_code(st));
}

/* Removes and makes it again under the exclusive lock, as long as nobody else has it. */
static void replace_often(void *ctx)
{
    for (int i = 0; i < 2000; i++) {
        struct file_lock whole;
        int fd;

        if (file_lock_take(&whole, "often") != ST_OK)
            continue;
        if (unlink("often") != 0 || (fd = open("often", O_WRONLY | O_CREAT, 0666)) < 0)
            _exit(1);
        close(fd);
        file_lock_drop(&whole);
    }
}

static void a_shared_lock_is_on_the_file_of_that_name(void **state)
{
    struct stat locked, named;
    struct file_lock l;
    int taken = 0, status;
    pid_t child;

    assert_int_equal(file_write_atomic("often", "old", 3), ST_OK);
    child = fork();
    if (child == 0) {
        replace_often(NULL);
        _exit(0);
    }
    while (waitpid(child, &status, WNOHANG) == 0)
        if (file_lock_share(&l, "often") == ST_OK) {
            assert_int_equal(fstat(l.fd, &locked), 0);
            assert_int_equal(stat("often", &named), 0);
            assert_int_equal(locked.st_ino, named.st_ino);
            file_lock_drop(&l);
            taken++;
        }
    assert_int_equal(status, 0);
    assert_true(taken > 0);
}

static void a_shared_lock_keeps_the_exclusive_one_out(void **state)
{
    struct file_lock shared, more, whole;
    struct buf text = { 0 };

    assert_int_equal(file_lock_share(&shared, "used"), ST_MISSING);
    assert_int_equal(shared.fd, -1);
    file_lock_drop(&shared);   /* harmless */
    assert_false(file_exists("used"));
    assert_int_equal(file_write_atomic("used", "content", 7), ST_OK);
    assert_int_equal(chmod("used", 0444), 0);
    assert_int_equal(file_lock_share(&shared, "used"), ST_OK);
    assert_int_equal(file_lock_share(&more, "used"), ST_OK);
    assert_int_equal(child_run(try_to_share, NULL).code, 0);
    file_lock_drop(&more);
    assert_int_equal(chmod("used", 0644), 0);
    assert_int_equal(file_lock_take(&whole, "used"), ST_HELD);
    file_lock_drop(&shared);
    assert_int_equal(file_read("used", 100, &text), ST_OK);
    assert_string_equal(text.p, "content");   /* neither wrote into it */
    assert_int_equal(file_lock_take(&whole, "used"), ST_OK);
    assert_int_equal(child_run(try_to_share, NULL).code, 4);
    file_lock_drop(&whole);
    buf_release(&text);
}

static void leftovers_are_known_by_their_names(void **state)
{
    static const char *const no[] = { "a", "a.tmp.", "a.tmp.x", "a.tmp.1", "a.tmp.0123", ".tmp.7", "a.tmp.12x" };
    char mine[64];

    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(file_is_leftover(no[i]));      /* process 1 lives */
    snprintf(mine, sizeof mine, "a.tmp.x.tmp.%ld", (long)getpid());
    assert_true(file_is_leftover(mine));
    snprintf(mine, sizeof mine, "a.old.tmp.%ld", (long)getpid());
    assert_true(file_is_leftover(mine));
    snprintf(mine, sizeof mine, "a.tmp.%ld", (long)getppid());
    assert_false(file_is_leftover(mine));
}

static void looking_at_a_lock_changes_nothing(void **state)
{
    struct file_lock l;

    assert_false(file_lock_is_held("never-there"));
    assert_false(file_exists("never-there"));
    assert_int_equal(file_lock_take(&l, "looked-at"), ST_OK);
    assert_true(file_lock_is_held("looked-at"));
    assert_true(file_lock_is_held("looked-at"));
    file_lock_drop(&l);
    assert_false(file_lock_is_held("looked-at"));
    assert_int_equal(file_lock_take(&l, "looked-at"), ST_OK);
    file_lock_drop(&l);
}

static void paths(void **state)
{
    assert_string_equal(path_join(&scratch, "a", "b"), "a/b");
    assert_string_equal(path_join(&scratch, "a/", "b"), "a/b");
    assert_string_equal(path_join(&scratch, "/", "b"), "/b");
    assert_string_equal(path_join(&scratch, "", "b"), "b");
    assert_string_equal(path_base("a/b"), "b");
    assert_string_equal(path_base("b"), "b");
    assert_string_equal(path_base("a/"), "");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        T(what_was_written_is_read),
        T(a_limit_is_a_limit),
        T(what_is_missing_or_wrong_is_told),
        T(maps),
        T(folders_and_trees),
        T(leftovers_of_dead_writers_go_and_others_stay),
        T(a_folder_appears_and_is_replaced_whole),
        T(names_that_cannot_be_swapped_are_refused),
        T(a_reader_finds_the_old_or_the_new_at_any_moment),
        T(a_killed_writer_leaves_a_whole_folder),
        T(a_lock_is_held_until_dropped_or_its_process_ends),
        T(a_shared_lock_keeps_the_exclusive_one_out),
        T(leftovers_are_known_by_their_names),
        T(looking_at_a_lock_changes_nothing),
        T(a_shared_lock_is_on_the_file_of_that_name),
        T(paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
