#include "tokenize/files/foreign.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "store/formats/byte_level.h"
#include "tokenize/encode/bpe.h"
#include "tokenize/pretok/pretok.h"

#define FILE_LIMIT (256u << 20)
#define MARK "\xE2\x96\x81"

void foreign_release(struct foreign *f)
{
    free(f->tokens);
    free(f->merges);
    free(f->specials);
    arena_release(&f->arena);
    *f = (struct foreign){ .count = 0 };
}

enum status foreign_set_pattern(struct foreign *f, const char *what, const char *pattern)
{
    const char *known = pattern ? pretok_pattern_text(pattern) : NULL;

    if (pattern == NULL)
        return fail(ST_CONFIG,
                    "'%s' does not say by which pattern text is cut; name it: tundish tokenizer "
                    "convert FILE --pattern NAME --to tokenizer.json --out FOLDER",
                    what);
    f->pattern = arena_strdup(&f->arena, known ? known : pattern);
    return ST_OK;
}

/* ---- merges from tokens ---- */

static int by_rank_and_sides(const void *a, const void *b)
{
    const struct bpe_merge *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->left != y->left)
        return x->left < y->left ? -1 : 1;
    return x->right < y->right ? -1 : x->right > y->right;
}

void foreign_derive_merges(struct foreign *f, const uint32_t *order, size_t count)
{
    struct span *texts = mem_array(count + 1, sizeof *texts);
    struct bpe *bpe;
    struct bpe_merge *list;

    for (size_t i = 0; i < count; i++)
        texts[i] = f->tokens[order[i]];
    bpe = bpe_from_ranks(texts, count);
    list = bpe_list(bpe, &f->merge_count);
    if (f->merge_count > 0)
        qsort(list, f->merge_count, sizeof *list, by_rank_and_sides);
    f->merges = mem_array(f->merge_count + 1, sizeof *f->merges);
    for (size_t i = 0; i < f->merge_count; i++)
        f->merges[i] = (struct foreign_merge){ order[list[i].left], order[list[i].right] };
    free(list);
    bpe_free(bpe);
    free(texts);
}

/* ---- printing ---- */

static void print_token(const struct foreign *f, uint32_t id, struct buf *out)
{
    struct buf text = { 0 };

    if (f->bytes) {
        byte_level_print(&text, f->tokens[id]);
        json_quote(out, text.p, text.n);
        buf_release(&text);
    } else {
        json_quote(out, f->tokens[id].p, f->tokens[id].n);
    }
}

static void print_added(const struct foreign *f, struct buf *out)
{
    buf_adds(out, "  \"added_tokens\": [");
    for (size_t i = 0; i < f->special_count; i++) {
        const struct foreign_special *s = &f->specials[i];

        buf_printf(out, "%s\n    {\"id\": %u, \"content\": ", i ? "," : "", s->id);
        json_quote(out, s->text.p, s->text.n);
        buf_printf(out, ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
                        "\"normalized\": false, \"special\": %s}",
                   s->special ? "true" : "false");
    }
    buf_adds(out, f->special_count ? "\n  ],\n" : "],\n");
}

static void print_normalizer(const struct foreign *f, struct buf *out)
{
    static const char space[] = "{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, "
                                "\"content\": \"" MARK "\"}";

    buf_adds(out, "  \"normalizer\": ");
    if (f->bytes)
        buf_adds(out, f->nfc ? "{\"type\": \"NFC\"}" : "null");
    else if (f->space_in_front)
        buf_printf(out, "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", "
                        "\"prepend\": \"" MARK "\"}, %s]}",
                   space);
    else
        buf_adds(out, space);
    buf_adds(out, ",\n");
}

