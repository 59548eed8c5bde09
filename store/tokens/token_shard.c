#include "store/tokens/token_shard.h"

#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "store/tokens/token_final.h"
#include "store/tokens/token_labels.h"
#include "store/tokens/token_records.h"

#define TXN_BYTES   ((size_t)32 << 20) /* of values; they are in memory until commit */
#define TAILS_SLACK ((size_t)4 << 20)  /* what is not yet a whole block, but for ids */

/* What of a part is not yet a whole block. */
struct part_tail {
    unsigned char *block; /* TOKEN_BLOCK_BYTES */
    size_t fill;
    struct token_docs_rows docs;
    struct token_skips_rows skips;
};

struct token_shard_writer {
    struct token_shard_meta meta;
    char *path, *working, *fresh; /* the final name; the one that it grows under; the same
                                     before the first commit */
    bool placed;                  /* is it under the name `working`? */
    bool failed;                  /* nothing may be committed any more */
    struct token_env env;
    struct token_labels labels;
    struct part_tail *tails; /* [TOKENS_PARTS] */
    struct buf text;
};

/* ---- the end of a writer ---- */

static void release(struct token_shard_writer *w)
{
    token_env_close(&w->env);
    token_labels_release(&w->labels);
    for (int p = 0; p < TOKENS_PARTS; p++) {
        free(w->tails[p].block);
        buf_release(&w->tails[p].docs.ids);
    }
    free(w->tails);
    buf_release(&w->text);
    free(w->path);
    free(w->working);
    free(w->fresh);
    free(w);
}

void token_shard_abort(struct token_shard_writer *w)
{
    if (w == NULL)
        return;
    unlink(w->placed ? w->working : w->fresh);
    release(w);
}

/* ---- commits ---- */

static struct span span_of_buf(const struct buf *b) { return (struct span){ b->p, b->n }; }

static enum status keep_tail(struct token_shard_writer *w, enum token_part part)
{
    struct part_tail *t = &w->tails[part];

    TRY(token_env_set(&w->env, TOKEN_WORK, token_table_names[token_table_of(part, TOKEN_TOK)],
                      (struct span){ (const char *)t->block, t->fill }));
    token_docs_print(&t->docs, &w->text);
    TRY(token_env_set(&w->env, TOKEN_WORK, token_table_names[token_table_of(part, TOKEN_DOC)],
                      span_of_buf(&w->text)));
    token_skips_print(&t->skips, &w->text);
    return token_env_set(&w->env, TOKEN_WORK, token_table_names[token_table_of(part, TOKEN_SKIP)],
                         span_of_buf(&w->text));
}

/* Tails and counts go into the transaction that has all before them. The file gets its name with
 * its first commit: what is found there was committed at least once. */
static enum status commit(struct token_shard_writer *w, size_t room)
{
    for (int p = 0; p < TOKENS_PARTS; p++)
        TRY(keep_tail(w, (enum token_part)p));
    buf_clear(&w->text);
    token_meta_print(&w->meta, &w->text);
    TRY(token_env_set(&w->env, TOKEN_WORK, TOKEN_META_KEY, span_of_buf(&w->text)));
    TRY(token_env_commit(&w->env, room));
    if (w->placed)
        return ST_OK;
    if (rename(w->fresh, w->working) != 0)
        return fail_errno(ST_IO, "cannot rename '%s' to '%s'", w->fresh, w->working);
    w->placed = true;
    token_env_renamed(&w->env, w->working);
    return ST_OK;
}

/* ---- going on ---- */

static enum status fail_working(const struct token_shard_writer *w, const char *what)
{
    return fail(ST_FORMAT, "the unfinished shard '%s': %s; remove it, and it is made again",
                w->working, what);
}

