/* What token shards hold, on any bytes: blocks of documents and of spans, labels, meta, names. The first byte says which; the
 * next ones are what is wanted of a block. What is taken is walked as a reader does, and printed again. */
#include <stdlib.h>

#include "base/arena.h"
#include "store/tokens/token_records.h"

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static void walk_documents(const struct token_docs *d, const struct token_rows_want *want, struct span value)
{
    static struct token_docs_rows rows;
    struct buf printed = { 0 };
    uint64_t at = want->begin;
    uint32_t id = 0;

    for (uint32_t i = 0; i < d->count; i++) {
        CHECK(d->end[i] >= at && d->end[i] <= want->tokens && d->label[i] < want->labels);
        CHECK(d->id_end[i] >= id && (const char *)d->ids + d->id_end[i] <= value.p + value.n);
        at = d->end[i];
        id = d->id_end[i];
    }
    token_docs_copy(&rows, d);
    token_docs_print(&rows, &printed);
    CHECK(printed.n == value.n && memcmp(printed.p + 8, value.p + 8, TOKEN_ROWS_HEAD - 8 + d->count * TOKEN_DOC_ROW + id) == 0);
    CHECK(token_rows_check((struct span){ printed.p, printed.n }));
    buf_release(&printed);
    buf_release(&rows.ids);
    rows.count = 0;
}

static void walk_spans(const uint64_t *v, const struct token_rows_want *want)
{
    uint64_t at = want->begin;

    for (uint32_t i = 0; i < want->count; i++, v += 2) {
        CHECK(v[0] >= at && v[1] > v[0] && v[1] <= want->tokens);
        at = v[1];
    }
}

/* count 2, tokens 2, begin 1, labels 1; the value behind them, filled up to whole pages. */
static void try_block(bool documents, const uint8_t *p, size_t n)
{
    struct token_rows_want want;
    struct span value;
    struct token_docs docs;
    const uint64_t *spans;
    char *copy;

    if (n < 6)
        return;
    want = (struct token_rows_want){ .count = (uint32_t)(p[0] | p[1] << 8) % (TOKEN_ROWS + 1),
                                     .tokens = (uint64_t)(p[2] | p[3] << 8), .begin = p[4], .labels = p[5] };
    value.n = token_padded(n - 6);
    value.p = copy = mem_alloc_aligned(value.n);
    memcpy(copy, p + 6, n - 6);
    if (documents && token_docs_parse("block", value, &want, &docs) == ST_OK)
        walk_documents(&docs, &want, value);
    if (!documents && token_skips_parse("block", value, &want, &spans) == ST_OK)
        walk_spans(spans, &want);
    (void)token_rows_check((struct span){ (const char *)p, n });
    mem_free_aligned(copy);
}

static void try_label(struct span value)
{
    struct span source, language;
    struct buf printed = { 0 };

    (void)token_label_check(value);
    if (token_label_parse("label", value, &source, &language) != ST_OK)
        return;
    token_label_print(source, language, &printed);
    CHECK(printed.n == value.n && memcmp(printed.p + 8, value.p + 8, value.n - 8) == 0);
    buf_release(&printed);
}

/* With a space behind it the text is not the one that is scanned, but means the same. */
static void try_meta(struct span text)
{
    struct token_shard_meta m, again;
    struct buf other = { 0 };
    enum status st = token_meta_parse("meta", text, &m);

    buf_add(&other, text.p, text.n);
    buf_addc(&other, ' ');
    CHECK(token_meta_parse("meta", (struct span){ other.p, other.n }, &again) == st);
    if (st == ST_OK) {
        CHECK(m.vocab == again.vocab && m.width == again.width && m.labels == again.labels);
        CHECK(memcmp(m.parts, again.parts, sizeof m.parts) == 0 && strcmp(m.corpus, again.corpus) == 0);
        CHECK(strcmp(m.tokenizer, again.tokenizer) == 0);
        buf_clear(&other);
        token_meta_print(&m, &other);
        CHECK(token_meta_parse("meta", (struct span){ other.p, other.n }, &again) == ST_OK);
    }
    buf_release(&other);
}

static void try_name(struct span text)
{
    char name[64] = "", again[TOKEN_SHARD_NAME];
    struct token_shard_id id;

    memcpy(name, text.p, text.n < 63 ? text.n : 63);
    if (!token_shard_parse_name(name, &id))
        return;
    token_shard_name(id, again);
    CHECK(strcmp(name, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct span rest = { (const char *)p + 1, n - 1 };

    if (n < 2)
        return 0;
    switch (p[0]) {
    case 'd': try_block(true, p + 1, n - 1); break;
    case 's': try_block(false, p + 1, n - 1); break;
    case 'l': try_label(rest); break;
    case 'm': try_meta(rest); break;
    case 'n': try_name(rest); break;
    default: break;
    }
    return 0;
}
