#include "tokenize/corpus_text.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/file.h"

struct corpus_text {
    struct arena arena;
    struct document_reader *reader;  /* NULL: .txt files */
    const char *path;
    struct file_list files;          /* relative to path; "" is path itself */
    size_t next;
    struct file_map map;             /* of the file handed out last */
    bool mapped;
    size_t forgotten;                /* bytes of it */
    uint64_t total;
};

static bool is_documents(const char *name)
{
    return str_ends_with(name, ".jsonl") || str_ends_with(name, ".jsonl.zst");
}

static const char *full_path(struct corpus_text *c, const char *name)
{
    return *name ? path_join(&c->arena, c->path, name) : c->path;
}

/* Keeps the .txt files of the list; *documents tells whether there were others to read. */
static enum status choose_files(struct corpus_text *c, bool *documents)
{
    struct file_list all;
    size_t n = 0;

    TRY(file_list_tree(&c->arena, c->path, &all));
    *documents = false;
    for (size_t i = 0; i < all.count; i++) {
        const char *name = *all.names[i] ? all.names[i] : c->path;

        *documents = *documents || is_documents(name);
        if (str_ends_with(name, ".txt"))
            all.names[n++] = all.names[i];
    }
    c->files = (struct file_list){ all.names, n };
    return ST_OK;
}

static enum status add_sizes(struct corpus_text *c)
{
    for (size_t i = 0; i < c->files.count; i++) {
        uint64_t bytes;

        TRY(file_size(full_path(c, c->files.names[i]), &bytes));
        c->total += bytes;
    }
    return ST_OK;
}

static enum status open_any(struct corpus_text *c)
{
    bool documents;

    if (!file_exists(c->path))
        return fail(
            ST_MISSING,
            "there is no corpus '%s'; want a corpus folder, or a .jsonl, .jsonl.zst or .txt file",
            c->path);
    if (file_exists(path_join(&c->arena, c->path, "manifest.json")))
        return document_reader_open(c->path, &c->reader);
    TRY(choose_files(c, &documents));
    if (documents)
        return document_reader_open(c->path, &c->reader);
    if (c->files.count == 0)
        return fail(ST_FORMAT,
                    "'%s' is no corpus: want a folder or file of .jsonl, .jsonl.zst or .txt",
                    c->path);
    return add_sizes(c);
}

enum status corpus_text_open(const char *path, struct corpus_text **out)
{
    struct corpus_text *c = mem_alloc(sizeof *c);
    enum status st;

    c->path = arena_strdup(&c->arena, path);
    st = open_any(c);
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
    return c->total;
}

static enum status next_file(struct corpus_text *c, struct document *d, bool *got)
{
    const char *name;

    if (c->mapped)
        file_map_close(&c->map);
    c->mapped = false;
    *got = c->next < c->files.count;
    if (!*got)
        return ST_OK;
    name = c->files.names[c->next++];
    TRY(file_map_open(&c->map, full_path(c, name)));
    c->mapped = true;
    c->forgotten = 0;
    *d = (struct document){ .id = span_of(*name ? name : path_base(c->path)),
                            .text = { c->map.p, c->map.n },
                            .source = span_of(path_base(c->path)) };
    return ST_OK;
}

enum status corpus_text_next(struct corpus_text *c, struct document *d, bool *got)
{
    return c->reader ? document_reader_next(c->reader, d, got) : next_file(c, d, got);
}
