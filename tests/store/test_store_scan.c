/* Searches of a store find what a walk over every token and record finds, in order, with any number of threads. */
#include "store/making.h"

#include "store/change/store_names.h"
#include "store/change/store_scan.h"

/* Few different tokens, so that there are many finds; blocks end inside documents. */
static const struct making_store narrow = { .documents = 9, .shard_tokens = 900000, .longest = 250000, .vocab = 300, .validation = 0.2 };
static const struct making_store wide = { .documents = 9, .shard_tokens = 400000, .longest = 150000, .vocab = 70000, .validation = 0.2 };
static const struct making_store many = { .documents = 20000, .shard_tokens = 45000, .longest = 6, .vocab = 100, .validation = 0.2 };

struct found {
    struct store_find *v;
    size_t count, cap, enough;
};

static enum status keep(void *ctx, const struct store_find *f, bool *enough)
{
    struct found *w = ctx;

    if (w->count == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 64;
        w->v = mem_grow(w->v, w->cap, sizeof *w->v);
    }
    w->v[w->count++] = *f;
    *enough = w->count == w->enough;
    return ST_OK;
}

/* Every place of the sequence, document by document. */
static size_t expect(const struct token_store *s, const uint32_t *want, size_t n, struct found *out)
{
    for (int p = 0; p < TOKENS_PARTS; p++)
        for (uint64_t i = 0; i < token_store_documents(s, (enum token_part)p); i++) {
            struct store_find f = { .part = (enum token_part)p, .index = i };
            int32_t *tokens;
            bool enough;

            assert_ok(token_store_document(s, f.part, i, &f.document));
            tokens = mem_array(f.document.count + 1, sizeof *tokens);
            assert_ok(token_store_read(s, f.part, f.document.first, f.document.count, tokens));
            for (f.offset = 0; f.offset + n <= f.document.count; f.offset++)
                if (memcmp(tokens + f.offset, want, n * sizeof *tokens) == 0)
                    assert_ok(keep(out, &f, &enough));
            free(tokens);
        }
    return out->count;
}

static void check_sequence(const struct token_store *s, const uint32_t *want, size_t n)
{
    struct found walked = { 0 };
    size_t count = expect(s, want, n, &walked);

    for (int threads = 1; threads <= 3; threads += 2) {
        struct pool *pool = pool_new(threads);
        struct found seen = { 0 };
        struct store_scan scan = { .store = s, .pool = pool, .part = -1, .tell = keep, .ctx = &seen };

        assert_ok(store_scan_tokens(&scan, want, n));
        assert_int_equal(seen.count, count);
        for (size_t i = 0; i < count; i++)
            if (seen.v[i].part != walked.v[i].part || seen.v[i].index != walked.v[i].index || seen.v[i].offset != walked.v[i].offset)
                fail_msg("find %zu is document %llu, token %llu; want %llu, %llu", i, (unsigned long long)seen.v[i].index,
                         (unsigned long long)seen.v[i].offset, (unsigned long long)walked.v[i].index,
                         (unsigned long long)walked.v[i].offset);
        free(seen.v);
        pool_free(pool);
    }
    free(walked.v);
}

/* The n tokens of a document from `at` on. */
static void check_piece(const struct token_store *s, uint64_t document, uint64_t at, size_t n)
{
    int32_t tokens[300];

    assert_ok(token_store_read(s, TOKENS_TRAIN, token_store_first(s, TOKENS_TRAIN, document) + at, n, tokens));
    check_sequence(s, (const uint32_t *)tokens, n);
}

static void every_place_of_a_sequence_is_found(void **state)
{
    static const struct making_store *const kinds[] = { &narrow, &wide };

    for (int k = 0; k < 2; k++) {
        uint64_t in_block = k == 0 ? 524280 : 262140, before = 0, document = 0;
        struct token_store *s;

        assert_ok(token_store_open(make_store(kinds[k]), &s));
        assert_true(token_store_tokens(s, TOKENS_TRAIN) > in_block + 200);
        while (before + token_store_length(s, TOKENS_TRAIN, document) < in_block + 200)
            before += token_store_length(s, TOKENS_TRAIN, document++);
        check_piece(s, document, 0, 1);
        check_piece(s, document, 7, 2);
        check_piece(s, document, in_block - before - 1, 2);      /* over the border of a block */
        check_piece(s, document, in_block - before - 100, 300);
        check_piece(s, 0, token_store_length(s, TOKENS_TRAIN, 0) - 3, 3);     /* a document's end */
        token_store_close(s);
    }
}

