/* The model of a tokenizer.json: vocabulary, merges, what becomes of unknown characters. */
#include <inttypes.h>
#include <stdlib.h>

#include "store/formats/byte_level.h"
#include "tokenize/files/tokenizer_reading.h"

#define MARK "\xE2\x96\x81"
/* Entries and merges are looked up so many at a time: memory answers for one while others are
 * asked. */
#define WAVE 32

static enum status check_model(struct reading *r, const json_t *model)
{
    const char *type = json_string_value(json_object_get(model, "type"));
    const json_t *dropout = json_object_get(model, "dropout"),
                 *prefix = json_object_get(model, "continuing_subword_prefix"),
                 *suffix = json_object_get(model, "end_of_word_suffix");

    if (type != NULL && strcmp(type, "BPE") != 0)
        return reading_unsupported(r, "the model", type, "BPE");
    if (r->big.vocab.p == NULL || r->big.merges.p == NULL)
        return reading_unsupported(r, "the model without", "\"vocab\" and \"merges\"", "BPE");
    if (!reading_is_nothing(dropout) &&
        !(json_is_number(dropout) && json_number_value(dropout) == 0))
        return reading_unsupported(r, "the model with", "dropout", "none");
    r->prefix = json_string_length(prefix) ? json_string_value(prefix) : "";
    r->suffix = json_string_length(suffix) ? json_string_value(suffix) : "";
    r->byte_fallback = reading_flag(model, "byte_fallback", false);
    r->t->ignore_merges =
        r->t->ranks == RANK_SPLITS || reading_flag(model, "ignore_merges", false);
    if ((*r->prefix || *r->suffix) && (r->byte_fallback || r->bytes))
        return reading_unsupported(r, "the model with", "continuing_subword_prefix or "
                                                        "end_of_word_suffix and bytes",
                                   "characters without byte_fallback");
    return ST_OK;
}

/* ---- vocabulary ---- */

static enum status note_entry(void *ctx, struct span token, int64_t id)
{
    struct reading *r = ctx;

    if (r->entry_count == r->entry_cap) {
        r->entry_cap = r->entry_cap ? r->entry_cap * 2 : 1024;
        r->entries = mem_grow(r->entries, r->entry_cap, sizeof *r->entries);
    }
    r->entries[r->entry_count++] = (struct read_entry){ token, id };
    return ST_OK;
}

/* Ids that lie far apart would cost memory for nothing: the limit grows with
 * the number of entries. */
static enum status check_id(const struct reading *r, const char *token, json_int_t id,
                            size_t entries)
{
    json_int_t limit = (json_int_t)(entries * 4 + 65536);

    limit = limit < BPE_ID_LIMIT ? limit : BPE_ID_LIMIT;
    if (id < 0 || id >= limit)
        return fail(ST_FORMAT,
                    "'%s': token '%.80s' has id %" JSON_INTEGER_FORMAT
                    "; want 0 to %" JSON_INTEGER_FORMAT,
                    r->what, token, id, limit - 1);
    return ST_OK;
}

static enum status find_highest(struct reading *r, const json_t *added)
{
    size_t entries = r->entry_count + json_array_size(added);
    json_int_t highest = -1;

    for (size_t i = 0; i < r->entry_count; i++) {
        TRY(check_id(r, r->entries[i].token.p, r->entries[i].id, entries));
        highest = r->entries[i].id > highest ? r->entries[i].id : highest;
    }
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *a = json_array_get(added, i), *id = json_object_get(a, "id");
        const char *content = json_string_value(json_object_get(a, "content"));

        if (!json_is_integer(id) || content == NULL)
            return fail(ST_FORMAT,
                        "'%s': added_tokens[%zu] has no whole number \"id\" or no text \"content\"",
                        r->what, i);
        TRY(check_id(r, content, json_integer_value(id), entries));
        highest = json_integer_value(id) > highest ? json_integer_value(id) : highest;
    }
    r->t->vocab = (uint32_t)(highest + 1);
    r->t->bytes = r->t->pieces = mem_array((size_t)highest + 1, sizeof *r->t->bytes);
    r->t->special = mem_array((size_t)highest + 1, sizeof *r->t->special);
    return ST_OK;
}

/* The entry's bytes, unless the decoder says others; the whole piece that it is, where that counts;
 * the byte that it is. */
static void store_entry(struct reading *r, struct span token, uint32_t id, struct buf *bytes)
{
    struct tokenizer *t = r->t;
    bool mapped;

    buf_clear(bytes);
    mapped = byte_level_scan(bytes, token);
    t->bytes[id] = mapped ? reading_keep(r, bytes->p ? bytes->p : "", bytes->n) : token;
    t->entries++;
    if (r->bytes && mapped && t->bytes[id].n == 1)
        t->byte_id[(unsigned char)t->bytes[id].p[0]] = id;
    if (r->bytes ? mapped : t->ignore_merges)
        text_map_add(&t->whole, r->bytes ? t->bytes[id] : token, id);
}

static enum status read_vocab(struct reading *r)
{
    struct tokenizer *t = r->t;
    struct buf bytes = { 0 };
    uint64_t hash[WAVE];
    enum status st = ST_OK;