static enum status check_fits(const struct token_shard_writer *w,
                              const struct token_shard_meta *seen)
{
    if (seen->vocab != w->meta.vocab || strcmp(seen->tokenizer, w->meta.tokenizer) != 0)
        return fail(ST_CONFIG,
                    "the unfinished shard '%s' was begun with another tokenizer (%u entries, %s; "
                    "now %u, %s); remove it, or use that tokenizer",
                    w->working, seen->vocab, seen->tokenizer, w->meta.vocab, w->meta.tokenizer);
    if (strcmp(seen->corpus, w->meta.corpus) != 0)
        return fail(ST_CONFIG,
                    "the unfinished shard '%s' was begun from another corpus ('%s', now '%s'); "
                    "remove it, or "
                    "use that corpus",
                    w->working, seen->corpus, w->meta.corpus);
    return ST_OK;
}

static enum status check_entries(struct token_shard_writer *w, int table, uint64_t want)
{
    uint64_t seen;

    TRY(token_env_count(&w->env, table, &seen));
    return seen == want ? ST_OK
                        : fail_working(w, "a table has not as many entries as its counts say");
}

static enum status load_tail(struct token_shard_writer *w, enum token_part part)
{
    struct part_tail *t = &w->tails[part];
    const struct token_counts *c = &w->meta.parts[part];
    uint64_t in_block = TOKEN_BLOCK_BYTES / (unsigned)w->meta.width;
    struct token_rows_want want = { (uint32_t)(c->documents % TOKEN_ROWS), 0, c->tokens,
                                    w->meta.labels };
    struct span value;
    struct token_docs docs;
    const uint64_t *spans;

    TRY(token_env_look(&w->env, TOKEN_WORK, token_table_names[token_table_of(part, TOKEN_TOK)],
                       &value));
    t->fill = c->tokens % in_block * (unsigned)w->meta.width;
    if (value.n != t->fill)
        return fail_working(w, "its last tokens are not as many as its counts say");
    if (value.n > 0)
        memcpy(t->block, value.p, value.n);
    TRY(token_env_look(&w->env, TOKEN_WORK, token_table_names[token_table_of(part, TOKEN_DOC)],
                       &value));
    TRY(token_docs_parse(w->working, value, &want, &docs));
    token_docs_copy(&t->docs, &docs);
    TRY(token_env_look(&w->env, TOKEN_WORK, token_table_names[token_table_of(part, TOKEN_SKIP)],
                       &value));
    want.count = (uint32_t)(c->skips % TOKEN_ROWS);
    TRY(token_skips_parse(w->working, value, &want, &spans));
    t->skips.count = want.count;
    memcpy(t->skips.spans, spans, want.count * 2 * sizeof *spans);
    TRY(check_entries(w, token_table_of(part, TOKEN_TOK), c->tokens / in_block));
    TRY(check_entries(w, token_table_of(part, TOKEN_SUM), c->tokens / in_block));
    TRY(check_entries(w, token_table_of(part, TOKEN_DOC), c->documents / TOKEN_ROWS));
    return check_entries(w, token_table_of(part, TOKEN_SKIP), c->skips / TOKEN_ROWS);
}

static enum status load_labels(struct token_shard_writer *w)
{
    TRY(check_entries(w, TOKEN_SRC, w->meta.labels));
    for (uint64_t i = 0; i < w->meta.labels; i++) {
        MDB_val key = { sizeof i, &i }, value;
        struct span source, language, added;
        int rc = mdb_get(w->env.txn, w->env.tables[TOKEN_SRC], &key, &value);

        if (rc != 0)
            return token_fail_lmdb(rc, "cannot read", w->working);
        TRY(token_label_parse(w->working, (struct span){ value.mv_data, value.mv_size }, &source,
                              &language));
        token_labels_number(&w->labels, source, language, &added);
        if (added.n == 0)
            return fail_working(w, "a label stands twice");
    }
    return ST_OK;
}

static enum status load(struct token_shard_writer *w)
{
    struct token_shard_meta seen;
    struct span text;

