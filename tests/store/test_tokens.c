/* Token stores: what is written is read back, twice gives the same bytes, whatever its shards. */
#include "store/making.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/tokens/token_reader.h"

#define BLOCK_U16 524280u       /* tokens in a block */

static const struct making_store large = { .documents = 20, .shard_tokens = 3000000, .longest = 500000,
                                           .vocab = 50257, .validation = 0 };
static const struct making_store wide = { .documents = 12, .shard_tokens = 700000, .longest = 200000,
                                          .vocab = 200000, .validation = 0.3 };

static bool same_text(struct span a, struct span b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

static void check_record(const struct token_store *s, enum token_part part, uint64_t index,
                         const struct token_document *want, uint64_t first)
{
    const struct token_span *spans;
    struct token_range r;
    struct span id;
    size_t count;
    uint64_t one = 1;

    assert_ok(token_store_document(s, part, index, &r));
    assert_int_equal(r.first, first);
    assert_int_equal(r.count, want->count);
    assert_int_equal(r.text_hash, want->text_hash);
    assert_int_equal(r.text_bytes, want->text_bytes);
    assert_true(same_text(r.id, want->id) && same_text(r.source, want->source) && same_text(r.language, want->language));
    assert_int_equal(token_store_first(s, part, index), first);
    assert_int_equal(token_store_length(s, part, index), want->count);
    assert_ok(token_store_ids(s, part, index, &id, &one));
    assert_true(one == 1 && same_text(id, want->id));
    assert_ok(token_store_skips(s, part, index, &scratch_arena, &spans, &count));
    assert_int_equal(count, want->unlearnt_count);
    for (size_t i = 0; i < count; i++)
        assert_true(spans[i].first == want->unlearnt[i].first && spans[i].count == want->unlearnt[i].count);
}

/* Document i of the making, which is number `index` of its part and begins at token `first`. */
static void check_document(const struct token_store *s, const struct making_document *doc, enum token_part part,
                           uint64_t index, uint64_t first)
{
    const struct token_document *want = &doc->d;
    int32_t *tokens = mem_array(want->count + 1, sizeof *tokens), *masked = mem_array(want->count + 1, sizeof *tokens);

    check_record(s, part, index, want, first);
    assert_ok(token_store_read(s, part, first, want->count, tokens));
    memcpy(masked, tokens, want->count * sizeof *tokens);
    token_store_mask(s, part, first, want->count, masked);
    for (uint64_t k = 0; k < want->count; k++) {
        if (tokens[k] != (int32_t)want->tokens[k])
            fail_msg("token %d of '%s' is %d", (int)k, doc->id, tokens[k]);
        if (masked[k] != (making_is_unlearnt(want, k) ? -1 : tokens[k]))
            fail_msg("target %d of '%s' is %d", (int)k, doc->id, masked[k]);
    }
    free(masked);
    free(tokens);
}

static void check_store(const struct token_store *s, const struct making_store *m)
{
    uint64_t index[TOKENS_PARTS] = { 0 }, first[TOKENS_PARTS] = { 0 };
    struct making_document doc = { .tokens = NULL };

    for (uint64_t i = 0; i < m->documents; i++) {
        enum token_part part = token_part_of(making_hash(i), m->validation);

        making_make(m, i, &doc);
        check_document(s, &doc, part, index[part]++, first[part]);
        first[part] += making_length(m, i);
    }
    free(doc.tokens);
    for (int p = 0; p < TOKENS_PARTS; p++) {
        assert_int_equal(token_store_documents(s, (enum token_part)p), index[p]);
        assert_int_equal(token_store_tokens(s, (enum token_part)p), first[p]);
        assert_int_equal(token_store_text_bytes(s, (enum token_part)p), 4 * first[p]);
    }
    assert_int_equal(token_store_vocab(s), m->vocab);
    assert_string_equal(token_store_tokenizer(s), MAKING_TOKENIZER);
}

static void what_is_written_is_read_back(void **state)
{
    static const struct { const struct making_store *m; int width; } cases[] = { { &making_small, 2 }, { &large, 2 }, { &wide, 4 } };

    for (size_t i = 0; i < 3; i++) {
        struct token_store *s = open_store(make_store(cases[i].m));

        assert_int_equal(token_store_width(s), cases[i].width);
        check_store(s, cases[i].m);
        assert_ok(token_store_verify(s));
        token_store_close(s);
    }
}

/* A part's stream goes over documents, blocks and shards alike. */
static void slices_meet_without_a_gap(void **state)
{
    struct token_store *s = open_store(make_store(&large));
    uint64_t total = token_store_tokens(s, TOKENS_TRAIN), n, in_block = 0;
    int32_t *all = mem_array(total, sizeof *all);

    assert_true(token_store_shards(s) > 1 && total > 3 * BLOCK_U16);
    assert_ok(token_store_read(s, TOKENS_TRAIN, 0, total, all));
    for (uint64_t at = 0; at < total; at += n) {
        const void *p;
        const uint16_t *tokens;

        assert_ok(token_store_slice(s, TOKENS_TRAIN, at, &p, &n));
        assert_in_range(n, 1, BLOCK_U16);
        assert_int_equal((uintptr_t)p % 16, 0);
        tokens = p;
        in_block += n == BLOCK_U16;
        for (uint64_t k = 0; k < n; k++)
            if (tokens[k] != all[at + k])
                fail_msg("token %d differs", (int)(at + k));
    }
    assert_true(in_block > 2);
    free(all);
    token_store_close(s);
}

static void reading_out_of_range_is_an_error(void **state)
{
    struct token_store *s = open_store(make_store(&making_small));
    uint64_t total = token_store_tokens(s, TOKENS_VALIDATION), n;
    struct token_range r;
    const void *p;
    int32_t out[2];

    assert_ok(token_store_read(s, TOKENS_VALIDATION, total - 2, 2, out));
    assert_ok(token_store_read(s, TOKENS_VALIDATION, total, 0, out));
    assert_fails(ST_LIMIT, "validation of", token_store_read(s, TOKENS_VALIDATION, total - 1, 2, out));
    assert_fails(ST_LIMIT, "tokens from", token_store_read(s, TOKENS_VALIDATION, UINT64_MAX, 2, out));
    assert_fails(ST_LIMIT, "tokens from", token_store_slice(s, TOKENS_VALIDATION, total, &p, &n));
    assert_fails(ST_LIMIT, "document", token_store_document(s, TOKENS_TRAIN, token_store_documents(s, TOKENS_TRAIN), &r));
    token_store_close(s);
}

static void the_same_documents_give_the_same_bytes(void **state)
{
    static const struct making_store *const makings[] = { &making_small, &large, &wide };

    for (size_t i = 0; i < 3; i++) {
        const char *a = make_store(makings[i]), *b = make_store(makings[i]);
        struct file_list files;
        char x[SHA256_HEX], y[SHA256_HEX];

        assert_ok(file_list_tree(&scratch_arena, a, &files));
        for (size_t f = 0; f < files.count; f++) {
            struct span p = read_whole(join(a, files.names[f])), q = read_whole(join(b, files.names[f]));

            if (strcmp(files.names[f], "manifest.json") == 0)
                continue;
            assert_int_equal(p.n, q.n);
            for (size_t at = 0; at < p.n; at++)
                if (p.p[at] != q.p[at])
                    fail_msg("byte %zu of %s differs", at, files.names[f]);
        }
        assert_ok(artifact_digest_path(a, NULL, x));
        assert_ok(artifact_digest_path(b, NULL, y));
        assert_string_equal(x, y);
    }
}

static void the_split_is_by_hash_alone(void **state)
{
    int count = 0;

    for (uint64_t i = 0; i < 100000; i++)
        count += token_part_of(making_hash(i), 0.1) == TOKENS_VALIDATION;
    assert_in_range(count, 9600, 10400);
    assert_int_equal(token_part_of(0, 0), TOKENS_TRAIN);
    assert_int_equal(token_part_of(0, 1e-9), TOKENS_VALIDATION);
    assert_int_equal(token_part_of(UINT64_C(1) << 62, 0.25), TOKENS_TRAIN);
    assert_int_equal(token_part_of((UINT64_C(1) << 62) - 2048, 0.25), TOKENS_VALIDATION);
    assert_int_equal(token_part_of(UINT64_MAX, 0.5), TOKENS_TRAIN);
}

static void an_empty_store_knows_what_it_is(void **state)
{
    const struct making_store none = { .documents = 0, .shard_tokens = 10, .longest = 1, .vocab = 70000, .validation = 0.1 };
    struct token_store *s = open_store(make_store(&none));

    check_store(s, &none);
    assert_int_equal(token_store_shards(s), 1);
    assert_int_equal(token_store_width(s), 4);
    assert_ok(token_store_verify(s));
    token_store_close(s);
}

/* More in one shard than a transaction holds, and than the first size of a block's neighbours: the map, too, is shared. */
static void a_long_document_spans_blocks_and_transactions(void **state)
{
    const struct making_store one = { .documents = 2, .shard_tokens = UINT64_MAX, .longest = 30000000, .vocab = 60000,
                                      .validation = 0 };
    struct token_store *s = open_store(make_store(&one));

    assert_true(token_store_tokens(s, TOKENS_TRAIN) > 17000000);
    check_store(s, &one);
    token_store_close(s);
}

static enum status add_one(const struct token_document *d, uint32_t vocab)
{
    struct token_writer *w;
    struct token_writer_args args = { .folder = scratch_folder("one"), .vocab = vocab, .shard_tokens = 100,
                                      .tokenizer_digest = MAKING_TOKENIZER };
    enum status st;

    assert_ok(token_writer_open(&args, &w));
    st = token_writer_add(w, d);
    token_writer_abort(w);
    return st;
}

static void wrong_input_is_refused(void **state)
{
    uint32_t tokens[] = { 5, 99, 100 };
    char *name = mem_alloc(70000);
    struct token_document d = { .id = { "i", 1 }, .source = { "s", 1 }, .tokens = tokens, .count = 3 };
    struct token_writer_args args = { .folder = "x", .vocab = 9, .shard_tokens = 1, .tokenizer_digest = MAKING_TOKENIZER };
    struct token_writer *w;

    assert_ok(add_one(&d, 101));
    assert_fails(ST_LIMIT, "has the token 100, but the vocabulary ends at 99", add_one(&d, 100));
    tokens[0] = 65536 + 5;      /* which u16 would make 5 */
    assert_fails(ST_LIMIT, "token 65541", add_one(&d, 200));
    tokens[0] = 5;
    memset(name, 'n', 69999);
    d.id = span_of(name);
    assert_fails(ST_LIMIT, "id of 69999 bytes", add_one(&d, 101));
    name[65535] = 0;
    d.id = d.source = span_of(name);
    assert_ok(add_one(&d, 101));
    args.validation = 0.6;
    assert_fails(ST_CONFIG, "0.6, want 0 to 0.5", token_writer_open(&args, &w));
    args.validation = 0;
    args.tokenizer_digest = "abc";
    assert_fails(ST_CONFIG, "digest 'abc'", token_writer_open(&args, &w));
    free(name);
}

static void an_aborted_writer_leaves_no_working_files(void **state)
{
    uint32_t token = 1;
    struct token_writer *w;
    struct token_writer_args args = { .folder = scratch_folder("abort"), .vocab = 10, .shard_tokens = 100,
                                      .tokenizer_digest = MAKING_TOKENIZER };
    struct file_list files;

    assert_ok(token_writer_open(&args, &w));
    assert_ok(token_writer_add(w, &(struct token_document){ .tokens = &token, .count = 1 }));
    token_writer_abort(w);
    assert_ok(file_list_tree(&scratch_arena, args.folder, &files));
    assert_int_equal(files.count, 0);
}

/* ---- shards ---- */

/* The shard gets another name, in the folder and in the manifest. */
static void rename_shard(const char *path, const char *from, const char *to)
{
    const char *name = join(path, "manifest.json");
    json_t *manifest, *files;

    assert_int_equal(rename(join(path, from), join(path, to)), 0);
    assert_ok(json_read_file(name, &manifest));
    files = json_object_get(manifest, "files");
    json_object_set(files, to, json_object_get(files, from));
    json_object_del(files, from);
    assert_ok(json_write_file(name, manifest));
    json_decref(manifest);
    remake_manifest(path);
}

static void numbers_order_shards_and_may_be_missing(void **state)
{
    const char *path = make_store(&making_small);
    struct token_store *s = open_store(path);
    uint64_t shards = token_store_shards(s);
    char from[TOKEN_SHARD_NAME], to[TOKEN_SHARD_NAME];

    assert_true(shards >= 3);
    token_store_close(s);
    for (uint32_t i = (uint32_t)shards; i-- > 0;) {
        token_shard_name((struct token_shard_id){ i, 0 }, from);
        token_shard_name((struct token_shard_id){ 3 * i + 8, i % 3 }, to);
        rename_shard(path, from, to);
    }
    s = open_store(path);
    check_store(s, &making_small);
    assert_int_equal(token_store_shards(s), shards);
    token_store_close(s);
    rename_shard(path, "shard-00008.mdb", "shard-00011.mdb");
    assert_fails(ST_FORMAT, "editions", token_store_open(path, &s));
    rename_shard(path, "shard-00011.mdb", "shard-8.mdb");
    assert_fails(ST_FORMAT, "shard-8.mdb' has no shard's name", token_store_open(path, &s));
}

/* The usual limit of 1,024 is less than a large store has of shards. */
static void more_shards_than_open_files_are_usual(void **state)
{
    struct making_store many = making_small;
    struct rlimit was, low;
    struct token_store *s;
    const char *path;
    int ended;

    many.shard_tokens = 2500;
    path = make_store(&many);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    low = was;
    low.rlim_cur = 16;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    s = open_store(path);
    assert_true(token_store_shards(s) > 16);
    check_store(s, &many);
    token_store_close(s);
    low.rlim_max = 16;
    low.rlim_cur = 16;
    if (fork() == 0) {               /* what is lowered for good is lowered in another process */
        bool told = setrlimit(RLIMIT_NOFILE, &low) == 0 && token_store_open(path, &s) == ST_IO &&
                    strstr(fail_message(), "ulimit -n") != NULL;

        _exit(told ? 0 : 1);
    }
    assert_true(wait(&ended) > 0 && ended == 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
}

static void content_does_not_know_of_shards(void **state)
{
    struct making_store other = making_small;
    char a[SHA256_HEX], b[SHA256_HEX];
    struct token_store *s = open_store(make_store(&making_small));

    assert_ok(token_store_content(s, a));
    token_store_close(s);
    for (int i = 0; i < 4; i++) {
        other = making_small;
        other.shard_tokens = i == 0 ? UINT64_MAX : 1777;
        other.documents -= i == 1;
        other.validation += i == 2 ? 0.01 : 0;
        other.longest += i == 3;
        s = open_store(make_store(&other));
        assert_ok(token_store_content(s, b));
        token_store_close(s);
        assert_int_equal(strcmp(a, b) == 0, i == 0);
    }
}

/* ---- threads ---- */

struct reader_job {
    const struct token_store *s;
    uint64_t from;
    bool bad;
};

static void *read_documents(void *arg)
{
    struct reader_job *job = arg;
    uint64_t n = token_store_documents(job->s, TOKENS_TRAIN);

    for (uint64_t k = 0; k < 4 * n; k++) {
        uint64_t index = (job->from + k * 7) % n;
        struct token_range r;
        int32_t token;

        if (token_store_document(job->s, TOKENS_TRAIN, index, &r) != ST_OK || r.id.n < 10 ||
            (r.count > 0 && token_store_read(job->s, TOKENS_TRAIN, r.first, 1, &token) != ST_OK))
            job->bad = true;
    }
    return NULL;
}

static void threads_may_read_one_store(void **state)
{
    struct token_store *s = open_store(make_store(&making_small));
    pthread_t threads[4];
    struct reader_job jobs[4];

    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct reader_job){ s, (uint64_t)i * 13, false };
        assert_int_equal(pthread_create(&threads[i], NULL, read_documents, &jobs[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_false(jobs[i].bad);
    }
    token_store_close(s);
}

/* Version 2 of the shard, which must always be read so. */
static void the_golden_store_is_read(void **state)
{
    struct token_store *s = open_store(golden("tokens"));
    struct token_range r;
    int32_t tokens[5];

    assert_int_equal(token_store_tokens(s, TOKENS_TRAIN), 5);
    assert_int_equal(token_store_documents(s, TOKENS_TRAIN), 2);
    assert_ok(token_store_document(s, TOKENS_TRAIN, 1, &r));
    assert_true(span_eq(r.id, "second") && span_eq(r.source, "notes.txt") && r.language.n == 0);
    assert_int_equal(r.text_bytes, 4);
    assert_int_equal(r.first, 3);
    assert_int_equal(r.text_hash, 0x1122334455667788);
    assert_ok(token_store_read(s, TOKENS_TRAIN, 0, 5, tokens));
    assert_memory_equal(tokens, ((int32_t[]){ 1, 2, 0, 299, 0 }), sizeof tokens);
    token_store_mask(s, TOKENS_TRAIN, 0, 5, tokens);
    assert_memory_equal(tokens, ((int32_t[]){ 1, 2, 0, -1, 0 }), sizeof tokens);
    assert_ok(token_store_document(s, TOKENS_TRAIN, 0, &r));
    assert_true(span_eq(r.language, "en") && r.text_bytes == 5);
    assert_ok(token_store_verify(s));
    token_store_close(s);
}

static void a_store_of_version_1_is_refused(void **state)
{
    struct token_store *s;

    assert_fails(ST_UNSUPPORTED, "make it again", token_store_open(golden("tokens-1"), &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(slices_meet_without_a_gap),
        cmocka_unit_test(reading_out_of_range_is_an_error),
        cmocka_unit_test(the_same_documents_give_the_same_bytes),
        cmocka_unit_test(the_split_is_by_hash_alone),
        cmocka_unit_test(an_empty_store_knows_what_it_is),
        cmocka_unit_test(a_long_document_spans_blocks_and_transactions),
        cmocka_unit_test(wrong_input_is_refused),
        cmocka_unit_test(an_aborted_writer_leaves_no_working_files),
        cmocka_unit_test(numbers_order_shards_and_may_be_missing),
        cmocka_unit_test(more_shards_than_open_files_are_usual),
        cmocka_unit_test(content_does_not_know_of_shards),
        cmocka_unit_test(threads_may_read_one_store),
        cmocka_unit_test(the_golden_store_is_read),
        cmocka_unit_test(a_store_of_version_1_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
