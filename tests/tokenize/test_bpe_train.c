/* Merging pairs: against a plain reference in Hugging Face's manner, in memory and in pages, and by hand-made cases. Counting has
 * test_bpe_count.c. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "store/formats/byte_level.h"
#include "tokenize/learn/bpe_train.h"

static const char *const end_of_text[] = { "<|endoftext|>" };

/* Words with counts from "low 5 lower 2". */
struct words {
    struct bpe_word v[64];
    struct bpe_word_list list;
};

static struct bpe_words words_of(struct words *w, const char *text)
{
    *w = (struct words){ .list = { .v = w->v } };
    while (*text) {
        size_t n = strcspn(text, " ");

        w->v[w->list.count] = (struct bpe_word){ text, (uint32_t)n, strtoull(text + n, (char **)&text, 10) };
        w->list.count++;
        text += *text == ' ';
    }
    return bpe_words_of(&w->list);
}

static struct bpe_train_args args_of(uint32_t merges)
{
    return (struct bpe_train_args){ .specials = end_of_text, .special_count = 1, .vocab = 257 + merges, .min_frequency = 1,
                                    .memory = UINT64_MAX, .folder = "/tmp" };
}

/* The new tokens, in order, between '|'. */
static void assert_tokens(const struct bpe_trained *t, size_t specials, const char *want)
{
    struct buf seen = { 0 };

    buf_adds(&seen, "|");
    for (size_t id = specials + 256; id < t->vocab; id++) {
        buf_add(&seen, t->tokens[id].p, t->tokens[id].n);
        buf_addc(&seen, '|');
    }
    assert_string_equal(seen.p, want);
    buf_release(&seen);
}

static void assert_trains(const struct bpe_train_args *args, const char *text, const char *want)
{
    struct words w;
    struct bpe_words words = words_of(&w, text);
    struct bpe_trained t;

    assert_ok(bpe_train(args, &words, &t));
    assert_tokens(&t, args->special_count, want);
    bpe_trained_release(&t);
}

/* ---- by hand ---- */

static void the_most_frequent_pair_comes_first(void **state)
{
    struct bpe_train_args args = args_of(4);

    /* Sennrich et al. 2016, algorithm 1 (without their end of word): er 9, lo 7, low 7, then (e,w) 6 before (n,e) 6 */
    assert_trains(&args, "low 5 lowest 2 newer 6 wider 3", "|er|lo|low|ew|");
}

static void ties_go_to_the_smallest_pair_of_ids(void **state)
{
    struct bpe_train_args args = args_of(3);

    /* ids follow the byte-level alphabet: '!' before 'a', and byte 1 (U+0101) behind all that stand for themselves */
    assert_trains(&args, "\x01! 1 ab 1 !z 1", "|!z|ab|\x01!|");
}

static void runs_merge_from_the_left_without_overlap(void **state)
{
    struct bpe_train_args args = args_of(3);

    /* aaaaa: aa aa a; then (aa, aa) and (aa, a) occur once each, and 'a' has the smaller id than 'aa' */
    assert_trains(&args, "aaaaa 1", "|aa|aaa|aaaaa|");
}

static void min_frequency_and_length_bound_the_merges(void **state)
{
    struct bpe_train_args args = args_of(100);

    args.min_frequency = 3;
    assert_trains(&args, "ab 3 cd 2", "|ab|");
    args.min_frequency = 1;
    args.max_token_length = 3;
    assert_trains(&args, "abcd 9", "|ab|cd|");
    args.max_token_length = 4;
    assert_trains(&args, "abcd 9", "|ab|cd|abcd|");
}

static void exhausted_text_gives_a_smaller_vocabulary(void **state)
{
    struct bpe_train_args args = args_of(1000);
    struct words w;
    struct bpe_words words = words_of(&w, "ab 3 b 2");
    struct bpe_trained t;

    assert_ok(bpe_train(&args, &words, &t));
    assert_int_equal(t.vocab, 258);
    assert_int_equal(t.merge_count, 1);
    assert_int_equal(t.text_tokens, 5);
    bpe_trained_release(&t);
}

static void no_merge_spells_a_special_token(void **state)
{
    static const char *const specials[] = { "ab", "\xE4\xBD\xA0" };     /* one that the alphabet spells, one that it does not */
    struct bpe_train_args args = args_of(100);

    args.specials = specials;
    args.special_count = 2;
    assert_trains(&args, "abc 5", "|bc|abc|");
}

