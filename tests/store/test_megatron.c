/* Megatron's indexed dataset: the bytes of its own builder, and every way an index can be wrong. */
#include "store/making.h"

#include "store/formats/export_file.h"
#include "store/formats/megatron.h"

static const uint64_t lengths[] = { 3, 0, 1, 40, 7 };
#define DOCUMENTS 5u

/* The documents of the golden files. */
static uint32_t golden_token(uint32_t vocab, uint64_t d, uint64_t k)
{
    return (uint32_t)((d * 7919 + k * 2654435761u) % vocab);
}

static const char *make_golden_store(uint32_t vocab)
{
    const char *path = scratch_path("store");
    struct making_cfg cfg = { .out = path };
    struct token_writer_args args = { .vocab = vocab, .shard_tokens = 40, .tokenizer_digest = MAKING_TOKENIZER };
    struct token_writer *w;
    struct artifact *a;
    uint32_t tokens[64];
    json_t *counts;

    assert_ok(artifact_begin(&making_tokens, &cfg, path, &a));
    args.folder = artifact_folder(a);
    assert_ok(token_writer_open(&args, &w));
    for (uint64_t d = 0; d < DOCUMENTS; d++) {
        for (uint64_t k = 0; k < lengths[d]; k++)
            tokens[k] = golden_token(vocab, d, k);
        assert_ok(token_writer_add(w, &(struct token_document){ .id = span_of("i"), .source = span_of("s"), .text_hash = d,
                                                               .tokens = tokens, .count = lengths[d] }));
    }
    assert_ok(token_writer_close(w, &counts));
    artifact_set_counts(a, counts);
    assert_ok(artifact_commit(a, NULL));
    return path;
}

static void assert_same_file(const char *a, const char *b)
{
    struct span x = read_whole(a), y = read_whole(b);

    assert_int_equal(x.n, y.n);
    assert_memory_equal(x.p, y.p, x.n);
}

static void export_equals(uint32_t vocab, const char *name)
{
    const char *prefix = scratch_path("out");
    struct token_store *s;

    assert_ok(token_store_open(make_golden_store(vocab), &s));
    assert_int_equal(token_store_width(s), vocab <= 65536 ? 2 : 4);
    assert_ok(megatron_write(&(struct megatron_export){ s, TOKENS_TRAIN, prefix }));
    for (int i = 0; i < 2; i++) {
        const char *end = i ? "idx" : "bin";

        assert_same_file(arena_printf(&scratch_arena, "%s.%s", prefix, end),
                         golden(arena_printf(&scratch_arena, "megatron/%s.%s", name, end)));
    }
    token_store_close(s);
}

/* u16 tokens become i32 above 65,500 entries; a store of u32 is written with the same bytes. */
static void what_is_exported_is_what_megatron_writes(void **state)
{
    export_equals(50257, "u16");
    export_equals(65500, "i32");
}

static void a_store_of_u32_is_exported_as_i32(void **state)
{
    const char *prefix = scratch_path("wide");
    struct megatron_index x;
    struct token_store *s;
    struct span idx, bin;
    uint32_t seen[64];

    assert_ok(token_store_open(make_golden_store(200000), &s));
    assert_ok(megatron_write(&(struct megatron_export){ s, TOKENS_TRAIN, prefix }));
    token_store_close(s);
    idx = read_whole(arena_printf(&scratch_arena, "%s.idx", prefix));
    bin = read_whole(arena_printf(&scratch_arena, "%s.bin", prefix));
    assert_ok(megatron_parse("idx", idx, bin.n, &x));
    assert_int_equal(x.width, 4);
    assert_int_equal(x.documents, DOCUMENTS);
    for (uint64_t d = 0, at = 0; d < DOCUMENTS; at += lengths[d++]) {
        uint64_t sequences;

        assert_int_equal(megatron_document(&x, d, &sequences), lengths[d]);
        assert_int_equal(sequences, 1);
        megatron_widen(&x, (const unsigned char *)bin.p + 4 * at, lengths[d], seen);
        for (uint64_t k = 0; k < lengths[d]; k++)
            assert_int_equal(seen[k], golden_token(200000, d, k));
    }
}

