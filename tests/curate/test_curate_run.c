/* The run as a whole: order, threads, ids, passes, what is told when nothing is left. */
#include "curate/documents.h"

#include <dirent.h>

#include "base/hash.h"
#include "curate/run/id_set.h"

static struct documents docs;
static struct result result;

static void begin(void) { documents_begin(&docs); }

static void end(void)
{
    result_end(&result);
    documents_end(&docs);
}

/* Sentences with stop words, so that filters keep them. */
static void add_prose(const char *id, uint64_t seed, size_t sentences)
{
    struct buf text = { 0 };

    for (size_t i = 0; i < sentences; i++) {
        buf_adds(&text, i ? " and the " : "the ");
        add_words(&text, seed, i * 10, 4);
        buf_adds(&text, " of that ");
        add_words(&text, seed, i * 10 + 5, 3);
        buf_adds(&text, rng_at(seed, 3, i) % 5 ? "." : ".\r\n\r\n");
    }
    add_bytes(&docs, id, text.p, text.n);
    buf_release(&text);
}

/* A mixed bag: good ones, copies, near copies, short ones, broken bytes, repetitions, JSONL and HTML. */
static void add_mixed(int n)
{
    for (int i = 0; i < n; i++) {
        struct made *m;
        char id[32];

        snprintf(id, sizeof id, "doc%d", i % 300);
        switch (rng_at(4, 4, (uint64_t)i) % 10) {
        case 0: add_text(&docs, id, "short"); break;
        case 1: add_prose(id, (uint64_t)i % 7, 12); break;
        case 2: add_bytes(&docs, id, "\xFF\xFE\x01 broken \xFF", 12); break;
        case 3: add_text(&docs, id, "again and again and again and again and again and again"); break;
        case 4:
            m = add_text(&docs, id, "<html><title>A &amp; B</title><body><h1>Head</h1><p>Some text of a page.</p></body></html>");
            m->kind = RAW_HTML;
            break;
        case 5:
            add_prose(id, (uint64_t)i, 6);
            m = &docs.v[docs.count - 1];
            m->kind = RAW_JSONL;
            m->line_id = "own id";
            m->created = "2024-02-29";
            m->metadata = "{\"k\":[1,2]}";
            break;
        default: add_prose(id, (uint64_t)i, 5 + (size_t)i % 30);
        }
    }
}

/* One digest over all files of the folder, names too. */
static void folder_digest(const char *folder, char hex[SHA256_HEX])
{
    struct arena a;
    struct file_list files;
    struct sha256 *h = sha256_new();

    arena_init(&a);
    assert_ok(file_list_tree(&a, folder, &files));
    assert_true(files.count >= 3);
    for (size_t i = 0; i < files.count; i++) {
        char one[SHA256_HEX];

        assert_ok(sha256_file(path_join(&a, folder, files.names[i]), one, NULL));
        sha256_add(h, files.names[i], strlen(files.names[i]) + 1);
        sha256_add(h, one, sizeof one);
    }
    sha256_finish(h, hex);
    arena_release(&a);
}

static void any_number_of_threads_gives_the_same_bytes(void **state)
{
    static const char steps[] = "[normalize, {filter: {profile: gopher@datatrove, min-words: 20}}, {dedup: {method: exact}}, {dedup: {method: minhash}}, "
                                "{filter: {profile: gopher@datatrove, min-words: 30}}, {dedup: {method: containment}}, normalize]";
    static const int threads[] = { 1, 2, 8, 2 };
    char first[SHA256_HEX], other[SHA256_HEX];

    for (int i = 0; i < 4; i++) {
        begin();
        add_mixed(1500);
        assert_ok(run_documents(&docs, (struct how){ .steps = steps, .threads = threads[i], .samples = 3, .shard_bytes = 100000 },
                                &result));
        assert_true(result.count > 300);
        folder_digest(result.folder, i ? other : first);
        if (i)
            assert_string_equal(other, first);
        end();
    }
}

static void documents_keep_their_order_over_passes(void **state)
{
    char id[32];
    int before = -1;

    begin();
    for (int i = 0; i < 700; i++) {
        snprintf(id, sizeof id, "%d", i);
        add_prose(id, (uint64_t)(i / 2), 5);
    }
    assert_ok(run_documents(&docs, (struct how){ .steps = "[normalize, {dedup: {method: exact}}, normalize, {dedup: {method: minhash}}]" },
                            &result));
    assert_int_equal(result.count, 350);
    for (size_t i = 0; i < result.count; i++) {
        assert_true(atoi(result.kept[i].id.p) > before);
        before = atoi(result.kept[i].id.p);
    }
    end();
}

