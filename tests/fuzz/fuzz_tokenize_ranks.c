/* Hostile rank files (tiktoken's), and pairs of vocab.bpe and encoder.json: they are refused with words, or make a tokenizer.json that
 * is read, and bytes come back from its ids. The first byte chooses: 'r' the rest is added to ranks of all single bytes, 'R' the
 * rest is a whole rank file, 'p' what follows is encoder.json up to a NUL and then vocab.bpe. */
#include "tests/fuzz/fuzz_check.h"
#include "tokenize/files/foreign.h"

static void add_bytes(struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (int b = 0; b < 256; b++)
        buf_printf(out, "%c%c== %d\n", digits[b >> 2], digits[(b & 3) << 4], b);
}

static enum status read_file(struct span input, struct foreign *f)
{
    struct foreign_args args = { "[a-z]+|.", NULL, 0 };
    struct buf text = { 0 };
    enum status st;

    if (input.n && input.p[0] == 'p') {
        const char *nul = memchr(input.p, 0, input.n);
        size_t n = nul ? (size_t)(nul - input.p) : input.n;

        return foreign_read_pair("fuzz", (struct span){ nul ? nul + 1 : "", nul ? input.n - n - 1 : 0 },
                                 (struct span){ input.p + 1, n - 1 }, f);
    }
    if (input.n && input.p[0] == 'r')
        add_bytes(&text);
    if (input.n)
        buf_add(&text, input.p + 1, input.n - 1);
    st = foreign_read_ranks("fuzz", (struct span){ text.p ? text.p : "", text.n }, &args, f);
    buf_release(&text);
    return st;
}

static void use(const struct tokenizer *t)
{
    static const char *const texts[] = { "", "ab abab aabb 12 It's", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\xFF\xC3 \xED\xA0\x80" };
    struct encoder *e = encoder_new(t);
    struct token_list ids = { 0 };
    struct buf out = { 0 };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ids.count = 0;
        buf_clear(&out);
        if (encoder_encode(e, span_of(texts[i]), false, &ids) != ST_OK) {
            CHECK(*fail_message());
            continue;
        }
        CHECK(tokenizer_decode(t, ids.v, ids.count, false, &out) == ST_OK);
        if (t->symbols == NULL)
            CHECK(out.n == strlen(texts[i]) && (out.n == 0 || memcmp(out.p, texts[i], out.n) == 0));
    }
    if (rank_file_print(t, "fuzz", &out) != ST_OK)
        CHECK(*fail_message());
    token_list_release(&ids);
    buf_release(&out);
    encoder_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct foreign f = { .unk = -1, .bos = -1, .eos = -1 };
    struct buf json = { 0 };
    struct tokenizer *t = NULL;
    enum status st = read_file((struct span){ (const char *)p, n }, &f);

    if (st == ST_OK)
        st = foreign_parse(&f, "fuzz", &json, &t);
    if (st == ST_OK)
        use(t);
    else
        CHECK(*fail_message());
    tokenizer_close(t);
    foreign_release(&f);
    buf_release(&json);
    return 0;
}
