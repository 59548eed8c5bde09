/* A hostile tokenizer.json: it is refused with words, or texts of all kinds go through it to ids that it decodes. The input is
 * the file, or, if it does not begin with '{', lines that become parts of a file that is otherwise good: pre_tokenizer, normalizer, added
 * tokens, merges, further entries of the vocabulary, further members of the model. */
#include "base/json.h"
#include "store/formats/byte_level.h"
#include "tests/fuzz/fuzz_check.h"
#include "tokenize/tokenizer_part.h"

static struct span next_line(struct span *rest)
{
    const char *stop = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    struct span line = { rest->p, stop ? (size_t)(stop - rest->p) : rest->n };

    rest->p += line.n + (stop != NULL);
    rest->n -= line.n + (stop != NULL);
    return line;
}

static void add_part(struct buf *out, const char *before, struct span *rest, const char *absent)
{
    struct span line = next_line(rest);

    buf_adds(out, before);
    if (line.n)
        buf_add(out, line.p, line.n);
    else
        buf_adds(out, absent);
}

static void make_file(struct buf *out, struct span parts)
{
    add_part(out, "{\"decoder\":{\"type\":\"ByteLevel\"},\"pre_tokenizer\":", &parts,
             "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}");
    add_part(out, ",\"normalizer\":", &parts, "null");
    add_part(out, ",\"added_tokens\":", &parts, "[]");
    add_part(out, ",\"model\":{\"merges\":", &parts, "[[\"a\",\"b\"],\"ab ab\"]");
    buf_adds(out, ",\"vocab\":{");
    for (int b = 0; b < 256; b++) {
        char byte = (char)b;
        struct buf text = { 0 };

        byte_level_print(&text, (struct span){ &byte, 1 });
        json_quote(out, text.p, text.n);
        buf_printf(out, ":%d,", b);
        buf_release(&text);
    }
    add_part(out, "\"ab\":256,\"abab\":257", &parts, "");
    add_part(out, "}", &parts, "");
    buf_adds(out, "}}");
}

static void use(const struct tokenizer *t)
{
    static const char *const texts[] = { "", "ab abab  aabb\n\n12 It's \xC3\xA9\x65\xCC\x81\xE4\xBD\xA0\xF0\x9F\x99\x82<|a|> <b>",
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\xFF\xC3 \xED\xA0\x80" };
    struct encoder *e = encoder_new(t);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int specials = 0; specials < 2; specials++) {
            struct token_list ids = { 0 };
            struct buf out = { 0 };

            if (encoder_encode(e, span_of(texts[i]), specials, &ids) == ST_OK)
                CHECK(tokenizer_decode(t, ids.v, ids.count, specials, &out) == ST_OK);
            else
                CHECK(*fail_message());
            token_list_release(&ids);
            buf_release(&out);
        }
    encoder_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct span input = { (const char *)p, n };
    struct buf file = { 0 };
    struct tokenizer *t;

    if (n > 0 && p[0] == '{')
        buf_add(&file, p, n);
    else
        make_file(&file, input);
    if (tokenizer_parse("fuzz", file.p, file.n, &t) == ST_OK)
        use(t);
    else
        CHECK(*fail_message());
    tokenizer_close(t);
    buf_release(&file);
    return 0;
}