static void fields_come_through(void **state)
{
    struct made *m;

    begin();
    add_text(&docs, "a.txt", "plain");
    add_text(&docs, "b.md", "# mark")->kind = RAW_MARKDOWN;
    add_text(&docs, "c.html", "<title>T \"x\"\n y</title><body><p>page text</p>")->kind = RAW_HTML;
    m = add_text(&docs, "d.jsonl#1", "line text");
    m->kind = RAW_JSONL;
    m->line_id = "d1";
    m->created = "2020-01-01";
    m->metadata = "{\"a\": 1}";
    add_text(&docs, "d.jsonl#2", "no more than text")->kind = RAW_JSONL;
    assert_ok(run_documents(&docs, (struct how){ .steps = "[normalize, {dedup: {method: exact}}]" }, &result));
    assert_string_equal(kept_ids(&result), "a.txt b.md c.html d1 d.jsonl#2");
    assert_string_equal(result.kept[0].metadata.p, "{\"kind\":\"text\"}");
    assert_string_equal(result.kept[0].source.p, "made");
    assert_string_equal(result.kept[1].metadata.p, "{\"kind\":\"markdown\"}");
    assert_string_equal(result.kept[2].metadata.p, "{\"kind\":\"html\",\"title\":\"T \\\"x\\\" y\"}");
    assert_string_equal(result.kept[2].text.p, "page text");
    assert_string_equal(result.kept[3].created.p, "2020-01-01");
    assert_string_equal(result.kept[3].metadata.p, "{\"a\": 1}");
    assert_int_equal(result.kept[4].metadata.n, 0);
    end();
}

static void pages_are_extracted_as_asked(void **state)
{
    static const char page[] = "<body><nav><a href='/'>Home</a> <a href='/x'>More of it</a></nav><p>The text.</p></body>";
    static const char *const cases[] = { "[{extract: {html: main}}, normalize]", "The text.",
                                         "[{extract: {html: none}}]", page, NULL };

    for (int i = 0; cases[i]; i += 2) {
        begin();
        add_text(&docs, "p", page)->kind = RAW_HTML;
        assert_ok(run_documents(&docs, (struct how){ .steps = cases[i] }, &result));
        assert_string_equal(result.kept[0].text.p, cases[i + 1]);
        end();
    }
    begin();
    add_text(&docs, "p", page)->kind = RAW_HTML;
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{extract: {html: all}}]" }, &result));
    assert_non_null(strstr(result.kept[0].text.p, "More of it"));
    assert_non_null(strstr(result.kept[0].text.p, "The text."));
    end();
}

static void ids_become_unique(void **state)
{
    begin();
    add_text(&docs, "a", "1");
    add_text(&docs, "a~2", "2");
    add_text(&docs, "a", "3");
    add_text(&docs, "a", "4");
    add_text(&docs, "b", "5");
    add_text(&docs, "a~2", "6");
    assert_ok(run_documents(&docs, (struct how){ .steps = "[]" }, &result));
    assert_string_equal(kept_ids(&result), "a a~2 a~3 a~4 b a~2~2");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(result.report, "output"), "renamed_ids")), 3);
    end();
}

/* A hundred thousand documents of one id take no longer than as many ids. */
static void many_equal_ids_take_linear_time(void **state)
{
    struct id_set set = { 0 };
    char *id;

    for (int i = 0; i < 100000; i++) {
        id = mem_strdup("same");
        assert_int_equal(id_set_claim(&set, &id), i > 0);
        if (i == 99999)
            assert_string_equal(id, "same~100000");
        free(id);
    }
    assert_int_equal(set.used, 100000);
    id_set_release(&set);
}

/* Bytes that are not UTF-8 never reach the corpus, whatever the chain. */
static void ill_formed_text_needs_normalize(void **state)
{
    static const char *const chains[] = { "[]", "[{filter: {profile: gopher@datatrove, min-words: 1, repetition: false}}, normalize]",
                                          "[{dedup: {method: exact}}]" };

    for (int i = 0; i < 3; i++) {
        begin();
        add_bytes(&docs, "bad", "the best of \xFF words", 19);
        add_text(&docs, "good", "the best of words");
        assert_ok(run_documents(&docs, (struct how){ .steps = chains[i] }, &result));
        assert_string_equal(kept_ids(&result), "good");
        assert_int_equal(count_of_drops(&result, 0, "invalid_utf8"), 1);
        end();
    }
}

