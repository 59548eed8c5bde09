/* Blends: made of stores on disk, found again by digest, sampled with the tokens that the stores have. */
#include "store/making.h"

#include "store/artifact/artifact_search.h"
#include "store/blend_cmd.h"
#include "store/sampling/blend.h"

#define LONGEST 90

/* Document i of a store: length, tokens; every third one has tokens in its middle that are not to be learnt. */
static uint64_t length_of(uint64_t store, uint64_t i) { return 1 + rng_at(store, 2, i) % LONGEST; }
static uint32_t token_of(uint64_t store, uint64_t i, uint64_t k) { return (uint32_t)(rng_at(store * 1000 + i, 5, k) % 1000); }
static bool is_unlearnt(uint64_t store, uint64_t i, uint64_t k)
{
    uint64_t n = length_of(store, i);

    return i % 3 == 0 && n >= 4 && k >= n / 4 && k < n / 2;
}

static void fill(uint64_t store, uint64_t documents, const char *tokenizer, const char *folder)
{
    struct token_writer *w;
    json_t *counts;

    assert_ok(token_writer_open(&(struct token_writer_args){ .folder = folder, .vocab = 1000, .shard_tokens = 1500,
                                                             .tokenizer_digest = tokenizer }, &w));
    for (uint64_t i = 0; i < documents; i++) {
        uint64_t n = length_of(store, i);
        struct token_span unlearnt = { n / 4, n / 2 - n / 4 };
        uint32_t tokens[LONGEST];
        char id[64], source[64];

        making_names(i, id, source);
        for (uint64_t k = 0; k < n; k++)
            tokens[k] = token_of(store, i, k);
        assert_ok(token_writer_add(w, &(struct token_document){ .id = span_of(id), .source = span_of(source),
                                                               .text_hash = making_hash(i), .text_bytes = n, .tokens = tokens,
                                                               .count = n, .unlearnt = &unlearnt,
                                                               .unlearnt_count = is_unlearnt(store, i, n / 4) }));
    }
    assert_ok(token_writer_close(w, &counts));
    json_decref(counts);
}

static const char *put_store(const char *path, uint64_t store, uint64_t documents, const char *tokenizer)
{
    struct making_cfg cfg = { .out = path };
    struct artifact *a;

    assert_ok(artifact_begin(&making_tokens, &cfg, path, &a));
    fill(store, documents, tokenizer, artifact_folder(a));
    put_file(join(artifact_folder(a), "tokenizer.json"), "{}", 2);
    assert_ok(artifact_commit(a, NULL));
    return path;
}

/* `tundish store blend` with these words. */
static enum status blend(const char *const *words)
{
    struct arena a = { 0 };
    void *cfg = mem_alloc(cmd_store_blend.cfg_size);
    char *argv[32];
    int argc = 0;
    enum status st;

    for (; words[argc]; argc++)
        argv[argc] = (char *)words[argc];
    st = opt_parse(cmd_store_blend.opts, &a, argc, argv, cfg);
    if (st == ST_OK)
        st = cmd_store_blend.run(&a, cfg);
    free(cfg);
    arena_release(&a);
    return st;
}
#define BLEND(...) blend((const char *const[]){ __VA_ARGS__, "--quiet", NULL })

/* ---- tests ---- */

static void check_tokens(const struct sampling_piece *p, uint64_t store, const int32_t *tokens, const int32_t *targets, uint64_t T)
{
    for (uint64_t k = 0; k < p->count; k++) {
        uint64_t i = p->offset + k, n = length_of(store, p->document);

        assert_int_equal(tokens[p->at + k], token_of(store, p->document, i));
        if (i + 1 == n)
            assert_int_equal(targets[p->at + k], -1);
        else if (is_unlearnt(store, p->document, i + 1))
            assert_int_equal(targets[p->at + k], -1);
        else
            assert_int_equal(targets[p->at + k], token_of(store, p->document, i + 1));
    }
    assert_true(p->at + p->count <= T);
}

