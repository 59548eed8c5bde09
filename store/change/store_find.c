#include "store/change/store_find.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/change/id_hints.h"
#include "store/formats/document_line.h"
#include "store/tokens/token_store_shards.h"

static void add_json(const struct store_find_line *how, const struct store_find *found,
                     const char *shard, struct buf *out)
{
    const struct token_range *d = &found->document;

    buf_printf(out, "{\"part\":\"%s\",\"document\":%llu,\"shard\":\"%s\",",
               token_part_names[found->part], (unsigned long long)found->index, shard);
    document_line_names(d, out);
    buf_printf(out, ",\"text_hash\":\"%016llx\",\"first\":%llu,\"tokens\":%llu",
               (unsigned long long)d->text_hash, (unsigned long long)d->first,
               (unsigned long long)d->count);
    if (how->offset)
        buf_printf(out, ",\"offset\":%llu", (unsigned long long)found->offset);
    buf_adds(out, "}\n");
}

static void add_word(struct buf *out, struct span s)
{
    struct buf word = { 0 };

    buf_add(&word, s.p ? s.p : "", s.n);
    buf_addc(out, '\t');
    log_add_plain(out, word.n > 0 ? word.p : "-");
    buf_release(&word);
}

static void add_columns(const struct store_find_line *how, const struct store_find *found,
                        const char *shard, struct buf *out)
{
    const struct token_range *d = &found->document;

    buf_printf(out, "%s\t%llu\t%s", token_part_names[found->part], (unsigned long long)found->index,
               shard);
    add_word(out, d->id);
    add_word(out, d->source);
    add_word(out, d->language);
    buf_printf(out, "\t%016llx\t%llu\t%llu", (unsigned long long)d->text_hash,
               (unsigned long long)d->first, (unsigned long long)d->count);
    if (how->offset)
        buf_printf(out, "\t%llu", (unsigned long long)found->offset);
    buf_addc(out, '\n');
}

void store_find_line(const struct store_find_line *how, const struct store_find *found,
                     struct buf *out)
{
    struct token_shard_place place;
    char shard[TOKEN_SHARD_NAME];

    token_store_place(how->store, found->part, found->index, &place);
    token_shard_name(place.shard, shard);
    (how->json ? add_json : add_columns)(how, found, shard, out);
}

enum status store_find_hash(const char *text, uint64_t *out)
{
    size_t n = strlen(text);

    if (n == 0 || n > 16 || strspn(text, "0123456789abcdefABCDEF") != n)
        return fail(ST_USAGE, "--hash '%.80s', want at most 16 hex digits", text);
    *out = strtoull(text, NULL, 16);
    return ST_OK;
}

enum status store_find_no_such_id(const struct token_store *s, const char *path, const char *id)
{
    struct id_hints hints = { 0 };
    struct buf near = { 0 };
    enum status st = ST_OK;

    for (int part = 0; part < TOKENS_PARTS; part++)
        for (uint64_t i = 0; st == ST_OK && i < token_store_documents(s, (enum token_part)part);
             i++) {
            struct token_range d;

            st = token_store_document(s, (enum token_part)part, i, &d);
            if (st == ST_OK)
                id_hints_add(&hints, id, d.id);
        }
    if (st == ST_OK) {
        id_hints_say(&hints, &near);
        st = fail(ST_FAILED, "'%s' has no document '%.200s'%s", path, id, near.p ? near.p : "");
    }
    buf_release(&near);
    id_hints_free(&hints);
    return st;
}
