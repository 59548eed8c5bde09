/* What tokenizers make of texts: figures that were counted by hand, where two tokenizers part, samples of a corpus, scripts held
 * against PCRE2's tables, and that threads change nothing. */
#include "test.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/rng.h"
#include "store/formats/byte_level.h"
#include "store/scratch.h"
#include "tokenize/making.h"
#include "tokenize/measure/measure_json.h"
#include "tokenize/measure/text_script.h"
#include "tokenize/measure/tokenizer_report.h"

/* ---- small tokenizers: ids 0 to 255 are the bytes ---- */

/* more: ',"the":256'; merges: a JSON array. */
static struct tokenizer *small(const char *more, const char *merges)
{
    struct buf out = { 0 };
    struct tokenizer *t;

    buf_adds(&out, "{\"added_tokens\":[{\"id\":300,\"content\":\"<|endoftext|>\",\"special\":true,\"normalized\":false,"
                   "\"single_word\":false,\"lstrip\":false,\"rstrip\":false}],\"normalizer\":null,\"pre_tokenizer\":"
                   "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true},\"decoder\":{\"type\":\"ByteLevel\"},"
                   "\"model\":{\"type\":\"BPE\",\"vocab\":{");
    for (int b = 0; b < 256; b++) {
        char byte = (char)b;
        struct buf text = { 0 };

        byte_level_print(&text, (struct span){ &byte, 1 });
        json_quote(&out, text.p, text.n);
        buf_printf(&out, b < 255 ? ":%d," : ":%d", b);
        buf_release(&text);
    }
    buf_printf(&out, "%s},\"merges\":%s}}", more, merges);
    assert_ok(tokenizer_parse("'small'", out.p, out.n, &t));
    buf_release(&out);
    return t;
}

/* "abc" can never be: "b c" comes before "a b". "zz" is in no text. */
static struct tokenizer *one_way(void)
{
    return small(",\"th\":256,\"the\":257,\"\xC4\xA0the\":258,\"zz\":259,\"bc\":260,\"ab\":261,\"abc\":262",
                 "[\"t h\",\"th e\",\"\xC4\xA0 the\",\"z z\",\"b c\",\"a b\",\"ab c\"]");
}

/* The same entries with "ab" before "bc", and " the" under another id. */
static struct tokenizer *other_way(void)
{
    return small(",\"th\":256,\"the\":257,\"\xC4\xA0the\":270,\"ab\":261,\"abc\":262",
                 "[\"t h\",\"th e\",\"\xC4\xA0 the\",\"a b\",\"ab c\"]");
}

static const char *write_corpus(const char *text)
{
    const char *path = scratch_path("corpus.jsonl");

    assert_ok(file_write_atomic(path, text, strlen(text)));
    return path;
}

struct measuring {
    struct pool *pool;
    struct measure_args args;
    struct tokenizer *tokenizers[2];
};

static struct measuring measuring_begin(const char *corpus, int threads)
{
    struct measuring m = { .pool = pool_new(threads), .tokenizers = { one_way(), other_way() } };

    m.args = (struct measure_args){ .source = { .corpus = corpus }, .count = 2, .samples = 4, .differences = 3,
                                    .tokenizers = { m.tokenizers[0], m.tokenizers[1] } };
    return m;
}

static json_t *measuring_end(struct measuring *m)
{
    static const char *const names[] = { "one", "other" };
    struct tokenizer_report_args args = { .pool = m->pool, .measure = m->args, .names = names };
    json_t *json = NULL;

    assert_ok(tokenizer_report_measure(&args, &json));
    pool_free(m->pool);
    tokenizer_close(m->tokenizers[0]);
    tokenizer_close(m->tokenizers[1]);
    return json;
}

/* The number at a path ("tokenizers.0.tokens"). */
static double number_at(const json_t *json, const char *path)
{
    char name[80];

    for (size_t n; *path; path += n + (path[n] == '.')) {
        n = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        json = json_is_array(json) ? json_array_get(json, strtoul(name, NULL, 10)) : json_object_get(json, name);
    }
    if (!json_is_number(json))
        fail_msg("no number at %s", name);
    return json_number_value(json);
}

