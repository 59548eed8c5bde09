#include "tokenize/corpus_text.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/file.h"

struct corpus_text {
    struct arena arena;
    struct document_reader *reader;  /* NULL: .txt files */
    struct corpus_files own;         /* of one that was opened by its path */
    const struct corpus_files *all;
    size_t first, next, end;         /* numbers of files */
    struct file_map map;             /* of the file handed out last */
    bool mapped;
    size_t forgotten;                /* bytes of it */
    uint64_t file_bytes;             /* of .txt files handed out */
};

/* ---- which files ---- */

static bool is_documents(const char *name)
{
    return str_ends_with(name, ".jsonl") || str_ends_with(name, ".jsonl.zst");
}

/* Keeps the .txt files of the list; *documents tells whether there were others to read. */
static enum status list_texts(struct arena *a, const char *path, struct corpus_files *out,
                              bool *documents)
{
    struct file_list all;

    TRY(file_list_tree(a, path, &all));
    out->v = arena_array(a, all.count + 1, sizeof *out->v);
    *documents = false;
    for (size_t i = 0; i < all.count; i++) {
        const char *name = all.names[i], *full = *name ? path_join(a, path, name) : path;

        *documents = *documents || is_documents(full);
        if (str_ends_with(full, ".txt"))
            out->v[out->count++] = (struct corpus_file){ .path = full, .name = name };
    }
    return ST_OK;
}

static enum status list_documents(struct arena *a, const char *path, struct corpus_files *out)
{
    struct file_list all;
    size_t root = strlen(path);

    TRY(document_files(a, path, &all));
    out->texts = false;
    out->count = all.count;
    out->v = arena_array(a, all.count + 1, sizeof *out->v);
    for (size_t i = 0; i < all.count; i++) {
        const char *name = all.names[i] + root;

        out->v[i] = (struct corpus_file){ .path = all.names[i], .name = name + (*name == '/') };
    }
    return ST_OK;
}

static enum status list_any(struct arena *a, const char *path, struct corpus_files *out)
{
    bool documents;

    if (!file_exists(path))
        return fail(
            ST_MISSING,
            "there is no corpus '%s'; want a corpus folder, or a .jsonl, .jsonl.zst or .txt file",
            path);
    if (file_exists(path_join(a, path, "manifest.json")))
        return list_documents(a, path, out);
    TRY(list_texts(a, path, out, &documents));
    if (documents)
        return list_documents(a, path, out);
    if (out->count == 0)
        return fail(ST_FORMAT,
                    "'%s' is no corpus: want a folder or file of .jsonl, .jsonl.zst or .txt", path);
    return ST_OK;
}

enum status corpus_files_list(struct arena *a, const char *path, struct corpus_files *out)
{
    *out = (struct corpus_files){ .root = arena_strdup(a, path), .texts = true };
    TRY(list_any(a, out->root, out));
    for (size_t i = 0; i < out->count; i++)
        TRY(file_size(out->v[i].path, &out->v[i].bytes));
    return ST_OK;
}

/* ---- opening ---- */

static enum status open_range(struct corpus_text *c)
{
    struct file_list files = { arena_array(&c->arena, c->end - c->first + 1, sizeof(char *)),
                               c->end - c->first };

    if (c->all->texts)
        return ST_OK;
    for (size_t i = 0; i < files.count; i++)
        files.names[i] = c->all->v[c->first + i].path;
    return document_reader_open_files(&files, &c->reader);
}

static enum status open_whole(struct corpus_text *c, const char *path)
{
    TRY(corpus_files_list(&c->arena, path, &c->own));
    c->all = &c->own;
    c->end = c->own.count;
    return open_range(c);
}

enum status corpus_text_open(const char *path, struct corpus_text **out)
{
    struct corpus_text *c = mem_alloc(sizeof *c);
    enum status st = open_whole(c, path);

    if (st != ST_OK)
        corpus_text_close(c);
    else
        *out = c;
    return st;
}

enum status corpus_text_open_files(const struct corpus_files *all, size_t first, size_t count,
                                   struct corpus_text **out)
{
    struct corpus_text *c = mem_alloc(sizeof *c);
    enum status st;

    BUG_IF(first > all->count || count > all->count - first);
    *c = (struct corpus_text){ .all = all, .first = first, .next = first, .end = first + count };
    st = open_range(c);
    if (st != ST_OK)
        corpus_text_close(c);
    else
        *out = c;
    return st;
}

void corpus_text_close(struct corpus_text *c)
{
    if (c == NULL)
        return;
    document_reader_close(c->reader);
    if (c->mapped)
        file_map_close(&c->map);
    arena_release(&c->arena);
    free(c);
}

/* ---- reading ---- */

#define FORGET_BYTES ((size_t)2 << 20)      /* at a time; whole pages */

void corpus_text_forget(struct corpus_text *c, const char *upto)
{
    size_t n;

    if (!c->mapped)
        return;
    n = (size_t)(upto - c->map.p) / FORGET_BYTES * FORGET_BYTES;
    if (n > c->forgotten)
        (void)madvise((void *)(c->map.p + c->forgotten), n - c->forgotten, MADV_DONTNEED);
    if (n > c->forgotten)
        c->forgotten = n;
}

uint64_t corpus_text_total(const struct corpus_text *c)
{
    uint64_t total = 0;

    for (size_t i = c->first; c->all->texts && i < c->end; i++)
        total += c->all->v[i].bytes;
    return total;
}

static enum status next_file(struct corpus_text *c, struct document *d, bool *got)
{
    const struct corpus_file *f;
    const char *base = path_base(c->all->root);

    if (c->mapped)
        file_map_close(&c->map);
    c->mapped = false;
    *got = c->next < c->end;
    if (!*got)
        return ST_OK;
    f = &c->all->v[c->next++];
    TRY(file_map_open(&c->map, f->path));
    c->mapped = true;
    c->forgotten = 0;
    c->file_bytes += c->map.n;
    *d = (struct document){ .id = span_of(*f->name ? f->name : base),
                            .text = { c->map.p, c->map.n },
                            .source = span_of(base) };
    return ST_OK;
}

enum status corpus_text_next(struct corpus_text *c, struct document *d, bool *got)
{
    return c->reader ? document_reader_next(c->reader, d, got) : next_file(c, d, got);
}

enum status corpus_text_skip(struct corpus_text *c, uint64_t n, uint64_t *passed)
{
    if (c->reader)
        return document_reader_skip(c->reader, n, passed);
    for (*passed = 0; *passed < n && c->next < c->end; ++*passed)
        c->file_bytes += c->all->v[c->next++].bytes;
    return ST_OK;
}

struct document_place corpus_text_place(const struct corpus_text *c)
{
    struct document_place p = { c->next - c->first - 1, 0 };

    if (c->reader)
        p = document_reader_place(c->reader);
    p.file += c->first;
    return p;
}

uint64_t corpus_text_file_bytes(const struct corpus_text *c)
{
    return c->reader ? document_reader_file_bytes(c->reader) : c->file_bytes;
}