static void the_report_adds_up(void **state)
{
    json_t *step, *drop;
    size_t i, j;
    json_int_t left;

    begin();
    add_mixed(1200);
    left = (json_int_t)docs.count;
    assert_ok(run_documents(&docs, (struct how){ .steps = chain_default, .samples = 2 }, &result));
    json_array_foreach(json_object_get(result.report, "steps"), i, step) {
        json_int_t in = json_integer_value(json_object_get(step, "documents_in"));

        assert_int_equal(in, left);
        json_array_foreach(json_object_get(step, "drops"), j, drop) {
            in -= json_integer_value(json_object_get(drop, "documents"));
            assert_true(json_array_size(json_object_get(drop, "samples")) <= 2);
            assert_true(json_array_size(json_object_get(drop, "samples")) >= 1);
        }
        left = json_integer_value(json_object_get(step, "documents_out"));
        assert_int_equal(in, left);
    }
    assert_int_equal(left, result.count);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(result.report, "output"), "documents")), left);
    end();
}

static void the_page_holds_no_markup_of_documents(void **state)
{
    struct buf page = { 0 };
    struct arena a;

    arena_init(&a);
    begin();
    add_text(&docs, "<script>alert(1)</script>", "<img src=x onerror=alert(2)> & \x01\xE2\x80\xAE");
    add_text(&docs, "kept", "the words of that and the rest");
    assert_ok(run_documents(&docs, (struct how){ .steps = "[{filter: {profile: gopher@datatrove, min-words: 7, repetition: false, min-stop-words: 0}}]",
                                                 .samples = 5 }, &result));
    assert_ok(file_read(path_join(&a, result.folder, "report.html"), 1 << 20, &page));
    assert_non_null(strstr(page.p, "&lt;script&gt;alert(1)"));
    assert_non_null(strstr(page.p, "&lt;img src=x"));
    assert_null(strstr(page.p, "<script"));
    assert_null(strstr(page.p, "<img"));
    assert_null(strstr(page.p, "http:"));
    assert_null(strstr(page.p, "https:"));
    buf_release(&page);
    end();
    arena_release(&a);
}

static void nothing_left_says_what_became_of_all(void **state)
{
    begin();
    for (int i = 0; i < 3; i++)
        add_text(&docs, "short", "too short for the rules");
    add_text(&docs, "blank", " \n");
    docs.outcomes[SOURCE_BINARY] = 2;
    assert_int_equal(run_documents(&docs, (struct how){ .steps = "[normalize, {filter: {profile: gopher@datatrove, repetition: false}}]" }, &result), ST_FAILED);
    assert_string_equal(fail_message(), "no document is left of 4 in 1 files: 2 not read (binary), 1 dropped by 'normalize' (empty), 3 dropped by "
                                        "'filter gopher@datatrove' (gopher_short_doc); nothing was written");
    end();
    begin();
    assert_int_equal(run_documents(&docs, (struct how){ .steps = "[]" }, &result), ST_FAILED);
    assert_string_equal(fail_message(), "no document is left of 0 in 1 files; nothing was written");
    end();
}

/* Nothing but shards and reports lies in the folder: the spool has no name. */
static void no_temporary_files_stay(void **state)
{
    DIR *dir;
    int others = 0;

    begin();
    add_mixed(300);
    assert_ok(run_documents(&docs, (struct how){ .steps = chain_default }, &result));
    dir = opendir(result.folder);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        others += e->d_name[0] != '.' && strncmp(e->d_name, "part-", 5) != 0 && strncmp(e->d_name, "report.", 7) != 0;
    closedir(dir);
    assert_int_equal(others, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(documents_keep_their_order_over_passes),
        cmocka_unit_test(fields_come_through),
        cmocka_unit_test(pages_are_extracted_as_asked),
        cmocka_unit_test(ids_become_unique),
        cmocka_unit_test(many_equal_ids_take_linear_time),
        cmocka_unit_test(ill_formed_text_needs_normalize),
        cmocka_unit_test(the_report_adds_up),
        cmocka_unit_test(the_page_holds_no_markup_of_documents),
        cmocka_unit_test(nothing_left_says_what_became_of_all),
        cmocka_unit_test(no_temporary_files_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
