/* Lines of JSONL, shards of them, and what is refused. */
#include "store/scratch.h"

#include "base/rng.h"
#include "store/documents/documents.h"

static struct arena line_arena;

static enum status parse_as(const struct document_scan *how, const char *p, size_t n, struct document *d)
{
    /* Behind a copy of its own, so that the sanitizer sees a read past the end. */
    char *copy = malloc(n ? n : 1);
    enum status st;

    memcpy(copy, p, n);
    arena_reset(&line_arena);
    st = document_parse(how, (struct span){ copy, n }, &line_arena, d);
    if (st == ST_OK) {
        struct span *all[] = { &d->id, &d->text, &d->source, &d->created, &d->metadata };

        for (size_t i = 0; i < 5; i++)
            all[i]->p = arena_strndup(&line_arena, all[i]->p ? all[i]->p : "", all[i]->n);
    }
    free(copy);
    return st;
}

static enum status parse(const char *line, struct document *d)
{
    return parse_as(&(struct document_scan){ 0 }, line, strlen(line), d);
}

static void assert_span(struct span seen, const char *want, size_t n)
{
    if (seen.n != n || (n > 0 && memcmp(seen.p, want, n) != 0))
        fail_msg("'%.*s', want '%.*s'", (int)seen.n, seen.p, (int)n, want);
}
#define assert_text(seen, want) assert_span(seen, want, sizeof want - 1)

static void all_members_are_read_in_any_order(void **state)
{
    struct document d;

    assert_ok(parse("{\"metadata\" : {\"a\":[1,2.5e-3,{}]} ,\"x\":null,\"created\":\"2024-05-01\", \"text\":\"hello\","
                    "\"source\":\"web\",\"y\":[true,false,[[]]],\"id\":\"1\"} \r", &d));
    assert_text(d.id, "1");
    assert_text(d.text, "hello");
    assert_text(d.source, "web");
    assert_text(d.created, "2024-05-01");
    assert_text(d.metadata, "{\"a\":[1,2.5e-3,{}]}");
    assert_ok(parse("{\"id\":\"\",\"text\":\"\",\"source\":null,\"created\":null,\"metadata\":null}", &d));
    assert_int_equal(d.text.n + d.source.n + d.created.n + d.metadata.n, 0);
}

static void escapes_become_what_they_stand_for(void **state)
{
    struct document d;

    assert_ok(parse("{\"id\":\"\\u0061\",\"text\":\"a\\\"b\\\\c\\/d\\be\\ff\\ng\\rh\\ti\\u00e9j\\uD83D\\uDE00k\\u0000l\"}", &d));
    assert_text(d.id, "a");
    assert_text(d.text, "a\"b\\c/d\be\ff\ng\rh\ti\xC3\xA9j\xF0\x9F\x98\x80k\0l");
    assert_ok(parse("{\"\\u0069d\":\"x\",\"te\\u0078t\":\"y\"}", &d));
    assert_text(d.id, "x");
    assert_text(d.text, "y");
}

static void lone_surrogates_become_replacement_characters(void **state)
{
    struct document d;

#define FFFD "\xEF\xBF\xBD"
    assert_ok(parse("{\"id\":\"\",\"text\":\"\\ud800\"}", &d));
    assert_text(d.text, FFFD);
    assert_ok(parse("{\"id\":\"\",\"text\":\"\\udc00x\\ud800y\"}", &d));
    assert_text(d.text, FFFD "x" FFFD "y");
    assert_ok(parse("{\"id\":\"\",\"text\":\"\\ud800\\u0041\\ud800\\ud800\\udc00\"}", &d));
    assert_text(d.text, FFFD "A" FFFD "\xF0\x90\x80\x80");
}

