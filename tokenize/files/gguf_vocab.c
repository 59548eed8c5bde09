/*
 * The vocabulary in a GGUF file's metadata (versions 2 and 3): tokenizer.ggml.model "gpt2" (bytes,
 * with merges) and "llama" (characters, with scores). The tensors behind it are not looked at, so
 * a file that holds metadata alone will do.
 *
 *   "GGUF" | u32 version | u64 tensors | u64 pairs | pairs
 *   pair: text key | u32 type | value      text: u64 bytes | bytes
 *   type 9: u32 type of items | u64 items | items
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "store/formats/byte_level.h"
#include "tokenize/encode/bpe.h"
#include "tokenize/files/foreign.h"
#include "tokenize/pretok/pretok.h"
#include "tokenize/text_map.h"

#define PAIRS_MAX 100000
#define TEXT_TYPE 8
#define ARRAY_TYPE 9
enum token_type { TYPE_NORMAL = 1, TYPE_UNKNOWN, TYPE_CONTROL, TYPE_USER, TYPE_UNUSED, TYPE_BYTE };

struct array {               /* of the file's bytes */
    uint32_t type;
    uint64_t count;
    struct cursor items;
};
struct gguf {
    const char *what;
    struct span model, pre, chat_template;
    struct array tokens, merges, scores, types;
    int64_t bos, eos, unk;
    int add_bos, add_eos, add_space;     /* -1: not said */
};

/* Bytes of a value of a type, 0 for text and arrays and what is not known. */
static int size_of_type(uint32_t type)
{
    static const int sizes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };

    return type < sizeof sizes / sizeof sizes[0] ? sizes[type] : 0;
}

static struct span read_text(struct cursor *c)
{
    return cursor_bytes(c, cursor_uint(c, 8));
}

static void skip_array(struct cursor *c, struct array *a)
{
    int size;

    a->type = (uint32_t)cursor_uint(c, 4);
    a->count = cursor_uint(c, 8);
    a->items = *c;
    size = size_of_type(a->type);
    if (a->count > cursor_left(c) || (size == 0 && a->type != TEXT_TYPE)) {
        c->bad = true;       /* each item has a byte at least */
        return;
    }
    if (size > 0) {
        cursor_bytes(c, a->count * (uint64_t)size);
        return;
    }
    for (uint64_t i = 0; i < a->count && cursor_ok(c); i++)
        read_text(c);
}

struct value {
    uint32_t type;
    uint64_t number;
    struct span text;
    struct array array;
};

static bool read_value(struct cursor *c, struct value *v)
{
    *v = (struct value){ .type = (uint32_t)cursor_uint(c, 4) };
    if (v->type == TEXT_TYPE)
        v->text = read_text(c);
    else if (v->type == ARRAY_TYPE)
        skip_array(c, &v->array);
    else if (size_of_type(v->type) > 0)
        v->number = cursor_uint(c, size_of_type(v->type));
    else
        c->bad = true;
    return cursor_ok(c);
}

static void note(struct gguf *g, struct span key, const struct value *v)
{
    const struct {
        const char *key;
        struct span *text;
        struct array *array;
        int64_t *id;
        int *flag;
    } wanted[] = {
        { "model", &g->model, NULL, NULL, NULL },
        { "pre", &g->pre, NULL, NULL, NULL },
        { "tokens", NULL, &g->tokens, NULL, NULL },
        { "merges", NULL, &g->merges, NULL, NULL },
        { "scores", NULL, &g->scores, NULL, NULL },
        { "token_type", NULL, &g->types, NULL, NULL },
        { "bos_token_id", NULL, NULL, &g->bos, NULL },
        { "eos_token_id", NULL, NULL, &g->eos, NULL },
        { "unknown_token_id", NULL, NULL, &g->unk, NULL },
        { "add_bos_token", NULL, NULL, NULL, &g->add_bos },
        { "add_eos_token", NULL, NULL, NULL, &g->add_eos },
        { "add_space_prefix", NULL, NULL, NULL, &g->add_space },
    };
    static const char prefix[] = "tokenizer.ggml.";
    size_t skip = sizeof prefix - 1;

    if (span_eq(key, "tokenizer.chat_template") && v->type == TEXT_TYPE)
        g->chat_template = v->text;
    if (key.n < skip || memcmp(key.p, prefix, skip) != 0)
        return;
    key = (struct span){ key.p + skip, key.n - skip };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!span_eq(key, wanted[i].key))
            continue;
        if (wanted[i].text && v->type == TEXT_TYPE)
            *wanted[i].text = v->text;
        else if (wanted[i].array && v->type == ARRAY_TYPE)
            *wanted[i].array = v->array;
        else if (wanted[i].id && size_of_type(v->type) == 4)
            *wanted[i].id = (int64_t)v->number;
        else if (wanted[i].flag && size_of_type(v->type) == 1)
            *wanted[i].flag = v->number != 0;
    }
}