#define assert_number(json, path, want)                                                                                     \
    do {                                                                                                                    \
        double seen_ = number_at(json, path);                                                                               \
        if (seen_ < (want) - 1e-9 || seen_ > (want) + 1e-9)                                                                 \
            fail_msg("%s is %.9g, want %.9g", path, seen_, (double)(want));                                                 \
    } while (0)

/* ---- figures ---- */

/* the| the| |a|bc: 5 tokens, 3 pieces of which 2 are one token. c3|a9| |e6|9d|b1|e6|9d|b1: 9 tokens, 2 pieces. */
static const char two_texts[] =
    "{\"id\":\"d1\",\"text\":\"the the abc\",\"source\":\"s1\",\"metadata\":{\"language\":\"en\"}}\n"
    "{\"id\":\"d2\",\"text\":\"\xC3\xA9 \xE6\x9D\xB1\xE6\x9D\xB1\",\"source\":\"s2\"}\n";

static void figures_are_those_counted_by_hand(void **state)
{
    struct measuring m = measuring_begin(write_corpus(two_texts), 2);
    json_t *json = measuring_end(&m);

    assert_number(json, "corpus.texts", 2);
    assert_number(json, "corpus.bytes", 20);
    assert_number(json, "corpus.characters", 15);
    assert_number(json, "corpus.words", 5);
    assert_number(json, "tokenizers.0.tokens", 14);
    assert_number(json, "tokenizers.0.bytes_per_token", 20.0 / 14);
    assert_number(json, "tokenizers.0.characters_per_token", 15.0 / 14);
    assert_number(json, "tokenizers.0.tokens_per_word", 14.0 / 5);
    assert_number(json, "tokenizers.0.pieces", 5);
    assert_number(json, "tokenizers.0.whole_pieces", 2);
    assert_number(json, "tokenizers.0.part_tokens", 8);
    assert_number(json, "tokenizers.0.byte_tokens", 8);
    assert_number(json, "tokenizers.0.entries", 264);
    assert_number(json, "tokenizers.0.special", 1);
    assert_number(json, "tokenizers.0.used", 10);      /* the, _the, _, a, bc; c3 a9 e6 9d b1 */
    assert_number(json, "tokenizers.0.unused.count", 253);
    assert_number(json, "tokenizers.0.lengths.0.entries", 256);
    assert_number(json, "tokenizers.0.lengths.0.tokens", 11);
    assert_number(json, "tokenizers.0.lengths.1.entries", 4);
    assert_number(json, "tokenizers.0.lengths.1.tokens", 1);
    assert_number(json, "tokenizers.0.lengths.3.tokens", 1);
    json_decref(json);
}

static void groups_are_told_apart(void **state)
{
    struct measuring m = measuring_begin(write_corpus(two_texts), 1);
    json_t *json = measuring_end(&m);

    assert_string_equal(json_text(json_array_get(json_object_get(json, "sources"), 0), "name"), "s1");
    assert_number(json, "sources.0.bytes", 11);
    assert_number(json, "sources.0.tokens.0", 5);
    assert_number(json, "sources.0.tokens.1", 4);
    assert_number(json, "sources.1.tokens.0", 9);
    assert_string_equal(json_text(json_array_get(json_object_get(json, "languages"), 0), "name"), "en");
    assert_string_equal(json_text(json_array_get(json_object_get(json, "languages"), 1), "name"), "");
    assert_string_equal(json_text(json_array_get(json_object_get(json, "scripts"), 0), "name"), "Latin");
    assert_string_equal(json_text(json_array_get(json_object_get(json, "scripts"), 1), "name"), "Han");
    json_decref(json);
}

static void entries_that_cannot_be_are_found(void **state)
{
    struct measuring m = measuring_begin(write_corpus(two_texts), 1);
    json_t *json = measuring_end(&m);

    assert_number(json, "tokenizers.0.changed.count", 1);
    assert_number(json, "tokenizers.0.changed.list.0.id", 262);
    assert_number(json, "tokenizers.0.changed.asked", 128 + 7);
    assert_number(json, "tokenizers.1.changed.count", 0);
    json_decref(json);
}

/* ---- two tokenizers ---- */

