#include "tokenize/stage/group_work.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/platform.h"
#include "base/progress.h"
#include "tokenize/encode/encode_stream.h"
#include "tokenize/stage/learn_only.h"

#define BOOT_LIMIT 4096
#define PLACE_LINE_BITS 40           /* of a tag: a line of a file below, the file's number above */

struct group_work {
    const struct group_args *args;
    struct tokenize_work *w;
    const struct corpus_group *group;
    struct arena arena, document;    /* paths; and what the document in hand needs */
    struct group_record *record;     /* on the heap: the sealer's while it works */
    const char *record_path, *shard_path;
    size_t number;                   /* of the shard that grows, or comes next */
    struct token_shard_writer *shard;    /* NULL: none grows */
    bool write_failed;
    uint64_t taken;                  /* documents of the group in shards, at the start */
    uint64_t shown;                  /* bytes of files on the progress bar */
    struct corpus_text *corpus;
};

/* ---- shards ---- */

static const char *shard_path(struct group_work *g, size_t number)
{
    return group_shard_path(&g->arena, g->w->folder, g->args->group, number);
}

static const char *part_path(struct group_work *g, size_t number)
{
    return arena_printf(&g->arena, "%s.part", shard_path(g, number));
}

static bool is_full(const struct group_work *g)
{
    struct part_counts counts[TOKENS_PARTS];

    part_counts_of(token_shard_state(g->shard), counts);
    return part_counts_tokens(counts) >= (uint64_t)g->w->o->shard_tokens;
}

static enum status begin_shard(struct group_work *g)
{
    g->shard_path = shard_path(g, g->number);
    return token_shard_begin(g->shard_path, &g->w->meta, &g->shard);
}

/* Hands the shard over, or a finished file, or (neither) the end of the group. */
static enum status seal_shard(struct group_work *g, bool last)
{
    struct seal_job job = { .shard = g->shard,
                            .shard_path = g->shard_path,
                            .record_path = g->record_path,
                            .record = g->record,
                            .last = last };

    g->shard = NULL;
    g->shard_path = NULL;
    g->number++;
    if (last)
        g->record = NULL;
    return sealer_start(g->args->sealer, &job);
}

/* ---- where the group stands ---- */

static void add_taken(struct group_work *g)
{
    struct part_counts counts[TOKENS_PARTS];

    part_counts_of(token_shard_state(g->shard), counts);
    g->taken += part_counts_documents(counts);
}

/* A shard that was finished when its run ended, but not recorded. */
static enum status take_finished(struct group_work *g)
{
    g->shard_path = shard_path(g, g->number);
    TRY(file_remove_tree(part_path(g, g->number)));
    TRY(seal_shard(g, false));
    TRY(sealer_wait(g->args->sealer));
    g->taken += part_counts_documents(g->record->v[g->record->count - 1].parts);
    return ST_OK;
}

static enum status put_unsynced(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    enum status st;

    if (fd < 0)
        return fail_errno(ST_IO, "cannot create '%s'", path);
    st = file_put(fd, path, text, strlen(text));
    if (close(fd) != 0 && st == ST_OK)
        st = fail_errno(ST_IO, "cannot close '%s'", path);
    return st;
}

/* Growing shards are not synced: they are as they were left only as long as the machine runs. Which start of it they
 * are of stands beside them, written before the first of them, and not synced either: torn or lost, it is
 * another one's. */
static enum status drop_untrusted(struct group_work *g)
{
    const char *path = arena_printf(&g->arena, "%s/group-%05zu.boot", g->w->folder, g->args->group);
    char now[BOOT_NAME];
    struct buf was = { 0 };
    bool same;

    boot_name(now);
    if (file_exists(path))
        TRY(file_read(path, BOOT_LIMIT, &was));
    same = was.p != NULL && *now != 0 && strcmp(was.p, now) == 0;
    buf_release(&was);
    if (same)
        return ST_OK;
    TRY(file_remove_tree(part_path(g, g->record->count)));
    TRY(file_remove_tree(part_path(g, g->record->count + 1)));
    TRY(file_remove_tree(part_path(g, g->record->count + 2)));
    return put_unsynced(path, now);
}

static enum status find_place(struct group_work *g)
{
    TRY(drop_untrusted(g));
    for (size_t i = 0; i < g->record->count; i++)
        g->taken += part_counts_documents(g->record->v[i].parts);
    g->number = g->record->count;
    for (;;) {
        if (file_exists(shard_path(g, g->number))) {
            TRY(take_finished(g));
            continue;
        }
        if (!file_exists(part_path(g, g->number)))
            break;
        TRY(begin_shard(g));
        add_taken(g);
        if (!is_full(g))
            break;
        TRY(seal_shard(g, false));
    }
    return file_remove_tree(part_path(g, g->number + 1));
}

static enum status pass_over(struct group_work *g)
{
    uint64_t passed;

    TRY(corpus_text_skip(g->corpus, g->taken, &passed));
    if (passed < g->taken)
        return fail(ST_INTEGRITY,
                    "'%s' holds %llu documents of the files from '%s' on, which have only %llu: was the corpus changed?",
                    g->w->folder, (unsigned long long)g->taken, g->w->files.v[g->group->first].path,
                    (unsigned long long)passed);
    return ST_OK;
}