static enum status read_pairs(struct gguf *g, struct span file)
{
    struct cursor c = cursor_over(file.p, file.n);
    struct span magic = cursor_bytes(&c, 4);
    uint64_t version = cursor_uint(&c, 4), pairs;

    cursor_uint(&c, 8);
    pairs = cursor_uint(&c, 8);
    if (!cursor_ok(&c) || memcmp(magic.p, "GGUF", 4) != 0 || version < 2 || version > 3)
        return fail(ST_FORMAT, "'%s' is not a GGUF file of version 2 or 3", g->what);
    if (pairs > PAIRS_MAX)
        return fail(ST_LIMIT, "'%s': %" PRIu64 " pairs of metadata; want at most %d", g->what, pairs,
                    PAIRS_MAX);
    for (uint64_t i = 0; i < pairs; i++) {
        struct span key = read_text(&c);
        struct value v;

        if (!read_value(&c, &v))
            return fail(ST_FORMAT, "'%s': pair %" PRIu64 " of the metadata ('%.*s') is broken at "
                                   "byte %zu",
                        g->what, i, (int)(key.n < 60 ? key.n : 60), key.n ? key.p : "",
                        cursor_offset(&c));
        note(g, key, &v);
    }
    return ST_OK;
}

/* ---- tokens ---- */

/* Of token i, in order; without types all are ordinary. */
static int next_type(struct cursor *types, const struct array *a)
{
    return a->count ? (int)cursor_uint(types, size_of_type(a->type)) : TYPE_NORMAL;
}

static void add_special(struct foreign *f, struct span text, uint32_t id, bool special)
{
    if ((f->special_count & (f->special_count - 1)) == 0)
        f->specials = mem_grow(f->specials, f->special_count ? 2 * f->special_count : 1,
                               sizeof *f->specials);
    f->specials[f->special_count++] = (struct foreign_special){ text, id, special };
}

static enum status store_token(struct gguf *g, struct foreign *f, uint32_t id, struct span text,
                               int type)
{
    struct span kept = { arena_strndup(&f->arena, text.n ? text.p : "", text.n), text.n };
    struct buf bytes = { 0 };

    if (type == TYPE_CONTROL || type == TYPE_USER || type == TYPE_UNKNOWN) {
        if (kept.n > 0)
            add_special(f, kept, id, type != TYPE_USER);
        if (type == TYPE_UNKNOWN && g->unk < 0)
            g->unk = id;
        if (!f->bytes)
            f->tokens[id] = kept;
        return ST_OK;
    }
    if (f->bytes) {
        if (!byte_level_scan(&bytes, kept)) {
            buf_release(&bytes);
            return fail(ST_FORMAT, "'%s': token %" PRIu32 " ('%.80s') is not in the byte-level "
                                   "alphabet",
                        g->what, id, kept.p);
        }
        kept = (struct span){ arena_strndup(&f->arena, bytes.p ? bytes.p : "", bytes.n), bytes.n };
        buf_release(&bytes);
    }
    f->tokens[id] = kept;
    return ST_OK;
}