static void where_two_part_is_told(void **state)
{
    struct measuring m = measuring_begin(write_corpus(two_texts), 1);
    json_t *json, *places;

    m.args.by_ids = true;
    json = measuring_end(&m);
    assert_number(json, "overlap.0.0.shared", 264);
    assert_number(json, "overlap.0.1.shared", 262);
    assert_number(json, "overlap.0.1.same_id", 261);
    assert_number(json, "pairs.0.texts_same_ids", 1);
    assert_number(json, "pairs.0.texts_same_pieces", 1);
    assert_number(json, "pairs.0.bytes_same_pieces", 3 + 4 + 1 + 9);
    assert_number(json, "pairs.0.spans", 2);           /* _the: 258 and 270; abc */
    assert_number(json, "pairs.0.span_tokens.0", 3);
    assert_number(json, "pairs.0.span_tokens.1", 2);
    places = json_object_get(json_array_get(json_object_get(json, "pairs"), 0), "places");
    assert_int_equal(json_array_size(places), 1);
    assert_number(places, "0.byte", 3);
    assert_number(places, "0.sides.0.ids.0", 258);
    assert_number(places, "0.sides.1.ids.0", 270);
    assert_string_equal(json_text(json_array_get(places, 0), "before"), "the");
    assert_string_equal(json_text(json_array_get(places, 0), "text"), " the");
    assert_string_equal(json_text(json_array_get(places, 0), "after"), " abc");
    json_decref(json);
}

static void pieces_part_where_bytes_do(void **state)
{
    struct measuring m = measuring_begin(write_corpus(two_texts), 1);
    json_t *json = measuring_end(&m), *places;

    places = json_object_get(json_array_get(json_object_get(json, "pairs"), 0), "places");
    assert_int_equal(json_array_size(places), 1);
    assert_number(places, "0.byte", 8);
    assert_number(places, "0.sides.0.count", 2);
    assert_number(places, "0.sides.1.ids.0", 262);
    json_decref(json);
}

static void encodings_of_unlike_lengths_part_to_the_end(void **state)
{
    struct tokenizer *t = one_way();
    uint32_t a[] = { 'x', 257 }, b[] = { 'x', 't' };
    struct token_difference d = token_differ(&(struct token_side){ t, a, 2, 0 }, &(struct token_side){ t, b, 2, 0 });

    assert_true(d.ids && d.cuts);
    assert_int_equal(d.spans, 1);
    assert_int_equal(d.first_ids.at, 1);
    assert_int_equal(d.first_ids.bytes, 3);
    assert_int_equal(d.same_bytes, 1);
    d = token_differ(&(struct token_side){ t, a, 2, 0 }, &(struct token_side){ t, a, 0, 0 });
    assert_int_equal(d.tokens[0], 2);
    assert_int_equal(d.tokens[1], 0);
    d = token_differ(&(struct token_side){ t, a, 2, 0 }, &(struct token_side){ t, a, 2, 0 });
    assert_false(d.ids || d.cuts);
    assert_int_equal(d.same_bytes, 4);
    tokenizer_close(t);
}

static void a_space_put_in_front_is_no_difference(void **state)
{
    struct tokenizer *t = one_way();
    uint32_t with[] = { 258, 'x' }, without[] = { 257, 'x' };
    struct token_side a = { t, with, 2, 0 }, b = { t, without, 2, 0 };
    struct token_difference d;

    a.lead = token_side_lead(&a, span_of("thex"));
    b.lead = token_side_lead(&b, span_of("thex"));
    assert_int_equal(a.lead, 1);
    assert_int_equal(b.lead, 0);
    d = token_differ(&a, &b);
    assert_true(d.ids);
    assert_false(d.cuts);
    assert_int_equal(d.same_bytes, 4);
    assert_int_equal(token_side_lead(&a, span_of(" thex")), 0);
    tokenizer_close(t);
}

/* ---- samples, threads ---- */

static struct buf many_texts(bool turned)
{
    struct buf text = { 0 };

    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t n = turned ? 2999 - i : i, words = rng_at(5, 1, n) % 60;

        buf_printf(&text, "{\"id\":\"d%llu\",\"source\":\"s%llu\",\"text\":\"%llu", (unsigned long long)n,
                   (unsigned long long)n % 7, (unsigned long long)n);
        for (uint64_t w = 0; w < words; w++)
            buf_printf(&text, rng_at(6, n, w) % 3 ? " the abc" : " th\xC3\xA9 \xD0\x96");
        buf_adds(&text, "\"}\n");
    }
    return text;
}

