/* Manifests: what they record, that they exist whole or not at all, and what is refused. */
#include "store/making.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <utime.h>

#include "store/artifact/digests.h"
#include "store/artifact/manifest.h"

static const char *make(const char *path, const struct making_cfg *cfg, const char *content)
{
    struct artifact *a;

    assert_ok(artifact_begin(&making_corpus, cfg, path, &a));
    put_file(join(artifact_folder(a), "part-00000.jsonl.zst"), content, strlen(content));
    assert_int_equal(mkdir(join(artifact_folder(a), "sub"), 0777), 0);
    put_file(join(artifact_folder(a), "sub/notes"), "n", 1);
    artifact_set_counts(a, json_pack("{s:i}", "documents", 3));
    assert_ok(artifact_commit(a, NULL));
    return path;
}

static json_t *open_any(const char *path)
{
    json_t *manifest;

    assert_ok(artifact_open(path, NULL, &manifest));
    return manifest;
}

static const char *member(const json_t *o, const char *a, const char *b)
{
    return json_string_value(json_object_get(json_object_get(o, a), b));
}

static void the_manifest_says_what_made_it_from_what(void **state)
{
    const char *file = scratch_path("in.txt"), *folder = scratch_folder("in"), *earlier, *path = scratch_path("out");
    const char *more[] = { folder, NULL };
    struct yaml leaf = { .kind = YAML_SCALAR, .text = file }, *items[] = { &leaf, &leaf };
    struct yaml tree = { .kind = YAML_LIST, .items = items, .count = 2 };
    struct making_cfg none = { 0 }, cfg = { .in = file, .more = { more, 2 }, .tree = &tree, .level = 5, .threads = 2 };
    json_t *manifest, *inputs, *options;
    char hex[SHA256_HEX];

    put_file(file, "abc", 3);
    put_file(join(folder, "a"), "abc", 3);
    earlier = make(scratch_path("earlier"), &none, "x");
    more[1] = earlier;
    make(path, &cfg, "content");
    manifest = open_any(path);
    inputs = json_object_get(manifest, "inputs");
    options = json_object_get(json_object_get(manifest, "made_by"), "options");
    sha256_bytes("abc", 3, hex);
    assert_string_equal(json_string_value(json_array_get(json_object_get(inputs, "in"), 0)), hex);
    assert_string_equal(json_string_value(json_array_get(json_object_get(inputs, "tree"), 1)), hex);
    assert_ok(artifact_digest_path(folder, NULL, hex));
    assert_string_equal(json_string_value(json_array_get(json_object_get(inputs, "more"), 0)), hex);
    assert_ok(artifact_digest_path(earlier, NULL, hex));
    assert_string_equal(json_string_value(json_array_get(json_object_get(inputs, "more"), 1)), hex);
    assert_int_equal(json_integer_value(json_object_get(options, "level")), 5);
    assert_null(json_object_get(options, "threads"));
    assert_string_equal(member(manifest, "made_by", "numeric_class"), "cpu-test");
    assert_string_equal(member(manifest, "made_by", "stage"), "make corpus");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(manifest, "counts"), "documents")), 3);
    assert_string_equal(member(manifest, "aside", "program"), TUNDISH_VERSION);
    assert_int_equal(strlen(member(manifest, "aside", "created")), strlen("2024-05-01T12:00:00Z"));
    assert_int_equal(json_object_size(json_object_get(manifest, "files")), 2);
    json_decref(manifest);
}

static void the_digest_follows_from_the_files_alone(void **state)
{
    struct making_cfg cfg = { .level = 1 }, other = { .level = 2 };
    char a[SHA256_HEX], b[SHA256_HEX], c[SHA256_HEX];

    assert_ok(artifact_digest_path(make(scratch_path("a"), &cfg, "same"), NULL, a));
    assert_ok(artifact_digest_path(make(scratch_path("b"), &other, "same"), NULL, b));
    assert_ok(artifact_digest_path(make(scratch_path("c"), &cfg, "differs"), NULL, c));
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
}

