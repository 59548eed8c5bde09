#include "tokenize/learn/bpe_count.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "tokenize/learn/spill_file.h"

#define AHEAD 8                          /* pieces whose slots are fetched beforehand */
#define MERGE_MOST 64                    /* runs that are merged at a time */
#define TABLE_LEAST ((uint64_t)256 << 10)
#define SEND_BYTES ((size_t)1 << 20)

struct bpe_counter {
    struct piece_table *tables;
    int workers;
    uint64_t memory;
    const char *folder;
    pthread_mutex_t lock;                /* of all below */
    int fd;                              /* -1: nothing was spilled */
    uint64_t end;                        /* of the file */
    struct piece_run *runs;
    size_t run_count, run_cap;
    size_t spilled;                      /* runs that tables were written to */
    struct run_merge *merge;
};

struct bpe_counter *bpe_counter_new(const struct bpe_counter_args *args)
{
    struct bpe_counter *c = mem_alloc(sizeof *c);
    uint64_t each = args->memory / (uint64_t)args->workers;

    c->workers = args->workers;
    c->memory = args->memory;
    c->folder = args->folder;
    c->fd = -1;
    pthread_mutex_init(&c->lock, NULL);
    c->tables = mem_array((size_t)c->workers, sizeof *c->tables);
    for (int i = 0; i < c->workers; i++)
        piece_table_init(&c->tables[i], each > TABLE_LEAST ? each : TABLE_LEAST);
    return c;
}

static void release_tables(struct bpe_counter *c)
{
    for (int i = 0; i < c->workers; i++)
        piece_table_release(&c->tables[i]);
}