static json_t *measure_many(bool turned, int threads, struct measure_source_args source)
{
    struct buf text = many_texts(turned);
    struct measuring m = measuring_begin(write_corpus(text.p), threads);
    json_t *json;

    source.corpus = m.args.source.corpus;
    m.args.source = source;
    json = measuring_end(&m);
    buf_release(&text);
    return json;
}

static void threads_change_nothing(void **state)
{
    json_t *one = measure_many(false, 1, (struct measure_source_args){ .most = 300000, .seed = 3 });

    for (int threads = 2; threads <= 8; threads *= 2) {
        json_t *more = measure_many(false, threads, (struct measure_source_args){ .most = 300000, .seed = 3 });

        assert_true(json_equal(one, more));
        json_decref(more);
    }
    assert_true(number_at(one, "corpus.texts") > 300);
    json_decref(one);
}

static void a_sample_keeps_its_bound_and_knows_no_order(void **state)
{
    struct measure_source_args source = { .most = 100000, .seed = 1 };
    json_t *json = measure_many(false, 2, source), *turned = measure_many(true, 2, source), *other;

    assert_true(number_at(json, "corpus.bytes") <= 100000);
    assert_true(number_at(json, "corpus.bytes") > 98000);
    assert_number(json, "corpus.of_texts", 3000);
    assert_number(turned, "corpus.bytes", number_at(json, "corpus.bytes"));
    assert_number(turned, "corpus.texts", number_at(json, "corpus.texts"));
    assert_number(turned, "tokenizers.0.tokens", number_at(json, "tokenizers.0.tokens"));
    source.seed = 2;
    other = measure_many(false, 2, source);
    assert_true(number_at(other, "tokenizers.0.tokens") != number_at(json, "tokenizers.0.tokens"));
    json_decref(json);
    json_decref(turned);
    json_decref(other);
}

static void a_large_file_is_sampled_in_parts(void **state)
{
    const char *path = scratch_path("large.txt");
    struct measuring m = measuring_begin(path, 2);
    struct buf text = { 0 };
    json_t *json;

    for (int i = 0; i < 200000; i++)
        buf_printf(&text, "line %d\xE6\x9D\xB1%s", i, i % 50 ? " " : "\n");
    assert_ok(file_write_atomic(path, text.p, text.n));
    m.args.source.most = 500000;
    json = measuring_end(&m);
    assert_true(number_at(json, "corpus.bytes") <= 500000);
    assert_true(number_at(json, "corpus.bytes") > 300000);
    assert_number(json, "corpus.of_bytes", (double)text.n);
    buf_release(&text);
    json_decref(json);
}

static void a_corpus_without_text_is_refused(void **state)
{
    struct measuring m = measuring_begin(write_corpus("{\"id\":\"d\",\"text\":\"\"}\n"), 1);
    struct tokenizer_report_args args = { .pool = m.pool, .measure = m.args, .names = (const char *[]){ "a", "b" } };
    json_t *json = NULL;

    assert_int_equal(tokenizer_report_measure(&args, &json), ST_FORMAT);
    assert_non_null(strstr(fail_message(), "holds no text"));
    assert_null(json);
    m.args.source.corpus = write_corpus(two_texts);
    json_decref(measuring_end(&m));
}

/* ---- the page ---- */

static void the_page_takes_any_text_as_text(void **state)
{
    struct measuring m = measuring_begin(
        write_corpus("{\"id\":\"<b>d</b>\",\"text\":\"<script>alert(1)</script> \\u0000 the\",\"source\":\"a|#b<i>\"}\n"), 1);
    json_t *json = measuring_end(&m);
    const char *folder = scratch_path("page");
    struct buf page = { 0 };

    assert_ok(file_make_folders(folder));
    assert_ok(tokenizer_report_write(folder, json));
    assert_ok(file_read(arena_printf(&scratch_arena, "%s/report.html", folder), 1 << 20, &page));
    assert_null(strstr(page.p, "<script"));
    assert_null(strstr(page.p, "<b>d</b>"));
    assert_non_null(strstr(page.p, "&lt;b&gt;d&lt;/b&gt;"));
    assert_non_null(strstr(page.p, "Texts, coloured by token"));
    assert_int_equal(strlen(page.p), page.n);
    buf_release(&page);
    json_decref(json);
}

/* ---- scripts ---- */

