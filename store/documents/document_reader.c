/* The reading half of store/documents/documents.h: shards one after the other, decompressed as they are
 * read, cut into lines. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "store/artifact/artifact.h"
#include "store/documents/documents.h"

#define LINE_MAX_BYTES ((size_t)1 << 30)
#define PACKED_BYTES ((size_t)256 << 10)
#define ROOM_BYTES ((size_t)1 << 20)      /* read at once */

struct document_reader {
    struct arena shards_arena, scratch;
    struct file_list shards;        /* full paths */
    size_t next_shard;
    const char *path;               /* of the open shard */
    int fd;                         /* -1: none is open */
    bool zstd, frame_open;
    bool packed_end, file_end;      /* no more bytes in the file; and all of them are in `lines` */
    ZSTD_DCtx *z;
    char *packed;
    ZSTD_inBuffer in;
    char *lines;                    /* [begin, end) is not yet handed out,
                                       [begin, seen) holds no newline */
    size_t begin, seen, end, cap;
    uint64_t line, bytes;           /* line number in this shard; bytes of lines handed out */
    uint64_t file_bytes;            /* read from files */
};

/* ---- which shards ---- */

static bool is_shard_name(const char *name)
{
    return str_ends_with(name, ".jsonl.zst") || str_ends_with(name, ".jsonl");
}

static enum status list_folder(struct arena *a, const char *path, struct file_list *out)
{
    struct file_list all;
    size_t n = 0;

    TRY(file_list_tree(a, path, &all));
    for (size_t i = 0; i < all.count; i++)
        if (is_shard_name(all.names[i]))
            all.names[n++] = path_join(a, path, all.names[i]);
    *out = (struct file_list){ all.names, n };
    return ST_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A finished corpus is what its manifest says, whatever else lies in the folder; files in folders of its own are parts
 * that were split off, to be read by their own path. */
static enum status list_artifact(struct arena *a, const char *path, struct file_list *out)
{
    json_t *manifest, *files;
    const char *name;
    json_t *entry;

    TRY(artifact_open(path, "corpus", &manifest));
    files = json_object_get(manifest, "files");
    *out = (struct file_list){ arena_array(a, json_object_size(files) + 1, sizeof(char *)), 0 };
    json_object_foreach(files, name, entry)
        if (is_shard_name(name) && strchr(name, '/') == NULL)
            out->names[out->count++] = path_join(a, path, name);
    json_decref(manifest);
    qsort(out->names, out->count, sizeof(char *), by_name);
    return ST_OK;
}

enum status document_files(struct arena *a, const char *path, struct file_list *out)
{
    if (!file_exists(path))
        return fail(ST_MISSING, "there is no corpus '%s'", path);
    if (!file_is_folder(path)) {
        *out = (struct file_list){ arena_array(a, 1, sizeof(char *)), 1 };
        out->names[0] = arena_strdup(a, path);
        return ST_OK;
    }
    if (file_exists(path_join(a, path, "manifest.json")))
        TRY(list_artifact(a, path, out));
    else
        TRY(list_folder(a, path, out));
    if (out->count == 0)
        return fail(ST_MISSING, "'%s' holds no documents (want *.jsonl.zst or *.jsonl files)",
                    path);
    return ST_OK;
}

static struct document_reader *new_reader(void)
{
    struct document_reader *r = mem_alloc(sizeof *r);

    r->fd = -1;
    r->packed = mem_alloc(PACKED_BYTES);
    r->z = ZSTD_createDCtx();
    BUG_IF(r->z == NULL);
    return r;
}

enum status document_reader_open(const char *path, struct document_reader **out)
{
    struct document_reader *r = new_reader();
    enum status st = document_files(&r->shards_arena, path, &r->shards);

    if (st != ST_OK) {
        document_reader_close(r);
        return st;
    }
    *out = r;
    return ST_OK;
}

enum status document_reader_open_files(const struct file_list *files, struct document_reader **out)
{
    struct document_reader *r = new_reader();

