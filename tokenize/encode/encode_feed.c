/* A text in chunks to ids: encode_feed of tokenize/tokenizer.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/safe_cut.h"

#define STEP ((size_t)64 << 10)
#define LIMIT ((uint64_t)1 << 30)

struct encode_feed {
    struct encoder *encoder;
    struct encode_feed_args args;
    struct buf kept;
    size_t searched;                 /* before it there is no safe place */
    uint64_t at;                     /* of kept in the whole text */
};

struct encode_feed *encode_feed_new(struct encoder *e, const struct encode_feed_args *args)
{
    struct encode_feed *f = mem_alloc(sizeof *f);

    f->encoder = e;
    f->args = *args;
    if (f->args.limit == 0)
        f->args.limit = LIMIT;
    if (f->args.step == 0)
        f->args.step = STEP;
    return f;
}

void encode_feed_free(struct encode_feed *f)
{
    if (f == NULL)
        return;
    buf_release(&f->kept);
    free(f);
}

static enum status encode_text(struct encode_feed *f, struct span text, struct token_list *out)
{
    struct id_ranges *r = f->args.ranges;
    size_t first = r ? r->count : 0;

    if (r == NULL)
        return encoder_encode(f->encoder, text, f->args.specials, out);
    TRY(encoder_encode_ranges(f->encoder, text, f->args.specials, out, r));
    for (size_t i = first; i < r->count; i++) {
        r->v[i].start += f->at;
        r->v[i].end += f->at;
    }
    return ST_OK;
}

static enum status encode_part(struct encode_feed *f, struct span text, struct token_list *out)
{
    enum status st;

    encoder_go_on(f->encoder, f->at > 0);
    st = encode_text(f, text, out);
    encoder_go_on(f->encoder, false);
    return st;
}

/* Encodes what is certain of what is kept. */
static enum status take_certain(struct encode_feed *f, struct token_list *out)
{
    struct span text = { f->kept.p, f->kept.n };
    size_t cut = safe_cut(encoder_tokenizer(f->encoder), text, f->searched, text.n);

    /* a place close to the end may become one with what comes */
    f->searched = text.n > 8 ? text.n - 8 : 0;
    if (cut == 0)
        return ST_OK;
    TRY(encode_part(f, (struct span){ text.p, cut }, out));
    memmove(f->kept.p, f->kept.p + cut, text.n - cut);
    f->kept.n -= cut;
    f->searched = f->searched > cut ? f->searched - cut : 0;
    f->at += cut;
    return ST_OK;
}

enum status encode_feed_add(struct encode_feed *f, struct span chunk, struct token_list *out)
{
    while (chunk.n > 0) {
        size_t n = chunk.n < f->args.step ? chunk.n : f->args.step;

        if (f->kept.n + n > f->args.limit)
            return fail(ST_LIMIT,
                        "%zu bytes of text from byte %" PRIu64 " on without a place where it may be "
                        "cut; want one within %" PRIu64 " bytes, or a higher limit",
                        f->kept.n + n, f->at, f->args.limit);
        buf_add(&f->kept, chunk.p, n);
        chunk.p += n;
        chunk.n -= n;
        if (f->kept.n - f->searched >= f->args.step)
            TRY(take_certain(f, out));
    }
    return ST_OK;
}

enum status encode_feed_end(struct encode_feed *f, struct token_list *out)
{
    enum status st = ST_OK;

    if (f->kept.n > 0)
        st = encode_part(f, (struct span){ f->kept.p, f->kept.n }, out);
    buf_clear(&f->kept);
    f->searched = 0;
    f->at = 0;
    return st;
}
