/* Text in chunks, in windows, counted, with ranges; ids decoded a few at a time: all the same as in one go, whatever the
 * chunks, for every golden tokenizer. */
#include "test.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "tokenize/files/tokenizer_write.h"
#include "tokenize/learn/bpe_train.h"
#include "tokenize/making.h"

static const char *const names[] = { "gpt2", "llama3", "cl100k", "o200k", "chain", "added" };
#define NAMES (sizeof names / sizeof names[0])

/* Parts of which random texts are made, so that added tokens, white space, marks, broken bytes and places to cut meet. */
static const char *const parts[] = {
    "the", " the", "the then", " then", "the", "word", " word", "words", "<tag>", " <tag>", "<|endoftext|>", "<|end", "cafe\xCC\x81",
    "caf\xC3\xA9", " x", "e", "\xCC\x81", "\xCC\xA7\xCC\x81", " ", "  ", "\n", "\n\n", "\r\n", " \n", "\t", "\xC2\xA0", "\xC2\x85", "1", "12345",
    "'s", "'", ".", "...\n", "/", "\xE6\x9D\xB1\xE4\xBA\xAC", "\n\xE6\x9D\xB1", "\xE3\x80\x82\n", "\xF0\x9F\x99\x82", "\xE1\x84\x80\xE1\x85\xA1", "\xFF",
    "\xC3", "\xE6\x9D", "\x80", "\n\xC3\x84", "a b", "Tundish", "\xE1\xA0\x8E", "\xE2\x80\x83", "A\nb", "the\n", "\n\nthe", "\nthe", "  \n", "/\n", "\xE2\x96\x81", "x\xE2\x96\x81",
    "<s>", "<s> ", " <s>", "<tag> ", "<tag>  the",
};

static void make_text(struct rng *r, size_t bytes, struct buf *out)
{
    buf_clear(out);
    buf_adds(out, "");
    while (out->n < bytes)
        buf_adds(out, parts[rng_below(r, sizeof parts / sizeof parts[0])]);
}

static void assert_same_ids(const struct token_list *seen, const struct token_list *want, const struct buf *text)
{
    if (seen->count != want->count || (want->count > 0 && memcmp(seen->v, want->v, want->count * sizeof *want->v) != 0))
        fail_msg("%zu ids instead of %zu, or others, of '%s'", seen->count, want->count, text->p);
}

/* ---- chunks ---- */

/* Hands the text on in random chunks, copied so that the sanitizer sees a read past one. Returns how many ids came before the
 * end. */
static size_t feed_in_chunks(struct encode_feed *f, struct rng *r, struct span text, struct token_list *out)
{
    size_t largest = 1 + rng_below(r, rng_below(r, 2) ? 4 : 400), early;

    out->count = 0;
    while (text.n > 0) {
        size_t n = rng_below(r, largest + 1);
        char *copy;

        n = n < text.n ? n : text.n;
        copy = malloc(n ? n : 1);
        memcpy(copy, text.p, n);
        assert_ok(encode_feed_add(f, (struct span){ copy, n }, out));
        free(copy);
        text.p += n;
        text.n -= n;
    }
    early = out->count;
    assert_ok(encode_feed_end(f, out));
    return early;
}

static void chunks_of(struct making m, bool cuts)
{
    struct rng r = { .seed = 5 };
    struct buf text = { 0 };
    struct token_list ids = { 0 };
    size_t early = 0;

    for (int round = 0; round < 400; round++) {
        struct encode_feed_args args = { .specials = round % 2, .step = 1 + rng_below(&r, 40) };
        struct encode_feed *f = encode_feed_new(m.encoder, &args);

        make_text(&r, rng_below(&r, 300), &text);
        making_encode(&m, (struct span){ text.p, text.n }, args.specials);
        for (int again = 0; again < 2; again++) {
            early += feed_in_chunks(f, &r, (struct span){ text.p, text.n }, &ids);
            assert_same_ids(&ids, &m.ids, &text);
        }
        encode_feed_free(f);
    }
    /* another chain of cuts than DeepSeek's has no places that are known to be safe */
    assert_int_equal(early > 10000, cuts);
    token_list_release(&ids);
    buf_release(&text);
    making_close(&m);
}