static void an_export_replaces_what_was_there(void **state)
{
    const char *prefix = scratch_path("again");
    struct token_store *s;
    struct file_list list;

    assert_ok(token_store_open(make_golden_store(50257), &s));
    put_file(arena_printf(&scratch_arena, "%s.idx", prefix), "old", 3);
    assert_ok(megatron_write(&(struct megatron_export){ s, TOKENS_TRAIN, prefix }));
    assert_same_file(arena_printf(&scratch_arena, "%s.idx", prefix), golden("megatron/u16.idx"));
    assert_fails(ST_CONFIG, "'validation' of the store has no documents",
                 megatron_write(&(struct megatron_export){ s, TOKENS_VALIDATION, prefix }));
    assert_fails(ST_IO, "cannot create the folder",
                 megatron_write(&(struct megatron_export){ s, TOKENS_TRAIN, join(arena_printf(&scratch_arena, "%s.bin", prefix), "such") }));
    token_store_close(s);
    assert_ok(file_list_tree(&scratch_arena, scratch_root, &list));
    for (size_t i = 0; i < list.count; i++)
        assert_null(strstr(list.names[i], ".tmp."));
}

/* ---- reading ---- */

static void megatrons_own_files_are_read(void **state)
{
    struct span idx = read_whole(golden("megatron/several.idx")), bin = read_whole(golden("megatron/several.bin"));
    struct megatron_index x;
    uint64_t sequences;
    uint32_t seen[6];

    assert_ok(megatron_parse("idx", idx, bin.n, &x));
    assert_int_equal(x.sequences, 3);
    assert_int_equal(x.documents, 2);
    assert_int_equal(megatron_document(&x, 0, &sequences), 5);
    assert_int_equal(sequences, 2);
    assert_int_equal(megatron_document(&x, 1, &sequences), 1);
    megatron_widen(&x, (const unsigned char *)bin.p, 6, seen);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(seen[i], i + 1);
    assert_fails(ST_UNSUPPORTED, "multimodal",
                 megatron_parse("idx", read_whole(golden("megatron/modes.idx")), 6, &x));
}

static void ids_of_other_types_are_taken_or_told(void **state)
{
    static const unsigned char bytes[] = { 0xFF, 0xFF, 0xFF, 0xFF, 7, 0, 0, 0 };
    uint32_t out[2];

    megatron_widen(&(struct megatron_index){ .width = 4, .is_signed = true }, bytes, 2, out);
    assert_int_equal(out[0], UINT32_MAX);    /* -1 */
    assert_int_equal(out[1], 7);
    megatron_widen(&(struct megatron_index){ .width = 8, .is_signed = true }, bytes, 1, out);
    assert_int_equal(out[0], UINT32_MAX);    /* 2^35 - 1 */
    megatron_widen(&(struct megatron_index){ .width = 2, .is_signed = false }, bytes, 1, out);
    assert_int_equal(out[0], 65535);
    megatron_widen(&(struct megatron_index){ .width = 2, .is_signed = true }, bytes, 1, out);
    assert_int_equal(out[0], UINT32_MAX);
    megatron_widen(&(struct megatron_index){ .width = 1, .is_signed = false }, bytes + 4, 1, out);
    assert_int_equal(out[0], 7);
}

/* The golden index with one byte changed, or so many bytes of it. */
static void refused(enum status want, const char *words, size_t at, unsigned char value, size_t n)
{
    struct span idx = read_whole(golden("megatron/u16.idx"));
    char *copy = arena_strndup(&scratch_arena, idx.p, idx.n);
    struct megatron_index x;

    if (at < idx.n)
        copy[at] = (char)value;
    assert_fails(want, words, megatron_parse("idx", (struct span){ copy, n ? n : idx.n }, 102, &x));
}

