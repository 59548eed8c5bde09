#include "tokenize/learn/train_texts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "tokenize/encode/token_nfc.h"

#define SPECIALS_MAX 10000
#define SPECIAL_BYTES 1024
#define REQUIRED_MAX 100000
#define REQUIRED_BYTES 1024
#define FILE_LIMIT ((uint64_t)64 << 20)

enum status train_texts_check_special(const struct opt_list *special, uint64_t vocab)
{
    if (special->count > SPECIALS_MAX)
        return fail(ST_CONFIG, "%zu special tokens; want at most %d", special->count, SPECIALS_MAX);
    for (size_t i = 0; i < special->count; i++) {
        size_t n = strlen(special->v[i]);

        if (n == 0 || n > SPECIAL_BYTES)
            return fail(ST_CONFIG, "special token %zu has %zu bytes; want 1 to %d", i + 1, n,
                        SPECIAL_BYTES);
        for (size_t k = 0; k < i; k++)
            if (strcmp(special->v[i], special->v[k]) == 0)
                return fail(ST_CONFIG, "special token '%s' is given twice", special->v[i]);
    }
    if (vocab < 256 + special->count)
        return fail(ST_CONFIG,
                    "vocab is %" PRIu64
                    ", but the 256 bytes and %zu special tokens want at least %zu",
                    vocab, special->count, 256 + special->count);
    return ST_OK;
}

/* ---- required ---- */

static int by_length(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return memcmp(x->p, y->p, x->n);
}

static enum status add(struct train_texts *out, struct span text)
{
    if (text.n == 0)
        return ST_OK;
    if (text.n > REQUIRED_BYTES)
        return fail(ST_CONFIG, "a required token has %zu bytes; want at most %d", text.n,
                    REQUIRED_BYTES);
    if (out->count == REQUIRED_MAX)
        return fail(ST_CONFIG, "more than %d required tokens", REQUIRED_MAX);
    out->v[out->count++] = text;
    return ST_OK;
}

static enum status add_lines(struct arena *a, const char *path, struct train_texts *out)
{
    struct buf text = { 0 };
    enum status st = file_read(path, FILE_LIMIT, &text);
    const char *p = arena_strndup(a, text.p ? text.p : "", text.n), *end = p + text.n;

    while (st == ST_OK && p < end) {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((line ? line : end) - p);

        st = add(out, (struct span){ p, n > 0 && p[n - 1] == '\r' ? n - 1 : n });
        p += n + 1;
    }
    buf_release(&text);
    return st;
}

static bool is_nfc(struct span text)
{
    struct token_nfc scratch = { 0 };
    struct buf normal = { 0 };
    bool same;

    token_nfc(&scratch, text, FORM_NFC, &normal);
    same = normal.n == text.n && memcmp(normal.p, text.p, text.n) == 0;
    token_nfc_release(&scratch);
    buf_release(&normal);
    return same;
}

static enum status check_piece(struct pretok_run *run, const struct train_texts_args *args,
                               struct span text)
{
    const uint32_t *ends;
    size_t n;

    if (!utf8_valid(text.p, text.n))
        return fail(ST_CONFIG, "required token '%.*s' is not UTF-8", (int)text.n, text.p);
    if (args->max_length && text.n > args->max_length)
        return fail(ST_CONFIG, "required token '%.*s' has %zu bytes, and max-token-length is %zu",
                    (int)text.n, text.p, text.n, args->max_length);
    if (args->nfc && !is_nfc(text))
        return fail(ST_CONFIG,
                    "required token '%.*s' is not in NFC, to which this tokenizer brings all text, so "
                    "that it would never be met; want it in NFC",
                    (int)text.n, text.p);
    pretok_begin(run, text);
    TRY(pretok_next(run, &ends, &n));
    if (n == 1 && ends[0] == text.n)
        return ST_OK;
    return fail(ST_CONFIG,
                "required token '%.*s' is cut by the pattern (behind byte %u), so that no merge can "
                "make it; want one piece, or make it a special token",
                (int)text.n, text.p, ends[0] & ~PRETOK_DROPPED);
}

enum status train_texts_required(struct arena *a, const struct train_texts_args *args,
                                 struct train_texts *out)
{
    struct pretok_run *run;
    enum status st = ST_OK;
    size_t n = 0;

    *out = (struct train_texts){ 0 };
    if (args->texts->count == 0 && args->file == NULL)
        return ST_OK;
    out->v = arena_array(a, REQUIRED_MAX, sizeof *out->v);
    for (size_t i = 0; i < args->texts->count; i++)
        TRY(add(out, span_of(args->texts->v[i])));
    if (args->file)
        TRY(add_lines(a, args->file, out));
    qsort(out->v, out->count, sizeof *out->v, by_length);
    for (size_t i = 0; i < out->count; i++)
        if (n == 0 || by_length(&out->v[n - 1], &out->v[i]) != 0)
            out->v[n++] = out->v[i];
    out->count = n;
    run = pretok_run_new(args->pretok);
    for (size_t i = 0; st == ST_OK && i < n; i++)
        st = check_piece(run, args, out->v[i]);
    pretok_run_free(run);
    return st;
}