/* A named pattern with a vocabulary of long runs and line feeds, so that another cut is another id. */
static struct making make_trained(const char *pattern)
{
    static const char *const specials[] = { "<|endoftext|>" };
    struct bpe_word words[] = { { "\n\n\n\n", 4, 9 }, { "    ", 4, 8 }, { " \n \n", 4, 7 }, { "the", 3, 6 }, { " then", 5, 5 },
                                { "...\n\n", 5, 4 }, { "\t\n", 2, 4 }, { "\r\n\r\n", 4, 4 }, { " x", 2, 3 }, { "/\n/", 3, 3 } };
    struct bpe_train_args args = { .specials = specials, .special_count = 1, .vocab = 300, .min_frequency = 1,
                                   .memory = UINT64_MAX };
    struct bpe_word_list list = { .v = words, .count = sizeof words / sizeof words[0] };
    struct bpe_words all;
    struct bpe_trained trained;
    struct making m = { 0 };
    struct buf json = { 0 };

    all = bpe_words_of(&list);
    assert_ok(bpe_train(&args, &all, &trained));
    tokenizer_print(&json, &trained, 1, pattern);
    assert_ok(tokenizer_parse("made", json.p, json.n, &m.tokenizer));
    m.encoder = encoder_new(m.tokenizer);
    buf_release(&json);
    bpe_trained_release(&trained);
    return m;
}

/* A vocabulary as SentencePiece makes them: bytes, characters, and words with the mark U+2581 for a space. what: the normalizer and
 * the pre-tokenizer, in JSON; added: after <s>. */
static struct making make_marked(const char *what, const char *added)
{
    static const char *const words[][2] = { { "t", "h" }, { "th", "e" }, { "\u2581", "the" }, { "\u2581the", "n" }, { "\u2581", "\u2581" },
        { "\u2581\u2581", "\u2581\u2581" }, { "\u2581", "w" }, { "\u2581w", "o" }, { "r", "d" }, { "\u2581\u2581", "x" }, { "\\n", "\\n" } };
    static const char *const characters[] = { "\u2581", "t", "h", "e", "n", "w", "o", "r", "d", "x", "s", "\\n", "1", "." };
    struct making m = { 0 };
    struct buf json = { 0 }, merges = { 0 };
    int id = 3;

    buf_printf(&json, "{%s,\"added_tokens\":[{\"id\":1,\"content\":\"<s>\",\"special\":true,\"normalized\":false}%s],"
                      "\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"byte_fallback\":true,\"fuse_unk\":true,\"vocab\":"
                      "{\"<unk>\":0,\"<s>\":1,\"<tag>\":2", what, added);
    for (int b = 0; b < 256; b++)
        buf_printf(&json, ",\"<0x%02X>\":%d", b, id++);
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++)
        buf_printf(&json, ",\"%s\":%d", characters[i], id++);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        buf_printf(&json, ",\"%s%s\":%d", words[i][0], words[i][1], id++);
        buf_printf(&merges, "%s[\"%s\",\"%s\"]", i ? "," : "", words[i][0], words[i][1]);
    }
    buf_printf(&json, "},\"merges\":[%s]},\"decoder\":{\"type\":\"ByteFallback\"}}", merges.p);
    if (tokenizer_parse("marked", json.p, json.n, &m.tokenizer) != ST_OK)
        fail_msg("%s", fail_message());
    m.encoder = encoder_new(m.tokenizer);
    buf_release(&json);
    buf_release(&merges);
    return m;
}

#define REPLACE_SPACES "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\u2581\"}"
#define LLAMA2 "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"\u2581\"}," REPLACE_SPACES "]}"
#define GEMMA "\"normalizer\":" REPLACE_SPACES ",\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\" \"}," \
              "\"behavior\":\"MergedWithPrevious\",\"invert\":false}"
#define TAG(flags) ",{\"id\":2,\"content\":\"<tag>\",\"normalized\":false" flags "}"
static const struct {
    const char *what, *added;
    bool cuts;
} marked[] = {
    { LLAMA2, "", true },
    { GEMMA, "", true },
    { LLAMA2, TAG(",\"lstrip\":true"), true },
    { LLAMA2, TAG(",\"rstrip\":true"), true },
    { GEMMA, TAG(",\"rstrip\":true,\"lstrip\":true"), true },
    { LLAMA2, TAG(",\"single_word\":true"), true },
    { LLAMA2, ",{\"id\":2,\"content\":\"<tag>\",\"normalized\":true}", false },       /* not proven */
};