    r->shards.names = arena_array(&r->shards_arena, files->count + 1, sizeof(char *));
    r->shards.count = files->count;
    for (size_t i = 0; i < files->count; i++)
        r->shards.names[i] = arena_strdup(&r->shards_arena, files->names[i]);
    *out = r;
    return ST_OK;
}

void document_reader_close(struct document_reader *r)
{
    if (r == NULL)
        return;
    if (r->fd >= 0)
        close(r->fd);
    ZSTD_freeDCtx(r->z);
    arena_release(&r->shards_arena);
    arena_release(&r->scratch);
    free(r->packed);
    free(r->lines);
    free(r);
}

uint64_t document_reader_bytes(const struct document_reader *r)
{
    return r->bytes;
}

uint64_t document_reader_file_bytes(const struct document_reader *r)
{
    return r->file_bytes;
}

struct document_place document_reader_place(const struct document_reader *r)
{
    return (struct document_place){ r->next_shard - 1, r->line };
}

/* ---- bytes ---- */

static enum status read_some(struct document_reader *r, char *p, size_t cap, size_t *n)
{
    ssize_t got;

    do
        got = read(r->fd, p, cap);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail_errno(ST_IO, "cannot read '%s'", r->path);
    *n = (size_t)got;
    r->file_bytes += *n;
    return ST_OK;
}

/* A frame, or a skippable frame before one (RFC 8878, 3.1). */
static bool is_zstd(const char *p, size_t n)
{
    return n >= 4 && (memcmp(p, "\x28\xB5\x2F\xFD", 4) == 0 ||
                      ((p[0] & 0xF0) == 0x50 && memcmp(p + 1, "\x2A\x4D\x18", 3) == 0));
}

/* Opens the next shard and looks at its first bytes: what it is decides its
 * content, not its name. */
static enum status open_shard(struct document_reader *r)
{
    size_t n = 0, got = 1;

    r->path = r->shards.names[r->next_shard++];
    r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return fail_errno(ST_IO, "cannot open '%s'", r->path);
    for (; n < 4 && got > 0; n += got)
        TRY(read_some(r, r->packed + n, PACKED_BYTES - n, &got));
    r->zstd = is_zstd(r->packed, n);
    if (!r->zstd && str_ends_with(r->path, ".zst"))
        return fail(ST_FORMAT, "'%s' does not begin as a zstd file (want bytes 28 b5 2f fd)",
                    r->path);
    ZSTD_DCtx_reset(r->z, ZSTD_reset_session_only);
    r->in = (ZSTD_inBuffer){ r->packed, n, 0 };
    r->frame_open = r->packed_end = r->file_end = false;
    r->begin = r->seen = r->end = 0;
    r->line = 0;
    return ST_OK;
}

/* Makes room behind r->end. */
static enum status make_room(struct document_reader *r)
{
    if (r->begin > 0) {
        memmove(r->lines, r->lines + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->seen -= r->begin;
        r->begin = 0;
    }
    if (r->end > LINE_MAX_BYTES)
        return fail(ST_LIMIT, "'%s' line %llu: longer than 1 GiB, the limit of a line", r->path,
                    (unsigned long long)r->line + 1);
    if (r->cap - r->end < ROOM_BYTES) {
        r->cap = r->cap * 2 > r->end + ROOM_BYTES ? r->cap * 2 : r->end + ROOM_BYTES;
        r->lines = mem_grow(r->lines, r->cap, 1);
    }
    return ST_OK;
}

static enum status refill(struct document_reader *r)
{
    if (r->in.pos < r->in.size || r->packed_end)
        return ST_OK;
    r->in.pos = 0;
    TRY(read_some(r, r->packed, PACKED_BYTES, &r->in.size));
    r->packed_end = r->in.size == 0;
    return ST_OK;
}

/* Adds bytes of the shard behind r->end, or sets file_end. */
static enum status read_plain(struct document_reader *r)
{
    size_t n = r->in.size - r->in.pos, room = r->cap - r->end;

