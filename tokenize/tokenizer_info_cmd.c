/* What a tokenizer is. */
#include "tokenize/tokenizer_cmd.h"

#include <stdio.h>

#include "base/json.h"
#include "base/output.h"
#include "tokenize/encode/self_check.h"
#include "tokenize/pretok/unicode_table.h"
#include "tokenize/tokenizer_part.h"

struct info_options {
    const char *tokenizer;
    bool json;
};
#define S struct info_options
#define LARGEST_SHOWN 5
#define EXCEPTIONS_SHOWN 20

/* The file's own. */
static json_t *describe_cuts(const struct tokenizer *t)
{
    json_t *cuts = json_array();
    const char *cut;

    for (size_t i = 0; (cut = pretok_cut(t->pretok, i)) != NULL; i++) {
        const char *name = pretok_pattern_name(cut);

        if (t->cut_marks && pretok_cut(t->pretok, i + 1) == NULL)
            break;
        json_array_append_new(cuts, json_string(name ? name : cut));
    }
    return cuts;
}

static json_t *describe_added(const struct tokenizer *t, bool special)
{
    json_t *tokens = json_object();

    for (size_t i = 0; i < t->added_count; i++)
        if (t->added[i].special == special)
            json_object_set_new(tokens, t->added[i].content.p, json_integer(t->added[i].id));
    return tokens;
}

/* The normalizer's steps, those of a pre-tokenizer that rewrites text behind a "|". */
static json_t *describe_normalizer(const struct tokenizer *t)
{
    struct buf text = { 0 };
    json_t *out;

    if (t->nfc)
        buf_adds(&text, "NFC");
    if (t->normalizer)
        normalizer_describe(t->normalizer, &text);
    for (size_t i = 0; i < t->stage_count; i++) {
        buf_adds(&text, text.n ? " | " : "| ");
        if (t->stages[i].rewrite)
            normalizer_describe(t->stages[i].rewrite, &text);
    }
    out = text.n ? json_text_of(text.p) : json_null();
    buf_release(&text);
    return out;
}

/* Where the peers' Unicode tables would cut otherwise. */
struct differing {
    size_t characters, ranges;
    uint32_t first;
};

static void note_difference(void *ctx, uint32_t first, uint32_t last)
{
    struct differing *d = ctx;

    d->first = d->ranges == 0 ? first : d->first;
    d->characters += last - first + 1;
    d->ranges++;
}

static json_t *describe_unicode(const struct tokenizer *t)
{
    static const struct {
        int version;
        const char *who;
    } peers[] = { { 140, "tokenizers before 0.21.2" },
                  { 160, "tokenizers since 0.21.2, tiktoken 0.14" },
                  { 170, "gigatoken 0.10" } };
    json_t *out = json_object();

    json_object_set_new(out, "version", json_real(UNICODE_DEFAULT / 10.0));
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        struct differing d = { 0, 0, 0 };

        pretok_unicode_difference(t->pretok, peers[i].version, note_difference, &d);
        if (d.characters > 0)
            json_object_set_new(out, peers[i].who,
                                json_pack("{s:f, s:I, s:I}", "version", peers[i].version / 10.0,
                                          "characters_cut_otherwise", (json_int_t)d.characters,
                                          "first", (json_int_t)d.first));
    }
    return out;
}

/* The longest tokens, the longest first, then by id. */
static json_t *describe_largest(const struct tokenizer *t)
{
    uint32_t top[LARGEST_SHOWN];
    size_t n = 0;
    json_t *out = json_array();

    for (uint32_t id = 0; id < t->vocab; id++) {
        size_t at = n;

        if (t->special[id] || t->bytes[id].n == 0)
            continue;
        while (at > 0 && t->bytes[top[at - 1]].n < t->bytes[id].n)
            at--;
        if (at == LARGEST_SHOWN)
            continue;
        n += n < LARGEST_SHOWN;
        memmove(top + at + 1, top + at, (n - at - 1) * sizeof *top);
        top[at] = id;
    }
    for (size_t i = 0; i < n; i++) {
        struct buf text = { 0 };

        utf8_repair(&text, t->bytes[top[i]].p, t->bytes[top[i]].n);
        json_array_append_new(out, json_pack("{s:I, s:I, s:s}", "id", (json_int_t)top[i], "bytes",
                                             (json_int_t)t->bytes[top[i]].n, "text",
                                             text.p ? text.p : ""));
        buf_release(&text);
    }
    return out;
}

