/* safetensors files: round trips, and headers that must not pass. */
#include "store/scratch.h"

#include "store/formats/tensors.h"

static const float f32[6] = { 1, -2, 0.5f, 3.25f, 1e-3f, 100 };
static const uint16_t bf16[2] = { 0x3F80, 0xC000 };
static const unsigned char u8[3] = { 1, 2, 255 };
static const struct tensor_entry entries[] = {
    { "a.weight", TENSOR_F32, 2, { 2, 3 }, f32, 24 },
    { "scalar", TENSOR_BF16, 0, { 0 }, bf16, 2 },
    { "empty", TENSOR_F16, 2, { 0, 5 }, NULL, 0 },
    { "bytes", TENSOR_U8, 1, { 3 }, u8, 3 },
};

static void check_small(const char *path)
{
    struct tensor_file *f;
    const struct tensor_entry *e;

    assert_ok(tensors_open(path, &f));
    assert_int_equal(tensors_count(f), 4);
    for (size_t i = 0; i < 4; i++) {
        e = tensors_find(f, entries[i].name);
        assert_non_null(e);
        assert_int_equal(e->dtype, entries[i].dtype);
        assert_int_equal(e->dims, entries[i].dims);
        for (int d = 0; d < e->dims; d++)
            assert_int_equal(e->shape[d], entries[i].shape[d]);
        assert_int_equal(e->bytes, entries[i].bytes);
        if (e->bytes)
            assert_memory_equal(e->data, entries[i].data, e->bytes);
        assert_int_equal((uintptr_t)e->data % tensor_dtype_size(e->dtype), 0);
    }
    assert_string_equal(tensors_at(f, 0)->name, "a.weight");
    assert_string_equal(tensors_at(f, 3)->name, "bytes");
    assert_null(tensors_find(f, "b.weight"));
    assert_null(tensors_find(f, "__metadata__"));
    assert_string_equal(json_string_value(json_object_get(tensors_metadata(f), "format")), "pt");
    tensors_close(f);
}

static void what_is_written_is_read_back(void **state)
{
    const char *path = scratch_path("x.safetensors");
    json_t *metadata = json_pack("{s:s}", "format", "pt");
    struct span file;
    uint64_t header = 0;

    assert_ok(tensors_write(path, entries, 4, metadata));
    check_small(path);
    file = read_whole(path);
    memcpy(&header, file.p, 8);
    assert_int_equal((8 + header) % 64, 0);
    assert_int_equal(file.n, 8 + header + 29);
    json_decref(metadata);
}

static void the_golden_file_is_read(void **state)
{
    struct span want = read_whole(golden("small.safetensors")), seen;
    const char *path = scratch_path("again.safetensors");
    json_t *metadata = json_pack("{s:s}", "format", "pt");

    check_small(golden("small.safetensors"));
    assert_ok(tensors_write(path, entries, 4, metadata));
    seen = read_whole(path);
    assert_int_equal(seen.n, want.n);
    assert_memory_equal(seen.p, want.p, want.n);
    json_decref(metadata);
}

static void a_file_without_tensors_is_fine(void **state)
{
    const char *path = scratch_path("none.safetensors");
    struct tensor_file *f;

    assert_ok(tensors_write(path, NULL, 0, NULL));
    assert_ok(tensors_open(path, &f));
    assert_int_equal(tensors_count(f), 0);
    assert_null(tensors_metadata(f));
    assert_null(tensors_find(f, "x"));
    tensors_close(f);
}

/* A file from a header and so many bytes of data. */
static struct buf compose(const char *header, size_t data)
{
    struct buf b = { 0 };
    size_t n = strlen(header);

    for (int i = 0; i < 8; i++)
        buf_addc(&b, (char)(n >> (8 * i)));
    buf_adds(&b, header);
    for (size_t i = 0; i < data; i++)
        buf_addc(&b, (char)i);
    return b;
}

static void data_that_lies_badly_is_handed_out_aligned(void **state)
{
    struct buf b = compose("{\"x\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]}}", 16);
    const char *path = scratch_path("odd.safetensors");
    struct tensor_file *f;
    const struct tensor_entry *e;

    assert_int_not_equal((b.n - 16) % 8, 0);
    put_file(path, b.p, b.n);
    assert_ok(tensors_open(path, &f));
    e = tensors_find(f, "x");
    assert_int_equal((uintptr_t)e->data % 8, 0);
    assert_memory_equal(e->data, b.p + b.n - 16, 16);
    tensors_close(f);
    buf_release(&b);
}

