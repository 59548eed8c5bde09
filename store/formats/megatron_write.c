/* The writing half of megatron.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/progress.h"
#include "base/stop.h"
#include "store/formats/export_file.h"
#include "store/formats/megatron.h"
#include "store/tokens/token_format.h"

#define BATCH 65536u /* tokens, or entries, at a time */

struct writing {
    const struct megatron_export *e;
    struct export_file *bin, *idx;
    int width;
    uint64_t documents, tokens;
};

static enum status add_le(struct export_file *f, uint64_t v, int bytes)
{
    unsigned char text[8];

    for (int i = 0; i < bytes; i++)
        text[i] = (unsigned char)(v >> (8 * i));
    return export_file_add(f, text, (size_t)bytes);
}

/* The low bytes of n tokens, in place: a machine's integers to the file's. */
static void narrow(int32_t *tokens, uint64_t n, int width)
{
    unsigned char *to = (unsigned char *)tokens;

    for (uint64_t i = 0; i < n; i++) {
        uint32_t v = (uint32_t)tokens[i];

        for (int k = 0; k < width; k++)
            to[i * (unsigned)width + (unsigned)k] = (unsigned char)(v >> (8 * k));
    }
}

static enum status write_tokens(struct writing *w)
{
    int32_t *tokens = mem_array(BATCH, sizeof *tokens);
    enum status st = ST_OK;

    for (uint64_t at = 0, n; st == ST_OK && at < w->tokens; at += n) {
        n = w->tokens - at < BATCH ? w->tokens - at : BATCH;
        st = token_store_read(w->e->store, w->e->part, at, n, tokens);
        if (st == ST_OK) {
            narrow(tokens, n, w->width);
            st = export_file_add(w->bin, tokens, n * (unsigned)w->width);
        }
        progress_add(n);
        if (st == ST_OK && stop_requested())
            st = fail(ST_INTERRUPTED, "stopped; nothing was written under '%s'", w->e->prefix);
    }
    free(tokens);
    return st;
}

static enum status write_lengths(struct writing *w)
{
    for (uint64_t i = 0; i < w->documents; i++) {
        uint64_t n = token_store_length(w->e->store, w->e->part, i);

        if (n > INT32_MAX)
            return fail(ST_UNSUPPORTED,
                        "document %llu has %llu tokens, but a sequence of Megatron's at most %d",
                        (unsigned long long)i, (unsigned long long)n, INT32_MAX);
        TRY(add_le(w->idx, n, 4));
    }
    return ST_OK;
}

static enum status write_index(struct writing *w)
{
    TRY(export_file_add(w->idx, "MMIDIDX\0", 9));
    TRY(add_le(w->idx, 1, 8));
    TRY(add_le(w->idx, w->width == 2 ? 8 : 4, 1));
    TRY(add_le(w->idx, w->documents, 8));
    TRY(add_le(w->idx, w->documents + 1, 8));
    TRY(write_lengths(w));
    for (uint64_t i = 0; i < w->documents; i++)
        TRY(add_le(w->idx, token_store_first(w->e->store, w->e->part, i) * (unsigned)w->width, 8));
    for (uint64_t i = 0; i <= w->documents; i++)
        TRY(add_le(w->idx, i, 8));
    return ST_OK;
}

static enum status write_both(struct writing *w)
{
    progress_start("exporting", "tokens", w->tokens);
    TRY(write_index(w));
    TRY(write_tokens(w));
    TRY(export_file_finish(w->bin));
    return export_file_finish(w->idx);
}

static enum status open_both(struct writing *w, struct buf *idx)
{
    struct buf bin = { 0 };
    enum status st;

    buf_printf(&bin, "%s.bin", w->e->prefix);
    buf_printf(idx, "%s.idx", w->e->prefix);
    st = export_file_open(bin.p, &w->bin);
    if (st == ST_OK)
        st = export_file_open(idx->p, &w->idx);
    buf_release(&bin);
    return st;
}

/* The old index goes first: it must never be seen with the new tokens. */
static enum status publish(struct writing *w, const char *idx)
{
    struct export_file *bin = w->bin, *index = w->idx;

    if (unlink(idx) != 0 && errno != ENOENT)
        return fail_errno(ST_IO, "cannot replace '%s'", idx);
    w->bin = NULL;
    TRY(export_file_commit(bin));
    w->idx = NULL;
    return export_file_commit(index);
}

enum status megatron_write(const struct megatron_export *e)
{
    uint32_t vocab = token_store_vocab(e->store);
    struct writing w = { .e = e,
                         .width = vocab < MEGATRON_U16_BELOW ? 2 : 4,
                         .documents = token_store_documents(e->store, e->part),
                         .tokens = token_store_tokens(e->store, e->part) };
    struct buf idx = { 0 };
    enum status st;

    if (w.documents == 0)
        return fail(ST_CONFIG, "the part '%s' of the store has no documents to export",
                    token_part_names[e->part]);
    if (vocab > (uint32_t)INT32_MAX + 1)
        return fail(ST_UNSUPPORTED, "a vocabulary of %u entries does not fit into Megatron's i32",
                    vocab);
    TRY(export_file_prepare(e->prefix));
    st = open_both(&w, &idx);
    if (st == ST_OK)
        st = write_both(&w);
    progress_end();
    if (st == ST_OK)
        st = publish(&w, idx.p);
    export_file_abort(w.bin);
    export_file_abort(w.idx);
    buf_release(&idx);
    return st;
}
