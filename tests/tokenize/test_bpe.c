/* Merging by rank: every way has the result of the plain definition, whatever the table. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "tokenize/encode/bpe.h"
#include "tokenize/encode/bpe_linear.h"
#include "tokenize/encode/bpe_trie.h"
#include "tokenize/plain_merge.h"

/* ---- vocabularies of a few letters, so that everything that can happen does ---- */

#define ENTRIES 128
#define LETTERS 3

struct vocabulary {
    struct arena arena;
    struct span bytes[ENTRIES];
    uint32_t count, letters, base[LETTERS];
    struct bpe *bpe;
};

static int64_t find(const struct vocabulary *v, const char *p, size_t n)
{
    for (uint32_t i = 0; i < v->count; i++)
        if (v->bytes[i].p && v->bytes[i].n == n && memcmp(v->bytes[i].p, p, n) == 0)
            return i;
    return -1;
}

static void begin(struct vocabulary *v, struct rng *r)
{
    *v = (struct vocabulary){ .letters = 1 + (uint32_t)rng_below(r, LETTERS) };
    for (uint32_t i = 0; i < v->letters; i++) {
        v->bytes[i] = (struct span){ arena_printf(&v->arena, "%c", 'a' + (int)i), 1 };
        v->base[i] = i;
    }
    v->count = v->letters;
}

/* The entry of both texts together, new if it was not there; -1: no room or too long. */
static int64_t joined(struct vocabulary *v, uint32_t a, uint32_t b)
{
    char *text = arena_printf(&v->arena, "%s%s", v->bytes[a].p, v->bytes[b].p);
    int64_t id = find(v, text, strlen(text));

    if (id < 0 && v->count < ENTRIES && strlen(text) < 40) {
        id = v->count++;
        v->bytes[id] = span_of(text);
    }
    return id;
}

/* Merges in the order in which training could have found them, some of them of entries that are
 * there already; disorder: the ranks are exchanged here and there. */
static void as_trained(struct vocabulary *v, struct rng *r, uint32_t disorder)
{
    uint32_t merges = 1 + (uint32_t)rng_below(r, 60), rank[64];

    v->bpe = bpe_new(0);
    for (uint32_t i = 0; i < merges; i++)
        rank[i] = i;
    for (uint32_t i = 0; i < disorder; i++) {
        uint32_t a = (uint32_t)rng_below(r, merges), b = (uint32_t)rng_below(r, merges), was = rank[a];

        rank[a] = rank[b];
        rank[b] = was;
    }
    for (uint32_t i = 0; i < merges; i++) {
        uint32_t a = (uint32_t)rng_below(r, v->count), b = (uint32_t)rng_below(r, v->count);
        int64_t id = joined(v, a, b);

        if (id >= 0)
            bpe_add(v->bpe, &(struct bpe_merge){ a, b, rank[i], (uint32_t)id });
    }
}

/* Ranks that are ids: entries of any texts, or (closed) each made of two before it. */
static void as_ranks(struct vocabulary *v, struct rng *r, bool closed)
{
    uint32_t wanted = v->count + (uint32_t)rng_below(r, 60);

    for (int i = 0; i < 400 && v->count < wanted; i++) {
        uint32_t a = (uint32_t)rng_below(r, v->count), b = (uint32_t)rng_below(r, v->count);
        char text[12];
        size_t n = 2 + rng_below(r, 6);

        if (closed) {
            joined(v, a, b);
            continue;
        }
        for (size_t k = 0; k < n; k++)
            text[k] = (char)('a' + rng_below(r, v->letters));
        if (find(v, text, n) < 0)
            v->bytes[v->count++] = (struct span){ arena_strndup(&v->arena, text, n), n };
    }
    v->bpe = bpe_from_ranks(v->bytes, v->count);
}

/* As Llama 3's file has it: the ranks' splits one by one, those of an entry in a row. */
static void as_listed(struct vocabulary *v, struct rng *r)
{
    struct bpe *listed = bpe_new(0);
    struct bpe_merge *all;
    size_t count;

    as_ranks(v, r, true);
    all = bpe_list(v->bpe, &count);
    for (size_t i = 0; i < count; i++)
        bpe_add(listed, &(struct bpe_merge){ all[i].left, all[i].right, (uint32_t)i, all[i].id });
    free(all);
    bpe_free(v->bpe);
    v->bpe = listed;
}

static struct bpe_symbols symbols_of(const struct vocabulary *v)
{
    return (struct bpe_symbols){ v->bytes, v->count, v->base, v->letters };
}

static void release(struct vocabulary *v)
{
    bpe_free(v->bpe);
    arena_release(&v->arena);
}

/* ---- */

struct tried {
    struct bpe_scratch merge;
    struct bpe_linear_scratch linear;
    int late, fallen;       /* symbols made after a merge of higher rank; those that do not stand */
};

