/* Training: against a plain reference in Hugging Face's manner, by hand-made cases, and for any order and any number of threads. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "base/rng.h"
#include "tokenize/learn/bpe_train.h"
#include "store/byte_level.h"
#include "tokenize/learn/train_text.h"

static const char *const end_of_text[] = { "<|endoftext|>" };

/* Words with counts from "low 5 lower 2". */
static struct bpe_words words_of(const char *text)
{
    struct bpe_words w = { .v = calloc(64, sizeof *w.v) };

    while (*text) {
        size_t n = strcspn(text, " ");

        w.v[w.count] = (struct bpe_word){ text, (uint32_t)n, strtoull(text + n, (char **)&text, 10) };
        w.count++;
        text += *text == ' ';
    }
    return w;
}

static struct bpe_train_args args_of(uint32_t merges)
{
    return (struct bpe_train_args){ .specials = end_of_text, .special_count = 1, .vocab = 257 + merges, .min_frequency = 1,
                                    .memory = UINT64_MAX };
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
    struct bpe_words words = words_of(text);
    struct bpe_trained t;

    assert_ok(bpe_train(args, &words, &t));
    assert_tokens(&t, args->special_count, want);
    bpe_trained_release(&t);
    free(words.v);
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
    struct bpe_words words = words_of("ab 3 b 2");
    struct bpe_trained t;

    assert_ok(bpe_train(&args, &words, &t));
    assert_int_equal(t.vocab, 258);
    assert_int_equal(t.merge_count, 1);
    assert_int_equal(t.text_tokens, 5);
    bpe_trained_release(&t);
    free(words.v);
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
    struct bpe_words words = words_of("ab 1");
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
    free(words.v);
}

static void too_little_memory_is_told(void **state)
{
    struct bpe_train_args args = args_of(10);
    struct bpe_words words = words_of("abcdef 1");
    struct bpe_trained t;

    args.memory = 100;
    assert_int_equal(bpe_train(&args, &words, &t), ST_LIMIT);
    assert_non_null(strstr(fail_message(), "memory=100 B"));
    free(words.v);
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

/* Fills both with the same random words over few letters. */
static void make_words(struct ref *r, struct bpe_words *words, char (*texts)[REF_LETTERS], uint64_t seed)
{
    struct rng rng = { .seed = seed };
    uint64_t letters = 1 + rng_below(&rng, 3), longest = 3 + rng_below(&rng, REF_LETTERS - 3);

    words->count = 1 + rng_below(&rng, REF_WORDS);
    for (size_t w = 0; w < words->count; w++) {
        uint32_t n = 1 + (uint32_t)rng_below(&rng, longest);

        for (uint32_t i = 0; i < n; i++) {
            texts[w][i] = (char)('a' + rng_below(&rng, letters));
            r->word[w][i] = 1 + (uint32_t)(texts[w][i] - '!');
        }
        words->v[w] = (struct bpe_word){ texts[w], n, 1 + rng_below(&rng, 5) };
        r->length[w] = n;
        r->weight[w] = (long)words->v[w].count;
    }
    r->words = words->count;
}

static void random_words_as_the_reference(void **state)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct ref *r = calloc(1, sizeof *r);
        struct bpe_train_args args = args_of(10 + (uint32_t)seed * 2);
        struct bpe_words words = { .v = calloc(REF_WORDS, sizeof *words.v) };
        char texts[REF_WORDS][REF_LETTERS];
        struct bpe_trained t;

        r->queue = calloc(REF_PAIRS, sizeof *r->queue);
        r->round = calloc(2000, sizeof *r->round);
        r->vocab = 257;
        for (uint32_t id = 0; id < 257; id++)
            snprintf(r->text[id], sizeof r->text[id], id > 0 && id < 95 ? "%c" : "<%d>", id > 0 && id < 95 ? (int)id + 32 : (int)id);
        make_words(r, &words, texts, seed);
        ref_train(r, args.vocab);
        assert_ok(bpe_train(&args, &words, &t));
        assert_int_equal(t.vocab, r->vocab);
        assert_int_equal(t.merge_count, r->merge_count);
        assert_memory_equal(t.merges, r->merges, t.merge_count * sizeof *t.merges);
        for (uint32_t id = 257; id < t.vocab; id++)
            assert_true(span_eq(t.tokens[id], r->text[id]));
        bpe_trained_release(&t);
        free(words.v);
        free(r->queue);
        free(r->round);
        free(r);
    }
}

/* ---- counting ---- */

static uint64_t count_of(const struct bpe_words *w, const char *piece)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->v[i].n == strlen(piece) && memcmp(w->v[i].p, piece, w->v[i].n) == 0)
            return w->v[i].count;
    return 0;
}