/* Each place of an escape and an end, so that no step of the scanner's loop is missed. */
static void strings_of_every_length_and_alignment_survive(void **state)
{
    struct buf line = { 0 }, text = { 0 };

    for (size_t n = 0; n < 80; n++)
        for (size_t at = 0; at <= n; at++) {
            struct document d, seen;

            buf_clear(&text);
            buf_clear(&line);
            for (size_t i = 0; i < n; i++)
                buf_adds(&text, i == at ? "\n" : i == at + 7 ? "\xE2\x82\xAC" : "x");
            d = (struct document){ .id = { "i", 1 }, .text = { text.p ? text.p : "", text.n } };
            document_print(&line, &d);
            assert_ok(parse_as(&(struct document_scan){ 0 }, line.p, line.n - 1, &seen));
            assert_span(seen.text, d.text.p, d.text.n);
        }
    buf_release(&line);
    buf_release(&text);
}

static void wrong_json_is_refused_with_its_column(void **state)
{
    static const struct { const char *line, *words; } cases[] = {
        { "", "ends too early" },
        { "  ", "ends too early" },
        { "[]", "column 1: want a JSON object" },
        { "{}", "'text' is missing" },
        { "{\"text\":\"x\"}", "'id' is missing" },
        { "{\"id\":\"x\"}", "'text' is missing" },
        { "{\"id\":\"x\",\"text\":\"y\"", "ends too early" },
        { "{\"id\":\"x\",\"text\":\"y\"}x", "column 22: something stands behind" },
        { "{\"id\":\"x\",\"text\":\"y\",}", "column 22: nothing stands behind" },
        { "{\"id\":\"x\" \"text\":\"y\"}", "column 11: want ',' or '}'" },
        { "{\"id\":\"x\",,\"text\":\"y\"}", "column 11: want a member's name" },
        { "{\"id\" \"x\",\"text\":\"y\"}", "column 7: want ':'" },
        { "{id:\"x\",\"text\":\"y\"}", "column 2: want a member's name" },
        { "{\"id\":\"x\",\"text\":5}", "column 18: the member 'text' wants a string" },
        { "{\"id\":null,\"text\":\"y\"}", "column 7: the member 'id' wants a string" },
        { "{\"id\":3,\"text\":\"y\"}", "the member 'id' wants a string" },
        { "{\"id\":\"x\",\"text\":\"y\",\"source\":[]}", "'source' wants a string" },
        { "{\"id\":\"x\",\"text\":\"y\",\"metadata\":\"z\"}", "'metadata' wants an object" },
        { "{\"id\":\"x\",\"text\":\"y\",\"id\":\"z\"}", "'id' stands twice" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":01}", "want ',' or '}'" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":1.}", "want a digit" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":-}", "want a digit" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":1e+}", "want a digit" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":.5}", "want a JSON value" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":nul}", "want a JSON value" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":[1,]}", "nothing stands behind" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":[1}", "want ',' or ']'" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":{\"b\"}}", "want ':'" },
        { "{\"id\":\"x\",\"text\":\"y\",\"a\":\"\\x\"}", "column 27: an escape that JSON does not have" },
        { "{\"id\":\"x\",\"text\":\"a\\u12g4\"}", "four hex digits" },
        { "{\"id\":\"x\",\"text\":\"a\\u12", "four hex digits" },
        { "{\"id\":\"x\",\"text\":\"a\\", "ends too early" },
        { "{\"id\":\"x\",\"text\":\"a\tb\"}", "column 20: a control character" },
        { "{\"id\":\"x\",\"text\":\"abcdefghijklmnopqrst\tb\"}", "column 39: a control character" },
    };
    struct document d;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(ST_FORMAT, cases[i].words, parse(cases[i].line, &d));
}

static void bytes_that_are_not_utf8_are_refused_in_every_string(void **state)
{
    struct document d;

    assert_fails(ST_FORMAT, "column 20: the bytes here are not UTF-8", parse("{\"id\":\"x\",\"text\":\"a\xFFz\"}", &d));
    assert_fails(ST_FORMAT, "not UTF-8", parse("{\"id\":\"x\",\"text\":\"\xC0\x80\"}", &d));
    assert_fails(ST_FORMAT, "not UTF-8", parse("{\"id\":\"x\",\"text\":\"\\n\xED\xA0\x80\"}", &d));
    assert_fails(ST_FORMAT, "not UTF-8", parse("{\"id\":\"\xE2\x82\",\"text\":\"y\"}", &d));
    assert_fails(ST_FORMAT, "not UTF-8", parse("{\"id\":\"x\",\"text\":\"y\",\"a\xF8\":1}", &d));
    assert_fails(ST_FORMAT, "not UTF-8", parse("{\"id\":\"x\",\"text\":\"y\",\"a\":[\"\xF8\"]}", &d));
    assert_fails(ST_FORMAT, "not UTF-8", parse("{\"id\":\"x\",\"text\":\"y\",\"metadata\":{\"\xF8\":1}}", &d));
    assert_fails(ST_FORMAT, "member's name", parse("{\xC3\xA9\"id\":\"x\",\"text\":\"y\"}", &d));
}