/* The ids and ranges of a text that is short enough not to be cut. */
static void tokenizers_with_marks_are_cut_before_spaces(void **state)
{
    struct rng r = { .seed = 12 };
    struct buf text = { 0 };

    for (size_t i = 0; i < sizeof marked / sizeof marked[0]; i++) {
        struct making m = make_marked(marked[i].what, marked[i].added);

        for (int round = 0; round < 150; round++) {
            struct id_ranges ranges = { 0 }, fed = { 0 };
            struct token_list ids = { 0 }, again = { 0 };
            struct encode_feed_args args = { .specials = round % 2, .step = 1 + rng_below(&r, 40), .ranges = &fed };
            struct encode_feed *f = encode_feed_new(m.encoder, &args);

            make_text(&r, rng_below(&r, 300), &text);
            assert_ok(encoder_encode_ranges(m.encoder, (struct span){ text.p, text.n }, args.specials, &ids, &ranges));
            feed_in_chunks(f, &r, (struct span){ text.p, text.n }, &again);
            assert_same_ids(&again, &ids, &text);
            assert_int_equal(fed.count, ranges.count);
            if (fed.count > 0)
                assert_memory_equal(fed.v, ranges.v, fed.count * sizeof *fed.v);
            encode_feed_free(f);
            token_list_release(&ids);
            token_list_release(&again);
            id_ranges_release(&ranges);
            id_ranges_release(&fed);
        }
        chunks_of(m, marked[i].cuts);
    }
    buf_release(&text);
}

/* A golden vocabulary with DeepSeek's chain of cuts. */
static struct making make_deepseek(void)
{
    struct making m = { 0 };
    struct buf file = { 0 };
    json_t *root, *items = json_array();
    char *text;

    assert_ok(file_read(making_golden("llama3", "json"), 16 << 20, &file));
    assert_ok(json_parse(file.p, file.n, "llama3.json", &root));
    for (size_t i = 0; i < PRETOK_DEEPSEEK_CUTS; i++)
        json_array_append_new(items, json_pack("{s:s,s:{s:s},s:s,s:b}", "type", "Split", "pattern", "Regex", pretok_deepseek[i],
                                               "behavior", "Isolated", "invert", 0));
    json_array_append_new(items, json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1, "use_regex", 0));
    json_object_set_new(root, "pre_tokenizer", json_pack("{s:s,s:o}", "type", "Sequence", "pretokenizers", items));
    text = json_dumps(root, 0);
    assert_ok(tokenizer_parse("deepseek", text, strlen(text), &m.tokenizer));
    m.encoder = encoder_new(m.tokenizer);
    free(text);
    json_decref(root);
    buf_release(&file);
    return m;
}

static void any_chunks_give_the_same_ids(void **state)
{
    chunks_of(make_deepseek(), true);
    for (size_t i = 0; i < NAMES; i++)
        chunks_of(making_open(names[i]), strcmp(names[i], "chain") != 0);
    for (const struct pretok_pattern *p = pretok_patterns; p->name; p++)
        chunks_of(make_trained(p->text), true);
}

/* Memory stays small on a long text with places to cut; without them the limit is told. */
static void what_is_kept_is_bounded(void **state)
{
    struct making m = making_open("llama3");
    struct encode_feed *f = encode_feed_new(m.encoder, &(struct encode_feed_args){ .limit = 4096, .step = 64 });
    struct token_list ids = { 0 };
    struct span words = span_of("the melt pours and "), run = span_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

    for (int i = 0; i < 3000; i++)
        assert_ok(encode_feed_add(f, words, &ids));
    assert_ok(encode_feed_end(f, &ids));
    for (int i = 0; i < 128; i++)
        assert_ok(encode_feed_add(f, run, &ids));
    assert_int_equal(encode_feed_add(f, run, &ids), ST_LIMIT);
    assert_non_null(strstr(fail_message(), "without a place where it may be cut"));
    assert_ok(encode_feed_end(f, &ids));
    encode_feed_free(f);
    token_list_release(&ids);
    making_close(&m);
}

/* ---- windows ---- */

/* More than a window, so that encoder_encode() cuts; the reference is fed in one step that holds all. */
static void windows_give_the_same_ids(void **state)
{
    struct rng r = { .seed = 6 };
    struct buf text = { 0 }, out = { 0 };

    make_text(&r, 300000, &text);
    for (size_t i = 0; i < NAMES; i++) {
        struct making m = making_open(names[i]);
        struct encode_feed_args args = { .step = 777 };
        struct encode_feed *f = encode_feed_new(m.encoder, &args);
        struct token_list ids = { 0 };

        making_encode(&m, (struct span){ text.p, text.n }, false);
        assert_ok(encode_feed_add(f, (struct span){ text.p, text.n }, &ids));
        assert_ok(encode_feed_end(f, &ids));
        assert_same_ids(&ids, &m.ids, &(struct buf){ .p = "300,000 bytes" });
        if (strcmp(names[i], "added") != 0)
            making_assert_decodes(&m, (struct span){ text.p, text.n });
        encode_feed_free(f);
        token_list_release(&ids);
        making_close(&m);
    }
    buf_release(&text);
    buf_release(&out);
}

