/* The parts of `tokenize`: how files make groups, which tokens are learnt, what is remembered of a group; and a corpus
 * read in pieces. */
#include "test.h"
#include "store/scratch.h"

#include <zstd.h>

#include "base/file.h"
#include "base/rng.h"
#include "tokenize/making.h"
#include "tokenize/stage/corpus_groups.h"
#include "tokenize/stage/group_record.h"
#include "tokenize/stage/learn_only.h"
#include "tokenize/stage/stage.h"
#include "tokenize/tokenize_cmd.h"

static void write_text(const char *path, const char *text) { put_file(path, text, strlen(text)); }

/* ---- groups ---- */

static void check_groups(const char *sizes, uint64_t least, const char *want)
{
    struct arena a = { 0 };
    struct corpus_file files[26];
    struct corpus_files all = { .v = files };
    struct corpus_groups groups;
    struct buf seen = { 0 };
    uint64_t sum = 0;

    /* one letter a file, its size that of the letter in the alphabet; capitals are compressed */
    for (; sizes[all.count]; all.count++) {
        char c = sizes[all.count];

        files[all.count] = (struct corpus_file){ .path = c < 'a' ? "x.jsonl.zst" : "x.jsonl",
                                                 .bytes = (uint64_t)(c < 'a' ? c - 'A' : c - 'a') };
    }
    corpus_groups_make(&a, &all, least, &groups);
    for (size_t g = 0; g < groups.count; g++) {
        uint64_t bytes = 0;

        buf_adds(&seen, g ? " " : "");
        buf_add(&seen, sizes + groups.v[g].first, groups.v[g].count);
        for (size_t i = 0; i < groups.v[g].count; i++)
            bytes += files[groups.v[g].first + i].bytes;
        assert_int_equal(groups.v[g].bytes, bytes);
        sum += groups.v[g].count;
    }
    assert_string_equal(seen.p, want);
    assert_int_equal(sum, all.count);
    buf_release(&seen);
    arena_release(&a);
}

static void files_make_groups_by_their_sizes(void **state)
{
    (void)state;
    check_groups("j", 4, "j");
    check_groups("bbbb", 2, "bb bb");
    check_groups("bbbbb", 3, "bbb bb");
    check_groups("zbbz", 25, "z bbz");
    check_groups("aaaa", 1, "aaaa");              /* empty files never fill a group */
    check_groups("BBbb", 4, "B B bb");            /* a compressed file counts four times */
    check_groups("bBbb", 5, "bB bb");
}

/* ---- metadata ---- */

static void a_language_is_a_text_under_either_name(void **state)
{
    static const struct {
        const char *metadata, *want;
    } cases[] = { { "", "" },
                  { "{\"language\": \"de\"}", "de" },
                  { "{\"lang\": \"fr\", \"x\": 1}", "fr" },
                  { "{\"lang\": \"fr\", \"language\": \"en\"}", "en" },
                  { "{\"language\": 7, \"lang\": \"it\"}", "it" },
                  { "{\"slang\": \"yes\"}", "" } };
    struct arena a = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(span_eq(metadata_language(&a, span_of(cases[i].metadata)), cases[i].want));
    arena_release(&a);
}

static enum status read_ranges(struct arena *a, const char *metadata, struct byte_ranges *out)
{
    return metadata_ranges(a, &(struct metadata_ranges_args){ span_of(metadata), "learn", 100 }, out);
}

static void ranges_are_pairs_in_order(void **state)
{
    static const char *const bad[] = {
        "{\"learn\": 1}",
        "{\"learn\": {}}",
        "{\"learn\": [1, 2]}",
        "{\"learn\": [[1]]}",
        "{\"learn\": [[1, 2, 3]]}",
        "{\"learn\": [[1.5, 2]]}",
        "{\"learn\": [[2, 2]]}",
        "{\"learn\": [[-1, 2]]}",
        "{\"learn\": [[5, 4]]}",
        "{\"learn\": [[0, 101]]}",
        "{\"learn\": [[0, 9223372036854775807]]}",
        "{\"learn\": [[5, 9], [8, 10]]}",
        "{\"learn\": [[5, 9], [0, 2]]}",
        "{\"learn\": [[5, 9]]",
    };
    struct arena a = { 0 };
    struct byte_ranges r;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_ranges(&a, bad[i], &r), ST_FORMAT);
    assert_ok(read_ranges(&a, "", &r));
    assert_false(r.given);
    assert_ok(read_ranges(&a, "{\"learn\": null}", &r));
    assert_false(r.given);
    assert_ok(read_ranges(&a, "{\"learn\": []}", &r));
    assert_true(r.given && r.count == 0);
    assert_ok(read_ranges(&a, "{\"learn\": [[0, 3], [3, 100]]}", &r));
    assert_true(r.given && r.count == 2 && r.v[1].begin == 3 && r.v[1].end == 100);
    arena_release(&a);
}