    for (int b = 0; b < 256; b++)
        t->byte_id[b] = NO_TOKEN;
    for (size_t i = 0; st == ST_OK && i < r->entry_count; i++) {
        struct span token = r->entries[i].token;
        uint32_t id = (uint32_t)r->entries[i].id;

        for (size_t k = i; i % WAVE == 0 && k < i + WAVE && k < r->entry_count; k++) {
            hash[k % WAVE] = text_map_hash(r->entries[k].token);
            text_map_prefetch(&r->strings, hash[k % WAVE]);
        }

        if (t->bytes[id].p != NULL)
            st = fail(ST_FORMAT, "'%s': two tokens have id %" PRIu32 "; the second is '%.80s'",
                      r->what, id, token.p);
        else if (text_map_add_hashed(&r->strings, token, hash[i % WAVE], id) != id)
            st = fail(ST_FORMAT, "'%s': the token '%.80s' stands twice in the vocabulary", r->what,
                      token.p);
        else
            store_entry(r, token, id, &bytes);
    }
    buf_release(&bytes);
    return st;
}

/* ---- symbols ---- */

static uint32_t string_id(const struct reading *r, struct span s)
{
    uint32_t id;

    return text_map_get(&r->strings, s, &id) ? id : NO_TOKEN;
}

/* Returns whether all 256 are there. */
static bool read_byte_ids(struct reading *r)
{
    bool all = true;

    for (int b = 0; b < 256; b++) {
        char name[8];

        snprintf(name, sizeof name, "<0x%02X>", (unsigned)b);
        if (!r->bytes)
            r->t->byte_id[b] = string_id(r, span_of(name));
        all = all && r->t->byte_id[b] != NO_TOKEN;
    }
    return all;
}

/* The characters among the tokens, as they stand in the four places of a piece. */
static void add_symbols(struct reading *r, struct symbols *s)
{
    size_t before = strlen(r->prefix), behind = strlen(r->suffix);

    for (size_t i = 0; i < r->entry_count; i++)
        for (int place = 0; place < SYMBOL_PLACES; place++) {
            struct span t = r->entries[i].token;
            size_t a = place & SYMBOL_INNER ? before : 0, b = place & SYMBOL_LAST ? behind : 0;
            uint32_t cp;

            if (t.n <= a + b || t.n > a + b + 4 || memcmp(t.p, r->prefix, a) != 0 ||
                memcmp(t.p + t.n - b, r->suffix, b) != 0)
                continue;
            t = (struct span){ t.p + a, t.n - a - b };
            if (utf8_decode(t.p, t.p + t.n, &cp) == t.n)
                symbols_add(s, cp, place, (uint32_t)r->entries[i].id);
        }
}

static enum status read_symbols(struct reading *r, const json_t *model)
{
    const json_t *unk = json_object_get(model, "unk_token");
    struct symbol_args args = {
        .bytes = r->bytes,
        .byte_id = r->t->byte_id,
        .byte_fallback = r->byte_fallback,
        .fuse_unk = reading_flag(model, "fuse_unk", false),
        .unk = NO_TOKEN,
    };
    bool all = read_byte_ids(r);

    if (all && r->bytes)
        return ST_OK;
    if (r->bytes && r->byte_fallback)
        return reading_unsupported(r, "a byte-level model with byte_fallback and without",
                                   "some of the 256 bytes", "all of them, or no byte_fallback");
    if (!reading_is_nothing(unk)) {
        args.unk = string_id(r, (struct span){ json_string_value(unk), json_string_length(unk) });
        if (args.unk == NO_TOKEN)
            return fail(ST_FORMAT, "'%s': unk_token '%.80s' is not in the vocabulary", r->what,
                        json_is_string(unk) ? json_string_value(unk) : "");
    }
    r->t->symbols = symbols_new(&args);
    if (!r->bytes)
        add_symbols(r, r->t->symbols);
    return ST_OK;
}

/* ---- merges ---- */

static bool begins_with(struct span text, const char *what)
{
    return text.n >= strlen(what) && memcmp(text.p, what, strlen(what)) == 0;
}

static bool ends_with(struct span text, const char *what)
{
    size_t n = strlen(what);

    return text.n >= n && memcmp(text.p + text.n - n, what, n) == 0;
}

static uint32_t rank_of(struct reading *r, uint32_t id, size_t rank)
{
    if (r->rank_of == NULL)
        return (uint32_t)rank;
    if (r->rank_of[id] == BPE_NO_RANK)
        r->rank_of[id] = (uint32_t)rank;
    return r->rank_of[id];
}

struct read_merge {
    struct span text[3];             /* left, right, joined (p NULL until resolved) */
    uint64_t hash[3];
    size_t rank, joined;             /* where in r->joined */
};

static enum status no_such_merge(const struct reading *r, const struct read_merge *m)
{
    struct span left = m->text[0], right = m->text[1];

