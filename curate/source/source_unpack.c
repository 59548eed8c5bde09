#include "curate/source/source_unpack.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/arena.h"
#include "curate/source/source_codec.h"
#include "curate/source/source_part.h"

#define PIECE_FROM (UNPACK_PIECE / 2)      /* a piece ends at the first start from here on */
#define STREAM_ROOM (256u << 10)
#define MEMBER_BEFORE SIZE_MAX             /* it began in an earlier piece */
#define SEEK_TRIES 8                       /* starts tried in a piece behind a fault */

struct piece {
    struct buf data, out;
    uint64_t offset;                /* of data in the packed stream */
    bool start;                     /* data begins like a member */
    size_t whole;                   /* bytes of data that are members, unpacked in out */
    enum { PIECE_READ, PIECE_TAKEN, PIECE_DONE } state;
};

struct unpack {
    const struct codec *codec;
    struct input *in;
    struct buf dictionary;
    struct codec_work *work;        /* the reader's */
    /* pieces, a ring: first .. first + count are filled; the reader stands in the first */
    struct piece *pieces;
    size_t size, first, count;
    struct buf rest;                /* packed bytes of the next piece */
    uint64_t read;                  /* packed bytes in pieces so far */
    bool rest_starts, ended;
    /* the reader */
    size_t at;                      /* in the first piece's data */
    struct span ready;              /* unpacked bytes to be given out; then at = after */
    size_t after;
    bool fresh;                     /* the first piece has not been looked at */
    bool in_member, any_member;
    size_t member_at;               /* where the member began, in the first piece's data */
    uint64_t member_made;
    char *stream;                   /* STREAM_ROOM bytes */
    bool stream_full;               /* the decoder may hold more */
    enum unpack_what pending;       /* a fault behind what is ready; UNPACK_BYTES: none */
    bool go_on, lost, done;
    /* threads */
    int want, running;
    pthread_t threads[UNPACK_THREADS_MAX];
    pthread_mutex_t lock;
    pthread_cond_t filled, finished;
    bool stop;
};

bool unpack_can(enum archive_form form) { return form == ARCHIVE_GZIP || form == ARCHIVE_ZSTD; }

void unpack_go_on(struct unpack *u) { u->go_on = true; }

static struct piece *piece_at(struct unpack *u, size_t i)
{
    return &u->pieces[(u->first + i) % u->size];
}

/* --- threads --- */

static struct codec_work *new_work(const struct unpack *u)
{
    return u->codec->work_new((struct span){ u->dictionary.p, u->dictionary.n });
}

static void piece_unpack(const struct unpack *u, struct codec_work *w, struct piece *p)
{
    if (p->start)
        p->whole = u->codec->whole(w, (struct span){ p->data.p, p->data.n }, &p->out, UNPACK_ROOM);
}

/* The first piece that nobody has taken, or NULL. */
static struct piece *untaken(struct unpack *u)
{
    for (size_t i = 0; i < u->count; i++)
        if (piece_at(u, i)->state == PIECE_READ)
            return piece_at(u, i);
    return NULL;
}

static void *thread_main(void *ctx)
{
    struct unpack *u = ctx;
    struct codec_work *w = new_work(u);

    pthread_mutex_lock(&u->lock);
    while (!u->stop) {
        struct piece *p = untaken(u);
        if (p == NULL) {
            pthread_cond_wait(&u->filled, &u->lock);
            continue;
        }
        p->state = PIECE_TAKEN;
        pthread_mutex_unlock(&u->lock);
        piece_unpack(u, w, p);
        pthread_mutex_lock(&u->lock);
        p->state = PIECE_DONE;
        pthread_cond_signal(&u->finished);
    }
    pthread_mutex_unlock(&u->lock);
    u->codec->work_free(w);
    return NULL;
}

/* A system that has no more threads to give has the reader do it all. */
static void begin_threads(struct unpack *u)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (u->running < u->want &&
           pthread_create(&u->threads[u->running], NULL, thread_main, u) == 0)
        u->running++;
    u->want = u->running;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* --- pieces --- */

/* Where the piece that `rest` begins may end, from `from` on; 0: read on. */
static size_t piece_end(const struct unpack *u, size_t from)
{
    size_t at = from > 3 ? from - 3 : 0, least = u->rest_starts ? PIECE_FROM : 1;

    at = at < least ? least : at;
    if (u->rest.n <= at)
        return 0;
    at += u->codec->find(u->rest.p + at, u->rest.n - at);
    if (at < u->rest.n)
        return at;
    return u->rest.n >= UNPACK_PIECE ? UNPACK_PIECE : 0;
}

