/* Manifests that no stage wrote: circles, chains without end, members that are missing, and many of them. */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/test.h"

#include "base/file.h"
#include "base/log.h"
#include "pipelines/lineage/document_search.h"
#include "pipelines/lineage/lineage_documents.h"
#include "pipelines/lineage/lineage_print.h"
#include "store/artifact/manifest.h"

struct scene {
    struct arena arena;
    struct pool *pool;
    char folder[64];
};

static int set_up(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);

    snprintf(s->folder, sizeof s->folder, "/tmp/test-lineage-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    s->pool = pool_new(2);
    log_set_quiet(true);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    assert_ok(file_remove_tree(s->folder));
    pool_free(s->pool);
    arena_release(&s->arena);
    free(s);
    return 0;
}

/* The manifest of an artifact whose content is one word: its digest does not depend on its inputs, so they may form a circle. */
static json_t *manifest_of(const char *word, char digest[SHA256_HEX])
{
    char hex[SHA256_HEX];
    json_t *m;

    sha256_bytes(word, strlen(word), hex);
    m = json_pack("{s:i, s:s, s:{s:{s:i, s:s}}, s:{s:s, s:i, s:{}, s:n}, s:{}, s:{}, s:{}}", "tundish", 1, "kind", "corpus", "files",
                  "word", "bytes", (int)strlen(word), "sha256", hex, "made_by", "stage", "curate", "version", 1, "options",
                  "numeric_class", "inputs", "counts", "aside");
    assert_non_null(m);
    manifest_digest(m, digest);
    json_object_set_new(m, "digest", json_string(digest));
    return m;
}

/* Without a sync, of which thousands take minutes. */
static void make_folders(const char *path)
{
    struct buf part = { 0 };

    for (const char *p = path; *p; p++) {
        if (*p == '/' && p > path)
            (void)mkdir(part.p, 0755);
        buf_addc(&part, *p);
    }
    assert_int_equal(mkdir(part.p, 0755) == 0 || file_is_folder(part.p), 1);
    buf_release(&part);
}

/* Writes it as FOLDER/NAME, with one input of this digest, said to lie at a path (NULL: not told). Takes m over. */
static const char *place(struct scene *s, const char *name, json_t *m, const char *input, const char *said)
{
    const char *path = path_join(&s->arena, s->folder, name);

    if (input)
        json_object_set_new(m, "inputs", json_pack("{s:[s]}", "in", input));
    if (said)
        json_object_set_new(m, "aside", json_pack("{s:{s:[s]}}", "paths", "in", said));
    make_folders(path);
    assert_int_equal(json_dump_file(m, path_join(&s->arena, path, MANIFEST_NAME), 0), 0);
    json_decref(m);
    return path;
}

static struct lineage *lineage_of(struct scene *s, const char *path, const char *search)
{
    static const char *folders[1];
    static struct opt_list list;
    struct lineage_args args = { .path = path, .compare = true, .pool = s->pool, .search = &list };
    struct lineage *l;

    folders[0] = search;
    list = (struct opt_list){ folders, search != NULL };
    assert_ok(lineage_open(&args, &l));
    return l;
}

/* All that is printed of it, so that a walk without end would show. */
static size_t print_all(struct lineage *l)
{
    struct buf out = { 0 };
    json_t *value = lineage_json(l);
    size_t n;

    lineage_text(l, &out);
    openlineage_print(l, &out);
    assert_ok(croissant_print(l, &out));
    json_canonical(&out, value);
    json_decref(value);
    n = out.n;
    buf_release(&out);
    return n;
}

static void test_circle(void **state)
{
    struct scene *s = *state;
    char a[SHA256_HEX], b[SHA256_HEX];
    json_t *one = manifest_of("one", a), *two = manifest_of("two", b);
    const char *path = place(s, "one", one, b, "two");
    struct lineage *l;

    place(s, "two", two, a, "one");
    l = lineage_of(s, path, NULL);
    assert_int_equal(l->count, 2);
    assert_int_equal(l->nodes[1].state, LINEAGE_FOUND);
    assert_int_equal(l->nodes[1].inputs[0].node, 0);
    assert_true(print_all(l) > 0);
    assert_ok(lineage_extend(l));
    assert_int_equal(l->count, 2);
    lineage_free(l);
}