/* ---- ranges ---- */

/* Ranges are those of the ids' bytes where the text is its own normal form, and cover the text in order. */
static void check_ranges(const struct making *m, const struct id_ranges *ranges, const struct buf *text, bool exact)
{
    uint64_t end = 0, start = 0;

    assert_int_equal(ranges->count, m->ids.count);
    for (size_t i = 0; i < ranges->count; i++) {
        struct id_range r = ranges->v[i];
        struct span bytes = tokenizer_bytes(m->tokenizer, m->ids.v[i]);

        assert_true(r.start < r.end && r.end <= text->n && r.start >= start && r.end >= end);
        if (exact)
            assert_int_equal(r.start, end);
        if (exact) {
            assert_int_equal(r.end - r.start, bytes.n);
            assert_memory_equal(text->p + r.start, bytes.p, bytes.n);
        }
        start = r.start;
        end = r.end;
    }
    if (exact)
        assert_int_equal(end, text->n);
}

static void ranges_are_of_the_bytes(void **state)
{
    struct rng r = { .seed = 7 };
    struct buf text = { 0 };

    for (size_t i = 0; i < NAMES; i++) {
        struct making m = making_open(names[i]);

        for (int round = 0; round < 100; round++) {
            struct id_ranges ranges = { 0 }, fed = { 0 };
            struct token_list ids = { 0 }, again = { 0 };
            struct encode_feed_args args = { .specials = round % 2, .step = 1 + rng_below(&r, 40), .ranges = &fed };
            struct encode_feed *f = encode_feed_new(m.encoder, &args);

            make_text(&r, rng_below(&r, 400), &text);
            making_encode(&m, (struct span){ text.p, text.n }, args.specials);
            assert_ok(encoder_encode_ranges(m.encoder, (struct span){ text.p, text.n }, args.specials, &ids, &ranges));
            assert_same_ids(&ids, &m.ids, &text);
            check_ranges(&m, &ranges, &text, strcmp(names[i], "added") != 0);
            feed_in_chunks(f, &r, (struct span){ text.p, text.n }, &again);
            assert_int_equal(fed.count, ranges.count);
            if (fed.count > 0)
                assert_memory_equal(fed.v, ranges.v, fed.count * sizeof *fed.v);
            encode_feed_free(f);
            token_list_release(&ids);
            token_list_release(&again);
            id_ranges_release(&ranges);
            id_ranges_release(&fed);
        }
        making_close(&m);
    }
    buf_release(&text);
}

static void assert_range(const struct id_ranges *r, size_t i, uint64_t start, uint64_t end)
{
    if (i >= r->count || r->v[i].start != start || r->v[i].end != end)
        fail_msg("range %zu of %zu is not [%u, %u)", i, r->count, (unsigned)start, (unsigned)end);
}

/* White space that a token takes is in its range; what normalization composed is one range. */
static void stripped_and_composed_text_has_its_place(void **state)
{
    struct making m = making_open("added");
    struct id_ranges ranges = { 0 };
    struct token_list ids = { 0 };
    /* a, " <tag>", "the then  ", "e and acute", "." */
    struct span text = span_of("a  <tag>the then  e\xCC\x81.");

    assert_ok(encoder_encode_ranges(m.encoder, text, false, &ids, &ranges));
    assert_range(&ranges, 0, 0, 1);
    assert_range(&ranges, 1, 1, 8);
    assert_range(&ranges, 2, 8, 18);
    assert_range(&ranges, 3, 18, 21);
    assert_range(&ranges, ranges.count - 1, 21, 22);
    token_list_release(&ids);
    id_ranges_release(&ranges);
    making_close(&m);
}

/* ---- counting ---- */