/* Entries that do not encode to themselves. */
static json_t *describe_exceptions(const struct tokenizer *t)
{
    struct self_check c;
    json_t *first = json_array(), *out;

    self_check(t, &c);
    for (size_t i = 0; i < c.count && i < EXCEPTIONS_SHOWN; i++)
        json_array_append_new(first, json_pack("{s:I, s:b, s:I}", "id", (json_int_t)c.v[i].id, "made",
                                               c.v[i].made, "becomes",
                                               (json_int_t)c.v[i].becomes));
    out = json_pack("{s:I, s:I, s:b, s:o}", "asked", (json_int_t)c.entries, "count",
                    (json_int_t)c.count, "come_up_as_whole_pieces", c.whole, "first", first);
    self_check_release(&c);
    return out;
}

static json_t *describe_ids(const uint32_t *ids, size_t count)
{
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, json_integer(ids[i]));
    return out;
}

static json_t *describe(const char *path, const struct tokenizer *t)
{
    int64_t end = tokenizer_end_of_text(t);
    size_t longest = 0, bytes = 0;
    struct buf name = { 0 };
    json_t *info;

    for (uint32_t id = 0; id < t->vocab; id++)
        if (!t->special[id] && t->bytes[id].n > longest)
            longest = t->bytes[id].n;
    for (int b = 0; b < 256; b++)
        bytes += t->byte_id[b] != NO_TOKEN;
    utf8_repair(&name, path, strlen(path));
    info = json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}",
                     "path", name.p, "vocab", (json_int_t)t->vocab, "entries",
                     (json_int_t)t->entries, "merges", (json_int_t)t->merge_count, "longest_token",
                     (json_int_t)longest, "ignore_merges", t->ignore_merges, "ranks",
                     t->ranks == RANK_PLACE   ? "place in merges"
                     : t->ranks == RANK_TOKEN ? "token, by its best merge"
                                              : "token id",
                     "symbols",
                     symbols_are_bytes(t->symbols) ? "bytes" : "characters", "bytes_covered", (json_int_t)bytes, "normalizer", describe_normalizer(t),
                     "pattern", describe_cuts(t), "unicode", describe_unicode(t), "special",
                     describe_added(t, true), "added", describe_added(t, false));
    json_object_set_new(info, "largest", describe_largest(t));
    json_object_set_new(info, "around", json_pack("[o, o]", describe_ids(t->prefix, t->prefix_count),
                                                  describe_ids(t->suffix, t->suffix_count)));
    json_object_set_new(info, "end_of_text", end < 0 ? json_null() : json_integer(end));
    buf_release(&name);
    return info;
}

static void print_row(const char *label, const json_t *value)
{
    struct buf text = { 0 };

    json_canonical(&text, value);
    printf("%-18s %s\n", label, json_is_string(value) ? json_string_value(value) : text.p);
    buf_release(&text);
}

static enum status run_info(struct arena *a, void *cfg)
{
    const struct info_options *o = cfg;
    struct buf text = { 0 };
    struct tokenizer *t;
    json_t *info, *value;
    const char *key;

    TRY(tokenizer_open(o->tokenizer, &t));
    info = describe(o->tokenizer, t);
    json_object_set_new(info, "not_themselves", describe_exceptions(t));
    if (o->json) {
        json_canonical(&text, info);
        printf("%s\n", text.p);
    } else {
        json_object_foreach(info, key, value)
            print_row(key, value);
    }
    buf_release(&text);
    json_decref(info);
    tokenizer_close(t);
    return output_flush_stream();
}

static const struct opt info_options[] = {
    OPT_INPUT(S, tokenizer, "tokenizer", "the tokenizer: its folder or tokenizer.json",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_BOOL(S, json, "json", "false", "one JSON object instead of lines"),
    OPT_END
};

const struct command cmd_tokenizer_info = {
    .name = "tokenizer info",
    .summary = "what a tokenizer is: vocabulary, merges, pattern, special tokens",
    .details = "  tundish tokenizer info tokenizer\n"
               "  tundish tokenizer info --json model",
    .opts = info_options,
    .cfg_size = sizeof(struct info_options),
    .run = run_info,
};