/* Reads the next piece into p; false at the end. */
static bool piece_read(struct unpack *u, struct piece *p)
{
    size_t end = piece_end(u, 0), before;

    while (end == 0 && !u->ended) {
        struct span s = input_next(u->in);
        before = u->rest.n;
        u->ended = s.n == 0;
        buf_add(&u->rest, s.p, s.n);
        end = piece_end(u, before);
    }
    if (end == 0)
        end = u->rest.n;
    if (end == 0)
        return false;
    buf_clear(&p->data);
    buf_clear(&p->out);
    buf_add(&p->data, u->rest.p, end);
    u->rest.n -= end;
    memmove(u->rest.p, u->rest.p + end, u->rest.n);
    p->start = u->rest_starts;
    p->whole = 0;
    p->offset = u->read;
    p->state = PIECE_READ;
    u->read += end;
    u->rest_starts = u->codec->find(u->rest.p, u->rest.n) == 0 && u->rest.n > 0;
    return true;
}

/* Fills the ring. Threads see a piece when it is counted. */
static void read_ahead(struct unpack *u)
{
    while (u->count < u->size) {
        if (!piece_read(u, piece_at(u, u->count)))
            return;
        if (u->count > 0 && u->running < u->want)
            begin_threads(u);
        pthread_mutex_lock(&u->lock);
        u->count++;
        pthread_cond_signal(&u->filled);
        pthread_mutex_unlock(&u->lock);
    }
}

/* Goes to the next piece and waits until it is unpacked, or unpacks it; NULL at the end. */
static struct piece *next_piece(struct unpack *u)
{
    struct piece *p;
    bool mine;

    read_ahead(u);
    if (u->count == 0)
        return NULL;
    p = piece_at(u, 0);
    pthread_mutex_lock(&u->lock);
    mine = p->state == PIECE_READ;
    if (mine)
        p->state = PIECE_TAKEN;
    while (!mine && p->state != PIECE_DONE)
        pthread_cond_wait(&u->finished, &u->lock);
    pthread_mutex_unlock(&u->lock);
    if (mine)
        piece_unpack(u, u->work, p);
    p->state = PIECE_DONE;
    return p;
}

static void drop_piece(struct unpack *u)
{
    pthread_mutex_lock(&u->lock);
    u->first = (u->first + 1) % u->size;
    u->count--;
    pthread_mutex_unlock(&u->lock);
    u->at = u->after = 0;
    u->member_at = MEMBER_BEFORE;
    u->fresh = true;
}

/* --- the reader --- */

static void make_ready(struct unpack *u, struct piece *p, size_t after)
{
    u->ready = (struct span){ p->out.p, p->out.n };
    u->after = after;
    u->any_member = true;
}

/* Finds the next sound member behind a fault. False: the end. */
static bool seek_member(struct unpack *u)
{
    struct piece *p = u->fresh ? next_piece(u) : piece_at(u, 0);
    size_t at = u->member_at == MEMBER_BEFORE ? 0 : u->member_at + 1;

    u->lost = u->in_member = u->stream_full = false;
    for (; p != NULL; at = 0, drop_piece(u), p = next_piece(u)) {
        u->fresh = false;
        if (at == 0 && p->whole > 0) {
            make_ready(u, p, p->whole);
            return true;
        }
        for (int i = 0; i < SEEK_TRIES; i++, at++) {
            at += u->codec->find(p->data.p + at, p->data.n - at);
            if (at >= p->data.n)
                break;
            buf_clear(&p->out);
            p->whole = u->codec->whole(u->work, (struct span){ p->data.p + at, p->data.n - at },
                                       &p->out, UNPACK_ROOM);
            if (p->whole > 0) {
                make_ready(u, p, at + p->whole);
                return true;
            }
        }
    }
    return false;
}

static enum unpack_what fault(struct unpack *u, enum unpack_what what)
{
    u->pending = UNPACK_BYTES;
    u->lost = u->go_on;
    u->done = !u->go_on;
    return what;
}

/* What stands behind a member and failed is no member at all. */
static bool begins_otherwise(const struct unpack *u, const struct piece *p)
{
    size_t at = u->member_at;

    return u->any_member && u->member_made == 0 && at != MEMBER_BEFORE &&
           u->codec->find(p->data.p + at, p->data.n - at) != 0;
}

/* Some bytes of the member that the reader unpacks itself into u->ready. */
static enum unpack_what stream_some(struct unpack *u, struct piece *p)
{
    struct codec_some s = { .out = u->stream, .room = STREAM_ROOM };
    enum codec_state state;

    s.in = (struct span){ p->data.p + u->at, p->data.n - u->at };
    if (!u->in_member) {
        u->codec->begin(u->work);
        u->in_member = true;
        u->member_at = u->at;
        u->member_made = 0;
    }
    state = u->codec->some(u->work, &s);
    u->at = p->data.n - s.in.n;
    u->member_made += s.made;
    u->ready = (struct span){ u->stream, s.made };
    u->after = u->at;
    u->stream_full = state == CODEC_MORE && s.made == s.room;
    if (state == CODEC_FAULT)      /* what it gave before is given out before it is told */
        u->pending = begins_otherwise(u, p) ? UNPACK_GARBAGE : UNPACK_DAMAGED;
    if (state == CODEC_MEMBER) {
        u->in_member = false;
        u->any_member = true;
    }
    return UNPACK_BYTES;
}