static void ids_are_special_tokens_then_bytes_in_their_order(void **state)
{
    struct bpe_train_args args = args_of(0);
    struct words w;
    struct bpe_words words = words_of(&w, "ab 1");
    struct bpe_trained t;
    uint8_t order[256];

    byte_level_order(order);
    assert_int_equal(order[0], '!');
    assert_int_equal(order[255], 173);
    assert_int_equal(order[188], 0);
    assert_ok(bpe_train(&args, &words, &t));
    assert_int_equal(t.vocab, 257);
    assert_true(span_eq(t.tokens[0], "<|endoftext|>"));
    for (int i = 0; i < 256; i++) {
        assert_int_equal(t.tokens[1 + i].n, 1);
        assert_int_equal((uint8_t)t.tokens[1 + i].p[0], order[i]);
    }
    bpe_trained_release(&t);
}

static void raw_ties_go_by_the_values_of_bytes(void **state)
{
    struct bpe_train_args args = args_of(3);

    args.ties = BPE_TIES_RAW;
    assert_trains(&args, "\x01! 1 ab 1 !z 1", "|\x01!|!z|ab|");
}

static void counts_have_64_bits(void **state)
{
    struct bpe_train_args args = args_of(2);

    /* above 2^31, where Hugging Face's pair counts end, above 2^32, and more of them in a sum */
    assert_trains(&args, "ab 4294967296 cd 9000000000 ce 1 cf 9000000000000", "|cf|cd|");
    assert_trains(&args, "ab 3000000000 xab 3000000000 cd 5999999999", "|ab|cd|");
}

static void rare_pieces_are_left_out_if_asked(void **state)
{
    struct bpe_train_args args = args_of(100);

    args.min_piece_count = 2;
    assert_trains(&args, "ab 1 xab 1 cd 2", "|cd|");
}

static void smaller_sizes_are_told_on_the_way(void **state)
{
    static const uint32_t stops[] = { 258, 260 };
    struct bpe_train_args args = args_of(4);
    struct words w;
    struct bpe_words words = words_of(&w, "low 5 lowest 2 newer 6 wider 3");
    struct bpe_trained t;

    args.stops = stops;
    args.stop_count = 2;
    assert_ok(bpe_train(&args, &words, &t));
    assert_int_equal(t.stop_count, 2);
    assert_int_equal(t.stops[0].vocab, 258);
    assert_int_equal(t.stops[0].merge_count, 1);
    assert_int_equal(t.stops[0].text_tokens, 72 - 9);          /* er */
    assert_int_equal(t.stops[1].text_tokens, 72 - 9 - 7 - 7);  /* lo, low */
    assert_int_equal(t.text_tokens, 72 - 9 - 7 - 7 - 6);       /* ew */
    bpe_trained_release(&t);
}

static void required_pieces_become_one_token(void **state)
{
    const struct span required[] = { { "ab", 2 }, { "lowab", 5 }, { "zzzz", 4 } };
    struct bpe_train_args args = args_of(8);

    args.required = required;
    args.required_count = 3;
    /* 8 merges may be wanted at first, and there is room for no other; in the end 6 were enough */
    assert_trains(&args, "low 5 lower 2", "|ab|lo|low|lowab|zz|zzzz|er|lower|");
    /* "lo" and "low" serve the required pieces, too, so that there is room for "er" */
    args.vocab++;
    assert_trains(&args, "low 5 lower 2", "|lo|low|er|ab|lowab|zz|zzzz|lower|");
}

static void required_pieces_want_room(void **state)
{
    const struct span required[] = { { "abcdef", 6 } };
    struct bpe_train_args args = args_of(4);
    struct words w;
    struct bpe_words words = words_of(&w, "low 5");
    struct bpe_trained t;

    args.required = required;
    args.required_count = 1;
    assert_int_equal(bpe_train(&args, &words, &t), ST_CONFIG);
    assert_non_null(strstr(fail_message(), "want 262"));
}

/* A vocabulary in which "bc" comes before "ab", so that "abc" never arises from "ab" and "c". */
static enum status encode_base(void *ctx, struct span piece, struct buf *ids)
{
    const struct bpe_base *b = ctx;

    for (size_t i = 0; i < piece.n; i++) {
        bool two = i + 1 < piece.n && memcmp(piece.p + i, "bc", 2) == 0;
        uint32_t id = two ? 256 : b->byte_id[(uint8_t)piece.p[i]];

        buf_add(ids, &id, sizeof id);
        i += two;
    }
    return ST_OK;
}