static void print_pretok(const struct foreign *f, struct buf *out)
{
    if (!f->bytes) {
        buf_adds(out, "  \"pre_tokenizer\": null,\n");
        return;
    }
    buf_adds(out, "  \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [");
    if (f->digits)
        buf_adds(out, "\n    {\"type\": \"Digits\", \"individual_digits\": true},");
    buf_adds(out, "\n    {\"type\": \"Split\", \"pattern\": {\"Regex\": ");
    json_quote(out, f->pattern, strlen(f->pattern));
    buf_adds(out, "}, \"behavior\": \"Isolated\", \"invert\": false},\n    {\"type\": "
                  "\"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, "
                  "\"use_regex\": false}\n  ]},\n");
}

static void print_special_item(const struct foreign *f, int64_t id, struct buf *out)
{
    struct span text = f->tokens[id].p ? f->tokens[id] : (struct span){ "", 0 };

    for (size_t i = 0; i < f->special_count; i++)
        if (f->specials[i].id == id)
            text = f->specials[i].text;
    json_quote(out, text.p, text.n);
}

static void print_template_side(const struct foreign *f, int64_t id, struct buf *out)
{
    buf_adds(out, "{\"SpecialToken\": {\"id\": ");
    print_special_item(f, id, out);
    buf_adds(out, ", \"type_id\": 0}}");
}

static void print_template_token(const struct foreign *f, int64_t id, struct buf *out)
{
    print_special_item(f, id, out);
    buf_adds(out, ": {\"id\": ");
    print_special_item(f, id, out);
    buf_printf(out, ", \"ids\": [%lld], \"tokens\": [", (long long)id);
    print_special_item(f, id, out);
    buf_adds(out, "]}");
}

static void print_processor(const struct foreign *f, struct buf *out)
{
    bool bos = f->add_bos && f->bos >= 0, eos = f->add_eos && f->eos >= 0;

    buf_adds(out, "  \"post_processor\": ");
    if (!bos && !eos) {
        buf_adds(out, "null,\n");
        return;
    }
    buf_adds(out, "{\"type\": \"TemplateProcessing\", \"single\": [");
    if (bos) {
        print_template_side(f, f->bos, out);
        buf_adds(out, ", ");
    }
    buf_adds(out, "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}");
    if (eos) {
        buf_adds(out, ", ");
        print_template_side(f, f->eos, out);
    }
    buf_adds(out, "], \"pair\": [{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}, {\"Sequence\": "
                  "{\"id\": \"B\", \"type_id\": 1}}], \"special_tokens\": {");
    if (bos)
        print_template_token(f, f->bos, out);
    if (eos && (!bos || f->eos != f->bos)) {
        buf_adds(out, bos ? ", " : "");
        print_template_token(f, f->eos, out);
    }
    buf_adds(out, "}},\n");
}

static void print_decoder(const struct foreign *f, struct buf *out)
{
    if (f->bytes) {
        buf_adds(out, "  \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, "
                      "\"trim_offsets\": true, \"use_regex\": true},\n");
        return;
    }
    buf_adds(out, "  \"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Replace\", "
                  "\"pattern\": {\"String\": \"" MARK "\"}, \"content\": \" \"}, {\"type\": "
                  "\"ByteFallback\"}, {\"type\": \"Fuse\"}");
    if (f->space_in_front)
        buf_adds(out, ", {\"type\": \"Strip\", \"content\": \" \", \"start\": 1, \"stop\": 0}");
    buf_adds(out, "]},\n");
}

static void print_model(const struct foreign *f, struct buf *out)
{
    bool any = false;

    buf_adds(out, "  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n"
                  "    \"unk_token\": ");
    if (f->unk >= 0)
        print_special_item(f, f->unk, out);
    else
        buf_adds(out, "null");
    buf_printf(out,
               ",\n    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n"
               "    \"fuse_unk\": %s,\n    \"byte_fallback\": %s,\n    \"ignore_merges\": %s,\n"
               "    \"vocab\": {",
               f->bytes ? "false" : "true", f->bytes ? "false" : "true",
               f->ignore_merges ? "true" : "false");
    for (uint32_t id = 0; id < f->count; id++) {
        if (f->tokens[id].p == NULL)
            continue;
        buf_adds(out, any ? ",\n      " : "\n      ");
        print_token(f, id, out);
        buf_printf(out, ": %u", id);
        any = true;
    }
    buf_adds(out, "\n    },\n    \"merges\": [");
    for (size_t i = 0; i < f->merge_count; i++) {
        buf_adds(out, i ? ",\n      [" : "\n      [");
        print_token(f, f->merges[i].left, out);
        buf_adds(out, ", ");
        print_token(f, f->merges[i].right, out);
        buf_adds(out, "]");
    }
    buf_adds(out, f->merge_count ? "\n    ]\n  }\n" : "]\n  }\n");
}