    TRY(token_env_look(&w->env, TOKEN_WORK, TOKEN_META_KEY, &text));
    if (text.p == NULL)
        return fail_working(w, "it does not say how far it is");
    TRY(token_meta_parse(w->working, text, &seen));
    TRY(check_fits(w, &seen));
    w->meta = seen;
    for (int p = 0; p < TOKENS_PARTS; p++)
        TRY(load_tail(w, (enum token_part)p));
    return load_labels(w);
}

static enum status open_working(struct token_shard_writer *w)
{
    w->placed = file_exists(w->working);
    token_final_clear(w->path);
    unlink(w->fresh);
    TRY(token_env_open(&w->env, w->placed ? w->working : w->fresh, TOKEN_TABLES_WRITING,
                       MDB_NOSYNC));
    return w->placed ? load(w) : ST_OK;
}

static char *name_with(const char *path, const char *tail)
{
    struct buf name = { 0 };

    buf_printf(&name, "%s%s", path, tail);
    return name.p;
}

enum status token_shard_begin(const char *path, const struct token_shard_meta *meta,
                              struct token_shard_writer **out)
{
    struct token_shard_writer *w;
    enum status st;

    if (file_exists(path))
        return fail(ST_CONFIG, "the shard '%s' is there already", path);
    w = mem_alloc(sizeof *w);
    w->meta = *meta;
    w->meta.width = token_width_of(meta->vocab);
    w->meta.labels = 0;
    memset(w->meta.parts, 0, sizeof w->meta.parts);
    w->path = mem_strdup(path);
    w->working = name_with(path, ".part");
    w->fresh = name_with(path, ".part.new");
    w->tails = mem_array(TOKENS_PARTS, sizeof *w->tails);
    for (int p = 0; p < TOKENS_PARTS; p++)
        w->tails[p].block = mem_alloc(TOKEN_BLOCK_BYTES);
    st = open_working(w);
    if (st != ST_OK) {
        w->failed = true;
        token_shard_leave(w, false);
        return st;
    }
    *out = w;
    return ST_OK;
}

const struct token_shard_meta *token_shard_state(const struct token_shard_writer *w)
{
    return &w->meta;
}

void token_shard_leave(struct token_shard_writer *w, bool keep)
{
    if (w == NULL)
        return;
    if (keep && !w->failed && commit(w, 0) != ST_OK)
        log_warn("%s", fail_message());
    if (w->placed)
        release(w);
    else
        token_shard_abort(w);
}

/* ---- documents ---- */

static enum status write_block(struct token_shard_writer *w, enum token_part part, uint64_t block)
{
    struct part_tail *t = &w->tails[part];
    uint64_t sum = xxh3(t->block, TOKEN_BLOCK_BYTES);

    TRY(token_env_put(&w->env, token_table_of(part, TOKEN_TOK), block,
                      (struct span){ (const char *)t->block, TOKEN_BLOCK_BYTES }));
    t->fill = 0;
    return token_env_put(&w->env, token_table_of(part, TOKEN_SUM), block,
                         (struct span){ (const char *)&sum, sizeof sum });
}

/* Writes n tokens as so many bytes each, and gives the largest. */
static uint32_t pack_u16(unsigned char *to, const uint32_t *tokens, size_t n)
{
    uint32_t largest = 0;

    for (size_t i = 0; i < n; i++) {
        uint16_t v = (uint16_t)tokens[i];

        memcpy(to + 2 * i, &v, 2);
        largest = tokens[i] > largest ? tokens[i] : largest;
    }
    return largest;
}

static uint32_t pack_u32(unsigned char *to, const uint32_t *tokens, size_t n)
{
    uint32_t largest = 0;

    memcpy(to, tokens, 4 * n);
    for (size_t i = 0; i < n; i++)
        largest = tokens[i] > largest ? tokens[i] : largest;
    return largest;
}

