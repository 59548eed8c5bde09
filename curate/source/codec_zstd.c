/* RFC 8878. Frames that are skipped are members without a byte. */
#include <stdlib.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/cursor.h"
#include "curate/source/source_codec.h"

#define FRAME_MAGIC 0xfd2fb528u
#define DICTIONARY_MAGIC 0xec30a437u
#define DICTIONARY_FRAME 0x184d2a5du

struct codec_work {
    ZSTD_DCtx *ctx;              /* of whole frames */
    ZSTD_DCtx *stream;           /* of a frame that may be under way meanwhile; NULL: not begun */
    struct span dictionary;
};

static ZSTD_DCtx *new_context(struct span dictionary)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();

    BUG_IF(ctx == NULL);         /* only without memory */
    if (dictionary.n > 0)
        BUG_IF(ZSTD_isError(ZSTD_DCtx_loadDictionary(ctx, dictionary.p, dictionary.n)));
    return ctx;
}

static struct codec_work *zstd_work_new(struct span dictionary)
{
    struct codec_work *w = mem_alloc(sizeof *w);

    w->ctx = new_context(dictionary);
    w->dictionary = dictionary;
    return w;
}

static void zstd_work_free(struct codec_work *w)
{
    ZSTD_freeDCtx(w->stream);
    ZSTD_freeDCtx(w->ctx);
    free(w);
}

static uint32_t magic_at(const char *p)
{
    struct cursor c = cursor_over(p, 4);

    return (uint32_t)cursor_uint(&c, 4);
}

static size_t zstd_find(const char *p, size_t n)
{
    for (size_t i = 0; n >= 4 && i < n - 3; i++) {
        const char *at = memchr(p + i, 0x28, n - 3 - i);

        if (at == NULL)
            break;
        i = (size_t)(at - p);
        if (magic_at(at) == FRAME_MAGIC)
            return i;
    }
    return n;
}

/* Goes on with the frame until its end or until there is no room; true at its end. */
static bool one_frame(struct codec_work *w, ZSTD_inBuffer *in, struct buf *out, size_t room)
{
    for (;;) {
        ZSTD_outBuffer o;
        size_t left;

        if (out->cap - out->n < 4096) {
            if (out->cap >= room)
                return false;
            buf_reserve(out, out->cap < room / 2 ? out->cap + 4096 : room - out->n);
        }
        o = (ZSTD_outBuffer){ out->p + out->n, out->cap - out->n - 1, 0 };
        left = ZSTD_decompressStream(w->ctx, &o, in);
        if (ZSTD_isError(left))
            return false;
        out->n += o.pos;
        if (left == 0)
            return true;
        if (in->pos == in->size && o.pos < o.size)
            return false;      /* the frame goes on behind these bytes */
    }
}

static size_t zstd_whole(struct codec_work *w, struct span in, struct buf *out, size_t room)
{
    ZSTD_inBuffer b = { in.p, in.n, 0 };
    size_t taken = 0, made;

    buf_reserve(out, out->n < in.n ? 4 * in.n : 4096);
    while (taken < in.n) {
        ZSTD_DCtx_reset(w->ctx, ZSTD_reset_session_only);
        b.pos = taken;
        made = out->n;
        if (ZSTD_isError(ZSTD_findFrameCompressedSize(in.p + taken, in.n - taken)))
            break;
        if (!one_frame(w, &b, out, room)) {
            out->n = made;
            break;
        }
        taken = b.pos;
    }
    return taken;
}

static void zstd_begin(struct codec_work *w)
{
    if (w->stream == NULL)
        w->stream = new_context(w->dictionary);
    ZSTD_DCtx_reset(w->stream, ZSTD_reset_session_only);
}

static enum codec_state zstd_some(struct codec_work *w, struct codec_some *s)
{
    ZSTD_inBuffer in = { s->in.p, s->in.n, 0 };
    ZSTD_outBuffer out = { s->out, s->room, 0 };
    size_t left = ZSTD_decompressStream(w->stream, &out, &in);

    s->in.p += in.pos;
    s->in.n -= in.pos;
    s->made = out.pos;
    if (ZSTD_isError(left))
        return CODEC_FAULT;
    return left == 0 ? CODEC_MEMBER : CODEC_MORE;
}

const struct codec codec_zstd = {
    zstd_find, zstd_work_new, zstd_work_free, zstd_whole, zstd_begin, zstd_some,
};

size_t zstd_dictionary_frame(const char *p, size_t n)
{
    uint64_t size;

    if (n < 8 || magic_at(p) != DICTIONARY_FRAME)
        return 0;
    size = magic_at(p + 4);
    return size <= ZSTD_DICTIONARY_MAX ? (size_t)size + 8 : 0;
}

bool zstd_dictionary(struct span frame, struct buf *out)
{
    struct span in = { frame.p + 8, frame.n - 8 };
    ZSTD_DCtx *probe;
    size_t got;

    if (in.n >= 4 && magic_at(in.p) == FRAME_MAGIC) {
        struct codec_work *w = zstd_work_new((struct span){ NULL, 0 });
        got = zstd_whole(w, in, out, ZSTD_DICTIONARY_MAX);
        zstd_work_free(w);
        if (got != in.n)
            return false;
    } else {
        buf_add(out, in.p, in.n);
    }
    if (out->n < 8 || magic_at(out->p) != DICTIONARY_MAGIC)
        return false;
    probe = ZSTD_createDCtx();
    BUG_IF(probe == NULL);
    got = ZSTD_DCtx_loadDictionary(probe, out->p, out->n);
    if (!ZSTD_isError(got)) {      /* it is looked into when it is first used */
        ZSTD_DDict *d = ZSTD_createDDict(out->p, out->n);
        got = d == NULL ? (size_t)-1 : 0;
        ZSTD_freeDDict(d);
    }
    ZSTD_freeDCtx(probe);
    return !ZSTD_isError(got);
}