void foreign_print(const struct foreign *f, struct buf *out)
{
    buf_adds(out, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n");
    print_added(f, out);
    print_normalizer(f, out);
    print_pretok(f, out);
    print_processor(f, out);
    print_decoder(f, out);
    print_model(f, out);
    buf_adds(out, "}\n");
}

enum status foreign_parse(const struct foreign *f, const char *what, struct buf *json,
                          struct tokenizer **out)
{
    foreign_print(f, json);
    return tokenizer_parse_ranked(what, (struct span){ json->p, json->n }, f->ranks, out);
}

/* ---- files ---- */

enum foreign_kind foreign_sniff(const char *path)
{
    struct file_map m;
    enum foreign_kind kind = FOREIGN_NONE;
    struct span head;

    if (file_map_open(&m, path) != ST_OK)
        return FOREIGN_NONE;
    head = (struct span){ (const char *)m.p, m.n };
    if (head.n >= 4 && memcmp(head.p, "GGUF", 4) == 0)
        kind = FOREIGN_GGUF;
    else if (head.n >= 9 && memcmp(head.p, "#version:", 9) == 0)
        kind = FOREIGN_PAIR;
    else if (str_ends_with(path, ".tiktoken"))
        kind = FOREIGN_TIKTOKEN;
    file_map_close(&m);
    return kind;
}

/* The vocabulary beside a vocab.bpe or merges.txt. */
static enum status find_encoder(struct foreign *f, const char *path, const char **out)
{
    const char *base = path_base(path);
    int folder = (int)(base - path);
    const char *at = strstr(base, "vocab.bpe");

    *out = at ? arena_printf(&f->arena, "%.*s%.*sencoder.json", folder, path, (int)(at - base), base)
              : arena_printf(&f->arena, "%.*svocab.json", folder, path);
    if (!file_exists(*out))
        return fail(ST_MISSING, "'%s' is a list of merges and needs its vocabulary beside it; want "
                                "'%s'",
                    path, *out);
    return ST_OK;
}

static enum status read_pair(const char *path, struct span merges, struct foreign *f)
{
    struct buf encoder = { 0 };
    const char *beside;
    enum status st = find_encoder(f, path, &beside);

    if (st == ST_OK)
        st = file_read(beside, FILE_LIMIT, &encoder);
    if (st == ST_OK)
        st = foreign_read_pair(path, merges, (struct span){ encoder.p, encoder.n }, f);
    buf_release(&encoder);
    return st;
}

enum status foreign_read(const char *path, enum foreign_kind kind, const struct foreign_args *args,
                         struct foreign *f)
{
    struct file_map m;
    struct span bytes;
    enum status st;

    *f = (struct foreign){ .kind = kind, .unk = -1, .bos = -1, .eos = -1 };
    TRY(file_map_open(&m, path));
    bytes = (struct span){ (const char *)m.p, m.n };
    if (kind == FOREIGN_GGUF)
        st = foreign_read_gguf(path, bytes, args, f);
    else if (bytes.n > FILE_LIMIT)
        st = fail(ST_LIMIT, "'%s' has %zu bytes; want at most %u", path, bytes.n, FILE_LIMIT);
    else if (kind == FOREIGN_PAIR)
        st = read_pair(path, bytes, f);
    else
        st = foreign_read_ranks(path, bytes, args, f);
    file_map_close(&m);
    if (st != ST_OK)
        foreign_release(f);
    return st;
}
