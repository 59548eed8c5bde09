#include "curate/run/shard_rewrite.h"

#include <inttypes.h>

#include "base/file.h"
#include "base/stop.h"
#include "store/documents/documents.h"

static enum status open_shard(const struct shard_rewrite *how, struct document_reader **out)
{
    const char *name = how->shard;
    struct file_list one = { &name, 1 };

    return document_reader_open_files(&one, out);
}

static enum status count_lines(const struct shard_rewrite *how, uint64_t *lines)
{
    struct document_reader *reader;
    enum status st;

    TRY(open_shard(how, &reader));
    st = document_reader_skip(reader, UINT64_MAX, lines);
    document_reader_close(reader);
    return st;
}

static enum status copy(struct document_reader *from, struct document_writer *to, const struct renamed_id *next,
                        uint64_t line)
{
    struct buf id = { 0 };
    enum status st = ST_OK;
    bool got = true;

    while (st == ST_OK && got) {
        struct document d;

        if (stop_requested())
            st = fail(ST_INTERRUPTED, "stopped while ids were made unique");
        else
            st = document_reader_next(from, &d, &got);
        if (st != ST_OK || !got)
            break;
        if (next->line == line++) {
            buf_clear(&id);
            buf_add(&id, d.id.p, d.id.n);
            buf_printf(&id, "~%" PRIu32, next++->number);
            d.id = (struct span){ id.p, id.n };
        }
        st = document_writer_add(to, &d);
    }
    buf_release(&id);
    return st;
}

static enum status write_anew(const struct shard_rewrite *how, const struct renamed_id *first, size_t count)
{
    struct renamed_id *next = mem_array(count + 1, sizeof *next);
    struct document_writer *writer;
    struct document_reader *reader;
    enum status st = open_shard(how, &reader);

    memcpy(next, first, count * sizeof *next);
    next[count].line = UINT64_MAX;
    if (st == ST_OK) {
        st = document_writer_open(how->folder, UINT64_MAX, &writer);
        if (st == ST_OK) {
            st = copy(reader, writer, next, how->first_line);
            if (st == ST_OK)
                st = document_writer_close(writer);
            else
                document_writer_abort(writer);
        }
        document_reader_close(reader);
    }
    free(next);
    return st;
}

enum status shard_rewrite(const struct shard_rewrite *how, uint64_t *lines)
{
    const struct renamed_id *first = how->renamed, *end = first + how->count;
    size_t count = 0;

    TRY(count_lines(how, lines));
    while (first < end && first->line < how->first_line)
        first++;
    while (first + count < end && first[count].line < how->first_line + *lines)
        count++;
    if (count == 0)
        return ST_OK;
    TRY(file_remove_tree(how->folder));      /* of a run that ended here */
    TRY(file_make_folders(how->folder));
    return write_anew(how, first, count);
}
