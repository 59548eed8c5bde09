#include <stdlib.h>

#include "base/file.h"
#include "tokenize/files/foreign.h"
#include "tokenize/tokenizer_part.h"

#define FILE_LIMIT (256u << 20)

static enum status open_foreign(const char *path, enum foreign_kind kind, struct tokenizer **out)
{
    struct foreign f;
    struct buf json = { 0 };
    enum status st;

    TRY(foreign_read(path, kind, &(struct foreign_args){ NULL, NULL, 0 }, &f));
    st = foreign_parse(&f, path, &json, out);
    foreign_release(&f);
    buf_release(&json);
    return st;
}

/* path, or the tokenizer.json in that folder. */
static char *file_of(const char *path)
{
    struct buf name = { 0 };

    buf_printf(&name, file_is_folder(path) ? "%s/tokenizer.json" : "%s", path);
    return name.p;
}

enum status tokenizer_open(const char *path, struct tokenizer **out)
{
    struct buf text = { 0 };
    char *file = file_of(path);
    enum foreign_kind kind;
    enum status st;

    *out = NULL;
    path = file;
    kind = file_exists(path) ? foreign_sniff(path) : FOREIGN_NONE;
    if (kind != FOREIGN_NONE)
        st = open_foreign(path, kind, out);
    else if (!file_exists(path))
        st = fail(ST_MISSING,
                  "there is no tokenizer '%s'; want a tokenizer.json or a folder that holds one",
                  path);
    else
        st = file_read(path, FILE_LIMIT, &text);
    if (st == ST_OK && kind == FOREIGN_NONE)
        st = tokenizer_parse(path, text.p, text.n, out);
    buf_release(&text);
    free(file);
    return st;
}

static enum status print_foreign(const char *path, enum foreign_kind kind, struct buf *json)
{
    struct foreign f;
    enum status st = ST_OK;

    TRY(foreign_read(path, kind, &(struct foreign_args){ NULL, NULL, 0 }, &f));
    if (f.ranks == RANK_SPLITS)
        st = fail(ST_UNSUPPORTED,
                  "'%s' holds ranks in place of merges, and a tokenizer.json is wanted; make one with "
                  "'tundish tokenizer convert'",
                  path);
    else
        foreign_print(&f, json);
    foreign_release(&f);
    return st;
}

enum status tokenizer_json(const char *path, struct buf *json)
{
    char *file = file_of(path);
    enum foreign_kind kind = file_exists(file) ? foreign_sniff(file) : FOREIGN_NONE;
    enum status st = kind == FOREIGN_NONE ? file_read(file, FILE_LIMIT, json)
                                          : print_foreign(file, kind, json);

    free(file);
    return st;
}

void tokenizer_close(struct tokenizer *t)
{
    if (t == NULL)
        return;
    text_map_release(&t->whole);
    piece_merge_free(t->merge);
    bpe_free(t->bpe);
    pretok_free(t->pretok);
    for (size_t i = 0; i < t->stage_count; i++) {
        pretok_free(t->stages[i].cuts);
        normalizer_free(t->stages[i].rewrite);
    }
    normalizer_free(t->normalizer);
    normalizer_free(t->normalizer_inside);
    symbols_free(t->symbols);
    free(t->raw);
    added_set_free(t->added_raw);
    added_set_free(t->added_normal);
    if (t->pieces != t->bytes)
        free(t->pieces);
    free(t->bytes);
    free(t->special);
    free(t->short_bytes);
    arena_release(&t->arena);
    free(t);
}

uint32_t tokenizer_vocab(const struct tokenizer *t)
{
    return t->vocab;
}

int64_t tokenizer_special(const struct tokenizer *t, const char *text)
{
    for (size_t i = 0; i < t->added_count; i++)
        if (span_eq(t->added[i].content, text))
            return t->added[i].id;
    return -1;
}

int64_t tokenizer_end_of_text(const struct tokenizer *t)
{
    /* GPT-2 and most; Llama 3; Llama 2, Mistral; DeepSeek; Gemma; older encoders */
    static const char *const names[] = { "<|endoftext|>", "<|end_of_text|>", "</s>",
                                         "<｜end▁of▁sentence｜>", "<eos>", "<|eos|>",
                                         "[EOS]", NULL };

    for (int i = 0; names[i]; i++) {
        int64_t id = tokenizer_special(t, names[i]);

        if (id >= 0)
            return id;
    }
    return -1;
}

struct span tokenizer_bytes(const struct tokenizer *t, uint32_t id)
{
    return id < t->vocab && t->bytes[id].p ? t->bytes[id] : (struct span){ "", 0 };
}

struct tokenizer_around tokenizer_around(const struct tokenizer *t)
{
    return (struct tokenizer_around){ t->prefix, t->suffix, t->prefix_count, t->suffix_count };
}

bool tokenizer_is_special(const struct tokenizer *t, uint32_t id)
{
    return id < t->vocab && t->special[id];
}
