/* Token stores that are damaged: a fault is found before LMDB sees it, and named by block and documents. */
#include "store/making.h"

#include <unistd.h>

#include "store/tokens/token_reader.h"

static void a_flipped_bit_is_found_before_lmdb_sees_it(void **state)
{
    const char *path = make_store(&making_small), *file = join(path, "shard-00001.mdb");
    struct token_store *s;
    uint64_t bytes;

    assert_ok(file_size(file, &bytes));
    for (uint64_t at = 0; at < bytes; at += at < 600 ? 1 : 811) {
        flip_bit(file, at, (int)(at % 8));
        assert_fails(ST_INTEGRITY, "shard-00001.mdb' is damaged", token_store_open(path, &s));
        flip_bit(file, at, (int)(at % 8));
    }
    s = open_store(path);
    token_store_close(s);
}

static void a_cut_off_or_missing_shard_is_refused(void **state)
{
    const char *path = make_store(&making_small), *file = join(path, "shard-00000.mdb");
    struct token_shard shard;
    struct token_store *s;
    uint64_t bytes;

    assert_ok(file_size(join(path, "shard-00001.mdb"), &bytes));
    for (uint64_t pages = bytes / 4096; pages-- > 0;) {
        const char *cut = join(path, "shard-00001.mdb");

        assert_int_equal(truncate(cut, (off_t)pages * 4096), 0);
        assert_true(token_shard_open(&shard, cut) != ST_OK); /* without a digest */
        assert_true(pages < 2 || strstr(fail_message(), "was cut off") != NULL);
        token_shard_close(&shard);
    }
    path = make_store(&making_small);
    file = join(path, "shard-00000.mdb");
    assert_ok(file_size(file, &bytes));
    assert_int_equal(truncate(file, (off_t)bytes - 4096), 0);
    assert_fails(ST_INTEGRITY, "its manifest wants", token_store_open(path, &s));
    assert_int_equal(truncate(file, (off_t)bytes), 0);
    assert_fails(ST_INTEGRITY, "is damaged", token_store_open(path, &s));
    assert_int_equal(unlink(file), 0);
    assert_fails(ST_INTEGRITY, "is missing", token_store_open(path, &s));
}

/* Where the tokens of the file's first block begin: a value of whole pages, behind its page's head. */
static size_t find_block(struct span file, const struct making_store *m)
{
    uint16_t want[4];

    for (uint64_t i = 0; i < m->documents; i++)
        if (making_length(m, i) >= 4) {
            for (uint64_t k = 0; k < 4; k++)
                want[k] = (uint16_t)making_token(m, i, k);
            break;
        }
    for (size_t at = 16; at + 8 < file.n; at += 4096)
        if (memcmp(file.p + at, want, 8) == 0)
            return at;
    fail_msg("no block in %zu bytes", file.n);
    return 0;
}

/* Where these bytes, which lie in an open store's map, are in its file. */
static size_t place_of(const char *file, const void *p, size_t n)
{
    struct span whole = read_whole(file);
    const char *at = memmem(whole.p, whole.n, p, n);

    assert_non_null(at);
    return (size_t)(at - whole.p);
}

/* Byte `at` of the file is flipped and the manifest made anew: the words are in what verifying says. */
static void check_named(const char *path, size_t at, const char *const words[3])
{
    const char *file = join(path, "shard-00000.mdb");
    struct token_store *s;

    flip_bit(file, at, 3);
    remake_manifest(path);
    s = open_store(path);
    assert_fails(ST_INTEGRITY, words[0], token_store_verify(s));
    for (int i = 1; i < 3; i++)
        if (strstr(fail_message(), words[i]) == NULL)
            fail_msg("'%s', want '%s'", fail_message(), words[i]);
    token_store_close(s);
    flip_bit(file, at, 3);
}