static void folders_of_others_are_digested_by_names_and_contents(void **state)
{
    const char *a = scratch_folder("a"), *b = scratch_folder("b");
    char x[SHA256_HEX], y[SHA256_HEX];

    put_file(join(a, "manifest.json"), "{\"name\": \"a web page's\"}", 23);
    put_file(join(b, "manifest.json"), "{\"name\": \"a web page's\"}", 23);
    put_file(join(a, "1"), "xy", 2);
    put_file(join(b, "1"), "xy", 2);
    assert_ok(artifact_digest_path(a, NULL, x));
    assert_ok(artifact_digest_path(b, NULL, y));
    assert_string_equal(x, y);
    assert_int_equal(rename(join(b, "1"), join(b, "2")), 0);
    assert_ok(artifact_digest_path(b, NULL, y));
    assert_string_not_equal(x, y);
    assert_fails(ST_MISSING, "absent", artifact_digest_path(join(a, "absent"), NULL, x));
}

static void nothing_is_there_before_commit_or_after_abort(void **state)
{
    const char *path = scratch_path("out");
    struct making_cfg cfg = { 0 };
    struct artifact *a;
    const char *working;

    assert_ok(artifact_begin(&making_corpus, &cfg, path, &a));
    working = arena_strdup(&scratch_arena, artifact_folder(a));
    put_file(join(working, "x"), "x", 1);
    assert_false(file_exists(path));
    artifact_abort(a);
    assert_false(file_exists(path));
    assert_false(file_exists(working));
    cfg.in = join(path, "absent");
    assert_fails(ST_MISSING, "absent", artifact_begin(&making_corpus, &cfg, path, &a));
}

static void leftovers_of_the_dead_are_removed_and_the_old_is_replaced(void **state)
{
    const char *path = scratch_path("out"), *leftover = arena_printf(&scratch_arena, "%s.tmp.999999999", path);
    struct making_cfg cfg = { 0 };
    json_t *manifest;

    assert_int_equal(mkdir(leftover, 0777), 0);
    put_file(join(leftover, "half"), "x", 1);
    make(path, &cfg, "old");
    assert_false(file_exists(leftover));
    make(path, &cfg, "newer");
    manifest = open_any(path);
    assert_ok(artifact_verify(path, manifest));
    json_decref(manifest);
    assert_int_equal(read_whole(join(path, "part-00000.jsonl.zst")).n, 5);
}