static void check_text(const struct vocabulary *v, const struct bpe_linear *l, struct tried *t, struct span text)
{
    uint32_t want[400], seen[400];
    size_t n, count;

    for (size_t i = 0; i < text.n; i++)
        want[i] = seen[i] = (uint32_t)(text.p[i] - 'a');
    n = merge_plainly(v->bpe, want, text.n);
    count = bpe_merge_piece(v->bpe, &t->merge, seen, text.n);
    assert_int_equal(count, n);
    assert_memory_equal(seen, want, n * sizeof *seen);
    if (l == NULL)
        return;
    count = bpe_linear_merge(l, &t->linear, text, seen);
    assert_int_equal(count, n);
    assert_memory_equal(seen, want, n * sizeof *seen);
}

/* An entry stands exactly if its bytes become it. */
static void check_entries(const struct vocabulary *v, const struct bpe_tree *tree, struct tried *t)
{
    uint32_t ids[64];

    for (uint32_t i = 0; i < v->count; i++) {
        for (size_t k = 0; k < v->bytes[i].n; k++)
            ids[k] = (uint32_t)(v->bytes[i].p[k] - 'a');
        assert_int_equal(merge_plainly(v->bpe, ids, v->bytes[i].n) == 1, tree->node[i].time != BPE_NEVER);
        t->late += tree->node[i].time > 0 && tree->node[i].time != BPE_NEVER && tree->node[i].time != tree->node[i].rank + 1;
        t->fallen += tree->node[i].time == BPE_NEVER;
    }
}

static void check(const struct vocabulary *v, struct rng *r, struct tried *t)
{
    struct bpe_symbols s = symbols_of(v);
    struct bpe_tree *tree = bpe_tree_new(v->bpe, &s);
    struct bpe_linear *l;

    assert_non_null(tree);
    l = bpe_linear_new(tree, &s);
    bpe_linear_scratch_release(&t->linear);
    check_entries(v, tree, t);
    for (int round = 0; round < 12; round++) {
        char text[400];
        size_t n = 1 + rng_below(r, round % 6 == 0 ? 150 : 30);

        for (size_t i = 0; i < n; i++)
            text[i] = (char)('a' + rng_below(r, round % 3 == 0 ? 1 : v->letters));
        check_text(v, l, t, (struct span){ text, n });
    }
    bpe_linear_free(l);
    bpe_tree_free(tree);
}

static struct tried many(int kind)
{
    struct tried t = { 0 };
    struct rng r = { .seed = 30 + (uint64_t)kind };

    for (int round = 0; round < 300; round++) {
        struct vocabulary v;

        begin(&v, &r);
        if (kind < 2)
            as_trained(&v, &r, kind == 0 ? 0 : 1 + (uint32_t)rng_below(&r, 20));
        else if (kind < 4)
            as_ranks(&v, &r, kind == 2);
        else
            as_listed(&v, &r);
        check(&v, &r, &t);
        release(&v);
    }
    bpe_scratch_release(&t.merge);
    bpe_linear_scratch_release(&t.linear);
    return t;
}

static void merges_in_training_order(void **state)
{
    struct tried t = many(0);

    assert_int_not_equal(t.fallen, 0);
}

static void merges_in_disorder(void **state)
{
    struct tried t = many(1);

    assert_in_range(t.late, 150, 100000);
    assert_in_range(t.fallen, 150, 100000);
}

static void ranks_of_entries_made_of_two(void **state)
{
    struct tried t = many(2);

    assert_in_range(t.late, 30, 100000);
}

static void ranks_of_any_entries(void **state)
{
    struct tried t = many(3);

    assert_in_range(t.late, 30, 100000);
    assert_in_range(t.fallen, 150, 100000);
}

static void every_split_listed(void **state)
{
    struct tried t = many(4);

    assert_in_range(t.late, 30, 100000);
}

/* bpe_from_ranks(): two entries merge exactly if their bytes together are an entry. */
static void ranks_have_every_split_of_an_entry(void **state)
{
    struct rng r = { .seed = 77 };

    for (int round = 0; round < 60; round++) {
        struct vocabulary v;

        begin(&v, &r);
        as_ranks(&v, &r, round % 2);
        v.bytes[v.count - 1].p = round % 3 == 0 && v.count > v.letters ? NULL : v.bytes[v.count - 1].p;
        bpe_free(v.bpe);
        v.bpe = bpe_from_ranks(v.bytes, v.count);
        for (uint32_t a = 0; a < v.count; a++)
            for (uint32_t b = 0; b < v.count; b++) {
                char text[100];
                int64_t id = -1;

                if (v.bytes[a].p && v.bytes[b].p) {
                    memcpy(text, v.bytes[a].p, v.bytes[a].n);
                    memcpy(text + v.bytes[a].n, v.bytes[b].p, v.bytes[b].n);
                    id = find(&v, text, v.bytes[a].n + v.bytes[b].n);
                }
                assert_int_equal(bpe_rank(v.bpe, a, b), id < 0 ? BPE_NO_RANK : (uint32_t)id);
                if (id >= 0)
                    assert_int_equal(bpe_joined(v.bpe, (uint32_t)id), id);
            }
        release(&v);
    }
}