static void counts_are_those_of_encoding(void **state)
{
    struct rng r = { .seed = 8 };
    struct buf text = { 0 };

    for (size_t i = 0; i < NAMES; i++) {
        struct making m = making_open(names[i]);

        for (int round = 0; round < 60; round++) {
            struct id_ranges ranges = { 0 };
            struct token_list ids = { 0 };
            struct token_count c;
            uint64_t until;

            make_text(&r, rng_below(&r, round == 0 ? 200000 : 3000), &text);
            assert_ok(encoder_encode_ranges(m.encoder, (struct span){ text.p, text.n }, true, &ids, &ranges));
            assert_ok(encoder_count(m.encoder, (struct span){ text.p, text.n }, true, TOKEN_COUNT_ALL, &c));
            assert_true(c.tokens == ids.count && !c.more && c.end == text.n);
            until = rng_below(&r, ids.count + 2);
            assert_ok(encoder_count(m.encoder, (struct span){ text.p, text.n }, true, until, &c));
            assert_int_equal(c.more, ids.count > until);
            assert_int_equal(c.tokens, c.more ? until + 1 : ids.count);
            assert_int_equal(c.end, !c.more ? text.n : until > 0 ? ranges.v[until - 1].end : 0);
            token_list_release(&ids);
            id_ranges_release(&ranges);
        }
        making_close(&m);
    }
    buf_release(&text);
}

/* ---- decoding ---- */

static void decode_in_steps(const struct making *m, struct rng *r, struct decode_feed *d, bool repair, struct buf *out)
{
    buf_clear(out);
    buf_adds(out, "");
    for (size_t i = 0; i < m->ids.count;) {
        size_t n = rng_below(r, 4);

        n = n < m->ids.count - i ? n : m->ids.count - i;
        assert_ok(decode_feed_add(d, m->ids.v + i, n, out));
        assert_true(!repair || utf8_valid(out->p, out->n));
        i += n;
    }
    decode_feed_end(d, out);
}

static void decoding_in_steps_gives_the_same_text(void **state)
{
    struct making m = making_open("o200k");
    struct rng r = { .seed = 10 };
    struct buf text = { 0 }, seen = { 0 }, want = { 0 };

    for (int repair = 0; repair < 2; repair++) {
        struct decode_feed *d = decode_feed_new(m.tokenizer, &(struct decode_feed_args){ .repair = repair });

        for (int round = 0; round < 300; round++) {
            make_text(&r, rng_below(&r, 200), &text);
            making_encode(&m, (struct span){ text.p, text.n }, false);
            buf_clear(&want);
            buf_adds(&want, "");
            if (repair)
                utf8_repair(&want, text.p, text.n);
            else
                buf_add(&want, text.p, text.n);
            decode_in_steps(&m, &r, d, repair, &seen);
            assert_int_equal(seen.n, want.n);
            assert_memory_equal(seen.p, want.p, want.n);
        }
        decode_feed_free(d);
    }
    buf_release(&text);
    buf_release(&seen);
    buf_release(&want);
    making_close(&m);
}

static void half_a_character_is_held_back(void **state)
{
    struct making m = making_open("gpt2");
    struct decode_feed *d = decode_feed_new(m.tokenizer, &(struct decode_feed_args){ 0 });
    struct buf out = { 0 };
    uint32_t bytes[4];
    const char smile[] = "\xF0\x9F\x99\x82";

    for (int i = 0; i < 4; i++)
        bytes[i] = m.tokenizer->byte_id[(unsigned char)smile[i]];
    for (int i = 0; i < 3; i++) {
        assert_ok(decode_feed_add(d, bytes + i, 1, &out));
        assert_int_equal(out.n, 0);
    }
    assert_ok(decode_feed_add(d, bytes + 3, 1, &out));
    assert_string_equal(out.p, smile);
    assert_ok(decode_feed_add(d, bytes, 1, &out));
    assert_ok(decode_feed_add(d, m.tokenizer->byte_id + 'x', 1, &out));
    assert_string_equal(out.p, "\xF0\x9F\x99\x82\xF0x");
    assert_int_equal(decode_feed_add(d, &(uint32_t){ 1u << 30 }, 1, &out), ST_LIMIT);
    decode_feed_free(d);
    buf_release(&out);
    making_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_chunks_give_the_same_ids),
        cmocka_unit_test(tokenizers_with_marks_are_cut_before_spaces),
        cmocka_unit_test(what_is_kept_is_bounded),
        cmocka_unit_test(windows_give_the_same_ids),
        cmocka_unit_test(ranges_are_of_the_bytes),
        cmocka_unit_test(stripped_and_composed_text_has_its_place),
        cmocka_unit_test(counts_are_those_of_encoding),
        cmocka_unit_test(decoding_in_steps_gives_the_same_text),
        cmocka_unit_test(half_a_character_is_held_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
