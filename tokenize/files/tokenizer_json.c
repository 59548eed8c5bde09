/*
 * Reading a tokenizer.json (tokenizer_parse() of tokenize/tokenizer.h).
 *
 * What is read: byte-level BPE, as GPT-2, Llama 3, Qwen 2, GPT-4o, DeepSeek and StarCoder have it.
 * Both forms of merges ("a b" and ["a", "b"]), objects without their `type` (older files),
 * ignore_merges, NFC. What changes ids and is not known here is refused by name. Without effect,
 * hence passed over: post_processor (ids are those of add_special_tokens=False), truncation and
 * padding (of batches), unk_token and byte_fallback (every byte has a token, which is checked).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "store/byte_level.h"
#include "tokenize/pretok/regex_dialect.h"
#include "tokenize/encode/token_nfc.h"
#include "tokenize/tokenizer_part.h"

#define ID_LIMIT BPE_ID_LIMIT
#define ADDED_BYTES 1024             /* of an added token */
#define ADDED_LIMIT 100000

struct reading {
    const char *what;
    struct tokenizer *t;
    struct text_map strings;         /* the vocabulary's strings as they stand in the file -> id */
};

static enum status unsupported(const struct reading *r, const char *part, const char *found,
                               const char *want)
{
    return fail(ST_UNSUPPORTED, "'%s': %s %s cannot be encoded by this program; want %s", r->what,
                part, found, want);
}

/* The `type`, or for older files what the members tell, or "". */
static const char *type_of(const json_t *part)
{
    const char *type = json_string_value(json_object_get(part, "type"));

    if (type != NULL)
        return type;
    if (json_object_get(part, "pretokenizers") || json_object_get(part, "normalizers") ||
        json_object_get(part, "decoders"))
        return "Sequence";
    if (json_object_get(part, "behavior"))
        return "Split";
    if (json_object_get(part, "individual_digits"))
        return "Digits";
    if (json_object_get(part, "trim_offsets"))
        return "ByteLevel";
    return "";
}

static bool flag(const json_t *part, const char *key, bool absent)
{
    const json_t *v = json_object_get(part, key);

    return json_is_boolean(v) ? json_is_true(v) : absent;
}

/* null, absent or "" */
static bool is_nothing(const json_t *v)
{
    return v == NULL || json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0);
}

/* ---- normalizer ---- */

static enum status read_normalizer(struct reading *r, const json_t *part)
{
    const char *type = type_of(part);
    const json_t *items = json_object_get(part, "normalizers");

    if (is_nothing(part))
        return ST_OK;
    if (strcmp(type, "NFC") == 0) {
        r->t->nfc = true;
        return ST_OK;
    }
    if (strcmp(type, "Sequence") != 0 || !json_is_array(items))
        return unsupported(r, "the normalizer", *type ? type : "(without a type)", "NFC or none");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);

        if (strcmp(type_of(item), "NFC") != 0)
            return unsupported(r, "the normalizer", type_of(item), "NFC or none");
        r->t->nfc = true;
    }
    return ST_OK;
}

/* ---- pre_tokenizer ---- */

static enum status add_cut(struct reading *r, const char *pattern, bool covers)
{
    return pretok_add(r->t->pretok, &(struct pretok_rule){
                                        r->what, pattern,
                                        covers ? PRETOK_REMOVED : PRETOK_ISOLATED, covers });
}

static enum status read_split(struct reading *r, const json_t *part)
{
    const json_t *pattern = json_object_get(part, "pattern");
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    const char *string = json_string_value(json_object_get(pattern, "String"));
    const char *behavior = json_string_value(json_object_get(part, "behavior"));
    bool removed = behavior && strcmp(behavior, "Removed") == 0 && flag(part, "invert", false);
    struct buf quoted = { 0 };
    enum status st;

    if (regex == NULL && string == NULL)
        return fail(ST_FORMAT,
                    "'%s': a Split without pattern; want {\"Regex\": ...} or {\"String\": ...}",
                    r->what);
    if (!removed && (behavior == NULL || strcmp(behavior, "Isolated") != 0))
        return unsupported(r, "the pre_tokenizer Split with behavior",
                           behavior ? behavior : "(none)", "Isolated, or Removed with invert");
    if (regex != NULL)
        return add_cut(r, regex, removed);
    regex_quote(&quoted, (struct span){ string, strlen(string) });
    st = add_cut(r, quoted.p ? quoted.p : "", removed);
    buf_release(&quoted);
    return st;
}

static enum status read_byte_level(struct reading *r, const json_t *part, bool *byte_level)
{
    if (flag(part, "add_prefix_space", true))
        return unsupported(r, "the pre_tokenizer ByteLevel with", "add_prefix_space",
                           "add_prefix_space false");
    *byte_level = true;
    return flag(part, "use_regex", true) ? add_cut(r, pretok_pattern_text("gpt2"), false) : ST_OK;
}

