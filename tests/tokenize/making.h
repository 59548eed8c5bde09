/* What the tests of this folder share: a golden tokenizer with its encoder. */
#ifndef TUNDISH_TESTS_TOKENIZE_MAKING_H
#define TUNDISH_TESTS_TOKENIZE_MAKING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "tokenize/tokenizer_part.h"

struct making {
    struct tokenizer *tokenizer;
    struct encoder *encoder;
    struct token_list ids;           /* of the last making_encode() */
};

/* The path of a golden file; valid until the next call. */
static inline const char *making_golden(const char *name, const char *kind)
{
    static char path[1000];
    const char *source = getenv("TUNDISH_SOURCE");

    snprintf(path, sizeof path, "%s/tests/tokenize/golden/%s.%s", source ? source : ".", name, kind);
    return path;
}

static inline struct making making_open(const char *name)
{
    struct making m = { 0 };

    assert_ok(tokenizer_open(making_golden(name, "json"), &m.tokenizer));
    m.encoder = encoder_new(m.tokenizer);
    return m;
}

static inline void making_close(struct making *m)
{
    encoder_free(m->encoder);
    tokenizer_close(m->tokenizer);
    token_list_release(&m->ids);
}

/* The text is copied, so that the sanitizer sees a read past its end. */
static inline void making_encode(struct making *m, struct span text, bool specials)
{
    char *copy = malloc(text.n ? text.n : 1);

    memcpy(copy, text.p, text.n);
    m->ids.count = 0;
    assert_ok(encoder_encode(m->encoder, (struct span){ copy, text.n }, specials, &m->ids));
    free(copy);
}

static inline void making_assert_decodes(const struct making *m, struct span text)
{
    struct buf out = { 0 };

    buf_reserve(&out, 1);
    assert_ok(tokenizer_decode(m->tokenizer, m->ids.v, m->ids.count, false, &out));
    assert_int_equal(out.n, text.n);
    assert_memory_equal(out.p, text.p, text.n);
    buf_release(&out);
}

#endif