/* One step of the reader: makes bytes ready, or goes on to the next piece. */
static enum unpack_what advance(struct unpack *u)
{
    struct piece *p;

    if (u->pending != UNPACK_BYTES)
        return fault(u, u->pending);
    if (u->lost && !seek_member(u))
        u->done = true;
    if (u->done)
        return UNPACK_END;
    p = u->fresh ? next_piece(u) : piece_at(u, 0);
    if (p == NULL) {
        u->done = true;
        return u->in_member ? UNPACK_TRUNCATED : UNPACK_END;
    }
    if (u->fresh && !u->in_member && p->whole > 0)
        make_ready(u, p, p->whole);
    u->fresh = false;
    if (u->ready.n > 0)
        return UNPACK_BYTES;
    if (u->after > u->at)      /* members without a byte */
        u->at = u->after;
    while (!u->in_member && u->any_member && u->at < p->data.n && p->data.p[u->at] == 0)
        u->at++;               /* a tape's filling */
    if (u->at < p->data.n || u->stream_full)
        return stream_some(u, p);
    drop_piece(u);
    return UNPACK_BYTES;
}

enum unpack_what unpack_next(struct unpack *u, size_t max, struct span *out)
{
    enum unpack_what what = UNPACK_BYTES;

    *out = (struct span){ NULL, 0 };
    while (u->ready.n == 0 && what == UNPACK_BYTES)
        what = advance(u);
    if (what != UNPACK_BYTES)
        return what;
    out->p = u->ready.p;
    out->n = u->ready.n < max ? u->ready.n : max;
    u->ready.p += out->n;
    u->ready.n -= out->n;
    u->at = u->after;
    return UNPACK_BYTES;
}

uint64_t unpack_taken(const struct unpack *u)
{
    return u->count > 0 ? u->pieces[u->first].offset + u->at : u->read;
}

/* --- opening --- */

/* The dictionary before the first frame. What looks like one and is none is passed over
 * by the decoder, as any frame that is to be skipped. */
static void take_dictionary(struct unpack *u)
{
    struct span s = { NULL, 0 };
    size_t frame = 0;

    do {
        s = input_next(u->in);
        buf_add(&u->rest, s.p, s.n);
        frame = zstd_dictionary_frame(u->rest.p, u->rest.n);
    } while (s.n > 0 && (u->rest.n < 8 || u->rest.n < frame));
    u->ended = s.n == 0;
    if (frame == 0 || u->rest.n < frame)
        return;
    if (!zstd_dictionary((struct span){ u->rest.p, frame }, &u->dictionary)) {
        buf_clear(&u->dictionary);
        return;
    }
    u->rest.n -= frame;
    memmove(u->rest.p, u->rest.p + frame, u->rest.n);
    u->read = frame;
}

struct unpack *unpack_open(struct input *in, enum archive_form form, int threads)
{
    struct unpack *u = mem_alloc(sizeof *u);

    u->codec = form == ARCHIVE_GZIP ? &codec_gzip : &codec_zstd;
    u->in = in;
    u->want = threads < UNPACK_THREADS_MAX ? threads : UNPACK_THREADS_MAX;
    u->size = 2 * (size_t)u->want + 1;
    u->pieces = mem_array(u->size, sizeof *u->pieces);
    u->stream = mem_alloc(STREAM_ROOM);
    u->fresh = u->rest_starts = true;
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->filled, NULL);
    pthread_cond_init(&u->finished, NULL);
    if (form == ARCHIVE_ZSTD)
        take_dictionary(u);
    u->work = new_work(u);
    return u;
}

void unpack_close(struct unpack *u)
{
    if (u == NULL)
        return;
    pthread_mutex_lock(&u->lock);
    u->stop = true;
    pthread_cond_broadcast(&u->filled);
    pthread_mutex_unlock(&u->lock);
    for (int i = 0; i < u->running; i++)
        pthread_join(u->threads[i], NULL);
    pthread_cond_destroy(&u->finished);
    pthread_cond_destroy(&u->filled);
    pthread_mutex_destroy(&u->lock);
    for (size_t i = 0; i < u->size; i++) {
        buf_release(&u->pieces[i].data);
        buf_release(&u->pieces[i].out);
    }
    u->codec->work_free(u->work);
    buf_release(&u->rest);
    buf_release(&u->dictionary);
    free(u->pieces);
    free(u->stream);
    free(u);
}