/* *byte_level: whether the step to bytes has been seen; it is the last one. */
static enum status read_pretok(struct reading *r, const json_t *part, int depth, bool *byte_level)
{
    const char *type = type_of(part);
    const json_t *items = json_object_get(part, "pretokenizers");

    if (strcmp(type, "Sequence") == 0 && json_is_array(items) && depth < 8) {
        for (size_t i = 0; i < json_array_size(items); i++)
            TRY(read_pretok(r, json_array_get(items, i), depth + 1, byte_level));
        return ST_OK;
    }
    if (*byte_level)
        return unsupported(r, "the pre_tokenizer with a step behind ByteLevel:",
                           *type ? type : "(without a type)", "ByteLevel last");
    if (strcmp(type, "ByteLevel") == 0)
        return read_byte_level(r, part, byte_level);
    if (strcmp(type, "Split") == 0)
        return read_split(r, part);
    if (strcmp(type, "Digits") == 0)
        return add_cut(r, flag(part, "individual_digits", false) ? "\\p{N}" : "\\p{N}+", false);
    return unsupported(r, "the pre_tokenizer", *type ? type : "(without a type)",
                       "Split, Digits and ByteLevel, or a Sequence of them");
}

/* ---- decoder ---- */

static enum status read_decoder(struct reading *r, const json_t *part)
{
    const char *type = type_of(part);
    const json_t *items = json_object_get(part, "decoders");

    if (strcmp(type, "Sequence") == 0 && json_is_array(items) && json_array_size(items) == 1)
        type = type_of(json_array_get(items, 0));
    if (strcmp(type, "ByteLevel") == 0)
        return ST_OK;
    return unsupported(r, "the decoder",
                       is_nothing(part) ? "null" : *type ? type : "(without a type)", "ByteLevel");
}

/* ---- model ---- */

static enum status check_model(struct reading *r, const json_t *model)
{
    const char *type = json_string_value(json_object_get(model, "type"));
    const json_t *dropout = json_object_get(model, "dropout");

    if (!json_is_object(model))
        return fail(ST_FORMAT, "'%s': no \"model\"; is it a tokenizer.json?", r->what);
    if (type != NULL && strcmp(type, "BPE") != 0)
        return unsupported(r, "the model", type, "BPE");
    if (!json_is_object(json_object_get(model, "vocab")) ||
        !json_is_array(json_object_get(model, "merges")))
        return unsupported(r, "the model without", "\"vocab\" and \"merges\"", "BPE");
    if (!is_nothing(dropout) && !(json_is_number(dropout) && json_number_value(dropout) == 0))
        return unsupported(r, "the model with", "dropout", "none");
    if (!is_nothing(json_object_get(model, "continuing_subword_prefix")))
        return unsupported(r, "the model with", "continuing_subword_prefix", "none");
    if (!is_nothing(json_object_get(model, "end_of_word_suffix")))
        return unsupported(r, "the model with", "end_of_word_suffix", "none");
    r->t->ignore_merges = flag(model, "ignore_merges", false);
    return ST_OK;
}

/* Ids that lie far apart would cost memory for nothing: the limit grows with
 * the number of entries. */
static enum status check_id(const struct reading *r, const char *token, json_int_t id,
                            size_t entries)
{
    json_int_t limit = (json_int_t)(entries * 4 + 65536);

    limit = limit < ID_LIMIT ? limit : ID_LIMIT;
    if (id < 0 || id >= limit)
        return fail(ST_FORMAT,
                    "'%s': token '%.80s' has id %" JSON_INTEGER_FORMAT
                    "; want 0 to %" JSON_INTEGER_FORMAT,
                    r->what, token, id, limit - 1);
    return ST_OK;
}

static enum status find_highest(struct reading *r, const json_t *vocab, const json_t *added)
{
    size_t entries = json_object_size(vocab) + json_array_size(added);
    json_int_t highest = -1;
    const char *token;
    const json_t *id;

    json_object_foreach((json_t *)vocab, token, id) {
        if (!json_is_integer(id))
            return fail(ST_FORMAT, "'%s': the id of token '%.80s' is not a whole number", r->what,
                        token);
        TRY(check_id(r, token, json_integer_value(id), entries));
        highest = json_integer_value(id) > highest ? json_integer_value(id) : highest;
    }
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *a = json_array_get(added, i);
        const char *content = json_string_value(json_object_get(a, "content"));

