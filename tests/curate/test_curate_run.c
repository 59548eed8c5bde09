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

static struct made *add_prose_of(struct documents *d, const char *id, size_t sentences)
{
    add_prose(id, 99, sentences);
    return &d->v[d->count - 1];
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
    assert_string_equal(fail_message(), "no document is left of 4 in 1 files: 2 not read (binary: not text: NUL bytes, or a known binary format), 1 dropped by 'normalize' (empty), 3 dropped by "
                                        "'filter gopher@datatrove' (gopher_short_doc); nothing was written");
    end();
    begin();
    assert_int_equal(run_documents(&docs, (struct how){ .steps = "[]" }, &result), ST_FAILED);
    assert_string_equal(fail_message(), "no document is left of 0 in 1 files: none of them was read; want sources whose `include` and `exclude` leave some; nothing was written");
    end();
}

/* ---- groups ---- */

/* The report of the same documents is the same however they are grouped, but for sums of doubles. */
static void groups_are_of_no_meaning_to_what_is_kept(void **state)
{
    static const char steps[] = "[normalize, {filter: {profile: gopher@datatrove, min-words: 20}}, {dedup: {method: exact}}, "
                                "{dedup: {method: minhash}}, normalize]";
    static const size_t groups[] = { 1, 3, 17, 200 };
    char *first = NULL;

    for (int i = 0; i < 4; i++) {
        struct buf texts = { 0 };
        char digest[SHA256_HEX];

        begin();
        add_mixed(900);
        docs.groups = groups[i];
        assert_ok(run_documents(&docs, (struct how){ .steps = steps, .samples = 3 }, &result));
        assert_int_equal(json_integer_value(json_object_get(json_object_get(result.report, "input"), "documents")), 900);
        for (size_t k = 0; k < result.count; k++)
            buf_add(&texts, result.kept[k].text.p, result.kept[k].text.n + 1);
        sha256_bytes(texts.p, texts.n, digest);
        if (first == NULL)
            first = mem_strdup(digest);
        assert_string_equal(first, digest);
        buf_release(&texts);
        end();
    }
    free(first);
}

/* Each id stands once, the first of those that are equal as it was. */
static void ids_are_unique_over_groups(void **state)
{
    static const size_t groups[] = { 1, 2, 7, 40 };

    for (int i = 0; i < 4; i++) {
        struct id_set set = { 0 };
        size_t plain = 0;

        begin();
        for (int k = 0; k < 40; k++)
            add_text(&docs, k % 4 ? k % 4 == 1 ? "a~2" : "a" : "b", arena_printf(&docs.arena, "text %d", k));
        docs.groups = groups[i];
        assert_ok(run_documents(&docs, (struct how){ .steps = "[]", .shard_bytes = 200 }, &result));
        assert_int_equal(result.count, 40);
        for (size_t k = 0; k < result.count; k++) {
            char *id = mem_strdup(result.kept[k].id.p);

            plain += strcmp(id, "a") == 0 || strcmp(id, "b") == 0 || strcmp(id, "a~2") == 0;
            assert_false(id_set_claim(&set, &id));
            free(id);
            assert_string_equal(result.kept[k].text.p, arena_printf(&docs.arena, "text %zu", k));
        }
        assert_int_equal(plain, 3);
        assert_string_equal(result.kept[0].id.p, "b");
        assert_string_equal(result.kept[1].id.p, "a~2");
        assert_string_equal(result.kept[2].id.p, "a");
        assert_int_equal(json_integer_value(json_object_get(json_object_get(result.report, "output"), "renamed_ids")), 37);
        id_set_release(&set);
        end();
    }
}

/* ---- shuffle, split, sample ---- */

/* The order is that of all keys, however many ranges they are read in; each document once. */
static void shuffled_order_knows_no_ranges(void **state)
{
    static const uint64_t ranges[] = { 1 << 30, 20000, 3000, 500 };
    char *first = NULL;
    size_t moved = 0;

    for (int i = 0; i < 4; i++) {
        begin();
        for (int k = 0; k < 500; k++)
            add_prose(arena_printf(&docs.arena, "%d", k), (uint64_t)k, 3);
        docs.groups = 7;
        assert_ok(run_documents(&docs, (struct how){ .steps = "[normalize, {shuffle: {seed: 5}}, normalize]",
                                                     .range_bytes = ranges[i], .threads = 1 + i }, &result));
        assert_int_equal(result.count, 500);
        for (size_t k = 0; i == 0 && k < 500; k++)
            moved += (size_t)atoi(result.kept[k].id.p) != k;
        if (first == NULL)
            first = mem_strdup(kept_ids(&result));
        assert_string_equal(first, kept_ids(&result));
        end();
    }
    assert_true(moved > 450);
    free(first);
}

