/*
 * Reading a tokenizer.json (tokenizer_parse() of tokenize/tokenizer.h).
 *
 * What is read: BPE of every kind, its symbols bytes (GPT-2, Llama 3, Qwen, GPT-4o, DeepSeek) or
 * characters (Llama 2, Gemma, Mistral). Both forms of merges ("a b" and ["a", "b"]), objects
 * without their `type` (older files). What changes ids and is not known here is refused by name.
 * Without effect, hence passed over: truncation and padding (of batches).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "store/formats/byte_level.h"
#include "tokenize/encode/mark_cut.h"
#include "tokenize/files/tokenizer_reading.h"

#define ADDED_BYTES 1024             /* of an added token */
#define ADDED_LIMIT 100000
#define TEXT_MAX 4096                /* of a member */

enum status reading_unsupported(const struct reading *r, const char *part, const char *found,
                                const char *want)
{
    return fail(ST_UNSUPPORTED, "'%s': %s %s cannot be encoded by this program; want %s", r->what,
                part, found, want);
}

const char *reading_type(const json_t *part)
{
    const char *type = json_string_value(json_object_get(part, "type"));

    if (type != NULL)
        return type;
    if (json_object_get(part, "pretokenizers") || json_object_get(part, "normalizers") ||
        json_object_get(part, "decoders") || json_object_get(part, "processors"))
        return "Sequence";
    if (json_object_get(part, "behavior") && json_object_get(part, "pattern"))
        return "Split";
    if (json_object_get(part, "individual_digits"))
        return "Digits";
    if (json_object_get(part, "replacement"))
        return "Metaspace";
    if (json_object_get(part, "trim_offsets"))
        return "ByteLevel";
    return "";
}

bool reading_flag(const json_t *part, const char *key, bool absent)
{
    const json_t *v = json_object_get(part, key);

    return json_is_boolean(v) ? json_is_true(v) : absent;
}

bool reading_is_nothing(const json_t *v)
{
    return v == NULL || json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0);
}

struct span reading_keep(struct reading *r, const char *p, size_t n)
{
    return (struct span){ arena_strndup(&r->t->arena, p, n), n };
}

enum status reading_text(const struct reading *r, const json_t *part, const char *key,
                         struct span *out)
{
    const json_t *v = json_object_get(part, key);

    if (!json_is_string(v) || json_string_length(v) > TEXT_MAX)
        return fail(ST_FORMAT, "'%s': %s without a text \"%s\" of at most %d bytes", r->what,
                    reading_type(part), key, TEXT_MAX);
    *out = (struct span){ arena_strndup(&r->t->arena, json_string_value(v), json_string_length(v)),
                          json_string_length(v) };
    return ST_OK;
}

/* ---- added_tokens ---- */

/* What the normalizer makes of a token's content, which is looked for in normalized text. */
static enum status normal_content(struct reading *r, struct span content, struct span *out)
{
    struct tokenizer *t = r->t;
    struct buf *normal = &r->normal.one;

    *out = content;
    if (t->normalizer != NULL) {
        TRY(normalizer_run(t->normalizer, &r->normal, out, true));
        *out = reading_keep(r, out->p, out->n);
    } else if (t->nfc && !token_nfc_is_plain(content, FORM_NFC)) {
        buf_clear(normal);
        token_nfc(&r->normal.nfc, content, FORM_NFC, normal);
        *out = reading_keep(r, normal->p, normal->n);
    }
    return ST_OK;
}

/* What a token that is added decodes to without steps of its own: the bytes that its characters stand
 * for, if it is one of the vocabulary or normalization wrote it; else its text. */
static struct span added_text(struct reading *r, const struct added_token *a, struct span content)
{
    struct buf bytes = { 0 };
    bool is_text = r->t->bytes[a->id].p == NULL && content.p == a->content.p;

    if (!is_text && byte_level_scan(&bytes, content))
        content = reading_keep(r, bytes.p ? bytes.p : "", bytes.n);
    buf_release(&bytes);
    return content;
}

/* From now on the token decodes to text; as part of a piece it stays what it is. */
static void set_text(struct tokenizer *t, uint32_t id, struct span text)
{
    struct span is = t->bytes[id];

    if (t->pieces == t->bytes && is.p != NULL &&
        (is.n != text.n || memcmp(is.p, text.p, text.n) != 0)) {
        t->pieces = mem_array(t->vocab, sizeof *t->pieces);
        memcpy(t->pieces, t->bytes, t->vocab * sizeof *t->pieces);
    }
    t->bytes[id] = text;
}

static enum status take_added(struct reading *r, const struct added_token *a)
{
    struct tokenizer *t = r->t;
    struct span content = a->content;
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
    t->special[a->id] = a->special;
    if (a->normalized)
        TRY(normal_content(r, a->content, &content));
    if (content.n > 0)
        added_set_add(a->normalized ? t->added_normal : t->added_raw, a, content);
    set_text(t, a->id, t->decode ? content : added_text(r, a, content));
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
            .single_word = reading_flag(v, "single_word", false), .lstrip = 
                reading_flag(v, "lstrip", false),
            .rstrip = reading_flag(v, "rstrip", false), .special = reading_flag(v, "special", false),
        };

        a.normalized = reading_flag(v, "normalized", !a.special);
        if (json_string_length(content) == 0 || json_string_length(content) > ADDED_BYTES)
            return fail(ST_FORMAT, "'%s': added_tokens[%zu] has %zu bytes; want 1 to %d", r->what,
                        i, json_string_length(content), ADDED_BYTES);
        a.content = reading_keep(r, json_string_value(content), json_string_length(content));
        t->added[t->added_count++] = a;
        TRY(take_added(r, &a));
    }
    return ST_OK;
}

