/* Any bytes as WARC behind two good records, plain and as a member of gzip behind theirs. The two must come out. */
#include <zlib.h>

#include "tests/fuzz/curate_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char good[] =
    "WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 3\r\n\r\none\r\n\r\n"
    "WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\nContent-Length: 45\r\n\r\n"
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\ntwo\r\n\r\n";

static void add_member(struct buf *to, struct span text)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)text.p, .avail_in = (uInt)text.n };

    if (deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    buf_reserve(to, deflateBound(&z, text.n));
    z.next_out = (Bytef *)to->p + to->n;
    z.avail_out = (uInt)deflateBound(&z, text.n);
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    to->n = (size_t)((char *)z.next_out - to->p);
    deflateEnd(&z);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf b = { 0 };

    buf_add(&b, good, sizeof good - 1);
    buf_add(&b, p, n);
    if (read_bytes(b.p, b.n) < 2)
        abort();
    buf_clear(&b);
    add_member(&b, span_of(good));
    add_member(&b, (struct span){ (const char *)p, n });
    buf_add(&b, p, n);      /* packed, perhaps */
    if (read_bytes(b.p, b.n) < 2)
        abort();
    buf_release(&b);
    return 0;
}