static void training_goes_on_from_a_vocabulary(void **state)
{
    struct span tokens[260] = { { 0 } };
    bool special[260] = { false };
    uint32_t byte_id[256];
    char bytes[256];
    struct bpe_base base = { .tokens = tokens, .vocab = 260, .special = special, .byte_id = byte_id, .encode = encode_base };
    struct bpe_train_args args = { .vocab = 262, .min_frequency = 1, .memory = UINT64_MAX, .base = &base };
    struct words w;
    struct bpe_words words = words_of(&w, "abc 9 abcd 5 xy 3");
    struct bpe_trained t;

    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
        tokens[i] = (struct span){ &bytes[i], 1 };
        byte_id[i] = (uint32_t)i;
    }
    tokens[256] = (struct span){ "bc", 2 };
    tokens[257] = (struct span){ "abc", 3 };    /* a token that no merge makes yet */
    tokens[259] = (struct span){ "<end>", 5 };
    special[259] = true;
    base.ctx = &base;
    assert_ok(bpe_train(&args, &words, &t));
    /* (a, bc) gives the token that is there; then new ones behind all that there were */
    assert_int_equal(t.vocab, 262);
    assert_int_equal(t.merge_count, 3);
    assert_int_equal(t.merges[0].left, 'a');
    assert_int_equal(t.merges[0].right, 256);
    assert_int_equal(t.merges[1].left, 257);
    assert_true(span_eq(t.tokens[260], "abcd"));
    assert_true(span_eq(t.tokens[261], "xy"));
    bpe_trained_release(&t);
}

/* ---- a plain reference ---- */

/* Hugging Face's BpeTrainer with plain lists, its oddities included: a pair is queued with the words where it arose in a
 * round, its count is not reset when it is merged, and a text that is a token already keeps its id. That the two agree shows
 * that these cannot matter. */
#define REF_WORDS 40
#define REF_LETTERS 24
#define REF_PAIRS 20000

struct ref_entry {
    uint32_t left, right;
    long count;
    bool words[REF_WORDS];
};
struct ref {
    uint32_t word[REF_WORDS][REF_LETTERS];
    size_t length[REF_WORDS], words;
    long weight[REF_WORDS];
    struct bpe_pair pair[REF_PAIRS];
    long count[REF_PAIRS];
    size_t pairs;
    struct ref_entry *queue, *round;
    size_t queued, rounds;
    char text[2000][REF_LETTERS * 2];
    uint32_t vocab;
    struct bpe_pair merges[4000];
    size_t merge_count;
};

static long *ref_count(struct ref *r, uint32_t left, uint32_t right)
{
    for (size_t i = 0; i < r->pairs; i++)
        if (r->pair[i].left == left && r->pair[i].right == right)
            return &r->count[i];
    assert_true(r->pairs < REF_PAIRS);
    r->pair[r->pairs] = (struct bpe_pair){ left, right };
    r->count[r->pairs] = 0;
    return &r->count[r->pairs++];
}

static void ref_change(struct ref *r, uint32_t left, uint32_t right, long by, size_t word)
{
    size_t i = 0;

    *ref_count(r, left, right) += by * r->weight[word];
    if (by < 0)
        return;
    while (i < r->rounds && (r->round[i].left != left || r->round[i].right != right))
        i++;
    if (i == r->rounds)
        r->round[r->rounds++] = (struct ref_entry){ .left = left, .right = right };
    r->round[i].words[word] = true;
}

static void ref_end_round(struct ref *r)
{
    for (size_t i = 0; i < r->rounds; i++) {
        r->round[i].count = *ref_count(r, r->round[i].left, r->round[i].right);
        if (r->round[i].count > 0)
            r->queue[r->queued++] = r->round[i];
    }
    r->rounds = 0;
}

static bool ref_pop(struct ref *r, struct ref_entry *out)
{
    while (r->queued > 0) {
        size_t best = 0;

        for (size_t i = 0; i < r->queued; i++) {
            const struct ref_entry *a = &r->queue[i], *b = &r->queue[best];

            if (a->count > b->count || (a->count == b->count && (a->left < b->left ||
                                                                 (a->left == b->left && a->right < b->right))))
                best = i;
        }
        if (r->queue[best].count == *ref_count(r, r->queue[best].left, r->queue[best].right)) {
            *out = r->queue[best];
            memmove(&r->queue[best], &r->queue[best + 1], (r->queued - best - 1) * sizeof *r->queue);
            r->queued--;
            return out->count > 0;
        }
        r->queue[best].count = *ref_count(r, r->queue[best].left, r->queue[best].right);
    }
    return false;
}

static void ref_merge_word(struct ref *r, size_t w, const struct ref_entry *e, uint32_t id)
{
    uint32_t *s = r->word[w];

    for (size_t i = 0; i + 1 < r->length[w]; i++) {
        if (s[i] != e->left || s[i + 1] != e->right)
            continue;
        if (i > 0) {
            ref_change(r, s[i - 1], e->left, -1, w);
            ref_change(r, s[i - 1], id, 1, w);
        }
        s[i] = id;
        memmove(s + i + 1, s + i + 2, (r->length[w] - i - 2) * sizeof *s);
        r->length[w]--;
        if (i + 1 < r->length[w]) {
            ref_change(r, e->right, s[i + 1], -1, w);
            ref_change(r, id, s[i + 1], 1, w);
        }
    }
}

