#include "evaluate/xz_yardstick.h"

#include <lzma.h>

#include "base/stop.h"

/* Feeds in and counts what comes out until the action is done. */
static enum status encode(lzma_stream *z, struct span in, lzma_action action)
{
    uint8_t sink[1 << 16];
    lzma_ret r;

    z->next_in = (const uint8_t *)in.p;
    z->avail_in = in.n;
    do {
        if (stop_requested())
            return fail(ST_INTERRUPTED,
                        "stopped while xz ran, and nothing was written: run it again");
        z->next_out = sink;
        z->avail_out = sizeof sink;
        r = lzma_code(z, action);
    } while (r == LZMA_OK);
    return r == LZMA_STREAM_END
               ? ST_OK
               : fail(ST_FAILED, "the xz encoder failed (liblzma code %d)", (int)r);
}

enum status xz_bytes(struct span prime, struct span text, uint64_t *out)
{
    lzma_stream z = LZMA_STREAM_INIT;
    uint64_t before;
    lzma_options_lzma options;
    lzma_filter filters[2] = { { LZMA_FILTER_LZMA2, &options }, { LZMA_VLI_UNKNOWN, NULL } };
    enum status st = ST_OK;

    if (lzma_lzma_preset(&options, 9) || lzma_raw_encoder(&z, filters) != LZMA_OK)
        return fail(ST_FAILED, "liblzma cannot make an encoder with preset 9");
    if (prime.n > 0) /* a flush, so that what the text adds can be told apart */
        st = encode(&z, prime, LZMA_SYNC_FLUSH);
    before = z.total_out;
    if (st == ST_OK)
        st = encode(&z, text, LZMA_FINISH);
    *out = z.total_out - before;
    lzma_end(&z);
    return st;
}