static enum status read_tokens(struct gguf *g, struct foreign *f)
{
    struct cursor items = g->tokens.items, types = g->types.items;
    int type_size = size_of_type(g->types.type);

    if (g->tokens.type != TEXT_TYPE || g->tokens.count == 0)
        return fail(ST_FORMAT, "'%s' has no tokenizer.ggml.tokens", g->what);
    if (g->tokens.count >= BPE_ID_LIMIT)
        return fail(ST_LIMIT, "'%s': %" PRIu64 " tokens; want less than %u", g->what,
                    g->tokens.count, BPE_ID_LIMIT);
    if (g->types.count && (g->types.count != g->tokens.count || type_size != 4))
        return fail(ST_FORMAT, "'%s': tokenizer.ggml.token_type has %" PRIu64 " items for %" PRIu64
                               " tokens",
                    g->what, g->types.count, g->tokens.count);
    f->count = (uint32_t)g->tokens.count;
    f->tokens = mem_array(f->count, sizeof *f->tokens);
    for (uint32_t id = 0; id < f->count; id++)
        TRY(store_token(g, f, id, read_text(&items), next_type(&types, &g->types)));
    return ST_OK;
}

/* ---- merges ---- */

static enum status read_merges(struct gguf *g, struct foreign *f)
{
    struct cursor items = g->merges.items;
    struct text_map strings;
    enum status st = ST_OK;

    if (g->merges.type != TEXT_TYPE || g->merges.count >= BPE_NO_RANK)
        return fail(ST_FORMAT, "'%s' has no tokenizer.ggml.merges, or too many", g->what);
    text_map_init(&strings, f->count);
    for (uint32_t id = 0; id < f->count; id++) {
        struct buf text = { 0 };

        if (f->tokens[id].p == NULL)
            continue;
        byte_level_print(&text, f->tokens[id]);
        text_map_add(&strings, (struct span){ arena_strndup(&f->arena, text.p ? text.p : "", text.n),
                                              text.n }, id);
        buf_release(&text);
    }
    f->merges = mem_array((size_t)g->merges.count + 1, sizeof *f->merges);
    for (uint64_t i = 0; st == ST_OK && i < g->merges.count; i++) {
        struct span line = read_text(&items);
        const char *space = line.n ? memchr(line.p, ' ', line.n) : NULL;
        struct foreign_merge *m = &f->merges[f->merge_count++];
        size_t n = space ? (size_t)(space - line.p) : 0;

        if (space == NULL || !text_map_get(&strings, (struct span){ line.p, n }, &m->left) ||
            !text_map_get(&strings, (struct span){ space + 1, line.n - n - 1 }, &m->right))
            st = fail(ST_FORMAT, "'%s': merge %" PRIu64 " is not two tokens with a space between",
                      g->what, i);
    }
    text_map_release(&strings);
    return st;
}

struct scored {
    float score;
    uint32_t id;
};

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* SentencePiece merges whatever makes a token, the one of the highest score first. */
static enum status merges_of_scores(struct gguf *g, struct foreign *f)
{
    struct cursor scores = g->scores.items, types = g->types.items;
    struct scored *list;
    uint32_t *order, n = 0;

    if (g->scores.type != 6 || g->scores.count != f->count)
        return fail(ST_FORMAT, "'%s': tokenizer.ggml.scores has %" PRIu64 " items for %" PRIu32
                               " tokens",
                    g->what, g->scores.count, f->count);
    list = mem_array(f->count, sizeof *list);
    order = mem_array(f->count, sizeof *order);
    for (uint32_t id = 0; id < f->count; id++) {
        uint32_t bits = (uint32_t)cursor_uint(&scores, 4);
        int type = next_type(&types, &g->types);

        memcpy(&list[n].score, &bits, sizeof bits);
        list[n].id = id;
        if (list[n].score != list[n].score)
            list[n].score = 0;
        n += type == TYPE_NORMAL && f->tokens[id].n > 0;
    }
    qsort(list, n, sizeof *list, by_score);
    for (uint32_t i = 0; i < n; i++)
        order[i] = list[i].id;
    foreign_derive_merges(f, order, n);
    f->ranks = RANK_TOKEN;
    free(list);
    free(order);
    return ST_OK;
}