/* The scanner's own check of UTF-8 against base's, on random bytes of the kinds that matter, at all lengths and offsets. */
static void utf8_is_checked_as_the_standard_says(void **state)
{
    static const unsigned char kinds[] = { 'a', 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
                                           0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF };
    int good = 0;

    for (uint64_t i = 0; i < 60000; i++) {
        char line[200] = "{\"id\":\"\",\"text\":\"";
        size_t head = strlen(line), n = rng_at(3, i, 0) % 60, fault = rng_at(3, i, 1) % 4;
        struct document d;
        bool valid;

        for (size_t k = 0; k < n;) {        /* characters of all lengths, and in three of four lines one wild byte */
            static const uint32_t points[] = { 'x', 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF };

            k += utf8_encode(points[rng_at(3, i, k + 2) % 9], line + head + k);
            if (k >= n)
                n = k;
        }
        if (fault && n)
            line[head + rng_at(3, i, 100) % n] = (char)kinds[rng_at(3, i, 101) % sizeof kinds];
        valid = utf8_valid(line + head, n);
        good += valid;
        memcpy(line + head + n, "\"}", 2);
        if ((parse_as(&(struct document_scan){ 0 }, line, head + n + 2, &d) == ST_OK) != valid)
            fail_msg("line %d: %s", (int)i, line);
    }
    assert_in_range(good, 15000, 45000);
}

static void nesting_is_bounded(void **state)
{
    char line[400];
    struct document d;

    for (int depth = 62; depth <= 66; depth++) {
        int n = sprintf(line, "{\"id\":\"x\",\"text\":\"y\",\"a\":");

        memset(line + n, '[', (size_t)depth);
        memset(line + n + depth, ']', (size_t)depth);
        strcpy(line + n + 2 * depth, "}");
        if (depth <= 63)
            assert_ok(parse(line, &d));
        else
            assert_fails(ST_FORMAT, "nested deeper than 64", parse(line, &d));
    }
}

static void lines_from_outside_may_lack_an_id_and_hold_other_types(void **state)
{
    const struct document_scan how = { .text_key = "content", .id_optional = true };
    const char *line = "{\"content\":\"c\",\"text\":7,\"id\":-12.5,\"source\":{\"a\":1},\"metadata\":\"m\",\"created\":3}";
    struct document d;

    assert_ok(parse_as(&how, line, strlen(line), &d));
    assert_text(d.text, "c");
    assert_text(d.id, "-12.5");
    assert_int_equal(d.source.n + d.metadata.n + d.created.n, 0);
    line = "{\"content\":\"c\",\"id\":null}";
    assert_ok(parse_as(&how, line, strlen(line), &d));
    assert_int_equal(d.id.n, 0);
    line = "{\"text\":\"c\"}";
    assert_fails(ST_FORMAT, "'content' is missing", parse_as(&how, line, strlen(line), &d));
    line = "{\"content\":null}";
    assert_fails(ST_FORMAT, "'content' wants a string", parse_as(&how, line, strlen(line), &d));
}

static void printing_repairs_and_stays_on_one_line(void **state)
{
    struct document d = { .id = span_of("a\xFF"), .text = { "x\0\x1F\n", 4 }, .metadata = span_of("{\n \"k\":\n1}") };
    struct buf out = { 0 };

    document_print(&out, &d);
    assert_string_equal(out.p, "{\"id\":\"a" FFFD "\",\"text\":\"x\\u0000\\u001f\\n\",\"metadata\":{  \"k\": 1}}\n");
    buf_release(&out);
}

