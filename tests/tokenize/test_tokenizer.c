/* tokenizer.json: what is read, what is refused and by which words, and that what is written is read alike. */
#include "test.h"

#include "base/file.h"
#include "base/json.h"
#include "store/formats/byte_level.h"
#include "tokenize/files/tokenizer_write.h"
#include "tokenize/making.h"
#include "tokenize/pretok/regex_dialect.h"

/* ---- a small file with one part replaced ---- */

struct parts {
    const char *added, *normalizer, *pretok, *decoder, *model_members, *more_vocab, *merges;
};
static const char byte_level[] = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}";

static const char *or_else(const char *s, const char *other)
{
    return s ? s : other;
}

static void print_file(struct buf *out, const struct parts *p)
{
    buf_printf(out, "{\"added_tokens\":[%s],\"normalizer\":%s,\"pre_tokenizer\":%s,\"decoder\":%s,\"model\":{%s\"vocab\":{",
               or_else(p->added, ""), or_else(p->normalizer, "null"), or_else(p->pretok, byte_level),
               or_else(p->decoder, "{\"type\":\"ByteLevel\"}"), or_else(p->model_members, ""));
    for (int b = 0; b < 256; b++) {
        char byte = (char)b;
        struct buf text = { 0 };

        byte_level_print(&text, (struct span){ &byte, 1 });
        json_quote(out, text.p, text.n);
        buf_printf(out, ":%d,", b);
        buf_release(&text);
    }
    buf_printf(out, "\"ab\":256,\"abc\":257%s},\"merges\":%s}}", or_else(p->more_vocab, ""),
               or_else(p->merges, "[\"a b\",[\"ab\",\"c\"]]"));
}

static enum status parse(const struct parts *p, struct tokenizer **out)
{
    struct buf text = { 0 };
    enum status st;

    print_file(&text, p);
    st = tokenizer_parse("'small.json'", text.p, text.n, out);
    buf_release(&text);
    return st;
}

static void assert_refused(const struct parts *p, enum status want, const char *words)
{
    struct tokenizer *t;
    enum status st = parse(p, &t);

    if (st != want || strstr(fail_message(), words) == NULL || strstr(fail_message(), "small.json") == NULL)
        fail_msg("%s '%s'; want %s '%s'", status_name(st), st ? fail_message() : "", status_name(want), words);
}

/* Ids of a text, between spaces. */
static void assert_encodes(const struct parts *p, const char *text, const char *want)
{
    struct making m = { 0 };
    struct buf seen = { 0 };

    assert_ok(parse(p, &m.tokenizer));
    m.encoder = encoder_new(m.tokenizer);
    making_encode(&m, span_of(text), true);
    buf_adds(&seen, "");
    for (size_t i = 0; i < m.ids.count; i++)
        buf_printf(&seen, i ? " %u" : "%u", m.ids.v[i]);
    assert_string_equal(seen.p, want);
    buf_release(&seen);
    making_close(&m);
}

/* ---- reading ---- */

static void both_forms_of_merges_are_one(void **state)
{
    assert_encodes(&(struct parts){ 0 }, "abcab", "257 256");
    assert_encodes(&(struct parts){ .merges = "[[\"a\",\"b\"],\"ab c\"]" }, "abcab", "257 256");
    assert_refused(&(struct parts){ .merges = "[\"a b c\"]" }, ST_FORMAT, "merges[0] is neither");
    assert_refused(&(struct parts){ .merges = "[[\"a\"]]" }, ST_FORMAT, "merges[0] is neither");
    assert_refused(&(struct parts){ .merges = "[[\"a\",1]]" }, ST_FORMAT, "merges[0] is neither");
    assert_refused(&(struct parts){ .merges = "[\"a b\",\"b c\"]" }, ST_FORMAT, "merges[1] ('b' and 'c')");
}