/* ---- what is learnt ---- */

struct learning {
    struct arena arena;
    const char *text;
    bool given;
    struct byte_ranges learnt;
    size_t tokens, unlearnt;         /* that were seen */
};

/* Token by token, without the order that the code relies on. */
static bool is_learnt(const struct learning *l, const struct encoded_document *d, size_t token)
{
    const struct byte_range *r = l->learnt.v;

    if (token == d->count - 1)
        return l->learnt.count > 0 && r[l->learnt.count - 1].end == d->text_bytes;
    for (size_t i = 0; i < l->learnt.count; i++)
        if (d->ranges[token].start < r[i].end && d->ranges[token].end > r[i].begin)
            return true;
    return false;
}

static enum status take(void *ctx, const struct encoded_document *d)
{
    struct learning *l = ctx;
    struct token_span *spans;
    bool *learnt = mem_array(d->count, sizeof *learnt);
    size_t count;
    uint64_t end = 0;

    memset(learnt, 1, d->count);
    learn_only_spans(&l->arena, d, &l->learnt, &spans, &count);
    for (size_t i = 0; i < count; i++) {
        assert_true(spans[i].count > 0);
        assert_true(i == 0 || spans[i].first > end);
        end = spans[i].first + spans[i].count;
        assert_true(end <= d->count);
        memset(learnt + spans[i].first, 0, spans[i].count);
        l->unlearnt += spans[i].count;
    }
    for (size_t i = 0; i < d->count; i++)
        assert_int_equal(learnt[i], is_learnt(l, d, i));
    l->tokens += d->count;
    free(learnt);
    return ST_OK;
}

static enum status next(void *ctx, struct stream_text *s, bool *got)
{
    struct learning *l = ctx;

    *s = (struct stream_text){ .d = { .text = span_of(l->text) } };
    *got = !l->given;
    l->given = true;
    return ST_OK;
}

static void check_learnt(struct learning *l, const struct tokenizer *t, const struct byte_ranges *ranges)
{
    struct pool *pool = pool_new(1);
    struct encode_stream s = { .tokenizer = t, .end = tokenizer_end_of_text(t), .ranges = true,
                               .next = next, .take = take, .ctx = l };

    l->given = false;
    l->learnt = *ranges;
    l->tokens = l->unlearnt = 0;
    assert_ok(encode_stream(pool, &s));
    arena_reset(&l->arena);
    pool_free(pool);
}

/* Ascending ranges of random lengths and gaps, some of them without a gap. */
static void draw(struct rng *r, uint64_t text_bytes, struct byte_range *out, struct byte_ranges *ranges)
{
    uint64_t at = rng_below(r, 9);

    *ranges = (struct byte_ranges){ .given = true, .v = out };
    while (at < text_bytes && ranges->count < 20) {
        uint64_t end = at + 1 + rng_below(r, 12);

        end = end < text_bytes ? end : text_bytes;
        out[ranges->count++] = (struct byte_range){ at, end };
        at = end + rng_below(r, 3) * rng_below(r, 8);
    }
}

static void tokens_that_touch_a_range_are_learnt(void **state)
{
    struct making m = making_open("gpt2");
    struct learning l = { .text = "The melt pours, 1550 \xC2\xB0" "C, \xE6\x9D\xB1\xE4\xBA\xAC into the tundish." };
    size_t n = strlen(l.text), all;
    struct byte_range whole = { 0, n }, but_one = { 0, n - 1 }, v[20];
    struct byte_ranges ranges = { .given = true };
    struct rng r = { .seed = 9 };

    (void)state;
    check_learnt(&l, m.tokenizer, &ranges);
    all = l.tokens;
    assert_int_equal(l.unlearnt, all);
    ranges = (struct byte_ranges){ true, &whole, 1 };
    check_learnt(&l, m.tokenizer, &ranges);
    assert_int_equal(l.unlearnt, 0);
    ranges.v = &but_one;
    check_learnt(&l, m.tokenizer, &ranges);
    assert_true(l.unlearnt == 1 || l.unlearnt == 2);    /* the end of text, and a last token of one byte */
    for (int i = 0; i < 300; i++) {
        draw(&r, n, v, &ranges);
        check_learnt(&l, m.tokenizer, &ranges);
    }
    l.text = "";
    ranges = (struct byte_ranges){ .given = true };
    check_learnt(&l, m.tokenizer, &ranges);
    assert_int_equal(l.unlearnt, 1);
    ranges.given = false;
    learn_only_spans(&l.arena, &(struct encoded_document){ .count = 1 }, &ranges, &(struct token_span *){ NULL }, &all);
    assert_int_equal(all, 0);
    arena_release(&l.arena);
    making_close(&m);
}