    if (n > 0) {        /* what open_shard() looked at */
        n = n < room ? n : room;
        memcpy(r->lines + r->end, r->packed + r->in.pos, n);
        r->in.pos += n;
    } else {
        TRY(read_some(r, r->lines + r->end, room, &n));
        r->file_end = n == 0;
    }
    r->end += n;
    return ST_OK;
}

static enum status read_zstd(struct document_reader *r)
{
    ZSTD_outBuffer out = { r->lines + r->end, r->cap - r->end, 0 };

    while (out.pos < out.size && !r->file_end) {
        size_t left;

        TRY(refill(r));
        if (r->packed_end && !r->frame_open) {
            r->file_end = true;
            break;
        }
        left = ZSTD_decompressStream(r->z, &out, &r->in);
        if (ZSTD_isError(left))
            return fail(ST_FORMAT, "cannot decompress '%s': %s", r->path, ZSTD_getErrorName(left));
        if (r->packed_end && left != 0 && out.pos < out.size)
            return fail(ST_FORMAT, "'%s' ends in the middle of a zstd frame: it was cut off",
                        r->path);
        r->frame_open = left != 0;
    }
    r->end += out.pos;
    return ST_OK;
}

/* ---- lines ---- */

/* Cuts the line [begin, at) off; `passed` counts its newline. */
static void take_line(struct document_reader *r, size_t at, size_t passed, struct span *line)
{
    *line = (struct span){ r->lines + r->begin, at - r->begin };
    r->begin = r->seen = at + passed;
    r->bytes += line->n + passed;
    r->line++;
}

/* The open shard's next line; *got false at its end. */
static enum status next_line(struct document_reader *r, struct span *line, bool *got)
{
    for (;;) {
        char *newline =
            r->end > r->seen ? memchr(r->lines + r->seen, '\n', r->end - r->seen) : NULL;

        *got = newline != NULL || (r->file_end && r->end > r->begin);
        if (newline)
            take_line(r, (size_t)(newline - r->lines), 1, line);
        else if (*got)
            take_line(r, r->end, 0, line);
        if (*got || r->file_end)
            return ST_OK;
        r->seen = r->end;
        TRY(make_room(r));
        TRY(r->zstd ? read_zstd(r) : read_plain(r));
    }
}

static bool is_blank(struct span line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
            return false;
    return true;
}

static enum status parse_line(struct document_reader *r, struct span line, struct document *d)
{
    static const struct document_scan how = { .text_key = NULL };
    enum status st;

    if (line.n > LINE_MAX_BYTES)
        st = fail(ST_LIMIT, "%zu bytes long, more than the 1 GiB a line may have", line.n);
    else
        st = document_parse(&how, line, &r->scratch, d);
    if (st != ST_OK)
        return fail_within(st, "'%s' line %llu: ", r->path, (unsigned long long)r->line);
    return ST_OK;
}

/* The next line that is not blank, of any file; *got false behind the last. */
static enum status next_document_line(struct document_reader *r, struct span *line, bool *got)
{
    for (;;) {
        *got = false;
        if (r->fd < 0 && r->next_shard == r->shards.count)
            return ST_OK;
        if (r->fd < 0)
            TRY(open_shard(r));
        TRY(next_line(r, line, got));
        if (*got && !is_blank(*line))
            return ST_OK;
        if (!*got) {
            close(r->fd);
            r->fd = -1;
        }
    }
}

enum status document_reader_next(struct document_reader *r, struct document *d, bool *got)
{
    struct span line;

    arena_reset(&r->scratch);
    TRY(next_document_line(r, &line, got));
    return *got ? parse_line(r, line, d) : ST_OK;
}

enum status document_reader_skip(struct document_reader *r, uint64_t n, uint64_t *passed)
{
    struct span line;
    bool got = true;

    for (*passed = 0; got && *passed < n; *passed += got)
        TRY(next_document_line(r, &line, &got));
    return ST_OK;
}
