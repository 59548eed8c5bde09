/* Counting pieces: sums over workers, runs on disk and tables, and the whole of training for any number of threads, any memory. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "base/rng.h"
#include "tokenize/learn/learn.h"

/* ---- counts ---- */

static void add(struct bpe_counter *c, int worker, const char *piece)
{
    char text[400] = { 0 };
    uint32_t end = (uint32_t)strlen(piece);

    memcpy(text, piece, end);
    assert_ok(bpe_counter_add(c, worker, &(struct bpe_pieces){ text, 0, &end, 1 }));
}

/* Every third piece is longer than a key; one has a few hundred bytes. */
static const char *piece_of(int i, char *out)
{
    snprintf(out, 400, i % 3 ? "p%d" : i == 300 ? "%0300d" : "a longer piece number %d", i);
    return out;
}

#define PIECES 50000
/* Counts of pieces by their number; each must come once. */
static void assert_counts(struct bpe_counter *c, uint64_t often)
{
    struct bpe_words words;
    struct bpe_word w;
    uint64_t *seen = calloc(PIECES, sizeof *seen), places = 0, all = 0;
    bool got;

    assert_ok(bpe_counter_finish(c, &words));
    for (;;) {
        char text[400];
        const char *digits;

        assert_ok(words.next(words.ctx, &w, &got));
        if (!got)
            break;
        snprintf(text, sizeof text, "%.*s", (int)w.n, w.p);
        places += w.n + 1;
        if (strcmp(text, "often") == 0) {
            all += w.count;
            continue;
        }
        digits = text + strcspn(text, "0123456789");
        assert_int_equal(seen[atoi(digits)], 0);
        seen[atoi(digits)] = w.count;
        assert_string_equal(text, piece_of(atoi(digits), (char[400]){ 0 }));
    }
    assert_int_equal(all, often);
    for (int i = 0; i < PIECES; i++)
        assert_int_equal(seen[i], i < PIECES / 2 ? 2 : 1);
    assert_true(places <= words.places);
    free(seen);
}

static void count_with(uint64_t memory, bool runs)
{
    struct bpe_counter *c = bpe_counter_new(&(struct bpe_counter_args){ .workers = 3, .memory = memory, .folder = "/tmp" });
    char piece[400];

    for (int i = 0; i < PIECES * 3 / 2; i++) {
        add(c, i % 3, piece_of(i % PIECES, piece));
        add(c, (i + 1) % 3, "often");
    }
    assert_true((bpe_counter_runs(c) > 0) == runs);
    assert_counts(c, PIECES * 3 / 2);
    bpe_counter_free(c);
}

static void counts_add_up_over_workers(void **state)
{
    count_with(UINT64_MAX, false);
}

static void counts_add_up_over_runs_on_disk(void **state)
{
    count_with(3 << 20, true);
    count_with(0, true);
}

static void many_runs_are_joined(void **state)
{
    struct bpe_counter *c = bpe_counter_new(&(struct bpe_counter_args){ .workers = 1, .memory = 0, .folder = "/tmp" });
    struct bpe_words words;
    struct bpe_word w;
    char piece[40];
    uint64_t n = 0, sum = 0;
    bool got = true;

    for (int i = 0; i < 400000; i++) {
        snprintf(piece, sizeof piece, "x%d", i % 300000);
        add(c, 0, piece);
    }
    assert_in_range(bpe_counter_runs(c), 70, 1000);
    assert_ok(bpe_counter_finish(c, &words));
    while (got) {
        assert_ok(words.next(words.ctx, &w, &got));
        n += got;
        sum += got ? w.count : 0;
    }
    assert_int_equal(n, 300000);
    assert_int_equal(sum, 400000);
    bpe_counter_free(c);
}

/* ---- the whole ---- */

static void make_text(const char *path, struct buf *text)
{
    struct rng r = { .seed = 2 };

    while (text->n < 3 << 20)
        buf_printf(text, rng_below(&r, 9) ? "w%x " : "(%d), \xC3\xA9t\xC3\xA9\xFF\n ", (unsigned)rng_below(&r, 5000));
    assert_ok(file_write_atomic(path, text->p, text->n));
}

static void learn_from(const char *path, int threads, uint64_t memory, struct learnt *out)
{
    static const char *const specials[] = { "<|endoftext|>" };
    struct learn_args args = { .pool = pool_new(threads),
                               .train = { .specials = specials, .special_count = 1, .vocab = 857, .min_frequency = 1,
                                          .memory = memory, .folder = "/tmp" } };
    struct pretok *pretok = pretok_new();

    assert_ok(pretok_add(pretok, &(struct pretok_rule){ .what = "test", .pattern = pretok_pattern_text("o200k") }));
    args.pretok = pretok;
    assert_ok(comm_open(&args.comm));
    assert_ok(corpus_text_open(path, &args.corpus));
    assert_ok(learn(&args, out));
    corpus_text_close(args.corpus);
    comm_close(args.comm);
    pretok_free(pretok);
    pool_free(args.pool);
}

/* A .txt file in one piece or cut for many threads: the same counts, so the same tokenizer. */
static void threads_change_nothing(void **state)
{
    struct learnt first = { 0 }, t;
    struct buf text = { 0 };
    char folder[] = "/tmp/tundish-count-XXXXXX", path[64];

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/text.txt", folder);
    make_text(path, &text);
    learn_from(path, 1, UINT64_MAX, &first);
    assert_int_equal(first.totals.documents, 1);
    assert_int_equal(first.totals.bytes, text.n);
    assert_in_range(first.totals.other_bytes, 1000, text.n);
    for (int threads = 2; threads <= 8; threads *= 2) {
        learn_from(path, threads, UINT64_MAX, &t);
        assert_int_equal(t.trained.merge_count, first.trained.merge_count);
        assert_memory_equal(t.trained.merges, first.trained.merges, t.trained.merge_count * sizeof(struct bpe_pair));
        assert_int_equal(t.trained.text_tokens, first.trained.text_tokens);
        assert_int_equal(t.totals.pieces, first.totals.pieces);
        learnt_release(&t);
    }
    learnt_release(&first);
    buf_release(&text);
    assert_ok(file_remove_tree(folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_add_up_over_workers),
        cmocka_unit_test(counts_add_up_over_runs_on_disk),
        cmocka_unit_test(many_runs_are_joined),
        cmocka_unit_test(threads_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