/* ---- the rest ---- */

static enum status find_pattern(struct gguf *g, struct foreign *f, const char *given)
{
    static const struct {
        const char *pre, *pattern;
        bool ignore_merges, nfc, digits;
    } known[] = {
        { "gpt-2", "gpt2", false, false, false },
        { "default", "gpt2", false, false, false },
        { "olmo", "gpt2", false, false, false },
        { "phi-2", "gpt2", false, false, false },
        { "starcoder", "gpt2", false, false, true },
        { "refact", "gpt2", false, false, true },
        { "command-r", "gpt2", false, false, true },
        { "smollm", "gpt2", false, false, true },
        { "codeshell", "gpt2", false, false, true },
        { "llama-bpe", "llama3", true, false, false },
        { "llama3", "llama3", true, false, false },
        { "llama-v3", "llama3", true, false, false },
        { "dbrx", "cl100k", false, false, false },
        { "smaug-bpe", "llama3", true, false, false },
        { "qwen2", "qwen2", false, true, false },
        { "deepseek-r1-qwen", "qwen2", false, true, false },
        { "gpt-4o", "o200k", false, false, false },
        { "llama4", "o200k", true, false, false },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_eq(g->pre, known[i].pre)) {
            f->ignore_merges = known[i].ignore_merges;
            f->nfc = known[i].nfc;
            f->digits = known[i].digits && given == NULL;
            return foreign_set_pattern(f, g->what, given ? given : known[i].pattern);
        }
    if (given == NULL)
        return fail(ST_CONFIG,
                    "'%s': its pre-tokenizer '%.*s' is not known here; name the pattern: tundish "
                    "tokenizer convert FILE --pattern NAME --to tokenizer.json --out FOLDER",
                    g->what, (int)(g->pre.n < 60 ? g->pre.n : 60), g->pre.n ? g->pre.p : "");
    return foreign_set_pattern(f, g->what, given);
}

/* An id that the file names, which must be there. */
static enum status check_id(const struct gguf *g, const struct foreign *f, int64_t *id)
{
    if (*id >= (int64_t)f->count)
        return fail(ST_FORMAT, "'%s': special token %" PRId64 " is not in the vocabulary of %" PRIu32,
                    g->what, *id, f->count);
    return ST_OK;
}

enum status foreign_read_gguf(const char *what, struct span file, const struct foreign_args *args,
                              struct foreign *f)
{
    struct gguf g = { .what = what, .bos = -1, .eos = -1, .unk = -1, .add_bos = -1, .add_eos = -1,
                      .add_space = -1 };

    TRY(read_pairs(&g, file));
    f->bytes = span_eq(g.model, "gpt2");
    if (!f->bytes && !span_eq(g.model, "llama"))
        return fail(ST_UNSUPPORTED, "'%s': its tokenizer.ggml.model is '%.*s'; want gpt2 or llama",
                    what, (int)(g.model.n < 60 ? g.model.n : 60), g.model.n ? g.model.p : "");
    TRY(read_tokens(&g, f));
    if (f->bytes) {
        TRY(find_pattern(&g, f, args->pattern));
        TRY(read_merges(&g, f));
    } else {
        TRY(merges_of_scores(&g, f));
        f->space_in_front = g.add_space != 0;
    }
    TRY(check_id(&g, f, &g.bos));
    TRY(check_id(&g, f, &g.eos));
    TRY(check_id(&g, f, &g.unk));
    f->bos = g.bos;
    f->eos = g.eos;
    f->unk = f->bytes ? -1 : g.unk;
    f->add_bos = g.add_bos == 1 || (g.add_bos < 0 && !f->bytes);
    f->add_eos = g.add_eos == 1;
    f->chat_template = (struct span){ arena_strndup(&f->arena, g.chat_template.n ? g.chat_template.p
                                                                                 : "",
                                                    g.chat_template.n),
                                      g.chat_template.n };
    return ST_OK;
}
