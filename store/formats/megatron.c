/* The reading half of megatron.h. */
#include "store/formats/megatron.h"

static const char magic[9] = "MMIDIDX\0";

static uint64_t get_le(const unsigned char *p, int bytes)
{
    uint64_t v = 0;

    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static enum status check_type(const char *what, unsigned code, struct megatron_index *x)
{
    static const struct {
        const char *name;
        int width; /* 0: no ids */
        bool is_signed;
    } types[] = { [1] = { "u8", 1, false }, [2] = { "i8", 1, true },  [3] = { "i16", 2, true },
                  [4] = { "i32", 4, true }, [5] = { "i64", 8, true }, [6] = { "f64", 0, true },
                  [7] = { "f32", 0, true }, [8] = { "u16", 2, false } };

    if (code == 0 || code >= sizeof types / sizeof *types)
        return fail(ST_FORMAT,
                    "%s: the type of tokens, at byte 17, is %u, want 1 to 8 (u16 is 8, i32 is 4)",
                    what, code);
    if (types[code].width == 0)
        return fail(ST_UNSUPPORTED,
                    "%s: the type of tokens, at byte 17, is %u (%s); want whole numbers: ids", what,
                    code, types[code].name);
    x->width = types[code].width;
    x->is_signed = types[code].is_signed;
    return ST_OK;
}

/* The numbers of sequences and documents, and that the file is as long as they say. */
static enum status check_sizes(const char *what, struct span idx, struct megatron_index *x)
{
    const unsigned char *p = (const unsigned char *)idx.p;
    uint64_t s = get_le(p + 18, 8), d = get_le(p + 26, 8), rest = idx.n - MEGATRON_HEAD, want;

    if (s > rest / 12 || d > rest / 8)
        return fail(
            ST_FORMAT,
            "%s: %llu sequences and %llu document entries, at bytes 18 and 26, do not fit into its "
            "%zu bytes",
            what, (unsigned long long)s, (unsigned long long)d, idx.n);
    want = s * 12 + d * 8;
    if (s > 0 && rest == want + s)
        return fail(ST_UNSUPPORTED,
                    "%s: a mode for each sequence from byte %llu on: this is multimodal data; want "
                    "text alone",
                    what, (unsigned long long)(MEGATRON_HEAD + want));
    if (rest != want)
        return fail(ST_FORMAT,
                    "%s has %zu bytes, but %llu sequences and %llu document entries take %llu",
                    what, idx.n, (unsigned long long)s, (unsigned long long)d,
                    (unsigned long long)(MEGATRON_HEAD + want));
    if (d == 0)
        return fail(ST_FORMAT, "%s: no document entries, at byte 26; want at least the leading 0",
                    what);
    x->sequences = s;
    x->documents = d - 1;
    x->lengths = p + MEGATRON_HEAD;
    x->ends = p + MEGATRON_HEAD + s * 12;
    return ST_OK;
}

static enum status check_sequences(const char *what, const struct megatron_index *x,
                                   uint64_t bin_bytes)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < x->sequences; i++) {
        int32_t length = (int32_t)(uint32_t)get_le(x->lengths + 4 * i, 4);
        uint64_t at = x->sequences * 4 + 8 * i, pointer = get_le(x->lengths + at, 8);

        if (length < 0)
            return fail(
                ST_FORMAT, "%s: the length of sequence %llu, at byte %llu, is %d, want 0 or more",
                what, (unsigned long long)i, (unsigned long long)(MEGATRON_HEAD + 4 * i), length);
        if (pointer != sum)
            return fail(ST_FORMAT,
                        "%s: the pointer of sequence %llu, at byte %llu, is %lld, want %llu, where "
                        "the sequence "
                        "before it ends",
                        what, (unsigned long long)i, (unsigned long long)(MEGATRON_HEAD + at),
                        (long long)pointer, (unsigned long long)sum);
        sum += (uint64_t)length * (unsigned)x->width;
    }
    if (sum != bin_bytes)
        return fail(ST_FORMAT, "%s: its %llu sequences take %llu bytes, but the .bin file has %llu",
                    what, (unsigned long long)x->sequences, (unsigned long long)sum,
                    (unsigned long long)bin_bytes);
    return ST_OK;
}

static enum status check_documents(const char *what, const struct megatron_index *x)
{
    uint64_t before = 0, begin = MEGATRON_HEAD + x->sequences * 12;

    for (uint64_t i = 0; i <= x->documents; i++) {
        uint64_t end = get_le(x->ends + 8 * i, 8);

        if (i == 0 ? end != 0 : end < before || end > x->sequences)
            return fail(
                ST_FORMAT, "%s: document entry %llu, at byte %llu, is %lld, want %llu to %llu",
                what, (unsigned long long)i, (unsigned long long)(begin + 8 * i), (long long)end,
                (unsigned long long)before, (unsigned long long)(i == 0 ? 0 : x->sequences));
        before = end;
    }
    if (before != x->sequences)
        return fail(ST_FORMAT,
                    "%s: the last document entry, at byte %llu, is %llu, want %llu: sequences "
                    "behind it are in no "
                    "document",
                    what, (unsigned long long)(begin + 8 * x->documents),
                    (unsigned long long)before, (unsigned long long)x->sequences);
    return ST_OK;
}

enum status megatron_parse(const char *what, struct span idx, uint64_t bin_bytes,
                           struct megatron_index *out)
{
    const unsigned char *p = (const unsigned char *)idx.p;

    *out = (struct megatron_index){ 0 };
    if (idx.n < MEGATRON_HEAD)
        return fail(ST_FORMAT, "%s has %zu bytes, want at least the head of %d", what, idx.n,
                    MEGATRON_HEAD);
    if (memcmp(p, magic, sizeof magic) != 0)
        return fail(ST_FORMAT, "%s does not begin with MMIDIDX: it is no index of Megatron's",
                    what);
    if (get_le(p + 9, 8) != 1)
        return fail(ST_UNSUPPORTED, "%s: version %llu, at byte 9, want 1", what,
                    (unsigned long long)get_le(p + 9, 8));
    TRY(check_type(what, p[17], out));
    TRY(check_sizes(what, idx, out));
    TRY(check_sequences(what, out, bin_bytes));
    TRY(check_documents(what, out));
    out->tokens = bin_bytes / (unsigned)out->width;
    return ST_OK;
}

static uint64_t length_of(const struct megatron_index *x, uint64_t sequence)
{
    return get_le(x->lengths + 4 * sequence, 4);
}

uint64_t megatron_document(const struct megatron_index *x, uint64_t d, uint64_t *sequences)
{
    uint64_t from = get_le(x->ends + 8 * d, 8), to = get_le(x->ends + 8 * (d + 1), 8), tokens = 0;

    for (uint64_t i = from; i < to; i++)
        tokens += length_of(x, i);
    *sequences = to - from;
    return tokens;
}

void megatron_widen(const struct megatron_index *x, const unsigned char *p, uint64_t n,
                    uint32_t *out)
{
    uint64_t most = x->is_signed ? (UINT64_C(1) << (8 * x->width - 1)) - 1 : UINT32_MAX - 1;

    most = most < UINT32_MAX ? most : UINT32_MAX - 1;
    for (uint64_t i = 0; i < n; i++, p += x->width) {
        uint64_t v = get_le(p, x->width);

        out[i] = v <= most ? (uint32_t)v : UINT32_MAX;
    }
}