    return fail(
        ST_FORMAT,
        "'%s': merges[%zu] ('%.*s' and '%.*s'): one side or the joined token is not in the "
        "vocabulary",
        r->what, m->rank, (int)(left.n < 80 ? left.n : 80), left.p,
        (int)(right.n < 80 ? right.n : 80), right.p);
}

static enum status resolve_merge(struct reading *r, const struct read_merge *w, struct bpe_merge *m)
{
    uint32_t *ids[3] = { &m->left, &m->right, &m->id };

    for (int i = 0; i < 3; i++)
        if (!text_map_get_hashed(&r->strings, w->text[i], w->hash[i], ids[i]))
            return no_such_merge(r, w);
    m->rank = rank_of(r, m->id, w->rank);
    bpe_prefetch(r->t->bpe, m->left, m->right);
    return ST_OK;
}

static enum status add_wave(struct reading *r)
{
    struct bpe_merge merges[WAVE];

    for (size_t i = 0; i < r->waiting_count; i++) {
        struct read_merge *m = &r->waiting[i];

        m->text[2].p = r->joined.p + m->joined;
        for (int k = 0; k < 3; k++) {
            m->hash[k] = text_map_hash(m->text[k]);
            text_map_prefetch(&r->strings, m->hash[k]);
        }
    }
    for (size_t i = 0; i < r->waiting_count; i++)
        for (int k = 0; k < 3; k++)
            text_map_prefetch_key(&r->strings, r->waiting[i].hash[k]);
    for (size_t i = 0; i < r->waiting_count; i++)
        TRY(resolve_merge(r, &r->waiting[i], &merges[i]));
    for (size_t i = 0; i < r->waiting_count; i++)
        bpe_add(r->t->bpe, &merges[i]);
    r->t->merge_count += r->waiting_count;
    r->waiting_count = 0;
    buf_clear(&r->joined);
    return ST_OK;
}

static enum status read_merge(void *ctx, size_t rank, struct span left, struct span right)
{
    struct reading *r = ctx;
    struct read_merge *m = &r->waiting[r->waiting_count++];
    size_t skip = begins_with(right, r->prefix) ? strlen(r->prefix) : 0;

    if (rank >= BPE_NO_RANK)
        return fail(ST_LIMIT, "'%s': more than %u merges", r->what, BPE_NO_RANK);
    *m = (struct read_merge){ .text = { left, right, { NULL, left.n + right.n - skip } },
                              .rank = rank, .joined = r->joined.n };
    buf_add(&r->joined, left.p, left.n);
    buf_add(&r->joined, right.p + skip, right.n - skip);
    if (!r->bytes) {
        r->crosses_mark |= begins_with(right, MARK) && !ends_with(left, MARK);
        r->crosses_space |= begins_with(right, " ") && !ends_with(left, " ");
    }
    return r->waiting_count == WAVE ? add_wave(r) : ST_OK;
}

static enum status read_merges(struct reading *r)
{
    if (r->t->ranks == RANK_TOKEN) {
        r->rank_of = mem_grow(NULL, r->t->vocab ? r->t->vocab : 1, sizeof *r->rank_of);
        for (uint32_t i = 0; i < r->t->vocab; i++)
            r->rank_of[i] = BPE_NO_RANK;
    }
    r->waiting = mem_array(WAVE, sizeof *r->waiting);
    r->t->bpe = bpe_new(r->big.merges.n / 16);
    TRY(json_big_merges(r->big.merges, r->what, &r->scratch, read_merge, r));
    return add_wave(r);
}

/* tiktoken's: the table is made of the tokens that are not added ones. */
static enum status derive_merges(struct reading *r, const json_t *added)
{
    struct tokenizer *t = r->t;
    struct span *texts;

    if (!r->bytes || t->symbols != NULL)
        return reading_unsupported(r, "a rank file's vocabulary whose symbols are not all the",
                                   "256 bytes", "byte-level BPE with every byte");
    texts = mem_array((size_t)t->vocab + 1, sizeof *texts);
    for (uint32_t id = 0; id < t->vocab; id++)
        if (t->bytes[id].n > 0)
            texts[id] = t->bytes[id];
    for (size_t i = 0; i < json_array_size(added); i++)
        texts[json_integer_value(json_object_get(json_array_get(added, i), "id"))] =
            (struct span){ NULL, 0 };
    t->bpe = bpe_from_ranks(texts, t->vocab);
    free(bpe_list(t->bpe, &t->merge_count));
    free(texts);
    return ST_OK;
}

enum status reading_model(struct reading *r, const json_t *model, const json_t *added)
{
    TRY(check_model(r, model));
    TRY(json_big_vocab(r->big.vocab, r->what, &r->t->arena, note_entry, r));
    TRY(find_highest(r, added));
    if (r->t->vocab == 0)
        return fail(ST_FORMAT, "'%s': a vocabulary without tokens", r->what);
    text_map_init(&r->strings, r->entry_count);
    text_map_init(&r->t->whole, r->bytes || r->t->ignore_merges ? r->entry_count : 0);
    TRY(read_vocab(r));
    TRY(read_symbols(r, model));
    return r->t->ranks == RANK_SPLITS ? derive_merges(r, added) : read_merges(r);
}