void bpe_counter_free(struct bpe_counter *c)
{
    if (c == NULL)
        return;
    run_merge_free(c->merge);
    release_tables(c);
    free(c->tables);
    free(c->runs);
    if (c->fd >= 0)
        close(c->fd);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

size_t bpe_counter_runs(const struct bpe_counter *c)
{
    return c->spilled;
}

/* ---- spilling ---- */

static size_t buffer_bytes(const struct bpe_counter *c)
{
    uint64_t n = c->memory / (MERGE_MOST * 2);

    return n < (4 << 10) ? (size_t)4 << 10 : n > (256 << 10) ? (size_t)256 << 10 : (size_t)n;
}

/* Takes so many bytes of the file's end. */
static enum status reserve(struct bpe_counter *c, uint64_t bytes, uint64_t *at)
{
    enum status st = ST_OK;

    pthread_mutex_lock(&c->lock);
    if (c->fd < 0)
        st = spill_file_open(c->folder, &c->fd);
    *at = c->end;
    c->end += bytes;
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* Under the lock while workers count. */
static void keep_run(struct bpe_counter *c, const struct piece_run *run)
{
    if (c->run_count == c->run_cap) {
        c->run_cap = c->run_cap ? c->run_cap * 2 : 16;
        c->runs = mem_grow(c->runs, c->run_cap, sizeof *c->runs);
    }
    c->runs[c->run_count++] = *run;
}

static enum status spill(struct bpe_counter *c, struct piece_table *t)
{
    struct piece_run run = piece_run_plan(t);
    uint64_t at;

    if (t->count == 0)
        return ST_OK;
    TRY(reserve(c, run.bytes, &at));
    TRY(piece_run_write(c->fd, at, t, buffer_bytes(c), &run));
    pthread_mutex_lock(&c->lock);
    keep_run(c, &run);
    c->spilled++;
    pthread_mutex_unlock(&c->lock);
    piece_table_clear(t);
    return ST_OK;
}

/* ---- counting ---- */

static enum status add_one(struct bpe_counter *c, struct piece_table *t, struct count_key key,
                           struct span piece)
{
    if (piece_table_add(t, key, piece, 1))
        return ST_OK;
    TRY(spill(c, t));
    BUG_IF(!piece_table_add(t, key, piece, 1));
    return ST_OK;
}

enum status bpe_counter_add(struct bpe_counter *c, int worker, const struct bpe_pieces *p)
{
    struct piece_table *t = &c->tables[worker];
    struct count_key keys[AHEAD];
    size_t from = p->from;

    for (size_t first = 0; first < p->n; first += AHEAD) {
        size_t n = p->n - first < AHEAD ? p->n - first : AHEAD, at = from;

        for (size_t i = 0; i < n; i++) {
            keys[i] = count_key_of((struct span){ p->text + at, p->ends[first + i] - at });
            piece_table_fetch(t, keys[i]);
            at = p->ends[first + i];
        }
        for (size_t i = 0; i < n; i++) {
            TRY(add_one(c, t, keys[i], (struct span){ p->text + from, p->ends[first + i] - from }));
            from = p->ends[first + i];
        }
    }
    return ST_OK;
}

/* ---- the end ---- */

static enum status spill_all(struct bpe_counter *c)
{
    for (int i = 0; i < c->workers; i++)
        TRY(spill(c, &c->tables[i]));
    release_tables(c);
    return ST_OK;
}

/* Makes one run of the first n. */
static enum status join_runs(struct bpe_counter *c, size_t n)
{
    struct run_merge *m = run_merge_new();
    struct piece_run run = { .at = c->end };
    struct buf text = { 0 };
    struct bpe_word word;
    enum status st = ST_OK;
    bool got = true;

    for (size_t i = 0; i < n; i++)
        run_merge_add_run(m, c->fd, &c->runs[i], buffer_bytes(c));
    while (st == ST_OK && got) {
        st = run_merge_next(m, &word, &got);
        if (st == ST_OK && got) {
            piece_record_print(&text, &word);
            run.pieces++;
            run.places += word.n + 1;
        }
        if (st == ST_OK && (text.n >= buffer_bytes(c) || !got)) {
            st = spill_file_write(c->fd, c->end, text.p, text.n);
            c->end += text.n;
            buf_clear(&text);
        }
    }
    run.bytes = c->end - run.at;
    memmove(c->runs, c->runs + n, (c->run_count - n) * sizeof *c->runs);
    c->run_count -= n;
    keep_run(c, &run);
    run_merge_free(m);
    buf_release(&text);
    return st;
}

static enum status next_of_list(void *ctx, struct bpe_word *out, bool *got)
{
    struct bpe_word_list *l = ctx;

    *got = l->next < l->count;
    if (*got)
        *out = l->v[l->next++];
    return ST_OK;
}

struct bpe_words bpe_words_of(struct bpe_word_list *list)
{
    struct bpe_words w = { .next = next_of_list, .ctx = list };

    for (size_t i = 0; i < list->count; i++)
        w.places += list->v[i].n + 1;
    return w;
}

static enum status next_word(void *ctx, struct bpe_word *out, bool *got)
{
    return run_merge_next(ctx, out, got);
}

static void open_merge(struct bpe_counter *c, struct bpe_words *out)
{
    c->merge = run_merge_new();
    for (size_t i = 0; i < c->run_count; i++) {
        run_merge_add_run(c->merge, c->fd, &c->runs[i], buffer_bytes(c));
        out->places += c->runs[i].places;
    }
    for (int i = 0; i < c->workers; i++) {
        if (c->tables[i].count == 0)
            continue;
        out->places += piece_run_plan(&c->tables[i]).places;
        piece_table_sort(&c->tables[i]);
        run_merge_add_table(c->merge, &c->tables[i]);
    }
}

enum status bpe_counter_finish(struct bpe_counter *c, struct bpe_words *out)
{
    *out = (struct bpe_words){ .next = next_word };
    if (c->run_count > 0)
        TRY(spill_all(c));
    while (c->run_count > MERGE_MOST)
        TRY(join_runs(c, MERGE_MOST));
    open_merge(c, out);
    out->ctx = c->merge;
    return ST_OK;
}

/* ---- ranks ---- */

static enum status send_buf(struct comm *comm, struct buf *text)
{
    int64_t n = (int64_t)text->n;

    TRY(comm_send(comm, &(struct comm_buffer){ .p = &n, .count = 1, .type = COMM_I64 }, 0));
    if (n > 0)
        TRY(comm_send(comm,
                      &(struct comm_buffer){ .p = text->p, .count = text->n, .type = COMM_U8 }, 0));
    buf_clear(text);
    return ST_OK;
}

/* Whole records in each message; an empty one is the end. */
static enum status send_words(struct bpe_words *words, struct comm *comm, struct buf *text)
{
    bool got = true;

    while (got) {
        struct bpe_word word;

        TRY(words->next(words->ctx, &word, &got));
        if (got)
            piece_record_print(text, &word);
        if (text->n >= SEND_BYTES || (!got && text->n > 0))
            TRY(send_buf(comm, text));
    }
    return send_buf(comm, text);
}

static enum status send_all(struct bpe_counter *c, struct comm *comm)
{
    struct bpe_words words;
    struct buf text = { 0 };
    int64_t places;
    enum status st;

    TRY(bpe_counter_finish(c, &words));
    places = (int64_t)words.places;
    TRY(comm_send(comm, &(struct comm_buffer){ .p = &places, .count = 1, .type = COMM_I64 }, 0));
    st = send_words(&words, comm, &text);
    buf_release(&text);
    return st;
}

/* What a rank sends becomes a run of the file. */
static enum status receive_run(struct bpe_counter *c, struct comm *comm, int from)
{
    struct piece_run run = { .at = c->end };
    struct buf text = { 0 };
    int64_t n = 0;
    enum status st =
        comm_receive(comm, &(struct comm_buffer){ .p = &n, .count = 1, .type = COMM_I64 }, from);

    run.places = (uint64_t)n;
    while (st == ST_OK) {
        uint64_t at;

        st = comm_receive(comm, &(struct comm_buffer){ .p = &n, .count = 1, .type = COMM_I64 },
                          from);
        if (st != ST_OK || n == 0)
            break;
        buf_clear(&text);
        buf_reserve(&text, (size_t)n);
        st = comm_receive(
            comm, &(struct comm_buffer){ .p = text.p, .count = (size_t)n, .type = COMM_U8 }, from);
        if (st == ST_OK)
            st = reserve(c, (uint64_t)n, &at);
        if (st == ST_OK)
            st = spill_file_write(c->fd, at, text.p, (size_t)n);
    }
    buf_release(&text);
    run.bytes = c->end - run.at;
    if (st == ST_OK && run.bytes > 0)
        keep_run(c, &run);
    return st;
}

enum status bpe_counter_gather(struct bpe_counter *c, struct comm *comm)
{
    if (comm_rank(comm) > 0)
        return send_all(c, comm);
    for (int i = 1; i < comm_size(comm); i++)
        TRY(receive_run(c, comm, i));
    return ST_OK;
}
