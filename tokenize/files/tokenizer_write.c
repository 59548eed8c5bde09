#include "tokenize/files/tokenizer_write.h"

#include "base/json.h"
#include "store/formats/byte_level.h"
#include "tokenize/pretok/pretok.h"

/* The token as the file spells it. */
static void print_token(struct buf *out, const struct bpe_trained *t, size_t special_count,
                        uint32_t id)
{
    struct buf text = { 0 };

    if (id >= special_count) {
        byte_level_print(&text, t->tokens[id]);
        json_quote(out, text.p, text.n);
        buf_release(&text);
    } else {
        json_quote(out, t->tokens[id].p, t->tokens[id].n);
    }
}

static void print_added(struct buf *out, const struct bpe_trained *t, size_t special_count)
{
    buf_adds(out, "  \"added_tokens\": [");
    for (uint32_t id = 0; id < special_count; id++) {
        buf_printf(out, "%s\n    {\n      \"id\": %u,\n      \"content\": ", id ? "," : "", id);
        print_token(out, t, special_count, id);
        buf_adds(
            out,
            ",\n      \"single_word\": false,\n      \"lstrip\": false,\n      \"rstrip\": false,\n"
            "      \"normalized\": false,\n      \"special\": true\n    }");
    }
    buf_adds(out, special_count ? "\n  ],\n" : "],\n");
}

static void print_split(struct buf *out, const char *pattern)
{
    buf_adds(out, "      {\"type\": \"Split\", \"pattern\": {\"Regex\": ");
    json_quote(out, pattern, strlen(pattern));
    buf_adds(out, "}, \"behavior\": \"Isolated\", \"invert\": false},\n");
}

/* GPT-2's pattern is the one that ByteLevel has itself. */
static void print_pretok(struct buf *out, const char *const *patterns)
{
    static const char byte_level[] = "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
                                     "\"trim_offsets\": true, \"use_regex\": %s}";

    buf_adds(out, "  \"pre_tokenizer\": ");
    if (strcmp(patterns[0], pretok_pattern_text("gpt2")) == 0 && patterns[1] == NULL) {
        buf_printf(out, byte_level, "true");
    } else {
        buf_adds(out, "{\n    \"type\": \"Sequence\",\n    \"pretokenizers\": [\n");
        for (size_t i = 0; patterns[i]; i++)
            print_split(out, patterns[i]);
        buf_adds(out, "      ");
        buf_printf(out, byte_level, "false");
        buf_adds(out, "\n    ]\n  }");
    }
    buf_adds(out, ",\n");
}

static void print_model(struct buf *out, const struct bpe_trained *t, size_t special_count)
{
    buf_adds(
        out,
        "  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n"
        "    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n"
        "    \"fuse_unk\": false,\n    \"byte_fallback\": false,\n    \"ignore_merges\": false,\n"
        "    \"vocab\": {");
    for (uint32_t id = 0; id < t->vocab; id++) {
        buf_adds(out, id ? ",\n      " : "\n      ");
        print_token(out, t, special_count, id);
        buf_printf(out, ": %u", id);
    }
    buf_adds(out, "\n    },\n    \"merges\": [");
    for (size_t i = 0; i < t->merge_count; i++) {
        buf_adds(out, i ? ",\n      [" : "\n      [");
        print_token(out, t, special_count, t->merges[i].left);
        buf_adds(out, ", ");
        print_token(out, t, special_count, t->merges[i].right);
        buf_adds(out, "]");
    }
    buf_adds(out, t->merge_count ? "\n    ]\n  }\n" : "]\n  }\n");
}

void tokenizer_print_cuts(struct buf *out, const struct bpe_trained *t, size_t special_count,
                          const char *const *patterns)
{
    buf_adds(out, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n");
    print_added(out, t, special_count);
    buf_adds(out, "  \"normalizer\": null,\n");
    print_pretok(out, patterns);
    buf_adds(out, "  \"post_processor\": null,\n  \"decoder\": "
                  "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, "
                  "\"trim_offsets\": true, \"use_regex\": true},\n");
    print_model(out, t, special_count);
    buf_adds(out, "}\n");
}

void tokenizer_print(struct buf *out, const struct bpe_trained *t, size_t special_count,
                     const char *pattern)
{
    tokenizer_print_cuts(out, t, special_count, (const char *[]){ pattern, NULL });
}