/* Whatever the packing, rows hold the tokens of the documents that their pieces name, and each token once an epoch. */
static void a_blend_reads_its_stores(void **state)
{
    const char *folder = scratch_folder("reads"), *first = put_store(join(folder, "first"), 1, 80, MAKING_TOKENIZER),
               *second = put_store(join(folder, "second"), 2, 30, MAKING_TOKENIZER), *out = join(folder, "blend");
    struct blend b;
    int32_t tokens[64], targets[64];

    assert_ok(BLEND(first, second, "--weight", "0.25", "--weight", "0.75", "--epochs", "2", "--out", out));
    assert_ok(blend_open(out, &b));
    assert_int_equal(b.count, 2);
    assert_true(b.sources[0].weight == 0.25 && b.sources[1].weight == 0.75 && b.sources[0].epochs == 2 && b.sources[1].epochs == 2);
    assert_int_equal(blend_tokens(&b, TOKENS_TRAIN),
                     token_store_tokens(b.sources[0].store, TOKENS_TRAIN) + token_store_tokens(b.sources[1].store, TOKENS_TRAIN));
    for (int packing = 0; packing < PACKINGS; packing++) {
        struct sampling_phase phase = { .length = 64, .rows = 1, .sources = b.sources, .source_count = 2 };
        struct sampling *s;
        uint64_t read[2] = { 0 };

        assert_ok(sampling_open(&(struct sampling_args){ .seed = 1, .packing = (enum packing)packing, .window = 10, .apart = true,
                                                         .phases = &phase, .phase_count = 1 }, &s));
        for (uint64_t step = 0; step < sampling_steps(s); step++) {
            const struct sampling_piece *pieces;
            size_t n;

            assert_ok(sampling_read(s, step, 0, 1, &(struct sampling_batch){ tokens, targets, NULL }));
            assert_ok(sampling_pieces(s, step, 0, &pieces, &n));
            for (size_t i = 0; i < n; i++) {
                check_tokens(&pieces[i], pieces[i].source + 1, tokens, targets, 64);
                read[pieces[i].source] += pieces[i].count;
            }
        }
        for (int i = 0; i < 2; i++) {
            uint64_t all = 2 * token_store_tokens(b.sources[i].store, TOKENS_TRAIN);

            assert_in_range(read[i], packing == PACK_CONCAT ? all - 64 : all, all);
        }
        sampling_close(s);
    }
    blend_close(&b);
}

static void a_store_alone_is_a_blend_of_one(void **state)
{
    const char *path = put_store(scratch_path("alone"), 1, 20, MAKING_TOKENIZER);
    struct blend b;

    assert_ok(blend_open(path, &b));
    assert_true(b.count == 1 && b.sources[0].weight == 1 && b.sources[0].epochs == 0);
    blend_close(&b);
    assert_int_equal(blend_open(scratch_path("nowhere"), &b), ST_MISSING);
}

static const char *digest_of(const char *path)
{
    json_t *manifest;
    const char *digest;

    assert_ok(artifact_open(path, NULL, &manifest));
    digest = arena_strdup(&scratch_arena, artifact_digest(manifest));
    json_decref(manifest);
    return digest;
}

/* Another place is no other blend; stores that moved along are found; others in their place are refused. */
static void stores_are_known_by_their_digests(void **state)
{
    const char *here = scratch_folder("here"), *there = scratch_path("there"), *out = join(here, "blend");
    const char *digest, *path;
    struct blend b;
    struct artifact_search s = { .arena = &scratch_arena };

    put_store(join(here, "a"), 1, 20, MAKING_TOKENIZER);
    put_store(join(here, "b"), 2, 20, MAKING_TOKENIZER);
    assert_ok(BLEND(join(here, "a"), join(here, "b"), "--out", out));
    digest = digest_of(out);
    assert_int_equal(rename(here, there), 0);
    assert_ok(blend_open(join(there, "blend"), &b));
    assert_true(b.sources[0].weight == (double)token_store_tokens(b.sources[0].store, TOKENS_TRAIN));
    blend_close(&b);
    assert_ok(BLEND(join(there, "a"), join(there, "b"), "--out", join(there, "again")));
    assert_string_equal(digest_of(join(there, "again")), digest);

    s.digest = digest_of(join(there, "b"));
    assert_ok(artifact_search_in(&s, there, &path));
    assert_string_equal(path, join(there, "b"));
    s.digest = MAKING_TOKENIZER;
    assert_ok(artifact_search_in(&s, there, &path));
    assert_null(path);

    put_store(join(there, "b"), 3, 20, MAKING_TOKENIZER);
    assert_fails(ST_MISSING, "make the blend again", blend_open(join(there, "blend"), &b));
    assert_ok(file_remove_tree(join(there, "b")));
    assert_fails(ST_MISSING, "is neither", blend_open(join(there, "blend"), &b));
    put_file(join(there, "again/blend.json"), "{}", 2);
    assert_int_not_equal(blend_open(join(there, "again"), &b), ST_OK);
    assert_fails(ST_CONFIG, "want a token-store or a token-blend", blend_open(golden("corpus"), &b));
}