static void a_wrong_index_is_refused_with_its_place(void **state)
{
    struct span idx = read_whole(golden("megatron/u16.idx"));
    struct megatron_index x;

    assert_ok(megatron_parse("idx", idx, 102, &x));
    refused(ST_FORMAT, "does not begin with MMIDIDX", 0, 'm', 0);
    refused(ST_UNSUPPORTED, "version 2, at byte 9, want 1", 9, 2, 0);
    refused(ST_FORMAT, "at byte 17, is 9, want 1 to 8", 17, 9, 0);
    refused(ST_UNSUPPORTED, "at byte 17, is 7 (f32)", 17, 7, 0);
    refused(ST_FORMAT, "sequence 1, at byte 62, is 6, want 12", 17, 4, 0);
    refused(ST_FORMAT, "do not fit", 25, 0x80, 0);
    refused(ST_FORMAT, "do not fit", 33, 0x80, 0);
    refused(ST_FORMAT, "but 6 sequences and 6 document entries take 154", 18, 6, 0);
    refused(ST_FORMAT, "no document entries", 26, 0, 34 + 60);
    refused(ST_FORMAT, "the length of sequence 0, at byte 34, is -", 37, 0x80, 0);
    refused(ST_FORMAT, "the pointer of sequence 1, at byte 62, is 7, want 6", 62, 7, 0);
    refused(ST_FORMAT, "document entry 0, at byte 94, is 1, want 0 to 0", 94, 1, 0);
    refused(ST_FORMAT, "document entry 2, at byte 110, is 0, want 1 to 5", 110, 0, 0);
    refused(ST_FORMAT, "document entry 5, at byte 134, is 6, want 4 to 5", 134, 6, 0);
    refused(ST_FORMAT, "the last document entry, at byte 134, is 4, want 5", 134, 4, 0);
    assert_fails(ST_FORMAT, "take 102 bytes, but the .bin file has 100", megatron_parse("idx", idx, 100, &x));
    for (size_t n = 0; n < idx.n; n++)
        assert_int_not_equal(megatron_parse("idx", (struct span){ idx.p, n }, 102, &x), ST_OK);
}

/* ---- export files ---- */

static void an_exported_file_is_seen_when_it_is_whole(void **state)
{
    const char *path = scratch_path("lines.jsonl"), *packed = scratch_path("lines.jsonl.zst");
    struct export_file *f;

    assert_ok(export_file_open(path, &f));
    for (int i = 0; i < 300000; i++)
        assert_ok(export_file_add(f, "twelve bytes", 12));
    assert_false(file_exists(path));
    assert_ok(export_file_finish(f));
    assert_false(file_exists(path));
    assert_ok(export_file_commit(f));
    assert_int_equal(read_whole(path).n, 3600000);
    assert_ok(export_file_open(packed, &f));
    assert_ok(export_file_add(f, "a line\n", 7));
    assert_ok(export_file_finish(f));
    assert_ok(export_file_commit(f));
    assert_memory_equal(read_whole(packed).p, "\x28\xB5\x2F\xFD", 4);
    assert_ok(export_file_open(scratch_path("never"), &f));
    export_file_abort(f);
    assert_fails(ST_CONFIG, "is a folder", export_file_open(scratch_root, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_exported_is_what_megatron_writes),
        cmocka_unit_test(a_store_of_u32_is_exported_as_i32),
        cmocka_unit_test(an_export_replaces_what_was_there),
        cmocka_unit_test(megatrons_own_files_are_read),
        cmocka_unit_test(ids_of_other_types_are_taken_or_told),
        cmocka_unit_test(a_wrong_index_is_refused_with_its_place),
        cmocka_unit_test(an_exported_file_is_seen_when_it_is_whole),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
