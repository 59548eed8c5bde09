#include "curate/run/verdict.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"

#define MAGIC UINT64_C(0x317463696472762e)

/* The file: this, then a bit a document (1: it lives; from the lowest of the first byte on), then the drops. */
struct head {
    uint64_t magic, documents, drops;
};

void verdict_add(struct verdict *v, const struct verdict_drop *d)
{
    if (v->count == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 64;
        v->drops = mem_grow(v->drops, v->cap, sizeof *v->drops);
    }
    v->drops[v->count++] = *d;
}

static int by_document(const void *va, const void *vb)
{
    const struct verdict_drop *a = va, *b = vb;

    return a->document < b->document ? -1 : a->document > b->document;
}

void verdict_sort(struct verdict *v)
{
    if (v->count > 0)
        qsort(v->drops, v->count, sizeof *v->drops, by_document);
}

const struct verdict_drop *verdict_find(const struct verdict *v, size_t document)
{
    const struct verdict_drop key = { .document = document };

    return v->count ? bsearch(&key, v->drops, v->count, sizeof key, by_document) : NULL;
}

void verdict_release(struct verdict *v)
{
    free(v->drops);
    *v = (struct verdict){ 0 };
}

enum status verdict_write(const char *path, const struct spool *spool, const struct verdict *v)
{
    size_t n = spool_count(spool), bytes = n / 8 + 1;
    struct head head = { MAGIC, n, v->count };
    unsigned char *bits = mem_array(bytes, 1);
    struct buf out = { 0 };
    enum status st;

    for (size_t i = 0; i < n; i++)
        bits[i / 8] |= (unsigned char)(spool_alive(spool, i) << i % 8);
    buf_add(&out, &head, sizeof head);
    buf_add(&out, bits, bytes);
    if (v->count > 0)
        buf_add(&out, v->drops, v->count * sizeof *v->drops);
    st = file_write_atomic(path, out.p, out.n);
    buf_release(&out);
    free(bits);
    return st;
}

enum status verdict_read(const char *path, struct spool *spool, struct verdict *out)
{
    size_t n = spool_count(spool), bytes = n / 8 + 1;
    struct head head = { 0 };
    struct file_map map;

    *out = (struct verdict){ 0 };
    TRY(file_map_open(&map, path));
    if (map.n >= sizeof head)
        memcpy(&head, map.p, sizeof head);
    if (head.magic != MAGIC || head.documents != n || map.n < sizeof head + bytes ||
        (map.n - sizeof head - bytes) / sizeof *out->drops != head.drops) {
        file_map_close(&map);
        return fail(ST_FORMAT, "'%s' says nothing of these %zu documents; remove the .work folder to begin anew", path, n);
    }
    for (size_t i = 0; i < n; i++)
        if (spool_alive(spool, i) && !((unsigned char)map.p[sizeof head + i / 8] >> i % 8 & 1))
            spool_kill(spool, i);
    out->count = out->cap = head.drops;
    out->drops = mem_array(head.drops + 1, sizeof *out->drops);
    if (head.drops > 0)
        memcpy(out->drops, map.p + sizeof head + bytes, head.drops * sizeof *out->drops);
    file_map_close(&map);
    return ST_OK;
}