/* ---- records ---- */

static void a_record_comes_back_and_others_are_refused(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{\"version\": 2, \"done\": true, \"shards\": []}",
        "{\"version\": 1, \"shards\": []}",
        "{\"version\": 1, \"done\": true, \"shards\": {}}",
        "{\"version\": 1, \"done\": true, \"shards\": [{\"bytes\": 1}]}",
        "{\"version\": 1, \"done\": true, \"shards\": [{\"bytes\": 1, \"sha256\": \"x\"}]}",
    };
    const char *path = scratch_path("group.json");
    struct group_record r, back;
    struct shard_entry *e;

    (void)state;
    assert_ok(group_record_read(scratch_path("absent.json"), &r));
    assert_true(!r.done && r.count == 0);
    for (uint64_t i = 0; i < 9; i++) {
        e = group_record_add(&r);
        e->bytes = i << 40;
        sha256_bytes(&i, sizeof i, e->sha256);
        e->parts[TOKENS_TRAIN] = (struct part_counts){ i, i * 10, i * 100 };
        e->parts[TOKENS_VALIDATION] = (struct part_counts){ 1, 2, 3 };
    }
    r.done = true;
    assert_ok(group_record_write(path, &r));
    assert_ok(group_record_read(path, &back));
    assert_true(back.done && back.count == r.count);
    assert_memory_equal(back.v, r.v, r.count * sizeof *r.v);
    assert_int_equal(part_counts_documents(back.v[8].parts), 9);
    assert_int_equal(part_counts_tokens(back.v[8].parts), 82);
    group_record_release(&back);
    group_record_release(&r);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum status st;

        write_text(path, bad[i]);
        st = group_record_read(path, &r);
        assert_true(st == ST_FORMAT || st == ST_UNSUPPORTED || st == ST_MISSING || st == ST_CONFIG);
    }
}

/* ---- a corpus in pieces ---- */

static void write_packed(const char *path, const char *text)
{
    size_t n = ZSTD_compressBound(strlen(text));
    char *packed = malloc(n);

    n = ZSTD_compress(packed, n, text, strlen(text), 3);
    put_file(path, packed, n);
    free(packed);
}

static void expect(struct corpus_text *c, const char *id, size_t file, uint64_t line)
{
    struct document_place p;
    struct document d;
    bool got;

    assert_ok(corpus_text_next(c, &d, &got));
    assert_true(got);
    assert_true(span_eq(d.id, id));
    p = corpus_text_place(c);
    assert_int_equal(p.file, file);
    assert_int_equal(p.line, line);
}

static void expect_end(struct corpus_text *c)
{
    struct document d;
    bool got;

    assert_ok(corpus_text_next(c, &d, &got));
    assert_false(got);
}

static void a_corpus_is_read_from_any_file_and_document_on(void **state)
{
    const char *folder = scratch_path("pieces");
    struct arena a = { 0 };
    struct corpus_files files;
    struct corpus_text *c;
    uint64_t passed;

    (void)state;
    assert_ok(file_make_folders(folder));
    write_text(path_join(&a, folder, "a.jsonl"), "{\"id\": \"a1\", \"text\": \"x\"}\n\n{\"id\": \"a2\", \"text\": \"y\"}\n");
    write_packed(path_join(&a, folder, "b.jsonl.zst"), "\n{\"id\": \"b1\", \"text\": \"z\"}");
    write_text(path_join(&a, folder, "c.jsonl"), "{\"id\": \"c1\", \"text\": \"x\"}\n");
    write_text(path_join(&a, folder, "none.md"), "x");
    assert_ok(corpus_files_list(&a, folder, &files));
    assert_int_equal(files.count, 3);
    assert_string_equal(files.v[1].name, "b.jsonl.zst");

    assert_ok(corpus_text_open(folder, &c));
    expect(c, "a1", 0, 1);
    expect(c, "a2", 0, 3);
    expect(c, "b1", 1, 2);
    expect(c, "c1", 2, 1);
    expect_end(c);
    assert_int_equal(corpus_text_file_bytes(c), files.v[0].bytes + files.v[1].bytes + files.v[2].bytes);
    corpus_text_close(c);

    assert_ok(corpus_text_open_files(&files, 1, 2, &c));
    assert_ok(corpus_text_skip(c, 1, &passed));
    assert_int_equal(passed, 1);
    expect(c, "c1", 2, 1);
    expect_end(c);
    corpus_text_close(c);
    for (uint64_t n = 0; n < 6; n++) {
        assert_ok(corpus_text_open_files(&files, 0, 3, &c));
        assert_ok(corpus_text_skip(c, n, &passed));
        assert_int_equal(passed, n < 4 ? n : 4);
        if (n == 2)
            expect(c, "b1", 1, 2);
        corpus_text_close(c);
    }
    arena_release(&a);
}