static void what_makes_no_blend_is_refused(void **state)
{
    const char *a = put_store(scratch_path("a"), 1, 20, MAKING_TOKENIZER), *out = scratch_path("none"),
               *b = put_store(scratch_path("b"), 2, 20, "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");

    assert_fails(ST_CONFIG, "one tokenizer", BLEND(a, b, "--out", out));
    assert_fails(ST_CONFIG, "are the same store", BLEND(a, a, "--out", out));
    assert_fails(ST_CONFIG, "2 weights for 1 stores", BLEND(a, "--weight", "1", "--weight", "2", "--out", out));
    assert_fails(ST_CONFIG, "want a number", BLEND(a, "--weight", "half", "--out", out));
    assert_fails(ST_CONFIG, "the weight nan", BLEND(a, "--weight", "nan", "--out", out));
    assert_fails(ST_CONFIG, "the weight 0", BLEND(a, "--weight", "0", "--out", out));
    assert_fails(ST_CONFIG, "at most -1 times", BLEND(a, "--epochs=-1", "--out", out));
    assert_false(file_exists(out));
}

static void a_record_says_what_it_was_printed_from(void **state)
{
    static const struct { const char *text, *words; } bad[] = {
        { "{", "string or" },
        { "[]", "version" },
        { "{\"version\":2}", "want 1" },
        { "{\"version\":1,\"tokenizer\":\"x\",\"stores\":[]}", "want 64 hex digits" },
        { "{\"version\":1,\"tokenizer\":\"" MAKING_TOKENIZER "\",\"stores\":[]}", "a list of 0" },
        { "{\"version\":1,\"tokenizer\":\"" MAKING_TOKENIZER "\",\"stores\":[{\"digest\":\"" MAKING_TOKENIZER
          "\",\"weight\":0.0,\"epochs\":1.0,\"documents\":1,\"tokens\":1}]}", "a weight of 0" },
        { "{\"version\":1,\"tokenizer\":\"" MAKING_TOKENIZER "\",\"stores\":[{\"digest\":\"" MAKING_TOKENIZER
          "\",\"weight\":1.0,\"epochs\":-1.0,\"documents\":1,\"tokens\":1}]}", "-1 epochs" },
        { "{\"version\":1,\"tokenizer\":\"" MAKING_TOKENIZER "\",\"stores\":[{\"digest\":\"" MAKING_TOKENIZER
          "\",\"weight\":1.0,\"epochs\":1.0,\"documents\":0,\"tokens\":1}]}", "want at least 1" },
    };
    struct blend_store store = { MAKING_TOKENIZER, 1.0 / 3, 0.5, 7, (uint64_t)1 << 40 };
    struct blend_record r = { MAKING_TOKENIZER, &store, 1 }, again;
    struct buf text = { 0 };

    blend_print(&r, &text);
    assert_ok(blend_parse("it", (struct span){ text.p, text.n }, &scratch_arena, &again));
    assert_int_equal(again.count, 1);
    assert_string_equal(again.tokenizer, r.tokenizer);
    assert_string_equal(again.stores[0].digest, store.digest);
    assert_true(again.stores[0].weight == store.weight && again.stores[0].epochs == store.epochs);
    assert_true(again.stores[0].documents == store.documents && again.stores[0].tokens == store.tokens);
    buf_release(&text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(ST_FORMAT, bad[i].words, blend_parse("it", span_of(bad[i].text), &scratch_arena, &again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blend_reads_its_stores),
        cmocka_unit_test(a_store_alone_is_a_blend_of_one),
        cmocka_unit_test(stores_are_known_by_their_digests),
        cmocka_unit_test(what_makes_no_blend_is_refused),
        cmocka_unit_test(a_record_says_what_it_was_printed_from),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