static void a_merge_said_twice_has_the_later_rank(void **state)
{
    const char *vocab = ",\"bc\":258";

    assert_encodes(&(struct parts){ .more_vocab = vocab, .merges = "[\"a b\",\"b c\"]" }, "abc", "256 99");
    assert_encodes(&(struct parts){ .more_vocab = vocab, .merges = "[\"a b\",\"b c\",\"a b\"]" }, "abc", "97 258");
}

static void whole_pieces_are_merged_only_as_the_merges_say(void **state)
{
    struct parts p = { .merges = "[\"a b\"]" };

    assert_encodes(&p, "abc", "256 99");
    p.model_members = "\"ignore_merges\":true,";
    assert_encodes(&p, "abc", "257");
    assert_encodes(&p, "abcd", "256 99 100");
}

static void tokens_that_are_no_byte_text_stand_for_themselves(void **state)
{
    struct tokenizer *t;
    struct buf out = { 0 };
    uint32_t ids[] = { 258, 97, 259 };

    assert_ok(parse(&(struct parts){ .more_vocab = ",\"\xE2\x96\x81x\":258,\"\xC4\xA0\xC3\xA9\":259" }, &t));
    assert_ok(tokenizer_decode(t, ids, 3, false, &out));
    assert_string_equal(out.p, "\xE2\x96\x81xa \xE9");
    tokenizer_close(t);
    buf_release(&out);
}

static void ids_may_have_gaps_and_no_two_tokens(void **state)
{
    struct tokenizer *t;
    struct buf out = { 0 };
    uint32_t gap = 299;

    assert_ok(parse(&(struct parts){ .more_vocab = ",\"x y\":300" }, &t));
    assert_int_equal(tokenizer_vocab(t), 301);
    assert_int_equal(tokenizer_bytes(t, 299).n, 0);
    assert_int_equal(tokenizer_bytes(t, 1000000).n, 0);
    assert_int_equal(tokenizer_decode(t, &gap, 1, false, &out), ST_LIMIT);
    assert_non_null(strstr(fail_message(), "id 299 at place 0"));
    tokenizer_close(t);
    buf_release(&out);
    assert_refused(&(struct parts){ .more_vocab = ",\"x\xC4\xA0y\":7" }, ST_FORMAT, "two tokens have id 7");
    assert_refused(&(struct parts){ .more_vocab = ",\"xy\":-1" }, ST_FORMAT, "has id -1");
    assert_refused(&(struct parts){ .more_vocab = ",\"xy\":100000000" }, ST_FORMAT, "has id 100000000");
    assert_refused(&(struct parts){ .more_vocab = ",\"xy\":1.5" }, ST_FORMAT, "not a whole number");
}

static void special_tokens_are_found_and_skipped(void **state)
{
    struct parts p = { .added = "{\"id\":258,\"content\":\"</s>\",\"special\":true},"
                                "{\"id\":259,\"content\":\"<t>\",\"special\":false,\"normalized\":false}" };
    struct tokenizer *t;
    struct buf out = { 0 };
    uint32_t ids[] = { 97, 258, 259, 98 };

    assert_ok(parse(&p, &t));
    assert_int_equal(tokenizer_special(t, "</s>"), 258);
    assert_int_equal(tokenizer_special(t, "<t>"), 259);
    assert_int_equal(tokenizer_special(t, "ab"), -1);
    assert_int_equal(tokenizer_end_of_text(t), 258);
    assert_true(tokenizer_is_special(t, 258));
    assert_false(tokenizer_is_special(t, 259));
    assert_ok(tokenizer_decode(t, ids, 4, true, &out));
    assert_string_equal(out.p, "a<t>b");
    buf_release(&out);
    tokenizer_close(t);
    assert_encodes(&p, "a</s><t>", "97 258 259");
}