        id = json_object_get(a, "id");
        if (!json_is_integer(id) || content == NULL)
            return fail(ST_FORMAT,
                        "'%s': added_tokens[%zu] has no whole number \"id\" or no text \"content\"",
                        r->what, i);
        TRY(check_id(r, content, json_integer_value(id), entries));
        highest = json_integer_value(id) > highest ? json_integer_value(id) : highest;
    }
    r->t->vocab = (uint32_t)(highest + 1);
    r->t->bytes = mem_array((size_t)highest + 1, sizeof *r->t->bytes);
    r->t->special = mem_array((size_t)highest + 1, sizeof *r->t->special);
    return ST_OK;
}

static struct span keep(struct reading *r, const char *p, size_t n)
{
    return (struct span){ arena_strndup(&r->t->arena, p, n), n };
}

static enum status read_vocab(struct reading *r, const json_t *vocab)
{
    struct tokenizer *t = r->t;
    struct buf bytes = { 0 };
    const char *token;
    const json_t *value;

    json_object_foreach((json_t *)vocab, token, value) {
        uint32_t id = (uint32_t)json_integer_value(value);
        struct span text = span_of(token);
        bool mapped;

        if (t->bytes[id].p != NULL) {
            buf_release(&bytes);
            return fail(ST_FORMAT, "'%s': two tokens have id %" PRIu32 "; the second is '%.80s'",
                        r->what, id, token);
        }
        buf_clear(&bytes);
        mapped = byte_level_scan(&bytes, text);
        t->bytes[id] = mapped ? keep(r, bytes.p ? bytes.p : "", bytes.n) : keep(r, text.p, text.n);
        t->entries++;
        text_map_add(&r->strings, text, id);
        if (mapped)
            text_map_add(&t->whole, t->bytes[id], id);
    }
    buf_release(&bytes);
    return ST_OK;
}

static enum status read_byte_ids(struct reading *r)
{
    for (int b = 0; b < 256; b++) {
        char byte = (char)b;

        if (!text_map_get(&r->t->whole, (struct span){ &byte, 1 }, &r->t->byte_id[b]))
            return fail(
                ST_UNSUPPORTED,
                "'%s': the vocabulary has no token for the byte 0x%02x; want a byte-level one, "
                "with all 256 bytes",
                r->what, (unsigned)b);
    }
    return ST_OK;
}

/* The two sides of a merge in either form. */
static bool merge_sides(const json_t *merge, struct span *left, struct span *right)
{
    const json_t *a = json_array_get(merge, 0), *b = json_array_get(merge, 1);
    const char *text = json_string_value(merge), *space;

    if (text != NULL) {
        space = strchr(text, ' ');
        if (space == NULL || strchr(space + 1, ' ') != NULL)
            return false;
        *left = (struct span){ text, (size_t)(space - text) };
        *right = span_of(space + 1);
        return true;
    }
    if (json_array_size(merge) != 2 || !json_is_string(a) || !json_is_string(b))
        return false;
    *left = (struct span){ json_string_value(a), json_string_length(a) };
    *right = (struct span){ json_string_value(b), json_string_length(b) };
    return true;
}

static enum status read_merge(struct reading *r, const json_t *merge, size_t rank,
                              struct buf *joined)
{
    struct bpe_merge m = { .rank = (uint32_t)rank };
    struct span left, right;

    if (!merge_sides(merge, &left, &right))
        return fail(ST_FORMAT, "'%s': merges[%zu] is neither \"a b\" nor [\"a\", \"b\"]", r->what,
                    rank);
    buf_clear(joined);
    buf_add(joined, left.p, left.n);
    buf_add(joined, right.p, right.n);
    if (!text_map_get(&r->strings, left, &m.left) || !text_map_get(&r->strings, right, &m.right) ||
        !text_map_get(&r->strings, (struct span){ joined->p, joined->n }, &m.id))
        return fail(
            ST_FORMAT,
            "'%s': merges[%zu] ('%.*s' and '%.*s'): one side or the joined token is not in the "
            "vocabulary",
            r->what, rank, (int)(left.n < 80 ? left.n : 80), left.p,
            (int)(right.n < 80 ? right.n : 80), right.p);
    bpe_add(r->t->bpe, &m);
    return ST_OK;
}

static enum status read_merges(struct reading *r, const json_t *merges)
{
    size_t n = json_array_size(merges);
    struct buf joined = { 0 };
    enum status st = n < BPE_NO_RANK ? ST_OK
                                    : fail(ST_LIMIT, "'%s': %zu merges; want less than %u", r->what,
                                           n, BPE_NO_RANK);

    r->t->bpe = bpe_new(n);
    r->t->merge_count = n;
    for (size_t i = 0; st == ST_OK && i < n; i++)
        st = read_merge(r, json_array_get(merges, i), i, &joined);
    buf_release(&joined);
    return st;
}

