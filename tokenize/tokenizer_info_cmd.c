/* What a tokenizer is. */
#include "tokenize/tokenizer_cmd.h"

#include <stdio.h>

#include "base/json.h"
#include "base/output.h"
#include "tokenize/tokenizer_part.h"

struct info_options {
    const char *tokenizer;
    bool json;
};
#define S struct info_options

static json_t *describe_cuts(const struct tokenizer *t)
{
    json_t *cuts = json_array();
    const char *cut;

    for (size_t i = 0; (cut = pretok_cut(t->pretok, i)) != NULL; i++) {
        const char *name = pretok_pattern_name(cut);

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

static json_t *describe(const char *path, const struct tokenizer *t)
{
    size_t longest = 0;
    int64_t end = tokenizer_end_of_text(t);
    struct buf name = { 0 };
    json_t *info;

    for (uint32_t id = 0; id < t->vocab; id++)
        if (!t->special[id] && t->bytes[id].n > longest)
            longest = t->bytes[id].n;
    utf8_repair(&name, path, strlen(path));
    info = json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:s?, s:o, s:o, s:o}", "path", name.p, "vocab",
                     (json_int_t)t->vocab, "entries", (json_int_t)t->entries, "merges",
                     (json_int_t)t->merge_count, "longest_token", (json_int_t)longest,
                     "ignore_merges", t->ignore_merges, "normalizer", t->nfc ? "NFC" : NULL,
                     "pattern", describe_cuts(t), "special", describe_added(t, true), "added",
                     describe_added(t, false));
    json_object_set_new(info, "end_of_text", end < 0 ? json_null() : json_integer(end));
    buf_release(&name);
    return info;
}

static void print_row(const char *label, const json_t *value)
{
    struct buf text = { 0 };

    json_canonical(&text, value);
    printf("%-14s %s\n", label, json_is_string(value) ? json_string_value(value) : text.p);
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