static void ref_train(struct ref *r, uint32_t vocab)
{
    struct ref_entry e;

    for (size_t w = 0; w < r->words; w++)
        for (size_t i = 0; i + 1 < r->length[w]; i++)
            ref_change(r, r->word[w][i], r->word[w][i + 1], 1, w);
    ref_end_round(r);
    while (r->vocab < vocab && ref_pop(r, &e)) {
        char joined[REF_LETTERS * 4];
        uint32_t id = 0;

        snprintf(joined, sizeof joined, "%s%s", r->text[e.left], r->text[e.right]);
        while (id < r->vocab && strcmp(r->text[id], joined) != 0)
            id++;
        if (id == r->vocab)
            strcpy(r->text[r->vocab++], joined);
        assert_true(r->merge_count < 4000);
        r->merges[r->merge_count++] = (struct bpe_pair){ e.left, e.right };
        for (size_t w = 0; w < r->words; w++)
            if (e.words[w])
                ref_merge_word(r, w, &e, id);
        ref_end_round(r);
    }
}

/* What a training must give, in memory or in pages, where the index of pairs has room for few. */
static void assert_as_reference(const struct ref *r, const struct bpe_train_args *args, const struct bpe_word *v)
{
    struct bpe_word_list list = { v, r->words, 0 };
    struct bpe_words words = bpe_words_of(&list);
    struct bpe_trained t;

    assert_ok(bpe_train(args, &words, &t));
    assert_int_equal(t.paged, args->memory < 1000);
    assert_int_equal(t.vocab, r->vocab);
    assert_int_equal(t.merge_count, r->merge_count);
    assert_memory_equal(t.merges, r->merges, t.merge_count * sizeof *t.merges);
    for (uint32_t id = 257; id < t.vocab; id++)
        assert_true(span_eq(t.tokens[id], r->text[id]));
    bpe_trained_release(&t);
}

/* Fills both with the same random words over few letters. */
static void make_words(struct ref *r, struct bpe_word *words, char (*texts)[REF_LETTERS], uint64_t seed)
{
    struct rng rng = { .seed = seed };
    uint64_t letters = 1 + rng_below(&rng, 3), longest = 3 + rng_below(&rng, REF_LETTERS - 3);

    r->words = 1 + rng_below(&rng, REF_WORDS);
    for (size_t w = 0; w < r->words; w++) {
        uint32_t n = 1 + (uint32_t)rng_below(&rng, longest);

        for (uint32_t i = 0; i < n; i++) {
            texts[w][i] = (char)('a' + rng_below(&rng, letters));
            r->word[w][i] = 1 + (uint32_t)(texts[w][i] - '!');
        }
        words[w] = (struct bpe_word){ texts[w], n, 1 + rng_below(&rng, 5) };
        r->length[w] = n;
        r->weight[w] = (long)words[w].count;
    }
}

static void random_words_as_the_reference(void **state)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct ref *r = calloc(1, sizeof *r);
        struct bpe_train_args args = args_of(10 + (uint32_t)seed * 2);
        struct bpe_word words[REF_WORDS];
        char texts[REF_WORDS][REF_LETTERS];

        r->queue = calloc(REF_PAIRS, sizeof *r->queue);
        r->round = calloc(2000, sizeof *r->round);
        r->vocab = 257;
        for (uint32_t id = 0; id < 257; id++)
            snprintf(r->text[id], sizeof r->text[id], id > 0 && id < 95 ? "%c" : "<%d>", id > 0 && id < 95 ? (int)id + 32 : (int)id);
        make_words(r, words, texts, seed);
        ref_train(r, args.vocab);
        assert_as_reference(r, &args, words);
        args.memory = 1;
        assert_as_reference(r, &args, words);
        free(r->queue);
        free(r->round);
        free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_frequent_pair_comes_first),
        cmocka_unit_test(ties_go_to_the_smallest_pair_of_ids),
        cmocka_unit_test(raw_ties_go_by_the_values_of_bytes),
        cmocka_unit_test(counts_have_64_bits),
        cmocka_unit_test(runs_merge_from_the_left_without_overlap),
        cmocka_unit_test(min_frequency_and_length_bound_the_merges),
        cmocka_unit_test(rare_pieces_are_left_out_if_asked),
        cmocka_unit_test(smaller_sizes_are_told_on_the_way),
        cmocka_unit_test(required_pieces_become_one_token),
        cmocka_unit_test(required_pieces_want_room),
        cmocka_unit_test(training_goes_on_from_a_vocabulary),
        cmocka_unit_test(exhausted_text_gives_a_smaller_vocabulary),
        cmocka_unit_test(no_merge_spells_a_special_token),
        cmocka_unit_test(ids_are_special_tokens_then_bytes_in_their_order),
        cmocka_unit_test(random_words_as_the_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