static void wrong_headers_are_refused(void **state)
{
#define T(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
    static const struct { const char *header; size_t data; enum status st; const char *words; } cases[] = {
        { " {}", 0, ST_FORMAT, "does not begin with '{'" },
        { "[]", 0, ST_FORMAT, "does not begin with '{'" },
        { "{\"x\":1}", 0, ST_FORMAT, "tensor 'x' wants an object" },
        { "{\"x\":{}}", 0, ST_FORMAT, "'dtype'" },
        { "{", 0, ST_FORMAT, "f:" },
        { "{}x", 0, ST_FORMAT, "f:" },
        { "{}", 1, ST_FORMAT, "tensors have 0 bytes, but the file has 1" },
        { "{\"x\":" T("F31", "[1]", "[0,4]") "}", 4, ST_UNSUPPORTED, "the type 'F31'" },
        { "{\"x\":" T("F32", "1", "[0,4]") "}", 4, ST_FORMAT, "'shape'" },
        { "{\"x\":" T("F32", "[-1]", "[0,4]") "}", 4, ST_FORMAT, "shape of tensor 'x'" },
        { "{\"x\":" T("F32", "[1.0]", "[0,4]") "}", 4, ST_FORMAT, "shape of tensor 'x'" },
        { "{\"x\":" T("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, ST_FORMAT, "9 items" },
        { "{\"x\":" T("F32", "[4611686018427387904,4]", "[0,0]") "}", 0, ST_FORMAT, "too large" },
        { "{\"x\":" T("F32", "[2]", "[0,4]") "}", 4, ST_FORMAT, "has 4 bytes of data, its shape and type want 8" },
        { "{\"x\":" T("F32", "[1]", "[0,4,4]") "}", 4, ST_FORMAT, "two integers" },
        { "{\"x\":" T("F32", "[1]", "[0,4.0]") "}", 4, ST_FORMAT, "two integers" },
        { "{\"x\":" T("F32", "[1]", "[4,0]") "}", 4, ST_FORMAT, "lies at 4 to 0" },
        { "{\"x\":" T("F32", "[1]", "[-4,0]") "}", 4, ST_FORMAT, "lies at -4 to 0" },
        { "{\"x\":" T("F32", "[1]", "[0,4]") "}", 3, ST_FORMAT, "the file has 3 bytes of data" },
        { "{\"x\":" T("F32", "[1]", "[0,4]") "}", 5, ST_FORMAT, "tensors have 4 bytes, but the file has 5" },
        { "{\"x\":" T("F32", "[1]", "[4,8]") "}", 8, ST_FORMAT, "a hole" },
        { "{\"x\":" T("F32", "[1]", "[0,4]") ",\"y\":" T("F32", "[1]", "[0,4]") "}", 4, ST_FORMAT, "overlap" },
        { "{\"x\":" T("F32", "[2]", "[0,8]") ",\"y\":" T("F32", "[1]", "[4,8]") "}", 8, ST_FORMAT, "overlap" },
        { "{\"x\":" T("F32", "[1]", "[0,4]") ",\"y\":" T("F32", "[1]", "[8,12]") "}", 12, ST_FORMAT, "a hole" },
        { "{\"x\":" T("F32", "[1]", "[0,4]") ",\"x\":" T("F32", "[1]", "[0,4]") "}", 4, ST_FORMAT, "duplicate" },
        { "{\"__metadata__\":{\"a\":1}}", 0, ST_FORMAT, "wants texts, but 'a'" },
        { "{\"__metadata__\":[]}", 0, ST_FORMAT, "not an object" },
    };
    struct tensor_file *f;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = compose(cases[i].header, cases[i].data);

        assert_fails(cases[i].st, cases[i].words, tensors_parse("f", b.p, b.n, b.n, &f));
        buf_release(&b);
    }
}

static void cut_off_files_are_refused(void **state)
{
    struct span whole = read_whole(golden("small.safetensors"));
    struct tensor_file *f;

    for (size_t n = 0; n < whole.n; n++) {
        char *copy = malloc(n + 1);

        memcpy(copy, whole.p, n);
        if (tensors_parse("f", copy, n, n, &f) != ST_FORMAT)
            fail_msg("the first %zu bytes pass as a file", n);
        free(copy);
    }
    assert_fails(ST_FORMAT, "a header of 18446744073709551615 bytes",
                 tensors_parse("f", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10, 10, &f));
    assert_fails(ST_MISSING, "absent", tensors_open(scratch_path("absent"), &f));
}

static void wrong_entries_are_not_written(void **state)
{
    const char *path = scratch_path("never.safetensors");
    struct tensor_entry odd[] = { entries[3], entries[0] }, twice[] = { entries[0], entries[0] };
    struct tensor_entry wrong = entries[0], reserved = entries[0];
    json_t *metadata = json_pack("{s:i}", "a", 1);

    assert_fails(ST_FORMAT, "put wider types first", tensors_write(path, odd, 2, NULL));
    assert_fails(ST_FORMAT, "stands twice", tensors_write(path, twice, 2, NULL));
    wrong.bytes = 20;
    assert_fails(ST_FORMAT, "not those of its shape", tensors_write(path, &wrong, 1, NULL));
    reserved.name = "__metadata__";
    assert_fails(ST_FORMAT, "is reserved", tensors_write(path, &reserved, 1, NULL));
    assert_fails(ST_FORMAT, "wants texts", tensors_write(path, entries, 4, metadata));
    assert_false(file_exists(path));
    json_decref(metadata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(the_golden_file_is_read),
        cmocka_unit_test(a_file_without_tensors_is_fine),
        cmocka_unit_test(data_that_lies_badly_is_handed_out_aligned),
        cmocka_unit_test(wrong_headers_are_refused),
        cmocka_unit_test(cut_off_files_are_refused),
        cmocka_unit_test(wrong_entries_are_not_written),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