static void text_files_are_documents(void **state)
{
    const char *folder = scratch_path("texts");
    struct arena a = { 0 };
    struct corpus_files files;
    struct corpus_text *c;
    uint64_t passed;

    (void)state;
    assert_ok(file_make_folders(path_join(&a, folder, "in")));
    write_text(path_join(&a, folder, "a.txt"), "melt");
    write_text(path_join(&a, folder, "in/b.txt"), "cast");
    assert_ok(corpus_files_list(&a, folder, &files));
    assert_true(files.texts && files.count == 2);
    assert_ok(corpus_text_open_files(&files, 0, 2, &c));
    assert_int_equal(corpus_text_total(c), 8);
    expect(c, "a.txt", 0, 0);
    expect(c, "in/b.txt", 1, 0);
    expect_end(c);
    corpus_text_close(c);
    assert_ok(corpus_text_open_files(&files, 0, 2, &c));
    assert_ok(corpus_text_skip(c, 1, &passed));
    expect(c, "in/b.txt", 1, 0);
    assert_int_equal(corpus_text_file_bytes(c), 8);
    corpus_text_close(c);
    assert_ok(corpus_files_list(&a, path_join(&a, folder, "a.txt"), &files));
    assert_string_equal(files.v[0].name, "");
    arena_release(&a);
}

/* ---- the whole ---- */

static void check_document(const struct token_store *s, uint64_t index, const char *language, const char *learnt)
{
    int32_t targets[16] = { 0 };
    struct token_range d;

    assert_ok(token_store_document(s, TOKENS_TRAIN, index, &d));
    assert_true(span_eq(d.language, language));
    assert_int_equal(d.count, strlen(learnt));
    token_store_mask(s, TOKENS_TRAIN, d.first, d.count, targets);
    for (size_t i = 0; i < d.count; i++)
        assert_int_equal(targets[i], learnt[i] == 'y' ? 0 : -1);
}

/* In the vocabulary of the test each byte of these words is a token of its own. */
static void a_store_knows_languages_and_what_is_learnt(void **state)
{
    const char *corpus = scratch_path("learn.jsonl"), *out = scratch_path("store");
    struct tokenize_options o = { .corpus = corpus, .out = out, .learn_only = "learn", .group_bytes = 1 << 20,
                                  .shard_tokens = 1000, .threads = 2 };
    struct token_store *s;

    (void)state;
    o.tokenizer = arena_strdup(&scratch_arena, making_golden("gpt2", "json"));
    write_text(corpus, "{\"id\": \"a\", \"text\": \"zqxj\", \"metadata\": {\"lang\": \"en\", \"learn\": [[1, 2]]}}\n"
                       "{\"id\": \"b\", \"text\": \"zqxj\", \"metadata\": {\"language\": \"de\"}}\n"
                       "{\"id\": \"c\", \"text\": \"zqxj\", \"metadata\": {\"learn\": [[3, 4]]}}\n"
                       "{\"id\": \"d\", \"text\": \"zqxj\", \"metadata\": {\"learn\": []}}\n");
    assert_ok(tokenize_stage(&cmd_tokenize, &o));
    assert_ok(token_store_open(out, &s));
    check_document(s, 0, "en", "nynnn");
    check_document(s, 1, "de", "yyyyy");
    check_document(s, 2, "", "nnnyy");
    check_document(s, 3, "", "nnnnn");
    token_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_make_groups_by_their_sizes),
        cmocka_unit_test(a_language_is_a_text_under_either_name),
        cmocka_unit_test(ranges_are_pairs_in_order),
        cmocka_unit_test(tokens_that_touch_a_range_are_learnt),
        cmocka_unit_test(a_record_comes_back_and_others_are_refused),
        cmocka_unit_test(a_corpus_is_read_from_any_file_and_document_on),
        cmocka_unit_test(text_files_are_documents),
        cmocka_unit_test(a_store_knows_languages_and_what_is_learnt),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
