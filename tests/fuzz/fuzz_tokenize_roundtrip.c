/* Any bytes survive encoding and decoding, with every named pattern and with special tokens read or not; a used encoder gives what a
 * fresh one does; text cut at a safe place gives the same tokens. The first byte chooses the pattern. */
#include "tests/fuzz/fuzz_check.h"
#include "tokenize/encode/safe_cut.h"
#include "tokenize/files/tokenizer_write.h"
#include "tokenize/learn/bpe_train.h"
#include "tokenize/tokenizer_part.h"

#define PATTERNS 5

static struct tokenizer *made[PATTERNS];
static struct encoder *used[PATTERNS];

/* A vocabulary of pairs and longer tokens that arise from few letters, so that random text meets them. */
static struct tokenizer *make(const char *pattern)
{
    static const char *const specials[] = { "<|endoftext|>", "<|" };
    struct bpe_word words[] = {
        { "aaaaaaaa", 8, 9 }, { " the", 4, 8 }, { "there", 5, 7 }, { "\n\n\n", 3, 6 }, { "'s", 2, 5 }, { "123", 3, 4 },
        { "\xC3\xA9\xC3\xA9", 4, 3 }, { "\xE6\x9D\xB1\xE4\xBA\xAC", 6, 3 }, { "\xF0\x9F\x99\x82", 4, 3 }, { "    ", 4, 2 },
    };
    struct bpe_train_args args = { .specials = specials, .special_count = 2, .vocab = 300, .min_frequency = 1,
                                   .memory = UINT64_MAX };
    struct bpe_word_list list = { words, sizeof words / sizeof words[0], 0 };
    struct bpe_words source = bpe_words_of(&list);
    struct bpe_trained trained;
    struct tokenizer *t;
    struct buf json = { 0 };

    CHECK(bpe_train(&args, &source, &trained) == ST_OK);
    tokenizer_print(&json, &trained, 2, pattern);
    CHECK(tokenizer_parse("made", json.p, json.n, &t) == ST_OK);
    buf_release(&json);
    bpe_trained_release(&trained);
    return t;
}

static void check_back(const struct tokenizer *t, struct span text, const struct token_list *ids)
{
    struct buf out = { 0 };

    CHECK(tokenizer_decode(t, ids->v, ids->count, false, &out) == ST_OK);
    CHECK(out.n == text.n && (out.n == 0 || memcmp(out.p, text.p, out.n) == 0));
    buf_release(&out);
}

static void check_same(const struct token_list *a, const struct token_list *b)
{
    CHECK(a->count == b->count && (a->count == 0 || memcmp(a->v, b->v, a->count * sizeof *a->v) == 0));
}

static void check_text(int i, struct span text, bool specials)
{
    struct encoder *fresh = encoder_new(made[i]);
    struct token_list a = { 0 }, b = { 0 }, c = { 0 };
    size_t half = text.n / 2;
    size_t cut = specials ? safe_cut(made[i], text, 0, half) : pretok_safe_cut(made[i]->pretok, text, half);

    CHECK(encoder_encode(used[i], text, specials, &a) == ST_OK);
    CHECK(encoder_encode(fresh, text, specials, &b) == ST_OK);
    CHECK(encoder_encode(used[i], (struct span){ text.p, cut }, specials, &c) == ST_OK);
    CHECK(encoder_encode(used[i], (struct span){ text.p + cut, text.n - cut }, specials, &c) == ST_OK);
    check_back(made[i], text, &a);
    check_same(&a, &b);
    check_same(&a, &c);
    encoder_free(fresh);
    token_list_release(&a);
    token_list_release(&b);
    token_list_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    int i = n ? p[0] % PATTERNS : 0;
    struct span text = { n ? (const char *)p + 1 : "", n ? n - 1 : 0 };

    if (made[i] == NULL) {
        made[i] = make(pretok_patterns[i].text);
        used[i] = encoder_new(made[i]);
    }
    check_text(i, text, false);
    check_text(i, text, true);
    return 0;
}