/* ---- shards ---- */

static const struct document_scan ours = { 0 };

/* Document i: of a length and with letters that follow from i. */
static struct document make_document(uint64_t i, struct buf *text, char id[32])
{
    uint64_t n = rng_at(5, 0, i) % 3000;

    buf_clear(text);
    buf_adds(text, "");
    for (uint64_t k = 0; k < n; k++) {
        uint64_t draw = rng_at(5, i + 1, k) % 40;

        if (draw < 26)
            buf_addc(text, (char)('a' + draw));
        else
            buf_adds(text, draw == 26 ? "\n" : draw == 27 ? "\"" : draw == 28 ? "\xC3\xA4" : " ");
    }
    snprintf(id, 32, "doc-%llu", (unsigned long long)i);
    return (struct document){ .id = span_of(id), .text = { text->p, text->n },
                              .source = i % 3 ? span_of("s") : (struct span){ "", 0 },
                              .metadata = i % 5 ? (struct span){ "", 0 } : span_of("{\"n\":1}") };
}

static void write_corpus(const char *folder, uint64_t documents, uint64_t shard_bytes)
{
    struct document_writer *w;
    struct buf text = { 0 };

    assert_ok(document_writer_open(folder, shard_bytes, &w));
    for (uint64_t i = 0; i < documents; i++) {
        char id[32];
        struct document d = make_document(i, &text, id);

        assert_ok(document_writer_add(w, &d));
    }
    assert_ok(document_writer_close(w));
    buf_release(&text);
}

/* Reads documents 0.. until the end or a failure; each must be the one that was written. */
static enum status read_back(const char *path, uint64_t *count)
{
    struct document_reader *r;
    struct buf text = { 0 };
    enum status st = ST_OK;
    bool got = true;

    *count = 0;
    TRY(document_reader_open(path, &r));
    while (got) {
        struct document d, want;
        char id[32];

        st = document_reader_next(r, &d, &got);
        if (st != ST_OK || !got)
            break;
        want = make_document(*count, &text, id);
        assert_span(d.id, want.id.p, want.id.n);
        assert_span(d.text, want.text.p, want.text.n);
        assert_span(d.source, want.source.p, want.source.n);
        assert_span(d.metadata, want.metadata.p, want.metadata.n);
        ++*count;
    }
    document_reader_close(r);
    buf_release(&text);
    return st;
}

static void what_is_written_is_read_back(void **state)
{
    const char *folder = scratch_folder("corpus");
    struct file_list files;
    uint64_t count;

    write_corpus(folder, 500, 100000);
    assert_ok(file_list_tree(&scratch_arena, folder, &files));
    assert_in_range(files.count, 6, 12);
    assert_string_equal(files.names[1], "part-00001.jsonl.zst");
    assert_ok(read_back(folder, &count));
    assert_int_equal(count, 500);
}

static void the_same_documents_give_the_same_bytes(void **state)
{
    const char *a = scratch_folder("a"), *b = scratch_folder("b");
    struct file_list files;

    write_corpus(a, 3000, 1500000);
    write_corpus(b, 3000, 1500000);
    assert_ok(file_list_tree(&scratch_arena, a, &files));
    assert_int_equal(files.count, 4);
    for (size_t i = 0; i < files.count; i++) {
        struct span x = read_whole(join(a, files.names[i])), y = read_whole(join(b, files.names[i]));

        assert_int_equal(x.n, y.n);
        assert_memory_equal(x.p, y.p, x.n);
    }
}

static void an_empty_corpus_has_one_empty_shard(void **state)
{
    const char *folder = scratch_folder("empty");
    uint64_t count;

    write_corpus(folder, 0, 1000);
    assert_true(file_exists(join(folder, "part-00000.jsonl.zst")));
    assert_ok(read_back(folder, &count));
    assert_int_equal(count, 0);
}