/* A child writes the artifact again and again and is killed at some moment of it. */
static void a_killed_writer_leaves_the_old_or_the_new(void **state)
{
    const char *path = scratch_path("out");
    struct making_cfg cfg = { 0 };
    struct file_list files;

    make(path, &cfg, "first");
    for (uint64_t i = 0; i < 25; i++) {
        pid_t child = fork();
        json_t *manifest;

        assert_true(child >= 0);
        if (child == 0)
            for (int k = 0;; k++)
                make(path, &cfg, k % 2 ? "one content" : "another, longer content");
        usleep((useconds_t)(rng_at(4, 4, i) % 9000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        manifest = open_any(path);
        assert_ok(artifact_verify(path, manifest));
        json_decref(manifest);
    }
    make(path, &cfg, "last");
    assert_ok(file_list_tree(&scratch_arena, scratch_root, &files));
    for (size_t i = 0; i < files.count; i++)
        if (strstr(files.names[i], path_base(path)) && strstr(files.names[i], ".tmp."))
            fail_msg("'%s' is left over", files.names[i]);
}

static void damage_is_found_and_named(void **state)
{
    struct making_cfg cfg = { 0 };
    const char *path = make(scratch_path("out"), &cfg, "content"), *part = join(path, "part-00000.jsonl.zst");
    json_t *manifest = open_any(path), *again;

    assert_ok(artifact_verify(path, manifest));
    flip_bit(part, 3, 0);
    assert_fails(ST_INTEGRITY, "part-00000.jsonl.zst' is damaged", artifact_verify(path, manifest));
    assert_ok(artifact_verify_file(path, manifest, "sub/notes"));
    assert_fails(ST_MISSING, "names no file 'x'", artifact_verify_file(path, manifest, "x"));
    put_file(part, "conten", 6);
    assert_fails(ST_INTEGRITY, "has 6 bytes, its manifest wants 7", artifact_open(path, NULL, &again));
    assert_int_equal(unlink(part), 0);
    assert_fails(ST_INTEGRITY, "is missing", artifact_open(path, NULL, &again));
    json_decref(manifest);
}

static void a_wrong_kind_is_told_with_what_makes_the_right_one(void **state)
{
    static const struct command *const all[] = { &making_corpus, &making_tokens, NULL };
    struct making_cfg cfg = { 0 };
    const char *path = make(scratch_path("out"), &cfg, "content"), *empty = scratch_folder("empty");
    json_t *manifest;

    assert_ok(artifact_open(path, "corpus", &manifest));
    json_decref(manifest);
    assert_fails(ST_CONFIG, "is a corpus, want a model", artifact_open(path, "model", &manifest));
    command_set_all(all);
    assert_fails(ST_CONFIG, "is a corpus, want a token-store (`tundish make tokens` makes one)",
                 artifact_open(path, "token-store", &manifest));
    command_set_all(NULL);
    assert_fails(ST_FORMAT, "no manifest.json", artifact_open(empty, NULL, &manifest));
    assert_fails(ST_MISSING, "there is no", artifact_open(join(empty, "x"), NULL, &manifest));
}

/* Each edit of a sound manifest's text that must not pass. */
static void odd_manifests_are_refused(void **state)
{
    static const struct { const char *from, *to; enum status st; const char *words; } cases[] = {
        { "\"tundish\": 1", "\"tundish\": 2", ST_UNSUPPORTED, "version 2, this program reads version 1" },
        { "\"tundish\": 1", "\"tundish\": \"1\"", ST_FORMAT, "'tundish'" },
        { "\"kind\": \"corpus\"", "\"kind\": \"corpse\"", ST_INTEGRITY, "it was changed" },
        { "\"kind\": \"corpus\"", "\"kind\": 5", ST_FORMAT, "'kind'" },
        { "\"bytes\": 7", "\"bytes\": 8", ST_INTEGRITY, "it was changed" },
        { "\"bytes\": 7", "\"bytes\": -7", ST_FORMAT, "-7 bytes" },
        { "sub/notes", "../notes", ST_FORMAT, "'../notes' is no name" },
        { "sub/notes", "/b/notes", ST_FORMAT, "is no name" },
        { "sub/notes", "sub//otes", ST_FORMAT, "is no name" },
        { "sub/notes", "sub/./tes", ST_FORMAT, "is no name" },
        { "sub/notes", "manifest.json", ST_FORMAT, "is no name" },
        { "\"sha256\": \"", "\"sha256\": \"g", ST_FORMAT, "64 lower-case hex" },
        { "\"digest\": \"", "\"digest\": \"0", ST_FORMAT, "64 lower-case hex" },
        { "\"files\": {", "\"filez\": {", ST_FORMAT, "'files' is missing" },
        { "\"inputs\": {", "\"inputs\": {\"in\": \"x\"", ST_FORMAT, "must be a list" },
        { "\"inputs\": {", "\"inputs\": {\"in\": [\"x\"]", ST_FORMAT, "is no digest" },
        { "\"counts\": {", "\"kounts\": {", ST_FORMAT, "'counts' is missing" },
        { "\"aside\": {", "\"beside\": {", ST_FORMAT, "'aside' is missing" },
        { "\"numeric_class\": \"cpu-test\"", "\"numeric_class\": 4", ST_FORMAT, "'numeric_class'" },
        { "\"stage\": ", "\"stag\": ", ST_FORMAT, "'stage'" },
        { "\"kind\": \"corpus\"", "\"kind\": \"corpus\", \"kind\": \"corpus\"", ST_FORMAT, "duplicate" },
    };
    struct making_cfg cfg = { 0 };
    struct span text = read_whole(join(make(scratch_path("out"), &cfg, "content"), "manifest.json"));
    json_t *manifest;

    assert_ok(manifest_parse("m", text.p, text.n, &manifest));
    json_decref(manifest);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(text.p, cases[i].from);
        struct buf edited = { 0 };

        if (at == NULL)
            fail_msg("no '%s' in the manifest", cases[i].from);
        buf_add(&edited, text.p, (size_t)(at - text.p));
        buf_adds(&edited, cases[i].to);
        buf_adds(&edited, at + strlen(cases[i].from));
        assert_fails(cases[i].st, cases[i].words, manifest_parse("m", edited.p, edited.n, &manifest));
        buf_release(&edited);
    }
}

/* A name of half a million folders is looked at once, not once for each of them. */
static void a_long_name_takes_one_look(void **state)
{
    struct making_cfg cfg = { 0 };
    struct span text = read_whole(join(make(scratch_path("out"), &cfg, "content"), "manifest.json"));
    const char *at = strstr(text.p, "sub/notes");
    struct buf edited = { 0 };
    json_t *manifest;
    clock_t start;

    assert_non_null(at);
    buf_add(&edited, text.p, (size_t)(at - text.p));
    for (int i = 0; i < 500000; i++)
        buf_adds(&edited, "a/");
    buf_adds(&edited, at);
    start = clock();
    assert_fails(ST_INTEGRITY, "it was changed", manifest_parse("m", edited.p, edited.n, &manifest));
    assert_true(clock() - start < 3 * CLOCKS_PER_SEC);
    buf_release(&edited);
}

static void digests_are_remembered_while_a_file_is_the_same(void **state)
{
    const char *memory = join(scratch_folder("memory"), "deeper/verified"), *path = scratch_path("file");
    struct digest_cache *c;
    char first[SHA256_HEX], hex[SHA256_HEX];

    put_file(path, "one", 3);
    c = digest_cache_open(memory);
    assert_ok(digest_cache_file(c, path, first));       /* too young to be remembered */
    digest_cache_close(c);
    assert_false(file_exists(memory));
    usleep(2100000);
    for (uint64_t round = 0; round < 2; round++) {
        c = digest_cache_open(memory);
        assert_ok(digest_cache_file(c, path, hex));
        assert_string_equal(hex, first);
        assert_int_equal(digest_cache_hashed(c), 1 - round);
        digest_cache_close(c);
    }
    flip_bit(memory, read_whole(memory).n - 20, 1);     /* in the digest: the sum over the memory finds it */
    c = digest_cache_open(memory);
    assert_ok(digest_cache_file(c, path, hex));
    assert_string_equal(hex, first);
    assert_int_equal(digest_cache_hashed(c), 1);
    digest_cache_close(c);
    c = digest_cache_open(memory);
    put_file(path, "two", 3);
    assert_int_equal(utime(path, &(struct utimbuf){ 1000000000, 1000000000 }), 0);
    assert_ok(digest_cache_file(c, path, hex));
    assert_string_not_equal(hex, first);
    digest_cache_close(c);
}

static void the_golden_manifest_is_read(void **state)
{
    const char *path = golden("corpus");
    json_t *manifest;

    assert_ok(artifact_open(path, "corpus", &manifest));
    assert_ok(artifact_verify(path, manifest));
    assert_string_equal(artifact_digest(manifest), "d98112cd0af7b656921a2e821cfb338bb56bd8e137d4ec89c91c84de5a8f6829");
    assert_string_equal(member(manifest, "made_by", "stage"), "curate");
    json_decref(manifest);
}

/* None of them waits for somebody to write into it. */
static void a_manifest_that_is_no_file_is_refused(void **state)
{
    const char *path = scratch_path("special"), *manifest = join(path, "manifest.json");
    char digest[SHA256_HEX];
    json_t *value;

    assert_ok(file_make_folders(path));
    assert_int_equal(mkfifo(manifest, 0600), 0);
    alarm(20);
    assert_fails(ST_IO, "is not a regular file", artifact_open(path, NULL, &value));
    assert_fails(ST_IO, "is not a regular file", json_read_file(manifest, &value));
    assert_ok(artifact_digest_path(path, NULL, digest));      /* a folder like any other */
    assert_int_equal(unlink(manifest), 0);
    assert_int_equal(symlink("/dev/zero", manifest), 0);
    assert_fails(ST_IO, "is not a regular file", artifact_open(path, NULL, &value));
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manifest_says_what_made_it_from_what),
        cmocka_unit_test(the_digest_follows_from_the_files_alone),
        cmocka_unit_test(folders_of_others_are_digested_by_names_and_contents),
        cmocka_unit_test(nothing_is_there_before_commit_or_after_abort),
        cmocka_unit_test(leftovers_of_the_dead_are_removed_and_the_old_is_replaced),
        cmocka_unit_test(a_killed_writer_leaves_the_old_or_the_new),
        cmocka_unit_test(damage_is_found_and_named),
        cmocka_unit_test(a_wrong_kind_is_told_with_what_makes_the_right_one),
        cmocka_unit_test(odd_manifests_are_refused),
        cmocka_unit_test(a_long_name_takes_one_look),
        cmocka_unit_test(digests_are_remembered_while_a_file_is_the_same),
        cmocka_unit_test(the_golden_manifest_is_read),
        cmocka_unit_test(a_manifest_that_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