static void test_own_input(void **state)
{
    struct scene *s = *state;
    char a[SHA256_HEX];
    json_t *one = manifest_of("one", a);
    struct lineage *l = lineage_of(s, place(s, "one", one, a, "one"), NULL);

    assert_int_equal(l->count, 1);
    assert_true(print_all(l) > 0);
    lineage_free(l);
}

/* Each made from the next; no path is told, so they are found by digest alone. */
static void test_long_chain(void **state)
{
    enum { LENGTH = 2000 };
    struct scene *s = *state;
    char (*digests)[SHA256_HEX] = mem_array(LENGTH + 1, sizeof *digests), word[16];
    const char *first = NULL;
    struct lineage *l;

    for (int i = LENGTH; i >= 0; i--) {
        json_t *m;

        snprintf(word, sizeof word, "w%d", i);
        m = manifest_of(word, digests[i]);
        first = place(s, word, m, i < LENGTH ? digests[i + 1] : NULL, NULL);
    }
    l = lineage_of(s, first, NULL);
    assert_int_equal(l->count, LENGTH + 1);
    for (size_t i = 0; i < l->count; i++)
        assert_int_equal(l->nodes[i].state, LINEAGE_FOUND);
    assert_true(print_all(l) > LENGTH);
    lineage_free(l);
    free(digests);
}

/* A folder of 10,000 artifacts is read once, however many inputs are looked for in it. */
static void test_many(void **state)
{
    enum { MANY = 10000, LOST = 300 };
    struct scene *s = *state;
    char digest[SHA256_HEX], word[16], last[SHA256_HEX];
    json_t *m = manifest_of("first", digest), *inputs = json_array();
    struct timespec from, to;
    struct lineage *l;

    for (int i = 0; i < MANY; i++) {
        snprintf(word, sizeof word, "many/%02d/m%d", i % 50, i);
        place(s, word, manifest_of(word, last), NULL, NULL);
    }
    for (int i = 0; i < LOST; i++)
        json_array_append_new(inputs, json_sprintf("%064d", i));
    json_array_append_new(inputs, json_string(last));
    json_object_set_new(m, "inputs", json_pack("{s:o}", "in", inputs));
    clock_gettime(CLOCK_MONOTONIC, &from);
    l = lineage_of(s, place(s, "alone/first", m, NULL, NULL), s->folder);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(l->count, LOST + 2);
    assert_int_equal(l->nodes[LOST].state, LINEAGE_MISSING);
    assert_int_equal(l->nodes[LOST + 1].state, LINEAGE_FOUND);
    print_message("%d manifests: %.2f s\n", MANY,
                  (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec));
    assert_true(to.tv_sec - from.tv_sec < 60);
    lineage_free(l);
}

/* What a manifest says of its circumstances may be anything. */
static void test_odd_words(void **state)
{
    static const char *const said[] = { "", ".", "..", "/", "//", "a\nb\x1b[2J", "/proc/self/mem", "/dev/zero", "one/../one" };
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        char a[SHA256_HEX];
        struct buf out = { 0 };
        struct lineage_args args = { .pool = s->pool, .compare = false };
        struct lineage *l;

        args.path = place(s, "one", manifest_of("one", a),
                          "00000000000000000000000000000000000000000000000000000000000000ff", said[i]);
        assert_ok(lineage_open(&args, &l));
        assert_int_equal(l->count, 2);
        assert_true(print_all(l) > 0);
        lineage_text(l, &out);
        assert_null(strchr(out.p, '\x1b'));
        buf_release(&out);
        lineage_free(l);
    }
    /* a device is not read, though it is asked for */
    char a[SHA256_HEX];
    const char *path = place(s, "one", manifest_of("one", a),
                             "00000000000000000000000000000000000000000000000000000000000000ff", "/dev/zero");
    struct lineage *l = lineage_of(s, path, NULL);
    assert_int_equal(l->nodes[1].state, LINEAGE_OUTSIDE);
    assert_string_equal(l->nodes[1].seen, "");
    assert_non_null(l->nodes[1].why);
    lineage_free(l);
}