static void plain_files_and_odd_line_ends_are_read(void **state)
{
    const char *path = scratch_path("x.jsonl");
    const char *lines = "\r\n{\"id\":\"1\",\"text\":\"a\"}\r\n\n   \n{\"id\":\"2\",\"text\":\"b\"}";
    struct document_reader *r;
    struct document d;
    bool got;

    put_file(path, lines, strlen(lines));
    assert_ok(document_reader_open(path, &r));
    assert_ok(document_reader_next(r, &d, &got));
    assert_true(got);
    assert_text(d.id, "1");
    assert_ok(document_reader_next(r, &d, &got));
    assert_true(got);
    assert_text(d.text, "b");
    assert_ok(document_reader_next(r, &d, &got));
    assert_false(got);
    assert_int_equal(document_reader_bytes(r), strlen(lines));
    document_reader_close(r);
}

static void a_line_longer_than_any_buffer_is_read(void **state)
{
    const char *folder = scratch_folder("long");
    size_t n = (size_t)9 << 20;
    char *text = malloc(n);
    struct document_writer *w;
    struct document_reader *r;
    struct document d;
    bool got;

    for (size_t i = 0; i < n; i++)
        text[i] = i % 89 == 0 ? '\n' : (char)('a' + rng_at(1, 2, i) % 26);
    assert_ok(document_writer_open(folder, 1, &w));
    for (int i = 0; i < 2; i++)
        assert_ok(document_writer_add(w, &(struct document){ .id = span_of("l"), .text = { text, n } }));
    assert_ok(document_writer_close(w));
    assert_ok(document_reader_open(folder, &r));
    for (int i = 0; i < 2; i++) {
        assert_ok(document_reader_next(r, &d, &got));
        assert_true(got && d.text.n == n && memcmp(d.text.p, text, n) == 0);
    }
    assert_ok(document_reader_next(r, &d, &got));
    assert_false(got);
    document_reader_close(r);
    free(text);
}

static void several_frames_in_a_file_are_one_stream(void **state)
{
    const char *folder = scratch_folder("frames"), *path = scratch_path("joined.jsonl.zst");
    struct buf all = { 0 };
    struct file_list files;
    uint64_t count;

    write_corpus(folder, 200, 50000);
    assert_ok(file_list_tree(&scratch_arena, folder, &files));
    assert_true(files.count > 2);
    buf_add(&all, "\x50\x2A\x4D\x18\x03\0\0\0abc", 11);     /* a skippable frame */
    for (size_t i = 0; i < files.count; i++) {
        struct span s = read_whole(join(folder, files.names[i]));

        buf_add(&all, s.p, s.n);
    }
    put_file(path, all.p, all.n);
    assert_ok(read_back(path, &count));
    assert_int_equal(count, 200);
    buf_release(&all);
}

static void a_damaged_line_is_named_with_file_and_line(void **state)
{
    const char *path = scratch_path("bad.jsonl");
    const char *lines = "{\"id\":\"1\",\"text\":\"a\"}\n\n{\"id\":\"2\",\"text\":7}\n";
    struct document_reader *r;
    struct document d;
    bool got;

    put_file(path, lines, strlen(lines));
    assert_ok(document_reader_open(path, &r));
    assert_ok(document_reader_next(r, &d, &got));
    assert_fails(ST_FORMAT, "bad.jsonl' line 3: column 18", document_reader_next(r, &d, &got));
    document_reader_close(r);
}

static void a_cut_off_shard_is_refused(void **state)
{
    const char *folder = scratch_folder("cut"), *path = join(folder, "part-00000.jsonl.zst");
    struct span whole;
    uint64_t count;

    write_corpus(folder, 100, 1u << 30);
    whole = read_whole(path);
    for (size_t n = 0; n < whole.n; n += n < 40 || n + 40 > whole.n ? 1 : 997) {
        put_file(path, whole.p, n);
        if (read_back(folder, &count) != ST_FORMAT)
            fail_msg("%zu of %zu bytes are read as if they were all", n, whole.n);
    }
    put_file(path, whole.p, whole.n);
    assert_ok(read_back(folder, &count));
    assert_int_equal(count, 100);
}

