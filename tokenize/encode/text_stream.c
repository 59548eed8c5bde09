#include "tokenize/encode/text_stream.h"

/* Bytes of the character that a lead byte begins; 0: it begins none (Unicode 15, table 3-7). */
static size_t expected(unsigned char lead)
{
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

size_t text_stream_open(const char *p, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)p[n - back];
        size_t want = expected(c);

        if (want > 0)
            return want > back ? back : 0;
        if ((c & 0xc0) != 0x80)
            return 0;
    }
    return 0;
}

void text_stream_add(struct text_stream *t, struct span bytes, struct buf *out)
{
    struct buf all = { 0 };
    size_t tail;

    buf_add(&all, t->held, t->count);
    buf_add(&all, bytes.p, bytes.n);
    tail = text_stream_open(all.p, all.n);
    utf8_repair(out, all.p, all.n - tail);
    if (tail > 0)
        memcpy(t->held, all.p + all.n - tail, tail);
    t->count = tail;
    buf_release(&all);
}

void text_stream_end(struct text_stream *t, struct buf *out)
{
    utf8_repair(out, t->held, t->count);
    t->count = 0;
}
