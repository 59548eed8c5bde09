#include "tokenize/stage/stage.h"

#include <stdio.h>
#include <string.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "store/artifact/artifact.h"
#include "store/artifact/unfinished.h"
#include "tokenize/stage/group_record.h"


/* What rank 0 tells the others. */
struct told {
    char tokenizer[SHA256_HEX], corpus[SHA256_HEX];
    uint64_t files, groups;
};
struct stage {
    const struct command *command;
    const struct tokenize_options *o;
    struct arena arena;
    struct comm *comm;
    struct tokenize_work work;
    struct artifact *out;            /* rank 0's, as is the next */
    struct unfinished unfinished;
    struct file_lock at_work;        /* each rank's share of OUT.work/ranks */
    bool working;                    /* and all ranks know it */
    struct part_counts parts[TOKENS_PARTS];
    uint64_t shards, encoded;        /* of the store; bytes of text in this run, by all ranks */
    double begun;
};

/* ---- beginning ---- */

static enum status open_inputs(struct stage *s)
{
    struct tokenize_work *w = &s->work;

    TRY(tokenizer_open(s->o->tokenizer, &w->tokenizer));
    w->end = tokenizer_end_of_text(w->tokenizer);
    if (w->end < 0)
        return fail(
            ST_UNSUPPORTED,
            "the tokenizer '%s' has no end-of-text token to put between documents; want one "
            "with <|endoftext|>",
            s->o->tokenizer);
    TRY(corpus_files_list(&s->arena, s->o->corpus, &w->files));
    corpus_groups_make(&s->arena, &w->files, s->o->group_bytes, &w->groups);
    return ST_OK;
}

/* The store carries its tokenizer: checkpoints and models get theirs from it. Written first, so that
 * one that cannot be is told before the work. */
static enum status keep_tokenizer(struct stage *s)
{
    struct buf json = { 0 };
    enum status st = tokenizer_json(s->o->tokenizer, &json);

    if (st == ST_OK)
        st = file_write_new(path_join(&s->arena, artifact_folder(s->out), "tokenizer.json"), json.p, json.n);
    buf_release(&json);
    return st;
}

static enum status claim_work(struct stage *s, json_t *run, struct told *t)
{
    const json_t *inputs = json_object_get(run, "inputs");

    snprintf(t->tokenizer, sizeof t->tokenizer, "%s",
             json_string_value(json_array_get(json_object_get(inputs, "tokenizer"), 0)));
    if (s->o->tokenizer_digest != NULL)
        snprintf(t->tokenizer, sizeof t->tokenizer, "%s", s->o->tokenizer_digest);
    snprintf(t->corpus, sizeof t->corpus, "%s",
             json_string_value(json_array_get(json_object_get(inputs, "corpus"), 0)));
    TRY(unfinished_begin(&s->unfinished, s->o->out, run));
    return file_clear_leftovers(s->unfinished.path);
}

static enum status begin_first(struct stage *s, struct told *t)
{
    json_t *run;
    enum status st;

    TRY(artifact_begin(s->command, s->o, s->o->out, &s->out));
    TRY(keep_tokenizer(s));
    run = artifact_run(s->out);
    st = claim_work(s, run, t);
    json_decref(run);
    t->files = s->work.files.count;
    t->groups = s->work.groups.count;
    return st;
}

static enum status share(struct stage *s, struct told *t)
{
    struct tokenize_work *w = &s->work;

    TRY(comm_broadcast(s->comm, &(struct comm_buffer){ .p = t, .count = sizeof *t, .type = COMM_U8 }, 0));
    if (t->files != w->files.count || t->groups != w->groups.count)
        return fail(ST_FAILED,
                    "'%s' has %zu files here and %llu where rank 0 is: all ranks must see the same file system",
                    s->o->corpus, w->files.count, (unsigned long long)t->files);
    w->meta.vocab = tokenizer_vocab(w->tokenizer);
    w->meta.width = token_width_of(w->meta.vocab);
    memcpy(w->meta.tokenizer, t->tokenizer, SHA256_HEX);
    memcpy(w->meta.corpus, t->corpus, SHA256_HEX);
    s->working = true;
    return w->ranks == 1 ? ST_OK : unfinished_share(w->folder, &s->at_work);
}

static enum status begin(struct stage *s)
{
    struct tokenize_work *w = &s->work;
    struct told t = { .files = 0 };

    w->o = s->o;
    w->rank = comm_rank(s->comm);
    w->ranks = comm_size(s->comm);
    w->folder = unfinished_path(&s->arena, s->o->out);
    if (w->rank > 0)
        log_set_quiet(true); /* one rank speaks for all */
    TRY(open_inputs(s));
    if (w->rank == 0)
        TRY(begin_first(s, &t));
    return share(s, &t);
}

/* ---- the work ---- */

/* This rank's share, in bytes of files. */
static uint64_t own_bytes(const struct tokenize_work *w)
{
    uint64_t bytes = 0;

    for (size_t g = (size_t)w->rank; g < w->groups.count; g += (size_t)w->ranks)
        bytes += w->groups.v[g].bytes;
    return bytes;
}

/* Comes back when all ranks are done. */
static enum status encode_all(struct stage *s)
{
    int64_t encoded;
    enum status st;

    s->begun = bench_now();
    progress_start("tokenizing", "bytes", own_bytes(&s->work));
    st = groups_encode(&s->work);
    progress_end();
    TRY(st);
    encoded = (int64_t)s->work.encoded;
    TRY(comm_all_reduce(s->comm, &(struct comm_buffer){ .p = &encoded, .count = 1, .type = COMM_I64 },
                        COMM_SUM));
    s->encoded = (uint64_t)encoded;
    return ST_OK;
}