static void counts_add_up_over_workers_and_full_tables(void **state)
{
    struct bpe_counter *c = bpe_counter_new(3, UINT64_MAX);
    struct bpe_words words;
    uint64_t sum = 0;
    char piece[40];

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 150000; i++) {
            int n = snprintf(piece, sizeof piece, i % 3 ? "p%d" : "a longer piece number %d", i % 140000);

            assert_ok(bpe_counter_add(c, i % 3, (struct span){ piece, (size_t)n }));
            assert_ok(bpe_counter_add(c, (i + 1) % 3, span_of("often")));
        }
    assert_ok(bpe_counter_finish(c, &words));
    assert_int_equal(count_of(&words, "often"), 300000);
    assert_int_equal(count_of(&words, "p139999"), 2);
    for (size_t i = 0; i < words.count; i++)
        sum += words.v[i].count;
    assert_int_equal(sum, 600000);
    free(words.v);
    bpe_counter_free(c);
}

static void a_counter_without_room_says_what_to_do(void **state)
{
    struct bpe_counter *c = bpe_counter_new(1, 1 << 20);
    enum status st = ST_OK;
    char piece[40];

    for (int i = 0; st == ST_OK && i < 1000000; i++) {
        int n = snprintf(piece, sizeof piece, "piece %d", i);

        st = bpe_counter_add(c, 0, (struct span){ piece, (size_t)n });
    }
    assert_int_equal(st, ST_LIMIT);
    assert_non_null(strstr(fail_message(), "memory=1.0 MB; raise it"));
    bpe_counter_free(c);
}

/* A .txt file in one piece or cut for many threads: the same counts, so the same tokenizer. */
static void threads_and_order_change_nothing(void **state)
{
    struct bpe_train_args args = args_of(600);
    struct bpe_trained first = { 0 };
    struct buf text = { 0 };
    struct rng r = { .seed = 2 };
    char path[] = "/tmp/tundish-train-XXXXXX.txt";
    int fd = mkstemps(path, 4);

    assert_true(fd >= 0);
    while (text.n < 3 << 20)
        buf_printf(&text, rng_below(&r, 9) ? "w%x " : "(%d), \xC3\xA9t\xC3\xA9\xFF\n ", (unsigned)rng_below(&r, 5000));
    assert_int_equal(write(fd, text.p, text.n), text.n);
    close(fd);
    for (int threads = 1; threads <= 8; threads *= 2) {
        struct pool *pool = pool_new(threads);
        struct pretok *pretok = pretok_new();
        struct bpe_counter *counter = bpe_counter_new(pool_threads(pool), UINT64_MAX);
        struct corpus_text *corpus;
        struct train_text_totals totals;
        struct bpe_words words;
        struct bpe_trained t;

        assert_ok(pretok_add(pretok, &(struct pretok_rule){ .what = "test", .pattern = pretok_pattern_text("o200k") }));
        assert_ok(corpus_text_open(path, &corpus));
        assert_ok(train_text_count(pool, corpus, pretok, counter, &totals));
        assert_int_equal(totals.documents, 1);
        assert_int_equal(totals.bytes, text.n);
        assert_in_range(totals.other_bytes, 1000, text.n);
        assert_ok(bpe_counter_finish(counter, &words));
        assert_ok(bpe_train(&args, &words, &t));
        if (threads == 1) {
            first = t;
        } else {
            assert_int_equal(t.merge_count, first.merge_count);
            assert_memory_equal(t.merges, first.merges, t.merge_count * sizeof *t.merges);
            assert_int_equal(t.text_tokens, first.text_tokens);
            bpe_trained_release(&t);
        }
        free(words.v);
        corpus_text_close(corpus);
        bpe_counter_free(counter);
        pretok_free(pretok);
        pool_free(pool);
    }
    unlink(path);
    bpe_trained_release(&first);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_frequent_pair_comes_first),
        cmocka_unit_test(ties_go_to_the_smallest_pair_of_ids),
        cmocka_unit_test(runs_merge_from_the_left_without_overlap),
        cmocka_unit_test(min_frequency_and_length_bound_the_merges),
        cmocka_unit_test(exhausted_text_gives_a_smaller_vocabulary),
        cmocka_unit_test(no_merge_spells_a_special_token),
        cmocka_unit_test(ids_are_special_tokens_then_bytes_in_their_order),
        cmocka_unit_test(too_little_memory_is_told),
        cmocka_unit_test(random_words_as_the_reference),
        cmocka_unit_test(counts_add_up_over_workers_and_full_tables),
        cmocka_unit_test(a_counter_without_room_says_what_to_do),
        cmocka_unit_test(threads_and_order_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