/* Whatever bit flips, documents are never silently others or fewer. */
static void a_flipped_bit_in_a_shard_is_found(void **state)
{
    const char *folder = scratch_folder("flip"), *path = join(folder, "part-00000.jsonl.zst");
    struct span whole;
    uint64_t count;
    int found = 0, tries = 0;

    write_corpus(folder, 20, 1u << 30);
    whole = read_whole(path);
    for (size_t at = 0; at < whole.n; at += at < 32 || at + 8 > whole.n ? 1 : 53)
        for (int bit = 0; bit < 8; bit++, tries++) {
            flip_bit(path, at, bit);
            if (read_back(folder, &count) != ST_OK)
                found++;
            else if (count != 20)
                fail_msg("bit %d of byte %zu flipped: %d documents are read", bit, at, (int)count);
            flip_bit(path, at, bit);
        }
    assert_true(found > tries * 9 / 10);
}

static void odd_places_are_refused(void **state)
{
    const char *folder = scratch_folder("none"), *path = scratch_path("a.jsonl.zst");
    struct document_reader *r;
    uint64_t count;

    assert_fails(ST_MISSING, "no corpus", document_reader_open(join(folder, "absent"), &r));
    assert_fails(ST_MISSING, "holds no documents", document_reader_open(folder, &r));
    put_file(path, "{}", 2);
    assert_fails(ST_FORMAT, "does not begin as a zstd file", read_back(path, &count));
    put_file(path, "", 0);
    assert_fails(ST_FORMAT, "does not begin as a zstd file", read_back(path, &count));
}

/* The line format of version 1, which must always be read so. */
static void golden_lines_are_read(void **state)
{
    struct span lines = read_whole(golden("lines.jsonl"));
    const char *end = lines.p + lines.n, *p = lines.p;
    struct buf again = { 0 };
    struct document d;
    int count = 0;

    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));

        assert_non_null(newline);
        assert_ok(parse_as(&ours, p, (size_t)(newline - p), &d));
        document_print(&again, &d);
        p = newline + 1;
        if (++count == 2) {
            assert_text(d.id, "notes.zip!a/\xC3\xBC.txt#3");
            assert_text(d.text, "tab\there, quote \" backslash \\ nul \0 del \x7F euro \xE2\x82\xAC grin \xF0\x9F\x98\x80\n");
            assert_text(d.source, "notes.zip");
            assert_text(d.created, "2024-05-01T12:00:00Z");
            assert_text(d.metadata, "{\"lang\":\"en\",\"score\":[0.5,1]}");
        }
    }
    assert_int_equal(count, 3);
    assert_int_equal(again.n, lines.n);
    assert_memory_equal(again.p, lines.p, lines.n);
    buf_release(&again);
}

static int end(void **state)
{
    arena_release(&line_arena);
    return scratch_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_members_are_read_in_any_order),
        cmocka_unit_test(escapes_become_what_they_stand_for),
        cmocka_unit_test(lone_surrogates_become_replacement_characters),
        cmocka_unit_test(strings_of_every_length_and_alignment_survive),
        cmocka_unit_test(wrong_json_is_refused_with_its_column),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused_in_every_string),
        cmocka_unit_test(utf8_is_checked_as_the_standard_says),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(lines_from_outside_may_lack_an_id_and_hold_other_types),
        cmocka_unit_test(printing_repairs_and_stays_on_one_line),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(the_same_documents_give_the_same_bytes),
        cmocka_unit_test(an_empty_corpus_has_one_empty_shard),
        cmocka_unit_test(plain_files_and_odd_line_ends_are_read),
        cmocka_unit_test(a_line_longer_than_any_buffer_is_read),
        cmocka_unit_test(several_frames_in_a_file_are_one_stream),
        cmocka_unit_test(a_damaged_line_is_named_with_file_and_line),
        cmocka_unit_test(a_cut_off_shard_is_refused),
        cmocka_unit_test(a_flipped_bit_in_a_shard_is_found),
        cmocka_unit_test(odd_places_are_refused),
        cmocka_unit_test(golden_lines_are_read),
    };
    return cmocka_run_group_tests(tests, scratch_begin, end);
}
