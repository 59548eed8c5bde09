/* A text in chunks gives the ids and ranges of one call, counting gives their number, and decoding them a few at a time gives the
 * text, for every named pattern, with added tokens of every kind. The first byte chooses the pattern, the second the chunks, the
 * third how often a safe place is looked for and where counting stops. */
#include "tests/fuzz/fuzz_check.h"
#include "tokenize/files/tokenizer_write.h"
#include "tokenize/learn/bpe_train.h"
#include "tokenize/tokenizer_part.h"

#define PATTERNS 16

static struct tokenizer *made[PATTERNS];
static struct encoder *encoders[PATTERNS];

/* Added tokens that look at what is beside them, or have a space or a line feed in them. */
static const char added[] = ",{\"id\":1001,\"content\":\"<t>\",\"lstrip\":true,\"rstrip\":true,\"normalized\":false,\"special\":true},"
                            "{\"id\":1002,\"content\":\"a b\",\"single_word\":true,\"normalized\":true,\"special\":false},"
                            "{\"id\":1003,\"content\":\" a\",\"rstrip\":true,\"normalized\":false,\"special\":false},"
                            "{\"id\":1004,\"content\":\"b\\nc\",\"lstrip\":true,\"normalized\":true,\"special\":false}],";

/* The file of tokenizer_print() with NFC and more added tokens. */
static void extend(struct buf *json, bool nfc)
{
    char *end = strstr(json->p, "],"), *form = strstr(json->p, "\"normalizer\":");
    struct buf out = { 0 };

    CHECK(end != NULL && form != NULL && end < form);
    buf_add(&out, json->p, (size_t)(end - json->p));
    buf_adds(&out, added);
    buf_add(&out, end + 2, (size_t)(form - end - 2));
    if (nfc) {
        char *null = strstr(form, "null");

        CHECK(null != NULL && null - form < 20);
        buf_adds(&out, "\"normalizer\":{\"type\":\"NFC\"}");
        form = null + 4;
    }
    buf_adds(&out, form);
    buf_release(json);
    *json = out;
}

static struct tokenizer *make(const char *pattern, bool nfc)
{
    static const char *const specials[] = { "<|endoftext|>" };
    struct bpe_word words[] = {
        { "\n\n\n\n", 4, 9 }, { "    ", 4, 8 }, { " \n \n", 4, 7 }, { " the", 4, 6 }, { "...\n\n", 5, 4 }, { "\r\n\r\n", 4, 4 },
        { "\xC3\xA9\xC3\xA9", 4, 3 }, { "\xE6\x9D\xB1\xE4\xBA\xAC", 6, 3 }, { "aaaa", 4, 3 }, { "a ", 2, 3 },
    };
    struct bpe_train_args args = { .specials = specials, .special_count = 1, .vocab = 300, .min_frequency = 1,
                                   .memory = UINT64_MAX };
    struct bpe_word_list list = { .v = words, .count = sizeof words / sizeof words[0] };
    struct bpe_words source = bpe_words_of(&list);
    struct bpe_trained trained;
    struct tokenizer *t;
    struct buf json = { 0 };

    CHECK(bpe_train(&args, &source, &trained) == ST_OK);
    tokenizer_print(&json, &trained, 1, pattern);
    extend(&json, nfc);
    CHECK(tokenizer_parse("made", json.p, json.n, &t) == ST_OK);
    buf_release(&json);
    bpe_trained_release(&trained);
    return t;
}

struct encoded {
    struct token_list ids;
    struct id_ranges ranges;
};

static void encoded_release(struct encoded *e)
{
    token_list_release(&e->ids);
    id_ranges_release(&e->ranges);
}

static void check_chunks(struct encoder *e, struct span text, const uint8_t *how, bool specials, const struct encoded *want)
{
    struct encoded seen = { 0 };
    struct encode_feed_args args = { .specials = specials, .step = 1 + how[2] % 32, .ranges = &seen.ranges };
    struct encode_feed *f = encode_feed_new(e, &args);
    uint32_t state = how[1];

    while (text.n > 0) {
        size_t n = 1 + (state >> 16) % (1 + how[1] % 24);

        state = state * 1664525u + 1013904223u;
        n = n < text.n ? n : text.n;
        CHECK(encode_feed_add(f, (struct span){ text.p, n }, &seen.ids) == ST_OK);
        text.p += n;
        text.n -= n;
    }
    CHECK(encode_feed_end(f, &seen.ids) == ST_OK);
    CHECK(seen.ids.count == want->ids.count && seen.ranges.count == want->ranges.count);
    CHECK(seen.ids.count == 0 || memcmp(seen.ids.v, want->ids.v, seen.ids.count * sizeof *seen.ids.v) == 0);
    CHECK(seen.ids.count == 0 || memcmp(seen.ranges.v, want->ranges.v, seen.ids.count * sizeof *seen.ranges.v) == 0);
    encode_feed_free(f);
    encoded_release(&seen);
}

static void check_count(struct encoder *e, struct span text, uint64_t until, bool specials, const struct encoded *want)
{
    struct token_count c;

    CHECK(encoder_count(e, text, specials, until, &c) == ST_OK);
    CHECK(c.more == (want->ids.count > until));
    CHECK(c.tokens == (c.more ? until + 1 : want->ids.count));
    CHECK(c.end == (!c.more ? text.n : until > 0 ? want->ranges.v[until - 1].end : 0));
}

static void check_decode(const struct tokenizer *t, const struct encoded *e, const uint8_t *how)
{
    struct decode_feed *d = decode_feed_new(t, &(struct decode_feed_args){ .repair = how[2] & 1 });
    struct buf seen = { 0 }, whole = { 0 }, want = { 0 };

    for (size_t i = 0; i < e->ids.count; i++) {
        CHECK(decode_feed_add(d, e->ids.v + i, 1, &seen) == ST_OK);
        CHECK((how[2] & 1) == 0 || seen.n == 0 || utf8_valid(seen.p, seen.n));
    }
    decode_feed_end(d, &seen);
    CHECK(tokenizer_decode(t, e->ids.v, e->ids.count, false, &whole) == ST_OK);
    if (how[2] & 1)
        utf8_repair(&want, whole.p, whole.n);
    else
        buf_add(&want, whole.p, whole.n);
    CHECK(seen.n == want.n && (want.n == 0 || memcmp(seen.p, want.p, want.n) == 0));
    decode_feed_free(d);
    buf_release(&seen);
    buf_release(&whole);
    buf_release(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    int patterns = 0, i;
    struct span text;

    while (pretok_patterns[patterns].name && patterns < PATTERNS)
        patterns++;
    if (n < 3)
        return 0;
    i = p[0] % patterns;
    if (made[i] == NULL) {
        made[i] = make(pretok_patterns[i].text, i % 2);
        encoders[i] = encoder_new(made[i]);
    }
    text = (struct span){ (const char *)p + 3, n - 3 };
    for (int specials = 0; specials < 2; specials++) {
        struct encoded want = { 0 };

        CHECK(encoder_encode_ranges(encoders[i], text, specials, &want.ids, &want.ranges) == ST_OK);
        check_chunks(encoders[i], text, p, specials, &want);
        check_count(encoders[i], text, p[2], specials, &want);
        check_decode(made[i], &want, p);
        encoded_release(&want);
    }
    return 0;
}
