/* RFC 1952. Whole members by libdeflate, streams by zlib. */
#include <libdeflate.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/status.h"
#include "curate/source/source_codec.h"

struct codec_work {
    struct libdeflate_decompressor *whole;
    z_stream stream;
    bool begun;
};

static struct codec_work *gzip_work_new(struct span dictionary)
{
    struct codec_work *w = mem_alloc(sizeof *w);

    w->whole = libdeflate_alloc_decompressor();
    BUG_IF(w->whole == NULL);      /* only without memory */
    return w;
}

static void gzip_work_free(struct codec_work *w)
{
    libdeflate_free_decompressor(w->whole);
    if (w->begun)
        inflateEnd(&w->stream);
    free(w);
}

/* Magic, method 8, and no flag that is reserved. */
static size_t gzip_find(const char *p, size_t n)
{
    for (size_t i = 0; n >= 4 && i < n - 3; i++) {
        const char *at = memchr(p + i, 0x1f, n - 3 - i);

        if (at == NULL)
            break;
        i = (size_t)(at - p);
        if ((unsigned char)at[1] == 0x8b && at[2] == 8 && ((unsigned char)at[3] & 0xe0) == 0)
            return i;
    }
    return n;
}

static size_t gzip_whole(struct codec_work *w, struct span in, struct buf *out, size_t room)
{
    size_t taken = 0, used, made;

    while (taken < in.n && gzip_find(in.p + taken, in.n - taken) == 0) {
        enum libdeflate_result r;

        buf_reserve(out, out->n < in.n ? 4 * in.n : 4096);
        do {
            size_t free_now = out->cap - out->n - 1;
            r = libdeflate_gzip_decompress_ex(w->whole, in.p + taken, in.n - taken, out->p + out->n,
                                              free_now, &used, &made);
            if (r != LIBDEFLATE_INSUFFICIENT_SPACE || out->cap >= room)
                break;
            buf_reserve(out, 2 * free_now < room ? 2 * free_now : room);
        } while (true);
        if (r != LIBDEFLATE_SUCCESS)
            break;
        taken += used;
        out->n += made;
    }
    return taken;
}

static void gzip_begin(struct codec_work *w)
{
    int got;

    if (w->begun) {
        got = inflateReset(&w->stream);
    } else {
        memset(&w->stream, 0, sizeof w->stream);
        got = inflateInit2(&w->stream, 15 + 16);      /* a gzip header, its checksum verified */
    }
    BUG_IF(got != Z_OK);      /* only without memory */
    w->begun = true;
}

static enum codec_state gzip_some(struct codec_work *w, struct codec_some *s)
{
    z_stream *z = &w->stream;
    int got;

    z->next_in = (Bytef *)(uintptr_t)s->in.p;
    z->avail_in = (uInt)(s->in.n < (1u << 30) ? s->in.n : (1u << 30));
    z->next_out = (Bytef *)s->out;
    z->avail_out = (uInt)s->room;
    got = inflate(z, Z_NO_FLUSH);
    s->in.n -= (size_t)((const char *)z->next_in - s->in.p);
    s->in.p = (const char *)z->next_in;
    s->made = s->room - z->avail_out;
    if (got == Z_STREAM_END)
        return CODEC_MEMBER;
    return got == Z_OK || got == Z_BUF_ERROR ? CODEC_MORE : CODEC_FAULT;
}

const struct codec codec_gzip = {
    gzip_find, gzip_work_new, gzip_work_free, gzip_whole, gzip_begin, gzip_some,
};