/* ---- the store ---- */

static enum status place_shard(struct stage *s, const char *from, const struct shard_entry *e)
{
    char name[TOKEN_SHARD_NAME];
    bool copied;

    if (s->shards == TOKEN_SHARDS_MAX)
        return fail(ST_LIMIT, "more than %d shards; want a larger --group-bytes, or --shard-tokens",
                    TOKEN_SHARDS_MAX);
    token_shard_name((struct token_shard_id){ .number = (uint32_t)s->shards++ }, name);
    TRY(file_link_or_copy(from, path_join(&s->arena, artifact_folder(s->out), name), &copied));
    artifact_know_file(s->out, &(struct artifact_file){ name, e->bytes, e->sha256 });
    for (int p = 0; p < TOKENS_PARTS; p++) {
        s->parts[p].documents += e->parts[p].documents;
        s->parts[p].tokens += e->parts[p].tokens;
        s->parts[p].text_bytes += e->parts[p].text_bytes;
    }
    return ST_OK;
}

static enum status place_group(struct stage *s, size_t group)
{
    const char *path = group_record_path(&s->arena, s->work.folder, group);
    struct group_record r;
    enum status st;

    TRY(group_record_read(path, &r));
    st = r.done ? ST_OK : fail(ST_FAILED, "'%s' is not the record of a finished group: do all ranks see the same "
                                          "file system?", path);
    for (size_t i = 0; st == ST_OK && i < r.count; i++)
        st = place_shard(s, group_shard_path(&s->arena, s->work.folder, group, i), &r.v[i]);
    group_record_release(&r);
    return st;
}

/* As token_writer_close() says them. */
static json_t *counts_of(const struct stage *s)
{
    json_t *counts = json_pack("{s:I}", "shards", (json_int_t)s->shards);

    for (int p = 0; p < TOKENS_PARTS; p++)
        json_object_set_new(counts, token_part_names[p],
                            json_pack("{s:I, s:I, s:I}", "documents", (json_int_t)s->parts[p].documents,
                                      "tokens", (json_int_t)s->parts[p].tokens, "text_bytes",
                                      (json_int_t)s->parts[p].text_bytes));
    return counts;
}

static void warn_of_no_validation(const struct stage *s)
{
    if (s->o->validation > 0 && s->parts[TOKENS_VALIDATION].documents == 0)
        log_warn("none of the %llu documents fell into the validation part: nothing can be scored; "
                 "want more documents, or --validation above %g",
                 (unsigned long long)part_counts_documents(s->parts), s->o->validation);
}

static enum status commit(struct stage *s)
{
    struct artifact *out = s->out;

    artifact_set_counts(out, counts_of(s));
    s->out = NULL;
    TRY(artifact_commit(out, NULL));
    s->working = false;              /* a failure from here on keeps nothing, and needs nothing */
    return unfinished_complete(&s->unfinished);
}

static void report(const struct stage *s)
{
    uint64_t text = s->parts[TOKENS_TRAIN].text_bytes + s->parts[TOKENS_VALIDATION].text_bytes;
    uint64_t all = part_counts_tokens(s->parts);
    char documents[28], bytes[24], tokens[28], resumed[24];
    double rate = (double)s->encoded / 1e6 / (bench_now() - s->begun);

    log_info("%s: %s tokens of %s documents, %s; %.3f bytes a token; %.1f MB/s%s%s", s->o->out,
             str_count(all, tokens), str_count(part_counts_documents(s->parts), documents),
             str_bytes(text, bytes), (double)text / (double)all, rate,
             s->encoded < text ? ", going on from " : "",
             s->encoded < text ? str_bytes(text - s->encoded, resumed) : "");
}

static enum status finish(struct stage *s)
{
    for (size_t g = 0; g < s->work.groups.count; g++)
        TRY(place_group(s, g));
    s->work.input_fault = part_counts_documents(s->parts) == 0;
    if (s->work.input_fault)
        return fail(ST_FORMAT, "'%s' holds no documents", s->o->corpus);
    warn_of_no_validation(s);
    TRY(commit(s));
    report(s);
    return ST_OK;
}

/* ---- the end ---- */

/* Inputs that are not what they should be are other inputs when they are mended: the work so far is of no use. */
static bool is_of_no_use(const struct stage *s, enum status st)
{
    return s->work.input_fault && (st == ST_FORMAT || st == ST_UNSUPPORTED);
}

static enum status settle(struct stage *s, enum status st)
{
    return unfinished_end(&(struct unfinished_end){ .work = &s->unfinished, .out = s->out, .share = &s->at_work,
                                                    .kept = s->working && st != ST_LIMIT ? s->work.folder : NULL,
                                                    .done = "encoded", .of_no_use = is_of_no_use(s, st) }, st);
}

static enum status run(struct stage *s)
{
    TRY(comm_open(&s->comm));
    TRY(begin(s));
    TRY(encode_all(s));
    return s->work.rank == 0 ? finish(s) : ST_OK;
}

enum status tokenize_stage(const struct command *command, const struct tokenize_options *o)
{
    struct stage s = { .command = command, .o = o, .unfinished = { .lock = { -1 } }, .at_work = { -1 } };
    enum status st = settle(&s, run(&s));

    comm_abort(s.comm, command->name, st);
    tokenizer_close(s.work.tokenizer);
    comm_close(s.comm);
    arena_release(&s.arena);
    return st;
}