/* Where a merge makes something else than its sides together, nothing can be said. */
static void merges_that_join_nothing_have_no_trees(void **state)
{
    struct span bytes[] = { { "a", 1 }, { "b", 1 }, { "ab", 2 }, { "ba", 2 } };
    uint32_t base[] = { 0, 1 };
    struct bpe_symbols s = { bytes, 4, base, 2 };
    struct bpe_merge wrong[] = { { 0, 1, 0, 3 }, { 0, 1, 0, 4 }, { 0, 9, 0, 2 }, { 0, 1, 0, 1 } };

    for (int i = 0; i < 4; i++) {
        struct bpe *b = bpe_new(0);

        bpe_add(b, &wrong[i]);
        assert_null(bpe_tree_new(b, &s));
        bpe_free(b);
    }
}

/* ---- the trie ---- */

#define STOCK 6000

/* Entries over `letters` byte values that all count as standing: bytes apart, so that nodes have up to 256 children. */
static uint32_t make_stock(struct arena *a, struct span *bytes, struct rng *r, uint64_t letters,
                           uint32_t stock)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < stock; i++) {
        size_t n = 1 + rng_below(r, i % 50 == 0 ? 40 : 5), from = i % 3 == 0 && count > 0 ? rng_below(r, count) : 0;
        struct span head = i % 3 == 0 && count > 0 ? bytes[from] : (struct span){ "", 0 };
        char *p = arena_alloc(a, head.n + n);
        bool is_new = true;

        memcpy(p, head.p, head.n);
        for (size_t k = head.n; k < head.n + n; k++)
            p[k] = (char)(rng_below(r, letters) * 37);
        for (uint32_t k = 0; k < count && is_new; k++)
            is_new = bytes[k].n != head.n + n || memcmp(bytes[k].p, p, head.n + n) != 0;
        if (is_new)
            bytes[count++] = (struct span){ p, head.n + n };
    }
    return count;
}

/* The longest entry that text begins with and that is shorter than `below`, or TRIE_NONE. */
static uint32_t longest_plainly(const struct span *bytes, uint32_t count, struct span text, size_t below)
{
    uint32_t best = TRIE_NONE;

    for (uint32_t i = 0; i < count; i++)
        if (bytes[i].n < below && bytes[i].n <= text.n && memcmp(bytes[i].p, text.p, bytes[i].n) == 0 &&
            (best == TRIE_NONE || bytes[i].n > bytes[best].n))
            best = i;
    return best;
}

static void check_trie(uint64_t letters, uint64_t seed, uint32_t stock)
{
    static struct span bytes[STOCK];
    struct rng r = { .seed = seed };
    struct arena arena = { 0 };
    struct bpe_symbols s = { bytes, make_stock(&arena, bytes, &r, letters, stock), NULL, 0 };
    struct bpe_tree tree = { .symbols = s.count, .node = mem_array(s.count, sizeof *tree.node) };
    struct bpe_trie trie;

    for (uint32_t i = 0; i < s.count; i++)
        tree.node[i].shorter = BPE_NEVER;
    assert_true(bpe_trie_make(&trie, &tree, &s));
    for (uint32_t i = 0; i < s.count; i++)
        assert_int_equal(tree.node[i].shorter, longest_plainly(bytes, s.count, bytes[i], bytes[i].n));
    for (int round = 0; round < 3000; round++) {
        struct span head = bytes[rng_below(&r, s.count)];
        size_t n = rng_below(&r, head.n + 1), more = n == 0 ? 1 + rng_below(&r, 3) : rng_below(&r, 3);
        char *text = mem_grow(NULL, n + more, 1);
        struct bpe_match m;
        uint32_t want;

        memcpy(text, head.p, n);
        for (size_t k = n; k < n + more; k++)
            text[k] = (char)rng_below(&r, 256);
        m = bpe_trie_longest(&trie, (unsigned char *)text, n + more);
        want = longest_plainly(bytes, s.count, (struct span){ text, n + more }, SIZE_MAX);
        assert_int_equal(m.symbol, want);
        assert_true(want == TRIE_NONE || m.n == bytes[want].n);
        free(text);
    }
    bpe_trie_release(&trie);
    free(tree.node);
    arena_release(&arena);
}

static void the_trie_finds_the_longest(void **state)
{
    check_trie(256, 1, STOCK);
    check_trie(20, 2, 1000);
    check_trie(2, 3, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_in_training_order), cmocka_unit_test(merges_in_disorder),
        cmocka_unit_test(ranks_of_entries_made_of_two), cmocka_unit_test(ranks_of_any_entries),
        cmocka_unit_test(every_split_listed), cmocka_unit_test(merges_that_join_nothing_have_no_trees),
        cmocka_unit_test(the_trie_finds_the_longest),
        cmocka_unit_test(ranks_have_every_split_of_an_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
