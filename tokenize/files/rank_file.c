/*
 * tiktoken's rank files: lines of a token's bytes in base64, a space, and its rank, which is its
 * id. Neither the pattern nor the special tokens stand in them; for the four that OpenAI has
 * published they are known, by the digest of the file.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "tokenize/files/foreign.h"
#include "tokenize/pretok/pretok.h"
#include "tokenize/tokenizer_part.h"

#define LINE_MAX_BYTES 8192
#define GAP_LIMIT 65536

struct known_file {
    const char *sha256, *pattern;
    struct {
        const char *text;
        uint32_t id;
    } specials[6];
};
/* The patterns of r50k and p50k are spelled otherwise by tiktoken, and cut alike. */
static const struct known_file known_files[] = {
    { "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930", "gpt2",
      { { "<|endoftext|>", 50256 } } },
    { "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069", "gpt2",
      { { "<|endoftext|>", 50256 } } },
    { "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7", "cl100k",
      { { "<|endoftext|>", 100257 },
        { "<|fim_prefix|>", 100258 },
        { "<|fim_middle|>", 100259 },
        { "<|fim_suffix|>", 100260 },
        { "<|endofprompt|>", 100276 } } },
    { "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d", "o200k",
      { { "<|endoftext|>", 199999 }, { "<|endofprompt|>", 200018 } } },
};

/* ---- base64 ---- */

static int base64_digit(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* Into out, which has room for text.n; *n is how many. */
static bool base64_read(struct span text, char *out, size_t *n)
{
    uint32_t bits = 0;
    size_t pad = text.n >= 2 ? (text.p[text.n - 1] == '=') + (text.p[text.n - 2] == '=') : 0;

    *n = 0;
    if (text.n == 0 || text.n % 4 != 0)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        int d = i < text.n - pad ? base64_digit(text.p[i]) : 0;

        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 != 3)
            continue;
        for (int k = 2; k >= 0; k--)
            out[(*n)++] = (char)(bits >> 8 * k);
        bits = 0;
    }
    *n -= pad;
    return *n > 0;
}

static void base64_write(struct span bytes, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t b = (uint32_t)(unsigned char)bytes.p[i] << 16;

        b |= left > 1 ? (uint32_t)(unsigned char)bytes.p[i + 1] << 8 : 0;
        b |= left > 2 ? (unsigned char)bytes.p[i + 2] : 0;
        buf_addc(out, digits[b >> 18]);
        buf_addc(out, digits[b >> 12 & 63]);
        buf_addc(out, left > 1 ? digits[b >> 6 & 63] : '=');
        buf_addc(out, left > 2 ? digits[b & 63] : '=');
    }
}

/* ---- reading ---- */

struct lines {
    const char *what;
    struct span rest;
    size_t number, lines;            /* of the line in hand; of all at most */
    struct foreign *f;
    struct text_map seen;
};

static enum status put_token(struct lines *l, struct span bytes, uint64_t rank)
{
    struct foreign *f = l->f;

    if (rank >= BPE_ID_LIMIT || rank > l->lines + GAP_LIMIT)
        return fail(ST_FORMAT, "'%s': line %zu has rank %" PRIu64 "; want at most %zu", l->what,
                    l->number, rank, l->lines + GAP_LIMIT);
    if (f->tokens[rank].p != NULL)
        return fail(ST_FORMAT, "'%s': line %zu has rank %" PRIu64 ", which another line has",
                    l->what, l->number, rank);
    if (text_map_add(&l->seen, bytes, (uint32_t)rank) != rank)
        return fail(ST_FORMAT, "'%s': line %zu has a token that stands twice", l->what, l->number);
    f->tokens[rank] = bytes;
    if (rank >= f->count)
        f->count = (uint32_t)rank + 1;
    return ST_OK;
}

static enum status read_line(struct lines *l)
{
    const char *stop = memchr(l->rest.p, '\n', l->rest.n), *space;
    struct span line = { l->rest.p, stop ? (size_t)(stop - l->rest.p) : l->rest.n };
    char *bytes;
    size_t n = 0;
    uint64_t rank = 0;