static enum status add_tokens(struct token_shard_writer *w, enum token_part part,
                              const struct token_document *d)
{
    size_t width = (size_t)w->meta.width;
    struct part_tail *t = &w->tails[part];
    uint64_t *tokens = &w->meta.parts[part].tokens;

    for (uint64_t done = 0; done < d->count;) {
        uint64_t n = d->count - done, room = (TOKEN_BLOCK_BYTES - t->fill) / width;
        uint32_t largest;

        n = n < room ? n : room;
        largest = (width == 2 ? pack_u16 : pack_u32)(t->block + t->fill, d->tokens + done, n);
        if (largest >= w->meta.vocab)
            return fail(ST_LIMIT, "document '%.*s' has the token %u, but the vocabulary ends at %u",
                        (int)(d->id.n < 200 ? d->id.n : 200), d->id.p, largest, w->meta.vocab - 1);
        t->fill += n * width;
        *tokens += n;
        done += n;
        if (t->fill == TOKEN_BLOCK_BYTES)
            TRY(write_block(w, part, *tokens * width / TOKEN_BLOCK_BYTES - 1));
    }
    return ST_OK;
}

/* Spans that touch are one, so that what is told twice does not show. */
static enum status add_skip(struct token_shard_writer *w, enum token_part part, uint64_t first,
                            uint64_t end)
{
    struct token_skips_rows *rows = &w->tails[part].skips;

    rows->spans[2 * rows->count] = first;
    rows->spans[2 * rows->count + 1] = end;
    rows->count++;
    w->meta.parts[part].skips++;
    if (rows->count < TOKEN_ROWS)
        return ST_OK;
    token_skips_print(rows, &w->text);
    rows->count = 0;
    return token_env_put(&w->env, token_table_of(part, TOKEN_SKIP),
                         w->meta.parts[part].skips / TOKEN_ROWS - 1, span_of_buf(&w->text));
}

static enum status add_skips(struct token_shard_writer *w, enum token_part part,
                             const struct token_document *d)
{
    uint64_t base = w->meta.parts[part].tokens, first = 0, end = 0;

    for (size_t i = 0; i < d->unlearnt_count; i++) {
        const struct token_span *s = &d->unlearnt[i];

        if (s->first < end || s->first > d->count || s->count > d->count - s->first)
            return fail(ST_LIMIT,
                        "document '%.*s': the span %zu of tokens that are not learnt is %llu from "
                        "%llu on, want it "
                        "behind %llu and up to %llu",
                        (int)(d->id.n < 200 ? d->id.n : 200), d->id.p, i,
                        (unsigned long long)s->count, (unsigned long long)s->first,
                        (unsigned long long)end, (unsigned long long)d->count);
        if (s->first > end) {
            if (end > first)
                TRY(add_skip(w, part, base + first, base + end));
            first = s->first;
        }
        end = s->first + s->count;
    }
    return end > first ? add_skip(w, part, base + first, base + end) : ST_OK;
}

static enum status add_record(struct token_shard_writer *w, enum token_part part,
                              const struct token_document *d)
{
    struct token_docs_rows *rows = &w->tails[part].docs;
    struct token_counts *c = &w->meta.parts[part];
    struct span added;
    uint32_t i = rows->count++;

    rows->label[i] = token_labels_number(&w->labels, d->source, d->language, &added);
    if (added.n > 0)
        TRY(token_env_put(&w->env, TOKEN_SRC, w->meta.labels++, added));
    if (d->id.n > 0)
        buf_add(&rows->ids, d->id.p, d->id.n);
    rows->end[i] = c->tokens;
    rows->text_hash[i] = d->text_hash;
    rows->text_bytes[i] = (uint32_t)d->text_bytes;
    rows->id_end[i] = (uint32_t)rows->ids.n;
    c->documents++;
    c->text_bytes += d->text_bytes;
    if (rows->count < TOKEN_ROWS)
        return ST_OK;
    token_docs_print(rows, &w->text);
    rows->count = 0;
    buf_clear(&rows->ids);
    return token_env_put(&w->env, token_table_of(part, TOKEN_DOC), c->documents / TOKEN_ROWS - 1,
                         span_of_buf(&w->text));
}