/* ---- added_tokens ---- */

static enum status take_added(struct reading *r, const struct added_token *a)
{
    struct tokenizer *t = r->t;
    uint32_t id;

    if (text_map_get(&r->strings, a->content, &id) && id != a->id)
        return fail(ST_FORMAT,
                    "'%s': added token '%.80s' has id %" PRIu32
                    ", but the vocabulary gives it %" PRIu32,
                    r->what, a->content.p, a->id, id);
    if (!text_map_get(&r->strings, a->content, &id) && t->bytes[a->id].p != NULL)
        return fail(ST_FORMAT,
                    "'%s': added token '%.80s' has id %" PRIu32 ", which another token has",
                    r->what, a->content.p, a->id);
    t->entries += t->bytes[a->id].p == NULL;
    t->bytes[a->id] = a->content;
    t->special[a->id] = a->special;
    if (a->normalized) {
        struct span content = a->content;

        if (t->nfc && !token_nfc_is_plain(content)) {
            struct token_nfc scratch = { 0 };
            struct buf normal = { 0 };

            token_nfc(&scratch, content, &normal);
            content = keep(r, normal.p, normal.n);
            buf_release(&normal);
            token_nfc_release(&scratch);
        }
        added_set_add(t->added_normal, a, content);
    } else {
        added_set_add(t->added_raw, a, a->content);
    }
    return ST_OK;
}

static enum status read_added(struct reading *r, const json_t *added)
{
    struct tokenizer *t = r->t;
    size_t n = json_array_size(added);

    if (n > ADDED_LIMIT)
        return fail(ST_LIMIT, "'%s': %zu added tokens; want at most %d", r->what, n, ADDED_LIMIT);
    t->added = arena_array(&t->arena, n + 1, sizeof *t->added);
    t->added_raw = added_set_new();
    t->added_normal = added_set_new();
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(added, i), *content = json_object_get(v, "content");
        struct added_token a = {
            .id = (uint32_t)json_integer_value(json_object_get(v, "id")),
            .single_word = flag(v, "single_word", false), .lstrip = flag(v, "lstrip", false),
            .rstrip = flag(v, "rstrip", false), .special = flag(v, "special", false),
        };

        a.normalized = flag(v, "normalized", !a.special);
        if (json_string_length(content) == 0 || json_string_length(content) > ADDED_BYTES)
            return fail(ST_FORMAT, "'%s': added_tokens[%zu] has %zu bytes; want 1 to %d", r->what,
                        i, json_string_length(content), ADDED_BYTES);
        a.content = keep(r, json_string_value(content), json_string_length(content));
        t->added[t->added_count++] = a;
        TRY(take_added(r, &a));
    }
    return ST_OK;
}

/* ---- all ---- */

static enum status read_all(struct reading *r, const json_t *root)
{
    const json_t *model = json_object_get(root, "model"), *vocab = json_object_get(model, "vocab");
    const json_t *added = json_object_get(root, "added_tokens"),
                 *pre = json_object_get(root, "pre_tokenizer");
    bool byte_level = false;

    TRY(check_model(r, model));
    if (flag(model, "byte_fallback", false) && is_nothing(pre))
        return unsupported(r, "the model with",
                           "byte_fallback (SentencePiece's kind of vocabulary)", "byte-level BPE");
    TRY(read_normalizer(r, json_object_get(root, "normalizer")));
    if (is_nothing(pre))
        return unsupported(r, "the pre_tokenizer", "null", "one with ByteLevel");
    TRY(read_pretok(r, pre, 0, &byte_level));
    if (!byte_level)
        return unsupported(r, "the pre_tokenizer without", "ByteLevel",
                           "ByteLevel as the last step");
    TRY(read_decoder(r, json_object_get(root, "decoder")));
    TRY(find_highest(r, vocab, added));
    text_map_init(&r->strings, json_object_size(vocab));
    text_map_init(&r->t->whole, json_object_size(vocab));
    TRY(read_vocab(r, vocab));
    TRY(read_byte_ids(r));
    TRY(read_merges(r, json_object_get(model, "merges")));
    return read_added(r, added);
}

enum status tokenizer_parse(const char *what, const char *json, size_t n, struct tokenizer **out)
{
    struct reading r = { .what = what };
    json_t *root;
    enum status st;

    *out = NULL;
    TRY(json_parse(json, n, what, &root));
    r.t = mem_alloc(sizeof *r.t);
    r.t->pretok = pretok_new();
    st = read_all(&r, root);
    text_map_release(&r.strings);
    json_decref(root);
    if (st == ST_OK)
        decoder_prepare(r.t);
    if (st == ST_OK)
        *out = r.t;
    else
        tokenizer_close(r.t);
    return st;
}