static void an_added_token_keeps_the_vocabulary_s_id(void **state)
{
    struct parts p = { .added = "{\"id\":256,\"content\":\"ab\",\"special\":true}" };

    assert_encodes(&p, "aab", "97 256");
    p.added = "{\"id\":9,\"content\":\"ab\",\"special\":true}";
    assert_refused(&p, ST_FORMAT, "added token 'ab' has id 9, but the vocabulary gives it 256");
    p.added = "{\"id\":9,\"content\":\"new\",\"special\":true}";
    assert_refused(&p, ST_FORMAT, "added token 'new' has id 9, which another token has");
    p.added = "{\"id\":300}";
    assert_refused(&p, ST_FORMAT, "added_tokens[0]");
    p.added = "{\"id\":300,\"content\":\"\"}";
    assert_refused(&p, ST_FORMAT, "added_tokens[0] has 0 bytes");
}

static void the_longest_added_token_wins(void **state)
{
    struct parts p = { .added = "{\"id\":300,\"content\":\"<a\",\"special\":true},{\"id\":301,\"content\":\"<a>\",\"special\":true},"
                                "{\"id\":302,\"content\":\"<a>>x\",\"special\":true}" };

    assert_encodes(&p, "<a><a>><ab<a>>x", "301 301 62 300 98 302");
}

static void nfc_is_done_in_linear_time(void **state)
{
    struct making m = { 0 };
    struct buf text = { 0 };

    assert_ok(parse(&(struct parts){ .normalizer = "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"}]}" }, &m.tokenizer));
    m.encoder = encoder_new(m.tokenizer);
    buf_adds(&text, "e");
    for (int i = 0; i < 200000; i++)
        buf_adds(&text, "\xCC\x81\xCC\x96");        /* classes 230 and 220: sorting moves all of the second before the first */
    making_encode(&m, (struct span){ text.p, text.n }, false);
    /* e + all U+0316, then U+0301: the first of these joins the e over the marks of a lower class */
    assert_int_equal(m.ids.count, 2 + 400000 + 399998);
    assert_int_equal(m.ids.v[0], 0xC3);
    assert_int_equal(m.ids.v[1], 0xA9);
    assert_int_equal(m.ids.v[3], 0x96);
    assert_int_equal(m.ids.v[2 + 400000 + 1], 0x81);
    buf_release(&text);
    making_close(&m);
}

/* ---- refusing ---- */