static enum status check_document(const struct token_document *d)
{
    if (d->id.n > TOKEN_ID_MAX || d->source.n > TOKEN_ID_MAX || d->language.n > TOKEN_ID_MAX)
        return fail(ST_LIMIT,
                    "a document's id of %zu bytes, source of %zu bytes and language of %zu bytes, "
                    "want at most %u "
                    "(id '%.*s...')",
                    d->id.n, d->source.n, d->language.n, TOKEN_ID_MAX,
                    (int)(d->id.n < 80 ? d->id.n : 80), d->id.p);
    if (d->count > UINT32_MAX || d->text_bytes > UINT32_MAX)
        return fail(ST_LIMIT,
                    "document '%.*s' has %llu tokens of %llu bytes, want at most %u of either",
                    (int)(d->id.n < 200 ? d->id.n : 200), d->id.p, (unsigned long long)d->count,
                    (unsigned long long)d->text_bytes, UINT32_MAX);
    return ST_OK;
}

/* Room for the document and for the tails behind it, or else a commit before it. */
static enum status make_room(struct token_shard_writer *w, const struct token_document *d)
{
    size_t need = d->count * (unsigned)w->meta.width + d->id.n + d->source.n + d->language.n +
                  d->unlearnt_count * TOKEN_SKIP_ROW + TAILS_SLACK;

    for (int p = 0; p < TOKENS_PARTS; p++)
        need += w->tails[p].docs.ids.n;
    return need <= w->env.room - w->env.put ? ST_OK : commit(w, need);
}

static enum status add(struct token_shard_writer *w, enum token_part part,
                       const struct token_document *d)
{
    TRY(make_room(w, d));
    TRY(add_skips(w, part, d));
    TRY(add_tokens(w, part, d));
    TRY(add_record(w, part, d));
    return w->env.put < TXN_BYTES ? ST_OK : commit(w, 0);
}

enum status token_shard_add(struct token_shard_writer *w, enum token_part part,
                            const struct token_document *d)
{
    enum status st;

    BUG_IF(w->failed);
    TRY(check_document(d));
    st = add(w, part, d);
    w->failed = st != ST_OK;
    return st;
}

/* ---- the end ---- */

static enum status finish(struct token_shard_writer *w)
{
    struct token_final f = { .from = &w->env, .meta = &w->meta, .path = w->path };
    struct buf text[2 * TOKENS_PARTS] = { 0 };
    enum status st;

    for (int p = 0; p < TOKENS_PARTS; p++) {
        struct part_tail *t = &w->tails[p];
        size_t bytes = t->fill > 0 ? token_padded(t->fill) : 0;

        memset(t->block + t->fill, 0, bytes > 0 ? bytes - t->fill : 0);
        f.tails[p].tok = (struct span){ (const char *)t->block, bytes };
        if (t->docs.count > 0)
            token_docs_print(&t->docs, &text[2 * p]);
        if (t->skips.count > 0)
            token_skips_print(&t->skips, &text[2 * p + 1]);
        f.tails[p].doc = span_of_buf(&text[2 * p]);
        f.tails[p].skip = span_of_buf(&text[2 * p + 1]);
    }
    st = token_final_write(&f);
    for (size_t i = 0; i < 2 * TOKENS_PARTS; i++)
        buf_release(&text[i]);
    return st;
}

enum status token_shard_finish(struct token_shard_writer *w)
{
    enum status st;

    BUG_IF(w->failed);
    st = finish(w);
    if (st == ST_OK)
        token_shard_abort(w);
    else
        token_shard_leave(w, false);
    return st;
}
