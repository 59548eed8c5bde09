/* One vocabulary and its use: the members of `tokenizers` in metrics.json. */
#include <stdlib.h>

#include "tokenize/measure/measure_json.h"

#define LISTED 100                   /* unused entries, entries that do not come back */
#define SHOWN 40                     /* longest, most frequent tokens */
#define LENGTHS 33                   /* bytes of a token; the last is of this and more */
#define LONG_RUN 2

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *ratio(uint64_t part, uint64_t whole)
{
    return whole ? json_real((double)part / (double)whole) : json_null();
}

static bool is_entry(const struct tokenizer *t, uint32_t id)
{
    return tokenizer_bytes(t, id).n > 0;
}

static bool is_whole_text(struct span bytes)
{
    return utf8_valid(bytes.p, bytes.n) && memchr(bytes.p, 0, bytes.n) == NULL;
}

/* id, text (or the bytes in hex, where they are none) and how often it occurs. */
static json_t *token_json(const struct vocab_use *u, uint32_t id)
{
    struct span bytes = tokenizer_bytes(u->tokenizer, id);
    json_t *o = json_object();
    struct buf hex = { 0 };

    json_object_set_new(o, "id", json_integer(id));
    json_object_set_new(o, "count", number(u->counts[id]));
    if (is_whole_text(bytes)) {
        json_object_set_new(o, "text", json_stringn(bytes.p, bytes.n));
        return o;
    }
    for (size_t i = 0; i < bytes.n; i++)
        buf_printf(&hex, "%02x", (unsigned char)bytes.p[i]);
    json_object_set_new(o, "bytes", json_string(hex.p));
    buf_release(&hex);
    return o;
}

/* ---- the best of a kind ---- */