/* Two neighbours' border is in no document. */
static void what_goes_over_a_document_is_not_found(void **state)
{
    struct token_store *s;
    uint64_t first;
    int32_t tokens[80];

    assert_ok(token_store_open(make_store(&wide), &s));
    first = token_store_first(s, TOKENS_TRAIN, 1);
    assert_true(token_store_length(s, TOKENS_TRAIN, 1) > 40);
    assert_ok(token_store_read(s, TOKENS_TRAIN, first - 40, 80, tokens));
    check_sequence(s, (const uint32_t *)tokens, 80);
    assert_fails(ST_CONFIG, "the token 70000, but the store's vocabulary ends at 69999",
                 store_scan_tokens(&(struct store_scan){ .store = s, .part = -1 }, (const uint32_t[]){ 70000 }, 1));
    token_store_close(s);
}

static bool is_long(void *ctx, const struct token_range *d) { return d->count >= *(uint64_t *)ctx; }

static enum status count(void *ctx, const struct store_find *f, bool *enough)
{
    uint64_t *w = ctx;

    if (f->document.count < w[0])
        fail_msg("document %llu was not wanted", (unsigned long long)f->index);
    w[1]++;
    *enough = w[2] > 0 && w[1] == w[2];
    return ST_OK;
}

static void documents_are_found_by_what_is_wanted(void **state)
{
    struct pool *pool = pool_new(3);
    struct token_store *s;
    uint64_t w[3] = { 5, 0, 0 }, want = 0;
    struct store_scan scan = { .pool = pool, .part = -1, .wants = is_long, .tell = count, .ctx = w };

    assert_ok(token_store_open(make_store(&many), &s));
    scan.store = s;
    for (uint64_t i = 0; i < many.documents; i++)
        want += making_length(&many, i) >= 5;
    assert_ok(store_scan_documents(&scan));
    assert_int_equal(w[1], want);
    w[1] = 0;
    w[2] = 10;
    assert_ok(store_scan_documents(&scan));
    assert_int_equal(w[1], 10);
    w[1] = w[2] = want = 0;
    scan.part = TOKENS_VALIDATION;
    for (uint64_t i = 0; i < many.documents; i++)
        want += making_length(&many, i) >= 5 && token_part_of(making_hash(i), many.validation) == TOKENS_VALIDATION;
    assert_ok(store_scan_documents(&scan));
    assert_int_equal(w[1], want);
    token_store_close(s);
    pool_free(pool);
}

static void names_are_counted(void **state)
{
    struct store_names names[STORE_NAME_KINDS] = { { 0 } };
    struct pool *pool = pool_new(3);
    struct token_store *s;
    uint64_t documents = 0, tokens = 0, languages = 0;

    assert_ok(token_store_open(make_store(&many), &s));
    assert_ok(store_names_count(s, pool, names));
    assert_int_equal(names[STORE_SOURCES].count, 100);
    for (size_t i = 0; i < names[STORE_LANGUAGES].count; i++)
        languages += names[STORE_LANGUAGES].v[i].documents;
    assert_int_equal(languages, many.documents);
    for (size_t i = 0; i < 100; i++) {
        const struct store_name *n = &names[STORE_SOURCES].v[i];

        assert_int_equal(n->documents, many.documents / 100);
        assert_true(i == 0 || n->tokens <= n[-1].tokens);
        documents += n->documents;
        tokens += n->tokens;
    }
    assert_int_equal(documents, many.documents);
    assert_int_equal(tokens, token_store_tokens(s, TOKENS_TRAIN) + token_store_tokens(s, TOKENS_VALIDATION));
    store_names_release(names);
    token_store_close(s);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_of_a_sequence_is_found),
        cmocka_unit_test(what_goes_over_a_document_is_not_found),
        cmocka_unit_test(documents_are_found_by_what_is_wanted),
        cmocka_unit_test(names_are_counted),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