    l->number++;
    l->rest.p += line.n + (stop != NULL);
    l->rest.n -= line.n + (stop != NULL);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0)
        return ST_OK;
    space = memchr(line.p, ' ', line.n);
    if (space == NULL || line.n > LINE_MAX_BYTES || line.p + line.n - space > 9 ||
        space + 1 == line.p + line.n)
        return fail(ST_FORMAT, "'%s': line %zu is not base64, a space and a rank", l->what,
                    l->number);
    for (const char *p = space + 1; p < line.p + line.n; p++) {
        if (*p < '0' || *p > '9')
            return fail(ST_FORMAT, "'%s': line %zu: '%.*s' is not a rank", l->what, l->number,
                        (int)(line.p + line.n - space - 1), space + 1);
        rank = rank * 10 + (uint64_t)(*p - '0');
    }
    bytes = arena_alloc(&l->f->arena, line.n + 1);
    if (!base64_read((struct span){ line.p, (size_t)(space - line.p) }, bytes, &n))
        return fail(ST_FORMAT, "'%s': line %zu: '%.*s' is not base64", l->what, l->number,
                    (int)(space - line.p < 60 ? space - line.p : 60), line.p);
    return put_token(l, (struct span){ bytes, n }, rank);
}

static void add_special(struct foreign *f, const char *text, uint32_t id)
{
    f->specials = mem_grow(f->specials, f->special_count + 1, sizeof *f->specials);
    f->specials[f->special_count++] =
        (struct foreign_special){ span_of(arena_strdup(&f->arena, text)), id, true };
}

/* "TEXT=ID" */
static enum status read_specials(struct foreign *f, const struct foreign_args *args)
{
    for (size_t i = 0; i < args->special_count; i++) {
        const char *at = strrchr(args->specials[i], '=');
        char *end = NULL;
        unsigned long id = at ? strtoul(at + 1, &end, 10) : 0;

        if (at == NULL || at == args->specials[i] || end == at + 1 || *end || id >= BPE_ID_LIMIT)
            return fail(ST_CONFIG, "special: '%s'; want TEXT=ID", args->specials[i]);
        add_special(f, arena_strndup(&f->arena, args->specials[i], (size_t)(at - args->specials[i])),
                    (uint32_t)id);
    }
    return ST_OK;
}

static enum status know(struct foreign *f, const char *what, struct span text,
                        const struct foreign_args *args)
{
    const struct known_file *known = NULL;
    char hex[SHA256_HEX];

    sha256_bytes(text.p, text.n, hex);
    for (size_t i = 0; i < sizeof known_files / sizeof known_files[0]; i++)
        if (strcmp(hex, known_files[i].sha256) == 0)
            known = &known_files[i];
    for (size_t i = 0; known && args->special_count == 0 && known->specials[i].text; i++)
        add_special(f, known->specials[i].text, known->specials[i].id);
    TRY(read_specials(f, args));
    return foreign_set_pattern(f, what, args->pattern || !known ? args->pattern : known->pattern);
}

enum status foreign_read_ranks(const char *what, struct span text, const struct foreign_args *args,
                               struct foreign *f)
{
    struct lines l = { .what = what, .rest = text, .lines = 1, .f = f };
    enum status st = know(f, what, text, args);

    for (size_t i = 0; i < text.n; i++)
        l.lines += text.p[i] == '\n';
    f->bytes = f->ignore_merges = true;
    f->ranks = RANK_SPLITS;
    f->tokens = mem_array((l.lines < BPE_ID_LIMIT ? l.lines : BPE_ID_LIMIT) + GAP_LIMIT + 1,
                          sizeof *f->tokens);
    text_map_init(&l.seen, 1024);
    while (st == ST_OK && l.rest.n > 0)
        st = read_line(&l);
    text_map_release(&l.seen);
    if (st == ST_OK && f->count == 0)
        st = fail(ST_FORMAT, "'%s': no ranks; want lines of base64, a space and a rank", what);
    return st;
}

/* ---- writing ---- */

enum status rank_file_print(const struct tokenizer *t, const char *what, struct buf *out)
{
    struct text_map seen;
    bool *added = mem_array((size_t)t->vocab + 1, sizeof *added);
    enum status st = ST_OK;

    for (size_t i = 0; i < t->added_count; i++)
        added[t->added[i].id] = true;
    text_map_init(&seen, t->vocab);
    for (uint32_t id = 0; st == ST_OK && id < t->vocab; id++) {
        struct span b = tokenizer_bytes(t, id);

        if (b.n == 0 || added[id])
            continue;
        if (text_map_add(&seen, b, id) != id) {
            st = fail(ST_UNSUPPORTED, "'%s': token %" PRIu32 " has the bytes of another one; a rank "
                                      "file cannot hold both",
                      what, id);
        } else {
            base64_write(b, out);
            buf_printf(out, " %" PRIu32 "\n", id);
        }
    }
    text_map_release(&seen);
    free(added);
    return st;
}
