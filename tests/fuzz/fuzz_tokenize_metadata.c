/* Hostile metadata of a document: refused with words, or ranges of its text in order, from which come spans of tokens in order that
 * agree with a look at each token by itself. The first bytes say how long the text's tokens are. */
#include "tests/fuzz/fuzz_check.h"
#include "tokenize/stage/learn_only.h"

#define TOKENS 64

/* Tokens of 0 to 7 bytes, one after the other, and the end of text. */
static uint64_t make_ranges(const uint8_t *p, size_t n, struct id_range *out)
{
    uint64_t at = 0;

    for (size_t i = 0; i < n; i++) {
        out[i] = (struct id_range){ at, at + p[i] % 8 };
        at = out[i].end;
    }
    out[n] = (struct id_range){ at, at };
    return at;
}

static bool is_learnt(const struct byte_ranges *r, const struct encoded_document *d, size_t token)
{
    uint64_t start = d->ranges[token].start, end = d->ranges[token].end;

    if (token == d->count - 1)
        return r->count > 0 && r->v[r->count - 1].end == d->text_bytes;
    end = end > start ? end : start + 1;
    for (size_t i = 0; i < r->count; i++)
        if (start < r->v[i].end && end > r->v[i].begin)
            return true;
    return false;
}

static void check_spans(struct arena *a, const struct byte_ranges *r, const struct encoded_document *d)
{
    struct token_span *spans;
    size_t count, at = 0;

    learn_only_spans(a, d, r, &spans, &count);
    for (size_t i = 0; r->given && i < d->count; i++) {
        while (at < count && spans[at].first + spans[at].count <= i)
            at++;
        CHECK((at < count && spans[at].first <= i) == !is_learnt(r, d, i));
    }
    CHECK(r->given || count == 0);
    for (size_t i = 0; i < count; i++)
        CHECK(spans[i].count > 0 && spans[i].first + spans[i].count <= d->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a = { 0 };
    struct id_range ranges[TOKENS + 1];
    size_t tokens = n > 0 && p[0] % TOKENS < n - 1 ? p[0] % TOKENS : 0, skip = n > 0 ? tokens + 1 : 0;
    struct span metadata = { (const char *)p + skip, n - skip };
    struct encoded_document d = { .ranges = ranges, .count = tokens + 1 };
    struct byte_ranges r;

    d.text_bytes = make_ranges(p + (n > 0), tokens, ranges);
    (void)metadata_language(&a, metadata);
    if (metadata_ranges(&a, &(struct metadata_ranges_args){ metadata, "l", d.text_bytes }, &r) != ST_OK) {
        CHECK(*fail_message());
    } else {
        for (size_t i = 0; i < r.count; i++)
            CHECK(r.v[i].begin < r.v[i].end && r.v[i].end <= d.text_bytes && (i == 0 || r.v[i - 1].end <= r.v[i].begin));
        check_spans(&a, &r, &d);
    }
    arena_release(&a);
    return 0;
}