static void test_aside_of_other_types(void **state)
{
    static const char *const asides[] = { "{\"paths\":7}", "{\"paths\":{\"in\":\"x\"}}", "{\"paths\":{\"in\":[null]}}",
                                          "{\"created\":[],\"seconds\":\"x\",\"program\":1}",
                                          "{\"created\":\"2026-02-31T99:00:00Z\",\"seconds\":1e300,\"program\":\"a b%\"}" };
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof asides / sizeof *asides; i++) {
        char a[SHA256_HEX];
        json_t *m = manifest_of("one", a);
        struct lineage *l;

        json_object_set_new(m, "aside", json_loads(asides[i], 0, NULL));
        json_object_set_new(m, "counts", json_pack("{s:n, s:[], s:{s:{}}}", "documents", "train", "x", "y"));
        l = lineage_of(s, place(s, "one", m, "00000000000000000000000000000000000000000000000000000000000000ff", NULL), NULL);
        assert_int_equal(l->nodes[1].state, LINEAGE_MISSING);
        assert_null(l->nodes[1].said);
        assert_true(print_all(l) > 0);
        lineage_free(l);
    }
}

/* A manifest that was changed is not what was meant, and the tree says what stands there. */
static void test_damaged_input(void **state)
{
    struct scene *s = *state;
    char a[SHA256_HEX], b[SHA256_HEX];
    json_t *two = manifest_of("two", b);
    struct lineage *l;

    json_object_set_new(two, "kind", json_string("model"));
    place(s, "two", two, NULL, NULL);
    l = lineage_of(s, place(s, "one", manifest_of("one", a), b, "two"), NULL);
    assert_int_equal(l->nodes[1].state, LINEAGE_MISSING);
    assert_non_null(strstr(l->nodes[1].why, "it was changed"));
    lineage_free(l);
    place(s, "two", manifest_of("three", a), NULL, NULL);
    l = lineage_of(s, path_join(&s->arena, s->folder, "one"), NULL);
    assert_int_equal(l->nodes[1].state, LINEAGE_MISSING);
    assert_non_null(strstr(l->nodes[1].why, "is now another corpus"));
    lineage_free(l);
}

/* Other programs' manifests, leftovers and links are passed over. */
static void test_strangers(void **state)
{
    struct scene *s = *state;
    char a[SHA256_HEX], b[SHA256_HEX];
    const char *path = place(s, "one", manifest_of("one", a), NULL, NULL);
    struct lineage *l;

    place(s, "two.tmp.123", manifest_of("two", b), NULL, NULL);
    assert_ok(file_make_folders(path_join(&s->arena, s->folder, "npm")));
    assert_ok(file_write_atomic(path_join(&s->arena, s->folder, "npm/manifest.json"), "{\"kind\":1}", 10));
    assert_int_equal(symlink(".", path_join(&s->arena, s->folder, "round")), 0);
    place(s, "one", manifest_of("one", a), b, NULL);
    l = lineage_of(s, path, s->folder);
    assert_int_equal(l->nodes[1].state, LINEAGE_MISSING);
    lineage_free(l);
}

static void test_hints(void **state)
{
    static const char *const ids[] = { "notes/patient-7.txt", "notes/patient-17.txt", "notes/patient-18.txt", "x", "", "patient-1",
                                       "notes/patient-17.txt", "notes/p", "letters/patient-17.txt.gz" };
    struct id_hints forward = { 0 }, backward = { 0 };
    size_t n = sizeof ids / sizeof *ids;

    for (size_t i = 0; i < n; i++) {
        id_hints_add(&forward, "patient-17", span_of(ids[i]));
        id_hints_add(&backward, "patient-17", span_of(ids[n - 1 - i]));
    }
    assert_string_equal(forward.best[0].id, "letters/patient-17.txt.gz");
    assert_string_equal(forward.best[1].id, "notes/patient-17.txt");
    assert_string_equal(forward.best[2].id, "patient-1");
    assert_null(forward.best[3].id);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(forward.best[i].id, backward.best[i].id);
    id_hints_free(&forward);
    id_hints_free(&backward);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_circle),
        TEST(test_own_input),
        TEST(test_long_chain),
        TEST(test_many),
        TEST(test_odd_words),
        TEST(test_aside_of_other_types),
        TEST(test_damaged_input),
        TEST(test_strangers),
        cmocka_unit_test(test_hints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