/* The documents of a part, in `r`, which has the corpus itself. */
static size_t count_part(struct result *r, const char *part)
{
    struct document_reader *reader;
    uint64_t passed;

    assert_ok(document_reader_open(path_join(&r->arena, r->folder, part), &reader));
    assert_ok(document_reader_skip(reader, UINT64_MAX, &passed));
    document_reader_close(reader);
    return (size_t)passed;
}

static void parts_and_samples_go_by_the_id_alone(void **state)
{
    static const char steps[] = "[{sample: {fraction: 0.5}}, {split: {test: 0.2, validation: 0.1, parts: [dev=0.3]}}]";
    char *first = NULL;

    for (int i = 0; i < 2; i++) {
        struct document_reader *reader;
        struct document d;
        bool got;

        begin();
        for (int k = 0; k < 4000; k += 1 + i)       /* the second time every other one */
            add_text(&docs, arena_printf(&docs.arena, "id %d", k), "text");
        assert_ok(run_documents(&docs, (struct how){ .steps = steps }, &result));
        assert_in_range(count_part(&result, "test"), 320 / (1 + i), 480 / (1 + i));
        assert_in_range(count_part(&result, "validation"), 140 / (1 + i), 260 / (1 + i));
        assert_in_range(count_part(&result, "dev"), 500 / (1 + i), 700 / (1 + i));
        assert_in_range(count_of_drops(&result, 1, "not_sampled"), 1800 / (1 + i), 2200 / (1 + i));
        assert_int_equal(json_integer_value(json_object_get(json_object_get(result.report, "output"), "documents")),
                         (int64_t)docs.count - count_of_drops(&result, 1, "not_sampled"));
        assert_ok(document_reader_open(path_join(&result.arena, result.folder, "test"), &reader));
        if (i == 0) {
            struct buf ids = { 0 };

            while (document_reader_next(reader, &d, &got) == ST_OK && got)
                buf_printf(&ids, "<%.*s>", (int)d.id.n, d.id.p);
            first = ids.p;
        }
        while (i == 1 && document_reader_next(reader, &d, &got) == ST_OK && got)
            assert_non_null(strstr(first, arena_printf(&docs.arena, "<%.*s>", (int)d.id.n, d.id.p)));
        document_reader_close(reader);
        end();
    }
    free(first);
}

/* ---- what is told of a document ---- */

static void scores_and_reasons_stand_in_the_metadata(void **state)
{
    struct document_reader *reader;
    struct document d;
    struct made *m;
    bool got;

    begin();
    add_text(&docs, "short", "of the words");
    m = add_prose_of(&docs, "long", 40);
    m->kind = RAW_JSONL;
    m->metadata = "{\"curate\": {\"a\": \"}\"}, \"k\": [1, {\"b\": \"\\\"}\"}]}";
    add_text(&docs, "copy", arena_strndup(&docs.arena, m->text.p, m->text.n));
    assert_ok(run_documents(&docs, (struct how){
        .steps = "[{filter: {profile: gopher@dolma}}, {dedup: {method: exact}}, {shuffle: {seed: 1}}]",
        .scores = true, .keep_dropped = true }, &result));
    assert_string_equal(kept_ids(&result), "long");
    assert_ptr_equal(strstr(result.kept[0].metadata.p, "{\"k\": [1, {\"b\": \"\\\"}\"}],\"curate\":{\"filter gopher@dolma\":{"),
                     result.kept[0].metadata.p);
    assert_int_equal(count_part(&result, "dropped"), 2);
    assert_ok(document_reader_open(path_join(&result.arena, result.folder, "dropped"), &reader));
    for (int i = 0; i < 2; i++) {
        const char *metadata;

        assert_ok(document_reader_next(reader, &d, &got));
        assert_true(got);
        metadata = arena_strndup(&docs.arena, d.metadata.p, d.metadata.n);
        if (span_eq(d.id, "copy"))
            assert_non_null(strstr(metadata, "\"dropped\":{\"step\":\"dedup exact\",\"reason\":\"exact_duplicate\","
                                             "\"value\":1,\"threshold\":1}}}"));
        else
            assert_non_null(strstr(metadata, "\"dropped\":{\"step\":\"filter gopher@dolma\",\"reason\":"));
    }
    document_reader_close(reader);
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
        cmocka_unit_test(groups_are_of_no_meaning_to_what_is_kept),
        cmocka_unit_test(ids_are_unique_over_groups),
        cmocka_unit_test(shuffled_order_knows_no_ranges),
        cmocka_unit_test(parts_and_samples_go_by_the_id_alone),
        cmocka_unit_test(scores_and_reasons_stand_in_the_metadata),
        cmocka_unit_test(no_temporary_files_stay),
    };

    file_defer_care(true);           /* thousands of groups are synced nowhere */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
