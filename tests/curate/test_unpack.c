#include "tests/test.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/rng.h"
#include "base/str.h"
#include "curate/source/source_part.h"
#include "curate/source/source_unpack.h"

enum { GZIP, ZSTD };
static const enum archive_form forms[] = { ARCHIVE_GZIP, ARCHIVE_ZSTD };

/* n bytes that pack to a third or so: pieces of a list of numbers. */
static void words(struct buf *out, size_t n, uint64_t stream)
{
    static char list[60000];
    size_t at = 0;

    if (list[0] != 0)
        at = sizeof list;
    while (at < sizeof list - 12)
        at += (size_t)sprintf(list + at, "%d ", (int)(rng_at(3, 0, at) % 100000));
    for (uint64_t i = 0; out->n < n; i++)
        buf_add(out, list + rng_at(4, stream, i) % (sizeof list - 200), 100);
    out->n = n;
}

static void pack_member(int codec, struct span text, struct buf *out)
{
    if (codec == ZSTD) {
        size_t bound = ZSTD_compressBound(text.n);
        buf_reserve(out, bound);
        out->n += ZSTD_compress(out->p + out->n, bound, text.p, text.n, 1);
        return;
    }
    z_stream z = { .next_in = (Bytef *)(uintptr_t)text.p, .avail_in = (uInt)text.n };
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    buf_reserve(out, deflateBound(&z, text.n));
    z.next_out = (Bytef *)out->p + out->n;
    z.avail_out = (uInt)deflateBound(&z, text.n);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->n = (size_t)((char *)z.next_out - out->p);
    deflateEnd(&z);
}

struct unpacked {
    struct buf text;
    struct buf faults;      /* "T" truncated, "D" damaged, "G" garbage, with the bytes before it */
};

static void unpack_all(int codec, struct span packed, int threads, bool go_on, struct unpacked *to)
{
    struct source s = { .depth = 0 };
    struct buf bytes = { 0 };
    struct input *in;
    struct unpack *u;
    enum unpack_what what;
    struct span got;
    uint64_t taken = 0;

    buf_clear(&to->text);
    buf_clear(&to->faults);
    buf_add(&bytes, packed.p, packed.n);
    in = input_of_memory(&s, &bytes);
    u = unpack_open(in, forms[codec], threads);
    if (go_on)
        unpack_go_on(u);
    while ((what = unpack_next(u, 100000, &got)) != UNPACK_END) {
        assert_true(unpack_taken(u) >= taken && unpack_taken(u) <= packed.n);
        taken = unpack_taken(u);
        assert_true(what != UNPACK_BYTES || (got.n > 0 && got.n <= 100000));
        buf_add(&to->text, got.p, got.n);
        if (what != UNPACK_BYTES)
            buf_printf(&to->faults, "%c%zu ", what == UNPACK_TRUNCATED ? 'T' : what == UNPACK_DAMAGED ? 'D' : 'G',
                       to->text.n);
    }
    assert_int_equal(unpack_next(u, 10, &got), UNPACK_END);
    unpack_close(u);
    input_free(in);
}

static void same_for_any_threads(int codec, struct span packed, bool go_on, struct unpacked *one)
{
    struct unpacked more = { 0 };

    unpack_all(codec, packed, 0, go_on, one);
    for (int threads = 1; threads <= 3; threads += 2) {
        unpack_all(codec, packed, threads, go_on, &more);
        assert_int_equal(more.text.n, one->text.n);
        assert_true(one->text.n == 0 || memcmp(more.text.p, one->text.p, one->text.n) == 0);
        assert_string_equal(more.faults.n > 0 ? more.faults.p : "", one->faults.n > 0 ? one->faults.p : "");
    }
    buf_release(&more.text);
    buf_release(&more.faults);
}

/* Members of many lengths: none, small, larger than a piece, larger than a piece's room; and noise that does not pack. */
static void members_of_all_lengths(void **state)
{
    static const size_t lengths[] = { 10, 0, 1000, 100000, 3, 700000, 0, 2000000, 20000, 40, 9000000, 7, 300000, 0 };

    for (int codec = 0; codec < 2; codec++) {
        struct buf packed = { 0 }, text = { 0 }, one = { 0 };
        struct unpacked got = { 0 };
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            buf_clear(&one);
            words(&one, lengths[i], i);
            if (i % 3 == 2)      /* noise */
                for (size_t k = 0; k < one.n; k++)
                    one.p[k] = (char)rng_at(9, i, k);
            buf_add(&text, one.p, one.n);
            pack_member(codec, (struct span){ one.p, one.n }, &packed);
        }
        same_for_any_threads(codec, (struct span){ packed.p, packed.n }, false, &got);
        assert_int_equal(got.text.n, text.n);
        assert_memory_equal(got.text.p, text.p, text.n);
        assert_int_equal(got.faults.n, 0);
        buf_release(&packed);
        buf_release(&text);
        buf_release(&one);
        buf_release(&got.text);
        buf_release(&got.faults);
    }
}

