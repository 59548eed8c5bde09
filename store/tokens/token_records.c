#include "store/tokens/token_records.h"

#include "base/cursor.h"

uint64_t token_rows_blocks(uint64_t rows) { return rows / TOKEN_ROWS + (rows % TOKEN_ROWS > 0); }

uint32_t token_rows_in(uint64_t rows, uint64_t block)
{
    uint64_t left = rows - block * TOKEN_ROWS;

    return left < TOKEN_ROWS ? (uint32_t)left : TOKEN_ROWS;
}

/* ---- reading ---- */

/* Looks at the head: count rows of row_bytes and so many bytes of ids, with their filling, are the
 * value. */
static enum status check_head(const char *what, struct span value, uint32_t count, size_t row_bytes,
                              uint32_t *id_bytes)
{
    struct cursor c = cursor_over(value.p, value.n);
    uint32_t seen;

    cursor_uint(&c, 8);
    seen = (uint32_t)cursor_uint(&c, 4);
    *id_bytes = (uint32_t)cursor_uint(&c, 4);
    if (!cursor_ok(&c) || seen != count || (uintptr_t)value.p % 8 != 0 ||
        value.n != token_padded(TOKEN_ROWS_HEAD + (uint64_t)count * row_bytes + *id_bytes))
        return fail(
            ST_FORMAT,
            "%s: %u rows and %u bytes of ids in %zu bytes at %p, want %u rows that fill them", what,
            seen, *id_bytes, value.n, (const void *)value.p, count);
    return ST_OK;
}

/* Do they ascend from `begin` up to `end`? Without a branch in the loop, which is then a vector's.
 */
static bool ascend_u64(const uint64_t *v, uint32_t n, uint64_t begin, uint64_t end)
{
    uint64_t bad = n > 0 && v[0] < begin;

    for (uint32_t i = 1; i < n; i++)
        bad |= v[i] < v[i - 1];
    return !bad && (n > 0 ? v[n - 1] : begin) <= end;
}

static bool ascend_u32(const uint32_t *v, uint32_t n, uint32_t end)
{
    uint32_t bad = 0;

    for (uint32_t i = 1; i < n; i++)
        bad |= v[i] < v[i - 1];
    return !bad && (n > 0 ? v[n - 1] : 0) == end;
}

static bool all_below(const uint32_t *v, uint32_t n, uint64_t bound)
{
    uint32_t largest = 0;

    for (uint32_t i = 0; i < n; i++)
        largest = v[i] > largest ? v[i] : largest;
    return n == 0 || largest < bound;
}

enum status token_docs_parse(const char *what, struct span value,
                             const struct token_rows_want *want, struct token_docs *out)
{
    uint32_t id_bytes, n = want->count;

    TRY(check_head(what, value, n, TOKEN_DOC_ROW, &id_bytes));
    out->count = n;
    out->end = (const uint64_t *)(value.p + TOKEN_ROWS_HEAD);
    out->text_hash = out->end + n;
    out->label = (const uint32_t *)(out->text_hash + n);
    out->text_bytes = out->label + n;
    out->id_end = out->text_bytes + n;
    out->ids = (const char *)(out->id_end + n);
    if (!ascend_u64(out->end, n, want->begin, want->tokens) ||
        !ascend_u32(out->id_end, n, id_bytes))
        return fail(
            ST_FORMAT,
            "%s: ranges of tokens or ids that do not follow each other, or lead out of the shard",
            what);
    if (!all_below(out->label, n, want->labels))
        return fail(ST_FORMAT, "%s: a label that is not below %llu", what,
                    (unsigned long long)want->labels);
    return ST_OK;
}

enum status token_skips_parse(const char *what, struct span value,
                              const struct token_rows_want *want, const uint64_t **out)
{
    const uint64_t *v = (const uint64_t *)(value.p + TOKEN_ROWS_HEAD);
    uint64_t at = want->begin;
    uint32_t id_bytes;

    TRY(check_head(what, value, want->count, TOKEN_SKIP_ROW, &id_bytes));
    for (uint32_t i = 0; i < want->count; i++) {
        if (v[2 * i] < at || v[2 * i + 1] <= v[2 * i] || v[2 * i + 1] > want->tokens ||
            id_bytes != 0)
            return fail(ST_FORMAT,
                        "%s: span %u is %llu to %llu, want it behind %llu and up to %llu", what, i,
                        (unsigned long long)v[2 * i], (unsigned long long)v[2 * i + 1],
                        (unsigned long long)at, (unsigned long long)want->tokens);
        at = v[2 * i + 1];
    }
    *out = v;
    return ST_OK;
}

