/* Hostile GGUF metadata: it is refused with words, or makes a tokenizer.json that is read or refused with words. */
#include "tests/fuzz/fuzz_check.h"
#include "tokenize/files/foreign.h"

static void use(const struct tokenizer *t)
{
    struct encoder *e = encoder_new(t);
    struct token_list ids = { 0 };
    struct buf out = { 0 };

    if (encoder_encode(e, span_of(" ab abc  a\n\xC3\xA9 <s>"), true, &ids) == ST_OK)
        CHECK(tokenizer_decode(t, ids.v, ids.count, false, &out) == ST_OK);
    else
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
    enum status st = foreign_read_gguf("fuzz", (struct span){ (const char *)p, n }, &(struct foreign_args){ NULL, NULL, 0 }, &f);

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