/* The bytes of a start inside a member (stored, so that they stand there as they are) fool nobody. */
static void false_starts(void **state)
{
    static const char starts[2][8] = { "\x1f\x8b\x08\0\0\0\0", "\x28\xb5\x2f\xfd\x20\1\1" };

    for (int codec = 0; codec < 2; codec++) {
        struct buf packed = { 0 }, text = { 0 };
        struct unpacked got = { 0 };
        for (int i = 0; i < 12; i++) {
            struct buf one = { 0 }, inner = { 0 };
            for (uint64_t k = 0; k < 40000; k++)
                if (k % 100 == 99)
                    buf_add(&one, starts[codec], 7);
                else
                    buf_addc(&one, (char)rng_at(4, (uint64_t)i, k));
            pack_member(codec, (struct span){ one.p, one.n }, &inner);
            buf_add(&one, inner.p, inner.n);      /* a member in a member, too */
            buf_add(&text, one.p, one.n);
            pack_member(codec, (struct span){ one.p, one.n }, &packed);
            buf_release(&one);
            buf_release(&inner);
        }
        same_for_any_threads(codec, (struct span){ packed.p, packed.n }, false, &got);
        assert_int_equal(got.text.n, text.n);
        assert_memory_equal(got.text.p, text.p, text.n);
        buf_release(&packed);
        buf_release(&text);
        buf_release(&got.text);
        buf_release(&got.faults);
    }
}

/* Sixty members; at[i] is where the i-th begins. */
static void make_sixty(int codec, struct buf *packed, size_t at[61])
{
    struct buf one = { 0 };

    for (int i = 0; i < 60; i++) {
        at[i] = packed->n;
        buf_clear(&one);
        words(&one, 60000, (uint64_t)i);
        memcpy(one.p, "<<<<", 4);
        pack_member(codec, (struct span){ one.p, one.n }, packed);
    }
    at[60] = packed->n;
    buf_release(&one);
}

static void cuts_are_told(void **state)
{
    for (int codec = 0; codec < 2; codec++) {
        struct buf packed = { 0 };
        struct unpacked got = { 0 };
        size_t at[61];
        make_sixty(codec, &packed, at);
        for (size_t n = 5; n < packed.n; n += 191000) {
            size_t whole = 0;
            while (at[whole + 1] <= n)
                whole++;
            same_for_any_threads(codec, (struct span){ packed.p, n }, false, &got);
            assert_in_range(got.text.n, whole * 60000, whole * 60000 + 59999);
            assert_true(got.faults.n > 0 && got.faults.p[0] == 'T');
        }
        same_for_any_threads(codec, (struct span){ packed.p, at[31] }, false, &got);
        assert_int_equal(got.text.n, 31 * 60000);
        assert_int_equal(got.faults.n, 0);
        buf_release(&packed);
        buf_release(&got.text);
        buf_release(&got.faults);
    }
}

static size_t heads_in(const struct buf *text)
{
    size_t n = 0;

    for (size_t i = 0; i + 4 <= text->n; i++)
        n += memcmp(text->p + i, "<<<<", 4) == 0;
    return n;
}

/* A damaged member is one fault; going on finds the next. Not going on ends there. */
static void damage_is_a_gap(void **state)
{
    for (int codec = 0; codec < 2; codec++) {
        struct buf packed = { 0 };
        struct unpacked got = { 0 };
        size_t at[61];
        make_sixty(codec, &packed, at);
        for (int k = 1; k < 60; k += 19) {
            struct buf bad = { 0 };
            /* the middle of member k is missing */
            buf_add(&bad, packed.p, at[k] + 2000);
            buf_add(&bad, packed.p + at[k] + 9000, packed.n - at[k] - 9000);
            same_for_any_threads(codec, (struct span){ bad.p, bad.n }, true, &got);
            assert_in_range(heads_in(&got.text), 59, 60);
            assert_memory_equal(got.faults.p, "D", 1);
            assert_null(strchr(got.faults.p + 1, 'D'));
            same_for_any_threads(codec, (struct span){ bad.p, bad.n }, false, &got);
            assert_in_range(got.text.n, (size_t)k * 60000, (size_t)(k + 1) * 60000);
            /* garbage before member k */
            buf_clear(&bad);
            buf_add(&bad, packed.p, at[k]);
            buf_adds(&bad, "this is no member at all");
            buf_add(&bad, packed.p + at[k], packed.n - at[k]);
            same_for_any_threads(codec, (struct span){ bad.p, bad.n }, true, &got);
            assert_int_equal(heads_in(&got.text), 60);
            assert_memory_equal(got.faults.p, "G", 1);
            same_for_any_threads(codec, (struct span){ bad.p, bad.n }, false, &got);
            assert_int_equal(got.text.n, k * 60000);
            buf_release(&bad);
        }
        buf_release(&packed);
        buf_release(&got.text);
        buf_release(&got.faults);
    }
}

static void filling_behind_members_is_nothing(void **state)
{
    struct buf packed = { 0 };
    struct unpacked got = { 0 };
    char zeros[3000] = { 0 };

    pack_member(GZIP, span_of("one"), &packed);
    buf_add(&packed, zeros, 1000);
    pack_member(GZIP, span_of("two"), &packed);
    buf_add(&packed, zeros, sizeof zeros);
    same_for_any_threads(GZIP, (struct span){ packed.p, packed.n }, false, &got);
    assert_int_equal(got.text.n, 6);
    assert_int_equal(got.faults.n, 0);
    buf_release(&packed);
    buf_release(&got.text);
    buf_release(&got.faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_all_lengths),
        cmocka_unit_test(false_starts),
        cmocka_unit_test(cuts_are_told),
        cmocka_unit_test(damage_is_a_gap),
        cmocka_unit_test(filling_behind_members_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