static bool check_sum(struct span value)
{
    struct cursor c = cursor_over(value.p, value.n);
    uint64_t want = cursor_uint(&c, 8);

    return cursor_ok(&c) && xxh3(value.p + 8, value.n - 8) == want;
}

bool token_rows_check(struct span value) { return check_sum(value); }

bool token_label_check(struct span value) { return check_sum(value); }

enum status token_label_parse(const char *what, struct span value, struct span *source,
                              struct span *language)
{
    struct cursor c = cursor_over(value.p, value.n);
    uint64_t n;

    cursor_uint(&c, 8);
    n = cursor_uint(&c, 2);
    *source = cursor_bytes(&c, n);
    if (!cursor_ok(&c))
        return fail(ST_FORMAT, "%s: a label of %zu bytes ends within its source", what, value.n);
    *language = cursor_bytes(&c, cursor_left(&c));
    return ST_OK;
}

/* ---- writing ---- */

static void put_le(char *to, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (char)(unsigned char)(v >> (8 * i));
}

static void begin_rows(struct buf *out, uint32_t count, uint64_t id_bytes)
{
    char head[TOKEN_ROWS_HEAD] = { 0 };

    put_le(head + 8, count, 4);
    put_le(head + 12, id_bytes, 4);
    buf_clear(out);
    buf_add(out, head, sizeof head);
}

static void end_rows(struct buf *out)
{
    uint64_t bytes = token_padded(out->n);

    buf_reserve(out, bytes - out->n);
    memset(out->p + out->n, 0, bytes - out->n);
    out->n = bytes;
    put_le(out->p, xxh3(out->p + 8, out->n - 8), 8);
}

void token_docs_print(const struct token_docs_rows *rows, struct buf *out)
{
    uint32_t n = rows->count;

    begin_rows(out, n, rows->ids.n);
    buf_add(out, rows->end, n * sizeof *rows->end);
    buf_add(out, rows->text_hash, n * sizeof *rows->text_hash);
    buf_add(out, rows->label, n * sizeof *rows->label);
    buf_add(out, rows->text_bytes, n * sizeof *rows->text_bytes);
    buf_add(out, rows->id_end, n * sizeof *rows->id_end);
    if (rows->ids.n > 0)
        buf_add(out, rows->ids.p, rows->ids.n);
    end_rows(out);
}

void token_skips_print(const struct token_skips_rows *rows, struct buf *out)
{
    begin_rows(out, rows->count, 0);
    buf_add(out, rows->spans, rows->count * sizeof *rows->spans * 2);
    end_rows(out);
}

void token_docs_copy(struct token_docs_rows *rows, const struct token_docs *from)
{
    uint32_t n = rows->count = from->count;

    memcpy(rows->end, from->end, n * sizeof *rows->end);
    memcpy(rows->text_hash, from->text_hash, n * sizeof *rows->text_hash);
    memcpy(rows->label, from->label, n * sizeof *rows->label);
    memcpy(rows->text_bytes, from->text_bytes, n * sizeof *rows->text_bytes);
    memcpy(rows->id_end, from->id_end, n * sizeof *rows->id_end);
    buf_clear(&rows->ids);
    if (n > 0)
        buf_add(&rows->ids, from->ids, from->id_end[n - 1]);
}

void token_label_print(struct span source, struct span language, struct buf *out)
{
    char head[10] = { 0 };

    put_le(head + 8, source.n, 2);
    buf_clear(out);
    buf_add(out, head, sizeof head);
    if (source.n > 0)
        buf_add(out, source.p, source.n);
    if (language.n > 0)
        buf_add(out, language.p, language.n);
    put_le(out->p, xxh3(out->p + 8, out->n - 8), 8);
}
