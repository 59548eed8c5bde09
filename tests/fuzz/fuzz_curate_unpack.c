/* Any bytes between sound members of gzip or frames of zstd, larger than a piece: the same comes out for any number of
 * threads, and the first member in any case. The first byte chooses. */
#include <zlib.h>
#include <zstd.h>

#include "tests/fuzz/curate_memory.h"
#include "tests/fuzz/fuzz_check.h"

#define MEMBER_BYTES ((size_t)300 << 10)      /* packed, about: a piece of its own */

/* A member of lines of letters that hardly can be packed. */
static const struct buf *member(bool zstd)
{
    static struct buf members[2];
    struct buf *m = &members[zstd], text = { 0 };
    uint64_t x = 88172645463325252u;
    z_stream z = { 0 };

    if (m->n > 0)
        return m;
    while (text.n < MEMBER_BYTES * 4 / 3) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        buf_addc(&text, text.n % 64 == 63 ? '\n' : (char)('A' + x % 50));
    }
    buf_reserve(m, 2 * text.n);
    if (zstd) {
        m->n = ZSTD_compress(m->p, m->cap, text.p, text.n, 1);
    } else {
        CHECK(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
        z.next_in = (Bytef *)text.p;
        z.avail_in = (uInt)text.n;
        z.next_out = (Bytef *)m->p;
        z.avail_out = (uInt)m->cap;
        CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
        m->n = m->cap - z.avail_out;
        deflateEnd(&z);
    }
    buf_release(&text);
    return m;
}

/* What is read of the file: ids and lengths, and the outcomes. */
static void read_with(int threads, const char *sources, struct buf *out)
{
    const struct source_limits limits = { 8 << 20, 32 << 20, 1e6, 4, 100, threads };
    struct raw_document *d;
    struct source *s;
    struct arena a;
    struct yaml *list;

    arena_init(&a);
    CHECK(yaml_parse(&a, "y", sources, strlen(sources), &list) == ST_OK && source_open(list, &limits, &s) == ST_OK);
    while (source_next(s, &d) == ST_OK && d != NULL) {
        buf_printf(out, "%s %zu %08lx\n", d->id, d->n, crc32(0, (const Bytef *)d->bytes, (uInt)d->n));
        raw_document_free(d);
    }
    for (int o = 0; o < SOURCE_OUTCOME_COUNT; o++)
        buf_printf(out, "%d ", (int)source_stats_of(s)->outcomes[o]);
    source_close(s);
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const struct buf *m = member(n > 0 && (p[0] & 1));
    struct buf file = { 0 }, one = { 0 }, more = { 0 };
    int fd = memfd_create("source", 0);
    char path[64];

    for (int i = 0; i < 2; i++) {
        buf_add(&file, m->p, m->n);
        if (n > 1)
            buf_add(&file, (const char *)p + 1, n - 1);
    }
    CHECK(fd >= 0 && write(fd, file.p, file.n) == (ssize_t)file.n);
    snprintf(path, sizeof path, "[/proc/self/fd/%d]", fd);
    read_with(0, path, &one);
    read_with(2, path, &more);
    CHECK(one.n == more.n && memcmp(one.p, more.p, one.n) == 0);
    close(fd);
    buf_release(&file);
    buf_release(&one);
    buf_release(&more);
    return 0;
}
