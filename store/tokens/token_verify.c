/* Checksums of a token shard: every block held against its own, and which documents a damaged one
 * is about. */
#include "store/tokens/token_reader.h"

struct damage {
    int table;
    uint64_t block, first, end; /* documents of the part, counted from the shard's first */
};

/* The text of one document's id, cut where it is long. */
static int id_bytes(struct span id) { return (int)(id.n < 200 ? id.n : 200); }

static enum status fail_damage(const struct token_shard *s, const struct damage *d)
{
    enum token_part part = (enum token_part)(d->table / TOKEN_PART_TABLES);
    uint64_t base = s->parts[part].first_document;
    struct token_record a, b;

    if (d->first >= d->end)
        return fail(ST_INTEGRITY,
                    "'%s': block %llu of '%s' differs from its checksum; it is about no document",
                    s->path, (unsigned long long)d->block, token_table_names[d->table]);
    a = token_shard_record(s, part, d->first);
    b = token_shard_record(s, part, d->end - 1);
    return fail(ST_INTEGRITY,
                "'%s': block %llu of '%s' differs from its checksum; it is about documents %llu to "
                "%llu of %s ('%.*s' "
                "to '%.*s')",
                s->path, (unsigned long long)d->block, token_table_names[d->table],
                (unsigned long long)(base + d->first), (unsigned long long)(base + d->end - 1),
                token_part_names[part], id_bytes(a.id), a.id.p, id_bytes(b.id), b.id.p);
}

/* The documents with tokens in [begin, end), end > begin. */
static void documents_in(const struct token_shard *s, enum token_part part, uint64_t begin,
                         uint64_t end, struct damage *d)
{
    uint64_t documents = s->meta.parts[part].documents;

    d->first = token_shard_document_at(s, part, begin);
    d->end = token_shard_document_at(s, part, end - 1) + 1;
    d->end = d->end < documents ? d->end : documents;
}

static enum status verify_tokens(const struct token_shard *s, enum token_part part)
{
    uint64_t tokens = s->meta.parts[part].tokens,
             in_block = TOKEN_BLOCK_BYTES / (unsigned)s->meta.width;
    struct damage d = { .table = token_table_of(part, TOKEN_TOK) };

    for (d.block = 0; d.block < s->parts[part].block_count; d.block++) {
        uint64_t seen = xxh3(s->parts[part].blocks[d.block],
                             token_block_bytes(tokens, s->meta.width, d.block)),
                 begin = d.block * in_block, end = begin + in_block;
        struct span sum = { 0 };

        TRY(token_shard_value(s, token_table_of(part, TOKEN_SUM), d.block, &sum));
        if (sum.n == sizeof seen && memcmp(&seen, sum.p, sizeof seen) == 0)
            continue;
        documents_in(s, part, begin, end < tokens ? end : tokens, &d);
        return fail_damage(s, &d);
    }
    return ST_OK;
}

static enum status verify_documents(const struct token_shard *s, enum token_part part)
{
    struct damage d = { .table = token_table_of(part, TOKEN_DOC) };

    for (d.block = 0; d.block < s->parts[part].doc_blocks; d.block++) {
        struct span value;

        TRY(token_shard_value(s, d.table, d.block, &value));
        if (token_rows_check(value))
            continue;
        d.first = d.block * TOKEN_ROWS;
        d.end = d.first + s->parts[part].docs[d.block].count;
        return fail_damage(s, &d);
    }
    return ST_OK;
}

static enum status verify_skips(const struct token_shard *s, enum token_part part)
{
    struct damage d = { .table = token_table_of(part, TOKEN_SKIP) };

    for (d.block = 0; d.block < s->parts[part].skip_blocks; d.block++) {
        uint32_t n = token_rows_in(s->meta.parts[part].skips, d.block);
        struct span value;

        TRY(token_shard_value(s, d.table, d.block, &value));
        if (token_rows_check(value))
            continue;
        documents_in(s, part, token_shard_skip(s, part, d.block * TOKEN_ROWS)[0],
                     token_shard_skip(s, part, d.block * TOKEN_ROWS + n - 1)[1], &d);
        return fail_damage(s, &d);
    }
    return ST_OK;
}

/* The first and the number of the documents with this label. */
static enum status fail_label(const struct token_shard *s, uint64_t label)
{
    struct span id = { "", 0 };
    uint64_t count = 0;

    for (int p = 0; p < TOKENS_PARTS; p++)
        for (uint64_t i = 0; i < s->meta.parts[p].documents; i++) {
            struct token_record r = token_shard_record(s, (enum token_part)p, i);

            if (r.label == label && count++ == 0)
                id = r.id;
        }
    return fail(ST_INTEGRITY,
                "'%s': block %llu of 'src' differs from its checksum; it is the source and "
                "language of %llu documents, the "
                "first of them '%.*s'",
                s->path, (unsigned long long)label, (unsigned long long)count, id_bytes(id), id.p);
}

static enum status verify_labels(const struct token_shard *s)
{
    for (uint64_t i = 0; i < s->meta.labels; i++) {
        struct span value;

        TRY(token_shard_value(s, TOKEN_SRC, i, &value));
        if (!token_label_check(value))
            return fail_label(s, i);
    }
    return ST_OK;
}

enum status token_shard_verify(const struct token_shard *s)
{
    for (int p = 0; p < TOKENS_PARTS; p++) {
        TRY(verify_documents(s, (enum token_part)p));
        TRY(verify_skips(s, (enum token_part)p));
        TRY(verify_tokens(s, (enum token_part)p));
    }
    return verify_labels(s);
}