/* ---- documents ---- */

static void show_progress(struct group_work *g, uint64_t bytes)
{
    if (bytes > g->shown) {
        progress_add(bytes - g->shown);
        g->shown = bytes;
    }
}

/* Notes that the corpus is at fault, not what was made of it. */
static enum status blame_input(struct group_work *g, enum status st)
{
    g->w->input_fault = true;
    return st;
}

static enum status next(void *ctx, struct stream_text *s, bool *got)
{
    struct group_work *g = ctx;
    struct document_place p;
    enum status st;

    if (g->w->over)
        return fail(ST_INTERRUPTED, "stopped by another failure");
    *s = (struct stream_text){ 0 };
    st = corpus_text_next(g->corpus, &s->d, got);
    if (st != ST_OK)
        return blame_input(g, st);
    show_progress(g, corpus_text_file_bytes(g->corpus));
    if (*got) {
        p = corpus_text_place(g->corpus);
        s->tag = (uint64_t)p.file << PLACE_LINE_BITS | p.line;
    }
    return ST_OK;
}

static enum status within(void *ctx, uint64_t tag, enum status st)
{
    struct group_work *g = ctx;
    const char *path = g->w->files.v[tag >> PLACE_LINE_BITS].path;
    unsigned long long line = tag & (((uint64_t)1 << PLACE_LINE_BITS) - 1);

    (void)blame_input(g, st);
    return line ? fail_within(st, "'%s' line %llu: ", path, line) : fail_within(st, "'%s': ", path);
}

static enum status mark_learnt(struct group_work *g, const struct encoded_document *d,
                               struct token_document *out)
{
    struct metadata_ranges_args args = { d->metadata, g->w->o->learn_only, d->text_bytes };
    struct byte_ranges learnt;
    struct token_span *spans;

    if (args.key == NULL)
        return ST_OK;
    TRY(metadata_ranges(&g->document, &args, &learnt));
    learn_only_spans(&g->document, d, &learnt, &spans, &out->unlearnt_count);
    out->unlearnt = spans;
    return ST_OK;
}

static enum status add_document(struct group_work *g, const struct encoded_document *d,
                                const struct token_document *t)
{
    enum token_part part = token_part_of(d->text_hash, g->w->o->validation);
    enum status st;

    if (g->shard == NULL)
        TRY(begin_shard(g));
    st = token_shard_add(g->shard, part, t);
    if (st != ST_OK) {
        g->write_failed = true;
        return st == ST_LIMIT ? within(g, d->tag, st) : st;
    }
    g->w->encoded += d->text_bytes;
    return is_full(g) ? seal_shard(g, false) : ST_OK;
}

static enum status take(void *ctx, const struct encoded_document *d)
{
    struct group_work *g = ctx;
    struct token_document t = { .id = d->id, .source = d->source, .text_hash = d->text_hash,
                                .text_bytes = d->text_bytes, .tokens = d->tokens, .count = d->count };
    enum status st;

    arena_reset(&g->document);
    t.language = metadata_language(&g->document, d->metadata);
    st = mark_learnt(g, d, &t);
    return st == ST_OK ? add_document(g, d, &t) : within(g, d->tag, st);
}

/* ---- the whole ---- */

static enum status encode_rest(struct group_work *g)
{
    struct encode_stream stream = { .tokenizer = g->w->tokenizer,
                                    .end = g->w->end,
                                    .ranges = g->w->o->learn_only != NULL,
                                    .next = next,
                                    .take = take,
                                    .within = within,
                                    .ctx = g,
                                    .own_progress = true };

    TRY(corpus_text_open_files(&g->w->files, g->group->first, g->group->count, &g->corpus));
    TRY(find_place(g));
    TRY(pass_over(g));
    TRY(encode_stream(g->args->pool, &stream));
    return seal_shard(g, true);
}

/* What was added is kept, if it could be. The record may be in the sealer's hands. */
static void leave(struct group_work *g, enum status st)
{
    struct failure f;

    failure_save(&f, st);
    if (g->shard != NULL)
        token_shard_leave(g->shard, !g->write_failed);
    (void)!sealer_wait(g->args->sealer);     /* the first failure is told */
    (void)failure_restore(&f);
}

static enum status encode_group(struct group_work *g)
{
    enum status st;

    TRY(group_record_read(g->record_path, g->record));
    st = g->record->done ? ST_OK : encode_rest(g);
    if (st != ST_OK)
        leave(g, st);
    else
        show_progress(g, g->group->bytes);
    return st;
}

enum status group_encode(const struct group_args *args)
{
    struct group_work g = { .args = args, .w = args->work };
    enum status st;

    g.group = &g.w->groups.v[args->group];
    g.record = mem_alloc(sizeof *g.record);
    g.record_path = group_record_path(&g.arena, g.w->folder, args->group);
    st = encode_group(&g);
    if (g.record != NULL)
        group_record_release(g.record);
    free(g.record);
    corpus_text_close(g.corpus);
    arena_release(&g.arena);
    arena_release(&g.document);
    return st;
}