static const char *const script_names[][2] = {      /* ours, Unicode's */
    { "Latin", "Latin" }, { "Greek", "Greek" }, { "Cyrillic", "Cyrillic" }, { "Arabic", "Arabic" }, { "Hebrew", "Hebrew" },
    { "Devanagari", "Devanagari" }, { "Bengali", "Bengali" }, { "Tamil", "Tamil" }, { "Thai", "Thai" }, { "Georgian", "Georgian" },
    { "Ethiopic", "Ethiopic" }, { "Myanmar", "Myanmar" }, { "Khmer", "Khmer" }, { "Hangul", "Hangul" }, { "Han", "Han" },
    { "Armenian", "Armenian" }, { "Canadian syllabics", "Canadian_Aboriginal" }, { "Tibetan", "Tibetan" },
};

/* Every letter of each of these scripts is told, and no letter of another script for it. */
static void scripts_are_those_of_unicode(void **state)
{
    for (size_t i = 0; i < sizeof script_names / sizeof *script_names; i++) {
        char pattern[100];
        int error, rc, seen = 0;
        PCRE2_SIZE at;
        pcre2_code *code;
        pcre2_match_data *match;

        snprintf(pattern, sizeof pattern, "(?=\\p{L})(?:(\\p{sc:%s})|.)", script_names[i][1]);
        code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &error, &at, NULL);
        assert_non_null(code);
        pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
        match = pcre2_match_data_create(2, NULL);
        for (uint32_t cp = 0; cp < 0x30000; cp = cp == 0xD7FF ? 0xE000 : cp + 1) {
            char text[4];
            size_t n = utf8_encode(cp, text);
            const char *ours = text_script_of(cp);
            bool is = ours != NULL && strcmp(ours, script_names[i][0]) == 0;

            rc = pcre2_match(code, (PCRE2_SPTR)text, n, 0, PCRE2_NO_UTF_CHECK, match, NULL);
            if (rc < 0)
                continue;
            seen += rc == 2;             /* else a letter of another script */
            if (is != (rc == 2))
                fail_msg("U+%04X is %s, want %s%s", cp, ours ? ours : "nothing", rc == 2 ? "" : "not ", script_names[i][0]);
        }
        assert_true(seen > 30);
        pcre2_match_data_free(match);
        pcre2_code_free(code);
    }
}

static void assert_shape(struct span text, uint64_t characters, uint64_t words, const char *script)
{
    struct text_shape s = text_shape_of(text);

    assert_int_equal(s.characters, characters);
    assert_int_equal(s.words, words);
    assert_string_equal(s.script, script);
}

static void shapes_of_texts(void **state)
{
    assert_shape(span_of(""), 0, 0, "None");
    assert_shape(span_of("  1,2 \n\t3"), 9, 2, "None");
    assert_shape(span_of("two words"), 9, 2, "Latin");
    assert_shape(span_of("a\xC2\xA0" "b\xE3\x80\x80" "c"), 5, 3, "Latin");                   /* no-break, ideographic */
    assert_shape((struct span){ "\xFF\xC3(x", 4 }, 4, 1, "Latin");
    assert_shape(span_of("\xE6\x9D\xB1\xE4\xBA\xAC"), 2, 1, "Han");
    assert_shape(span_of("\xE6\x9D\xB1\xE4\xBA\xAC\xE3\x81\xAE"), 3, 1, "Japanese");
    assert_shape(span_of("\xF0\x9F\x99\x82"), 1, 1, "None");                                  /* a smiling face */
    assert_shape(span_of("\xF0\x90\x8C\xB0"), 1, 1, "Other");                                 /* Gothic */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_counted_by_hand),
        cmocka_unit_test(groups_are_told_apart),
        cmocka_unit_test(entries_that_cannot_be_are_found),
        cmocka_unit_test(where_two_part_is_told),
        cmocka_unit_test(pieces_part_where_bytes_do),
        cmocka_unit_test(encodings_of_unlike_lengths_part_to_the_end),
        cmocka_unit_test(a_space_put_in_front_is_no_difference),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(a_sample_keeps_its_bound_and_knows_no_order),
        cmocka_unit_test(a_large_file_is_sampled_in_parts),
        cmocka_unit_test(a_corpus_without_text_is_refused),
        cmocka_unit_test(the_page_takes_any_text_as_text),
        cmocka_unit_test(scripts_are_those_of_unicode),
        cmocka_unit_test(shapes_of_texts),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