/* Ids in falling order of weight, the lower id first among equals. */
struct ranked {
    uint32_t id;
    uint64_t weight;
};
static int by_weight(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static json_t *list_best(const struct vocab_use *u, struct ranked *all, size_t n)
{
    json_t *list = json_array();

    if (n > 0)
        qsort(all, n, sizeof *all, by_weight);
    for (size_t i = 0; i < n && i < SHOWN; i++)
        json_array_append_new(list, token_json(u, all[i].id));
    return list;
}

static json_t *frequent(const struct vocab_use *u, struct ranked *room)
{
    size_t n = 0;

    for (uint32_t id = 0; id < tokenizer_vocab(u->tokenizer); id++)
        if (u->counts[id] > 0)
            room[n++] = (struct ranked){ id, u->counts[id] };
    return list_best(u, room, n);
}

/* Is it more than one character over and over, as rules of dashes and indents are? */
static bool is_varied(struct span b)
{
    size_t different = 0;
    bool seen[256] = { false };

    for (size_t i = 0; i < b.n; i++) {
        different += !seen[(unsigned char)b.p[i]];
        seen[(unsigned char)b.p[i]] = true;
    }
    return different > LONG_RUN;
}

static json_t *longest(const struct vocab_use *u, struct ranked *room)
{
    const struct tokenizer *t = u->tokenizer;
    size_t n = 0;

    for (uint32_t id = 0; id < tokenizer_vocab(t); id++) {
        struct span b = tokenizer_bytes(t, id);

        if (b.n > 0 && !tokenizer_is_special(t, id) && is_varied(b) && is_whole_text(b))
            room[n++] = (struct ranked){ id, utf8_length(b.p, b.n) };
    }
    return list_best(u, room, n);
}

/* ---- entries that are not used, or cannot be ---- */

static json_t *unused(const struct vocab_use *u)
{
    json_t *o = json_object(), *list = json_array();
    uint64_t count = 0;

    for (uint32_t id = 0; id < tokenizer_vocab(u->tokenizer); id++) {
        if (!is_entry(u->tokenizer, id) || tokenizer_is_special(u->tokenizer, id)
            || u->counts[id] > 0)
            continue;
        if (count++ < LISTED)
            json_array_append_new(list, token_json(u, id));
    }
    json_object_set_new(o, "count", number(count));
    json_object_set_new(o, "list", list);
    return o;
}

struct asking {
    struct encoder *encoder;
    const struct tokenizer *t;
    struct token_list ids;
};

/* Does the entry's text, alone, become the entry? Where a space is put in front of every text, an
 * entry that begins with one is asked without it, and others cannot be (*asked false). */
static enum status comes_back(struct asking *a, uint32_t id, bool *asked, bool *same)
{
    struct span text = tokenizer_bytes(a->t, id);
    struct token_side side = { .tokenizer = a->t };

    a->ids.count = 0;
    TRY(encoder_encode(a->encoder, text, false, &a->ids));
    side.ids = a->ids.v;
    side.count = a->ids.count;
    *asked = true;
    if (token_side_lead(&side, text) > 0) {
        *asked = text.n > 1 && text.p[0] == ' ';
        a->ids.count = 0;
        if (*asked)
            TRY(encoder_encode(a->encoder, (struct span){ text.p + 1, text.n - 1 }, false, &a->ids));
    }
    *same = a->ids.count == 1 && a->ids.v[0] == id;
    return ST_OK;
}

/* Entries whose own text, alone, becomes other tokens: most of them no text can give. Those that
 * are a part of a character have no text and are not asked. */
static enum status changed(const struct vocab_use *u, json_t **out)
{
    struct asking a = { encoder_new(u->tokenizer), u->tokenizer, { 0 } };
    json_t *list = json_array();
    uint64_t count = 0, all = 0;
    enum status st = ST_OK;

    for (uint32_t id = 0; st == ST_OK && id < tokenizer_vocab(a.t); id++) {
        struct span bytes = tokenizer_bytes(a.t, id);
        bool asked = false, same = false;

        if (bytes.n == 0 || tokenizer_is_special(a.t, id) || !utf8_valid(bytes.p, bytes.n))
            continue;
        st = comes_back(&a, id, &asked, &same);
        all += asked;
        if (st == ST_OK && asked && !same && count++ < LISTED)
            json_array_append_new(list, token_json(u, id));
    }
    encoder_free(a.encoder);
    token_list_release(&a.ids);
    *out = json_object();
    json_object_set_new(*out, "count", number(count));
    json_object_set_new(*out, "asked", number(all));
    json_object_set_new(*out, "list", list);
    return st;
}

/* ---- sums over the vocabulary ---- */

static json_t *lengths(const struct vocab_use *u)
{
    uint64_t entries[LENGTHS + 1] = { 0 }, tokens[LENGTHS + 1] = { 0 };
    json_t *list = json_array();

    for (uint32_t id = 0; id < tokenizer_vocab(u->tokenizer); id++) {
        size_t n = tokenizer_bytes(u->tokenizer, id).n;

        n = n < LENGTHS ? n : LENGTHS;
        entries[n] += n > 0 && !tokenizer_is_special(u->tokenizer, id);
        tokens[n] += u->counts[id];
    }
    for (size_t n = 1; n <= LENGTHS; n++) {
        json_t *row = json_object();

        json_object_set_new(row, "bytes", number(n));
        json_object_set_new(row, "entries", number(entries[n]));
        json_object_set_new(row, "tokens", number(tokens[n]));
        json_array_append_new(list, row);
    }
    return list;
}

static void add_kinds(const struct vocab_use *u, json_t *o)
{
    const struct tokenizer *t = u->tokenizer;
    uint64_t entries = 0, special = 0, used = 0, parts = 0, bytes = 0, unknown = 0;
    int64_t unk = tokenizer_special(t, "<unk>");

    for (uint32_t id = 0; id < tokenizer_vocab(t); id++) {
        struct span b = tokenizer_bytes(t, id);

        entries += b.n > 0;
        special += b.n > 0 && tokenizer_is_special(t, id);
        used += b.n > 0 && u->counts[id] > 0;
        if (!utf8_valid(b.p, b.n))
            parts += u->counts[id];
        if (b.n == 1 && (unsigned char)b.p[0] >= 0x80)
            bytes += u->counts[id];
    }
    if (unk >= 0)
        unknown = u->counts[unk];
    json_object_set_new(o, "entries", number(entries));
    json_object_set_new(o, "special", number(special));
    json_object_set_new(o, "used", number(used));
    json_object_set_new(o, "part_tokens", number(parts));
    json_object_set_new(o, "byte_tokens", number(bytes));
    json_object_set_new(o, "unknown_tokens", number(unknown));
}

enum status vocab_json(const struct vocab_use *u, json_t **out)
{
    struct ranked *room = mem_array(tokenizer_vocab(u->tokenizer) + (size_t)1, sizeof *room);
    json_t *o = json_object(), *not_back = NULL;
    enum status st = changed(u, &not_back);

    json_object_set_new(o, "name", json_text_of(u->name));
    add_kinds(u, o);
    json_object_set_new(o, "tokens", number(u->tokens));
    json_object_set_new(o, "bytes_per_token", ratio(u->all->bytes, u->tokens));
    json_object_set_new(o, "characters_per_token", ratio(u->all->characters, u->tokens));
    json_object_set_new(o, "tokens_per_word", ratio(u->tokens, u->all->words));
    json_object_set_new(o, "pieces", number(u->pieces));
    json_object_set_new(o, "whole_pieces", number(u->whole_pieces));
    json_object_set_new(o, "lengths", lengths(u));
    json_object_set_new(o, "longest", longest(u, room));
    json_object_set_new(o, "frequent", frequent(u, room));
    json_object_set_new(o, "unused", unused(u));
    json_object_set_new(o, "changed", not_back);
    free(room);
    *out = o;
    return st;
}