/* ---- all ---- */

static bool is_flag(const char *key)
{
    static const char *const flags[] = {
        "single_word", "lstrip", "rstrip", "normalized", "special", "fuse_unk", "byte_fallback",
        "ignore_merges", "add_prefix_space", "use_regex", "split", "invert", "individual_digits",
        "cleanup", "strip_left", "strip_right", "clean_text", "handle_chinese_chars",
        "strip_accents", "lowercase",
    };

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(key, flags[i]) == 0)
            return true;
    return false;
}

/* Flags are true, false or null everywhere: another value would pass for one that is absent. The names
 * of a template's special_tokens are tokens. */
static enum status check_flags(const struct reading *r, json_t *part)
{
    const char *key;
    json_t *value;
    size_t i;

    json_array_foreach(part, i, value)
        TRY(check_flags(r, value));
    json_object_foreach(part, key, value) {
        if (strcmp(key, "special_tokens") == 0)
            continue;
        if (is_flag(key) && !json_is_boolean(value) && !json_is_null(value))
            return fail(ST_FORMAT, "'%s': \"%s\" of %s is neither true nor false", r->what, key,
                        json_string_length(json_object_get(part, "content"))
                            ? json_string_value(json_object_get(part, "content"))
                            : reading_type(part));
        TRY(check_flags(r, value));
    }
    return ST_OK;
}

/* With a decoder other than ByteLevel the bytes of a token are what it makes of it. */
static void decode_tokens(struct reading *r)
{
    struct tokenizer *t = r->t;
    struct buf text = { 0 };

    if (t->decode == NULL)
        return;
    t->raw = mem_array((size_t)t->vocab + 1, sizeof *t->raw);
    for (size_t i = 0; i < r->entry_count; i++)
        t->raw[r->entries[i].id] = r->entries[i].token;
    for (size_t i = 0; i < t->added_count; i++)
        t->raw[t->added[i].id] = t->bytes[t->added[i].id];
    for (uint32_t id = 0; id < t->vocab; id++) {
        if (t->raw[id].p == NULL)
            continue;
        buf_clear(&text);
        decode_steps_token(t->decode, t->raw[id], false, false, &text);
        set_text(t, id, reading_keep(r, text.p ? text.p : "", text.n));
    }
    buf_release(&text);
}

static enum status read_all(struct reading *r, json_t *root)
{
    const json_t *added = json_object_get(root, "added_tokens"),
                 *model = json_object_get(root, "model");

    if (!json_is_object(model))
        return fail(ST_FORMAT, "'%s': no \"model\"; is it a tokenizer.json?", r->what);
    if (!reading_is_nothing(added) && !json_is_array(added))
        return fail(ST_FORMAT, "'%s': \"added_tokens\" is no list", r->what);
    TRY(check_flags(r, root));
    TRY(reading_normalizer(r, json_object_get(root, "normalizer")));
    TRY(reading_pretok(r, json_object_get(root, "pre_tokenizer")));
    TRY(reading_decoder(r, json_object_get(root, "decoder")));
    TRY(reading_model(r, model, added));
    TRY(reading_cut_marks(r));
    TRY(read_added(r, added));
    TRY(reading_template(r, json_object_get(root, "post_processor")));
    decode_tokens(r);
    return ST_OK;
}

/* The tree of all but the big members; what is wrong with the whole is told as for the whole. */
static enum status parse_rest(struct reading *r, struct span text, json_t **root)
{
    struct buf rest = { 0 };
    enum status st;

    json_big_find(text, &r->big);
    json_big_rest(text, &r->big, &rest);
    st = json_parse(rest.p ? rest.p : "", rest.n, r->what, root);
    buf_release(&rest);
    if (st == ST_OK || (r->big.vocab.p == NULL && r->big.merges.p == NULL))
        return st;
    st = json_parse(text.p, text.n, r->what, root);
    if (st == ST_OK) {
        json_decref(*root);
        st = fail(ST_FORMAT, "'%s': \"vocab\" or \"merges\" cannot be told from the rest", r->what);
    }
    return st;
}

enum status tokenizer_parse_ranked(const char *what, struct span json, enum rank_meaning ranks,
                                   struct tokenizer **out)
{
    struct reading r = { .what = what, .prefix = "", .suffix = "" };
    json_t *root;
    enum status st;

    *out = NULL;
    TRY(parse_rest(&r, json, &root));
    r.t = mem_alloc(sizeof *r.t);
    r.t->ranks = ranks;
    st = read_all(&r, root);
    text_map_release(&r.strings);
    buf_release(&r.joined);
    normal_scratch_release(&r.normal);
    free(r.entries);
    free(r.rank_of);
    free(r.waiting);
    arena_release(&r.scratch);
    json_decref(root);
    if (st == ST_OK) {
        short_tokens_make(r.t);
        r.t->merge = piece_merge_new(r.t);
        mark_cut_prepare(r.t);
        *out = r.t;
    } else {
        tokenizer_close(r.t);
    }
    return st;
}

enum status tokenizer_parse(const char *what, const char *json, size_t n, struct tokenizer **out)
{
    return tokenizer_parse_ranked(what, (struct span){ json, n }, RANK_PLACE, out);
}