static void what_cannot_be_encoded_is_refused_by_name(void **state)
{
    static const struct {
        struct parts p;
        const char *words;
    } cases[] = {
        { { .normalizer = "{\"type\":\"Precompiled\"}" }, "the normalizer Precompiled" },
        { { .normalizer = "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"NFX\"}]}" }, "normalizer NFX" },
        { { .normalizer = "{\"prepend\":\"x\"}" }, "the normalizer (without a type)" },
        { { .pretok = "{\"type\":\"Other\"}" }, "the pre_tokenizer Other" },
        { { .pretok = "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}" }, "prepend_scheme last" },
        { { .pretok = "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Merged\"}" }, "with behavior Merged" },
        { { .pretok = "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\\\\R\"},\"behavior\":\"Isolated\"}" }, "the pattern has \\R" },
        { { .decoder = "{\"type\":\"CTC\"}" }, "the decoder CTC" },
        { { .decoder = "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteLevel\"},{\"type\":\"ByteFallback\"}]}" }, "a step behind Fuse" },
        { { .model_members = "\"type\":\"WordPiece\"," }, "the model WordPiece" },
        { { .model_members = "\"dropout\":0.1," }, "dropout" },
        { { .model_members = "\"continuing_subword_prefix\":\"##\"," }, "continuing_subword_prefix" },
        { { .model_members = "\"end_of_word_suffix\":\"</w>\"," }, "end_of_word_suffix" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(&cases[i].p, ST_UNSUPPORTED, cases[i].words);
    assert_refused(&(struct parts){ .pretok = "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"}" },
                   ST_FORMAT, "'(' without ')'");
}

/* A flag or a list of another type would pass for one that is absent. */
static void members_of_another_type_are_refused(void **state)
{
    struct tokenizer *t;
    static const char list[] = "{\"added_tokens\":{\"a\":1},\"model\":{\"vocab\":{\"a\":0},\"merges\":[]}}",
                      single[] = "{\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":\"<s> $A\"},"
                                 "\"model\":{\"vocab\":{\"a\":0},\"merges\":[]}}";

    assert_refused(&(struct parts){ .added = "{\"id\":300,\"content\":\"<x>\",\"lstrip\":\"yes\"}" }, ST_FORMAT,
                   "\"lstrip\" of <x> is neither true nor false");
    assert_refused(&(struct parts){ .model_members = "\"ignore_merges\":1," }, ST_FORMAT, "\"ignore_merges\" of ");
    assert_refused(&(struct parts){ .pretok = "{\"type\":\"ByteLevel\",\"use_regex\":\"\"}" }, ST_FORMAT, "\"use_regex\" of ByteLevel");
    assert_int_equal(tokenizer_parse("list.json", list, sizeof list - 1, &t), ST_FORMAT);
    assert_non_null(strstr(fail_message(), "\"added_tokens\" is no list"));
    assert_int_equal(tokenizer_parse("single.json", single, sizeof single - 1, &t), ST_FORMAT);
    assert_non_null(strstr(fail_message(), "\"single\" is no list"));
}

static void other_json_is_no_tokenizer(void **state)
{
    static const char *const texts[] = { "", "{}", "[]", "7", "{\"model\":[]}", "{\"model\":{\"vocab\":{},\"merges\":[]}}",
                                         "{\"model\":{\"vocab\":7,\"merges\":[]}}", "{\"model\":{}}", "{\"model\"" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct tokenizer *t = (struct tokenizer *)&t;
        enum status st = tokenizer_parse("'x.json'", texts[i], strlen(texts[i]), &t);

        assert_true(st == ST_FORMAT || st == ST_UNSUPPORTED);
        assert_null(t);
        assert_non_null(strstr(fail_message(), "x.json"));
    }
}

/* What the vocabulary cannot say is left out, as the peer has it, but bytes that are no text at all are never lost silently. */
static void what_a_vocabulary_lacks(void **state)
{
    static const char text[] = "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"decoder\":{\"type\":\"ByteLevel\"},"
                               "\"model\":{\"vocab\":{\"a\":0},\"merges\":[]}}";
    struct making m = { 0 };

    assert_ok(tokenizer_parse("x", text, sizeof text - 1, &m.tokenizer));
    m.encoder = encoder_new(m.tokenizer);
    making_encode(&m, span_of("abca"), false);
    assert_int_equal(m.ids.count, 2);
    assert_int_equal(encoder_encode(m.encoder, span_of("ab\xFF"), false, &m.ids), ST_UNSUPPORTED);
    assert_non_null(strstr(fail_message(), "not UTF-8 at byte 2 (0xff)"));
    making_close(&m);
}

static void a_path_may_be_the_folder_or_nothing(void **state)
{
    struct tokenizer *t;
    char folder[] = "/tmp/tundish-tokenizer-XXXXXX", path[100];
    struct buf text = { 0 };

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    assert_int_equal(tokenizer_open(folder, &t), ST_MISSING);
    print_file(&text, &(struct parts){ 0 });
    assert_ok(file_write_atomic(path, text.p, text.n));
    assert_ok(tokenizer_open(folder, &t));
    assert_int_equal(tokenizer_vocab(t), 258);
    tokenizer_close(t);
    assert_ok(tokenizer_open(path, &t));
    tokenizer_close(t);
    assert_ok(file_remove_tree(folder));
    buf_release(&text);
}

/* ---- writing ---- */

/* Tokens that JSON must escape or that the alphabet moves, in both kinds of pre_tokenizer. */
static void what_is_written_is_read_alike(void **state)
{
    static const char *const specials[] = { "<|endoftext|>", "\"q\\\"", "\xE2\x82\xAC" };
    struct bpe_word word[] = { { "\"\"", 2, 9 }, { "\\\\", 2, 8 }, { "\n\n", 2, 7 }, { "\xE2\x82\xAC", 3, 6 } };
    struct bpe_train_args args = { .specials = specials, .special_count = 3, .vocab = 264, .min_frequency = 1,
                                   .memory = UINT64_MAX };
    const char *patterns[] = { pretok_pattern_text("gpt2"), "\"+|[\\\\\\r\\n\\t]+|." };
    struct bpe_word_list list = { word, 4, 0 };
    struct bpe_words source = bpe_words_of(&list);
    struct bpe_trained trained;

    assert_ok(bpe_train(&args, &source, &trained));
    assert_int_equal(trained.vocab, 264);
    for (int i = 0; i < 2; i++) {
        struct buf text = { 0 };
        struct making m = { 0 };

        tokenizer_print(&text, &trained, 3, patterns[i]);
        assert_ok(tokenizer_parse("'written'", text.p, text.n, &m.tokenizer));
        m.encoder = encoder_new(m.tokenizer);
        assert_int_equal(tokenizer_vocab(m.tokenizer), 264);
        assert_string_equal(pretok_cut(m.tokenizer->pretok, 0), patterns[i]);
        for (uint32_t id = 0; id < 264; id++) {
            struct span b = tokenizer_bytes(m.tokenizer, id);

            assert_int_equal(b.n, trained.tokens[id].n);
            assert_memory_equal(b.p, trained.tokens[id].p, b.n);
            assert_int_equal(tokenizer_is_special(m.tokenizer, id), id < 3);
        }
        making_encode(&m, span_of("\"\"\xE2\x82\xAC"), false);
        making_assert_decodes(&m, span_of("\"\"\xE2\x82\xAC"));
        buf_release(&text);
        making_close(&m);
    }
    bpe_trained_release(&trained);
}

static void the_byte_alphabet_is_a_bijection(void **state)
{
    bool seen[400] = { false };

    for (int b = 0; b < 256; b++) {
        uint32_t cp = byte_level_char((uint8_t)b);
        struct buf text = { 0 }, back = { 0 };
        char byte = (char)b;

        assert_in_range(cp, 33, 0x143);
        assert_false(seen[cp]);
        seen[cp] = true;
        byte_level_print(&text, (struct span){ &byte, 1 });
        assert_true(byte_level_scan(&back, (struct span){ text.p, text.n }));
        assert_int_equal(back.n, 1);
        assert_int_equal((uint8_t)back.p[0], b);
        buf_release(&text);
        buf_release(&back);
    }
    assert_int_equal(byte_level_char(' '), 0x120);
    assert_int_equal(byte_level_char('\n'), 0x10A);
    assert_int_equal(byte_level_char(173), 0x143);
    assert_false(byte_level_scan(&(struct buf){ 0 }, span_of(" ")));
}

/* ---- the dialect ---- */

static void assert_dialect(const char *pattern, const char *want)
{
    struct buf out = { 0 };

    assert_ok(regex_to_pcre2("test", span_of(pattern), 0, &out));
    assert_string_equal(out.p, want);
    buf_release(&out);
}

static void assert_no_dialect(const char *pattern, const char *words)
{
    struct buf out = { 0 };

    if (regex_to_pcre2("test", span_of(pattern), 0, &out) == ST_OK || strstr(fail_message(), words) == NULL)
        fail_msg("'%s' gives '%s' and '%s', want '%s'", pattern, out.p ? out.p : "", fail_message(), words);
    buf_release(&out);
}

static void patterns_are_rewritten_where_the_engines_differ(void **state)
{
    assert_dialect("\\s[^\\S\\d]\\D", "\\p{White_Space}[^\\P{White_Space}\\p{Nd}]\\P{Nd}");
    assert_dialect("\\p{Han}\\P{Old_Italic}\\p{^L}\\p{lu}", "\\p{sc:Han}\\P{sc:OldItalic}\\P{L}\\p{Lu}");
    assert_dialect("\\p{Letter}\\p{White_Space}", "\\p{L}\\p{White_Space}");
    assert_dialect("\\h[\\H-][^[:xdigit:]-]", "[0-9A-Fa-f][\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{47}-\\x{60}\\x{67}-\\x{10ffff}\\-]"
                                               "[^0-9A-Fa-f\\-]");
    assert_dialect("\\v\\u4e00\\x41\\x{1F600}", "\\x{b}\\x{4e00}\\x{41}\\x{1f600}");
    assert_dialect("a{2,3}b{x}\\{", "a{2,3}b\\{x}\\{");
    assert_dialect("(?i:'s|'t)|x++(?!y)", "(?i:'s|'t)|x++(?!y)");
}

static void patterns_of_two_meanings_are_refused(void **state)
{
    assert_no_dialect("\\R", "\\R");
    assert_no_dialect("\\b+x", "a repeated");
    assert_no_dialect("[\\b]", "\\b in a class");
    assert_no_dialect("[\\w-x]", "'-' behind a set");
    assert_no_dialect("[a-\\h]", "a set behind '-'");
    assert_no_dialect("(a)\\1", "\\1");
    assert_no_dialect("\\p{N}{1,3}+", "'+' behind '{...}'");
    assert_no_dialect("a{2}?", "'?' behind '{n}'");
    assert_no_dialect("a{,3}", "'{,m}'");
    assert_no_dialect("[a[b]]", "'[' in a class");
    assert_no_dialect("[[:alpha:]]", "'[' in a class");
    assert_no_dialect("[a&&b]", "'&&' in a class");
    assert_no_dialect("[]a]", "']' as the first");
    assert_no_dialect("(*UTF)a", "'(*'");
    assert_no_dialect("(?m)a", "a group of another kind");
    assert_no_dialect("a(?i)b", "a group of another kind");
    assert_no_dialect("(?i:stop)", "letters that fold to one");
    assert_no_dialect("(?i:\xC3\xA9)", "beyond ASCII where case is ignored");
    assert_no_dialect("(?i:[\\p{Lu}])", "a property where case is ignored");
    assert_no_dialect("\\x80", "not a character");
    assert_no_dialect("\\ud800", "not a character");
    assert_no_dialect("a\\", "ends with a backslash");
    assert_no_dialect("(a", "'(' without ')'");
    assert_no_dialect("a)", "')' without '('");
    assert_no_dialect("[a", "has no end");
    assert_no_dialect("", "0 bytes");
    assert_no_dialect("\xFF", "not UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_of_merges_are_one),
        cmocka_unit_test(a_merge_said_twice_has_the_later_rank),
        cmocka_unit_test(whole_pieces_are_merged_only_as_the_merges_say),
        cmocka_unit_test(tokens_that_are_no_byte_text_stand_for_themselves),
        cmocka_unit_test(ids_may_have_gaps_and_no_two_tokens),
        cmocka_unit_test(special_tokens_are_found_and_skipped),
        cmocka_unit_test(an_added_token_keeps_the_vocabulary_s_id),
        cmocka_unit_test(the_longest_added_token_wins),
        cmocka_unit_test(nfc_is_done_in_linear_time),
        cmocka_unit_test(what_cannot_be_encoded_is_refused_by_name),
        cmocka_unit_test(members_of_another_type_are_refused),
        cmocka_unit_test(other_json_is_no_tokenizer),
        cmocka_unit_test(what_a_vocabulary_lacks),
        cmocka_unit_test(a_path_may_be_the_folder_or_nothing),
        cmocka_unit_test(what_is_written_is_read_alike),
        cmocka_unit_test(the_byte_alphabet_is_a_bijection),
        cmocka_unit_test(patterns_are_rewritten_where_the_engines_differ),
        cmocka_unit_test(patterns_of_two_meanings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
