#include "tokenize/text_input.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"

#define CHUNK ((size_t)256 << 10)

const char *const text_read_choices[] = { "auto", "text", "lines", "jsonl", NULL };

static bool has_documents(const char *path)
{
    return file_is_folder(path) || str_ends_with(path, ".jsonl") ||
           str_ends_with(path, ".jsonl.zst");
}

static bool is_plain_text(const struct text_input *t, const char *path)
{
    return !line_input_is_stdin(path) && !(t->read == READ_AUTO && has_documents(path));
}

uint64_t text_input_total(const struct text_input *t)
{
    uint64_t total = 0;

    for (size_t i = 0; i < t->in.paths->count; i++) {
        const char *path = t->in.paths->v[i];
        struct stat info;

        if (!is_plain_text(t, path) || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
            return 0;
        total += (uint64_t)info.st_size;
    }
    return total;
}

const char *text_input_name(const struct text_input *t, uint64_t tag)
{
    const char *path = tag < t->in.paths->count ? t->in.paths->v[tag] : "-";

    return line_input_is_stdin(path) ? "standard input" : path;
}

void text_input_skip(struct text_input *t, uint64_t tag)
{
    atomic_store_explicit(&t->skip, tag + 1, memory_order_relaxed);
}

static enum status open_next(struct text_input *t, const char *path)
{
    t->tag = t->opened++;
    t->inside = false;
    if (t->read == READ_AUTO && !line_input_is_stdin(path) && has_documents(path))
        return corpus_text_open(path, &t->corpus);
    return line_input_open(&t->in, path);
}

static void close_current(struct text_input *t)
{
    corpus_text_close(t->corpus);
    t->corpus = NULL;
    line_input_close_file(&t->in);
}

void text_input_close(struct text_input *t)
{
    close_current(t);
    line_input_close(&t->in);
    arena_release(&t->scratch);
    free(t->chunk);
    t->chunk = NULL;
}

static enum status next_line(struct text_input *t, struct document *d, bool *got)
{
    struct document_scan how = { .id_optional = true };
    enum status st;

    TRY(line_input_line(&t->in, &d->text, got));
    if (!*got || t->read == READ_LINES)
        return ST_OK;
    arena_reset(&t->scratch);
    st = document_parse(&how, d->text, &t->scratch, d);
    return st == ST_OK ? st
                       : fail_within(st, "'%s' line %" PRIu64 ": ", t->in.path, t->in.line_number);
}

/* The file in parts; its last one may be empty. */
static enum status next_part(struct text_input *t, struct stream_text *s, bool *got)
{
    bool unwanted = atomic_load_explicit(&t->skip, memory_order_relaxed) == t->tag + 1;
    size_t n = 0;

    *got = t->inside || !feof(t->in.file);
    if (!*got)
        return ST_OK;
    if (t->chunk == NULL)
        t->chunk = mem_array(CHUNK, 1);
    if (!unwanted)
        n = fread(t->chunk, 1, CHUNK, t->in.file);
    if (ferror(t->in.file))
        return fail_errno(ST_IO, "cannot read '%s'", t->in.path);
    s->d.text = (struct span){ t->chunk, n };
    s->more = t->inside = n == CHUNK;
    if (!s->more)
        close_current(t);
    return ST_OK;
}

static enum status next_of_open(struct text_input *t, struct stream_text *s, bool *got)
{
    if (t->corpus)
        return corpus_text_next(t->corpus, &s->d, got);
    if (t->read == READ_LINES || t->read == READ_JSONL)
        return next_line(t, &s->d, got);
    return next_part(t, s, got);
}

enum status text_input_next(struct text_input *t, struct stream_text *s,
                            bool *got)
{
    *got = false;
    for (;;) {
        const char *path;

        *s = (struct stream_text){ .d = { .id = { "", 0 }, .text = { "", 0 }, .source = { "", 0 } },
                                   .tag = t->tag };
        if (t->corpus || t->in.file) {
            TRY(next_of_open(t, s, got));
            if (*got)
                return ST_OK;
            close_current(t);
        }
        path = line_input_path(&t->in);
        if (path == NULL)
            return ST_OK;
        TRY(open_next(t, path));
    }
}