static void verify_names_the_block_and_its_documents(void **state)
{
    const struct making_store m = { .documents = 40, .shard_tokens = 2000000, .longest = 60000, .vocab = 1000 };
    const char *path = make_store(&m), *file = join(path, "shard-00000.mdb");
    struct token_shard s;
    size_t spans, hashes, id, label;

    assert_ok(token_shard_open(&s, file));
    spans = place_of(file, s.parts[TOKENS_TRAIN].skips[0], 64);
    hashes = place_of(file, s.parts[TOKENS_TRAIN].docs[0].text_hash, 64);
    id = place_of(file, "document 17document 18", 22);
    label = place_of(file, "source 12l5", 11);
    token_shard_close(&s);
    check_named(path, find_block(read_whole(file), &m) + 1000,
                (const char *[]){ "block 0 of 'train.tok' differs", "documents 0 to ",
                                  "'document 0 with a longer name' to 'document " });
    check_named(path, hashes + 8, (const char *[]){ "block 0 of 'train.doc' differs", "documents 0 to 39 of train", "document 39" });
    check_named(path, id + 9, (const char *[]){ "block 0 of 'train.doc' differs", "documents 0 to 39 of train", "document 39" });
    check_named(path, spans + 24, (const char *[]){ "block 0 of 'train.skip' differs", "documents 1 to 37", "'document 1' to 'document 37'" });
    check_named(path, label + 3, (const char *[]){ "block 12 of 'src' differs", "of 1 documents", "'document 12 with" });
}

/* Damage that leads from one place to another is found on opening. */
static void a_record_that_leads_astray_is_refused(void **state)
{
    const struct making_store m = { .documents = 40, .shard_tokens = 2000000, .longest = 60000, .vocab = 1000 };
    const char *path = make_store(&m), *file = join(path, "shard-00000.mdb");
    struct token_store *s;
    struct token_shard shard;
    size_t places[4];

    assert_ok(token_shard_open(&shard, file));
    places[0] = place_of(file, shard.parts[TOKENS_TRAIN].docs[0].end, 64) + 8 * 7 + 5;
    places[1] = place_of(file, shard.parts[TOKENS_TRAIN].docs[0].label, 64) + 4 * 7 + 2;
    places[2] = place_of(file, shard.parts[TOKENS_TRAIN].docs[0].id_end, 64) + 4 * 7 + 2;
    places[3] = place_of(file, shard.parts[TOKENS_TRAIN].skips[0], 64) + 16 + 5;
    token_shard_close(&shard);
    for (int i = 0; i < 4; i++) {
        flip_bit(file, places[i], 6);
        remake_manifest(path);
        assert_fails(ST_INTEGRITY, i < 3 ? "block 0 of 'train.doc' differs from its checksum; it is documents 0 to"
                                         : "block 0 of 'train.skip'", token_store_open(path, &s));
        flip_bit(file, places[i], 6);
    }
}

static void a_token_outside_the_vocabulary_is_found_on_reading(void **state)
{
    const char *path = make_store(&making_small), *file = join(path, "shard-00000.mdb");
    struct token_store *s;
    int32_t out[8];
    const char *name;
    size_t at;

    /* The first document of train is not number 0 of all: look for the first block by its page instead. */
    s = open_store(path);
    {
        const void *p;
        uint64_t n;
        struct span whole = read_whole(file);

        assert_ok(token_store_slice(s, TOKENS_TRAIN, 0, &p, &n));
        name = memmem(whole.p, whole.n, p, 64);
        assert_non_null(name);
        at = (size_t)(name - whole.p);
    }
    token_store_close(s);
    flip_bit(file, at + 1, 7);
    remake_manifest(path);
    s = open_store(path);
    assert_fails(ST_INTEGRITY, "but its vocabulary ends at 999", token_store_read(s, TOKENS_TRAIN, 0, 8, out));
    token_store_close(s);
}

static void shards_that_do_not_belong_together_are_refused(void **state)
{
    const struct making_store other = { .documents = 400, .shard_tokens = 9000, .longest = 300, .vocab = 999,
                                        .validation = 0.25 };
    const char *path = make_store(&making_small), *from = make_store(&other);
    struct span alien = read_whole(join(from, "shard-00001.mdb")), own = read_whole(join(path, "shard-00001.mdb"));
    struct token_store *s;

    put_file(join(path, "shard-00001.mdb"), alien.p, alien.n);
    remake_manifest(path);
    assert_fails(ST_FORMAT, "made with another tokenizer (999 entries", token_store_open(path, &s));
    put_file(join(path, "shard-00001.mdb"), own.p, own.n);
    remake_manifest(path);
    token_store_close(open_store(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_is_found_before_lmdb_sees_it),
        cmocka_unit_test(a_cut_off_or_missing_shard_is_refused),
        cmocka_unit_test(verify_names_the_block_and_its_documents),
        cmocka_unit_test(a_record_that_leads_astray_is_refused),
        cmocka_unit_test(a_token_outside_the_vocabulary_is_found_on_reading),
        cmocka_unit_test(shards_that_do_not_belong_together_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
